//! The command line as a user meets it: the binary, its streams, its files.

#[cfg(unix)]
mod accounts;
mod as_rembg;
mod bench;
mod commands;
mod errors;
mod onnx;
mod places;
#[cfg(unix)]
mod promises;
mod readme;
#[cfg(unix)]
#[path = "../../../server/tests/support/redis.rs"]
mod redis_server;
mod remove;
mod safety;
#[cfg(unix)]
mod serve;
mod vectors;
#[cfg(unix)]
mod watch;
