//! Command: SET and its older relatives.

use base::number::parse_i64;
use resp::Argv;

use crate::{
    commands::string::reply_text,
    error::ReplyError,
    keyspace::{Event, Look, NewText, Ttl},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Which command's options are parsed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Set,
    Getex,
}

/// When SET writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Always,
    IfAbsent,
    IfPresent,
}

/// The options of SET and GETEX.
pub(super) struct SetArgs<'a> {
    condition: Condition,
    /// Answers the old value.
    gets: bool,
    /// What becomes of the time to live if no moment is given.
    ttl: Ttl,
    /// When the key is to expire; not looked at yet.
    moment: Option<(Unit, &'a [u8])>,
}

impl<'a> SetArgs<'a> {
    /// Parses the arguments from `start` on.
    pub(super) fn parse(argv: Argv<'a>, start: usize, form: Form) -> Result<Self, ReplyError> {
        let mut condition = Condition::Always;
        let mut gets = false;
        let mut moment: Option<(Unit, &[u8])> = None;
        let mut ttl = None;
        let mut words = argv.from(start);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            // The same unit may be named again: the last number counts.
            let may_be =
                |unit: &Unit| ttl.is_none() && moment.is_none_or(|(other, _)| other == *unit);
            if form == Form::Set && is("nx") && condition != Condition::IfPresent {
                condition = Condition::IfAbsent;
            } else if form == Form::Set && is("xx") && condition != Condition::IfAbsent {
                condition = Condition::IfPresent;
            } else if form == Form::Set && is("get") {
                gets = true;
            } else if form == Form::Set && is("keepttl") && moment.is_none() {
                ttl = Some(Ttl::Keep);
            } else if form == Form::Getex && is("persist") && moment.is_none() {
                ttl = Some(Ttl::Clear);
            } else if let Some(unit) = Unit::named(word).filter(may_be) {
                moment = Some((unit, words.next().ok_or(ReplyError::Syntax)?));
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        let default = if form == Form::Set { Ttl::Clear } else { Ttl::Keep };
        Ok(Self { condition, gets, ttl: ttl.unwrap_or(default), moment })
    }

    /// Computes the time to live. A syntax error goes before one of the number, and GETEX
    /// looks for its key in between.
    pub(super) fn ttl(&self, now_ms: i64, command: &'static str) -> Result<Ttl, ReplyError> {
        let Some((unit, number)) = self.moment else { return Ok(self.ttl) };
        Ok(Ttl::At(unit.moment_ms(number, now_ms, command)?))
    }
}

/// What a number that says when a key expires counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Ex,
    Px,
    Exat,
    Pxat,
}

impl Unit {
    fn named(word: &[u8]) -> Option<Self> {
        let names =
            [("ex", Self::Ex), ("px", Self::Px), ("exat", Self::Exat), ("pxat", Self::Pxat)];
        let mut names = names.into_iter();
        names.find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes())).map(|(_, unit)| unit)
    }

    fn moment_ms(
        self,
        number: &[u8],
        now_ms: i64,
        command: &'static str,
    ) -> Result<i64, ReplyError> {
        let number = parse_i64(number).ok_or(ReplyError::NotInteger)?;
        let (factor, base) = match self {
            Self::Ex => (1000, now_ms),
            Self::Px => (1, now_ms),
            Self::Exat => (1000, 0),
            Self::Pxat => (1, 0),
        };
        let moment = number.checked_mul(factor).and_then(|ms| ms.checked_add(base));
        moment.filter(|_| 0 < number).ok_or(ReplyError::InvalidExpire(command))
    }
}

/// SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT seconds |
/// PXAT milliseconds | KEEPTTL]
pub(in crate::commands) fn set(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, value) = (call.db(), call.arg(1), NewText::of(call.argv, 2));
    if call.argv.count() == 3 {
        server.keyspace.set_text(db, key, value, Ttl::Clear);
        server.keyspace.written(db, key, Event::SET);
        call.reply.ok();
        return Ok(());
    }
    let args = SetArgs::parse(call.argv, 3, Form::Set)?;
    let ttl = args.ttl(server.keyspace.now_ms, "set")?;
    if args.condition == Condition::Always && !args.gets {
        server.keyspace.set_text(db, key, value, ttl);
        call.reply.ok();
    } else if !set_on_condition(server, call, &args, ttl)? {
        return Ok(());
    }
    match args.moment {
        Some((Unit::Pxat, _)) => {}
        Some(_) => repeat_with_moment(server, call, call.arg(2), ttl),
        None if args.gets => repeat_without_get(server, call),
        None => {}
    }
    set_events(server, db, key, ttl);
    Ok(())
}

/// Lets others repeat that a key was set until a moment, which is the same wherever it is
/// repeated.
fn repeat_with_moment(server: &mut Server, call: &mut Call<'_>, value: &[u8], ttl: Ttl) {
    let Ttl::At(at_ms) = ttl else { return };
    let mut digits = itoa::Buffer::new();
    let moment = digits.format(at_ms).as_bytes();
    call.propagate_as(server, &[b"SET", call.arg(1), value, b"PXAT", moment]);
}

/// Nobody who repeats it wants to know what was there.
fn repeat_without_get(server: &mut Server, call: &mut Call<'_>) {
    let is_get = |word: &[u8]| word.eq_ignore_ascii_case(b"get");
    let words = call.argv.iter().enumerate();
    let words = words.filter(|(at, word)| *at < 3 || !is_get(word));
    let argv: Vec<&[u8]> = words.map(|(_, word)| word).collect();
    call.propagate_as(server, &argv);
}

/// Sets the key if it may be, and answers; says whether it was set.
fn set_on_condition(
    server: &mut Server,
    call: &mut Call<'_>,
    args: &SetArgs<'_>,
    ttl: Ttl,
) -> Result<bool, ReplyError> {
    let (db, key, value) = (call.db(), call.arg(1), NewText::of(call.argv, 2));
    // Any type is overwritten, but only a string can be answered.
    let is_present = if args.gets {
        let text = server.keyspace.read_text(db, key)?;
        let is_present = text.is_some();
        reply_text(call, text);
        is_present
    } else {
        server.keyspace.touch(db, key, Look::Write)
    };
    let writes = match args.condition {
        Condition::Always => true,
        Condition::IfAbsent => !is_present,
        Condition::IfPresent => is_present,
    };
    if !writes {
        if !args.gets {
            call.reply.null();
        }
        return Ok(false);
    }
    server.keyspace.set_text(db, key, value, ttl);
    if !args.gets {
        call.reply.ok();
    }
    Ok(true)
}

fn set_events(server: &mut Server, db: usize, key: &[u8], ttl: Ttl) {
    server.keyspace.written(db, key, Event::SET);
    if matches!(ttl, Ttl::At(_)) {
        server.keyspace.noted(db, key, Event::EXPIRE);
    }
}

/// SETNX key value
pub(in crate::commands) fn setnx(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let is_present = server.keyspace.touch(db, key, Look::Write);
    if !is_present {
        server.keyspace.set_text(db, key, NewText::of(call.argv, 2), Ttl::Clear);
        server.keyspace.written(db, key, Event::SET);
    }
    call.reply.count(usize::from(!is_present));
    Ok(())
}

/// SETEX key seconds value
pub(in crate::commands) fn setex(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    set_for(server, call, Unit::Ex, "setex")
}

/// PSETEX key milliseconds value
pub(in crate::commands) fn psetex(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    set_for(server, call, Unit::Px, "psetex")
}

fn set_for(
    server: &mut Server,
    call: &mut Call<'_>,
    unit: Unit,
    command: &'static str,
) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let ttl = Ttl::At(unit.moment_ms(call.arg(2), server.keyspace.now_ms, command)?);
    server.keyspace.set_text(db, key, NewText::of(call.argv, 3), ttl);
    repeat_with_moment(server, call, call.arg(3), ttl);
    set_events(server, db, key, ttl);
    call.reply.ok();
    Ok(())
}

/// GETSET key value
pub(in crate::commands) fn getset(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let mut entry = server.keyspace.text_entry(db, key, Look::Read)?;
    reply_text(call, entry.text());
    entry.set(NewText::of(call.argv, 2), Ttl::Clear);
    call.propagate_as(server, &[b"SET", key, call.arg(2)]);
    server.keyspace.written(db, key, Event::SET);
    Ok(())
}
