//! Tool: the checkers of files, which are the server under other names.

/// `redis-check-rdb`.
pub mod rdb;
