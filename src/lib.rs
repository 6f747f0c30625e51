//! Pure: the crate map: a Redis with SSL.
//!
//! Four rings. `base`, `sys`, `ds` and then `ae`, `net` (with `ssl`), `resp` are crates of
//! their own below `src/`: the compiler holds their borders, and an edit of a command
//! compiles none of them. This crate is the upper two rings: rooms own state and never
//! name `Server`; flows and commands move things between rooms and may call each other.
//!
//! Reading order: `server::call` (what a command sees), `keyspace`, then any file of
//! `commands`; then the way of a request from `server::accept` over `server::input` and
//! `server::process` to `server::output`.

// Rooms.

/// The thread that frees what is big.
pub mod bio;
/// Who waits for keys.
pub mod blocking;
/// One client, and the table of them all.
pub mod client;
/// The names of clients.
pub mod client_id;
/// Commands as data.
pub mod command;
/// What the operator has chosen.
pub mod config;
/// What a client can do wrong, and the words for it.
pub mod error;
/// Libraries of functions, as snapshots carry them.
pub mod functions;
/// The data.
pub mod keyspace;
/// What kept everybody waiting.
pub mod latency;
/// Who this process is, since when, and how it will end.
pub mod lifecycle;
/// Who watches commands go by.
pub mod monitor;
/// What outlives the process.
pub mod persist;
/// What others must repeat.
pub mod propagation;
/// Who listens to which channels.
pub mod pubsub;
/// What views must not show.
pub mod redact;
/// Who copies this server, and the history of writes that they copy.
pub mod replication;
/// Which commands took long.
pub mod slowlog;
/// What a server counts about itself.
pub mod stats;
/// Which keys clients have in caches of their own.
pub mod tracking;
/// What a key can hold.
pub mod value;
/// Which Redis this is.
pub mod version;

// Flows and commands.

/// The checkers of files.
pub mod check;
/// What the server does instead of serving.
pub mod options;

/// The handlers, one file a family.
pub mod commands;
/// The server, and what runs commands on it.
pub mod server;
