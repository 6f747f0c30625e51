//! Pure: the ziplist of files before Redis 7.0.
//!
//! ```text
//! bytes in all: u32 · where the last entry starts: u32 · entries: u16 · entries · 0xff
//! ```
//! The count is 65535 if there are more, or it is not known. An entry is the length of the one
//! before it (a byte, or 254 and four), a head, and what the head speaks of:
//!
//! ```text
//! 00nnnnnn · 01nnnnnn n · 10...... nnnn     a string of n bytes, n big endian
//! 11000000 · 11010000 · 11100000            an integer of 2, 4, 8 bytes, little endian
//! 11110000 · 11111110                       an integer of 3, 1 bytes
//! 1111iiii                                  i - 1, if i is from 1 to 13
//! ```

use crate::{Corrupt, listpack::Item};

const HEADER_BYTES: usize = 10;
const END: u8 = 0xff;
const COUNT_UNKNOWN: u16 = u16::MAX;
/// Stands for a length of more than a byte.
const LONG: u8 = 254;

/// The bytes of a ziplist, all of which were checked.
#[derive(Clone, Copy, Debug)]
pub struct Ziplist<'a> {
    entries: &'a [u8],
    count: usize,
}

/// An entry, and how many bytes it is made of.
struct Entry<'a> {
    item: Item<'a>,
    bytes: usize,
    /// What it says of the entry before it.
    bytes_before: usize,
}

impl<'a> Ziplist<'a> {
    /// Looks at bytes as a ziplist, if they are one: every entry is whole, says the truth of the
    /// one before it, and the header says that of all.
    pub fn check(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Corrupt)?;
        let [total, last_at] = [0, 4].map(|at| u32_at(header, at) as usize);
        let known = u16::from_le_bytes([header[8], header[9]]);
        let Some((&END, entries)) = rest.split_last() else { return Err(Corrupt) };
        if total != bytes.len() || last_at >= bytes.len() {
            return Err(Corrupt);
        }
        let (mut at, mut bytes_before, mut count) = (0, 0, 0);
        while at < entries.len() {
            let entry = read(&entries[at..]).ok_or(Corrupt)?;
            if entry.bytes_before != bytes_before {
                return Err(Corrupt);
            }
            (at, bytes_before, count) = (at + entry.bytes, entry.bytes, count + 1);
        }
        let is_last = count == 0 || last_at == HEADER_BYTES + at - bytes_before;
        let is_counted = known == COUNT_UNKNOWN || usize::from(known) == count;
        if is_last && is_counted { Ok(Self { entries, count }) } else { Err(Corrupt) }
    }

    /// Counts the elements.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Walks over the elements.
    pub fn iter(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let mut rest = self.entries;
        std::iter::from_fn(move || {
            let entry = read(rest).filter(|_| !rest.is_empty())?;
            rest = &rest[entry.bytes..];
            Some(entry.item)
        })
    }
}

/// Reads the entry at the start, if it is whole.
fn read(bytes: &[u8]) -> Option<Entry<'_>> {
    let (bytes_before, head_at) = match *bytes.first()? {
        LONG => (u32::from_le_bytes(*bytes.get(1..)?.first_chunk()?) as usize, 5),
        // It would be the end.
        END => return None,
        before => (usize::from(before), 1),
    };
    let (head, rest) = bytes.get(head_at..)?.split_first()?;
    let integer = |bytes: usize| -> Option<(Item<'_>, usize)> {
        let mut wide = [0; 8];
        wide[8 - bytes..].copy_from_slice(rest.get(..bytes)?);
        // The sign is where it belongs, and is drawn down.
        Some((Item::Int(i64::from_le_bytes(wide) >> (64 - 8 * bytes)), bytes))
    };
    let string = |length_bytes: usize, length: usize| -> Option<(Item<'_>, usize)> {
        let string = rest.get(length_bytes..)?.get(..length)?;
        Some((Item::Bytes(string), length_bytes + length))
    };
    let (item, body_bytes) = match *head {
        0..0x40 => string(0, usize::from(*head)),
        0x40..0x80 => string(1, usize::from(head & 0x3f) << 8 | usize::from(*rest.first()?)),
        0x80..0xc0 => string(4, u32::from_be_bytes(*rest.first_chunk()?) as usize),
        0xc0 => integer(2),
        0xd0 => integer(4),
        0xe0 => integer(8),
        0xf0 => integer(3),
        0xfe => integer(1),
        0xf1..=0xfd => Some((Item::Int(i64::from(head & 0x0f) - 1), 0)),
        _ => None,
    }?;
    Some(Entry { item, bytes: head_at + 1 + body_bytes, bytes_before })
}

fn u32_at(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::{COUNT_UNKNOWN, END, Item, LONG, Ziplist};
    use crate::{Corrupt, seed::for_test};

    /// Makes a ziplist as Redis did.
    fn make(items: &[Item<'_>]) -> Vec<u8> {
        let (mut bytes, mut last_at, mut before) = (vec![0; 10], 10, 0);
        for item in items {
            last_at = bytes.len();
            match u8::try_from(before).ok().filter(|before| *before < LONG) {
                Some(before) => bytes.push(before),
                None => {
                    bytes.push(LONG);
                    bytes.extend_from_slice(&(before as u32).to_le_bytes());
                }
            }
            write(&mut bytes, *item);
            before = bytes.len() - last_at;
        }
        bytes.push(END);
        let (length, last_at) = (bytes.len() as u32, last_at as u32);
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes[4..8].copy_from_slice(&last_at.to_le_bytes());
        bytes[8..10].copy_from_slice(&(items.len() as u16).to_le_bytes());
        bytes
    }

    fn write(bytes: &mut Vec<u8>, item: Item<'_>) {
        match item {
            Item::Int(n @ 0..=12) => bytes.push(0xf1 + n as u8),
            Item::Int(n) => {
                let width = [1, 2, 3, 4, 8].into_iter().find(|width| {
                    let shift = 64 - 8 * width;
                    n << shift >> shift == n
                });
                let width = width.unwrap();
                bytes.push([0, 0xfe, 0xc0, 0xf0, 0xd0, 0, 0, 0, 0xe0][width]);
                bytes.extend_from_slice(&n.to_le_bytes()[..width]);
            }
            Item::Bytes(string) => {
                match string.len() {
                    0..64 => bytes.push(string.len() as u8),
                    64..16_384 => {
                        bytes.extend([0x40 | (string.len() >> 8) as u8, string.len() as u8])
                    }
                    _ => {
                        bytes.push(0x80);
                        bytes.extend_from_slice(&(string.len() as u32).to_be_bytes());
                    }
                }
                bytes.extend_from_slice(string);
            }
        }
    }

    fn any_item<'a>(random: &mut Random, text: &'a [u8]) -> Item<'a> {
        match random.below(4) {
            0 => Item::Int(random.any_u64().cast_signed() >> random.below(64)),
            1 if random.below(30) == 0 => Item::Bytes(text),
            1 => Item::Bytes(&text[..random.index(400)]),
            _ => Item::Bytes(&text[..random.index(9)]),
        }
    }

    #[test]
    fn elements_are_found() {
        let by_hand = b"\x0f\0\0\0\x0c\0\0\0\x02\0\0\xf3\x02\xf6\xff";
        let list = Ziplist::check(by_hand).unwrap();
        assert!(list.iter().eq([Item::Int(2), Item::Int(5)]));
        let mut random = for_test("elements_are_found");
        let text = vec![b'x'; 20_000];
        for _ in 0..2_000 {
            let items: Vec<Item<'_>> =
                (0..random.index(20)).map(|_| any_item(&mut random, &text)).collect();
            let mut bytes = make(&items);
            let list = Ziplist::check(&bytes).unwrap();
            assert_eq!(list.count(), items.len());
            assert!(list.iter().eq(items.iter().copied()));
            bytes[8..10].copy_from_slice(&COUNT_UNKNOWN.to_le_bytes());
            assert!(Ziplist::check(&bytes).is_ok_and(|list| list.count() == items.len()));
            bytes[8..10].copy_from_slice(&(items.len() as u16 + 1).to_le_bytes());
            assert_eq!(Ziplist::check(&bytes).err(), Some(Corrupt));
        }
    }

    #[test]
    fn any_bytes_are_a_ziplist_or_an_error() {
        let mut random = for_test("any_bytes_are_a_ziplist_or_an_error");
        let text = vec![b'x'; 400];
        let mut valid_count = 0;
        for _ in 0..30_000 {
            let items: Vec<Item<'_>> =
                (0..random.index(9)).map(|_| any_item(&mut random, &text)).collect();
            let mut bytes = make(&items);
            for _ in 0..1 + random.below(3) {
                let at = random.index(bytes.len().min(40));
                bytes[at] =
                    if random.below(2) == 0 { random.any_u64() as u8 } else { bytes[at] ^ 1 };
            }
            if random.below(5) == 0 {
                bytes.truncate(random.index(bytes.len()));
                let length = bytes.len() as u32;
                if let Some(head) = bytes.first_chunk_mut() {
                    *head = length.to_le_bytes();
                }
            }
            let Ok(list) = Ziplist::check(&bytes) else { continue };
            valid_count += 1;
            assert_eq!(list.iter().count(), list.count());
        }
        assert!(valid_count > 500, "{valid_count} were valid");
    }

    #[test]
    fn what_is_refused() {
        let good = make(&[Item::Int(7), Item::Bytes(b"abc"), Item::Int(300)]);
        assert!(Ziplist::check(&good).is_ok());
        for at in 0..good.len() {
            assert!(Ziplist::check(&good[..at]).is_err(), "cut to {at}");
            let mut bytes = good.clone();
            bytes[at] ^= 0x80;
            let is_content = (14..17).contains(&at) || (19..21).contains(&at);
            assert_eq!(Ziplist::check(&bytes).is_ok(), is_content, "byte {at}");
        }
        // A string that claims 4 GiB.
        let huge = b"\x12\0\0\0\x0a\0\0\0\x01\0\0\x80\xff\xff\xff\xffa\xff";
        assert!(Ziplist::check(huge).is_err());
    }
}
