//! Command: ZRANGE and all that it has replaced, and ZRANGESTORE.

use std::ops::Range;

use base::number::parse_i64;

use crate::{
    commands::zset::{
        Shown, open_array, reply_member,
        span::{By, Span},
    },
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Zset, zset::End},
};

/// What one of these commands says by its name.
#[derive(Clone, Copy)]
struct Form {
    /// Where the key to read stands.
    key_at: usize,
    /// None if an option may say it.
    by: Option<By>,
    /// None if an option may say it.
    from: Option<End>,
    is_store: bool,
}

impl Form {
    const fn of_reader(by: Option<By>, from: Option<End>) -> Self {
        Self { key_at: 1, by, from, is_store: false }
    }
}

struct RangeArgs<'a> {
    key: &'a [u8],
    span: Span<'a>,
    from: End,
    shown: Shown,
    offset: i64,
    /// Negative: all.
    count: i64,
}

impl<'a> RangeArgs<'a> {
    fn parse(call: &Call<'a>, form: Form) -> Result<Self, ReplyError> {
        let (mut by, mut from, mut shown) = (form.by, form.from, Shown::Members);
        let (mut offset, mut count) = (0, -1);
        let mut words = call.argv.from(form.key_at + 3);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            match () {
                () if is("withscores") && !form.is_store => shown = Shown::WithScores,
                () if is("limit") => {
                    let (Some(first), Some(second)) = (words.next(), words.next()) else {
                        return Err(ReplyError::Syntax);
                    };
                    offset = parse_i64(first).ok_or(ReplyError::NotInteger)?;
                    count = parse_i64(second).ok_or(ReplyError::NotInteger)?;
                }
                () if is("rev") && from.is_none() => from = Some(End::Max),
                () if is("bylex") && by.is_none() => by = Some(By::Lex),
                () if is("byscore") && by.is_none() => by = Some(By::Score),
                () => return Err(ReplyError::Syntax),
            }
        }
        let (by, from) = (by.unwrap_or(By::Rank), from.unwrap_or(End::Min));
        if count != -1 && by == By::Rank {
            return Err(ReplyError::text(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or \
                 BYLEX",
            ));
        }
        if shown == Shown::WithScores && by == By::Lex {
            return Err(ReplyError::text(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        let (first, second) = (call.arg(form.key_at + 1), call.arg(form.key_at + 2));
        // From the highest on, the upper end is told first.
        let span = if from == End::Max && by != By::Rank {
            Span::parse(by, second, first)?
        } else {
            Span::parse(by, first, second)?
        };
        // Redis takes an offset of ranks for nothing if there is no count beside it.
        let offset = if by == By::Rank { 0 } else { offset };
        Ok(Self { key: call.arg(form.key_at), span, from, shown, offset, count })
    }

    /// Returns the ranks of what is wanted.
    fn ranks(&self, zset: &Zset) -> Range<usize> {
        let Range { start, end } = self.span.ranks(zset, self.from);
        let length = end - start;
        // With a negative offset Redis walks past all members.
        let offset = usize::try_from(self.offset).unwrap_or(length).min(length);
        let count = usize::try_from(self.count).unwrap_or(length).min(length - offset);
        match self.from {
            End::Min => start + offset..start + offset + count,
            End::Max => end - offset - count..end - offset,
        }
    }
}

/// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]
pub(in crate::commands) fn zrange(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    range(server, call, Form::of_reader(None, None))
}

/// ZREVRANGE key start stop [WITHSCORES]
pub(in crate::commands) fn zrevrange(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    range(server, call, Form::of_reader(Some(By::Rank), Some(End::Max)))
}

/// ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]
pub(in crate::commands) fn zrangebyscore(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    range(server, call, Form::of_reader(Some(By::Score), Some(End::Min)))
}

/// ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]
pub(in crate::commands) fn zrevrangebyscore(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    range(server, call, Form::of_reader(Some(By::Score), Some(End::Max)))
}

/// ZRANGEBYLEX key min max [LIMIT offset count]
pub(in crate::commands) fn zrangebylex(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    range(server, call, Form::of_reader(Some(By::Lex), Some(End::Min)))
}

/// ZREVRANGEBYLEX key max min [LIMIT offset count]
pub(in crate::commands) fn zrevrangebylex(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    range(server, call, Form::of_reader(Some(By::Lex), Some(End::Max)))
}

fn range(server: &mut Server, call: &mut Call<'_>, form: Form) -> CommandResult {
    let args = RangeArgs::parse(call, form)?;
    let Some(zset) = server.keyspace.read::<Zset>(call.db(), args.key)? else {
        call.reply.array(0);
        return Ok(());
    };
    let ranks = args.ranks(zset);
    open_array(call.reply, ranks.len(), args.shown);
    zset.range(ranks, args.from, |member, score| {
        reply_member(call.reply, member, score, args.shown);
    });
    Ok(())
}

/// ZRANGESTORE destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]
pub(in crate::commands) fn zrangestore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = RangeArgs::parse(call, Form { key_at: 2, by: None, from: None, is_store: true })?;
    let limits = server.config.encoding;
    let mut stored = Zset::default();
    if let Some(zset) = server.keyspace.read::<Zset>(call.db(), args.key)? {
        let ranks = args.ranks(zset);
        if let Span::Rank(..) = args.span {
            // Only of ranks Redis knows how many they are before it has walked over them.
            stored = Zset::for_members(ranks.len(), 0, limits);
        }
        zset.range(ranks, End::Min, |member, score| {
            stored.insert(member, score.value(), limits);
        });
    }
    call.reply.count(stored.len());
    server.keyspace.store(call.db(), call.arg(1), stored, Event::zset("zrangestore"), 1);
    Ok(())
}
