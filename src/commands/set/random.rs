//! Command: SRANDMEMBER.

use base::number::parse_i64;

use crate::{
    commands::PICKED_MAX,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Set,
};

/// SRANDMEMBER key [count]
pub(in crate::commands) fn srandmember(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let count = match call.argv.count() {
        2 => None,
        3 => Some(parse_count(call.arg(2))?),
        _ => return Err(ReplyError::Syntax),
    };
    let Server { keyspace, random, .. } = server;
    let set = keyspace.read::<Set>(call.db(), call.arg(1))?;
    let (Some(set), reply) = (set, &mut *call.reply) else {
        match count {
            None => call.reply.null(),
            Some(_) => call.reply.array(0),
        }
        return Ok(());
    };
    let mut draw = |bound| random.below(bound);
    match count {
        None => set.random(&mut draw, |member| reply.bulk(member)),
        Some(1) => {
            reply.array(1);
            set.random(&mut draw, |member| reply.bulk(member));
        }
        Some(count @ 0..) => {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            reply.array(count.min(set.len()));
            set.random_distinct(count, &mut draw, |member| reply.bulk(member));
        }
        Some(count) => {
            let count = Some(count.unsigned_abs()).filter(|count| *count <= PICKED_MAX);
            let count = count.ok_or(ReplyError::text("ERR value is out of range"))?;
            reply.array(usize::try_from(count).unwrap_or(usize::MAX));
            set.random_any(count, &mut draw, |member| {
                reply.bulk(member);
                // Nobody will read the rest.
                !reply.output().is_cut()
            });
        }
    }
    Ok(())
}

/// Reads how many members are wanted; a negative number allows one to come twice.
fn parse_count(text: &[u8]) -> Result<i64, ReplyError> {
    let count = parse_i64(text).ok_or(ReplyError::NotInteger)?;
    if count == i64::MIN {
        return Err(ReplyError::text(
            "ERR value is out of range, value must between -9223372036854775807 and \
             9223372036854775807",
        ));
    }
    Ok(count)
}
