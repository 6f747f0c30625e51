//! Command: HSCAN.

use crate::{
    commands::scan::{ElementScan, parse_cursor},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// HSCAN key cursor [MATCH pattern] [COUNT count]
pub(in crate::commands) fn hscan(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let cursor = parse_cursor(call.arg(2))?;
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    let (elements, mut count) = (call.reply.deferred(), 0);
    let mut next = 0;
    if let Some(hash) = hash {
        let walk = ElementScan::parse(call)?;
        next = hash.scan(cursor, walk.count, now_ms, |name, value| {
            if walk.pattern.matches(name) {
                call.reply.bulk(name);
                call.reply.bulk(value);
                count += 2;
            }
        });
    }
    call.reply.close_scan(elements, next, count);
    Ok(())
}
