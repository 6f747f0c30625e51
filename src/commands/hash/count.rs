//! Command: fields that are numbers: HINCRBY, HINCRBYFLOAT.

use base::{float80::Float80, number::parse_i64};
use ds::listpack::Digits;

use crate::{
    commands::hash::expire::propagate_expiry,
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// HINCRBY key field increment
pub(in crate::commands) fn hincrby(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, name) = (call.db(), call.arg(1), call.arg(2));
    let (limits, now_ms) = (server.config.encoding, server.keyspace.now_ms);
    let increment = parse_i64(call.arg(3)).ok_or(ReplyError::NotInteger)?;
    let hash = server.keyspace.change_or_create_hash(db, key, call.argv.from(2))?;
    let number = match hash.get(name, now_ms) {
        Some(value) => {
            value.integer().ok_or(ReplyError::text("ERR hash value is not an integer"))?
        }
        None => 0,
    };
    let sum = number.checked_add(increment).ok_or(ReplyError::Overflow)?;
    let mut digits = itoa::Buffer::new();
    hash.set(name, digits.format(sum).as_bytes(), true, limits);
    server.keyspace.written(db, key, Event::hash("hincrby"));
    call.reply.integer(sum);
    Ok(())
}

/// HINCRBYFLOAT key field increment
pub(in crate::commands) fn hincrbyfloat(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, name) = (call.db(), call.arg(1), call.arg(2));
    let (limits, now_ms) = (server.config.encoding, server.keyspace.now_ms);
    let increment = Float80::parse(call.arg(3)).ok_or(ReplyError::NotFloat)?;
    if !increment.is_finite() {
        return Err(ReplyError::text("ERR value is NaN or Infinity"));
    }
    let hash = server.keyspace.change_or_create_hash(db, key, call.argv.from(2))?;
    let mut digits = Digits::default();
    let number = hash.get(name, now_ms).map_or(&b"0"[..], |value| value.text(&mut digits));
    let number = Float80::parse(number).ok_or(ReplyError::text("ERR hash value is not a float"))?;
    let sum = number.plus(increment).filter(|sum| sum.is_finite());
    let mut text = Vec::new();
    sum.ok_or(ReplyError::NanOrInfinity)?.write(&mut text);
    hash.set(name, &text, true, limits);
    let expiry_ms = hash.expiry(name, now_ms).flatten();
    // The sum, so that it is the same wherever it is repeated.
    call.propagate_as(server, &[b"HSET", key, name, &text]);
    if let Some(expiry_ms) = expiry_ms {
        // Which has taken the time to live off there.
        propagate_expiry(server, call, expiry_ms, &[name]);
    }
    server.keyspace.written(db, key, Event::hash("hincrbyfloat"));
    call.reply.bulk(&text);
    Ok(())
}
