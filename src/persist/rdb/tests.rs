//! Pure: tests of the codec: files of real servers, files of ours, files that are broken.

mod formats;
mod functions;

use base::{checksum::crc64, random::Random};
use ds::{Content, List, Record, quicklist::Side};

use super::{
    Decoder, Encoder, Fault, LoadError, LoadOptions, Loader, Origin, SaveOptions, SavedAccess,
    Step, dump,
    format::{self, ObjectType},
    restore, save, verify,
};
use crate::{
    config::Encoding,
    keyspace::{Access, AccessPolicy, Keyspace, NewText, Ttl},
    persist::rio::{Reader, Writer},
    value::{Set, Value, list_options},
};

const NOW_MS: i64 = 1_700_000_000_000;
const LIMITS: Encoding = Encoding {
    hash_max_listpack_entries: 512,
    hash_max_listpack_value: 64,
    list_max_listpack_size: -2,
    list_compress_depth: 0,
    set_max_intset_entries: 512,
    set_max_listpack_entries: 128,
    set_max_listpack_value: 64,
    zset_max_listpack_entries: 128,
    zset_max_listpack_value: 64,
    hll_sparse_max_bytes: 3000,
    stream_node_max_bytes: 4096,
    stream_node_max_entries: 100,
};
const OPTIONS: LoadOptions = LoadOptions {
    total_bytes: None,
    checks_checksum: true,
    origin: Origin::Own,
    replaces: false,
    is_suspicious: false,
    limits: LIMITS,
    now_ms: NOW_MS,
};

const OF_7_0: &[u8] = include_bytes!("../../../tests/data/rdb/strings-7.0.15.rdb");
const OF_7_2: &[u8] = include_bytes!("../../../tests/data/rdb/strings-7.2.6.rdb");
const OF_7_2_LRU: &[u8] = include_bytes!("../../../tests/data/rdb/strings-7.2.6-lru.rdb");
const OF_7_2_LFU: &[u8] = include_bytes!("../../../tests/data/rdb/strings-7.2.6-lfu.rdb");
const OF_7_2_UNSUMMED: &[u8] = include_bytes!("../../../tests/data/rdb/strings-7.2.6-unsummed.rdb");
/// What DEBUG DIGEST of both servers says.
const DIGEST: &[u8; 40] = b"ecb42f00e92a004242424c1c306ad48cdab03031";

/// Says its seed, for who wants to repeat a failure.
fn random() -> Random {
    let seed = Random::from_system().any_u64();
    eprintln!("seed {seed}");
    Random::seeded(seed)
}

fn keyspace(policy: AccessPolicy) -> Keyspace {
    let mut keyspace = Keyspace::new(16);
    keyspace.access_policy = policy;
    keyspace.now_ms = NOW_MS;
    keyspace
}

/// Loads in steps of `budget` bytes.
fn load(
    keyspace: &mut Keyspace,
    file: &[u8],
    budget: u64,
    options: LoadOptions,
) -> Result<(), LoadError> {
    let mut loader = Loader::new(Box::new(file), options);
    while loader.step(keyspace, budget)? == Step::More {}
    assert_eq!(loader.stats().bytes, file.len() as u64);
    Ok(())
}

fn loaded(file: &[u8]) -> Keyspace {
    let mut keyspace = keyspace(AccessPolicy::Lru);
    let total_bytes = Some(file.len() as u64);
    load(&mut keyspace, file, u64::MAX, LoadOptions { total_bytes, ..OPTIONS }).unwrap();
    keyspace
}

fn fault(file: &[u8], options: LoadOptions) -> Fault {
    load(&mut keyspace(AccessPolicy::Lru), file, 100, options).unwrap_err().fault
}

fn saved(keyspace: &Keyspace, options: &SaveOptions) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = 0;
    let summary = save(keyspace, &mut out, options, &mut |progress| {
        assert_eq!(progress.keys, last + 1);
        last = progress.keys;
    });
    let summary = summary.unwrap();
    assert_eq!((summary.keys, summary.bytes), (last, out.len() as u64));
    out
}

/// Wraps items in a head, an end and a checksum.
fn file_of(items: &[u8]) -> Vec<u8> {
    let mut file = [&format::magic(11)[..], items, &[format::EOF]].concat();
    let checksum = crc64(0, &file);
    file.extend_from_slice(&checksum.to_le_bytes());
    file
}

fn text(keyspace: &Keyspace, key: &str) -> Vec<u8> {
    keyspace.peek_text(0, key.as_bytes()).unwrap().unwrap().bytes().into()
}

#[test]
fn files_of_redis_hold_what_was_put_in_there() {
    for file in [OF_7_0, OF_7_2, OF_7_2_UNSUMMED] {
        for budget in [1, 100, u64::MAX] {
            let mut keyspace = keyspace(AccessPolicy::Lru);
            let total_bytes = (budget == 1).then_some(file.len() as u64);
            load(&mut keyspace, file, budget, LoadOptions { total_bytes, ..OPTIONS }).unwrap();
            assert_eq!(&keyspace.digest().to_hex(), DIGEST);
            assert_eq!((keyspace.figures(0).keys, keyspace.figures(0).expires), (32, 2));
            assert_eq!((keyspace.figures(9).keys, keyspace.figures(9).expires), (2, 1));
            assert_eq!(text(&keyspace, "lzf"), b"abc".repeat(1000));
            assert_eq!(text(&keyspace, "minuszero"), b"-0");
            assert_eq!(text(&keyspace, ""), b"empty key");
            assert_eq!(keyspace.expiry(0, b"ttlint"), Some(4_102_444_800_123));
            assert_eq!(keyspace.encoding(0, b"int:-32768"), Some("int"));
            assert_eq!(keyspace.encoding(0, b"text44"), Some("embstr"));
            assert_eq!(keyspace.encoding(0, b"text45"), Some("raw"));
        }
    }
}

#[test]
fn what_redis_knows_of_the_use_of_keys_is_kept() {
    let mut lru = keyspace(AccessPolicy::Lru);
    load(&mut lru, OF_7_2_LRU, u64::MAX, OPTIONS).unwrap();
    assert_eq!(lru.access(0, b"idle"), Some(Access::IdleSeconds(1000)));
    let policy = AccessPolicy::Lfu { log_factor: 10, decay_minutes: 1 };
    let mut lfu = keyspace(policy);
    load(&mut lfu, OF_7_2_LFU, u64::MAX, OPTIONS).unwrap();
    assert_eq!(lfu.access(0, b"often"), Some(Access::Frequency(200)));
    for (keyspace, access, key) in
        [(&lru, SavedAccess::Idle, &b"idle"[..]), (&lfu, SavedAccess::Frequency, b"often")]
    {
        let file = saved(keyspace, &SaveOptions { access, ..SaveOptions::default() });
        let mut again = super::tests::keyspace(keyspace.access_policy);
        load(&mut again, &file, u64::MAX, OPTIONS).unwrap();
        assert_eq!(again.access(0, key), keyspace.access(0, key));
    }
    // Under the other policy it means nothing.
    let mut other = keyspace(policy);
    load(&mut other, OF_7_2_LRU, u64::MAX, OPTIONS).unwrap();
    assert_eq!(other.access(0, b"idle"), Some(Access::Frequency(5)));
}

fn any_keyspace(random: &mut Random) -> Keyspace {
    let mut keyspace = keyspace(AccessPolicy::Lru);
    for _ in 0..random.below(300) {
        let text: Vec<u8> = match random.below(5) {
            0 => (random.any_u64() as i64 >> random.below(64)).to_string().into_bytes(),
            1 => vec![b'x'; random.index(2000)],
            2 => {
                let bytes_end = if random.below(9) == 0 { 300_000 } else { 400 };
                let mut noise = vec![0; random.index(bytes_end)];
                random.fill(&mut noise);
                noise
            }
            _ => (0..random.below(60)).map(|_| random.below(3) as u8 + b'a').collect(),
        };
        let key = match random.below(3) {
            0 => random.below(1000).to_string().into_bytes(),
            1 => text[..text.len().min(70)].to_vec(),
            _ => format!("key:{}", random.below(1000)).into_bytes(),
        };
        let ttl = match random.below(3) {
            0 => Ttl::At(NOW_MS + 1 + random.below(1 << 40) as i64),
            _ => Ttl::Clear,
        };
        let db = random.index(3) * 7;
        keyspace.set_text(db, &key, NewText::Bytes(&text), ttl);
    }
    keyspace
}

fn text_of(record: &Record<Value>) -> &[u8] {
    match record.content() {
        Content::Embedded(text) => text,
        Content::Value(Value::Text(text)) => text.bytes(),
        Content::Value(other) => panic!("{other:?} is no string"),
    }
}

#[test]
fn what_is_saved_comes_back() {
    let mut random = random();
    for _ in 0..15 {
        let keyspace = any_keyspace(&mut random);
        let options = SaveOptions {
            version: format::VERSIONS_WRITTEN[random.index(3)],
            compresses: random.below(2) == 0,
            has_checksum: random.below(2) == 0,
            access: [SavedAccess::Nothing, SavedAccess::Idle][random.index(2)],
            ..SaveOptions::default()
        };
        let file = saved(&keyspace, &options);
        let mut again = super::tests::keyspace(AccessPolicy::Lru);
        let total_bytes = (random.below(2) == 0).then_some(file.len() as u64);
        let budget = 1 + random.below(5000);
        load(&mut again, &file, budget, LoadOptions { total_bytes, ..OPTIONS }).unwrap();
        assert_eq!(keyspace.digest(), again.digest());
        for db in 0..keyspace.db_count() {
            assert_eq!(keyspace.figures(db).expires, again.figures(db).expires);
            for record in keyspace.records(db) {
                assert_eq!(record.expiry(), again.expiry(db, record.key()));
                let payload = dump(record, options.version, options.compresses).unwrap();
                let body = verify(&payload, true).unwrap();
                let restored = restore(record.key(), body, record.expiry(), true, LIMITS).unwrap();
                assert_eq!(text_of(&restored), text_of(record));
                assert_eq!(text_of(again.peek(db, record.key()).unwrap()), text_of(record));
                assert_eq!(restored.expiry(), record.expiry());
                let bytes = super::value_bytes(record, 11, options.compresses).unwrap();
                assert_eq!(bytes as usize, body.len() - 1);
            }
        }
    }
}

#[test]
fn every_form_of_a_length_comes_back() {
    let lengths = [0, 1, 63, 64, 0x3FFF, 0x4000, 0xFFFF_FFFF, 0x1_0000_0000, u64::MAX];
    let sizes = [1, 1, 1, 2, 2, 5, 5, 9, 9];
    for (length, size) in lengths.into_iter().zip(sizes) {
        let mut encoder = Encoder::new(Writer::in_memory(), 11, true);
        encoder.length(length).unwrap();
        let bytes = encoder.writer.into_bytes();
        assert_eq!(bytes.len(), size, "{length}");
        assert_eq!(Decoder::new(Reader::of(&bytes), false, LIMITS).length().unwrap(), length);
        for end in 0..size {
            let cut = Decoder::new(Reader::of(&bytes[..end]), false, LIMITS).length();
            assert!(matches!(cut, Err(Fault::Short)));
        }
    }
    for first in 0x82..=0xBF {
        let length = Decoder::new(Reader::of(&[first; 20]), false, LIMITS).length();
        assert!(matches!(length, Err(Fault::Corrupt(_))), "{first:#x}");
    }
    for first in 0xC4..=0xFF {
        let bytes = [first; 20];
        let mut decoder = Decoder::new(Reader::of(&bytes), false, LIMITS);
        assert!(matches!(decoder.string(), Err(Fault::Corrupt(_))), "{first:#x}");
    }
}

#[test]
fn a_file_that_ends_too_early_is_never_taken_for_whole() {
    for end in 0..OF_7_2.len() {
        for total_bytes in [None, Some(end as u64)] {
            let fault = fault(&OF_7_2[..end], LoadOptions { total_bytes, ..OPTIONS });
            assert!(matches!(fault, Fault::Short), "{end}: {fault}");
        }
    }
}

#[test]
fn a_byte_that_changed_is_noticed() {
    let mut random = random();
    // But for the version: what is older than 5 has no checksum.
    for at in (0..5).chain(9..OF_7_2.len()) {
        let mut file = OF_7_2.to_vec();
        file[at] ^= 1 << random.below(8);
        let mut keyspace = keyspace(AccessPolicy::Lru);
        assert!(load(&mut keyspace, &file, u64::MAX, OPTIONS).is_err(), "{at}");
    }
    let mut file = OF_7_2.to_vec();
    *file.last_mut().unwrap() ^= 1;
    assert!(matches!(fault(&file, OPTIONS), Fault::Checksum { .. }));
    let unchecked = LoadOptions { checks_checksum: false, ..OPTIONS };
    load(&mut keyspace(AccessPolicy::Lru), &file, u64::MAX, unchecked).unwrap();
}

#[test]
fn any_bytes_are_a_file_or_an_error() {
    let mut random = random();
    let options = LoadOptions { checks_checksum: false, ..OPTIONS };
    let mut good_count = 0;
    for _ in 0..5_000 {
        let mut file = [OF_7_0, OF_7_2, OF_7_2_LFU, OF_7_2_UNSUMMED][random.index(4)].to_vec();
        for _ in 0..=random.below(4) {
            let at = 9 + random.index(file.len() - 9);
            match random.below(3) {
                0 => file[at] = random.any_u64() as u8,
                1 => drop(file.splice(at..at, [0x81, 0, 0, 0, 9, 9, 9, 9, 9])),
                _ => drop(file.remove(at)),
            }
        }
        let total_bytes = (random.below(2) == 0).then_some(file.len() as u64);
        let mut loader = Loader::new(Box::new(&file[..]), LoadOptions { total_bytes, ..options });
        let mut keyspace = keyspace(AccessPolicy::Lru);
        good_count += u32::from(loader.step(&mut keyspace, u64::MAX).is_ok());
        let _ = restore(b"key", &file[random.index(file.len())..], None, true, LIMITS);
    }
    assert!(0 < good_count);
}

#[test]
fn a_key_with_nothing_in_it_is_left_out() {
    let empty = [ObjectType::LIST.0, 1, b'k', 0];
    let full = [ObjectType::LIST.0, 1, b'l', 1, 1, b'x'];
    let file = file_of(&[&empty[..], &full].concat());
    let mut keyspace = keyspace(AccessPolicy::Lru);
    let mut loader = Loader::new(Box::new(&file[..]), OPTIONS);
    assert_eq!(loader.step(&mut keyspace, u64::MAX).unwrap(), Step::Done);
    assert_eq!((loader.stats().keys_loaded, loader.stats().empty_keys_skipped), (1, 1));
    assert_eq!((keyspace.len(0), keyspace.type_name(0, b"l")), (1, Some("list")));
}

#[test]
fn a_list_of_any_bytes_can_be_read_or_is_refused() {
    let mut random = random();
    let mut good = List::new();
    for n in 0..100_i64 {
        good.push(Side::Tail, n.pow(5).to_string().as_bytes());
        good.push(Side::Tail, &vec![b'x'; n as usize * 3]);
    }
    good.settle(list_options(LIMITS));
    let payload = dump(&Record::with_value(b"k", Value::List(good), None), 11, false).unwrap();
    let body = verify(&payload, true).unwrap();
    let mut good_count = 0;
    for _ in 0..20_000 {
        let mut body = body.to_vec();
        for _ in 0..=random.below(2) {
            let at = random.index(body.len());
            body[at] = random.any_u64() as u8;
        }
        body[0] = [1, 10, 14, 18, 18, 18][random.index(6)];
        let Ok(record) = restore(b"k", &body, None, true, LIMITS) else { continue };
        let Some(Value::List(list)) = record.value() else { panic!("it is no list") };
        let (mut walk, mut count) = (list.walk(0, Side::Tail), 0);
        while walk.next().is_some() {
            count += 1;
        }
        assert_eq!(count, list.len());
        good_count += 1;
    }
    assert!(0 < good_count);
}

#[test]
fn a_set_of_any_bytes_can_be_read_or_is_refused() {
    let mut random = random();
    let (mut ints, mut packed, mut table) = (Set::default(), Set::default(), Set::table(0));
    for n in 0..60_i64 {
        ints.insert(n.pow(5).to_string().as_bytes(), LIMITS);
        packed.insert(n.pow(9).to_string().as_bytes(), LIMITS);
        packed.insert(format!("m{n}").as_bytes(), LIMITS);
        table.insert(&vec![b'x'; n as usize], LIMITS);
    }
    assert_eq!([&ints, &packed, &table].map(Set::encoding), ["intset", "listpack", "hashtable"]);
    for set in [ints, packed, table] {
        let older = Record::with_value(b"k", Value::Set(set.duplicate()), None);
        let older = dump(&older, 10, false).unwrap();
        assert_ne!(older[0], ObjectType::SET_LISTPACK.0);
        assert!(restore(b"k", verify(&older, true).unwrap(), None, true, LIMITS).is_ok());
        let payload = dump(&Record::with_value(b"k", Value::Set(set), None), 11, false).unwrap();
        let body = verify(&payload, true).unwrap();
        assert!(restore(b"k", body, None, true, LIMITS).is_ok());
        let mut good_count = 0;
        for _ in 0..10_000 {
            let mut body = body.to_vec();
            let at = random.index(body.len());
            body[at] = random.any_u64() as u8;
            body[0] = if random.below(9) == 0 { [2, 11, 20][random.index(3)] } else { body[0] };
            let Ok(record) = restore(b"k", &body, None, true, LIMITS) else { continue };
            let value = record.value();
            let Some(Value::Set(set)) = value else { continue };
            let mut count = 0;
            set.each(|member| {
                assert!(set.contains(member));
                count += 1;
            });
            assert_eq!(count, set.len());
            good_count += 1;
        }
        assert!(0 < good_count);
    }
}

#[test]
fn what_cannot_be_loaded_is_named() {
    let of_type = |byte: u8| file_of(&[byte, 3, b'k', b'e', b'y', 1, 1, b'x']);
    let of_module = load(&mut keyspace(AccessPolicy::Lru), &of_type(7), u64::MAX, OPTIONS);
    assert_eq!(
        of_module.unwrap_err().to_string(),
        "The RDB file contains module data I can't load: no matching module type 'AAAAAAAAA' \
         (offset 15, key 'key' of DB 0, type 7 (module-value))"
    );
    for byte in [6, 8, 26, 100, 242] {
        assert!(matches!(fault(&of_type(byte), OPTIONS), Fault::Corrupt(_)), "{byte}");
    }
    for (opcode, word) in [
        (format::MODULE_AUX, "no matching module 'AAAAAAAAA'"),
        (format::FUNCTION, "Missing library metadata"),
        (format::FUNCTION_PRE_GA, "Pre-release"),
        (format::SLOT_IMPORT, "Unknown RDB opcode 243"),
    ] {
        let fault = fault(&file_of(&[opcode, 1, 1, 1, 1, 1]), OPTIONS);
        assert!(fault.to_string().contains(word), "{fault}");
    }
    let file = file_of(&[format::SELECTDB, 16]);
    assert!(matches!(fault(&file, OPTIONS), Fault::DbCount(16)));
}

#[test]
fn opcodes_of_other_versions_are_understood() {
    let slot_info = [format::SLOT_INFO, 0x40, 200, 1, 0];
    let resize = [format::RESIZEDB, 0x81, 255, 255, 255, 255, 255, 255, 255, 255, 1];
    let expiring = [&[format::EXPIRETIME][..], &i32::MAX.to_le_bytes(), &[0, 1, b'k', 1, b'v']];
    let mut file = file_of(&[&slot_info[..], &resize, &expiring.concat()].concat());
    let keyspace = loaded(&file);
    assert_eq!(keyspace.expiry(0, b"k"), Some(i64::from(i32::MAX) * 1000));
    assert!(keyspace.table_bytes(0).0 < 10_000_000, "a hint is no order");
    // Early files have no checksum.
    file.truncate(file.len() - 8);
    file[8] = b'4';
    file[7] = b'0';
    loaded(&file);
    file[..9].copy_from_slice(b"VALKEY080");
    let checksum = crc64(0, &file);
    file.extend_from_slice(&checksum.to_le_bytes());
    loaded(&file);
}

#[test]
fn keys_that_are_due_are_dropped_if_the_file_is_our_own() {
    let key = |at_ms: i64| {
        [&[format::EXPIRETIME_MS][..], &at_ms.to_le_bytes(), &[0, 1, b'k', 1, b'v']].concat()
    };
    let count = |at_ms: i64, origin: Origin| {
        let file = file_of(&key(at_ms));
        let mut keyspace = keyspace(AccessPolicy::Lru);
        let mut loader = Loader::new(Box::new(&file[..]), LoadOptions { origin, ..OPTIONS });
        assert_eq!(loader.step(&mut keyspace, u64::MAX).unwrap(), Step::Done);
        let stats = loader.stats();
        assert_eq!(stats.keys_loaded, keyspace.len(0) as u64);
        (stats.keys_loaded, stats.keys_expired)
    };
    assert_eq!(count(NOW_MS - 1, Origin::Own), (0, 1));
    assert_eq!(count(NOW_MS, Origin::Own), (1, 0));
    assert_eq!(count(NOW_MS - 1, Origin::Other), (1, 0));
}

#[test]
fn a_key_may_be_there_once() {
    let file = file_of(&[0, 1, b'k', 1, b'v', 0, 1, b'k', 1, b'w']);
    assert_eq!(fault(&file, OPTIONS).to_string(), "RDB has duplicated key 'k'");
    let mut keyspace = keyspace(AccessPolicy::Lru);
    load(&mut keyspace, &file, 1, LoadOptions { replaces: true, ..OPTIONS }).unwrap();
    assert_eq!(text(&keyspace, "k"), b"w");
}

#[test]
fn payloads_are_those_of_redis() {
    let keyspace = loaded(OF_7_2);
    let payload = |key: &str| dump(keyspace.peek(0, key.as_bytes()).unwrap(), 11, true).unwrap();
    assert_eq!(
        payload("greeting"),
        b"\x00\x05\x68\x65\x6c\x6c\x6f\x0b\x00\x0a\xad\x62\x05\x98\xab\xc9\x83"
    );
    let good = payload("lzf");
    assert!(verify(&good, true).is_some());
    for end in 0..good.len() {
        assert!(verify(&good[..end], true).is_none());
    }
    let mut other = good.clone();
    other[2] ^= 1;
    assert!(verify(&other, true).is_none() && verify(&other, false).is_some());
    // A version that is not known, with a good checksum.
    let mut newer = good[..good.len() - 8].to_vec();
    let at = newer.len() - 2;
    newer[at] = format::VERSION_MAX + 1;
    let checksum = crc64(0, &newer);
    newer.extend_from_slice(&checksum.to_le_bytes());
    assert!(verify(&newer, true).is_none() && verify(&newer, false).is_none());
}
