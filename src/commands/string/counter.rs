//! Command: strings that are numbers: INCR and its family.

use base::{float80::Float80, number::parse_i64};

use crate::{
    error::ReplyError,
    keyspace::{Event, Look, NewText, Ttl},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// INCR key
pub(in crate::commands) fn incr(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    add(server, call, 1)
}

/// DECR key
pub(in crate::commands) fn decr(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    add(server, call, -1)
}

/// INCRBY key increment
pub(in crate::commands) fn incrby(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let increment = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
    add(server, call, increment)
}

/// DECRBY key decrement
pub(in crate::commands) fn decrby(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let decrement = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
    let increment = decrement.checked_neg().ok_or(ReplyError::DecrementOverflow)?;
    add(server, call, increment)
}

fn add(server: &mut Server, call: &mut Call<'_>, increment: i64) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let mut entry = server.keyspace.text_entry(db, key, Look::Write)?;
    let number = match entry.text() {
        Some(text) => parse_i64(text.bytes()).ok_or(ReplyError::NotInteger)?,
        None => 0,
    };
    let sum = number.checked_add(increment).ok_or(ReplyError::Overflow)?;
    let mut digits = itoa::Buffer::new();
    entry.set(NewText::Bytes(digits.format(sum).as_bytes()), Ttl::Keep);
    server.keyspace.written(db, key, Event::string("incrby"));
    call.reply.integer(sum);
    Ok(())
}

/// INCRBYFLOAT key increment
pub(in crate::commands) fn incrbyfloat(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let mut entry = server.keyspace.text_entry(db, key, Look::Write)?;
    let number = entry.text().map_or(&b"0"[..], |text| text.bytes());
    let number = Float80::parse(number).ok_or(ReplyError::NotFloat)?;
    let increment = Float80::parse(call.arg(2)).ok_or(ReplyError::NotFloat)?;
    let sum = number.plus(increment).filter(|sum| sum.is_finite());
    let mut text = Vec::new();
    sum.ok_or(ReplyError::NanOrInfinity)?.write(&mut text);
    // Redis makes no number of the sum, even where it is one.
    entry.set_as_text(&text, Ttl::Keep);
    // The sum, so that it is the same wherever it is repeated.
    call.propagate_as(server, &[b"SET", key, &text, b"KEEPTTL"]);
    server.keyspace.written(db, key, Event::string("incrbyfloat"));
    call.reply.bulk(&text);
    Ok(())
}
