//! Command: LPOS.

use base::number::parse_i64;
use ds::quicklist::Side;

use crate::{
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::List,
};

struct LposArgs {
    /// Where the search begins.
    from: Side,
    /// The first match that counts; 1 is the first of all.
    rank: u64,
    /// How many matches are wanted, 0 for all; `None` is one, which is answered by itself.
    count: Option<u64>,
    /// So many elements are looked at, 0 for all.
    length_max: u64,
}

impl LposArgs {
    fn parse(call: &Call<'_>) -> Result<Self, ReplyError> {
        let mut args = Self { from: Side::Head, rank: 1, count: None, length_max: 0 };
        let mut words = call.argv.from(3);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let mut value = || words.next().ok_or(ReplyError::Syntax);
            match () {
                () if is("rank") => {
                    let rank = parse_rank(value()?)?;
                    args.from = if rank < 0 { Side::Tail } else { Side::Head };
                    args.rank = rank.unsigned_abs();
                }
                () if is("count") => {
                    let wrong = ReplyError::text("ERR COUNT can't be negative");
                    args.count = Some(parse_positive(value()?).ok_or(wrong)?);
                }
                () if is("maxlen") => {
                    let wrong = ReplyError::text("ERR MAXLEN can't be negative");
                    args.length_max = parse_positive(value()?).ok_or(wrong)?;
                }
                () => return Err(ReplyError::Syntax),
            }
        }
        Ok(args)
    }
}

fn parse_rank(text: &[u8]) -> Result<i64, ReplyError> {
    match parse_i64(text).ok_or(ReplyError::NotInteger)? {
        0 => Err(ReplyError::text(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or \
             use negative to start from the end of the list",
        )),
        i64::MIN => Err(ReplyError::text(
            "ERR value is out of range, value must between -9223372036854775807 and \
             9223372036854775807",
        )),
        rank => Ok(rank),
    }
}

fn parse_positive(text: &[u8]) -> Option<u64> {
    u64::try_from(parse_i64(text)?).ok()
}

/// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]
pub(in crate::commands) fn lpos(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = LposArgs::parse(call)?;
    let list = server.keyspace.read::<List>(call.db(), call.arg(1))?;
    match (list, args.count) {
        (None, None) => call.reply.null(),
        (None, Some(_)) => call.reply.array(0),
        (Some(list), None) => {
            let mut first = None;
            search(list, call.arg(2), &args, 1, |position| first = Some(position));
            match first {
                Some(position) => call.reply.count(position),
                None => call.reply.null(),
            }
        }
        (Some(list), Some(wanted)) => {
            let deferred = call.reply.deferred();
            let mut count = 0;
            search(list, call.arg(2), &args, wanted, |position| {
                call.reply.count(position);
                count += 1;
            });
            call.reply.close_array(deferred, count);
        }
    }
    Ok(())
}

/// Shows the positions of up to `wanted` matches to `visit`, 0 meaning all.
fn search(list: &List, element: &[u8], args: &LposArgs, wanted: u64, mut visit: impl FnMut(usize)) {
    let last = list.len() - 1;
    let first = if args.from == Side::Head { 0 } else { last };
    let looked_at = match args.length_max {
        0 => list.len(),
        most => usize::try_from(most).unwrap_or(usize::MAX).min(list.len()),
    };
    let (mut walk, mut matches) = (list.walk(first, args.from.other()), 0);
    for step in 0..looked_at {
        let is_it = walk.next().is_some_and(|item| item.is(element));
        matches += u64::from(is_it);
        if is_it && args.rank <= matches {
            visit(if args.from == Side::Head { step } else { last - step });
            if matches - args.rank + 1 == wanted {
                return;
            }
        }
    }
}
