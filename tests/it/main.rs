//! Tool: the one integration binary: conversations with our server, and tidiness.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use base::memory::Counting;

mod in_process;
mod network;
mod process;
mod sockets;
mod stream;
mod tidy;

/// What INFO says of memory is of this process then, in `in_process` too.
#[global_allocator]
static ALLOCATOR: Counting = Counting;
