//! Tool: the one integration binary: conversations with our server, and tidiness.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod network;
mod process;
mod sockets;
mod tidy;
