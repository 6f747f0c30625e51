//! Command: DEBUG POPULATE, HTSTATS and STRINGMATCH-TEST: much data at once, and how it lies.

use base::{
    bytes::try_with_capacity,
    glob::{self, Case},
    number::{parse_i64, write_i64},
    random::Random,
};
use ds::dict::{Stats, TableStats};

use crate::{
    error::ReplyError,
    keyspace::{NewText, Ttl},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Patterns and texts that STRINGMATCH-TEST tries.
const PATTERNS: usize = 100_000;
/// They are no longer than this.
const PATTERN_BYTES_MAX: usize = 50;
/// What they are made of.
const PATTERN_BYTES: &[u8] = b"*?[]^-\\ab";

/// DEBUG POPULATE count [prefix [bytes]]: strings `prefix:n` that are not there yet.
pub(super) fn populate(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let count = count(call.arg(2))?;
    let prefix = call.argv.get(3).unwrap_or(b"key");
    let bytes = call.argv.get(4).map_or(Ok(0), self::count)?;
    if call.db() < server.keyspace.db_count() && !server.keyspace.make_room(call.db(), count) {
        return Err(ReplyError::text("ERR OOM in dictTryExpand"));
    }
    let out_of_memory = |_| ReplyError::text("ERR Out of memory");
    let mut key = try_with_capacity(prefix.len() + 32).map_err(out_of_memory)?;
    let mut value = try_with_capacity(bytes.max(32)).map_err(out_of_memory)?;
    for n in 0..count {
        let number = i64::try_from(n).unwrap_or(i64::MAX);
        key.clear();
        key.extend_from_slice(prefix);
        key.push(b':');
        write_i64(&mut key, number);
        if server.keyspace.is_alive(call.db(), &key) {
            continue;
        }
        value.clear();
        value.extend_from_slice(b"value:");
        write_i64(&mut value, number);
        if bytes != 0 {
            value.resize(bytes, 0);
        }
        server.keyspace.set_text(call.db(), &key, NewText::Bytes(&value), Ttl::Clear);
        server.keyspace.changed(call.db(), &key);
    }
    call.reply.ok();
    Ok(())
}

fn count(text: &[u8]) -> Result<usize, ReplyError> {
    let number = parse_i64(text).and_then(|number| usize::try_from(number).ok());
    number.ok_or(ReplyError::NotPositive("value"))
}

/// DEBUG HTSTATS db [FULL]
pub(super) fn table_stats(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let db = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
    let db = usize::try_from(db).ok().filter(|db| *db < server.keyspace.db_count());
    let db = db.ok_or(ReplyError::text("ERR Out of range database"))?;
    let is_full = call.argv.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"full"));
    let (keys, volatile) = server.keyspace.table_stats(db);
    let text = format!(
        "[Dictionary HT]\n{}[Expires HT]\n{}",
        describe(&keys, is_full),
        describe(&volatile, is_full)
    );
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn describe(stats: &Stats, is_full: bool) -> String {
    let names = ["main hash table", "rehashing target"];
    let table = |(at, (table, name)): (usize, (&TableStats, &str))| {
        let head = format!("Hash table {at} stats ({name}):\n");
        if table.entries == 0 {
            return head + "No stats available for empty dictionaries\n";
        }
        let size = format!(
            "{head} table size: {}\n number of elements: {}\n",
            table.buckets, table.entries
        );
        if is_full { size + &chains(table) } else { size }
    };
    stats.tables.iter().zip(names).enumerate().map(table).collect()
}

/// How entries are spread over buckets, each of which may hold several.
fn chains(table: &TableStats) -> String {
    let mean = table.entries as f64 / table.used.max(1) as f64;
    let mut text = format!(
        " different slots: {}\n max chain length: {}\n avg chain length (counted): {mean:.2}\n \
         avg chain length (computed): {mean:.2}\n Chain length distribution:\n",
        table.used, table.longest
    );
    for (length, buckets) in table.lengths.iter().enumerate().filter(|(_, count)| **count != 0) {
        let percent = *buckets as f64 * 100.0 / table.buckets.max(1) as f64;
        text.push_str(&format!("   {length}: {buckets} ({percent:.2}%)\n"));
    }
    text
}

/// DEBUG STRINGMATCH-TEST: whether any pattern harms the matcher.
pub(super) fn match_patterns(call: &mut Call<'_>) {
    let mut random = Random::from_system();
    for _ in 0..PATTERNS {
        let word = |random: &mut Random| -> Vec<u8> {
            let length = random.index(PATTERN_BYTES_MAX);
            (0..length).map(|_| PATTERN_BYTES[random.index(PATTERN_BYTES.len())]).collect()
        };
        let (pattern, text) = (word(&mut random), word(&mut random));
        glob::matches(&pattern, &text, Case::Sensitive);
    }
    call.reply.simple("Apparently Redis did not crash: test passed");
}
