//! Tool: makes development certificates (`make certs`).

fn main() {}
