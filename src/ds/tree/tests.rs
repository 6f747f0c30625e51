//! Pure: the tree against a `BTreeMap`.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

use base::random::Random;

use super::Tree;
use crate::seed;

type Model = BTreeMap<u64, String>;

#[test]
fn agrees_with_a_btree_map() {
    let mut random = seed::for_test("tree");
    for _ in 0..if cfg!(debug_assertions) { 4 } else { 60 } {
        let (mut tree, mut model) = (Tree::new(), Model::new());
        let keys = 1 + random.below(20_000);
        for round in 0..12 {
            let inserts = [8, 2, 9, 0][round % 4];
            for _ in 0..random.below(3_000) {
                change(&mut random, keys, inserts, &mut tree, &mut model);
            }
            check(&mut random, keys, &tree, &model);
            if random.below(3) == 0 {
                remove_range(&mut random, &mut tree, &mut model);
            }
        }
        assert!(tree.clone().iter().eq(&tree));
        tree.clear();
        assert_eq!((tree.len(), tree.memory_bytes(), tree.iter().count()), (0, 0, 0));
    }
}

fn change(
    random: &mut Random,
    keys: u64,
    inserts: u64,
    tree: &mut Tree<u64, String>,
    model: &mut Model,
) {
    let key = random.below(keys);
    let value = random.below(1_000).to_string();
    match random.below(14) {
        step if step < inserts => {
            assert_eq!(tree.insert(key, value.clone()), model.insert(key, value));
        }
        // As ids come.
        9 => {
            let next = model.last_key_value().map_or(0, |(last, _)| last + 1);
            assert_eq!(tree.insert(next, value.clone()), model.insert(next, value));
        }
        10 => {
            assert_eq!(tree.get(key), model.get(&key));
            assert_eq!(tree.contains(key), model.contains_key(&key));
            if let Some(old) = tree.get_mut(key) {
                *old += "+";
                *model.get_mut(&key).unwrap() += "+";
            }
        }
        11 => {
            assert_eq!(tree.pop_first(), model.pop_first());
            if let Some((key, value)) = tree.last_mut() {
                *value += "!";
                *model.get_mut(&key).unwrap() += "!";
            }
        }
        12 => assert_eq!(tree.pop_last(), model.pop_last()),
        _ => assert_eq!(tree.remove(key), model.remove(&key)),
    }
    assert_eq!(tree.len(), model.len());
}

fn check(random: &mut Random, keys: u64, tree: &Tree<u64, String>, model: &Model) {
    assert!(tree.iter().eq(model.iter().map(|(key, value)| (*key, value))));
    assert!(tree.iter().rev().eq(model.iter().rev().map(|(key, value)| (*key, value))));
    assert_eq!(tree.first(), model.first_key_value().map(|(key, value)| (*key, value)));
    assert_eq!(tree.last(), model.last_key_value().map(|(key, value)| (*key, value)));
    assert_eq!(tree.by_rank(tree.len()), None);
    for (rank, (key, value)) in model.iter().enumerate() {
        assert_eq!((tree.rank(*key), tree.by_rank(rank)), (rank, Some((*key, value))));
    }
    for _ in 0..40 {
        let [min, max] = [bound(random, keys), bound(random, keys)];
        let is_in = |key: &u64| {
            (match min {
                Bound::Included(min) => min <= *key,
                Bound::Excluded(min) => min < *key,
                Bound::Unbounded => true,
            }) && match max {
                Bound::Included(max) => *key <= max,
                Bound::Excluded(max) => *key < max,
                Bound::Unbounded => true,
            }
        };
        let mut expected: VecDeque<_> = model.keys().copied().filter(is_in).collect();
        let mut walk = tree.range(tree.ranks(min, max)).map(|(key, _)| key);
        assert_eq!(walk.len(), expected.len());
        for _ in 0..=expected.len() {
            match random.below(9) {
                0 => {
                    expected.drain(..expected.len().min(7));
                    assert_eq!(walk.nth(7), expected.pop_front());
                }
                1..=4 => assert_eq!(walk.next(), expected.pop_front()),
                _ => assert_eq!(walk.next_back(), expected.pop_back()),
            }
        }
    }
}

fn bound(random: &mut Random, keys: u64) -> Bound<u64> {
    match random.below(5) {
        0 => Bound::Unbounded,
        1 | 2 => Bound::Included(random.below(keys + 2)),
        _ => Bound::Excluded(random.below(keys + 2)),
    }
}

fn remove_range(random: &mut Random, tree: &mut Tree<u64, String>, model: &mut Model) {
    let start = random.below(tree.len() as u64 + 2) as usize;
    let end = start + random.below(tree.len() as u64 * 3 / 2 + 1) as usize;
    let mut removed = Vec::new();
    tree.remove_range(start..end, |key, value| removed.push((key, value)));
    let keys: Vec<_> = model.keys().copied().skip(start).take(end - start).collect();
    assert_eq!(removed.len(), keys.len());
    for ((key, value), expected) in removed.into_iter().zip(keys) {
        assert_eq!((key, Some(value)), (expected, model.remove(&expected)));
    }
    assert!(tree.iter().eq(model.iter().map(|(key, value)| (*key, value))));
}

#[test]
fn keys_in_order_fill_their_leaves() {
    for is_rising in [true, false] {
        let mut tree = Tree::new();
        for number in 0..100_000_u64 {
            tree.insert([0, if is_rising { number } else { u64::MAX - number }], number);
        }
        let per_entry = tree.memory_bytes() as f64 / tree.len() as f64;
        assert!(per_entry < 25.5, "{per_entry}");
        assert!(tree.node_count() < 1_700);
        for number in 0..99_900_u64 {
            let number = number * 7_919 % 100_000;
            let key = [0, if is_rising { number } else { u64::MAX - number }];
            assert_eq!(tree.remove(key), Some(number));
        }
        assert!(tree.memory_bytes() < 100 * 150, "{}", tree.memory_bytes());
    }
    let small: Tree<[u64; 2], u64> = [([1, 1], 1)].into_iter().collect();
    assert_eq!(small.memory_bytes(), 24);
}

#[test]
fn values_are_dropped_once_and_visited_each() {
    let token = Arc::new(());
    let mut tree: Tree<u32, Option<Arc<()>>> =
        (0..1_000).map(|key| (key, Some(Arc::clone(&token)))).collect();
    assert_eq!(Arc::strong_count(&token), 1_001);
    let mut visited = 0;
    tree.for_each_mut(|key, value| {
        visited += 1;
        if key % 2 == 0 {
            *value = None;
        }
    });
    assert_eq!((visited, Arc::strong_count(&token)), (1_000, 501));
    tree.remove_range(0..500, |key, value| assert_eq!(value.is_some(), key % 2 == 1));
    assert_eq!(Arc::strong_count(&token), 251);
    std::thread::spawn(|| drop(tree)).join().unwrap();
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn random_gives_each_entry_its_chance() {
    let mut random = seed::for_test("tree, fair");
    let tree: Tree<u32, ()> = (0..100).map(|key| (key, ())).collect();
    let mut counts = [0; 100];
    for _ in 0..100_000 {
        counts[tree.random(|bound| random.below(bound)).unwrap().0 as usize] += 1;
    }
    assert!(counts.iter().all(|count| (800..1_200).contains(count)));
    assert!(Tree::<u32, ()>::new().random(|_| 0).is_none());
}
