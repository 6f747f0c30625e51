//! Pure: the store against a `BTreeMap`: that the index keeps in step, whatever moves.

use std::{collections::BTreeMap, sync::Arc};

use super::{Expiry, Renamed, Slot, Store};
use crate::record::{Content, Record};

type Value = (u64, Arc<()>);
type Model = BTreeMap<Vec<u8>, (Held, Option<i64>)>;

#[derive(Clone, Debug, PartialEq)]
enum Held {
    String(Vec<u8>),
    Number(u64),
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }

    fn key(&mut self) -> Vec<u8> {
        format!("key:{}", self.below(1_000)).into_bytes()
    }

    fn expiry(&mut self) -> Option<i64> {
        (self.below(2) == 0).then(|| self.below(1_000_000) as i64)
    }
}

#[test]
fn agrees_with_a_btree_map() {
    let token = Arc::new(());
    for seed in 1..=if cfg!(debug_assertions) { 4 } else { 30 } {
        println!("seed {seed}");
        let mut random = Random(seed);
        let (mut store, mut model) = (Store::new(), Model::new());
        for round in 0..12 {
            let inserts = if round % 2 == 0 { 6 } else { 1 };
            for _ in 0..random.below(3_000) {
                if random.below(10) < inserts {
                    fill(&mut random, &token, &mut store, &mut model);
                } else {
                    change(&mut random, &mut store, &mut model);
                }
            }
            check(&store, &model);
        }
        let numbers = model.values().filter(|(held, _)| matches!(held, Held::Number(_)));
        assert_eq!(Arc::strong_count(&token), 1 + numbers.count());
        drop(store);
        assert_eq!(Arc::strong_count(&token), 1);
    }
}

fn fill(random: &mut Random, token: &Arc<()>, store: &mut Store<Value>, model: &mut Model) {
    let (key, number, expiry_ms) = (random.key(), random.below(u64::MAX), random.expiry());
    let string = vec![b'x'; random.below(100) as usize];
    let is_string = random.below(2) == 0;
    let held = if is_string { Held::String(string.clone()) } else { Held::Number(number) };
    let value = (number, Arc::clone(token));
    if random.below(3) == 0 {
        let record = match is_string {
            true => Record::with_string(&key, &string, expiry_ms),
            false => Record::with_value(&key, value, expiry_ms),
        };
        let old = store.insert(record);
        assert_eq!(old.as_ref().map(Record::key), model.get(&key).map(|_| &key[..]));
        model.insert(key, (held, expiry_ms));
        return;
    }
    match store.entry(&key) {
        Slot::Vacant(slot) => {
            assert_eq!(slot.key(), key);
            let item = match is_string {
                true => slot.insert_string(&string, expiry_ms),
                false => slot.insert_value(value, expiry_ms),
            };
            assert_eq!((item.record().key(), item.expiry()), (&key[..], expiry_ms));
            assert!(model.insert(key, (held, expiry_ms)).is_none());
        }
        Slot::Occupied(mut item) => {
            let old = model.get_mut(&key).expect("the model has it too");
            let expiry = match random.below(3) {
                0 => Expiry::Keep,
                _ => expiry_ms.map_or(Expiry::Never, Expiry::At),
            };
            let fallen = match is_string {
                true => item.set_string(&string, expiry),
                false => item.set_value(value, expiry),
            };
            assert_eq!(fallen.is_some(), matches!(old.0, Held::Number(_)));
            let expiry_ms = if expiry == Expiry::Keep { old.1 } else { expiry_ms };
            *old = (held, expiry_ms);
        }
    }
}

fn change(random: &mut Random, store: &mut Store<Value>, model: &mut Model) {
    let (key, other, expiry_ms) = (random.key(), random.key(), random.expiry());
    match random.below(5) {
        0 => {
            let was_there = model.get_mut(&key).map(|held| held.1 = expiry_ms).is_some();
            assert_eq!(store.set_expiry(&key, expiry_ms), was_there);
        }
        1 => match store.rename(&key, &other) {
            Renamed::Absent => assert!(!model.contains_key(&key)),
            Renamed::Done(displaced) => {
                let held = model.remove(&key).expect("the model has it too");
                let old = model.insert(other.clone(), held);
                assert_eq!(displaced.map(|old| old.expiry()), old.map(|old| old.1));
            }
        },
        2 => {
            if let Some(mut item) = store.find_mut(&key) {
                item.set_lru(9);
                if let Some(value) = item.value_mut() {
                    value.0 = 1;
                    model.get_mut(&key).expect("the model has it too").0 = Held::Number(1);
                }
            }
        }
        _ => {
            let removed = store.remove(&key);
            assert_eq!(removed.map(|record| record.expiry()), model.remove(&key).map(|old| old.1));
        }
    }
}

fn held(record: &Record<Value>) -> (Held, Option<i64>) {
    let held = match record.content() {
        Content::Embedded(string) => Held::String(string.to_vec()),
        Content::Value(value) => Held::Number(value.0),
    };
    (held, record.expiry())
}

fn check(store: &Store<Value>, model: &Model) {
    let all: Model = store.iter().map(|record| (record.key().to_vec(), held(record))).collect();
    assert!(all == *model);
    assert_eq!(store.len(), model.len());
    let mut volatile = model.clone();
    volatile.retain(|_, (_, expiry)| expiry.is_some());
    assert_eq!(store.volatile_len(), volatile.len());
    let found: Model =
        store.iter_volatile().map(|record| (record.key().to_vec(), held(record))).collect();
    assert!(found == volatile);
    let mut scanned = Model::new();
    let mut cursor = 0;
    loop {
        cursor = store.scan_volatile(cursor, |record| {
            scanned.insert(record.key().to_vec(), held(record));
        });
        if cursor == 0 {
            break;
        }
    }
    assert!(scanned == volatile);
    for key in model.keys() {
        assert_eq!(store.find(key).map(held).as_ref(), model.get(key));
    }
}

#[test]
fn choices_are_of_the_right_kind() {
    let mut random = Random(5);
    let mut store = Store::<Value>::new();
    assert!(store.random(|_| 0).is_none() && store.random_volatile(|_| 0).is_none());
    for number in 0..1_000_u64 {
        let expiry = (number % 10 == 0).then_some(number as i64);
        store.insert(Record::with_string(format!("{number}").as_bytes(), b"", expiry));
    }
    for _ in 0..100 {
        assert!(store.random(|bound| random.below(bound)).is_some());
        let volatile = store.random_volatile(|bound| random.below(bound));
        assert!(volatile.is_some_and(|record| record.expiry().is_some()));
        let mut keys = Vec::new();
        let count =
            store.sample_volatile(5, |bound| random.below(bound), |record| keys.push(record.key()));
        assert_eq!(count, keys.len());
        assert!(5 <= count && keys.iter().all(|key| key.ends_with(b"0")));
        assert!(5 <= store.sample(5, |bound| random.below(bound), |_| ()));
    }
    assert_eq!((store.len(), store.volatile_len()), (1_000, 100));
    let taken = store.take();
    assert_eq!((store.len(), store.volatile_len(), store.table_bytes()), (0, 0, 0));
    assert!(std::thread::spawn(move || taken.volatile_len()).join().unwrap() == 100);
}

#[test]
fn a_set_over_a_key_moves_nothing() {
    let mut store = Store::<Value>::new();
    store.entry(b"key").unwrap_vacant().insert_string(b"value-1", None);
    let before = store.find(b"key").unwrap().key().as_ptr();
    let mut item = store.find_mut(b"key").unwrap();
    assert!(item.set_string(b"value-22", Expiry::Never).is_none());
    assert_eq!(item.content(), Content::Embedded(b"value-22"));
    assert_eq!(item.into_record().key().as_ptr(), before);
}

#[test]
fn both_tables_end_their_rehash_by_reads_alone() {
    let mut store = Store::<Value>::new();
    for number in 0..513 {
        store.insert(Record::with_string(format!("{number}").as_bytes(), b"", Some(number)));
    }
    let is_rehashing = |store: &Store<Value>| {
        (store.stats().rehash_at.is_some(), store.volatile_stats().rehash_at.is_some())
    };
    assert_eq!(is_rehashing(&store), (true, true));
    for number in 0..64 {
        let mut item = store.find_mut(format!("{number}").as_bytes()).unwrap();
        item.rehash_index_step();
        assert_eq!(item.expiry(), Some(number));
    }
    assert_eq!(is_rehashing(&store), (false, false));
    assert_eq!(store.iter_volatile().count(), 513);
}

impl<'a, V> Slot<'a, V> {
    fn unwrap_vacant(self) -> super::Vacant<'a, V> {
        match self {
            Slot::Vacant(slot) => slot,
            Slot::Occupied(_) => panic!("the key is there"),
        }
    }
}
