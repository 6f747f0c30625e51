//! Pure: bytes that choose, and what is built of them: packed values that are whole, as a fuzzer
//! would need long to find them, with elements in every form, those among them that nobody
//! writes.

const END: u8 = 0xff;
/// Of the heads of a listpack's elements the last one.
const INTEGER_64: u8 = 0xf4;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// What is left of the bytes.
#[derive(Clone, Copy)]
pub struct Source<'a>(pub &'a [u8]);

impl<'a> Source<'a> {
    /// Takes a byte; there are zeros behind the last.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Takes a number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// Takes up to so many bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Takes a piece whose length stands before it.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Makes a listpack of encoded elements; what is cut off at the end of one is taken to be zero.
pub fn pack(entries: &[u8]) -> Vec<u8> {
    let mut source = Source(entries);
    let mut bytes = vec![0; 6];
    let mut count = 0_u16;
    while !source.is_empty() && count < COUNT_UNKNOWN - 1 {
        let start = bytes.len();
        let head = source.byte();
        if INTEGER_64 < head {
            continue;
        }
        bytes.push(head);
        let body = match head {
            0x80..=0xbf => usize::from(head & 0x3f),
            0xc0..=0xdf => 1,
            0xe0..=0xef => {
                let low = source.byte();
                bytes.push(low);
                usize::from(head & 0x0f) << 8 | usize::from(low)
            }
            0xf0 => {
                let length = source.byte();
                bytes.extend_from_slice(&[length, 0, 0, 0]);
                usize::from(length)
            }
            0xf1..=0xf3 => usize::from(head & 0x0f) + 1,
            INTEGER_64 => 8,
            _ => 0,
        };
        let taken = source.take(body);
        bytes.extend_from_slice(taken);
        bytes.resize(bytes.len() + body - taken.len(), 0);
        append_length(&mut bytes, start);
        count += 1;
    }
    bytes.push(END);
    let total = u32::try_from(bytes.len()).expect("a source is small");
    bytes[..4].copy_from_slice(&total.to_le_bytes());
    bytes[4..6].copy_from_slice(&count.to_le_bytes());
    bytes
}

/// Appends the length of an entry as it stands behind it: to be read from its end.
fn append_length(bytes: &mut Vec<u8>, start: usize) {
    let length = bytes.len() - start;
    let digits = (1..5).find(|digits| length < 1 << (7 * digits)).expect("an entry is small");
    for digit in (0..digits).rev() {
        let bits = (length >> (7 * digit) & 0x7f) as u8;
        // All but the first go on towards it.
        bytes.push(if digit == digits - 1 { bits } else { bits | 0x80 });
    }
}

/// Makes a ziplist of elements: a byte that says how each is held, and what it is.
pub fn ziplist(source: &mut Source<'_>) -> Vec<u8> {
    let mut bytes = vec![0; 10];
    let (mut before, mut last_at, mut count) = (0, 10, 0_u16);
    while !source.is_empty() && count < COUNT_UNKNOWN - 1 {
        last_at = bytes.len();
        match u8::try_from(before).ok().filter(|before| *before < 254) {
            Some(before) => bytes.push(before),
            None => {
                bytes.push(254);
                bytes.extend_from_slice(&(before as u32).to_le_bytes());
            }
        }
        let integer_bytes = match source.byte() % 8 {
            0 => Some((0xc0, 2)),
            1 => Some((0xd0, 4)),
            2 => Some((0xe0, 8)),
            3 => Some((0xf0, 3)),
            4 => Some((0xfe, 1)),
            5 => Some((0xf1 + source.byte() % 13, 0)),
            _ => None,
        };
        if let Some((head, count)) = integer_bytes {
            bytes.push(head);
            (0..count).for_each(|_| bytes.push(source.byte()));
        } else {
            let text = source.piece();
            let length = text.len() as u16;
            bytes.extend_from_slice(&[0x40 | (length >> 8) as u8, length as u8]);
            bytes.extend_from_slice(text);
        }
        before = bytes.len() - last_at;
        count += 1;
    }
    bytes.push(END);
    let total = u32::try_from(bytes.len()).expect("a source is small");
    bytes[..4].copy_from_slice(&total.to_le_bytes());
    bytes[4..8].copy_from_slice(&(last_at as u32).to_le_bytes());
    bytes[8..10].copy_from_slice(&count.to_le_bytes());
    bytes
}

/// Makes a set of integers of bytes, which need not be in order.
pub fn intset(width: usize, integers: &[u8]) -> Vec<u8> {
    let count = integers.len() / width;
    let mut bytes = (width as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(&(count as u32).to_le_bytes());
    bytes.extend_from_slice(&integers[..count * width]);
    bytes
}

/// Returns a string as it stands in a snapshot.
pub fn string(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("a source is small");
    let mut bytes = vec![0x80];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text);
    bytes
}
