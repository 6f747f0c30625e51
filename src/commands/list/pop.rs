//! Command: LPOP, RPOP, LMPOP.

use base::number::{parse_i64, write_i64};
use ds::quicklist::Side;

use crate::{
    commands::list::{lost, parse_side, pop_event, reply_element, shrink, take},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{List, list_options},
};

/// LPOP key [count]
pub(in crate::commands) fn lpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, Side::Head)
}

/// RPOP key [count]
pub(in crate::commands) fn rpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, Side::Tail)
}

fn pop(server: &mut Server, call: &mut Call<'_>, side: Side) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let count = match call.argv.count() {
        2 => None,
        3 => Some(parse_count(call.arg(2))?),
        _ => return Err(call.arity_error()),
    };
    let options = list_options(server.config.encoding);
    let Some(list) = server.keyspace.change::<List>(db, key)? else {
        match count {
            None => call.reply.null(),
            Some(_) => call.reply.null_array(),
        }
        return Ok(());
    };
    let taken = match count {
        None => {
            reply_element(call.reply, list.end(side).expect("a key holds no empty list"));
            list.remove_end(side);
            1
        }
        Some(0) => {
            call.reply.array(0);
            return Ok(());
        }
        Some(count) => take(list, side, count, call.reply),
    };
    let is_empty = shrink(list, options);
    lost(server, db, key, pop_event(side), taken, is_empty);
    Ok(())
}

/// Reads how many elements are wanted. More than there can be is as good as all.
fn parse_count(text: &[u8]) -> Result<usize, ReplyError> {
    let count = parse_i64(text).filter(|count| 0 <= *count);
    let count = count.ok_or(ReplyError::NotPositive("value"))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// What LMPOP and its like take, and of which keys.
pub(super) struct ManyArgs {
    /// Where the first key stands.
    pub(super) keys_at: usize,
    /// How many they are.
    pub(super) key_count: usize,
    pub(super) side: Side,
    pub(super) count: usize,
}

impl ManyArgs {
    /// Reads what stands from the number of keys on, which is at `at`.
    pub(super) fn parse(call: &Call<'_>, at: usize) -> Result<Self, ReplyError> {
        let key_count = parse_from_one(call.arg(at));
        let key_count =
            key_count.ok_or(ReplyError::text("ERR numkeys should be greater than 0"))?;
        let side_at = key_count.checked_add(at + 1).ok_or(ReplyError::Syntax)?;
        let side = parse_side(call.argv.get(side_at).ok_or(ReplyError::Syntax)?)?;
        let mut count = None;
        let mut words = call.argv.from(side_at + 1);
        while let Some(word) = words.next() {
            if count.is_some() || !word.eq_ignore_ascii_case(b"count") {
                return Err(ReplyError::Syntax);
            }
            let number = parse_from_one(words.next().ok_or(ReplyError::Syntax)?);
            count = Some(number.ok_or(ReplyError::text("ERR count should be greater than 0"))?);
        }
        Ok(Self { keys_at: at + 1, key_count, side, count: count.unwrap_or(1) })
    }
}

fn parse_from_one(text: &[u8]) -> Option<usize> {
    let number = parse_i64(text).filter(|number| 0 < *number)?;
    usize::try_from(number).ok()
}

/// LMPOP numkeys key [key …] LEFT | RIGHT [COUNT count]
pub(in crate::commands) fn lmpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = ManyArgs::parse(call, 1)?;
    if !take_of_first(server, call, &args)? {
        call.reply.null_array();
    }
    Ok(())
}

/// Takes elements off the first list that is there, and answers its key and them; says whether
/// there is one.
pub(super) fn take_of_first(
    server: &mut Server,
    call: &mut Call<'_>,
    args: &ManyArgs,
) -> Result<bool, ReplyError> {
    let db = call.db();
    let options = list_options(server.config.encoding);
    for key in call.argv.from(args.keys_at).take(args.key_count) {
        let Some(list) = server.keyspace.change::<List>(db, key)? else { continue };
        call.reply.array(2);
        call.reply.bulk(key);
        let taken = take(list, args.side, args.count, call.reply);
        let is_empty = shrink(list, options);
        let name: &[u8] = if args.side == Side::Head { b"LPOP" } else { b"RPOP" };
        let mut digits = Vec::new();
        write_i64(&mut digits, i64::try_from(taken).expect("elements take memory"));
        call.propagate_as(server, &[name, key, &digits]);
        lost(server, db, key, pop_event(args.side), taken, is_empty);
        return Ok(true);
    }
    Ok(false)
}
