//! Pure: tests of hashes in snapshots: every form, of Redis and of Valkey, whole and broken.

use base::{checksum::crc64, random::Random};
use ds::{Listpack, listpack::Item};

use crate::{
    config::Encoding,
    keyspace::{AccessPolicy, Keyspace},
    persist::rdb::{
        Fault, LoadOptions, Loader, Origin, SaveOptions, Step, dump, format::magic, restore, save,
        verify,
    },
    value::{Hash, Value},
};

const NOW_MS: i64 = 1_700_000_000_000;
const AT_MS: i64 = 4_000_000_000_000;

// As a build of Redis 7.4 dumps them: fields that expire, in a listpack and in a table.
const PACKED_OF_7_4: &[u8] = b"\x19\x00\x40\x94\x52\xa3\x03\x00\x00\x2f\x2f\x00\x00\x00\x09\x00\
    \x81\x61\x02\x01\x01\xf4\x00\x40\x94\x52\xa3\x03\x00\x00\x09\x81\x63\x02\x80\x01\xf4\xf4\x41\
    \x94\x52\xa3\x03\x00\x00\x09\x81\x62\x02\x83\x74\x77\x6f\x04\x00\x01\xff\x0c\x00\xf2\x1b\x8c\
    \xf9\x09\x30\x51\xd3";
const TABLE_OF_7_4: &[u8] = b"\x18\x00\x40\x94\x52\xa3\x03\x00\x00\x04\x00\x01\x64\xc3\x09\x40\
    \x64\x01\x78\x78\xe0\x57\x00\x01\x78\x78\x43\x85\x01\x62\x03\x74\x77\x6f\x01\x01\x61\xc0\x01\
    \x41\xf5\x01\x63\x00\x0c\x00\xa1\x68\x1d\xdb\xc6\xf2\xe2\x10";

fn limits() -> Encoding {
    Encoding { hash_max_listpack_entries: 4, hash_max_listpack_value: 64, ..Encoding::default() }
}

/// Reads a value whose type stands before it, as something foreign and as something of ours.
fn load(body: &[u8]) -> Result<Hash, Fault> {
    let read = |is_suspicious| {
        let record = restore(b"key", body, None, is_suspicious, limits())?;
        match record.into_value() {
            Some(Value::Hash(hash)) => Ok(hash),
            other => panic!("{other:?} is no hash"),
        }
    };
    let (ours, foreign) = (read(false), read(true));
    if let (Ok(ours), Ok(foreign)) = (&ours, &foreign) {
        assert_eq!(pairs(ours), pairs(foreign));
    }
    foreign
}

fn pairs(hash: &Hash) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pairs = Vec::new();
    hash.each(|name, value| pairs.push((name.to_vec(), value.to_vec())));
    pairs.sort();
    pairs
}

fn pack(items: &[&[u8]]) -> Vec<u8> {
    let list = Listpack::from_items(items.iter().map(|item| Item::Bytes(item)));
    list.bytes().to_vec()
}

/// Puts a type and a length before bytes that stand in one string.
fn in_one_string(object_type: u8, bytes: &[u8]) -> Vec<u8> {
    let [high, low] = (bytes.len() as u16).to_be_bytes();
    [&[object_type, 0x40 | high, low], bytes].concat()
}

fn is_one_and_two(hash: &Hash) {
    let expected = [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"two".to_vec())];
    assert_eq!(pairs(hash), expected);
}

#[test]
fn every_form_is_loaded() {
    let ziplist = b"\x18\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf2\x02\x01b\x03\x03two\xff";
    let bodies: [Vec<u8>; 5] = [
        b"\x04\x02\x01a\x011\x01b\x03two".to_vec(),
        b"\x04\x02\x01a\xc0\x01\x01b\x03two".to_vec(),
        in_one_string(9, b"\x02\x01a\x01\x001\x01b\x03\x00two\xff"),
        in_one_string(13, ziplist),
        in_one_string(16, &pack(&[b"a", b"1", b"b", b"two"])),
    ];
    for body in bodies {
        let hash = load(&body).unwrap();
        assert_eq!(hash.encoding(), "listpack");
        is_one_and_two(&hash);
    }
}

#[test]
fn what_is_too_large_becomes_a_table() {
    let long = [b'x'; 65];
    let with = |head: &[u8]| [head, &long].concat();
    assert_eq!(load(&with(b"\x04\x01\x01a\x40\x41")).unwrap().encoding(), "hashtable");
    let zipmap = [&b"\x01\x01a\x41\x00"[..], &long, b"\xff"].concat();
    assert_eq!(load(&in_one_string(9, &zipmap)).unwrap().encoding(), "hashtable");
    // The elements of packed ones are not looked at, as Redis does.
    let list = pack(&[b"a", &long]);
    assert_eq!(load(&in_one_string(16, &list)).unwrap().encoding(), "listpack");
    let many = pack(&[b"a", b"1", b"b", b"2", b"c", b"3", b"d", b"4", b"e", b"5"]);
    let hash = load(&in_one_string(16, &many)).unwrap();
    assert_eq!((hash.encoding(), hash.len()), ("hashtable", 5));
}

#[test]
fn fields_expire_as_redis_has_written() {
    for payload in [PACKED_OF_7_4, TABLE_OF_7_4] {
        let hash = load(verify(payload, true).unwrap()).unwrap();
        assert_eq!(hash.expiry(b"a", NOW_MS), Some(Some(AT_MS)));
        assert_eq!(hash.expiry(b"c", NOW_MS), Some(Some(AT_MS + 500)));
        assert_eq!((hash.next_expiry(), hash.alive_len(AT_MS)), (Some(AT_MS), hash.len() - 1));
    }
    let packed = load(verify(PACKED_OF_7_4, true).unwrap()).unwrap();
    assert_eq!(packed.encoding(), "listpackex");
    let mut keyspace = Keyspace::new(16);
    keyspace.put(0, b"h", packed);
    assert_eq!(dump(keyspace.peek(0, b"h").unwrap(), 11, true).unwrap(), PACKED_OF_7_4);
    let hash = load(verify(TABLE_OF_7_4, true).unwrap()).unwrap();
    assert_eq!(hash.encoding(), "hashtable");
    assert_eq!(hash.expiry(b"b", NOW_MS), Some(Some(AT_MS + 900)));
    assert_eq!(hash.expiry(b"d", NOW_MS), Some(None));
    // Candidates of 7.4: times as they are.
    let at = AT_MS.to_string();
    let packed = pack(&[b"a", b"1", at.as_bytes(), b"b", b"two", b"0"]);
    let mut table = b"\x16\x02\x81".to_vec();
    table.extend_from_slice(&AT_MS.to_be_bytes());
    table.extend_from_slice(b"\x01a\x011\x00\x01b\x03two");
    for body in [in_one_string(23, &packed), table] {
        let hash = load(&body).unwrap();
        is_one_and_two(&hash);
        assert_eq!(hash.encoding(), "listpackex");
        assert_eq!(hash.expiry(b"a", NOW_MS), Some(Some(AT_MS)));
        assert_eq!(hash.expiry(b"b", NOW_MS), Some(None));
    }
    // Whoever wrote a list in no order.
    let packed = pack(&[b"a", b"1", b"0", b"b", b"2", b"9", b"c", b"3", b"7"]);
    let hash = load(&in_one_string(23, &packed)).unwrap();
    let mut order = Vec::new();
    hash.each(|name, _| order.extend_from_slice(name));
    assert_eq!((&order[..], hash.next_expiry()), (&b"cba"[..], Some(7)));
    // Where no field expires after all, it is a hash like others.
    let packed = pack(&[b"a", b"1", b"0", b"b", b"two", b"0"]);
    assert_eq!(load(&in_one_string(23, &packed)).unwrap().encoding(), "listpack");
}

fn file_of(magic: &[u8], items: &[u8]) -> Vec<u8> {
    let mut file = [magic, items, b"\xff"].concat();
    let checksum = crc64(0, &file);
    file.extend_from_slice(&checksum.to_le_bytes());
    file
}

fn keyspace_of(file: &[u8]) -> Result<Keyspace, Fault> {
    let mut keyspace = Keyspace::new(16);
    keyspace.access_policy = AccessPolicy::Lru;
    keyspace.now_ms = NOW_MS;
    let options = LoadOptions {
        total_bytes: Some(file.len() as u64),
        checks_checksum: true,
        origin: Origin::Own,
        replaces: false,
        is_suspicious: false,
        limits: limits(),
        now_ms: NOW_MS,
    };
    let mut loader = Loader::new(Box::new(file), options);
    while loader.step(&mut keyspace, 100).map_err(|error| error.fault)? == Step::More {}
    Ok(keyspace)
}

#[test]
fn the_same_type_means_another_thing_to_valkey() {
    let mut items = b"\x16\x01h\x02\x01a\x011".to_vec();
    items.extend_from_slice(&AT_MS.to_le_bytes());
    items.extend_from_slice(b"\x01b\x03two");
    items.extend_from_slice(&(-1_i64).to_le_bytes());
    let keyspace = keyspace_of(&file_of(b"VALKEY080", &items)).unwrap();
    let hash = keyspace.peek_kind::<Hash>(0, b"h").unwrap().unwrap();
    is_one_and_two(hash);
    assert_eq!(hash.expiry(b"a", NOW_MS), Some(Some(AT_MS)));
    assert_eq!(hash.expiry(b"b", NOW_MS), Some(None));
    assert!(keyspace.has_fields_that_expire());
    assert!(keyspace_of(&file_of(b"REDIS0012", &items)).is_err());
}

#[test]
fn a_newer_version_is_written_only_for_fields_that_expire() {
    let head = |keyspace: &Keyspace, version| -> Option<Vec<u8>> {
        let mut file = Vec::new();
        let options = SaveOptions { version, ..SaveOptions::default() };
        save(keyspace, &mut file, &options, &mut |_| {}).ok()?;
        let again = keyspace_of(&file).unwrap();
        assert_eq!(again.digest(), keyspace.digest());
        assert_eq!(again.has_fields_that_expire(), keyspace.has_fields_that_expire());
        Some(file[..9].to_vec())
    };
    let mut keyspace = Keyspace::new(16);
    keyspace.now_ms = NOW_MS;
    let hash = keyspace.change_or_create_hash(3, b"h", std::iter::empty()).unwrap();
    for number in 0..9_i64 {
        hash.set(format!("{number}").as_bytes(), b"value", false, limits());
    }
    assert_eq!(head(&keyspace, 11).unwrap(), magic(11));
    let hash = keyspace.change_hash(3, b"h", std::iter::empty()).unwrap().unwrap();
    (0..5).for_each(|n| assert!(hash.set_expiry(format!("{n}").as_bytes(), Some(AT_MS + n))));
    keyspace.note_fields(3, b"h");
    assert_eq!(head(&keyspace, 11).unwrap(), magic(12));
    assert_eq!(head(&keyspace, 12).unwrap(), magic(12));
    assert!(head(&keyspace, 10).is_none());
    let record = keyspace.peek(3, b"h").unwrap();
    let payload = dump(record, 11, true).unwrap();
    assert_eq!(payload[payload.len() - 10..][..2], [12, 0]);
    let error = dump(record, 10, true).unwrap_err().to_string();
    assert_eq!(error, "version 10 of the RDB format cannot hold fields that expire");
    let again = load(verify(&payload, true).unwrap()).unwrap();
    assert_eq!(again.expiry(b"4", NOW_MS), Some(Some(AT_MS + 4)));
    let hash = keyspace.change_hash(3, b"h", std::iter::empty()).unwrap().unwrap();
    (0..5).for_each(|n| assert!(hash.set_expiry(format!("{n}").as_bytes(), None)));
    assert_eq!(head(&keyspace, 11).unwrap(), magic(11));
}

#[test]
fn what_is_no_hash_is_refused() {
    let at = AT_MS.to_string();
    let is_corrupt = |body: &[u8]| matches!(load(body), Err(Fault::Corrupt(_)));
    for body in [
        b"\x04\x02\x01a\x011\x01a\x012".to_vec(),
        b"\x04\x05\x01a\x011\x01b\x011\x01c\x011\x01d\x011\x01a\x012".to_vec(),
        in_one_string(9, b"\x02\x01a\x01\x001\x01a\x01\x002\xff"),
        in_one_string(9, b"\x02\x01a\x01\x001\xff"),
        in_one_string(13, b"\x0e\0\0\0\x0a\0\0\0\x01\0\0\x01a\xff"),
        in_one_string(16, &pack(&[b"a", b"1", b"a", b"2"])),
        in_one_string(16, &pack(&[b"a", b"1", b"b"])),
        in_one_string(16, b"\x07\0\0\0\x01\0\xff"),
        in_one_string(23, &pack(&[b"a", b"1", at.as_bytes(), b"a", b"1", at.as_bytes()])),
        in_one_string(23, &pack(&[b"a", b"1"])),
        in_one_string(23, &pack(&[b"a", b"1", b"soon"])),
        in_one_string(23, &pack(&[b"a", b"1", b"-1"])),
        in_one_string(23, &pack(&[b"a", b"1", b"281474976710656"])),
        b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x01a\x011".to_vec(),
        b"\x18\x00\x00\x00\x00\x00\x00\x01\x00\x01\x02\x01a\x011".to_vec(),
    ] {
        assert!(is_corrupt(&body), "{}", body.escape_ascii());
    }
    for body in [
        &b"\x04\x00"[..],
        b"\x0d\x0b\x0b\0\0\0\x0a\0\0\0\0\0\xff",
        b"\x10\x07\x07\0\0\0\0\0\xff",
        b"\x17\x07\x07\0\0\0\0\0\xff",
        b"\x18\0\0\0\0\0\0\0\0\0",
    ] {
        assert!(matches!(load(body), Err(Fault::Empty)), "{}", body.escape_ascii());
    }
    // A count that nobody has the bytes for.
    let huge = b"\x04\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x01a\x011";
    assert!(matches!(load(huge), Err(Fault::Short)));
}

#[test]
fn any_bytes_are_a_hash_or_an_error() {
    let seed = Random::from_system().any_u64();
    eprintln!("seed {seed}");
    let mut random = Random::seeded(seed);
    let at = AT_MS.to_string();
    let bodies: [Vec<u8>; 7] = [
        b"\x04\x03\x01a\x011\x01b\x03two\x01c\xc0\x07".to_vec(),
        in_one_string(9, b"\x02\x01a\x01\x001\x01b\x03\x00two\xff"),
        in_one_string(13, b"\x18\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf2\x02\x01b\x03\x03two\xff"),
        in_one_string(16, &pack(&[b"a", b"1", b"b", b"two"])),
        in_one_string(23, &pack(&[b"a", b"1", at.as_bytes(), b"b", b"two", b"0"])),
        PACKED_OF_7_4[..PACKED_OF_7_4.len() - 10].to_vec(),
        TABLE_OF_7_4[..TABLE_OF_7_4.len() - 10].to_vec(),
    ];
    let mut good_count = 0;
    for _ in 0..30_000 {
        let mut body = bodies[random.index(bodies.len())].clone();
        for _ in 0..=random.below(2) {
            let at = 1 + random.index(body.len() - 1);
            match random.below(3) {
                0 => body[at] = random.any_u64() as u8,
                1 => body[at] ^= 1 << random.below(8),
                _ => drop(body.splice(at..at, [random.any_u64() as u8])),
            }
        }
        let Ok(mut hash) = load(&body) else { continue };
        good_count += 1;
        let all = pairs(&hash);
        assert_eq!(all.len(), hash.len());
        for (name, value) in all {
            let mut found = Vec::new();
            hash.get(&name, i64::MIN).unwrap().write(&mut found);
            assert_eq!(found, value);
            assert!(hash.remove(&name));
        }
        assert!(hash.is_empty());
    }
    assert!(1_000 < good_count, "{good_count} were good");
}
