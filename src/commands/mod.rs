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
mod geo;
mod hash;
mod help;
mod hyperloglog;
mod info;
mod key;
mod latency;
mod list;
mod lolwut;
mod memory;
mod monitor;
mod object;
mod pop;
mod pubsub;
mod replication;
mod save;
mod scan;
mod server;
mod set;
mod slowlog;
mod sort;
mod stream;
mod string;
mod timeout;
mod transaction;
mod transfer;
mod zset;

use crate::{command::CommandId, server::call::CommandFn};

/// Where elements are picked at random and may come again, no more are answered: nobody could hold
/// them, and picking them would never end.
const PICKED_MAX: u64 = 1 << 30;

include!(concat!(env!("OUT_DIR"), "/handlers.rs"));

/// Returns a command's code. Only `server::execute` asks.
pub(crate) fn handler(command: CommandId) -> CommandFn {
    HANDLERS[command.index()]
}

/// Says which command a function is the code of, if it is one's, in Redis's name for it: bug
/// reports are read with that in mind.
pub(crate) fn describe_function(address: usize) -> Option<String> {
    let is_it = |id: &CommandId| handler(*id) as usize == address;
    let id = CommandId::all().find(is_it)?;
    let mut name = String::new();
    for word in id.spec().full_name.split(['|', '-', '_']) {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        let is_first = name.is_empty();
        name.push_str(&if is_first { first.to_owned() } else { first.to_ascii_uppercase() });
        name.push_str(rest);
    }
    Some(format!("{name}Command"))
}
