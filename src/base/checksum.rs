//! Pure: CRC16 for cluster slots and CRC64 for RDB files, DUMP and MIGRATE.
//!
//! CRC16 is XMODEM's: polynomial 0x1021, from the top bit. CRC64 is Jones's: polynomial
//! 0xad93d23594c935a9, reflected, from zero and with nothing done at the end, so that
//! going on from a result is the same as one run over all.

/// How many slots a cluster has.
pub const SLOT_COUNT: u16 = 16_384;
const CRC16_POLYNOMIAL: u16 = 0x1021;
/// Jones's polynomial with its bits turned round.
const CRC64_POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
/// So many bytes are taken at once, each by a table of its own.
const SLICE_BYTES: usize = 16;

static CRC16_TABLE: [u16; 256] = crc16_table();
static CRC64_TABLES: [[u64; 256]; SLICE_BYTES] = crc64_tables();

/// Returns the slot of a key: of what stands between its first `{` and the next `}`, if
/// that is anything, so that related keys can share a slot.
#[inline]
pub fn key_slot(key: &[u8]) -> u16 {
    crc16(hash_tag(key)) % SLOT_COUNT
}

/// Returns the part of a key that decides on its slot.
#[inline]
pub fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|c| *c == b'{') else { return key };
    let tag = &key[open + 1..];
    match tag.iter().position(|c| *c == b'}') {
        None | Some(0) => key,
        Some(close) => &tag[..close],
    }
}

/// Returns the CRC16 of `bytes`.
#[inline]
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let [top, _] = crc.to_be_bytes();
        crc << 8 ^ CRC16_TABLE[usize::from(top ^ byte)]
    })
}

/// Goes on from the CRC64 `crc` of what came before, zero at the start, with `bytes`.
pub fn crc64(crc: u64, bytes: &[u8]) -> u64 {
    let (slices, rest) = bytes.as_chunks::<SLICE_BYTES>();
    let crc = slices.iter().fold(crc, |crc, slice| {
        let all = u128::from_le_bytes(*slice) ^ u128::from(crc);
        let (low, high) = (all as u64, (all >> 64) as u64);
        // The first byte has the longest way to go: it takes the last table.
        (0..8).fold(0, |sum, at| {
            let first = CRC64_TABLES[15 - at][(low >> (8 * at) & 0xff) as usize];
            let second = CRC64_TABLES[7 - at][(high >> (8 * at) & 0xff) as usize];
            sum ^ first ^ second
        })
    });
    rest.iter().fold(crc, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        crc >> 8 ^ CRC64_TABLES[0][usize::from(low ^ byte)]
    })
}

const fn crc16_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = crc << 1 ^ if crc >> 15 == 1 { CRC16_POLYNOMIAL } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// Table `n` tells what a byte does that `n` bytes follow.
const fn crc64_tables() -> [[u64; 256]; SLICE_BYTES] {
    let mut tables = [[0; 256]; SLICE_BYTES];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { CRC64_POLYNOMIAL } else { 0 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut n = 1;
    while n < SLICE_BYTES {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[n - 1][byte];
            tables[n][byte] = crc >> 8 ^ tables[0][(crc & 0xff) as usize];
            byte += 1;
        }
        n += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn the_check_values_are_the_known_ones() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!((crc16(b""), crc64(0, b"")), (0, 0));
        let long = b"This is a test of the emergency broadcast system.";
        assert_eq!(crc64(0, long), by_bits(0, long));
    }

    /// The definition, bit by bit.
    fn by_bits(crc: u64, bytes: &[u8]) -> u64 {
        bytes.iter().fold(crc, |crc, byte| {
            (0..8).fold(crc ^ u64::from(*byte), |crc, _| {
                crc >> 1 ^ if crc & 1 == 1 { CRC64_POLYNOMIAL } else { 0 }
            })
        })
    }

    #[test]
    fn crc64_goes_on_from_any_place() {
        let mut random = Random::for_test("crc64_goes_on_from_any_place");
        for _ in 0..2_000 {
            let mut bytes = vec![0; random.index(200)];
            random.fill(&mut bytes);
            let (first, second) = bytes.split_at(random.index(bytes.len() + 1));
            let start = random.any_u64();
            let whole = crc64(start, &bytes);
            assert_eq!(whole, crc64(crc64(start, first), second));
            assert_eq!(whole, by_bits(start, &bytes));
        }
    }

    #[test]
    fn slots_are_those_of_a_cluster() {
        // As CLUSTER KEYSLOT answers.
        let cases: [(&[u8], u16); 5] =
            [(b"foo", 12_182), (b"bar", 5_061), (b"hello", 866), (b"", 0), (b"123456789", 12_739)];
        for (key, slot) in cases {
            assert_eq!(key_slot(key), slot, "{}", key.escape_ascii());
        }
    }

    #[test]
    fn the_hash_tag_decides_if_it_is_not_empty() {
        let cases: [(&[u8], &[u8]); 9] = [
            (b"{user1000}.following", b"user1000"),
            (b"a{b}c{d}", b"b"),
            (b"foo{}{bar}", b"foo{}{bar}"),
            (b"foo{{bar}}zap", b"{bar"),
            (b"foo{bar", b"foo{bar"),
            (b"foo}bar{", b"foo}bar{"),
            (b"}{a}", b"a"),
            (b"{}", b"{}"),
            (b"", b""),
        ];
        for (key, tag) in cases {
            assert_eq!(hash_tag(key), tag, "{}", key.escape_ascii());
            assert_eq!(key_slot(key), crc16(tag) % SLOT_COUNT);
        }
    }
}
