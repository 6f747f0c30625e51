//! Command: LLEN, LRANGE, LTRIM.

use ds::quicklist::Side;

use crate::{
    commands::list::{parse_index, reply_range, shrink},
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{List, list_options},
};

/// LLEN key
pub(in crate::commands) fn llen(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let list = server.keyspace.read::<List>(call.db(), call.arg(1))?;
    call.reply.count(list.map_or(0, List::len));
    Ok(())
}

/// LRANGE key start stop
pub(in crate::commands) fn lrange(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (start, stop) = (parse_index(call.arg(2))?, parse_index(call.arg(3))?);
    let Some(list) = server.keyspace.read::<List>(call.db(), call.arg(1))? else {
        call.reply.array(0);
        return Ok(());
    };
    let range = range(start, stop, list.len());
    call.reply.array(range.len());
    reply_range(list, range.start, Side::Tail, range.len(), call.reply);
    Ok(())
}

/// LTRIM key start stop
pub(in crate::commands) fn ltrim(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let (start, stop) = (parse_index(call.arg(2))?, parse_index(call.arg(3))?);
    let options = list_options(server.config.encoding);
    if let Some(list) = server.keyspace.change::<List>(db, key)? {
        let length = list.len();
        let kept = range(start, stop, length);
        list.delete_range(kept.end, length - kept.end);
        list.delete_range(0, kept.start);
        let is_empty = shrink(list, options);
        // Even a list of which all was kept has changed to those who watch it.
        server.keyspace.lost(db, key, Event::list("ltrim"), length - kept.len(), is_empty);
    }
    call.reply.ok();
    Ok(())
}

/// Returns the positions between two indexes, both included, of a list of so many elements.
fn range(start: i64, stop: i64, length: usize) -> std::ops::Range<usize> {
    // What is before the head, if anything, is negative still.
    let from_head = |index: i64| {
        if 0 <= index { index } else { index.saturating_add_unsigned(length as u64) }
    };
    let end = usize::try_from(from_head(stop).saturating_add(1)).unwrap_or(0).min(length);
    let start = usize::try_from(from_head(start)).unwrap_or(0);
    if start < end { start..end } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn a_range_is_what_of_it_there_is() {
        assert_eq!((range(0, -1, 3), range(-3, 2, 3), range(-9, 9, 3)), (0..3, 0..3, 0..3));
        assert_eq!((range(1, 1, 3), range(-1, -1, 3), range(-2, 1, 3)), (1..2, 2..3, 1..2));
        assert_eq!((range(2, 1, 3), range(3, 9, 3), range(0, -4, 3)), (0..0, 0..0, 0..0));
        assert_eq!((range(i64::MIN, i64::MAX, 3), range(i64::MAX, i64::MIN, 3)), (0..3, 0..0));
        assert_eq!(range(0, 0, 0), 0..0);
    }
}
