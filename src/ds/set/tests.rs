//! Pure: the set against a `BTreeSet`, its SCAN, its choices.

use std::collections::{BTreeMap, BTreeSet};

use super::Set;
use crate::{dict::hash, seed};

fn member(number: u64) -> Vec<u8> {
    match number % 97 {
        0 => vec![b'x'; (number % 400) as usize],
        1 => vec![b'y'; 70_000 + number as usize],
        _ => format!("member:{number:06}").into_bytes(),
    }
}

#[test]
fn agrees_with_a_btree_set() {
    let mut random = seed::for_test("set");
    for round in 0..6 {
        let (mut set, mut model) = (Set::new(), BTreeSet::new());
        for _ in 0..4_000 {
            let member = member(random.below(1_500));
            match random.below(10) {
                0..=4 => assert_eq!(set.insert(&member), model.insert(member)),
                5 | 6 => assert_eq!(set.remove(&member), model.remove(&member)),
                7 => assert_eq!(set.contains(&member), model.contains(&member)),
                8 => {
                    assert_eq!(set.contains_hashed(hash(&member), &member), model.contains(&member))
                }
                _ => {
                    let popped = set.pop_random(|bound| random.below(bound));
                    assert!(popped.is_none_or(|popped| model.remove(&*popped)));
                }
            }
            assert_eq!(set.len(), model.len());
        }
        assert_eq!(set.iter().map(<[u8]>::to_vec).collect::<BTreeSet<_>>(), model);
        let mut scanned = BTreeSet::new();
        let mut cursor = 0;
        loop {
            cursor = set.scan(cursor, |member| {
                scanned.insert(member.to_vec());
            });
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(scanned, model, "round {round}");
        let texts: usize = set.members.iter().map(super::Text::allocation_bytes).sum();
        assert_eq!(set.memory_bytes(), set.members.memory_bytes() + texts);
        let strings: Vec<_> = (0..1_600).map(member).collect();
        let strings: Vec<_> = strings.iter().map(|string| (hash(string), &string[..])).collect();
        let mut told = 0;
        set.contains_each(&strings, |at, is_member| {
            assert_eq!((at, is_member), (told, model.contains(strings[at].1)));
            told += 1;
        });
        assert_eq!(told, strings.len());
        let clone = set.clone();
        assert!(clone.len() == set.len() && set.iter().all(|member| clone.contains(member)));
        let mut other = Set::new();
        assert!(other.insert(&member(5)));
        for taken in set.drain() {
            let is_new = *taken != member(5)[..];
            assert_eq!(other.insert_member(taken), is_new);
        }
        model.insert(member(5));
        assert_eq!(other.iter().map(<[u8]>::to_vec).collect::<BTreeSet<_>>(), model);
        assert_eq!((set.len(), set.memory_bytes()), (0, 0));
    }
}

#[test]
fn choices_are_fair_and_distinct() {
    let mut random = seed::for_test("fair");
    let set: Set = (2..52).map(member).collect::<Vec<_>>().iter().map(|m| &m[..]).collect();
    let mut counts = BTreeMap::<Vec<u8>, u32>::new();
    for _ in 0..50_000 {
        let member = set.random(|bound| random.below(bound)).unwrap();
        *counts.entry(member.to_vec()).or_default() += 1;
    }
    assert!(counts.len() == 50 && counts.values().all(|count| (800..1_200).contains(count)));
    // Both by draws and by a walk.
    for count in [1, 3, 10, 16, 17, 40, 49, 50, 60] {
        let mut counts = BTreeMap::<Vec<u8>, u32>::new();
        let rounds = 40_000 / count.min(50) as u32 + 2_000;
        for _ in 0..rounds {
            let mut chosen = BTreeSet::new();
            set.random_distinct(
                count,
                |bound| random.below(bound),
                |member| {
                    assert!(chosen.insert(member.to_vec()));
                },
            );
            assert_eq!(chosen.len(), count.min(50));
            chosen.into_iter().for_each(|member| *counts.entry(member).or_default() += 1);
        }
        let expected = f64::from(rounds) * count.min(50) as f64 / 50.0;
        for (_, times) in counts {
            assert!((f64::from(times) / expected - 1.0).abs() < 0.3, "{count} {times} {expected}");
        }
    }
    assert!(Set::new().random(|_| 0).is_none());
    Set::new().random_distinct(3, |_| 0, |_| panic!("there is nothing"));
}

#[test]
fn an_entry_costs_half_of_what_redis_takes() {
    let mut set = Set::new();
    for number in 0..100_000 {
        set.insert(format!("member:{number:06}").as_bytes());
    }
    assert!(set.memory_bytes() / set.len() <= 41);
    assert!(set.reserve(1 << 60).is_err());
}

#[test]
fn goes_to_another_thread() {
    let set: Set = [&b"a"[..], b"b"].into_iter().collect();
    std::thread::spawn(|| drop(set)).join().unwrap();
}
