//! Command: XADD.

use crate::{
    commands::stream::{
        reply_id,
        trim::{Form, NewId, Options},
    },
    error::ReplyError,
    keyspace::{Event, Gone},
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Stream, stream::StreamId},
};

const EXHAUSTED: ReplyError =
    ReplyError::text("ERR The stream has exhausted the last possible ID, unable to add more items");
const NOT_GREATER: ReplyError = ReplyError::text(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item",
);

/// XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value
/// [field value …]
pub(in crate::commands) fn xadd(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let limits = server.config.encoding;
    let options = Options::parse(call, Form::Add, limits)?;
    let words = call.argv.from(options.end + 1);
    if words.len() < 2 || !words.len().is_multiple_of(2) {
        return Err(call.arity_error());
    }
    if options.id == NewId::Exactly(StreamId::MIN) {
        return Err(ReplyError::text("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let (db, key, now_ms) = (call.db(), call.arg(1), server.keyspace.now_ms);
    let mut is_made = false;
    let make = || {
        is_made = true;
        Stream::default()
    };
    let stream = if options.makes_stream {
        server.keyspace.change_or_create_with(db, key, make)?
    } else {
        match server.keyspace.change::<Stream>(db, key)? {
            Some(stream) => stream,
            None => {
                call.reply.null();
                return Ok(());
            }
        }
    };
    let log = &mut stream.log;
    if log.last_id == StreamId::MAX {
        return Err(EXHAUSTED);
    }
    let id = options.id.after(log.last_id, now_ms).ok_or(NOT_GREATER)?;
    if log.append(id, words, limits).is_err() {
        if is_made {
            server.keyspace.delete(db, key, Gone::Deleted);
        }
        return Err(ReplyError::text("ERR Elements are too large to be stored"));
    }
    let trimmed = options.trim.map_or(0, |trim| trim.apply(log));
    let is_repeated = server.propagation.is_wanted();
    let outcome = options.trim.filter(|_| is_repeated).and_then(|trim| trim.outcome(log));
    reply_id(call.reply, id);
    server.keyspace.written(db, key, Event::stream("xadd"));
    if 0 < trimmed {
        server.keyspace.noted(db, key, Event::XTRIM);
    }
    if is_repeated {
        repeat(server, call, &options, id, outcome);
    }
    Ok(())
}

/// Lets others add the entry under the number that it was given, and trim to what is left.
fn repeat(
    server: &mut Server,
    call: &mut Call<'_>,
    options: &Options,
    id: StreamId,
    outcome: Option<(usize, Vec<u8>)>,
) {
    let id = id.text();
    let mut changes: Vec<(usize, &[u8])> = Vec::with_capacity(3);
    if let Some((at, left)) = &outcome {
        changes.extend([(at - 1, &b"="[..]), (*at, left)]);
    }
    if !matches!(options.id, NewId::Exactly(_)) {
        changes.push((options.end, &id));
    }
    if !changes.is_empty() {
        call.propagate_with(server, &changes);
    }
}
