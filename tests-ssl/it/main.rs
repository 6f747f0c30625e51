//! Tool: tests of the SSL build: the conversations over TLS, and what only TLS can do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod conversations;
mod edges;
mod memory;
mod renewal;
mod replicas;
mod rough;
mod storm;

use conversation::Program;

/// The server that is tested: built beside the tests, or another that `REDIS_SERVER` names.
fn ours(name: &str) -> Program {
    let path = std::env::var_os("REDIS_SERVER");
    Program::new(name, path.unwrap_or_else(|| env!("CARGO_BIN_EXE_redis-server-ssl").into()))
}
