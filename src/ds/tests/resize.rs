//! Pure: what dictionaries do about their size while a child shares the memory. A binary of
//! its own, because the policy is the whole process's.

use std::collections::BTreeSet;

use ds::{
    Set, Store,
    dict::{Resize, Stats, set_hash_seed, set_may_resize},
    store::Slot,
};

const KEYS: u64 = 20_000;

#[test]
fn resizing_waits_for_the_child() {
    assert!(set_hash_seed(*b"0123456789abcdef"), "no key was hashed before");
    assert!(!set_hash_seed([0; 16]), "the seed is set once");
    let mut store = Store::<u64>::new();

    // The child itself: one bucket, and a chain of all that comes.
    set_may_resize(Resize::Forbid);
    fill(&mut store, 0..200);
    let stats = store.stats();
    assert_eq!((stats.tables[0].buckets, stats.tables[0].longest), (1, 200));
    assert_eq!(store.volatile_stats().tables[0].longest, 100);
    check(&store, 0..200);
    assert_eq!(scan(&store), 200);
    for key in 50..150 {
        assert!(store.remove(&name(key)).is_some());
    }
    check(&store, 0..50);
    check(&store, 150..200);
    let mut next = 0;
    let drawn = store.random(|bound| {
        next += 1;
        next % bound
    });
    assert!(drawn.is_some());

    // Beside a child: only from long chains.
    set_may_resize(Resize::Avoid);
    fill(&mut store, 50..150);
    fill(&mut store, 200..KEYS);
    let avoided = longest(&store.stats());
    assert!(20 < avoided && avoided < 200, "{avoided}");
    check(&store, 0..KEYS);
    assert_eq!(scan(&store) as u64, KEYS);

    // Without one, what was put off is done.
    set_may_resize(Resize::Allow);
    fill(&mut store, KEYS..KEYS + 1);
    while store.rehash_for(std::time::Duration::from_millis(1)) {}
    fill(&mut store, KEYS + 1..KEYS + 2);
    while store.rehash_for(std::time::Duration::from_millis(1)) {}
    assert!(longest(&store.stats()) < 40);
    check(&store, 0..KEYS + 2);

    // A table that is being emptied beside a child stays, also in the middle of a rehash.
    let buckets = store.stats().tables[0].buckets;
    set_may_resize(Resize::Avoid);
    for key in 10..KEYS + 2 {
        assert!(store.remove(&name(key)).is_some());
    }
    assert_eq!(store.stats().tables[0].buckets, buckets);
    check(&store, 0..10);
    let sampled = store.sample(usize::MAX, |_| 0, |_| ());
    assert_eq!(sampled, 10);
    choose_from_a_sparse_table();
    leave_a_sparse_table();
    set_may_resize(Resize::Allow);
    assert!(store.remove(&name(0)).is_some());
    while store.rehash_for(std::time::Duration::from_millis(1)) {}
    assert!(store.stats().tables[0].buckets <= 4);
    check(&store, 1..10);
}

/// Choices end, and are distinct, where nearly all buckets are empty.
fn choose_from_a_sparse_table() {
    set_may_resize(Resize::Allow);
    let mut set: Set = (0..KEYS).map(name).collect::<Vec<_>>().iter().map(|key| &key[..]).collect();
    set_may_resize(Resize::Avoid);
    for key in 5..KEYS {
        assert!(set.remove(&name(key)));
    }
    assert!(1_000 < set.stats().tables[0].buckets);
    let mut state = 1_u64;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % bound
    };
    for count in 0..7 {
        let mut chosen = BTreeSet::new();
        set.random_distinct(count, &mut draw, |member| assert!(chosen.insert(member)));
        assert_eq!(chosen.len(), count.min(5));
    }
    for left in (0..5).rev() {
        // The worst luck: each draw misses.
        assert!(set.pop_random(|bound| bound - 1).is_some());
        assert_eq!(set.len(), left);
    }
    assert!(set.pop_random(draw).is_none());
}

/// A rehash that has begun goes on beside a child if the old table is nearly empty, by reads, too.
fn leave_a_sparse_table() {
    set_may_resize(Resize::Allow);
    let mut set: Set = (0..KEYS).map(name).collect::<Vec<_>>().iter().map(|key| &key[..]).collect();
    set_may_resize(Resize::Avoid);
    for key in 50..KEYS {
        assert!(set.remove(&name(key)));
    }
    assert!(set.stats().rehash_at.is_none());
    set_may_resize(Resize::Allow);
    assert!(set.remove(&name(0)));
    assert_eq!(set.stats().rehash_at, Some(0));
    set_may_resize(Resize::Forbid);
    set.rehash_step();
    assert_eq!(set.stats().rehash_at, Some(0));
    set_may_resize(Resize::Avoid);
    let mut steps = 0;
    while set.stats().rehash_at.is_some() {
        set.rehash_step();
        steps += 1;
    }
    assert!((100..1000).contains(&steps), "{steps}");
    assert!((1..50).all(|key| set.contains(&name(key))) && set.len() == 49);
    assert!(set.stats().tables[0].buckets <= 16);
}

fn name(key: u64) -> Vec<u8> {
    format!("key:{key}").into_bytes()
}

/// Every second key expires.
fn fill(store: &mut Store<u64>, keys: std::ops::Range<u64>) {
    for key in keys {
        let name = name(key);
        let Slot::Vacant(slot) = store.entry(&name) else { panic!("{key}") };
        slot.insert_value(key, (key % 2 == 0).then_some(key as i64));
    }
}

fn check(store: &Store<u64>, keys: std::ops::Range<u64>) {
    for key in keys {
        let record = store.find(&name(key)).expect("it was put in");
        assert_eq!(record.value(), Some(&key));
        assert_eq!(record.expiry().is_some(), key % 2 == 0);
    }
    assert_eq!(store.volatile_len(), store.iter().filter(|r| r.expiry().is_some()).count());
}

fn scan(store: &Store<u64>) -> usize {
    let mut seen = 0;
    let mut cursor = store.scan(0, |_| seen += 1);
    while cursor != 0 {
        cursor = store.scan(cursor, |_| seen += 1);
    }
    seen
}

fn longest(stats: &Stats) -> usize {
    stats.tables.iter().map(|table| table.longest).max().unwrap_or(0)
}
