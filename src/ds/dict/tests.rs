//! Pure: the dictionary against a `BTreeMap`, its SCAN, its choices, its drops.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Dict, Entry, Slot, hash};

struct Named {
    key: Vec<u8>,
    value: u64,
    token: Option<Arc<()>>,
}

impl Entry for Named {
    fn key(&self) -> &[u8] {
        &self.key
    }
}

type Names = Dict<Box<Named>>;

fn named(number: u64, value: u64) -> Box<Named> {
    Box::new(Named { key: key(number), value, token: None })
}

fn key(number: u64) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

/// A xorshift generator: the seed of a failing run is printed, and gives it again.
struct Random(u64);

impl Random {
    fn seeded(seed: u64) -> Self {
        println!("seed {seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}

#[test]
fn agrees_with_a_btree_map() {
    for seed in 1..=if cfg!(debug_assertions) { 6 } else { 30 } {
        let mut random = Random::seeded(seed);
        let (mut dict, mut model) = (Names::new(), BTreeMap::new());
        for round in 0..20 {
            // Rounds of mostly inserts and mostly removals make it grow and shrink.
            let inserts = if round % 2 == 0 { 8 } else { 1 };
            for _ in 0..random.below(3_000) {
                change(&mut random, inserts, &mut dict, &mut model);
            }
            check(&dict, &model);
        }
    }
}

fn change(random: &mut Random, inserts: u64, dict: &mut Names, model: &mut BTreeMap<Vec<u8>, u64>) {
    let (number, value) = (random.below(2_000), random.below(u64::MAX));
    let key = key(number);
    match random.below(12) {
        step if step < inserts => {
            let old = dict.insert(named(number, value)).map(|old| old.value);
            assert_eq!(old, model.insert(key, value));
        }
        8 => {
            assert_eq!(dict.find(&key).map(|entry| entry.value), model.get(&key).copied());
            assert_eq!(dict.contains(&key), model.contains_key(&key));
        }
        9 => {
            if let Some(entry) = dict.find_mut(&key) {
                entry.value = value;
            }
            if let Some(old) = model.get_mut(&key) {
                *old = value;
            }
        }
        10 => match dict.entry_hashed(hash(&key), &key) {
            Slot::Occupied(entry) => {
                assert_eq!(Some(entry.get().value), model.get(&key).copied());
                assert_eq!(Some(entry.remove().value), model.remove(&key));
            }
            Slot::Vacant(slot) => {
                assert_eq!(model.insert(key, value), None);
                assert_eq!(slot.insert(named(number, value)).value, value);
            }
        },
        _ => {
            let removed = dict.remove(&key).map(|entry| entry.value);
            assert_eq!(removed, model.remove(&key));
        }
    }
}

fn check(dict: &Names, model: &BTreeMap<Vec<u8>, u64>) {
    assert_eq!(dict.len(), model.len());
    assert_eq!(dict.iter().len(), model.len());
    let all: BTreeMap<_, _> = dict.iter().map(|entry| (entry.key.clone(), entry.value)).collect();
    assert!(all == *model);
    assert_eq!(dict.iter().count(), model.len());
    for (key, value) in model {
        assert_eq!(dict.find(key).map(|entry| entry.value), Some(*value));
    }
    let mut scanned = 0;
    let mut cursor = 0;
    loop {
        cursor = dict.scan(cursor, |_| scanned += 1);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, model.len(), "a scan of what stays still sees each entry once");
    let stats = dict.stats();
    assert_eq!(stats.tables.iter().map(|table| table.entries).sum::<usize>(), model.len());
    for table in &stats.tables {
        let buckets = table.buckets + table.children;
        assert!(table.entries <= buckets * 7);
        assert_eq!(table.lengths.iter().sum::<usize>(), table.buckets);
        let counted = table.lengths.iter().enumerate().map(|(length, count)| length * count);
        assert_eq!(counted.sum::<usize>(), table.entries);
    }
}

#[test]
fn scan_returns_what_stays_over_growth_and_shrinking() {
    for seed in 1..=20 {
        let mut random = Random::seeded(seed);
        let mut dict: Names = (0..300).map(|number| named(number, 0)).collect();
        let (mut cursor, mut seen, mut others) = (0, BTreeSet::new(), 0);
        let is_growing_first = random.below(2) == 0;
        if !is_growing_first {
            others = 20_000;
            (0..others).for_each(|number| drop(dict.insert(named(1_000 + number, 1))));
        }
        let mut sizes = BTreeSet::new();
        for call in 0.. {
            let mut found = Vec::new();
            cursor = dict.scan(cursor, |entry| found.push((entry.key.clone(), entry.value)));
            seen.extend(found.into_iter().filter(|(_, value)| *value == 0).map(|(key, _)| key));
            if cursor == 0 {
                break;
            }
            let tables = dict.stats().tables;
            sizes.insert(tables.iter().map(|table| table.buckets).collect::<Vec<_>>());
            // Some seeds turn round at times.
            let grows = is_growing_first != (seed % 3 == 0 && call % 80 < 20);
            for _ in 0..random.below(200) {
                if grows && others < 40_000 {
                    dict.insert(named(1_000 + others, 1));
                    others += 1;
                } else if !grows && 0 < others {
                    others -= 1;
                    assert!(dict.remove(&key(1_000 + others)).is_some());
                }
            }
        }
        assert_eq!(seen.len(), 300);
        assert!(1 < sizes.len(), "the tables changed meanwhile");
    }
}

#[test]
fn any_cursor_is_answered() {
    let dict: Names = (0..500).map(|number| named(number, 0)).collect();
    for cursor in [1, 7, u64::MAX, u64::MAX - 1, 1 << 63, 0x5555_5555_5555_5555] {
        let mut calls = 0;
        let mut cursor = cursor;
        loop {
            cursor = dict.scan(cursor, |_| ());
            calls += 1;
            if cursor == 0 {
                break;
            }
        }
        assert!(calls <= 200);
    }
    assert_eq!(Names::new().scan(5, |_| panic!("there is no entry")), 0);
}

#[test]
fn random_gives_each_entry_its_chance() {
    // Sizes at rest and in the middle of a rehash both ways.
    for (inserts, removals) in [(1, 0), (9, 0), (70, 0), (130, 0), (300, 250), (600, 560)] {
        let mut random = Random::seeded(inserts);
        let mut dict: Names = (0..inserts).map(|number| named(number, number)).collect();
        (0..removals).for_each(|number| drop(dict.remove(&key(number))));
        let entries = inserts - removals;
        let draws = 2_000 * entries;
        let mut counts = BTreeMap::new();
        for _ in 0..draws {
            let entry = dict.random(|bound| random.below(bound)).expect("it is not empty");
            *counts.entry(entry.value).or_insert(0_u64) += 1;
        }
        assert_eq!(counts.len() as u64, entries);
        // 2,000 expected each, with a deviation of 45.
        assert!(counts.values().all(|count| (1_700..2_300).contains(count)), "{counts:?}");
    }
    assert!(Names::new().random(|_| 0).is_none());
}

#[test]
fn a_sample_has_distinct_entries() {
    let mut random = Random::seeded(3);
    for entries in [0, 1, 5, 64, 65, 70, 129, 1_000] {
        let dict: Names = (0..entries).map(|number| named(number, number)).collect();
        for count in [1, 5, 20] {
            let mut sampled = Vec::new();
            let visited =
                dict.sample(count, |bound| random.below(bound), |entry| sampled.push(entry.value));
            assert_eq!(visited, sampled.len());
            assert!(count.min(entries as usize / 2) <= visited);
            let distinct: BTreeSet<_> = sampled.iter().collect();
            assert_eq!(distinct.len(), visited);
        }
    }
}

#[test]
fn drops_each_entry_once() {
    let token = Arc::new(());
    let counted =
        |number| Box::new(Named { key: key(number), value: 0, token: Some(Arc::clone(&token)) });
    let mut dict: Names = (0..1_000).map(counted).collect();
    assert_eq!(Arc::strong_count(&token), 1_001);
    assert!(dict.insert(counted(5)).is_some_and(|old| old.token.is_some()));
    drop(dict.remove(&key(7)));
    assert_eq!(Arc::strong_count(&token), 1_000);
    let mut drain = dict.drain();
    assert_eq!(drain.len(), 999);
    assert_eq!(drain.by_ref().take(400).count(), 400);
    assert_eq!(Arc::strong_count(&token), 600);
    std::thread::spawn(|| drop(drain)).join().unwrap();
    assert_eq!(Arc::strong_count(&token), 1);
    dict.extend_by(0..100, counted);
    dict.clear();
    assert_eq!((Arc::strong_count(&token), dict.memory_bytes()), (1, 0));
    dict.extend_by(0..100, counted);
    drop(dict);
    assert_eq!(Arc::strong_count(&token), 1);
}

impl Names {
    fn extend_by(&mut self, numbers: std::ops::Range<u64>, make: impl Fn(u64) -> Box<Named>) {
        numbers.for_each(|number| drop(self.insert(make(number))));
    }
}

#[test]
fn for_each_mut_reaches_all() {
    let mut dict: Names = (0..1_000).map(|number| named(number, number)).collect();
    dict.for_each_mut(|entry| entry.value += 1);
    assert_eq!(dict.iter().map(|entry| entry.value).sum::<u64>(), (1..=1_000).sum());
}

#[test]
fn empties_give_memory_back() {
    let mut dict = Names::new();
    assert_eq!((dict.memory_bytes(), dict.find(b"x").is_none()), (0, true));
    (0..10_000).for_each(|number| drop(dict.insert(named(number, 0))));
    let grown_bytes = dict.memory_bytes();
    (0..9_900).for_each(|number| drop(dict.remove(&key(number))));
    while dict.rehash(100) {}
    assert!(dict.memory_bytes() < grown_bytes / 20);
    (9_900..10_000).for_each(|number| drop(dict.remove(&key(number))));
    assert!(dict.memory_bytes() <= 64);
}

#[test]
fn expand_spares_the_rehash() {
    let mut dict = Names::new();
    dict.expand(10_000).unwrap();
    let bytes = dict.memory_bytes();
    for number in 0..10_000 {
        dict.insert(named(number, 0));
        assert!(!dict.is_rehashing());
    }
    assert!(dict.memory_bytes() < bytes * 2);
    assert!(dict.expand(usize::MAX).is_err());
    assert!(dict.expand(usize::MAX / 64).is_err());
    assert_eq!(dict.len(), 10_000);
    dict.expand(100_000).unwrap();
    assert!(dict.is_rehashing());
    assert!(!dict.rehash_for(std::time::Duration::from_secs(60)));
    assert!(!dict.is_rehashing());
    assert!((0..10_000).all(|number| dict.contains(&key(number))));
}

#[test]
fn prefetching_is_harmless() {
    let mut dict = Names::new();
    dict.prefetch(hash(b"x"));
    dict.prefetch_entry(hash(b"x"));
    dict.insert(named(1, 2));
    let hash = hash(b"key:1");
    dict.prefetch(hash);
    dict.prefetch_entry(hash);
    assert_eq!(dict.find_hashed(hash, b"key:1").map(|entry| entry.value), Some(2));
}

#[test]
fn goes_to_other_threads() {
    fn is_send<T: Send>() {}
    is_send::<Names>();
    is_send::<super::IntoIter<Box<Named>>>();
}
