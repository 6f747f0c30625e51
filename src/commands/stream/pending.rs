//! Command: XACK, XPENDING.

use std::ops::Bound;

use base::number::parse_i64;
use resp::Reply;

use crate::{
    commands::stream::{as_i64, no_group, parse_count, parse_id, parse_max, parse_min, reply_id},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Stream,
        stream::{Group, Nack, StreamId},
    },
};

/// XACK key group id [id …]
pub(in crate::commands) fn xack(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let keyspace = &mut server.keyspace;
    keyspace.read::<Stream>(db, key)?;
    let stream = keyspace.again::<Stream>(db, key);
    let Some(group) = stream.and_then(|stream| stream.groups.get_mut(call.arg(2))) else {
        call.reply.integer(0);
        return Ok(());
    };
    // All or nothing, if one is wrong.
    for id in call.argv.from(3) {
        parse_id(id)?;
    }
    let mut acknowledged = 0;
    for id in call.argv.from(3) {
        acknowledged += usize::from(group.acknowledge(parse_id(id)?).is_some());
    }
    call.reply.count(acknowledged);
    keyspace.dirty += acknowledged as u64;
    Ok(())
}

/// Which entries are shown one by one.
struct PendingArgs<'a> {
    min: StreamId,
    max: StreamId,
    count: usize,
    /// 0: however long they wait.
    idle_min_ms: i64,
    consumer: Option<&'a [u8]>,
}

impl<'a> PendingArgs<'a> {
    /// Reads them; none if it is the whole that is asked for.
    fn parse(call: &Call<'a>) -> Result<Option<Self>, ReplyError> {
        let count = call.argv.count();
        if count == 3 {
            return Ok(None);
        }
        if !(6..=9).contains(&count) {
            return Err(ReplyError::Syntax);
        }
        let (mut at, mut idle_min_ms) = (3, 0);
        if call.arg(3).eq_ignore_ascii_case(b"idle") {
            idle_min_ms = parse_i64(call.arg(4)).ok_or(ReplyError::NotInteger)?;
            if count < 8 {
                return Err(ReplyError::Syntax);
            }
            at += 2;
        }
        let count = parse_count(call.arg(at + 2))?;
        let (min, max) = (parse_min(call.arg(at))?, parse_max(call.arg(at + 1))?);
        Ok(Some(Self { min, max, count, idle_min_ms, consumer: call.argv.get(at + 3) }))
    }
}

/// XPENDING key group [[IDLE min-idle-time] start end count [consumer]]
pub(in crate::commands) fn xpending(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = PendingArgs::parse(call)?;
    let (key, name, now_ms) = (call.arg(1), call.arg(2), server.keyspace.now_ms);
    let stream = server.keyspace.read::<Stream>(call.db(), key)?;
    let group = stream.and_then(|stream| stream.groups.get(name));
    let group = group.ok_or_else(|| no_group(key, name, ""))?;
    match args {
        None => reply_sum(call.reply, group),
        Some(args) => reply_pending(call.reply, group, &args, now_ms),
    }
    Ok(())
}

/// Answers how much waits, from where to where, and for whom.
fn reply_sum(reply: &mut Reply, group: &Group) {
    let pending = group.pending();
    reply.array(4);
    reply.count(pending.len());
    let (Some((first, _)), Some((last, _))) = (pending.first(), pending.last()) else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    reply_id(reply, first);
    reply_id(reply, last);
    let opened = reply.deferred();
    let mut count = 0;
    for consumer in group.consumers().filter(|consumer| !consumer.pending().is_empty()) {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_integer(as_i64(consumer.pending().len() as u64));
        count += 1;
    }
    reply.close_array(opened, count);
}

fn reply_pending(reply: &mut Reply, group: &Group, args: &PendingArgs<'_>, now_ms: i64) {
    let (min, max) = (Bound::Included(args.min), Bound::Included(args.max));
    let opened = reply.deferred();
    let mut count = 0;
    let mut show = |(id, nack): (StreamId, Nack)| {
        let idle_ms = now_ms.saturating_sub(nack.delivered_ms);
        if count == args.count {
            return false;
        }
        if args.idle_min_ms == 0 || args.idle_min_ms <= idle_ms {
            reply.array(4);
            reply_id(reply, id);
            reply.bulk(group.consumer(nack.consumer).name());
            reply.integer(idle_ms.max(0));
            reply.integer(as_i64(nack.count));
            count += 1;
        }
        true
    };
    match args.consumer {
        None => {
            let ranks = group.pending().ranks(min, max);
            let _ = group.pending().range(ranks).map(|(id, nack)| (id, *nack)).all(&mut show);
        }
        Some(name) => {
            if let Some(id) = group.find(name) {
                let ids = group.consumer(id).pending();
                let nack = |id| group.pending().get(id).map(|nack| (id, *nack));
                let _ =
                    ids.range(ids.ranks(min, max)).filter_map(|(id, ())| nack(id)).all(&mut show);
            }
        }
    }
    reply.close_array(opened, count);
}
