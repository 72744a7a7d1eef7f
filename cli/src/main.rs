//! The command line of remrembg.
fn main() {}
