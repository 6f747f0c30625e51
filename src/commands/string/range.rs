//! Command: parts of strings: APPEND, STRLEN, GETRANGE, SETRANGE.

use base::number::parse_i64;

use crate::{
    commands::string::check_length,
    error::ReplyError,
    keyspace::{Event, Look, NewText, Text, Ttl},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// APPEND key value
pub(in crate::commands) fn append(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, value) = (call.db(), call.arg(1), call.arg(2));
    let length_max = server.config.limits.proto_max_bulk_len;
    let mut entry = server.keyspace.text_entry(db, key, Look::Write)?;
    let length = match entry.text() {
        // A string that is new is stored as SET would store it.
        None => {
            entry.set(NewText::of(call.argv, 2), Ttl::Clear);
            value.len()
        }
        Some(text) => {
            check_length(length_max, text.bytes().len(), value.len())?;
            entry.append(value)
        }
    };
    server.keyspace.written(db, key, Event::string("append"));
    call.reply.count(length);
    Ok(())
}

/// STRLEN key
pub(in crate::commands) fn strlen(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let text = server.keyspace.read_text(call.db(), call.arg(1))?;
    call.reply.count(text.map_or(0, |text| text.bytes().len()));
    Ok(())
}

/// GETRANGE key start end; SUBSTR is its older name.
pub(in crate::commands) fn getrange(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let start = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
    let end = parse_i64(call.arg(3)).ok_or(ReplyError::NotInteger)?;
    let text = server.keyspace.read_text(call.db(), call.arg(1))?;
    let bytes = text.map_or(&[][..], Text::bytes);
    call.reply.bulk(slice(bytes, start, end));
    Ok(())
}

/// Returns the bytes from `start` to `end`, both included, negative ones from the end.
fn slice(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    // Redis's rule: two places before the start of the string that are the wrong way
    // round are no range, although both would be clamped to 0.
    if start < 0 && end < 0 && end < start {
        return &[];
    }
    let length = i64::try_from(bytes.len()).expect("a length in memory");
    let from_end = |at: i64| if at < 0 { (at + length).max(0) } else { at };
    let (start, end) = (from_end(start), from_end(end).min(length - 1));
    let start = usize::try_from(start).expect("not negative");
    let Ok(end) = usize::try_from(end) else { return &[] };
    bytes.get(start..=end).unwrap_or_default()
}

/// SETRANGE key offset value
pub(in crate::commands) fn setrange(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, value) = (call.db(), call.arg(1), call.arg(3));
    let offset = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
    let offset = usize::try_from(offset).map_err(|_| ReplyError::OffsetOutOfRange)?;
    let length_max = server.config.limits.proto_max_bulk_len;
    let mut entry = server.keyspace.text_entry(db, key, Look::Write)?;
    let length = entry.text().map_or(0, |text| text.bytes().len());
    if value.is_empty() {
        // Nothing is written, so no key comes into being.
        call.reply.count(length);
        return Ok(());
    }
    check_length(length_max, offset, value.len())?;
    let end = offset + value.len();
    entry.grow(end)[offset..end].copy_from_slice(value);
    server.keyspace.written(db, key, Event::string("setrange"));
    call.reply.count(length.max(end));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::slice;

    #[test]
    fn ranges_are_clamped_as_in_redis() {
        let cases: [(i64, i64, &[u8]); 10] = [
            (0, 3, b"Hell"),
            (0, -1, b"Hello"),
            (-4, -1, b"ello"),
            (5, 3, b""),
            (5, 5000, b""),
            (-5000, 10000, b"Hello"),
            (-1, -100, b""),
            (-100, -200, b""),
            (2, i64::MAX, b"llo"),
            (i64::MIN, 0, b"H"),
        ];
        for (start, end, expected) in cases {
            assert_eq!(slice(b"Hello", start, end), expected, "{start} {end}");
        }
        assert_eq!(slice(b"", 0, -1), b"");
    }
}
