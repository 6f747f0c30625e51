//! Tool: what the server needs of the operating system.

#![deny(unsafe_code)]

pub mod log;
