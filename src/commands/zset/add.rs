//! Command: ZADD, ZINCRBY.

use base::float::parse_f64;
use resp::Argv;

use crate::{
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Zset,
        zset::{Course, Outcome, Presence, Update},
    },
};

const NOT_A_NUMBER: ReplyError = ReplyError::text("ERR resulting score is not a number (NaN)");

/// What ZADD is told, all of it sound.
pub(in crate::commands) struct AddArgs<'a> {
    pub(in crate::commands) update: Update,
    /// Members whose score changes are counted too.
    pub(in crate::commands) counts_changes: bool,
    /// The first score: most often there is no other.
    pub(in crate::commands) first: f64,
    /// A score, a member, the next score …; every score is one.
    pub(in crate::commands) pairs: Argv<'a>,
}

impl<'a> AddArgs<'a> {
    fn parse(call: &Call<'a>, mut update: Update) -> Result<Self, ReplyError> {
        let (mut if_absent, mut if_present, mut if_up, mut if_down) = (false, false, false, false);
        let (mut counts_changes, mut at) = (false, 2);
        // A flag begins with a letter, and so does no number but infinity.
        let may_be_flag = |word: &&[u8]| word.first().is_none_or(u8::is_ascii_alphabetic);
        while let Some(word) = call.argv.get(at).filter(may_be_flag) {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let flag = match () {
                () if is("nx") => &mut if_absent,
                () if is("xx") => &mut if_present,
                () if is("gt") => &mut if_up,
                () if is("lt") => &mut if_down,
                () if is("ch") => &mut counts_changes,
                () if is("incr") => &mut update.is_increment,
                () => break,
            };
            *flag = true;
            at += 1;
        }
        let pairs = call.argv.tail(at);
        if pairs.count() == 0 || !pairs.count().is_multiple_of(2) {
            return Err(ReplyError::Syntax);
        }
        update.presence = match (if_absent, if_present) {
            (true, true) => {
                return Err(ReplyError::text(
                    "ERR XX and NX options at the same time are not compatible",
                ));
            }
            (true, false) => Presence::Absent,
            (false, true) => Presence::Present,
            (false, false) => Presence::Any,
        };
        if (if_up || if_down) && if_absent || if_up && if_down {
            return Err(ReplyError::text(
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ));
        }
        update.course = match (if_up, if_down) {
            (true, _) => Course::Up,
            (_, true) => Course::Down,
            _ => Course::Any,
        };
        if update.is_increment && pairs.count() != 2 {
            return Err(ReplyError::text(
                "ERR INCR option supports a single increment-element pair",
            ));
        }
        let score_at = |at| parse_f64(pairs.at(at)).ok_or(ReplyError::NotFloat);
        let first = score_at(0)?;
        for at in (2..pairs.count()).step_by(2) {
            score_at(at)?;
        }
        Ok(Self { update, counts_changes, first, pairs })
    }
}

/// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member …]
pub(in crate::commands) fn zadd(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = AddArgs::parse(call, Update::default())?;
    add(server, call, &args)
}

/// ZINCRBY key increment member
pub(in crate::commands) fn zincrby(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let update = Update { is_increment: true, ..Update::default() };
    let args = AddArgs::parse(call, update)?;
    add(server, call, &args)
}

fn add(server: &mut Server, call: &mut Call<'_>, args: &AddArgs<'_>) -> CommandResult {
    let found = add_members(server, call.db(), call.arg(1), args)?;
    added(server, call, args, &found);
    Ok(())
}

/// Notes what was added, and answers.
pub(in crate::commands) fn added(
    server: &mut Server,
    call: &mut Call<'_>,
    args: &AddArgs<'_>,
    found: &Added,
) {
    let changed = found.changed();
    if changed != 0 {
        let event = Event::zset(if args.update.is_increment { "zincr" } else { "zadd" });
        server.keyspace.written_as(call.db(), call.arg(1), event, changed);
    }
    match found.score {
        _ if !args.update.is_increment => {
            call.reply.count(if args.counts_changes { changed } else { found.added });
        }
        Some(score) => call.reply.double(score),
        None => call.reply.null(),
    }
}

/// What became of all members together.
#[derive(Default)]
pub(in crate::commands) struct Added {
    added: usize,
    updated: usize,
    /// Of the last member that was not refused.
    score: Option<f64>,
}

impl Added {
    /// Counts the members that have changed.
    pub(in crate::commands) fn changed(&self) -> usize {
        self.added + self.updated
    }
}

/// Gives members their scores.
pub(in crate::commands) fn add_members(
    server: &mut Server,
    db: usize,
    key: &[u8],
    args: &AddArgs<'_>,
) -> Result<Added, ReplyError> {
    let (limits, pairs) = (server.config.encoding, args.pairs);
    let count = pairs.count() / 2;
    let keyspace = &mut server.keyspace;
    let zset = match args.update.presence {
        Presence::Present => match keyspace.change::<Zset>(db, key)? {
            Some(zset) => zset,
            None => return Ok(Added::default()),
        },
        _ => keyspace.change_or_create::<Zset>(db, key)?,
    };
    if zset.is_empty() {
        *zset = Zset::for_members(count, pairs.at(1).len(), limits);
    } else {
        zset.expect(count, limits);
    }
    let mut found = Added::default();
    for at in (0..pairs.count()).step_by(2) {
        let score = match at {
            0 => args.first,
            _ => parse_f64(pairs.at(at)).expect("every score was parsed before"),
        };
        let outcome = zset.update(pairs.at(at + 1), score, args.update, limits);
        match outcome.map_err(|_| NOT_A_NUMBER)? {
            Outcome::Added(score) => {
                found.added += 1;
                found.score = Some(score);
            }
            Outcome::Updated(score) => {
                found.updated += 1;
                found.score = Some(score);
            }
            Outcome::Same(score) => found.score = Some(score),
            Outcome::Refused => {}
        }
    }
    Ok(found)
}
