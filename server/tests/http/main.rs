//! The service as its clients meet it: requests into the router, and over sockets.

mod accounts;
mod docs;
#[path = "../../../core/src/engine/tests/onnx.rs"]
mod onnx;
#[path = "../support/redis.rs"]
mod redis_server;
mod refusals;
mod rembg;
mod removals;
mod served;
mod service;
mod sockets;
mod vectors;
