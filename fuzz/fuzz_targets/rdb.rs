//! Tool: fuzzes snapshots and payloads: whatever the bytes, they are loaded or refused; and what
//! was loaded is the same after it was saved and loaded again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis::{
    config::{Config, Encoding},
    functions::Functions,
    keyspace::Keyspace,
    persist::{
        rdb::{
            Decoder, LoadOptions, Loader, Origin, SaveOptions, Step, check, format::ObjectType,
            restore, save, verify,
        },
        rio::Reader,
    },
};

const NOW_MS: i64 = 1_700_000_000_000;

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let limits = Config::new(false).encoding;
    let budget = 1 + u64::from(choice >> 2);
    let total_bytes = (choice & 1 == 0).then_some(data.len() as u64);
    if let Some((keyspace, functions)) = load(data, limits, total_bytes, budget) {
        let mut file = Vec::new();
        let compresses = choice & 2 == 0;
        let options = SaveOptions { compresses, functions, ..SaveOptions::default() };
        save(&keyspace, &mut file, &options, &mut |_| {}).expect("a Vec takes everything");
        let again = load(&file, limits, None, u64::MAX).expect("what was saved can be loaded");
        assert_eq!(keyspace.digest(), again.0.digest());
        assert_eq!(options.functions, again.1);
    }
    // As a payload, and as a value of any type.
    for body in [verify(data, false), Some(data)].into_iter().flatten() {
        let _ = restore(b"key", body, None, true, limits);
    }
    if let Some((object_type, value)) = data.split_first() {
        for is_valkey in [false, true] {
            let mut decoder = Decoder::new(Reader::of(value), true, limits);
            decoder.is_valkey = is_valkey;
            let _ = check(&mut decoder, ObjectType(*object_type));
        }
    }
});

fn load(
    file: &[u8],
    limits: Encoding,
    total_bytes: Option<u64>,
    budget: u64,
) -> Option<(Keyspace, Functions)> {
    let options = LoadOptions {
        total_bytes,
        // Or nearly nothing would be looked at.
        checks_checksum: false,
        origin: Origin::Other,
        replaces: true,
        is_suspicious: true,
        limits,
        now_ms: NOW_MS,
    };
    let mut keyspace = Keyspace::new(16);
    let mut loader = Loader::new(Box::new(file), options);
    while loader.step(&mut keyspace, budget).ok()? == Step::More {}
    Some((keyspace, loader.functions))
}
