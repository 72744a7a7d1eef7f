//! Without a build script, cargo would pass over what build scripts depend on.

fn main() {}
