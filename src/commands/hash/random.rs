//! Command: HRANDFIELD.

use base::number::parse_i64;
use ds::listpack::Digits;
use resp::{Protocol, Reply};

use crate::{
    commands::{PICKED_MAX, hash::reply_value},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Pair,
};

const OUT_OF_RANGE: ReplyError = ReplyError::text("ERR value is out of range");

/// HRANDFIELD key [count [WITHVALUES]]: a negative count may pick a field more than once.
pub(in crate::commands) fn hrandfield(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let mut random = server.keyspace.fork_random();
    let mut draw = |bound| random.below(bound);
    if call.argv.count() == 2 {
        let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
        let field = hash.and_then(|hash| hash.random(now_ms, &mut draw));
        reply_value(call.reply, field.map(|(name, _)| name));
        return Ok(());
    }
    let Picked { count, with_values } = Picked::parse(call)?;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    let Some(hash) = hash.filter(|hash| count != 0 && hash.alive_len(now_ms) != 0) else {
        call.reply.array(0);
        return Ok(());
    };
    let is_flat = with_values && call.reply.protocol == Protocol::Resp2;
    if count < 0 {
        let count = Some(count.unsigned_abs()).filter(|count| *count <= PICKED_MAX);
        let count = count.ok_or(OUT_OF_RANGE)?;
        let elements = count << u32::from(is_flat);
        call.reply.array(usize::try_from(elements).map_err(|_| OUT_OF_RANGE)?);
        hash.random_any(count, now_ms, &mut draw, |pair| {
            reply_pair(call.reply, pair, with_values);
            // Who will not get it all need not wait for the rest.
            !call.reply.output().is_cut()
        });
        return Ok(());
    }
    let (elements, reply) = (call.reply.deferred(), &mut *call.reply);
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let count = hash.random_distinct(most, now_ms, &mut draw, |pair| {
        reply_pair(reply, pair, with_values);
    });
    call.reply.close_array(elements, count << u32::from(is_flat));
    Ok(())
}

fn reply_pair(reply: &mut Reply, (name, value): Pair<'_>, with_values: bool) {
    let mut digits = Digits::default();
    if with_values && reply.protocol == Protocol::Resp3 {
        reply.array(2);
    }
    reply.bulk(name.text(&mut digits));
    if with_values {
        reply.bulk(value.text(&mut digits));
    }
}

/// How many fields are asked for, and with what.
struct Picked {
    count: i64,
    with_values: bool,
}

impl Picked {
    fn parse(call: &Call<'_>) -> Result<Self, ReplyError> {
        let count = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
        if count == i64::MIN {
            return Err(ReplyError::text(
                "ERR value is out of range, value must between -9223372036854775807 and \
                 9223372036854775807",
            ));
        }
        let mut words = call.argv.from(3);
        let with_values = match (words.next(), words.next()) {
            (None, _) => false,
            (Some(word), None) if word.eq_ignore_ascii_case(b"withvalues") => true,
            _ => return Err(ReplyError::Syntax),
        };
        if with_values && (i64::MAX / 2) < count.abs() {
            return Err(OUT_OF_RANGE);
        }
        Ok(Self { count, with_values })
    }
}
