//! Pure: one entry of a listpack, from and to bytes.
//!
//! ```text
//! head, with an integer or the length of a string     the string     length of both, backwards
//! 0iiiiiii                          0 to 127
//! 10nnnnnn                                            n bytes
//! 110iiiii i                        13 bits, signed
//! 1110nnnn n                                          n bytes, to 4,095
//! 11110000 nnnn                                       n bytes, little endian
//! 11110001 ii · 11110010 iii · 11110011 iiii · 11110100 iiiiiiii: signed, little endian
//! 11111111                          the end of the listpack
//! ```
//! The length at the end of an entry leads to its start when one comes from behind. Its last
//! byte holds the low seven bits; a set top bit says that more stand in the byte before.

use base::number::{char_count, parse_i64};

/// Ends the list.
pub(super) const END: u8 = 0xff;
/// The longest head: that of a 64-bit integer.
const HEAD_BYTES_MAX: usize = 9;
/// The longest length at the end.
const BACK_BYTES_MAX: usize = 5;

/// From so many bytes on a string has a head of two bytes.
const STRING_12_FROM_BYTES: usize = 64;
/// From so many on, of five.
const STRING_32_FROM_BYTES: usize = 4_096;
const STRING_32_HEAD_BYTES: usize = 5;

const STRING_6: u8 = 0x80;
const INTEGER_13: u8 = 0xc0;
const STRING_12: u8 = 0xe0;
const STRING_32: u8 = 0xf0;
const INTEGER_16: u8 = 0xf1;
const INTEGER_24: u8 = 0xf2;
const INTEGER_32: u8 = 0xf3;
const INTEGER_64: u8 = 0xf4;

/// An element as a listpack holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// An integer, which stands for its decimal digits.
    Int(i64),
    /// A string. Given to a listpack, it becomes an integer if it is the text of one.
    Bytes(&'a [u8]),
}

/// Where the text of an integer is written.
#[derive(Clone, Default)]
pub struct Digits(itoa::Buffer);

impl Item<'_> {
    /// Tells whether the element is this string.
    #[inline]
    pub fn is(self, element: &[u8]) -> bool {
        match self {
            Self::Bytes(bytes) => bytes == element,
            Self::Int(n) => parse_i64(element) == Some(n),
        }
    }

    /// Counts the bytes of the element as a string.
    #[expect(clippy::len_without_is_empty, reason = "it is no container")]
    pub fn len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Int(n) => char_count(n),
        }
    }

    /// Counts the bytes that an entry of it takes at most.
    pub(super) fn bytes_max(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len() + OVERHEAD_BYTES_MAX,
            Self::Int(_) => OVERHEAD_BYTES_MAX,
        }
    }

    /// Appends the element as a string.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text(&mut Digits::default()));
    }

    /// Returns the element as a string of its own.
    pub fn to_vec(self) -> Vec<u8> {
        self.text(&mut Digits::default()).to_vec()
    }

    /// Returns the element as an integer, if it is the text of one.
    pub fn integer(self) -> Option<i64> {
        match self {
            Self::Bytes(bytes) => parse_i64(bytes),
            Self::Int(n) => Some(n),
        }
    }
}

impl<'a> Item<'a> {
    /// Returns the element as a string, which is in `digits` if it is an integer.
    #[inline]
    pub fn text<'b>(self, digits: &'b mut Digits) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Int(n) => digits.0.format(n).as_bytes(),
        }
    }
}

impl<'a> From<&'a [u8]> for Item<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<i64> for Item<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl std::fmt::Debug for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digits")
    }
}

/// No entry takes more than this beside its element.
const OVERHEAD_BYTES_MAX: usize = HEAD_BYTES_MAX + BACK_BYTES_MAX;

/// Counts the bytes of the entry of a string that no short head is for.
pub(crate) fn long_entry_bytes(string_bytes: usize) -> usize {
    debug_assert!(STRING_32_FROM_BYTES <= string_bytes);
    let encoded_bytes = STRING_32_HEAD_BYTES + string_bytes;
    encoded_bytes + back_bytes(encoded_bytes)
}

/// Makes the pieces of an entry, to be copied one behind the other.
///
/// # Panics
/// If the element has more than `u32::MAX` bytes.
#[inline]
pub(super) fn encode<R>(item: Item<'_>, copy: impl FnOnce(&[&[u8]]) -> R) -> R {
    let integer = match item {
        Item::Int(n) => Some(n),
        Item::Bytes(bytes) => parse_i64(bytes),
    };
    match (item, integer) {
        // In registers, not through arrays that have to be filled and read again.
        (Item::Bytes(bytes), None) if bytes.len() < STRING_12_FROM_BYTES => {
            let length = bytes.len() as u8;
            copy(&[&[STRING_6 | length], bytes, &[1 + length]])
        }
        (Item::Bytes(bytes), None) => {
            let (mut head, mut back) = ([0; HEAD_BYTES_MAX], [0; BACK_BYTES_MAX]);
            let head_bytes = encode_length(bytes.len(), &mut head);
            let back_bytes = encode_back(head_bytes + bytes.len(), &mut back);
            copy(&[&head[..head_bytes], bytes, &back[..back_bytes]])
        }
        (_, n) => match n.unwrap_or_default() {
            n @ 0..=127 => copy(&[&[n as u8, 1]]),
            n => {
                let mut head = [0; HEAD_BYTES_MAX];
                let head_bytes = encode_integer(n, &mut head);
                copy(&[&head[..head_bytes], &[head_bytes as u8]])
            }
        },
    }
}

/// Reads the entry at `at`, and returns how many bytes it has without the length at its end.
///
/// # Panics
/// If no whole entry is there, which is never so in bytes that were checked.
pub(super) fn decode(bytes: &[u8], at: usize) -> (Item<'_>, usize) {
    let entry = &bytes[at..];
    let integer = |n: i32, bytes: usize| (Item::Int(i64::from(n)), bytes);
    let string =
        |head: usize, length: usize| (Item::Bytes(&entry[head..head + length]), head + length);
    match entry[0] {
        first @ 0..STRING_6 => integer(i32::from(first), 1),
        first @ STRING_6..INTEGER_13 => string(1, usize::from(first & 0x3f)),
        first @ INTEGER_13..STRING_12 => {
            // The sign of 13 bits is moved to where that of 16 bits is, and back.
            let bits = u16::from_be_bytes([first, entry[1]]) << 3;
            integer(i32::from(bits.cast_signed() >> 3), 2)
        }
        first @ STRING_12..STRING_32 => {
            string(2, usize::from(first & 0x0f) << 8 | usize::from(entry[1]))
        }
        STRING_32 => string(5, u32::from_le_bytes(array(entry)) as usize),
        INTEGER_16 => integer(i32::from(i16::from_le_bytes(array(entry))), 3),
        INTEGER_24 => {
            let [a, b, c] = array(entry);
            integer(i32::from_le_bytes([0, a, b, c]) >> 8, 4)
        }
        INTEGER_32 => integer(i32::from_le_bytes(array(entry)), 5),
        INTEGER_64 => (Item::Int(i64::from_le_bytes(array(entry))), 9),
        _ => panic!("no entry of a listpack is at {at}"),
    }
}

/// Reads the entry at `at` if it is a string below 64 bytes, as most are, and returns where the
/// next one starts.
#[inline(always)]
pub(super) fn decode_short(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let first = bytes[at];
    if !(STRING_6..INTEGER_13).contains(&first) {
        return None;
    }
    let end = at + 1 + usize::from(first & 0x3f);
    Some((&bytes[at + 1..end], end + 1))
}

/// Counts all bytes of an entry that starts with this one, if it is a string below 64 bytes or
/// an integer below 128.
#[inline]
pub(super) fn short_bytes(first: u8) -> Option<usize> {
    match first {
        0..STRING_6 => Some(2),
        STRING_6..INTEGER_13 => Some(2 + usize::from(first & 0x3f)),
        _ => None,
    }
}

/// Counts the bytes of the entry at the start of `entry` without the length at its end, if its
/// head is whole and one that there is. The entry itself may reach beyond.
#[inline]
pub(super) fn encoded_bytes(entry: &[u8]) -> Option<usize> {
    Some(match *entry.first()? {
        0..STRING_6 => 1,
        first @ STRING_6..INTEGER_13 => 1 + usize::from(first & 0x3f),
        INTEGER_13..STRING_12 => 2,
        first @ STRING_12..STRING_32 => {
            2 + (usize::from(first & 0x0f) << 8 | usize::from(*entry.get(1)?))
        }
        STRING_32 => 5 + u32::from_le_bytes(*entry.get(1..)?.first_chunk()?) as usize,
        INTEGER_16 => 3,
        INTEGER_24 => 4,
        INTEGER_32 => 5,
        INTEGER_64 => 9,
        _ => return None,
    })
}

/// Counts the bytes of the length behind an entry of so many.
///
/// From two bytes on the bounds are one less than what would fit: that is the format.
#[inline]
pub(super) fn back_bytes(encoded_bytes: usize) -> usize {
    match encoded_bytes {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

/// Reads the length that ends before `end`; none if it is longer than any or has no start.
#[inline]
pub(super) fn decode_back(bytes: &[u8], end: usize) -> Option<usize> {
    if let Some(byte @ 0..0x80) = bytes.get(end.checked_sub(1)?) {
        return Some(usize::from(*byte));
    }
    let mut length = 0;
    for at in 0..BACK_BYTES_MAX {
        let byte = *bytes.get(end.checked_sub(at + 1)?)?;
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

/// Encodes what is too large for a byte.
fn encode_integer(n: i64, head: &mut [u8; HEAD_BYTES_MAX]) -> usize {
    let bytes = n.to_le_bytes();
    let (first, count) = match n {
        -4_096..=4_095 => {
            head[0] = INTEGER_13 | bytes[1] & 0x1f;
            head[1] = bytes[0];
            return 2;
        }
        -0x8000..=0x7fff => (INTEGER_16, 2),
        -0x80_0000..=0x7f_ffff => (INTEGER_24, 3),
        -0x8000_0000..=0x7fff_ffff => (INTEGER_32, 4),
        _ => (INTEGER_64, 8),
    };
    head[0] = first;
    head[1..].copy_from_slice(&bytes);
    1 + count
}

/// Encodes the length of a string that is not short.
fn encode_length(length: usize, head: &mut [u8; HEAD_BYTES_MAX]) -> usize {
    let bytes = u32::try_from(length).expect("an element has less than 4 GiB").to_le_bytes();
    if length < STRING_32_FROM_BYTES {
        head[0] = STRING_12 | bytes[1];
        head[1] = bytes[0];
        return 2;
    }
    head[0] = STRING_32;
    head[1..5].copy_from_slice(&bytes);
    5
}

fn encode_back(encoded_bytes: usize, back: &mut [u8; BACK_BYTES_MAX]) -> usize {
    let count = back_bytes(encoded_bytes);
    let mut left = encoded_bytes;
    for (at, byte) in back[..count].iter_mut().enumerate().rev() {
        *byte = left as u8 & 0x7f | if at == 0 { 0 } else { 0x80 };
        left >>= 7;
    }
    count
}

/// Returns what stands behind the first byte.
#[inline]
fn array<const BYTES: usize>(entry: &[u8]) -> [u8; BYTES] {
    *entry[1..].first_chunk().expect("an entry is whole")
}

#[cfg(test)]
mod tests {
    use super::{Digits, Item, back_bytes, decode, decode_back, encode, encoded_bytes};

    fn encoded(item: Item<'_>) -> Vec<u8> {
        encode(item, |pieces| pieces.concat())
    }

    #[test]
    fn integers_take_the_shortest_head() {
        let bounds: [(i64, usize); 18] = [
            (0, 1),
            (127, 1),
            (128, 2),
            (-1, 2),
            (4_095, 2),
            (-4_096, 2),
            (4_096, 3),
            (-4_097, 3),
            (32_767, 3),
            (-32_769, 4),
            (8_388_607, 4),
            (-8_388_608, 4),
            (8_388_608, 5),
            (-8_388_609, 5),
            (i64::from(i32::MAX), 5),
            (i64::from(i32::MIN) - 1, 9),
            (i64::MIN, 9),
            (i64::MAX, 9),
        ];
        for (n, bytes) in bounds {
            let text = n.to_string();
            for item in [Item::Int(n), Item::Bytes(text.as_bytes())] {
                let encoded = encoded(item);
                assert_eq!(decode(&encoded, 0), (Item::Int(n), bytes), "{n}");
                assert_eq!(encoded_bytes(&encoded), Some(bytes));
                assert_eq!((encoded.len(), encoded[bytes]), (bytes + 1, bytes as u8));
            }
            assert!(Item::Int(n).is(text.as_bytes()) && !Item::Int(n).is(b"x"));
            assert_eq!(Item::Int(n).text(&mut Digits::default()), text.as_bytes());
            assert_eq!(Item::Int(n).len(), text.len());
        }
    }

    #[test]
    fn strings_that_are_no_integer_stay_what_they_are() {
        for text in ["", "-", "-0", "+1", "01", " 1", "1 ", "1.0", "9223372036854775808", "abc"] {
            let encoded = encoded(Item::Bytes(text.as_bytes()));
            assert_eq!(decode(&encoded, 0).0, Item::Bytes(text.as_bytes()));
        }
    }

    #[test]
    fn lengths_at_the_bounds_are_found_from_behind() {
        let around = |n: usize| n - 9..n + 3;
        for length in (0..200).chain(around(4_096)).chain(around(16_383)).chain(around(2_097_151)) {
            let string = vec![b'x'; length];
            let bytes = encoded(Item::Bytes(&string));
            let (item, count) = decode(&bytes, 0);
            assert_eq!(item, Item::Bytes(&string));
            assert_eq!(encoded_bytes(&bytes), Some(count));
            assert_eq!(count + back_bytes(count), bytes.len());
            assert_eq!(decode_back(&bytes, bytes.len()), Some(count), "{length}");
        }
    }
}
