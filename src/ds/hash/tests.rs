//! Pure: the hash against a `BTreeMap`, its index of what expires, its choices.

use std::collections::{BTreeMap, BTreeSet};

use base::random::Random;

use super::{Due, Field, Hash, Slot};
use crate::{record::Expiry, seed};

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn name(number: u64) -> Vec<u8> {
    match number % 97 {
        0 => vec![b'n'; (number % 400) as usize],
        _ => format!("field:{number:06}").into_bytes(),
    }
}

fn value(random: &mut Random) -> Vec<u8> {
    let bytes = match random.below(50) {
        0 => random.below(100_000),
        1..=5 => random.below(400),
        _ => random.below(40),
    };
    let first = random.below(256) as u8;
    (0..bytes).map(|at| first.wrapping_add(at as u8)).collect()
}

#[test]
fn agrees_with_a_btree_map() {
    let mut random = seed::for_test("hash");
    for _ in 0..if cfg!(debug_assertions) { 5 } else { 30 } {
        let (mut hash, mut model) = (Hash::new(), Model::new());
        let names = 1 + random.below(2_000);
        for _ in 0..8 {
            for _ in 0..random.below(1_000) {
                change(&mut random, names, &mut hash, &mut model);
            }
            check(&hash, &model);
        }
        check(&hash.clone(), &model);
        hash.clear();
        assert_eq!((hash.len(), hash.volatile_len(), hash.memory_bytes()), (0, 0, 0));
    }
}

fn change(random: &mut Random, names: u64, hash: &mut Hash, model: &mut Model) {
    let name = name(random.below(names));
    let at = random.below(1_000) as i64 - 100;
    match random.below(12) {
        0..=4 => {
            let value = value(random);
            let old = model.get(&name).and_then(|(_, expiry)| *expiry);
            let (expiry, expiry_ms) = match random.below(4) {
                0 => (Expiry::Keep, old),
                1 => (Expiry::At(at), Some(at)),
                _ => (Expiry::Never, None),
            };
            let is_new = hash.set(&name, &value, expiry);
            assert_eq!(is_new, model.insert(name, (value, expiry_ms)).is_none());
        }
        5 | 6 => {
            let expiry_ms = (random.below(3) != 0).then_some(at);
            let is_there = hash.set_expiry(&name, expiry_ms);
            assert_eq!(is_there, model.contains_key(&name));
            if let Some((_, old)) = model.get_mut(&name) {
                *old = expiry_ms;
            }
        }
        7 => {
            let until_ms = random.below(200) as i64 - 100;
            let first = model.values().filter_map(|(_, expiry)| *expiry).min();
            assert_eq!(hash.next_expiry(), first);
            match hash.pop_due(until_ms) {
                Some(field) => {
                    assert!(field.expiry() == first && first.is_some_and(|ms| ms <= until_ms));
                    let removed = model.remove(field.name());
                    assert_eq!(removed, Some((field.value().to_vec(), first)));
                }
                None => assert!(first.is_none_or(|ms| until_ms < ms)),
            }
        }
        8 => match hash.entry(&name) {
            Slot::Occupied(mut item) => {
                let old = item.field().value().to_vec();
                item.set(&[&old[..], b"+"].concat(), Expiry::Keep);
                assert_eq!(item.into_field().value().len(), old.len() + 1);
                model.get_mut(&name).unwrap().0.push(b'+');
            }
            Slot::Vacant(slot) => {
                assert_eq!(slot.insert(b"made", Some(at)).value(), b"made");
                assert!(model.insert(name, (b"made".to_vec(), Some(at))).is_none());
            }
        },
        9 => {
            assert_eq!(hash.get(&name), model.get(&name).map(|(value, _)| &value[..]));
            assert_eq!(hash.contains(&name), model.contains_key(&name));
        }
        _ => {
            let removed = hash.remove(&name);
            let removed = removed.map(|field| (field.value().to_vec(), field.expiry()));
            assert_eq!(removed, model.remove(&name));
        }
    }
    assert_eq!(hash.len(), model.len());
}

fn check(hash: &Hash, model: &Model) {
    let entry = |field: &Field| (field.name().to_vec(), (field.value().to_vec(), field.expiry()));
    assert!(hash.iter().map(entry).collect::<Model>() == *model);
    let mut scanned = Model::new();
    let mut cursor = 0;
    loop {
        cursor = hash.scan(cursor, |field| scanned.extend([entry(field)]));
        if cursor == 0 {
            break;
        }
    }
    assert!(scanned == *model);
    assert!(hash.iter().filter_map(Due::of).collect::<BTreeSet<_>>() == hash.volatile);
    let mut volatile: Vec<_> = hash.volatile().map(|(name, ms)| (ms, name.to_vec())).collect();
    assert!(volatile.is_sorted_by_key(|(ms, _)| *ms));
    volatile.sort();
    let expected = model.iter().filter_map(|(name, (_, ms))| ms.map(|ms| (ms, name.clone())));
    assert_eq!(volatile, expected.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
    let fields: usize = hash.iter().map(Field::allocation_bytes).sum();
    assert_eq!(hash.field_bytes, fields);
}

#[test]
fn choices_are_distinct_and_fair() {
    let mut random = seed::for_test("hash, fair");
    let mut hash = Hash::new();
    assert!(hash.random(|_| 0).is_none());
    for number in 1..60 {
        hash.set(&name(number), b"value", Expiry::Never);
    }
    let mut counts = BTreeMap::<&[u8], u32>::new();
    for _ in 0..59_000 {
        *counts.entry(hash.random(|bound| random.below(bound)).unwrap().name()).or_default() += 1;
    }
    assert!(counts.len() == 59 && counts.values().all(|count| (750..1_250).contains(count)));
    let mut chosen = BTreeSet::new();
    hash.random_distinct(
        30,
        |bound| random.below(bound),
        |field| assert!(chosen.insert(field.name())),
    );
    assert_eq!(chosen.len(), 30);
}

#[test]
fn a_field_costs_two_thirds_of_what_redis_takes() {
    let mut hash = Hash::new();
    for number in 0..100_000 {
        let (name, value) = (format!("field:{number:06}"), format!("value:{number:026}"));
        hash.set(name.as_bytes(), value.as_bytes(), Expiry::Never);
    }
    assert!(hash.memory_bytes() / hash.len() <= 84);
}

#[test]
fn goes_to_another_thread() {
    let mut hash = Hash::new();
    hash.set(b"a", b"b", Expiry::At(1));
    std::thread::spawn(|| drop(hash)).join().unwrap();
}
