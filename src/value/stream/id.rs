//! Pure: the number of an entry of a stream: when it was added, and which it was of that
//! millisecond.

use std::{fmt, ops::Deref};

/// Longer texts are no numbers.
const TEXT_BYTES_MAX: usize = 127;
/// Two of the greatest integers, and a dash.
const ID_CHARS_MAX: usize = 41;

/// The number of an entry, in the order of the entries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct StreamId {
    /// The time, in milliseconds.
    pub ms: u64,
    /// How many came before in the same millisecond.
    pub seq: u64,
}

impl StreamId {
    /// The least one, which no entry has.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The greatest one.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };
    /// The bytes of one in a snapshot.
    pub const BYTES: usize = 16;

    /// Makes a number.
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// Returns the next one, if there is one.
    pub fn next(self) -> Option<Self> {
        match (self.seq.checked_add(1), self.ms) {
            (Some(seq), ms) => Some(Self { ms, seq }),
            (None, ms) => Some(Self { ms: ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// Returns the one before, if there is one.
    pub fn previous(self) -> Option<Self> {
        match (self.seq.checked_sub(1), self.ms) {
            (Some(seq), ms) => Some(Self { ms, seq }),
            (None, ms) => Some(Self { ms: ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// Returns the number of an entry that is added at a time, behind `self`: time does not go
    /// back even if the clock does. None if there is no number left.
    pub fn after(self, now_ms: u64) -> Option<Self> {
        if self.ms < now_ms { Some(Self { ms: now_ms, seq: 0 }) } else { self.next() }
    }

    /// Reads `ms-seq`, or `ms` alone, with which `missing_seq` goes.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<Self> {
        match Self::split(text)? {
            (ms, None) => Some(Self { ms: parse_part(ms)?, seq: missing_seq }),
            (ms, Some(seq)) => Some(Self { ms: parse_part(ms)?, seq: parse_part(seq)? }),
        }
    }

    /// Splits a text into what stands before the first dash and what stands behind it, if there
    /// is one; none if it is too long for a number.
    pub fn split(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
        if TEXT_BYTES_MAX < text.len() {
            return None;
        }
        // Redis reads no further than a zero byte.
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        Some(match text.iter().position(|byte| *byte == b'-') {
            Some(dash) => (&text[..dash], Some(&text[dash + 1..])),
            None => (text, None),
        })
    }

    /// Returns it as it is answered.
    pub fn text(self) -> IdText {
        let mut text = IdText { bytes: [0; ID_CHARS_MAX], length: 0 };
        text.push(itoa::Buffer::new().format(self.ms).as_bytes());
        text.push(b"-");
        text.push(itoa::Buffer::new().format(self.seq).as_bytes());
        text
    }

    /// Returns the distance from `master`, as entries are stored.
    #[inline]
    pub(super) fn minus(self, master: Self) -> (i64, i64) {
        let distance = |to: u64, from: u64| to.wrapping_sub(from).cast_signed();
        (distance(self.ms, master.ms), distance(self.seq, master.seq))
    }

    /// Returns the number at such a distance.
    #[inline]
    pub(super) fn plus(self, ms: i64, seq: i64) -> Self {
        Self {
            ms: self.ms.wrapping_add(ms.cast_unsigned()),
            seq: self.seq.wrapping_add(seq.cast_unsigned()),
        }
    }

    /// Returns the bytes of a snapshot, which have the order of the numbers.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    /// Reads the bytes of a snapshot.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let number = u128::from_be_bytes(bytes);
        Self { ms: (number >> 64) as u64, seq: number as u64 }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// The text of a number; no allocation of its own.
#[derive(Clone, Copy)]
pub struct IdText {
    bytes: [u8; ID_CHARS_MAX],
    length: usize,
}

impl IdText {
    fn push(&mut self, text: &[u8]) {
        self.bytes[self.length..][..text.len()].copy_from_slice(text);
        self.length += text.len();
    }
}

impl Deref for IdText {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Reads a half of a number as leniently as `strtoull` of C does, which Redis leaves what is not
/// plain to: blanks and a plus may stand before it, zeros, and even the minus of what is no plain
/// negative number.
pub fn parse_part(text: &[u8]) -> Option<u64> {
    if let Some(number) = base::number::parse_u64(text) {
        return Some(number);
    }
    if base::number::parse_i64(text).is_some() {
        return None;
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let text = &text[text.iter().take_while(|byte| is_blank(byte)).count()..];
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let magnitude = digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    Some(if is_negative { magnitude.wrapping_neg() } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::StreamId;

    #[test]
    fn one_follows_the_other() {
        let id = StreamId::new;
        for (before, behind) in
            [(id(1, 1), id(1, 2)), (id(1, u64::MAX), id(2, 0)), (StreamId::MIN, id(0, 1))]
        {
            assert_eq!((before.next(), behind.previous()), (Some(behind), Some(before)));
            assert!(before < behind && before.to_bytes() < behind.to_bytes());
        }
        assert_eq!((StreamId::MIN.previous(), StreamId::MAX.next()), (None, None));
        assert_eq!(id(5, 3).after(6), Some(id(6, 0)));
        assert_eq!((id(5, 3).after(5), id(5, 3).after(1)), (Some(id(5, 4)), Some(id(5, 4))));
        assert_eq!(StreamId::MAX.after(7), None);
    }

    #[test]
    fn a_number_survives_its_bytes_and_its_text() {
        for id in [StreamId::MIN, StreamId::MAX, StreamId::new(1, 2), StreamId::new(u64::MAX, 0)] {
            assert_eq!(StreamId::from_bytes(id.to_bytes()), id);
            assert_eq!(*id.text(), *id.to_string().as_bytes());
            assert_eq!(StreamId::parse(&id.text(), 9), Some(id));
            let (ms, seq) = id.minus(StreamId::new(5, 6));
            assert_eq!(StreamId::new(5, 6).plus(ms, seq), id);
        }
    }

    #[test]
    fn is_read_as_leniently_as_redis_reads_it() {
        let parse = |text: &str| StreamId::parse(text.as_bytes(), 7);
        let id = |ms, seq| Some(StreamId::new(ms, seq));
        assert_eq!((parse("5"), parse("5-3"), parse("05-003")), (id(5, 7), id(5, 3), id(5, 3)));
        assert_eq!((parse("+5"), parse(" 5- +3"), parse("5--0")), (id(5, 7), id(5, 3), id(5, 0)));
        assert_eq!((parse("5\0x"), parse("5--01")), (id(5, 7), id(5, u64::MAX)));
        for wrong in
            ["", "-", "-5", "5-", "5--3", "5-3-1", "a", "5-a", "5 ", "18446744073709551616"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(StreamId::parse(&[b'0'; 127], 7), id(0, 7));
        assert_eq!(StreamId::parse(&[b'0'; 128], 7), None);
    }
}
