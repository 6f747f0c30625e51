//! Command: sorted sets: what their handlers share: how members are answered.

mod add;
mod blocking;
mod combine;
mod look;
mod operand;
mod pop;
mod random;
mod range;
mod remove;
mod scan;
mod span;

use resp::{Protocol, Reply};

use crate::value::zset::Score;

pub(super) use add::{AddArgs, add_members, added, zadd, zincrby};
pub(super) use blocking::{bzmpop, bzpopmax, bzpopmin};
pub(super) use combine::{zdiff, zdiffstore, zinter, zintercard, zinterstore, zunion, zunionstore};
pub(super) use look::{zcard, zcount, zlexcount, zmscore, zrank, zrevrank, zscore};
pub(super) use pop::{zmpop, zpopmax, zpopmin};
pub(super) use random::zrandmember;
pub(super) use range::{
    zrange, zrangebylex, zrangebyscore, zrangestore, zrevrange, zrevrangebylex, zrevrangebyscore,
};
pub(super) use remove::{zrem, zremrangebylex, zremrangebyrank, zremrangebyscore};
pub(super) use scan::zscan;

/// What is answered of members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Members,
    WithScores,
}

/// Opens an array of so many members.
fn open_array(reply: &mut Reply, count: usize, shown: Shown) {
    let is_flat = shown == Shown::WithScores && reply.protocol == Protocol::Resp2;
    reply.array(if is_flat { 2 * count } else { count });
}

/// Answers a member; with its score it is a pair of its own in RESP3.
fn reply_member(reply: &mut Reply, member: &[u8], score: Score<'_>, shown: Shown) {
    if shown == Shown::WithScores && reply.protocol == Protocol::Resp3 {
        reply.array(2);
    }
    reply.bulk(member);
    if shown == Shown::WithScores {
        reply.double(score.value());
    }
}
