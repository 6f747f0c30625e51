//! Command: bits by the many: BITCOUNT, BITPOS, BITOP.

use std::ops::Range;

use base::number::parse_i64;
use ds::bits::{self, Operation};

use crate::{
    error::ReplyError,
    keyspace::{Event, Gone, Text},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

const NOT_A_BIT: ReplyError = ReplyError::text("ERR The bit argument must be 1 or 0.");
const NOT_WANTS_ONE: ReplyError =
    ReplyError::text("ERR BITOP NOT must be called with a single source key.");

/// What places in a range count.
#[derive(Clone, Copy)]
enum Unit {
    Byte,
    Bit,
}

impl Unit {
    fn parse(text: &[u8]) -> Result<Self, ReplyError> {
        match text {
            _ if text.eq_ignore_ascii_case(b"bit") => Ok(Self::Bit),
            _ if text.eq_ignore_ascii_case(b"byte") => Ok(Self::Byte),
            _ => Err(ReplyError::Syntax),
        }
    }

    /// Returns the bits from `start` to `end`, both included and either from the end of the
    /// string if negative; without `end`, to that end.
    fn range(self, bytes: &[u8], start: i64, end: Option<i64>) -> Range<u64> {
        let bits_each = if let Self::Byte = self { 8 } else { 1 };
        let length = bytes.len() as u64 * 8 / bits_each;
        let from_end = |at: i64| match at.is_negative() {
            true => length.saturating_sub(at.unsigned_abs()),
            false => at.unsigned_abs(),
        };
        let end = end.map_or(length, |end| length.min(from_end(end).saturating_add(1)));
        // A range that is the wrong way round is an empty one.
        let start = from_end(start).min(end);
        start * bits_each..end * bits_each
    }
}

/// BITCOUNT key [start end [BYTE|BIT]]
pub(in crate::commands) fn bitcount(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    // Redis's rule: of a key that is not there, nobody asks what range was meant.
    let Some(text) = server.keyspace.read_text(call.db(), call.arg(1))? else {
        call.reply.count(0);
        return Ok(());
    };
    let bytes = text.bytes();
    let count = match call.argv.count() {
        2 => bits::count(bytes),
        4 | 5 => {
            let start = parse_place(call.arg(2))?;
            let end = parse_place(call.arg(3))?;
            // Nor of one that is the wrong way round from the end, whose unit may be anything.
            let is_reversed = start < 0 && end < 0 && end < start;
            let unit = match call.argv.count() {
                5 if !is_reversed => Unit::parse(call.arg(4))?,
                _ => Unit::Byte,
            };
            let range = if is_reversed { 0..0 } else { unit.range(bytes, start, Some(end)) };
            bits::count_in(bytes, range)
        }
        _ => return Err(ReplyError::Syntax),
    };
    call.reply.integer(i64::try_from(count).expect("a count of bits in memory"));
    Ok(())
}

/// BITPOS key bit [start [end [BYTE|BIT]]]
pub(in crate::commands) fn bitpos(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let is_set = match parse_place(call.arg(2))? {
        0 => false,
        1 => true,
        _ => return Err(NOT_A_BIT),
    };
    let Some(text) = server.keyspace.read_text(call.db(), call.arg(1))? else {
        call.reply.integer(if is_set { -1 } else { 0 });
        return Ok(());
    };
    let bytes = text.bytes();
    let (start, end, unit) = match call.argv.count() {
        3 => (0, None, Unit::Byte),
        count @ 4..=6 => {
            let start = parse_place(call.arg(3))?;
            let unit = if count == 6 { Unit::parse(call.arg(5))? } else { Unit::Byte };
            let end = if count == 4 { None } else { Some(parse_place(call.arg(4))?) };
            (start, end, unit)
        }
        _ => return Err(ReplyError::Syntax),
    };
    let range = unit.range(bytes, start, end);
    let found = match bits::find(bytes, is_set, range.clone()) {
        // Behind a string whose end was not asked for there are zeros.
        None if !is_set && end.is_none() && !range.is_empty() => Some(range.end),
        found => found,
    };
    let place = |found| i64::try_from(found).expect("a place in memory");
    call.reply.integer(found.map_or(-1, place));
    Ok(())
}

/// BITOP AND|OR|XOR|NOT destkey key [key …]
pub(in crate::commands) fn bitop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let operation = match call.arg(1) {
        word if word.eq_ignore_ascii_case(b"and") => Operation::And,
        word if word.eq_ignore_ascii_case(b"or") => Operation::Or,
        word if word.eq_ignore_ascii_case(b"xor") => Operation::Xor,
        word if word.eq_ignore_ascii_case(b"not") => Operation::Not,
        _ => return Err(ReplyError::Syntax),
    };
    if operation == Operation::Not && call.argv.count() != 4 {
        return Err(NOT_WANTS_ONE);
    }
    let (db, destination) = (call.db(), call.arg(2));
    for key in call.argv.from(3) {
        server.keyspace.read_text(db, key)?;
    }
    let mut sources = Vec::with_capacity(call.argv.count() - 3);
    for key in call.argv.from(3) {
        sources.push(server.keyspace.peek_text(db, key)?.map_or(&[][..], Text::bytes));
    }
    let result = bits::combine(operation, &sources);
    call.reply.count(result.len());
    if !result.is_empty() {
        server.keyspace.set_raw(db, destination, result);
        server.keyspace.written(db, destination, Event::SET);
    } else if server.keyspace.delete(db, destination, Gone::Overwritten) {
        server.keyspace.written(db, destination, Event::DEL);
    }
    Ok(())
}

fn parse_place(text: &[u8]) -> Result<i64, ReplyError> {
    parse_i64(text).ok_or(ReplyError::NotInteger)
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn ranges_are_clamped_to_the_string() {
        let bytes = |start, end| Unit::Byte.range(b"four", start, end);
        assert_eq!(bytes(0, None), 0..32);
        assert_eq!(bytes(1, Some(1)), 8..16);
        assert_eq!(bytes(-2, Some(-1)), 16..32);
        assert_eq!(bytes(i64::MIN, Some(i64::MAX)), 0..32);
        assert_eq!(bytes(0, Some(i64::MIN)), 0..8);
        assert!(bytes(i64::MAX, None).is_empty());
        assert!(bytes(3, Some(2)).is_empty());
        let bits = |start, end| Unit::Bit.range(b"four", start, end);
        assert_eq!(bits(5, Some(9)), 5..10);
        assert_eq!(bits(-1, Some(-1)), 31..32);
        assert_eq!(bits(-100, Some(100)), 0..32);
        assert!(Unit::Bit.range(b"", 0, Some(-1)).is_empty());
    }
}
