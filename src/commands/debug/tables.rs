//! Command: DEBUG POPULATE, HTSTATS, HTSTATS-KEY, STRINGMATCH-TEST and CHANGE-REPL-ID.

use std::fmt::Write as _;

use base::{
    glob::{self, Case},
    number::parse_i64,
    random::Random,
};
use ds::dict::{Stats, TableStats};

use crate::{
    error::{ReplyError, printed},
    keyspace::{Look, NewText, Ttl},
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Value,
};

/// A name that is longer is cut.
const NAME_BYTES_MAX: usize = 127;
const FUZZ_CYCLES: usize = 100_000;
const FUZZ_BYTES_MAX: usize = 32;

/// DEBUG POPULATE count [prefix [size]]: makes keys, but leaves those alone that are there.
pub(super) fn populate(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let db = call.db();
    let number = |at: usize| parse_size(call.arg(at));
    let count = number(2)?;
    let is_possible =
        usize::try_from(count).is_ok_and(|count| server.keyspace.try_reserve(db, count));
    if !is_possible {
        return Err(ReplyError::text("ERR OOM in dictTryExpand"));
    }
    let prefix = printed(call.argv.get(3).unwrap_or(b"key"));
    let size = if call.argv.count() == 5 { number(4)? } else { 0 };
    let size = usize::try_from(size).map_err(|_| ReplyError::StringTooLong)?;
    if server.config.limits.proto_max_bulk_len < size {
        return Err(ReplyError::StringTooLong);
    }
    let (mut key, mut value) = (Vec::new(), Vec::new());
    for n in 0..count {
        key.clear();
        key.extend_from_slice(prefix);
        key.extend_from_slice(format!(":{n}").as_bytes());
        key.truncate(NAME_BYTES_MAX);
        if server.keyspace.touch(db, &key, Look::Write) {
            continue;
        }
        value.clear();
        value.extend_from_slice(format!("value:{n}").as_bytes());
        if size != 0 {
            value.resize(size, 0);
        }
        server.keyspace.set_text(db, &key, NewText::Bytes(&value), Ttl::Clear);
        server.keyspace.changed(db, &key);
    }
    call.reply.ok();
    Ok(())
}

fn parse_size(text: &[u8]) -> Result<u64, ReplyError> {
    let number = parse_i64(text).and_then(|number| u64::try_from(number).ok());
    number.ok_or(ReplyError::text("ERR value is out of range, must be positive"))
}

/// DEBUG HTSTATS db [full]
pub(super) fn htstats(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let number = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
    let db = usize::try_from(number).ok().filter(|db| *db < server.keyspace.db_count());
    let db = db.ok_or(ReplyError::text("ERR Out of range database"))?;
    let is_full = is_full(call);
    let (keys, expires) = server.keyspace.table_stats(db);
    let mut text = String::from("[Dictionary HT]\n");
    describe(&mut text, &keys, is_full);
    text += "[Expires HT]\n";
    describe(&mut text, &expires, is_full);
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// DEBUG HTSTATS-KEY key [full]
pub(super) fn htstats_key(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let record = server.keyspace.look(call.db(), call.arg(2), Look::Inspect);
    let value = record.ok_or(ReplyError::NoSuchKey)?.value();
    let stats = value.and_then(Value::table_stats).ok_or(ReplyError::text(
        "ERR The value stored at the specified key is not represented using an hash table",
    ))?;
    let mut text = String::new();
    describe(&mut text, &stats, is_full(call));
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn is_full(call: &Call<'_>) -> bool {
    call.argv.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"full"))
}

fn describe(text: &mut String, stats: &Stats, is_full: bool) {
    for (index, table) in stats.tables.iter().enumerate() {
        let what = if index == 0 { "main hash table" } else { "rehashing target" };
        let _ = writeln!(text, "Hash table {index} stats ({what}):");
        // One that entries are about to move to has a size already.
        if table.entries == 0 && index == 0 {
            *text += "No stats available for empty dictionaries\n";
            continue;
        }
        let _ = writeln!(text, " table size: {}", table.capacity);
        let _ = writeln!(text, " number of elements: {}", table.entries);
        if is_full {
            describe_chains(text, table);
        }
    }
}

/// A chain is what shares a bucket, of which a table has fewer than its size.
fn describe_chains(text: &mut String, table: &TableStats) {
    let mean = table.entries as f64 / table.used.max(1) as f64;
    let _ = writeln!(text, " different slots: {}", table.used);
    let _ = writeln!(text, " max chain length: {}", table.longest);
    let _ = writeln!(text, " avg chain length (counted): {mean:.2}");
    let _ = writeln!(text, " avg chain length (computed): {mean:.2}");
    *text += " Chain length distribution:\n";
    for (length, count) in table.lengths.iter().enumerate().filter(|(_, count)| 0 < **count) {
        let share = *count as f64 * 100.0 / table.buckets as f64;
        let _ = writeln!(text, "   {length}: {count} ({share:.2}%)");
    }
}

/// DEBUG STRINGMATCH-TEST: matches random texts with random globs; nothing may go wrong.
pub(super) fn stringmatch_test(call: &mut Call<'_>) {
    let mut random = Random::from_system();
    let (mut text, mut pattern) = ([0; FUZZ_BYTES_MAX], [0; FUZZ_BYTES_MAX]);
    let mut matches = 0_usize;
    for _ in 0..FUZZ_CYCLES {
        random.fill(&mut text);
        random.fill(&mut pattern);
        let text = &text[..random.index(FUZZ_BYTES_MAX)];
        let pattern = &pattern[..random.index(FUZZ_BYTES_MAX)];
        matches += usize::from(glob::matches(pattern, text, Case::Sensitive));
    }
    std::hint::black_box(matches);
    call.reply.simple("Apparently Redis did not crash: test passed");
}

/// DEBUG CHANGE-REPL-ID: who has followed so far follows another history.
pub(super) fn change_repl_id(server: &mut Server, call: &mut Call<'_>) {
    sys::log::notice!("Changing replication IDs after receiving DEBUG change-repl-id");
    server.replication.begin_history();
    call.reply.ok();
}
