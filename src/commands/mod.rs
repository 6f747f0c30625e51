//! Command: the handlers, one file a family; the data files beside say which are whose.

mod bitmap;
mod client;
mod command;
mod config;
mod connection;
mod debug;
mod expire;
mod flush;
mod help;
mod info;
mod key;
mod memory;
mod object;
mod scan;
mod server;
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
