//! Command: HSETEX: fields, their values, and when they expire.

use resp::Argv;

use crate::{
    commands::hash::{
        expire::{expire_or_delete, propagate_expiry, propagate_removal},
        fields::{Moment, NOT_POSITIVE, parse_fields},
    },
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Hash,
};

/// HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds |
/// PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value …]
pub(in crate::commands) fn hsetex(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, now_ms) = (call.db(), call.arg(1), server.keyspace.now_ms);
    let limits = server.config.encoding;
    let args = SetexArgs::parse(call.argv)?;
    let at_ms = args.moment.map(|moment| moment.at_ms(now_ms, "hsetex")).transpose()?;
    let hash = server.keyspace.change_hash(db, key, call.argv.from(2))?;
    if !args.condition.holds(hash.as_deref(), args.names(), now_ms) {
        call.reply.count(0);
        return Ok(());
    }
    let hash = server.keyspace.change_or_create_hash(db, key, call.argv.from(2))?;
    hash.make_room(args.pairs.iter(), limits);
    let mut pairs = args.pairs.iter();
    let mut is_over = false;
    // Kept ones, and to when.
    let mut kept: Vec<(&[u8], i64)> = Vec::new();
    while let (Some(name), Some(value)) = (pairs.next(), pairs.next()) {
        hash.set(name, value, at_ms == Some(None), limits);
        match at_ms {
            Some(Some(at_ms)) => is_over = expire_or_delete(hash, name, at_ms, now_ms),
            Some(None) => kept.extend(hash.expiry(name, now_ms).flatten().map(|ms| (name, ms))),
            None => {}
        }
    }
    let is_empty = hash.is_empty();
    call.reply.count(1);
    server.keyspace.written_as(db, key, Event::hash("hset"), args.names().count());
    let names: Vec<&[u8]> = args.names().collect();
    if is_over {
        // They have expired before anybody could see them.
        propagate_removal(server, call, &names);
        server.keyspace.lost(db, key, Event::hash("hdel"), names.len(), is_empty);
        return Ok(());
    }
    let mut argv: Vec<&[u8]> = vec![b"HSET", key];
    argv.extend(args.pairs.iter());
    call.propagate_as(server, &argv);
    for (name, kept_ms) in kept {
        propagate_expiry(server, call, kept_ms, &[name]);
    }
    if let Some(Some(at_ms)) = at_ms {
        propagate_expiry(server, call, at_ms, &names);
        server.keyspace.note_fields(db, key);
        server.keyspace.noted(db, key, Event::hash("hexpire"));
    }
    Ok(())
}

/// When HSETEX sets its fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    /// If none of them is there.
    IfNone,
    /// If all of them are.
    IfAll,
}

impl Condition {
    fn holds<'a>(
        self,
        hash: Option<&Hash>,
        mut names: impl Iterator<Item = &'a [u8]>,
        now_ms: i64,
    ) -> bool {
        let is_there = |name| hash.is_some_and(|hash| hash.get(name, now_ms).is_some());
        match self {
            Self::Always => true,
            Self::IfNone => !names.any(is_there),
            Self::IfAll => names.all(is_there),
        }
    }
}

struct SetexArgs<'a> {
    condition: Condition,
    moment: Option<Moment<'a>>,
    /// Fields and values.
    pairs: Argv<'a>,
}

impl<'a> SetexArgs<'a> {
    fn parse(argv: Argv<'a>) -> Result<Self, ReplyError> {
        let (mut at, mut moment, mut condition) = (2, None, Condition::Always);
        let mut words = argv.from(at);
        while let Some(word) = words.next() {
            let named = match () {
                () if word.eq_ignore_ascii_case(b"fnx") => Some(Condition::IfNone),
                () if word.eq_ignore_ascii_case(b"fxx") => Some(Condition::IfAll),
                () => None,
            };
            if let Some(named) = named {
                if condition != Condition::Always {
                    return Err(ReplyError::text(
                        "ERR Only one of FXX or FNX arguments can be specified",
                    ));
                }
                condition = named;
            } else if let Some(named) = Moment::parse(word, b"keepttl", &mut words)? {
                if moment.replace(named).is_some() {
                    return Err(ReplyError::text(
                        "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be \
                         specified",
                    ));
                }
            } else {
                break;
            }
            at = argv.count() - words.len();
        }
        Ok(Self { condition, moment, pairs: parse_fields(argv, at, 2, NOT_POSITIVE)? })
    }

    fn names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.pairs.iter().step_by(2)
    }
}
