//! Pure: LZF, the compression of strings in RDB files.
//!
//! A stream is made of two kinds of items. A first byte below 32 says that one byte more
//! than it follows as it is. Any other is a copy of what the output already has: the top
//! three bits are the length less two, where seven means that a byte follows to be added;
//! the low five bits and one more byte are the distance less one.
//!
//! The compressor remembers for each hash of three bytes where it saw them last. What it
//! writes need not be what liblzf would write; every reader understands it. The
//! decompressor takes any bytes: every length and distance is checked, and nothing is
//! written beyond the size that was announced.

const LITERALS_MAX: usize = 32;
const DISTANCE_MAX: usize = 1 << 13;
const COPY_BYTES_MIN: usize = 3;
/// A length of seven and a byte more, and the two that every copy has.
const COPY_BYTES_MAX: usize = 7 + 255 + 2;
/// Lengths below this stand in the three bits.
const LENGTH_LONG: usize = 7;
const HASH_BITS: u32 = 14;

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
    u32::try_from(data.len()).ok()?;
    let mut out = Vec::with_capacity(data.len());
    let mut seen = Seen::new(data.len());
    let (mut at, mut literals_at) = (0, 0);
    while at + COPY_BYTES_MIN <= data.len() {
        let Some(from) = seen.replace(data, at) else {
            at += 1;
            continue;
        };
        let bytes = common_bytes(data, from, at);
        write_literals(&mut out, &data[literals_at..at]);
        write_copy(&mut out, at - from, bytes);
        // Too large already: stop before all has been looked at.
        if out.len() >= data.len() {
            return None;
        }
        // The last two places of a copy are enough to find what follows.
        let end = at + bytes;
        for place in end - 2..end {
            seen.note(data, place);
        }
        (at, literals_at) = (end, end);
    }
    if out.len() + (data.len() - literals_at) >= data.len() {
        return None;
    }
    write_literals(&mut out, &data[literals_at..]);
    (out.len() < data.len()).then_some(out)
}

/// Decompresses to exactly `bytes` bytes.
///
/// `bytes` comes from the peer or file: it is checked against what the stream could make
/// at most before anything is allocated.
pub fn decompress(data: &[u8], bytes: usize) -> Result<Vec<u8>, Corrupt> {
    // Three bytes make 264 at most.
    if bytes > data.len().saturating_mul(COPY_BYTES_MAX / 3) {
        return Err(Corrupt);
    }
    let mut out = Vec::new();
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
            copy_from_behind(&mut out, distance, length + 2)?;
            behind
        };
    }
    if out.len() == bytes { Ok(out) } else { Err(Corrupt) }
}

/// Where three bytes were seen last, by their hash; one more than the place, 0 for never.
struct Seen {
    places: Vec<u32>,
    shift: u32,
}

impl Seen {
    /// A short text gets a small table, which is quicker to clear.
    fn new(bytes: usize) -> Self {
        let bits = (bytes.max(64) - 1).ilog2().min(HASH_BITS - 1) + 1;
        Self { places: vec![0; 1 << bits], shift: u32::BITS - bits }
    }

    /// Remembers a place and returns the one before, if it is near and the same bytes.
    #[inline]
    fn replace(&mut self, data: &[u8], at: usize) -> Option<usize> {
        let three = &data[at..at + COPY_BYTES_MIN];
        let slot = self.slot(three);
        let before = std::mem::replace(&mut self.places[slot], at as u32 + 1);
        let before = (before as usize).checked_sub(1)?;
        let is_near = at - before <= DISTANCE_MAX;
        (is_near && &data[before..before + COPY_BYTES_MIN] == three).then_some(before)
    }

    #[inline]
    fn note(&mut self, data: &[u8], at: usize) {
        if let Some(three) = data.get(at..at + COPY_BYTES_MIN) {
            let slot = self.slot(three);
            self.places[slot] = at as u32 + 1;
        }
    }

    #[inline]
    fn slot(&self, three: &[u8]) -> usize {
        let bytes = u32::from_le_bytes([three[0], three[1], three[2], 0]);
        (bytes.wrapping_mul(0x9e37_79b1) >> self.shift) as usize
    }
}

/// Returns how many bytes a copy can take that starts with three alike.
#[inline]
fn common_bytes(data: &[u8], from: usize, at: usize) -> usize {
    let most = (data.len() - at).min(COPY_BYTES_MAX);
    let pairs = data[from..from + most].iter().zip(&data[at..at + most]);
    pairs.take_while(|(before, here)| before == here).count()
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
    fn what_is_written_is_the_format() {
        assert_eq!(compress(b"aaaaaaaaaa").as_deref(), Some(&b"\x00a\xe0\x00\x00"[..]));
        assert_eq!(compress(b"abcabcabcabc!").as_deref(), Some(&b"\x02abc\xe0\x00\x02\x00!"[..]));
        for data in [&b""[..], b"a", b"ab", b"abc", b"abcd", b"abcabc"] {
            assert_eq!(compress(data), None, "{}", data.escape_ascii());
        }
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
