//! Command: times to live: EXPIRE, TTL, PERSIST and their relatives.

use base::number::parse_i64;

use crate::{
    error::ReplyError,
    keyspace::{Event, Gone, Look},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Seconds or milliseconds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    fn in_ms(self) -> i64 {
        if self == Self::Seconds { 1000 } else { 1 }
    }
}

/// EXPIRE key seconds [NX | XX | GT | LT]
pub(super) fn expire(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    set_expiry(server, call, now_ms, Unit::Seconds)
}

/// PEXPIRE key milliseconds [NX | XX | GT | LT]
pub(super) fn pexpire(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    set_expiry(server, call, now_ms, Unit::Milliseconds)
}

/// EXPIREAT key unix-time-seconds [NX | XX | GT | LT]
pub(super) fn expireat(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    set_expiry(server, call, 0, Unit::Seconds)
}

/// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]
pub(super) fn pexpireat(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    set_expiry(server, call, 0, Unit::Milliseconds)
}

/// Others repeat the moment itself, which is the same whenever they come to it.
fn set_expiry(server: &mut Server, call: &mut Call<'_>, base_ms: i64, unit: Unit) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let condition = Condition::parse(call)?;
    let number = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
    let at_ms = number.checked_mul(unit.in_ms()).and_then(|ms| ms.checked_add(base_ms));
    let at_ms = at_ms.ok_or(ReplyError::InvalidExpire(call.command.spec().name))?;
    let is_present = server.keyspace.touch(db, key, Look::Write);
    if !is_present || !condition.allows(server.keyspace.expiry(db, key), at_ms) {
        call.reply.count(0);
        return Ok(());
    }
    if at_ms <= server.keyspace.now_ms {
        // A moment that has passed deletes the key at once.
        delete_as_over(server, call, key);
    } else {
        server.keyspace.set_expiry(db, key, Some(at_ms));
        let is_relative = base_ms != 0 || unit == Unit::Seconds;
        if is_relative && server.propagation.is_wanted() {
            let mut digits = itoa::Buffer::new();
            let mut argv: Vec<&[u8]> = call.argv.iter().collect();
            (argv[0], argv[2]) = (b"PEXPIREAT", digits.format(at_ms).as_bytes());
            call.propagate_as(server, &argv);
        }
        server.keyspace.written(db, key, Event::EXPIRE);
    }
    call.reply.count(1);
    Ok(())
}

/// Deletes a touched key that is to expire at a moment that has passed.
pub(super) fn delete_as_over(server: &mut Server, call: &mut Call<'_>, key: &[u8]) {
    let db = call.db();
    server.keyspace.delete(db, key, Gone::Expired);
    let is_lazy = server.keyspace.lazy.is_lazy(Gone::Expired);
    call.propagate_as(server, &[if is_lazy { b"UNLINK" } else { b"DEL" }, key]);
    server.keyspace.written(db, key, Event::DEL);
}

/// When EXPIRE changes a time to live.
#[derive(Default)]
struct Condition {
    if_none: bool,
    if_some: bool,
    if_later: bool,
    if_earlier: bool,
}

impl Condition {
    fn parse(call: &Call<'_>) -> Result<Self, ReplyError> {
        let mut condition = Self::default();
        for word in call.argv.from(3) {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let flag = match () {
                () if is("nx") => &mut condition.if_none,
                () if is("xx") => &mut condition.if_some,
                () if is("gt") => &mut condition.if_later,
                () if is("lt") => &mut condition.if_earlier,
                () => {
                    return Err(ReplyError::quoting("ERR Unsupported option ", word, ""));
                }
            };
            *flag = true;
        }
        if condition.if_none && (condition.if_some || condition.if_later || condition.if_earlier) {
            return Err(ReplyError::text(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if condition.if_later && condition.if_earlier {
            return Err(ReplyError::text(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(condition)
    }

    /// A key without a time to live lives for ever: later than any moment.
    fn allows(&self, present_ms: Option<i64>, at_ms: i64) -> bool {
        let has_some = present_ms.is_some();
        let is_later = present_ms.is_some_and(|present_ms| present_ms < at_ms);
        let is_earlier = present_ms.is_none_or(|present_ms| at_ms < present_ms);
        !(self.if_none && has_some
            || self.if_some && !has_some
            || self.if_later && !is_later
            || self.if_earlier && !is_earlier)
    }
}

/// TTL key
pub(super) fn ttl(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    reply_expiry(server, call, |at_ms| {
        let left_ms = at_ms.saturating_sub(now_ms).max(0);
        left_ms / 1000 + i64::from(500 <= left_ms % 1000)
    })
}

/// PTTL key
pub(super) fn pttl(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    reply_expiry(server, call, |at_ms| at_ms.saturating_sub(now_ms).max(0))
}

/// EXPIRETIME key
pub(super) fn expiretime(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_expiry(server, call, |at_ms| at_ms / 1000 + i64::from(500 <= at_ms % 1000))
}

/// PEXPIRETIME key
pub(super) fn pexpiretime(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_expiry(server, call, |at_ms| at_ms)
}

/// Answers -2 for no key and -1 for one that does not expire.
fn reply_expiry(
    server: &mut Server,
    call: &mut Call<'_>,
    show: impl Fn(i64) -> i64,
) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let answer = if !server.keyspace.touch(db, key, Look::Glance) {
        -2
    } else {
        server.keyspace.expiry(db, key).map_or(-1, show)
    };
    call.reply.integer(answer);
    Ok(())
}

/// PERSIST key
pub(super) fn persist(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let has_changed =
        server.keyspace.touch(db, key, Look::Write) && server.keyspace.set_expiry(db, key, None);
    if has_changed {
        server.keyspace.written(db, key, Event::PERSIST);
    }
    call.reply.count(usize::from(has_changed));
    Ok(())
}
