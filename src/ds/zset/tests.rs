//! Pure: the sorted set against a `BTreeMap` and a sorted vector.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
};

use base::random::Random;

use super::{Lex, Slot, Zset};
use crate::seed;

type Model = BTreeMap<Vec<u8>, f64>;

fn member(number: u64) -> Vec<u8> {
    match number % 89 {
        0 => vec![b'x'; (number % 600) as usize],
        _ => format!("member:{number:06}").into_bytes(),
    }
}

/// Scores that often are equal, of both signs, infinite, zero.
fn score(random: &mut Random) -> f64 {
    match random.below(20) {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        2 => -0.0,
        3 => random.unit_f64() * 1e9 - 5e8,
        _ => random.below(200) as f64 - 50.0,
    }
}

fn sorted(model: &Model) -> Vec<(Vec<u8>, f64)> {
    let mut sorted: Vec<_> = model.iter().map(|(member, score)| (member.clone(), *score)).collect();
    // Stable, by members before.
    sorted.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap());
    sorted
}

fn owned((member, score): (&[u8], f64)) -> (Vec<u8>, f64) {
    (member.to_vec(), score)
}

#[test]
fn agrees_with_a_sorted_model() {
    let mut random = seed::for_test("zset");
    for _ in 0..if cfg!(debug_assertions) { 3 } else { 40 } {
        let (mut zset, mut model) = (Zset::new(), Model::new());
        let members = 1 + random.below(6_000);
        for round in 0..12 {
            let inserts = [7, 2, 9, 0][round % 4];
            for _ in 0..random.below(2_000) {
                change(&mut random, members, inserts, &mut zset, &mut model);
            }
            let sorted = sorted(&model);
            check(&zset, &sorted);
            ranges(&mut random, &zset, &sorted);
            if random.below(3) == 0 {
                remove_range(&mut random, &mut zset, &mut model, &sorted);
            }
        }
        assert!(zset.clone().iter().eq(&zset));
        zset.clear();
        assert_eq!((zset.len(), zset.memory_bytes(), zset.iter().count()), (0, 0, 0));
    }
}

fn change(random: &mut Random, members: u64, inserts: u64, zset: &mut Zset, model: &mut Model) {
    let member = member(random.below(members));
    match random.below(12) {
        step if step < inserts => {
            let score = score(random);
            assert_eq!(zset.insert(&member, score), model.insert(member, score));
        }
        9 => {
            let old = model.get(&member).copied();
            match zset.entry(&member) {
                Slot::Occupied(mut item) => {
                    // A step small enough to stay in its leaf.
                    let score = item.score() + random.below(5) as f64 - 2.0;
                    assert_eq!(Some(item.score()), old);
                    item.set_score(score);
                    assert_eq!(item.score(), score);
                    model.insert(member, score);
                }
                Slot::Vacant(slot) => {
                    slot.insert(3.0);
                    assert_eq!(old, None);
                    model.insert(member, 3.0);
                }
            }
        }
        10 => {
            let popped = if random.below(2) == 0 { zset.pop_first() } else { zset.pop_last() };
            match popped {
                Some(popped) => assert_eq!(model.remove(popped.name()), Some(popped.score())),
                None => assert!(model.is_empty()),
            }
        }
        _ => assert_eq!(zset.remove(&member), model.remove(&member)),
    }
    assert_eq!(zset.len(), model.len());
}

fn check(zset: &Zset, sorted: &[(Vec<u8>, f64)]) {
    assert!(zset.iter().map(owned).eq(sorted.iter().cloned()));
    assert!(zset.iter().rev().map(owned).eq(sorted.iter().rev().cloned()));
    for (rank, (member, score)) in sorted.iter().enumerate() {
        assert_eq!(zset.rank(member), Some((rank, *score)));
        assert_eq!(zset.reverse_rank(member), Some((sorted.len() - 1 - rank, *score)));
        assert_eq!(zset.by_rank(rank), Some((&member[..], *score)));
        assert_eq!(zset.score(member), Some(*score));
    }
    assert_eq!(zset.by_rank(sorted.len()), None);
    assert_eq!(zset.first().map(owned), sorted.first().cloned());
    assert_eq!(zset.last().map(owned), sorted.last().cloned());
    let texts: usize = zset.members.iter().map(super::ScoredText::allocation_bytes).sum();
    assert_eq!(zset.text_bytes, texts);
    let mut scanned = BTreeMap::new();
    let mut cursor = 0;
    loop {
        cursor = zset.scan(cursor, |member, score| {
            scanned.insert(member.to_vec(), score);
        });
        if cursor == 0 {
            break;
        }
    }
    assert!(scanned.into_iter().eq(sorted.iter().cloned().collect::<Model>()));
}

fn ranges(random: &mut Random, zset: &Zset, sorted: &[(Vec<u8>, f64)]) {
    for _ in 0..60 {
        let [min, max] = [bound(random), bound(random)];
        let ranks = zset.ranks_by_score(min, max);
        let is_in = |(_, score): &&(Vec<u8>, f64)| {
            (match min {
                Bound::Included(min) => min <= *score,
                Bound::Excluded(min) => min < *score,
                Bound::Unbounded => true,
            }) && match max {
                Bound::Included(max) => *score <= max,
                Bound::Excluded(max) => *score < max,
                Bound::Unbounded => true,
            }
        };
        let expected: Vec<_> = sorted.iter().filter(is_in).cloned().collect();
        assert_eq!(ranks.len(), expected.len(), "{min:?} {max:?}");
        assert!(zset.range(ranks.clone()).map(owned).eq(expected.iter().cloned()));
        assert!(zset.range(ranks).rev().map(owned).eq(expected.iter().rev().cloned()));
        let start = random.below(sorted.len() as u64 + 3) as usize;
        let mut walk = zset.range(start..start + random.below(300) as usize);
        let model = sorted.iter().skip(start).take(walk.len()).cloned();
        let mut model: VecDeque<_> = model.collect();
        for _ in 0..walk.len() + 1 {
            // From both ends at once, and with leaps.
            match random.below(9) {
                0 => {
                    model.drain(..model.len().min(5));
                    assert_eq!(walk.nth(5).map(owned), model.pop_front());
                }
                1..=4 => assert_eq!(walk.next().map(owned), model.pop_front()),
                _ => assert_eq!(walk.next_back().map(owned), model.pop_back()),
            }
        }
    }
}

fn bound(random: &mut Random) -> Bound<f64> {
    match random.below(5) {
        0 => Bound::Unbounded,
        1 | 2 => Bound::Included(score(random)),
        _ => Bound::Excluded(score(random)),
    }
}

fn remove_range(
    random: &mut Random,
    zset: &mut Zset,
    model: &mut Model,
    sorted: &[(Vec<u8>, f64)],
) {
    let start = random.below(sorted.len() as u64 + 2) as usize;
    let end = start + random.below(sorted.len() as u64 * 3 / 2 + 1) as usize;
    let mut removed = Vec::new();
    let count = zset.remove_range(start..end, |member, score| {
        removed.push((member.to_vec(), score));
    });
    assert_eq!(removed.len(), count);
    let expected: Vec<_> = sorted.iter().skip(start).take(end - start).cloned().collect();
    assert_eq!(removed, expected);
    for (member, score) in removed {
        assert_eq!(model.remove(&member), Some(score));
    }
    check(zset, &self::sorted(model));
}

#[test]
fn ranges_by_name() {
    let mut random = seed::for_test("lex");
    let (mut zset, mut model) = (Zset::new(), BTreeSet::new());
    for _ in 0..3_000 {
        let member = member(random.below(5_000));
        zset.insert(&member, 0.0);
        model.insert(member);
    }
    for _ in 0..500 {
        let names = [member(random.below(5_000)), member(random.below(5_000))];
        let [min, max] = [0, 1].map(|end: usize| match random.below(8) {
            0 => Lex::Min,
            1 => Lex::Max,
            2..=4 => Lex::Included(&names[end]),
            _ => Lex::Excluded(&names[end]),
        });
        let is_in = |name: &&Vec<u8>| {
            (match min {
                Lex::Min => true,
                Lex::Max => false,
                Lex::Included(min) => min <= name,
                Lex::Excluded(min) => min < &name[..],
            }) && match max {
                Lex::Min => false,
                Lex::Max => true,
                Lex::Included(max) => &name[..] <= max,
                Lex::Excluded(max) => &name[..] < max,
            }
        };
        let expected: Vec<_> = model.iter().filter(is_in).collect();
        let found: Vec<_> = zset.range(zset.ranks_by_lex(min, max)).map(|(name, _)| name).collect();
        assert_eq!(found, expected, "{min:?} {max:?}");
    }
    // Scores that differ give some answer.
    zset.insert(b"a", 5.0);
    zset.insert(b"z", -5.0);
    zset.ranks_by_lex(Lex::Included(b"member:1"), Lex::Excluded(b"member:3"));
}

#[test]
fn choices_are_fair() {
    let mut random = seed::for_test("zset, fair");
    let mut zset = Zset::new();
    assert_eq!(zset.random(|_| 0), None);
    for number in 0..200 {
        zset.insert(&member(number), number as f64);
    }
    let mut counts = BTreeMap::<Vec<u8>, u32>::new();
    for _ in 0..100_000 {
        let (member, _) = zset.random(|bound| random.below(bound)).unwrap();
        *counts.entry(member.to_vec()).or_default() += 1;
    }
    assert!(counts.len() == zset.len());
    assert!(counts.values().all(|count| (350..650).contains(count)), "{counts:?}");
    let mut chosen = BTreeSet::new();
    zset.random_distinct(
        50,
        |bound| random.below(bound),
        |member, score| {
            assert!(zset.score(member) == Some(score) && chosen.insert(member));
        },
    );
    assert_eq!(chosen.len(), 50);
}

#[test]
fn leaves_fill_in_order_and_fold_when_emptied() {
    for is_rising in [true, false] {
        let mut zset = Zset::new();
        for number in 0..100_000_u32 {
            let score = if is_rising { f64::from(number) } else { -f64::from(number) };
            zset.insert(format!("member:{number:06}").as_bytes(), score);
        }
        let per_element = zset.order.memory_bytes() as f64 / zset.len() as f64;
        assert!(per_element < 17.2, "{per_element}");
        assert!(zset.memory_bytes() / zset.len() <= 71);
        for number in 0..99_900_u32 {
            let number = number.wrapping_mul(7_919) % 100_000;
            zset.remove(format!("member:{number:06}").as_bytes());
        }
        assert!(zset.order.memory_bytes() < 100 * 128, "{}", zset.order.memory_bytes());
    }
}

#[test]
#[should_panic(expected = "a score has a place")]
fn nan_is_refused() {
    Zset::new().insert(b"x", f64::NAN);
}

#[test]
fn goes_to_another_thread() {
    let mut zset = Zset::new();
    zset.insert(b"a", 1.0);
    std::thread::spawn(|| drop(zset)).join().unwrap();
}
