//! Command: ZSCAN.

use base::float::{write_f64, write_f64_exact};

use crate::{
    commands::scan::{ElementScan, parse_cursor},
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Zset, zset::Score},
};

/// For each member that a call may look at, it looks at so many chains at most.
const CHAINS_PER_MEMBER: u64 = 10;

/// ZSCAN key cursor [MATCH pattern] [COUNT count]
pub(in crate::commands) fn zscan(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let mut cursor = parse_cursor(call.arg(2))?;
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    let (elements, mut met) = (call.reply.deferred(), 0);
    let Some(zset) = zset else {
        call.reply.close_scan(elements, 0, 0);
        return Ok(());
    };
    let ElementScan { pattern, count } = ElementScan::parse(call)?;
    let (mut looked_at, mut chains) = (0, count.saturating_mul(CHAINS_PER_MEMBER));
    let mut text = Vec::new();
    loop {
        cursor = zset.scan(cursor, |member, score| {
            looked_at += 1;
            if pattern.matches(member) {
                call.reply.bulk(member);
                text.clear();
                match score {
                    Score::Packed(_) => write_f64(&mut text, score.value()),
                    // Redis shows these with all digits.
                    Score::Number(score) => write_f64_exact(&mut text, score),
                }
                call.reply.bulk(&text);
                met += 2;
            }
        });
        if cursor == 0 || count <= looked_at || chains == 0 {
            break;
        }
        chains -= 1;
    }
    call.reply.close_scan(elements, cursor, met);
    Ok(())
}
