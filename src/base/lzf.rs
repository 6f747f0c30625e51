//! Pure: LZF, the compression of strings in RDB files.
//!
//! A stream is made of two kinds of items. A first byte below 32 says that one byte more
//! than it follows as it is. Any other is a copy of what the output already has: the top
//! three bits are the length less two, where seven means that a byte follows to be added;
//! the low five bits and one more byte are the distance less one.
//!
//! The compressor remembers for each hash of three bytes where it saw them last. It decides as
//! liblzf does, with the same hash and the same limits, so that what it writes is what Redis
//! writes: payloads of DUMP can be compared. The decompressor takes any bytes: every length and
//! distance is checked, and nothing is written beyond the size that was announced.

const LITERALS_MAX: usize = 32;
const DISTANCE_MAX: usize = 1 << 13;
const COPY_BYTES_MIN: usize = 3;
/// A length of seven and a byte more, and the two that every copy has.
const COPY_BYTES_MAX: usize = 7 + 255 + 2;
/// Lengths below this stand in the three bits.
const LENGTH_LONG: usize = 7;
const HASH_BITS: u32 = 16;
/// The bytes of a copy in the stream.
const COPY_ITEM_BYTES_MAX: usize = 3;

/// The data is no LZF stream of the announced size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt;

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("invalid LZF compressed string")
    }
}

impl std::error::Error for Corrupt {}

/// Compresses, if that makes it smaller.
///
/// Data of 4 GiB and more is left alone.
pub fn compress(data: &[u8]) -> Option<Vec<u8>> {
    let mut compressor = Compressor::default();
    compressor.compress(data, data.len().saturating_sub(1))?;
    Some(compressor.out)
}

/// A compressor, with what it needs for one string after the other.
///
/// Its table is neither small nor cleared between strings: places are counted on, so that those
/// of strings before are told by being too small.
#[derive(Default)]
pub struct Compressor {
    /// Where three bytes were seen last, by their hash.
    places: Vec<u32>,
    /// What the first place of the present string is called; 0 means no place.
    first: u32,
    /// The same of the next string.
    next: u32,
    out: Vec<u8>,
}

impl Compressor {
    /// Compresses to at most `bytes_max` bytes, or not at all. As with liblzf, a stream that
    /// comes close to the limit on its way may be given up though its end would fit.
    pub fn compress(&mut self, data: &[u8], bytes_max: usize) -> Option<&[u8]> {
        let length = u32::try_from(data.len()).ok()?;
        self.begin(length);
        self.out.clear();
        let out = &mut self.out;
        out.reserve(bytes_max.min(data.len()) + COPY_ITEM_BYTES_MAX);
        let (mut at, mut literals_at) = (0, 0);
        while at + COPY_BYTES_MIN <= data.len() {
            let place = self.first + at as u32;
            let seen = &mut self.places[slot(&data[at..at + COPY_BYTES_MIN])];
            let before = std::mem::replace(seen, place);
            let literal_count = at - literals_at;
            // What is written, with a byte for the length of the literals that stand out.
            let written = out.len() + 1 + literal_count;
            // The first place of all is never taken for a copy.
            let is_near = self.first < before && place - before <= DISTANCE_MAX as u32;
            let from = before.wrapping_sub(self.first) as usize;
            if !is_near || data[from..from + COPY_BYTES_MIN] != data[at..at + COPY_BYTES_MIN] {
                if written >= bytes_max {
                    return None;
                }
                at += 1;
                if literal_count + 1 == LITERALS_MAX {
                    write_literals(out, &data[literals_at..at]);
                    literals_at = at;
                }
                continue;
            }
            if written + COPY_ITEM_BYTES_MAX + 1 - usize::from(literal_count == 0) >= bytes_max {
                return None;
            }
            let bytes = common_bytes(data, from, at);
            write_literals(out, &data[literals_at..at]);
            write_copy(out, at - from, bytes);
            at += bytes;
            literals_at = at;
            // The last two places of a copy are enough to find what follows.
            if at + COPY_BYTES_MIN <= data.len() {
                for noted in at - 2..at {
                    self.places[slot(&data[noted..noted + COPY_BYTES_MIN])] =
                        self.first + noted as u32;
                }
            }
        }
        if out.len() + 1 + (at - literals_at) + COPY_BYTES_MIN > bytes_max {
            return None;
        }
        write_literals(out, &data[literals_at..]);
        Some(out)
    }

    /// Sees that the table is there, and that its numbers are enough for one more string.
    fn begin(&mut self, length: u32) {
        if self.places.is_empty() || u32::MAX - self.next < length {
            self.places.clear();
            self.places.resize(1 << HASH_BITS, 0);
            self.next = 1;
        }
        self.first = self.next;
        self.next += length;
    }
}

/// Decompresses to exactly `bytes` bytes.
///
/// `bytes` comes from the peer or file: it is checked against what the stream could make
/// at most before anything is allocated.
pub fn decompress(data: &[u8], bytes: usize) -> Result<Vec<u8>, Corrupt> {
    let mut out = Vec::new();
    decompress_into(&mut out, data, bytes)?;
    Ok(out)
}

/// Decompresses to exactly `bytes` bytes, in place of what `out` holds.
pub fn decompress_into(out: &mut Vec<u8>, data: &[u8], bytes: usize) -> Result<(), Corrupt> {
    out.clear();
    // Three bytes make 264 at most.
    if bytes > data.len().saturating_mul(COPY_BYTES_MAX / 3) {
        return Err(Corrupt);
    }
    out.try_reserve_exact(bytes).map_err(|_| Corrupt)?;
    let mut rest = data;
    while let [control, behind @ ..] = rest {
        let control = usize::from(*control);
        rest = if control < LITERALS_MAX {
            let (literals, behind) = behind.split_at_checked(control + 1).ok_or(Corrupt)?;
            if literals.len() > bytes - out.len() {
                return Err(Corrupt);
            }
            out.extend_from_slice(literals);
            behind
        } else {
            let (length, behind) = match (control >> 5, behind) {
                (LENGTH_LONG, [more, behind @ ..]) => (LENGTH_LONG + usize::from(*more), behind),
                (length, behind) => (length, behind),
            };
            let (low, behind) = behind.split_first().ok_or(Corrupt)?;
            let distance = ((control & 31) << 8 | usize::from(*low)) + 1;
            if length + 2 > bytes - out.len() {
                return Err(Corrupt);
            }
            copy_from_behind(out, distance, length + 2)?;
            behind
        };
    }
    if out.len() == bytes { Ok(()) } else { Err(Corrupt) }
}

/// Returns where three bytes stand in the table.
#[inline]
fn slot(three: &[u8]) -> usize {
    let bytes = u32::from_be_bytes([0, three[0], three[1], three[2]]);
    let hash = (bytes >> (24 - HASH_BITS)).wrapping_sub(5 * bytes);
    (hash & ((1 << HASH_BITS) - 1)) as usize
}

/// Returns how many bytes a copy takes that starts with three alike. The last two bytes of all
/// are left to literals, unless what is alike ends with them and is rather short.
#[inline]
fn common_bytes(data: &[u8], from: usize, at: usize) -> usize {
    let left = (data.len() - at - 2).min(COPY_BYTES_MAX);
    let most = if 16 < left { left.max(19) } else { left.max(COPY_BYTES_MIN) };
    let pairs = data[from..from + most].iter().zip(&data[at..at + most]);
    COPY_BYTES_MIN + pairs.skip(COPY_BYTES_MIN).take_while(|(before, here)| before == here).count()
}

fn write_literals(out: &mut Vec<u8>, literals: &[u8]) {
    for run in literals.chunks(LITERALS_MAX) {
        out.push(run.len() as u8 - 1);
        out.extend_from_slice(run);
    }
}

fn write_copy(out: &mut Vec<u8>, distance: usize, bytes: usize) {
    let (length, distance) = (bytes - 2, distance - 1);
    let high = (distance >> 8) as u8;
    match length.checked_sub(LENGTH_LONG) {
        None => out.push((length as u8) << 5 | high),
        Some(more) => out.extend_from_slice(&[(LENGTH_LONG as u8) << 5 | high, more as u8]),
    }
    out.push(distance as u8);
}

/// Appends a copy of what lies `distance` back; it may reach into itself.
fn copy_from_behind(out: &mut Vec<u8>, distance: usize, bytes: usize) -> Result<(), Corrupt> {
    let start = out.len().checked_sub(distance).ok_or(Corrupt)?;
    let mut left = bytes;
    // What lies there grows with each round.
    while left > 0 {
        let step = left.min(out.len() - start);
        out.extend_from_within(start..start + step);
        left -= step;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn streams_by_hand_are_understood() {
        let cases: [(&[u8], &[u8]); 5] = [
            (b"", b""),
            (b"\x02abc", b"abc"),
            // One `a`, then a copy of nine from one back.
            (b"\x00a\xe0\x00\x00", b"aaaaaaaaaa"),
            // `abc`, a copy of three from three back, `!`.
            (b"\x02abc\x20\x02\x00!", b"abcabc!"),
            // Five from two back, into itself.
            (b"\x01ab\x60\x01", b"abababa"),
        ];
        for (data, expected) in cases {
            assert_eq!(decompress(data, expected.len()).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_written_is_what_redis_writes() {
        // As DUMP of Redis 7.2 has them.
        let long = [&[b'x'; 40][..], &b"yz".repeat(300)].concat();
        let cases: [(&[u8], &[u8]); 4] = [
            (&[b'a'; 21], b"\x01aa\xe0\x0a\x00"),
            (b"abcabcabcabcabcabcabcabc!", b"\x03abca\xe0\x0a\x02\x01c!"),
            (&long, b"\x01xx\xe0\x1d\0\x01yz\xe0\xff\x01\xe0\xff\x01\xe0;\x01\x01yz"),
            (
                b"the quick brown fox, the quick brown dog",
                b"\x15the quick brown fox, t\xe0\x06\x14\x02dog",
            ),
        ];
        let mut compressor = Compressor::default();
        for (data, expected) in cases {
            let written = compressor.compress(data, data.len() - 4);
            assert_eq!(written, Some(expected), "{}", data.escape_ascii());
        }
        for data in [&b""[..], b"a", b"ab", b"abc", b"abcd", b"abcabc"] {
            assert_eq!(compress(data), None, "{}", data.escape_ascii());
        }
    }

    #[test]
    fn the_numbers_of_places_may_run_out() {
        let text = b"over and over and over and over";
        let expected = compress(text);
        let mut compressor = Compressor::default();
        for next in [u32::MAX - 200, u32::MAX - 20] {
            compressor.compress(text, text.len());
            compressor.next = next;
            for _ in 0..20 {
                assert_eq!(compressor.compress(text, text.len() - 1), expected.as_deref());
            }
        }
    }

    #[test]
    fn what_is_seen_again_is_what_liblzf_sees() {
        // From DUMP of Redis 7.2. With another hash `abc` and `bcd` might share a place.
        let text = b"abcd, abcd; bcde: abcd! abcde, abcdef, cdef, bcdef";
        let stream = b"\x06abcd, a \x05\x01;  \x04\x01e:`\x0b\x00!`\x05\x00e\x80\x18\x03ef, \x80\x05  \x01ef";
        assert_eq!(compress(text).as_deref(), Some(&stream[..]));
    }

    #[test]
    fn broken_streams_are_refused() {
        let cases: [(&[u8], usize); 10] = [
            (b"", 1),
            (b"\x02ab", 3),
            (b"\x02abc", 2),
            (b"\x02abc", 4),
            (b"\x00a\x20\x01", 4),
            (b"\x00a\x20", 4),
            (b"\x00a\xe0", 10),
            (b"\x00a\xe0\x00", 10),
            (b"\x20\x00", 3),
            (b"\x00a", usize::MAX),
        ];
        for (data, bytes) in cases {
            assert_eq!(decompress(data, bytes), Err(Corrupt), "{} {bytes}", data.escape_ascii());
        }
    }

    fn any_text(random: &mut Random, bytes_end: usize) -> Vec<u8> {
        let letters = 1 + random.below(40);
        let mut text = Vec::new();
        let bytes = random.index(bytes_end);
        while text.len() < bytes {
            if random.below(3) == 0 && !text.is_empty() {
                let from = random.index(text.len());
                let end = text.len().min(from + random.index(600));
                text.extend_from_within(from..end);
            }
            text.push(random.below(letters) as u8);
        }
        text
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let mut random = Random::for_test("what_is_compressed_comes_back");
        let mut small_count = 0;
        for round in 0..2_000 {
            let text = any_text(&mut random, if round % 100 == 0 { 60_000 } else { 900 });
            if let Some(data) = compress(&text) {
                small_count += 1;
                assert!(data.len() < text.len());
                assert_eq!(decompress(&data, text.len()), Ok(text));
            }
        }
        assert!(small_count > 1_000, "{small_count} of 2,000 became smaller");
        let mut noise = vec![0; 5_000];
        random.fill(&mut noise);
        assert_eq!(compress(&noise), None);
    }

    #[test]
    fn any_bytes_are_a_stream_or_an_error() {
        let mut random = Random::for_test("any_bytes_are_a_stream_or_an_error");
        let mut good_count = 0;
        for _ in 0..20_000 {
            let mut data = compress(&any_text(&mut random, 300)).unwrap_or_default();
            for _ in 0..random.below(4) {
                if !data.is_empty() {
                    let at = random.index(data.len());
                    data[at] = random.any_u64() as u8;
                }
            }
            data.truncate(random.index(data.len() + 1));
            let bytes = random.index(400);
            if let Ok(text) = decompress(&data, bytes) {
                assert_eq!(text.len(), bytes);
                good_count += 1;
            }
        }
        assert!(good_count > 0);
    }
}
