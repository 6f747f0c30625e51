//! Command: XRANGE, XREVRANGE, XLEN.

use crate::{
    commands::stream::{as_i64, parse_count, parse_max, parse_min, reply_range},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Stream, stream::Course},
};

/// XRANGE key start end [COUNT count]
pub(in crate::commands) fn xrange(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    range(server, call, Course::Forward)
}

/// XREVRANGE key end start [COUNT count]
pub(in crate::commands) fn xrevrange(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    range(server, call, Course::Backward)
}

fn range(server: &mut Server, call: &mut Call<'_>, course: Course) -> CommandResult {
    let (min, max) = match course {
        Course::Forward => (call.arg(2), call.arg(3)),
        Course::Backward => (call.arg(3), call.arg(2)),
    };
    let span = (parse_min(min)?, parse_max(max)?);
    let mut limit = None;
    let mut words = call.argv.from(4);
    while let Some(word) = words.next() {
        let count = words.next().filter(|_| word.eq_ignore_ascii_case(b"count"));
        limit = Some(parse_count(count.ok_or(ReplyError::Syntax)?)?);
    }
    match (server.keyspace.read::<Stream>(call.db(), call.arg(1))?, limit) {
        (None, _) => call.reply.array(0),
        (Some(_), Some(0)) => call.reply.null_array(),
        (Some(stream), limit) => {
            reply_range(call.reply, &stream.log, span, course, limit.unwrap_or(0));
        }
    }
    Ok(())
}

/// XLEN key
pub(in crate::commands) fn xlen(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let stream = server.keyspace.read::<Stream>(call.db(), call.arg(1))?;
    call.reply.integer(stream.map_or(0, |stream| as_i64(stream.log.len())));
    Ok(())
}
