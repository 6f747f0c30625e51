//! Tool: conversations with our server as a process of its own, over TCP.

use std::path::Path;

use conversation::{Program, hold_all};

#[test]
fn our_server_says_over_tcp_what_is_expected() {
    let server = Program::new("our server over TCP", env!("CARGO_BIN_EXE_redis-server"));
    let count = hold_all(Path::new("tests/data"), &server);
    println!("{count} conversations");
}
