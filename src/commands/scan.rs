//! Command: SCAN, and the arguments of all commands that walk by cursor.

use base::number::parse_i64;

use crate::{
    error::ReplyError,
    keyspace::{Pattern, Scan},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// How many elements a call looks at if it is not told.
const COUNT_DEFAULT: u64 = 10;

/// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]
pub(super) fn scan(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let cursor = parse_cursor(call.arg(1))?;
    let mut scan = Scan { cursor, count: COUNT_DEFAULT, pattern: Pattern::All, kind: None };
    let kind;
    let mut words = call.argv.from(2);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(ReplyError::Syntax)?;
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match () {
            () if is("count") => scan.count = parse_count(value)?,
            () if is("match") => scan.pattern = Pattern::of(value),
            () if is("type") => scan.kind = Some(value),
            () => return Err(ReplyError::Syntax),
        }
    }
    if let Some(name) = scan.kind {
        kind = name.to_ascii_lowercase();
        scan.kind = Some(&kind);
    }
    let (elements, mut count) = (call.reply.deferred(), 0);
    let cursor = server.keyspace.scan(call.db(), scan, |key| {
        call.reply.bulk(key);
        count += 1;
    });
    call.reply.close_scan(elements, cursor, count);
    Ok(())
}

/// What a walk over the elements of one key may be told besides its cursor.
pub(super) struct ElementScan<'a> {
    /// Which elements are meant.
    pub(super) pattern: Pattern<'a>,
    /// About how many to look at.
    pub(super) count: u64,
}

impl<'a> ElementScan<'a> {
    /// Reads the options of SSCAN and ZSCAN, which stand behind key and cursor.
    pub(super) fn parse(call: &Call<'a>) -> Result<Self, ReplyError> {
        Self::parse_with(call, |_| false)
    }

    /// As `parse`, of a command that has options of one word besides: `take` says of a word
    /// whether it is one.
    pub(super) fn parse_with(
        call: &Call<'a>,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<Self, ReplyError> {
        let mut scan = Self { pattern: Pattern::All, count: COUNT_DEFAULT };
        let mut words = call.argv.from(3);
        while let Some(word) = words.next() {
            if take(word) {
                continue;
            }
            let value = words.next().ok_or(ReplyError::Syntax)?;
            match word {
                word if word.eq_ignore_ascii_case(b"count") => scan.count = parse_count(value)?,
                word if word.eq_ignore_ascii_case(b"match") => scan.pattern = Pattern::of(value),
                _ => return Err(ReplyError::Syntax),
            }
        }
        Ok(scan)
    }
}

fn parse_count(text: &[u8]) -> Result<u64, ReplyError> {
    let count = parse_i64(text).ok_or(ReplyError::NotInteger)?;
    u64::try_from(count).ok().filter(|count| 0 < *count).ok_or(ReplyError::Syntax)
}

/// Reads a cursor as C's `strtoul` does, which takes a sign, wraps what is negative, ends at a
/// zero byte and finds 0 where there is nothing.
pub(super) fn parse_cursor(text: &[u8]) -> Result<u64, ReplyError> {
    const WRONG: ReplyError = ReplyError::text("ERR invalid cursor");
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Ok(0);
    }
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(WRONG);
    }
    let parsed = digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    let number = parsed.ok_or(WRONG)?;
    Ok(if is_negative { number.wrapping_neg() } else { number })
}

#[cfg(test)]
mod tests {
    use super::parse_cursor;

    #[test]
    fn a_cursor_is_what_c_takes_for_one() {
        let cases: [(&[u8], Option<u64>); 12] = [
            (b"", Some(0)),
            (b"0", Some(0)),
            (b"007", Some(7)),
            (b"+5", Some(5)),
            (b"-1", Some(u64::MAX)),
            (b"12\0x", Some(12)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"18446744073709551616", None),
            (b" 1", None),
            (b"1 ", None),
            (b"-", None),
            (b"0x1", None),
        ];
        for (text, cursor) in cases {
            assert_eq!(parse_cursor(text).ok(), cursor, "{}", text.escape_ascii());
        }
    }
}
