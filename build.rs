//! Tool: build.
fn main() {}
