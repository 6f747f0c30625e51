//! Tool: the client.

fn main() {}
