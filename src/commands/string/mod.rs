//! Command: strings: reading, and the room that `set`, `counter`, `range` and `lcs` share.

mod counter;
mod lcs;
mod many;
mod range;
mod set;

use crate::{
    commands::expire,
    error::ReplyError,
    keyspace::{Event, Look, Text, Ttl},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

pub(super) use counter::{decr, decrby, incr, incrby, incrbyfloat};
pub(super) use lcs::lcs;
pub(super) use many::{mget, mset, msetnx};
pub(super) use range::{append, getrange, getrange as substr, setrange, strlen};
pub(super) use set::{getset, psetex, set, setex, setnx};

/// GET key
pub(super) fn get(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    // The value is still borrowed from the keyspace when it is written: no copy.
    let text = server.keyspace.read_text(call.db(), call.arg(1))?;
    reply_text(call, text);
    Ok(())
}

/// GETDEL key
pub(super) fn getdel(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let entry = server.keyspace.text_entry(db, key, Look::Read)?;
    let text = entry.text();
    let is_there = text.is_some();
    reply_text(call, text);
    if is_there {
        entry.delete();
        call.propagate_as(server, &[b"DEL", key]);
        server.keyspace.written(db, key, Event::DEL);
    }
    Ok(())
}

/// GETEX key [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | PERSIST]
pub(super) fn getex(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, now_ms) = (call.db(), call.arg(1), server.keyspace.now_ms);
    let options = set::SetArgs::parse(call.argv, 2, set::Form::Getex)?;
    let mut entry = server.keyspace.text_entry(db, key, Look::Read)?;
    if entry.text().is_none() {
        // Nobody looks at the number then.
        call.reply.null();
        return Ok(());
    }
    let ttl = options.ttl(now_ms, "getex")?;
    reply_text(call, entry.text());
    match ttl {
        Ttl::Keep => {}
        Ttl::Clear => {
            if entry.set_expiry(None) {
                call.propagate_as(server, &[b"PERSIST", key]);
                server.keyspace.written(db, key, Event::PERSIST);
            }
        }
        Ttl::At(at_ms) if at_ms <= now_ms => {
            expire::delete_as_over(server, call, key);
        }
        Ttl::At(at_ms) => {
            entry.set_expiry(Some(at_ms));
            let mut digits = itoa::Buffer::new();
            call.propagate_as(server, &[b"PEXPIREAT", key, digits.format(at_ms).as_bytes()]);
            server.keyspace.written(db, key, Event::EXPIRE);
        }
    }
    Ok(())
}

fn reply_text(call: &mut Call<'_>, text: Option<Text<'_>>) {
    match text {
        Some(Text::Bytes(bytes)) => call.reply.bulk(bytes),
        Some(Text::Shared(shared)) => call.reply.shared(shared),
        None => call.reply.null(),
    }
}

/// Refuses a string that would be longer than a client could send.
fn check_length(length_max: usize, bytes: usize, more: usize) -> Result<(), ReplyError> {
    let total = bytes.checked_add(more);
    if total.is_some_and(|total| total <= length_max) {
        return Ok(());
    }
    Err(ReplyError::StringTooLong)
}
