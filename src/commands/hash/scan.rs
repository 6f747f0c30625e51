//! Command: HSCAN.

use crate::{
    commands::scan::{ElementScan, parse_cursor},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]
pub(in crate::commands) fn hscan(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let cursor = parse_cursor(call.arg(2))?;
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    let (elements, mut count) = (call.reply.deferred(), 0);
    let mut next = 0;
    if let Some(hash) = hash {
        let (walk, shows_values) = parse(call)?;
        next = hash.scan(cursor, walk.count, now_ms, |name, value| {
            if walk.pattern.matches(name) {
                call.reply.bulk(name);
                count += 1;
                if shows_values {
                    call.reply.bulk(value);
                    count += 1;
                }
            }
        });
    }
    call.reply.close_scan(elements, next, count);
    Ok(())
}

/// Reads the options; says whether values are shown, too.
fn parse<'a>(call: &Call<'a>) -> Result<(ElementScan<'a>, bool), ReplyError> {
    let mut shows_values = true;
    let walk = ElementScan::parse_with(call, |word| {
        let is_known = word.eq_ignore_ascii_case(b"novalues");
        shows_values &= !is_known;
        is_known
    })?;
    Ok((walk, shows_values))
}
