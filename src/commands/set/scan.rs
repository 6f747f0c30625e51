//! Command: SSCAN.

use crate::{
    commands::scan::{ElementScan, parse_cursor},
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Set,
};

/// SSCAN key cursor [MATCH pattern] [COUNT count]
pub(in crate::commands) fn sscan(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let cursor = parse_cursor(call.arg(2))?;
    let set = server.keyspace.read::<Set>(call.db(), call.arg(1))?;
    // Redis reads the options of a set that is there.
    let scan = set.map(|_| ElementScan::parse(call)).transpose()?;
    let (elements, mut count, mut next) = (call.reply.deferred(), 0, 0);
    if let (Some(set), Some(ElementScan { pattern, count: wanted })) = (set, scan) {
        next = set.scan(cursor, wanted, pattern, |member| {
            call.reply.bulk(member);
            count += 1;
        });
    }
    call.reply.close_scan(elements, next, count);
    Ok(())
}
