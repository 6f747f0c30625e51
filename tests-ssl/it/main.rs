//! Tool: tests of the SSL build: the conversations over TLS, and what only TLS can do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod conversations;
