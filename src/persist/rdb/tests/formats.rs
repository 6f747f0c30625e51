//! Pure: tests of files made by hand: every form that a version has for a value, and each version.

use super::*;

/// A list of `a`, 5 and `bb`, in every form of lists there ever was.
const LISTS: [(u8, &[u8]); 4] = [
    (1, b"\x03\x01a\xc0\x05\x02bb"),
    (10, b"\x14\x14\0\0\0\x0f\0\0\0\x03\0\0\x01a\x03\xf6\x02\x02bb\xff"),
    (
        14,
        b"\x02\x10\x10\0\0\0\x0d\0\0\0\x02\0\0\x01a\x03\xf6\xff\
          \x0f\x0f\0\0\0\x0a\0\0\0\x01\0\0\x02bb\xff",
    ),
    (18, b"\x02\x02\x0c\x0c\0\0\0\x02\0\x81a\x02\x05\x01\xff\x01\x02bb"),
];
/// A set of 1, 300 and 70000.
const SETS: [(u8, &[u8]); 4] = [
    (2, b"\x03\xc0\x01\xc1\x2c\x01\xc2\x70\x11\x01\x00"),
    (11, b"\x14\x04\0\0\0\x03\0\0\0\x01\0\0\0\x2c\x01\0\0\x70\x11\x01\0"),
    (11, b"\x20\x08\0\0\0\x03\0\0\0\x01\0\0\0\0\0\0\0\x2c\x01\0\0\0\0\0\0\x70\x11\x01\0\0\0\0\0"),
    (20, b"\x11\x11\0\0\0\x03\0\x01\x01\xc1\x2c\x02\xf2\x70\x11\x01\x04\xff"),
];
/// A sorted set of `a` with -1.5, and `b` with 3.
const ZSETS: [(u8, &[u8]); 4] = [
    (3, b"\x02\x01a\x04-1.5\x01b\x013"),
    (5, b"\x02\x01b\0\0\0\0\0\0\x08\x40\x01a\0\0\0\0\0\0\xf8\xbf"),
    (12, b"\x19\x19\0\0\0\x16\0\0\0\x04\0\0\x01a\x03\x04-1.5\x06\x01b\x03\xf4\xff"),
    (17, b"\x15\x15\0\0\0\x04\0\x81a\x02\x84-1.5\x05\x81b\x02\x03\x01\xff"),
];
/// A hash of `a` with 1, and `b` with `two`.
const HASHES: [(u8, &[u8]); 9] = [
    (4, b"\x02\x01a\xc0\x01\x01b\x03two"),
    (9, b"\x0f\x02\x01a\x01\0\x31\x01b\x03\x01two.\xff"),
    (13, b"\x18\x18\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf2\x02\x01b\x03\x03two\xff"),
    (16, b"\x14\x14\0\0\0\x04\0\x81a\x02\x01\x01\x81b\x02\x83two\x04\xff"),
    (22, b"\x02\0\x01a\x011\0\x01b\x03two"),
    (23, b"\x18\x18\0\0\0\x06\0\x81a\x02\x01\x01\x00\x01\x81b\x02\x83two\x04\x00\x01\xff"),
    (24, b"\0\0\0\0\0\0\0\0\x02\0\x01a\x011\0\x01b\x03two"),
    (
        25,
        b"\0\0\0\0\0\0\0\0\
          \x18\x18\0\0\0\x06\0\x81a\x02\x01\x01\x00\x01\x81b\x02\x83two\x04\x00\x01\xff",
    ),
    (4, b"\x02\x01b\x03two\x01a\x011"),
];

/// Puts a head and an end of a version around items; from 5 on with a checksum.
fn file_of_version(version: u8, items: &[u8]) -> Vec<u8> {
    let mut file = [&format::magic(version)[..], items, &[format::EOF]].concat();
    if 5 <= version {
        let checksum = crc64(0, &file);
        file.extend_from_slice(&checksum.to_le_bytes());
    }
    file
}

fn key_of((object_type, body): (u8, &[u8])) -> Vec<u8> {
    [&[object_type, 1, b'k'], body].concat()
}

/// Loads a key, as a file of ours and as a foreign one.
fn keyspace_of(form: (u8, &[u8])) -> Keyspace {
    let file = file_of_version(12, &key_of(form));
    let [ours, foreign] = [false, true].map(|is_suspicious| {
        let mut keyspace = keyspace(AccessPolicy::Lru);
        let options = LoadOptions { is_suspicious, ..OPTIONS };
        load(&mut keyspace, &file, u64::MAX, options).unwrap_or_else(|error| panic!("{error}"));
        keyspace
    });
    assert_eq!(ours.digest(), foreign.digest());
    foreign
}

/// Sees that all forms hold the same; returns the encodings in which they are then.
fn all_the_same(forms: &[(u8, &[u8])]) -> Vec<&'static str> {
    let first = keyspace_of(forms[0]).digest();
    let mut encodings = Vec::new();
    for form in forms {
        let keyspace = keyspace_of(*form);
        assert_eq!(keyspace.digest(), first, "type {}", form.0);
        encodings.push(keyspace.encoding(0, b"k").unwrap());
    }
    encodings
}

#[test]
fn every_form_of_a_type_holds_the_same() {
    let lists = all_the_same(&LISTS);
    // From the second one elements are taken and it is left at that, as Redis does.
    assert_eq!(lists, ["listpack", "quicklist", "quicklist", "quicklist"]);
    assert_eq!(all_the_same(&SETS), ["intset", "intset", "intset", "listpack"]);
    assert_eq!(all_the_same(&ZSETS), ["listpack"; 4]);
    assert_eq!(all_the_same(&HASHES), ["listpack"; 9]);
}

#[test]
fn every_form_of_a_string_holds_the_same() {
    let forms: [(&[u8], &[u8]); 7] = [
        (b"-5", b"\xc0\xfb"),
        (b"-300", b"\xc1\xd4\xfe"),
        (b"70000", b"\xc2\x70\x11\x01\x00"),
        (b"-2147483648", b"\xc2\x00\x00\x00\x80"),
        (b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", b"\xc3\x05\x1e\x00x\xe0\x14\x00"),
        (b"hello", b"\x80\0\0\0\x05hello"),
        (b"hello", b"\x81\0\0\0\0\0\0\0\x05hello"),
    ];
    for (expected, body) in forms {
        for version in 1..=12 {
            let keyspace = loaded(&file_of_version(version, &key_of((0, body))));
            assert_eq!(text(&keyspace, "k"), expected, "{}", body.escape_ascii());
        }
    }
}

#[test]
fn what_every_version_has_around_keys_is_understood() {
    let aux = [&[format::AUX, 9], &b"redis-ver"[..], &[5], b"9.9.9"].concat();
    let resize = [format::RESIZEDB, 2, 1];
    let seconds = [&[format::EXPIRETIME][..], &i32::MAX.to_le_bytes()].concat();
    let idle = [format::IDLE, 0x40, 200];
    let key = key_of(LISTS[0]);
    for version in 1..=12 {
        let mut items = vec![format::SELECTDB, 3];
        if 7 <= version {
            items.splice(0..0, aux.clone());
            items.extend_from_slice(&resize);
            items.extend_from_slice(&[format::FREQ, 7, 0, 1, b'f', 1, b'v']);
            items.extend_from_slice(&idle);
        }
        items.extend_from_slice(&seconds);
        items.extend_from_slice(&key);
        let keyspace = loaded(&file_of_version(version, &items));
        assert_eq!(keyspace.expiry(3, b"k"), Some(i64::from(i32::MAX) * 1000), "{version}");
        assert_eq!(keyspace.type_name(3, b"k"), Some("list"));
        let access = keyspace.access(3, b"k");
        let idle_s = if 7 <= version { 200 } else { 0 };
        assert_eq!(access, Some(Access::IdleSeconds(idle_s)), "{version}");
    }
}

#[test]
fn a_slot_on_its_way_is_passed_over_in_files_of_valkey() {
    let import = [&[format::SLOT_IMPORT, 3], &b"job"[..], &[2, 0, 7, 0x40, 200, 0x41, 0]].concat();
    let items = [&import[..], &key_of(HASHES[0])].concat();
    let mut file = [b"VALKEY080", &items[..], &[format::EOF]].concat();
    let checksum = crc64(0, &file);
    file.extend_from_slice(&checksum.to_le_bytes());
    assert_eq!(loaded(&file).type_name(0, b"k"), Some("hash"));
    // A count that nobody has the bytes for.
    let huge = [&b"VALKEY080"[..], &[format::SLOT_IMPORT, 0, 0x81], &[0x7f; 8], b"\0\0"].concat();
    assert!(matches!(fault(&huge, OPTIONS), Fault::Short));
    assert!(matches!(fault(&file_of(&items), OPTIONS), Fault::Corrupt(_)));
}

#[test]
fn numbers_that_are_no_slots_lead_nowhere() {
    for slot in [0, 16_383, 16_384, u64::MAX] {
        let mut encoder = Encoder::new(Writer::in_memory(), 12, true);
        encoder.byte(format::SLOT_INFO).unwrap();
        (0..3).for_each(|_| encoder.length(slot).unwrap());
        let slot_info = encoder.writer.into_bytes();
        let items = [&slot_info[..], &key_of(SETS[0])].concat();
        assert_eq!(loaded(&file_of(&items)).type_name(0, b"k"), Some("set"));
    }
}

#[test]
fn what_was_looked_through_is_counted() {
    let items = [LISTS[3], SETS[1], SETS[3], ZSETS[3], HASHES[3], HASHES[0], ZSETS[2]];
    let items: Vec<u8> = items
        .into_iter()
        .zip(b'a'..)
        .flat_map(|((object_type, body), name)| [&[object_type, 1, name], body].concat())
        .collect();
    for (is_suspicious, expected) in [(false, 0), (true, 5)] {
        let file = file_of(&items);
        let options = LoadOptions { is_suspicious, ..OPTIONS };
        let mut loader = Loader::new(Box::new(&file[..]), options);
        let mut keyspace = keyspace(AccessPolicy::Lru);
        assert_eq!(loader.step(&mut keyspace, u64::MAX).unwrap(), Step::Done);
        assert_eq!(loader.stats().examined, expected);
    }
}

#[test]
fn what_comes_twice_in_a_trusted_file_can_be_used() {
    let hash = b"\x10\x16\x16\0\0\0\x06\0\x81a\x02\x01\x01\x81a\x02\x02\x01\x81b\x02\x03\x01\xff";
    let zset = b"\x11\x16\x16\0\0\0\x06\0\x81a\x02\x01\x01\x81a\x02\x02\x01\x81b\x02\x00\x01\xff";
    let long = [b'x'; 100];
    let value_of = |body: &[u8], is_suspicious| {
        let record = restore(b"k", body, None, is_suspicious, LIMITS);
        record.map(|record| record.into_value().unwrap())
    };
    assert!(value_of(hash, true).is_err() && value_of(zset, true).is_err());
    let Value::Hash(mut hash) = value_of(hash, false).unwrap() else { panic!("it is a hash") };
    assert_eq!((hash.encoding(), hash.len()), ("listpack", 3));
    hash.set(b"c", &long, false, LIMITS);
    assert_eq!((hash.encoding(), hash.len()), ("hashtable", 3));
    let Value::Zset(mut zset) = value_of(zset, false).unwrap() else { panic!("it is a zset") };
    // What is in no order is put in order, and then nothing comes twice.
    assert_eq!((zset.encoding(), zset.len()), ("listpack", 2));
    zset.insert(&long, 0.5, LIMITS);
    assert_eq!((zset.encoding(), zset.len()), ("skiplist", 3));
    assert!(zset.score(b"a").is_some() && zset.score(b"b") == Some(0.0));
}
