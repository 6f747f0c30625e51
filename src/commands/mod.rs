//! Command: the handlers, one file a family; the data files beside say which are whose.

mod bitmap;
mod client;
mod command;
mod config;
mod connection;
mod debug;
mod dump;
mod expire;
mod flush;
mod help;
mod info;
mod key;
mod latency;
mod lolwut;
mod memory;
mod monitor;
mod object;
mod pubsub;
mod replication;
mod save;
mod scan;
mod server;
mod slowlog;
mod sort;
mod string;
mod transaction;
mod transfer;

use crate::{command::CommandId, server::call::CommandFn};

include!(concat!(env!("OUT_DIR"), "/handlers.rs"));

/// Returns a command's code. Only `server::execute` asks.
pub(crate) fn handler(command: CommandId) -> CommandFn {
    HANDLERS[command.index()]
}
