//! Pure: HyperLogLog beside what Redis 7.2.6 made of the same elements, and crafted strings.

use base::digest::sha1_hex;

use super::{
    Encoding, Failure, HEADER_BYTES, MAGIC, REGISTERS, Registers, add, cache_count, cached_count,
    count, decode, dense, empty, encoding, invalidate, murmur64a, register_of, selftest, sparse,
    to_dense,
};
use crate::{Corrupt, seed, thin::ThinBytes};

/// What Redis has after PFADD of elements from the hundred thousandth on.
struct Added {
    sparse_bytes_max: usize,
    elements: u64,
    count: u64,
    bytes: usize,
    /// Of the whole string, its count out of date.
    sha1: &'static str,
}

const ADDED: [Added; 14] = [
    Added {
        sparse_bytes_max: 3000,
        elements: 0,
        count: 0,
        bytes: 18,
        sha1: "e2c2a4d6f667db2d3180523f3c7a9bda5a4db0fc",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 1,
        count: 1,
        bytes: 21,
        sha1: "45bd9536d6e6431682ce48c1e03e9804dc4fd2e2",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 3,
        count: 3,
        bytes: 27,
        sha1: "0dc96ba2a7ec0be00d341a5b754898c2c4a9977d",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 30,
        count: 30,
        bytes: 102,
        sha1: "712c463e897edc5c1c8a16f3b56abe893bc6e633",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 300,
        count: 301,
        bytes: 696,
        sha1: "550f8932421be9dfe72c270f635f096cc4b6dc9d",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 700,
        count: 699,
        bytes: 1397,
        sha1: "6aa13b9c0e945239e8b24be68c16924062208029",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 1000,
        count: 1005,
        bytes: 1914,
        sha1: "f187faa3072f3c85869f5e144a8d97f839bc4712",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 1500,
        count: 1514,
        bytes: 2740,
        sha1: "4274f805f4d508ed09dde6ec72e89317348c6732",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 2500,
        count: 2492,
        bytes: 12304,
        sha1: "953bede85db5565cb45eb309f0010fd8479a62f2",
    },
    Added {
        sparse_bytes_max: 3000,
        elements: 30000,
        count: 30191,
        bytes: 12304,
        sha1: "01bd68c22a3f8dd5ed8feecfff28e6dd6c45948b",
    },
    Added {
        sparse_bytes_max: 0,
        elements: 1,
        count: 1,
        bytes: 12304,
        sha1: "917c7ac49e1f6ddcb1318a1a050d5f66b6d2f8e7",
    },
    Added {
        sparse_bytes_max: 200,
        elements: 100,
        count: 100,
        bytes: 12304,
        sha1: "4fd180245900217242e84f471ce88a690664a99b",
    },
    Added {
        sparse_bytes_max: 200,
        elements: 700,
        count: 699,
        bytes: 12304,
        sha1: "2461ee09a9b9f2823993baaf21a97ae3a3221916",
    },
    Added {
        sparse_bytes_max: 15000,
        elements: 2500,
        count: 2492,
        bytes: 4190,
        sha1: "5c8b6bc8fd05c88118f8e5453060e9f30be245fd",
    },
];

/// What Redis has after PFMERGE, into a key that was not there, of so many elements from the
/// first on, so many from the hundred thousandth on, and the first five.
struct Merged {
    sparse_bytes_max: usize,
    of: (u64, u64),
    count: u64,
    bytes: usize,
    sha1: &'static str,
}

const MERGED: [Merged; 8] = [
    Merged {
        sparse_bytes_max: 3000,
        of: (10, 30),
        count: 40,
        bytes: 129,
        sha1: "e34be88774f8996d20b12fabfce64f843ec35335",
    },
    Merged {
        sparse_bytes_max: 3000,
        of: (100, 300),
        count: 402,
        bytes: 870,
        sha1: "dd7acf13267b458b8dab8070c71fd13ddd0b248d",
    },
    Merged {
        sparse_bytes_max: 3000,
        of: (700, 1000),
        count: 1715,
        bytes: 12304,
        sha1: "c4df9cce49989377801ffc5b947dc9e10c1e3304",
    },
    Merged {
        sparse_bytes_max: 3000,
        of: (300, 30000),
        count: 30487,
        bytes: 12304,
        sha1: "73609365d08961a11ce3a0ef2ab17a932c4e3c71",
    },
    Merged {
        sparse_bytes_max: 200,
        of: (10, 30),
        count: 40,
        bytes: 129,
        sha1: "e34be88774f8996d20b12fabfce64f843ec35335",
    },
    Merged {
        sparse_bytes_max: 200,
        of: (100, 300),
        count: 402,
        bytes: 12304,
        sha1: "89afea23e74836884aded1253825b51f1a29ca86",
    },
    Merged {
        sparse_bytes_max: 200,
        of: (700, 1000),
        count: 1715,
        bytes: 12304,
        sha1: "c4df9cce49989377801ffc5b947dc9e10c1e3304",
    },
    Merged {
        sparse_bytes_max: 200,
        of: (300, 30000),
        count: 30487,
        bytes: 12304,
        sha1: "73609365d08961a11ce3a0ef2ab17a932c4e3c71",
    },
];

fn element(number: u64) -> Vec<u8> {
    let mut element = vec![b'x'; (number % 23) as usize];
    element.extend(format!(":{number}").bytes());
    element
}

fn filled(first: u64, elements: u64, sparse_bytes_max: usize) -> ThinBytes {
    let mut string = empty();
    invalidate(string.as_mut_slice());
    for number in first..first + elements {
        add(&mut string, &element(number), sparse_bytes_max).unwrap();
    }
    string
}

#[test]
fn has_the_bytes_of_redis() {
    for expected in ADDED {
        let mut string = filled(100_000, expected.elements, expected.sparse_bytes_max);
        assert_eq!(sha1_hex(&string), expected.sha1.as_bytes(), "{}", expected.elements);
        assert_eq!((string.len(), count(&string)), (expected.bytes, Ok(expected.count)));
        let registers = Registers::of(&string).unwrap();
        assert_eq!(registers.count(), expected.count);
        // Another representation, the same registers and count.
        let is_sparse = encoding(&string) == Some(Encoding::Sparse);
        assert_eq!((decode(&string).is_some(), to_dense(&mut string)), (is_sparse, Ok(is_sparse)));
        assert_eq!(count(&string), Ok(expected.count));
        assert_eq!(Registers::of(&string).unwrap().as_slice(), registers.as_slice());
        for (index, value) in registers.as_slice().iter().enumerate() {
            assert_eq!(dense::value(&string[HEADER_BYTES..], index), *value);
        }
    }
}

#[test]
fn merges_as_redis_does() {
    for expected in MERGED {
        let max = expected.sparse_bytes_max;
        let sources = [(0, expected.of.0), (100_000, expected.of.1), (0, 5)];
        let (mut registers, mut merged) = (Registers::new(), empty());
        for (first, elements) in sources {
            let source = filled(first, elements, max);
            registers.merge(&source).unwrap();
            if encoding(&source) == Some(Encoding::Dense) {
                to_dense(&mut merged).unwrap();
            }
        }
        assert_eq!(registers.count(), expected.count);
        registers.raise(&mut merged, max).unwrap();
        assert_eq!(sha1_hex(&merged), expected.sha1.as_bytes(), "{:?}", expected.of);
        assert_eq!((merged.len(), count(&merged)), (expected.bytes, Ok(expected.count)));
    }
}

#[test]
fn a_count_is_kept_until_a_register_changes() {
    let mut string = empty();
    assert_eq!((&string[..4], string.len(), cached_count(&string)), (MAGIC, 18, Some(0)));
    assert_eq!(add(&mut string, b"a", 3000), Ok(true));
    assert_eq!((cached_count(&string), count(&string)), (None, Ok(1)));
    cache_count(string.as_mut_slice(), 1);
    assert_eq!(add(&mut string, b"a", 3000), Ok(false));
    assert_eq!(cached_count(&string), Some(1));
    assert_eq!(decode(&string).unwrap().matches("v:").count(), 1);
    assert_eq!(to_dense(&mut string), Ok(true));
    assert_eq!((cached_count(&string), count(&string)), (Some(1), Ok(1)));
    assert_eq!(add(&mut string, b"a", 3000), Ok(false));
    assert_eq!(add(&mut string, b"b", 3000), Ok(true));
    assert_eq!(cached_count(&string), None);
}

fn crafted(encoding: u8, registers: &[u8]) -> ThinBytes {
    let mut string = ThinBytes::from(&b"HYLL"[..]);
    string.extend(&[encoding, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]);
    string.extend(registers);
    string
}

#[test]
fn crafted_strings_count_as_in_redis() {
    let dense = [0xff, 0x00, 0x33, 0xcc, 0x55].map(|fill| crafted(0, &[fill; dense::BYTES]));
    let counts = dense.each_ref().map(|string| count(string).unwrap());
    assert_eq!(counts, [1 << 63, 0, 96_817_625, 96_817_625, 24_785_312_075]);

    let sparse = |registers: &[u8]| {
        let string = crafted(1, registers);
        assert_eq!(Registers::of(&string).map(|registers| registers.count()), count(&string));
        assert_eq!(to_dense(&mut string.clone()).is_ok(), count(&string).is_ok());
        count(&string)
    };
    assert_eq!(sparse(b"\x7f\xff"), Ok(0));
    assert_eq!(sparse(b"\x7f\xfe\x00"), Ok(0));
    assert_eq!(sparse(b"\x7f\xfe\x40"), Ok(0));
    assert_eq!(sparse(&[0xff; 4096]), Ok(50_760_319_129_350));
    assert_eq!(sparse(&[0x80; 16_384]), Ok(23_637));
    let short: [&[u8]; 3] = [b"", b"\x7f", b"\x40"];
    let long: [&[u8]; 4] = [b"\x7f\xff\x00", b"\x7f\xff\x7f\xff", b"\x7f\xfe\xff", &[0x80; 16_385]];
    for registers in short.into_iter().chain(long) {
        assert_eq!(sparse(registers), Err(Corrupt), "{registers:?}");
    }
    assert_eq!(decode(&crafted(1, b"\x7f\xfe\x40\x85\x3f")).unwrap(), "Z:16383 Z:134 z:64");
    assert_eq!(decode(&crafted(1, b"\x85\x40")).unwrap(), "v:2,2 Z:1");

    assert_eq!(encoding(b"HYLL"), None);
    assert_eq!(encoding(&crafted(2, b"")), None);
    assert_eq!(encoding(&crafted(0, b"")), None);
    assert_eq!(encoding(&crafted(0, &[0; dense::BYTES + 1])), None);
    assert_eq!(count(b"HYLL"), Err(Corrupt));
    assert_eq!((cached_count(b"HYLL"), decode(b"")), (None, None));
}

#[test]
fn random_bytes_do_no_harm() {
    let mut random = seed::for_test("hyperloglog");
    let other = Registers::of(&filled(0, 30, 3000)).unwrap();
    for _ in 0..2_000 {
        let mut registers = vec![0; random.below(300) as usize];
        random.fill(&mut registers);
        // Often enough that the number of registers is right.
        let total: usize = {
            let mut total = 0;
            let run = sparse::for_each_value(&registers, |indexes, _| total = indexes.end);
            if run.is_ok() { REGISTERS } else { total }
        };
        if total < REGISTERS && random.below(2) == 0 {
            registers.truncate(registers.len() / 2);
        }
        let mut string = crafted(1, &registers);
        let _ = (count(&string), decode(&string), Registers::of(&string).is_ok());
        for number in 0..40 {
            if add(&mut string, &element(number), random.below(400) as usize).is_err() {
                break;
            }
        }
        let _ = other.raise(&mut string, 3000);
        let _ = to_dense(&mut string);
    }
}

#[test]
fn sparse_and_dense_agree_on_each_register() {
    let mut random = seed::for_test("hyperloglog, registers");
    let mut string = empty();
    let mut model = vec![0; REGISTERS];
    for _ in 0..6_000 {
        let index = (random.below(40) * random.below(410)) as usize % REGISTERS;
        let value = 1 + random.below(6) as u8;
        let is_changed =
            super::raise(&mut string, index, value, usize::MAX, &mut sparse::Place::start());
        assert_eq!(is_changed, Ok(model[index] < value));
        model[index] = model[index].max(value);
    }
    assert_eq!(encoding(&string), Some(Encoding::Sparse));
    assert_eq!(Registers::of(&string).unwrap().as_slice(), model);
    // A value that no run can tell.
    assert_eq!(
        super::raise(&mut string, 77, 33, usize::MAX, &mut sparse::Place::start()),
        Ok(true)
    );
    model[77] = 33;
    assert_eq!(encoding(&string), Some(Encoding::Dense));
    assert_eq!(Registers::of(&string).unwrap().as_slice(), model);
}

#[test]
fn hashes_are_those_of_redis() {
    // As an implementation of the published algorithm in another language has them.
    assert_eq!(murmur64a(b"", super::HASH_SEED), 0xd8dfea6585bc9732);
    assert_eq!(murmur64a(b"a", super::HASH_SEED), 0x53d2470a9b43b1a7);
    assert_eq!(murmur64a(b"member:000123", super::HASH_SEED), 0x8d1dfe90b43bfbd0);
    assert_eq!(murmur64a(b"sixteen bytes...", super::HASH_SEED), 0x82403cbc3bcfeee6);
    // The run of zeros may be all that there is.
    let longest = (0..100_000_u64).map(|number| register_of(&number.to_le_bytes()).1).max();
    assert!((12..=51).contains(&longest.unwrap()));
}

#[test]
fn the_self_test_passes() {
    let mut random = seed::for_test("selftest");
    selftest::registers_keep_values(&mut random).unwrap();
    let elements = if cfg!(debug_assertions) { 2_000 } else { 1_000_000 };
    selftest::counts_are_near(7, 3000, elements).unwrap();
    let failure = Failure::Register { index: 3, expected: 5, found: 4 };
    assert_eq!(failure.to_string(), "TESTFAILED Register 3 should be 5 but is 4");
}
