//! Tool: hashes against a simple model; limits and the time change underneath.

use std::collections::BTreeMap;

use base::random::Random;
use ds::listpack::{Digits, Item};

use super::Hash;
use crate::config::Encoding;

/// Of each field, its value and when it expires.
type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn limits(entries: usize, value: usize) -> Encoding {
    Encoding {
        hash_max_listpack_entries: entries,
        hash_max_listpack_value: value,
        ..Encoding::default()
    }
}

fn any_text(random: &mut Random) -> Vec<u8> {
    match random.below(4) {
        0..=1 => random.below(12).to_string().into_bytes(),
        2 => (random.any_u64().cast_signed() >> random.below(60)).to_string().into_bytes(),
        _ => vec![b'a' + random.below(3) as u8; random.index(12)],
    }
}

fn text(item: Item<'_>) -> Vec<u8> {
    item.text(&mut Digits::default()).to_vec()
}

/// Holds everything that can be asked of a hash against the model.
fn assert_same(hash: &Hash, model: &Model, now_ms: i64, random: &mut Random) {
    let is_due = |expiry: &Option<i64>| expiry.is_some_and(|expiry_ms| expiry_ms <= now_ms);
    let alive: Model = model
        .iter()
        .filter(|(_, (_, expiry))| !is_due(expiry))
        .map(|(name, entry)| (name.clone(), entry.clone()))
        .collect();
    assert_eq!((hash.len(), hash.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(hash.alive_len(now_ms), alive.len());
    assert_eq!(hash.next_expiry(), model.values().filter_map(|(_, expiry)| *expiry).min());
    for (name, (value, expiry)) in model {
        let is_due = is_due(expiry);
        assert_eq!(hash.get(name, now_ms).map(text), (!is_due).then(|| value.clone()));
        assert_eq!(hash.expiry(name, now_ms), (!is_due).then_some(*expiry));
    }
    let mut seen = Model::new();
    hash.each_expiring(|name, value, expires| {
        let expiry = model[name].1;
        assert_eq!(expires, expiry.is_some());
        assert!(seen.insert(name.to_vec(), (value.to_vec(), expiry)).is_none(), "twice");
    });
    assert_eq!(seen, *model);
    let mut scanned = Model::new();
    let mut note = |name: &[u8], value: &[u8]| {
        scanned.insert(name.to_vec(), (value.to_vec(), alive[name].1));
    };
    let mut cursor = 0;
    loop {
        cursor = hash.scan(cursor, 5, now_ms, &mut note);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, alive);
    let mut draw = |bound| random.below(bound);
    assert_eq!(hash.random(now_ms, &mut draw).is_some(), !alive.is_empty());
    let mut picked = Vec::new();
    let count = hash.random_distinct(4, now_ms, &mut draw, |(name, value)| {
        let name = text(name);
        assert_eq!(text(value), alive[&name].0);
        picked.push(name);
    });
    picked.sort_unstable();
    picked.dedup();
    assert_eq!((count, picked.len()), (alive.len().min(4), alive.len().min(4)));
    let mut count = 0;
    hash.random_any(9, now_ms, &mut draw, |(name, value)| {
        count += 1;
        text(value) == alive[&text(name)].0
    });
    assert_eq!(count, if alive.is_empty() { 0 } else { 9 });
}

#[test]
fn any_steps_keep_what_a_map_would() {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| Random::from_system().below(1 << 32));
    println!("SEED={seed}");
    let mut random = Random::seeded(seed);
    let mut encodings = BTreeMap::new();
    for _ in 0..60 {
        let (mut hash, mut model, mut now_ms) = (Hash::default(), Model::new(), 100_i64);
        for _ in 0..100 {
            let limits =
                limits([8, 20, 128, 128][random.index(4)], [4, 64, 64, 64][random.index(4)]);
            let name = any_text(&mut random);
            match random.below(12) {
                0..=3 => {
                    let (value, keeps) = (any_text(&mut random), random.below(2) == 0);
                    let before = model.get(&name).map(|(_, expiry)| *expiry);
                    let expiry = before.flatten().filter(|_| keeps);
                    assert_eq!(hash.set(&name, &value, keeps, limits), before.is_none());
                    model.insert(name, (value, expiry));
                }
                4..=7 => {
                    let expiry =
                        (random.below(4) != 0).then(|| now_ms + random.below(40).cast_signed());
                    let is_there = model.get_mut(&name).map(|entry| entry.1 = expiry).is_some();
                    assert_eq!(hash.set_expiry(&name, expiry), is_there);
                }
                8 => assert_eq!(hash.remove(&name), model.remove(&name).is_some()),
                9 => {
                    let is_due = model
                        .get(&name)
                        .is_some_and(|(_, expiry)| expiry.is_some_and(|ms| ms <= now_ms));
                    assert_eq!(hash.remove_if_due(&name, now_ms), is_due);
                    if is_due {
                        model.remove(&name);
                    }
                }
                10 => {
                    let most = random.index(4);
                    let mut times = Vec::new();
                    let count = hash.remove_due(now_ms, most, |name| {
                        let (_, expiry) = model.remove(name).unwrap();
                        times.push(expiry.unwrap());
                    });
                    assert!(count == times.len() && times.is_sorted());
                    assert!(times.iter().all(|ms| *ms <= now_ms));
                    let due =
                        |(_, expiry): &&(_, Option<i64>)| expiry.is_some_and(|ms| ms <= now_ms);
                    assert!(count == most || model.values().find(due).is_none());
                }
                _ => now_ms += random.below(12).cast_signed(),
            }
            assert_same(&hash, &model, now_ms, &mut random);
            *encodings.entry(hash.encoding()).or_insert(0) += 1;
        }
        let copy = hash.duplicate();
        hash.to_table();
        assert_same(&hash, &model, now_ms, &mut random);
        assert_same(&copy, &model, now_ms, &mut random);
    }
    assert!(encodings.values().all(|count| 100 < *count) && encodings.len() == 3, "{encodings:?}");
}

/// The order that Redis 7.4 has them in: it can be seen.
#[test]
fn who_expires_first_stands_first_and_who_never_does_last() {
    let order = |hash: &Hash| {
        let mut order = String::new();
        hash.each(|name, _| order.push_str(str::from_utf8(name).unwrap()));
        order
    };
    let limits = limits(128, 64);
    let mut hash = Hash::default();
    for name in ["a", "b", "c", "d"] {
        hash.set(name.as_bytes(), b"1", false, limits);
    }
    for (name, expiry, expected) in [
        ("c", Some(5), "cabd"),
        ("a", Some(5), "acbd"),
        ("d", Some(3), "dacb"),
        ("b", Some(9), "dacb"),
        ("c", Some(5), "dcab"),
        ("c", None, "dabc"),
        ("c", None, "dabc"),
        ("a", Some(10), "dbac"),
    ] {
        assert!(hash.set_expiry(name.as_bytes(), expiry));
        assert_eq!(order(&hash), expected);
    }
    hash.set(b"b", b"22", true, limits);
    assert_eq!(order(&hash), "dbac");
    hash.set(b"d", b"44", false, limits);
    assert_eq!(order(&hash), "bacd");
    hash.set(b"d", b"4", false, limits);
    hash.set(b"e", b"5", false, limits);
    assert_eq!((order(&hash).as_str(), hash.encoding()), ("bacde", "listpackex"));
}
