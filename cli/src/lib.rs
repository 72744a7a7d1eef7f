//! The command line of remrembg.
