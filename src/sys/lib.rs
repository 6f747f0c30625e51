//! Tool: what the server needs of the operating system. In reading order: the `log`;
//! `process` (fork, wait, daemons, cost), `pipe`, `supervised` and `title`; `signal`; `file`;
//! `limits`, `check`, `collate` and `memory_test`; and for bad days `crash`, `watchdog`, `stack`.

#![deny(unsafe_code)]

pub mod check;
pub mod collate;
pub mod crash;
pub mod exit;
pub mod file;
pub mod limits;
pub mod log;
pub mod memory_test;
pub mod pipe;
pub mod process;
mod registers;
pub mod signal;
mod stack;
pub mod supervised;
pub mod title;
pub mod watchdog;
