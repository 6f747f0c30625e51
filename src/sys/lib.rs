//! Tool: what the server needs of the operating system.

#![deny(unsafe_code)]

pub mod check;
pub mod file;
pub mod limits;
pub mod log;
pub mod process;
pub mod signal;
pub mod supervised;
pub mod title;
