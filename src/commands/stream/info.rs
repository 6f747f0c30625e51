//! Command: XINFO.

use base::number::parse_i64;
use resp::Reply;

use crate::{
    commands::{
        help,
        stream::{as_i64, misfit, no_group_of_key, reply_entry, reply_id, reply_range},
    },
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Stream,
        stream::{Consumer, Course, Entry, Group, Log, StreamId},
    },
};

/// So much of each list is shown if nobody says how much.
const FULL_COUNT: usize = 10;

/// XINFO STREAM key [FULL [COUNT count]]
pub(in crate::commands) fn xinfo_stream(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let stream = find(server, call)?;
    let full = parse_full(call)?;
    let Stream { log, groups } = stream;
    let reply = &mut *call.reply;
    reply.map(if full.is_some() { 9 } else { 10 });
    reply_log(reply, log);
    let Some(count) = full else {
        reply_number(reply, "groups", groups.len() as u64);
        reply.bulk(b"first-entry");
        reply_end(reply, log.first());
        reply.bulk(b"last-entry");
        reply_end(reply, log.last());
        return Ok(());
    };
    reply.bulk(b"entries");
    reply_range(reply, log, (StreamId::MIN, StreamId::MAX), Course::Forward, count);
    reply.bulk(b"groups");
    reply.array(groups.len());
    let limit = if count == 0 { usize::MAX } else { count };
    for (name, group) in groups {
        reply_group_in_full(reply, log, (name, group), limit);
    }
    Ok(())
}

/// XINFO GROUPS key
pub(in crate::commands) fn xinfo_groups(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let Stream { log, groups } = find(server, call)?;
    let reply = &mut *call.reply;
    reply.array(groups.len());
    for (name, group) in groups {
        reply.map(6);
        reply.bulk(b"name");
        reply.bulk(name);
        reply_number(reply, "consumers", group.consumers().len() as u64);
        reply_number(reply, "pending", group.pending().len() as u64);
        reply_progress(reply, log, group);
    }
    Ok(())
}

/// XINFO CONSUMERS key group
pub(in crate::commands) fn xinfo_consumers(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    let (key, name, now_ms) = (call.arg(2), call.arg(3), server.keyspace.now_ms);
    let group = find(server, call)?.groups.get(name);
    let group = group.ok_or_else(|| no_group_of_key(key, name))?;
    let reply = &mut *call.reply;
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply.map(4);
        reply.bulk(b"name");
        reply.bulk(consumer.name());
        reply_number(reply, "pending", consumer.pending().len() as u64);
        reply.bulk(b"idle");
        reply.integer(now_ms.saturating_sub(consumer.seen_ms).max(0));
        reply.bulk(b"inactive");
        reply.integer(match consumer.active_ms {
            Consumer::NEVER_MS => Consumer::NEVER_MS,
            active_ms => now_ms.saturating_sub(active_ms),
        });
    }
    Ok(())
}

/// XINFO HELP
pub(in crate::commands) fn xinfo_help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "CONSUMERS <key> <group>",
            "    Show the consumers of a group.",
            "GROUPS <key>",
            "    Show the groups of a stream.",
            "STREAM <key> [FULL [COUNT <count>]]",
            "    Show a stream. FULL shows its entries, its groups and their consumers, too, at",
            "    most COUNT of each list; 0 is all, and 10 if nobody says.",
        ],
    );
    Ok(())
}

fn find<'a>(server: &'a mut Server, call: &Call<'_>) -> Result<&'a Stream, ReplyError> {
    server.keyspace.read::<Stream>(call.db(), call.arg(2))?.ok_or(ReplyError::NoSuchKey)
}

/// Reads how much is shown in full, 0 being all; none if nothing is.
fn parse_full(call: &Call<'_>) -> Result<Option<usize>, ReplyError> {
    let is = |at: usize, name: &str| call.arg(at).eq_ignore_ascii_case(name.as_bytes());
    match call.argv.count() {
        3 => Ok(None),
        4 if is(3, "full") => Ok(Some(FULL_COUNT)),
        6 if is(3, "full") && is(4, "count") => {
            let count = parse_i64(call.arg(5)).ok_or(ReplyError::NotInteger)?;
            Ok(Some(usize::try_from(count).unwrap_or(FULL_COUNT)))
        }
        _ => Err(misfit(call)),
    }
}

/// Answers what is known of the entries as such.
fn reply_log(reply: &mut Reply, log: &Log) {
    reply_number(reply, "length", log.len());
    reply_number(reply, "radix-tree-keys", log.nodes().len() as u64);
    reply_number(reply, "radix-tree-nodes", log.radix_node_count());
    for (name, id) in
        [("last-generated-id", log.last_id), ("max-deleted-entry-id", log.max_deleted_id)]
    {
        reply.bulk(name.as_bytes());
        reply_id(reply, id);
    }
    reply_number(reply, "entries-added", log.entries_added);
    reply.bulk(b"recorded-first-entry-id");
    reply_id(reply, log.first_id);
}

fn reply_end(reply: &mut Reply, entry: Option<Entry<'_>>) {
    match entry {
        Some(entry) => reply_entry(reply, entry),
        None => reply.null(),
    }
}

fn reply_group_in_full(reply: &mut Reply, log: &Log, (name, group): (&[u8], &Group), limit: usize) {
    reply.map(7);
    reply.bulk(b"name");
    reply.bulk(name);
    reply_progress(reply, log, group);
    let pending = group.pending();
    reply_number(reply, "pel-count", pending.len() as u64);
    reply.bulk(b"pending");
    reply.array(pending.len().min(limit));
    for (id, nack) in pending.iter().take(limit) {
        reply.array(4);
        reply_id(reply, id);
        reply.bulk(group.consumer(nack.consumer).name());
        reply.integer(nack.delivered_ms);
        reply.integer(as_i64(nack.count));
    }
    reply.bulk(b"consumers");
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply_consumer_in_full(reply, group, consumer, limit);
    }
}

fn reply_consumer_in_full(reply: &mut Reply, group: &Group, consumer: &Consumer, limit: usize) {
    let pending = consumer.pending();
    reply.map(5);
    reply.bulk(b"name");
    reply.bulk(consumer.name());
    reply.bulk(b"seen-time");
    reply.integer(consumer.seen_ms);
    reply.bulk(b"active-time");
    reply.integer(consumer.active_ms);
    reply_number(reply, "pel-count", pending.len() as u64);
    reply.bulk(b"pending");
    reply.array(pending.len().min(limit));
    for (id, ()) in pending.iter().take(limit) {
        let nack = group.pending().get(id).expect("the group has what its consumers have");
        reply.array(3);
        reply_id(reply, id);
        reply.integer(nack.delivered_ms);
        reply.integer(as_i64(nack.count));
    }
}

/// Answers how far a group is.
fn reply_progress(reply: &mut Reply, log: &Log, group: &Group) {
    reply.bulk(b"last-delivered-id");
    reply_id(reply, group.last_id);
    for (name, count) in [("entries-read", group.entries_read), ("lag", group.lag(log))] {
        reply.bulk(name.as_bytes());
        match count {
            Some(count) => reply.integer(count),
            None => reply.null(),
        }
    }
}

fn reply_number(reply: &mut Reply, name: &str, number: u64) {
    reply.bulk(name.as_bytes());
    reply.integer(as_i64(number));
}
