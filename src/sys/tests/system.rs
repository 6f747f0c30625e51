//! Tool: x
fn main() {}
