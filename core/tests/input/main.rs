//! What goes in: file checks, formats, metadata, and files made to do harm.

#[path = "../support/allocator.rs"]
mod allocator;
mod corpus;
mod files;
mod formats;
mod hostile;
mod make;
mod memory;
mod metadata;
mod more_formats;
mod samples;
mod watching;
