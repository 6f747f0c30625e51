//! Command: hashes: what their handlers share.

mod count;
mod expire;
mod fields;
mod get;
mod getex;
mod random;
mod scan;
mod set;
mod setex;
mod ttl;

use ds::listpack::{Digits, Item};
use resp::Reply;

pub(super) use count::{hincrby, hincrbyfloat};
pub(super) use expire::{hexpire, hexpireat, hpexpire, hpexpireat};
pub(super) use get::{hexists, hget, hgetall, hkeys, hlen, hmget, hstrlen, hvals};
pub(super) use getex::{hgetdel, hgetex};
pub(super) use random::hrandfield;
pub(super) use scan::hscan;
pub(super) use set::{hdel, hmset, hset, hsetnx};
pub(super) use setex::hsetex;
pub(super) use ttl::{hexpiretime, hpersist, hpexpiretime, hpttl, httl};

/// Answers the value of a field, or that there is none.
#[inline]
fn reply_value(reply: &mut Reply, value: Option<Item<'_>>) {
    match value {
        Some(Item::Bytes(value)) => reply.bulk(value),
        Some(number) => reply.bulk(number.text(&mut Digits::default())),
        None => reply.null(),
    }
}
