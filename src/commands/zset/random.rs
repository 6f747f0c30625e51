//! Command: ZRANDMEMBER.

use base::number::parse_i64;

use crate::{
    commands::{
        PICKED_MAX,
        zset::{Shown, open_array, reply_member},
    },
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Zset,
};

const OUT_OF_RANGE: ReplyError = ReplyError::text("ERR value is out of range");
/// With scores twice as many replies are counted.
const WITH_SCORES_MAX: i64 = i64::MAX / 2;

/// ZRANDMEMBER key [count [WITHSCORES]]
pub(in crate::commands) fn zrandmember(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = parse(call)?;
    let Server { keyspace, random, .. } = server;
    let zset = keyspace.read::<Zset>(call.db(), call.arg(1))?;
    let Some((count, shown)) = args else {
        match zset {
            Some(zset) => zset.random(
                1,
                |bound| random.below(bound),
                |member, _| {
                    call.reply.bulk(member);
                    true
                },
            ),
            None => call.reply.null(),
        }
        return Ok(());
    };
    let Some(zset) = zset else {
        call.reply.array(0);
        return Ok(());
    };
    let reply = &mut *call.reply;
    if count < 0 {
        let count = Some(count.unsigned_abs()).filter(|count| *count <= PICKED_MAX);
        let count = count.ok_or(OUT_OF_RANGE)?;
        open_array(reply, usize::try_from(count).unwrap_or(usize::MAX / 2), shown);
        zset.random(
            count,
            |bound| random.below(bound),
            |member, score| {
                reply_member(reply, member, score, shown);
                // Who is sent more than may wait is given up, and nothing more is kept of it.
                !reply.output().is_cut()
            },
        );
        return Ok(());
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(zset.len());
    open_array(reply, count, shown);
    zset.random_distinct(
        count,
        |bound| random.below(bound),
        |member, score| {
            reply_member(reply, member, score, shown);
        },
    );
    Ok(())
}

/// Reads how many members are wanted, which may be the same again if it is negative.
fn parse(call: &Call<'_>) -> Result<Option<(i64, Shown)>, ReplyError> {
    let Some(count) = call.argv.get(2) else { return Ok(None) };
    let count = parse_i64(count).ok_or(ReplyError::NotInteger)?;
    if count == i64::MIN {
        return Err(ReplyError::text(
            "ERR value is out of range, value must between -9223372036854775807 and \
             9223372036854775807",
        ));
    }
    let shown = match call.argv.count() {
        3 => Shown::Members,
        4 if call.arg(3).eq_ignore_ascii_case(b"withscores") => Shown::WithScores,
        _ => return Err(ReplyError::Syntax),
    };
    if shown == Shown::WithScores && !(-WITH_SCORES_MAX..=WITH_SCORES_MAX).contains(&count) {
        return Err(OUT_OF_RANGE);
    }
    Ok(Some((count, shown)))
}
