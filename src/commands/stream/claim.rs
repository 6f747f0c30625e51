//! Command: XCLAIM, XAUTOCLAIM.

use base::number::parse_i64;
use resp::Reply;

use crate::{
    commands::stream::{no_group, parse_id, parse_min, repeat::Place, reply_entry, reply_id},
    error::ReplyError,
    keyspace::Event,
    propagation::Propagation,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Stream,
        stream::{ConsumerId, Group, Log, Nack, StreamId},
    },
};

/// XAUTOCLAIM gives up after it has looked at so many entries for each that it may claim.
const ATTEMPTS_PER_ENTRY: u64 = 10;
/// It claims so many if nobody says how many.
const AUTOCLAIM_COUNT: u64 = 100;
/// And no more than this: as many numbers are as many bytes as there can be.
const AUTOCLAIM_COUNT_MAX: u64 = i64::MAX as u64 / StreamId::BYTES as u64;

/// Who claims, and how.
#[derive(Clone, Copy)]
struct Claimer<'a> {
    place: Place<'a>,
    idle_min_ms: i64,
    delivered_ms: i64,
    /// If not: what it was, and one more.
    retry_count: Option<u64>,
    /// Only numbers are answered, and it is no delivery.
    just_ids: bool,
    now_ms: i64,
}

impl Claimer<'_> {
    /// Whether an entry waits for long enough.
    fn may_take(&self, nack: Nack) -> bool {
        self.idle_min_ms == 0 || self.idle_min_ms <= self.now_ms.saturating_sub(nack.delivered_ms)
    }

    /// Gives an entry, which `text` names, to a consumer, and answers it.
    fn take(
        &self,
        parts: &mut Parts<'_>,
        reply: &mut Reply,
        (id, text): (StreamId, &[u8]),
        nack: Nack,
    ) {
        let next_count = nack.count.saturating_add(u64::from(!self.just_ids));
        let nack = Nack {
            consumer: parts.consumer,
            delivered_ms: self.delivered_ms,
            count: self.retry_count.unwrap_or(next_count),
        };
        parts.group.assign(id, nack);
        parts.group.consumer_mut(parts.consumer).active_ms = self.now_ms;
        match parts.log.get(id).filter(|_| !self.just_ids) {
            Some(entry) => reply_entry(reply, entry),
            None => reply_id(reply, id),
        }
        self.place.claim(parts.propagation, parts.group, text, nack);
        parts.changes += 1;
    }

    /// Lets an entry go that is there no more. Others claim it as it was, and see the same.
    fn let_go(&self, parts: &mut Parts<'_>, (id, text): (StreamId, &[u8]), nack: Nack) {
        self.place.claim(parts.propagation, parts.group, text, nack);
        parts.group.acknowledge(id);
        parts.changes += 1;
    }
}

/// What a claim needs, and changes.
struct Parts<'a> {
    log: &'a Log,
    group: &'a mut Group,
    propagation: &'a mut Propagation,
    consumer: ConsumerId,
    is_consumer_made: bool,
    changes: u64,
}

impl<'a> Parts<'a> {
    /// Finds them, and makes the consumer; the group was seen before.
    fn find(server: &'a mut Server, place: Place<'a>, name: &[u8]) -> Option<Self> {
        let Server { keyspace, propagation, .. } = server;
        let now_ms = keyspace.now_ms;
        let Stream { log, groups } = keyspace.again::<Stream>(place.db, place.key)?;
        let group = groups.get_mut(place.group)?;
        let (consumer, is_consumer_made) = group.find_or_create(name, now_ms)?;
        Some(Self { log, group, propagation, consumer, is_consumer_made, changes: 0 })
    }
}

/// Notes what was claimed.
fn noted(server: &mut Server, place: Place<'_>, is_consumer_made: bool, changes: u64) {
    if is_consumer_made {
        let event = Event::stream("xgroup-createconsumer");
        server.keyspace.counted(place.db, place.key, event);
    }
    server.keyspace.dirty += changes;
}

/// Sees that there is the group.
fn check_group(server: &mut Server, place: Place<'_>) -> Result<(), ReplyError> {
    let stream = server.keyspace.read::<Stream>(place.db, place.key)?;
    let is_there = stream.is_some_and(|stream| stream.groups.contains_key(place.group));
    if is_there { Ok(()) } else { Err(no_group(place.key, place.group, "")) }
}

fn place_of<'a>(call: &Call<'a>) -> Place<'a> {
    Place { db: call.db(), key: call.arg(1), group: call.arg(2) }
}

fn parse_idle_min(call: &Call<'_>, wrong: &'static str) -> Result<i64, ReplyError> {
    parse_i64(call.arg(4)).map(|ms| ms.max(0)).ok_or(ReplyError::text(wrong))
}

/// What XCLAIM is told besides.
struct ClaimArgs<'a> {
    claimer: Claimer<'a>,
    /// The numbers stand before this.
    ids_end: usize,
    is_forced: bool,
    last_id: StreamId,
}

impl<'a> ClaimArgs<'a> {
    fn parse(call: &Call<'a>, now_ms: i64) -> Result<Self, ReplyError> {
        let idle_min_ms = parse_idle_min(call, "ERR Invalid min-idle-time argument for XCLAIM")?;
        let ids = call.argv.from(5).take_while(|text| parse_id(text).is_ok());
        let ids_end = 5 + ids.count();
        let (mut is_forced, mut just_ids, mut last_id) = (false, false, StreamId::MIN);
        let (mut delivered_ms, mut retry_count) = (None, None);
        let mut words = call.argv.from(ids_end);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("force") {
                is_forced = true;
                continue;
            }
            if is("justid") {
                just_ids = true;
                continue;
            }
            let unknown = || ReplyError::quoting("ERR Unrecognized XCLAIM option '", word, "'");
            let number = |name: &str, value| {
                let text = || format!("ERR Invalid {name} option argument for XCLAIM");
                parse_i64(value).ok_or_else(|| ReplyError::Text(text().into()))
            };
            let value = words.next().ok_or_else(unknown)?;
            match () {
                () if is("idle") => {
                    delivered_ms = Some(now_ms.wrapping_sub(number("IDLE", value)?));
                }
                () if is("time") => delivered_ms = Some(number("TIME", value)?),
                () if is("retrycount") => {
                    retry_count = u64::try_from(number("RETRYCOUNT", value)?).ok();
                }
                () if is("lastid") => last_id = parse_id(value)?,
                () => return Err(unknown()),
            }
        }
        // A time that cannot be is taken for none: clocks differ.
        let is_sound = |ms: &i64| (0..=now_ms).contains(ms);
        let delivered_ms = delivered_ms.filter(is_sound).unwrap_or(now_ms);
        let place = place_of(call);
        let claimer = Claimer { place, idle_min_ms, delivered_ms, retry_count, just_ids, now_ms };
        Ok(Self { claimer, ids_end, is_forced, last_id })
    }
}

/// XCLAIM key group consumer min-idle-time id [id …] [IDLE ms] [TIME unix-time-milliseconds]
/// [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]
pub(in crate::commands) fn xclaim(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let place = place_of(call);
    check_group(server, place)?;
    let ClaimArgs { claimer, ids_end, is_forced, last_id } =
        ClaimArgs::parse(call, server.keyspace.now_ms)?;
    call.propagate_in_place(server);
    let parts = Parts::find(server, place, call.arg(3));
    let mut parts = parts.expect("the group was there just now");
    let has_moved = parts.group.last_id < last_id;
    parts.group.last_id = parts.group.last_id.max(last_id);
    let opened = call.reply.deferred();
    let mut claimed = 0;
    for at in 5..ids_end {
        let text = call.arg(at);
        let id = parse_id(text)?;
        let found = parts.group.pending().get(id).copied();
        if !parts.log.contains(id) {
            if let Some(nack) = found {
                claimer.let_go(&mut parts, (id, text), nack);
            }
            continue;
        }
        let nack = match found {
            Some(nack) if claimer.may_take(nack) => nack,
            None if is_forced => {
                Nack { consumer: parts.consumer, delivered_ms: claimer.now_ms, count: 1 }
            }
            _ => continue,
        };
        claimer.take(&mut parts, call.reply, (id, text), nack);
        claimed += 1;
    }
    call.reply.close_array(opened, claimed);
    // Each claim that is repeated says how far the group is.
    if has_moved && parts.changes == 0 {
        place.set_id(parts.propagation, parts.group);
        parts.changes += 1;
    }
    let Parts { is_consumer_made, changes, .. } = parts;
    noted(server, place, is_consumer_made, changes);
    Ok(())
}

/// What XAUTOCLAIM is told besides.
struct AutoClaimArgs<'a> {
    claimer: Claimer<'a>,
    start: StreamId,
    count: u64,
}

impl<'a> AutoClaimArgs<'a> {
    fn parse(call: &Call<'a>, now_ms: i64) -> Result<Self, ReplyError> {
        let idle_min_ms =
            parse_idle_min(call, "ERR Invalid min-idle-time argument for XAUTOCLAIM")?;
        let start = parse_min(call.arg(5))?;
        let (mut count, mut just_ids) = (AUTOCLAIM_COUNT, false);
        let mut words = call.argv.from(6);
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case(b"justid") {
                just_ids = true;
                continue;
            }
            let value = words.next().filter(|_| word.eq_ignore_ascii_case(b"count"));
            let number = parse_i64(value.ok_or(ReplyError::Syntax)?);
            let number = number.and_then(|number| u64::try_from(number).ok());
            count = number
                .filter(|number| (1..=AUTOCLAIM_COUNT_MAX).contains(number))
                .ok_or(ReplyError::text("ERR COUNT must be > 0"))?;
        }
        let (place, delivered_ms, retry_count) = (place_of(call), now_ms, None);
        let claimer = Claimer { place, idle_min_ms, delivered_ms, retry_count, just_ids, now_ms };
        Ok(Self { claimer, start, count })
    }
}

/// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]
pub(in crate::commands) fn xautoclaim(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let AutoClaimArgs { claimer, start, mut count } =
        AutoClaimArgs::parse(call, server.keyspace.now_ms)?;
    let place = claimer.place;
    check_group(server, place)?;
    call.propagate_in_place(server);
    let parts = Parts::find(server, place, call.arg(3));
    let mut parts = parts.expect("the group was there just now");
    let mut attempts = count * ATTEMPTS_PER_ENTRY;
    let (mut claimed, mut deleted) = (0, Vec::new());
    call.reply.array(3);
    // Where to go on stands first, and is known last.
    let begun = call.reply.deferred();
    let opened = call.reply.deferred();
    let mut next = parts.group.pending_from(start);
    while let Some((id, nack)) = next
        && 0 < attempts
        && 0 < count
    {
        attempts -= 1;
        if !parts.log.contains(id) {
            claimer.let_go(&mut parts, (id, &id.text()), nack);
            deleted.push(id);
            count -= 1;
        } else if claimer.may_take(nack) {
            claimer.take(&mut parts, call.reply, (id, &id.text()), nack);
            claimed += 1;
            count -= 1;
        }
        next = id.next().and_then(|id| parts.group.pending_from(id));
    }
    let cursor = next.map_or(StreamId::MIN, |(id, _)| id);
    call.reply.close_array(opened, claimed);
    call.reply.close_bulk(begun, &cursor.text());
    call.reply.array(deleted.len());
    deleted.into_iter().for_each(|id| reply_id(call.reply, id));
    let Parts { is_consumer_made, changes, .. } = parts;
    noted(server, place, is_consumer_made, changes);
    Ok(())
}
