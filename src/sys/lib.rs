//! Tool: what the server needs of the operating system.

#![deny(unsafe_code)]

pub mod file;
pub mod log;
pub mod process;
pub mod signal;
pub mod supervised;
pub mod title;
