//! Command: when fields expire: HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT.

use crate::{
    commands::hash::fields::{Unit, parse_fields, parse_moment},
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Hash,
};

/// The field is not there.
const NO_FIELD: i64 = -2;
/// The condition did not hold.
const NOT_MET: i64 = 0;
/// The field expires then.
const SET: i64 = 1;
/// The time is over, and so is the field.
const DELETED: i64 = 2;

/// HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field …]
pub(in crate::commands) fn hexpire(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    set_expiry(server, call, Unit::Seconds, now_ms)
}

/// HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]
pub(in crate::commands) fn hpexpire(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    set_expiry(server, call, Unit::Milliseconds, now_ms)
}

/// HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field …]
pub(in crate::commands) fn hexpireat(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    set_expiry(server, call, Unit::Seconds, 0)
}

/// HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]
pub(in crate::commands) fn hpexpireat(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    set_expiry(server, call, Unit::Milliseconds, 0)
}

fn set_expiry(server: &mut Server, call: &mut Call<'_>, unit: Unit, base_ms: i64) -> CommandResult {
    let (db, key, now_ms) = (call.db(), call.arg(1), server.keyspace.now_ms);
    let hash = server.keyspace.change_hash(db, key, call.argv.from(2))?;
    let at_ms = parse_moment(call.arg(2), unit, base_ms, call.command.spec().name)?;
    let condition = Condition::named(call.arg(3));
    let fields_at = 3 + usize::from(condition != Condition::Always);
    let wrong = ReplyError::text("ERR Parameter `numFields` should be greater than 0");
    let names = parse_fields(call.argv, fields_at, 1, wrong)?;
    call.reply.array(names.count());
    let Some(hash) = hash else {
        names.iter().for_each(|_| call.reply.integer(NO_FIELD));
        return Ok(());
    };
    let (mut updated, mut deleted) = (Vec::new(), Vec::new());
    for name in names.iter() {
        let outcome = match hash.expiry(name, now_ms) {
            None => NO_FIELD,
            Some(before) if !condition.allows(before, at_ms) => NOT_MET,
            Some(_) if expire_or_delete(hash, name, at_ms, now_ms) => {
                deleted.push(name);
                DELETED
            }
            Some(_) => {
                updated.push(name);
                SET
            }
        };
        call.reply.integer(outcome);
    }
    let is_empty = hash.is_empty();
    Changed { at_ms, updated, deleted, is_empty }.carry_out(server, call, "hexpire");
    Ok(())
}

/// What setting times has changed.
pub(super) struct Changed<'a> {
    /// When those that are updated expire.
    pub(super) at_ms: i64,
    /// Fields that expire then.
    pub(super) updated: Vec<&'a [u8]>,
    /// Fields whose time was over.
    pub(super) deleted: Vec<&'a [u8]>,
    /// Nothing is left in the hash.
    pub(super) is_empty: bool,
}

impl Changed<'_> {
    /// Lets everybody know of it, whom it concerns.
    pub(super) fn carry_out(self, server: &mut Server, call: &mut Call<'_>, event: &'static str) {
        let (db, key) = (call.db(), call.arg(1));
        let Self { at_ms, updated, deleted, is_empty } = self;
        if !deleted.is_empty() {
            propagate_removal(server, call, &deleted);
            server.keyspace.lost(db, key, Event::hash("hdel"), deleted.len(), is_empty);
        }
        if updated.is_empty() {
            return;
        }
        propagate_expiry(server, call, at_ms, &updated);
        server.keyspace.note_fields(db, key);
        server.keyspace.written_as(db, key, Event::hash(event), updated.len());
    }
}

/// Lets others take fields out.
pub(super) fn propagate_removal(server: &mut Server, call: &mut Call<'_>, names: &[&[u8]]) {
    let argv = [&[&b"HDEL"[..], call.arg(1)], names].concat();
    call.propagate_as(server, &argv);
}

/// Lets others have fields expire at a time.
pub(super) fn propagate_expiry(
    server: &mut Server,
    call: &mut Call<'_>,
    at_ms: i64,
    names: &[&[u8]],
) {
    let (mut time, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
    let (time, count) = (time.format(at_ms).as_bytes(), count.format(names.len()).as_bytes());
    let head = [&b"HPEXPIREAT"[..], call.arg(1), time, b"FIELDS", count];
    call.propagate_as(server, &[&head, names].concat());
}

/// Sets when a field that is there expires, or deletes it if that is over; says which.
pub(super) fn expire_or_delete(hash: &mut Hash, name: &[u8], at_ms: i64, now_ms: i64) -> bool {
    let is_over = at_ms <= now_ms;
    if is_over {
        hash.remove(name);
    } else {
        hash.set_expiry(name, Some(at_ms));
    }
    is_over
}

/// When a time to live is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    IfNone,
    IfSome,
    IfLater,
    IfEarlier,
}

impl Condition {
    fn named(word: &[u8]) -> Self {
        let names: [(&[u8], Self); 4] = [
            (b"nx", Self::IfNone),
            (b"xx", Self::IfSome),
            (b"gt", Self::IfLater),
            (b"lt", Self::IfEarlier),
        ];
        let found = names.iter().find(|(name, _)| word.eq_ignore_ascii_case(name));
        found.map_or(Self::Always, |(_, condition)| *condition)
    }

    /// Whether a time may follow another; who has none lives for ever.
    fn allows(self, before: Option<i64>, at_ms: i64) -> bool {
        match self {
            Self::Always => true,
            Self::IfNone => before.is_none(),
            Self::IfSome => before.is_some(),
            Self::IfLater => before.is_some_and(|before| before < at_ms),
            Self::IfEarlier => before.is_none_or(|before| at_ms < before),
        }
    }
}
