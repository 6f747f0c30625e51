//! Command: ZUNION, ZINTER, ZDIFF, their STORE forms, ZINTERCARD.

use base::{float::parse_f64, number::parse_i64};

use crate::{
    commands::zset::{Shown, open_array, operand::Operand, reply_member},
    error::ReplyError,
    keyspace::{Event, Keyspace},
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Zset, zset::End},
};

/// How sets are combined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// What becomes of what comes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Show,
    Store,
    Count,
}

/// What becomes of several scores of one member.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, score: f64, other: f64) -> f64 {
        match self {
            Self::Sum => number_or_zero(score + other),
            Self::Min => {
                if other < score {
                    other
                } else {
                    score
                }
            }
            Self::Max => {
                if score < other {
                    other
                } else {
                    score
                }
            }
        }
    }
}

/// Infinities that cancel each other leave nothing.
fn number_or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

struct CombineArgs<'a> {
    keys: Vec<&'a [u8]>,
    /// One for each key.
    weights: Vec<f64>,
    aggregate: Aggregate,
    shown: Shown,
    /// Of ZINTERCARD; 0 is none.
    limit: usize,
}

impl<'a> CombineArgs<'a> {
    /// Reads the number of keys, which stands at `at`, and them, and touches them: one of a
    /// wrong type is an error before any option is.
    fn parse(
        keyspace: &mut Keyspace,
        call: &Call<'a>,
        at: usize,
        operation: Operation,
        purpose: Purpose,
    ) -> Result<Self, ReplyError> {
        let count = parse_i64(call.arg(at)).ok_or(ReplyError::NotInteger)?;
        if count < 1 {
            let name = call.command.spec().full_name;
            let text = format!("ERR at least 1 input key is needed for '{name}' command");
            return Err(ReplyError::Text(text.into()));
        }
        let count = usize::try_from(count).map_err(|_| ReplyError::Syntax)?;
        if call.argv.count() - (at + 1) < count {
            return Err(ReplyError::Syntax);
        }
        let keys: Vec<&[u8]> = call.argv.from(at + 1).take(count).collect();
        for key in &keys {
            Operand::touch(keyspace, call.db(), key)?;
        }
        let mut args = Self {
            keys,
            weights: vec![1.0; count],
            aggregate: Aggregate::Sum,
            shown: Shown::Members,
            limit: 0,
        };
        let takes_weights = operation != Operation::Diff && purpose != Purpose::Count;
        let mut words = call.argv.from(at + 1 + count);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            match () {
                () if takes_weights && is("weights") && count <= words.len() => {
                    for weight in &mut args.weights {
                        let text = words.next().unwrap_or_default();
                        let wrong = ReplyError::text("ERR weight value is not a float");
                        *weight = parse_f64(text).ok_or(wrong)?;
                    }
                }
                () if takes_weights && is("aggregate") => {
                    let word = words.next().ok_or(ReplyError::Syntax)?;
                    args.aggregate = parse_aggregate(word)?;
                }
                () if purpose == Purpose::Show && is("withscores") => {
                    args.shown = Shown::WithScores;
                }
                () if purpose == Purpose::Count && is("limit") => {
                    let text = words.next().ok_or(ReplyError::Syntax)?;
                    let limit = parse_i64(text).and_then(|limit| usize::try_from(limit).ok());
                    args.limit = limit.ok_or(ReplyError::text("ERR LIMIT can't be negative"))?;
                }
                () => return Err(ReplyError::Syntax),
            }
        }
        Ok(args)
    }
}

fn parse_aggregate(word: &[u8]) -> Result<Aggregate, ReplyError> {
    match word {
        word if word.eq_ignore_ascii_case(b"sum") => Ok(Aggregate::Sum),
        word if word.eq_ignore_ascii_case(b"min") => Ok(Aggregate::Min),
        word if word.eq_ignore_ascii_case(b"max") => Ok(Aggregate::Max),
        _ => Err(ReplyError::Syntax),
    }
}

/// ZUNION numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
pub(in crate::commands) fn zunion(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    show(server, call, Operation::Union)
}

/// ZINTER numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
pub(in crate::commands) fn zinter(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    show(server, call, Operation::Inter)
}

/// ZDIFF numkeys key [key …] [WITHSCORES]
pub(in crate::commands) fn zdiff(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    show(server, call, Operation::Diff)
}

/// ZUNIONSTORE destination numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX]
pub(in crate::commands) fn zunionstore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    store_as(server, call, Operation::Union, "zunionstore")
}

/// ZINTERSTORE destination numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX]
pub(in crate::commands) fn zinterstore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    store_as(server, call, Operation::Inter, "zinterstore")
}

/// ZDIFFSTORE destination numkeys key [key …]
pub(in crate::commands) fn zdiffstore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    store_as(server, call, Operation::Diff, "zdiffstore")
}

/// ZINTERCARD numkeys key [key …] [LIMIT limit]
pub(in crate::commands) fn zintercard(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let keyspace = &mut server.keyspace;
    let args = CombineArgs::parse(keyspace, call, 1, Operation::Inter, Purpose::Count)?;
    let mut count = 0;
    intersect(&operands(keyspace, call.db(), &args, Operation::Inter), args.aggregate, |_, _| {
        count += 1;
        count != args.limit
    });
    call.reply.count(count);
    Ok(())
}

fn show(server: &mut Server, call: &mut Call<'_>, operation: Operation) -> CommandResult {
    let args = CombineArgs::parse(&mut server.keyspace, call, 1, operation, Purpose::Show)?;
    let zset = combine(&server.keyspace, call.db(), &args, operation);
    open_array(call.reply, zset.len(), args.shown);
    zset.range(0..zset.len(), End::Min, |member, score| {
        reply_member(call.reply, member, score, args.shown);
    });
    Ok(())
}

fn store_as(
    server: &mut Server,
    call: &mut Call<'_>,
    operation: Operation,
    event: &'static str,
) -> CommandResult {
    let args = CombineArgs::parse(&mut server.keyspace, call, 2, operation, Purpose::Store)?;
    let mut zset = combine(&server.keyspace, call.db(), &args, operation);
    zset.settle(server.config.encoding);
    call.reply.count(zset.len());
    server.keyspace.store(call.db(), call.arg(1), zset, Event::zset(event), 1);
    Ok(())
}

/// Looks at all operands. Unless one is taken from, the smallest goes first: sums of scores
/// depend on the order, and Redis has this one.
fn operands<'a>(
    keyspace: &'a Keyspace,
    db: usize,
    args: &CombineArgs<'_>,
    operation: Operation,
) -> Vec<(Operand<'a>, f64)> {
    let weighed = args.keys.iter().zip(&args.weights);
    let mut operands: Vec<_> =
        weighed.map(|(key, weight)| (Operand::peek(keyspace, db, key), *weight)).collect();
    if operation != Operation::Diff {
        operands.sort_by_key(|(operand, _)| operand.len());
    }
    operands
}

/// Combines sets to one that takes any members.
fn combine(keyspace: &Keyspace, db: usize, args: &CombineArgs<'_>, operation: Operation) -> Zset {
    let operands = operands(keyspace, db, args, operation);
    let mut zset = ds::zset::Zset::new();
    match operation {
        Operation::Union => {
            let largest = operands.last().map_or(0, |(operand, _)| operand.len());
            // Without room at once it grows step by step.
            let _ = zset.reserve(largest);
            unite(&operands, args.aggregate, &mut zset);
        }
        Operation::Inter => intersect(&operands, args.aggregate, |member, score| {
            zset.insert(member, score);
            true
        }),
        Operation::Diff => subtract(&operands, &mut zset),
    }
    Zset::Tree(Box::new(zset))
}

fn unite(operands: &[(Operand<'_>, f64)], aggregate: Aggregate, zset: &mut ds::zset::Zset) {
    for (operand, weight) in operands {
        operand.each(|member, score| {
            let score = number_or_zero(weight * score);
            match zset.entry(member) {
                ds::zset::Slot::Vacant(slot) => slot.insert(score),
                ds::zset::Slot::Occupied(mut item) => {
                    let (old, new) = (item.score(), aggregate.of(item.score(), score));
                    if old == 0.0 && old.is_sign_negative() != new.is_sign_negative() {
                        // An item keeps the sign of its zero: replies show it.
                        item.remove();
                        zset.insert(member, new);
                    } else {
                        item.set_score(new);
                    }
                }
            }
            true
        });
    }
}

/// Shows what is in all sets to `visit` until it says that it is enough.
fn intersect(
    operands: &[(Operand<'_>, f64)],
    aggregate: Aggregate,
    mut visit: impl FnMut(&[u8], f64) -> bool,
) {
    let Some(((first, weight), others)) = operands.split_first() else { return };
    first.each(|member, score| {
        let mut all = number_or_zero(weight * score);
        for (other, weight) in others {
            let Some(score) = other.score(member) else { return true };
            all = aggregate.of(all, score * weight);
        }
        visit(member, all)
    });
}

/// Takes all others from the first set: by looking for its members in them, or by looking for
/// theirs in it, whichever is less work.
fn subtract(operands: &[(Operand<'_>, f64)], zset: &mut ds::zset::Zset) {
    let Some(((first, _), others)) = operands.split_first() else { return };
    let total: usize = operands.iter().map(|(operand, _)| operand.len()).sum();
    if first.len().saturating_mul(operands.len()) / 2 <= total {
        first.each(|member, score| {
            if !others.iter().any(|(other, _)| other.score(member).is_some()) {
                zset.insert(member, score);
            }
            true
        });
        return;
    }
    first.each(|member, score| {
        zset.insert(member, score);
        true
    });
    for (other, _) in others {
        other.each(|member, _| {
            zset.remove(member);
            !zset.is_empty()
        });
    }
}
