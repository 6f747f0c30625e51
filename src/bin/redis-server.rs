//! Tool: the server.

fn main() {}
