//! Tool: sets against simple models; limits change underneath.

use std::collections::BTreeSet;

use base::random::Random;
use ds::listpack::{Digits, Item};

use super::{
    Set, difference, each_of_difference, each_of_intersection, each_of_union, intersection, union,
};
use crate::{config::Encoding, value::Pattern};

type Model = BTreeSet<Vec<u8>>;

fn seeded(test: &str) -> Random {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| Random::from_system().below(1 << 32));
    println!("{test}: SEED={seed}");
    Random::seeded(seed)
}

fn limits(ints: usize, entries: usize, value: usize) -> Encoding {
    Encoding {
        set_max_intset_entries: ints,
        set_max_listpack_entries: entries,
        set_max_listpack_value: value,
        ..Encoding::default()
    }
}

fn any_limits(random: &mut Random) -> Encoding {
    let mut pick = |choices: [usize; 4]| choices[random.index(4)];
    limits(pick([0, 3, 20, 512]), pick([0, 3, 20, 128]), pick([0, 2, 10, 64]))
}

fn any_member(random: &mut Random) -> Vec<u8> {
    match random.below(5) {
        0..=2 => (random.below(60).cast_signed() - 30).to_string().into_bytes(),
        3 => (random.any_u64().cast_signed() >> random.below(60)).to_string().into_bytes(),
        _ => vec![b'a' + random.below(3) as u8; random.index(12)],
    }
}

fn text(item: Item<'_>) -> Vec<u8> {
    item.text(&mut Digits::default()).to_vec()
}

fn members(set: &Set) -> Model {
    let mut members = Model::new();
    set.each(|member| assert!(members.insert(member.to_vec()), "twice"));
    assert!(set.iter().map(text).eq({
        let mut order = Vec::new();
        set.each(|member| order.push(member.to_vec()));
        order
    }));
    members
}

fn any_set(random: &mut Random, limits: Encoding) -> (Set, Model) {
    let (mut set, mut model) = (Set::default(), Model::new());
    let texts = random.below(2) == 0;
    for _ in 0..random.index(80) {
        let member =
            if texts { any_member(random) } else { random.below(90).to_string().into_bytes() };
        assert_eq!(set.insert(&member, limits), model.insert(member));
    }
    (set, model)
}

#[test]
fn a_set_does_what_a_tree_does() {
    let mut random = seeded("a_set_does_what_a_tree_does");
    let mut forms = BTreeSet::new();
    for _ in 0..100 {
        let (mut set, mut model) = (Set::default(), Model::new());
        let mut limits = any_limits(&mut random);
        let has_texts = random.below(3) != 0;
        for _ in 0..200 {
            let small = (random.below(40).cast_signed() - 20).to_string().into_bytes();
            let member = if has_texts { any_member(&mut random) } else { small };
            match random.below(20) {
                0..12 => assert_eq!(set.insert(&member, limits), model.insert(member)),
                12..16 => assert_eq!(set.remove(&member), model.remove(&member)),
                16 => set.pop(&mut |bound| random.below(bound), |member| {
                    assert!(model.remove(member));
                }),
                17 if 2 < model.len() => {
                    let (count, mut popped) = (1 + random.index(model.len() - 1), 0);
                    set.pop_many(count, limits, &mut |bound| random.below(bound), |member| {
                        assert!(model.remove(member));
                        popped += 1;
                    });
                    assert_eq!(popped, count);
                }
                18 if random.below(9) == 0 => limits = any_limits(&mut random),
                _ => assert_eq!(set.contains(&member), model.contains(&member)),
            }
            assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
        }
        assert_eq!(members(&set), model);
        assert_eq!(members(&set.duplicate()), model);
        forms.insert(set.encoding());
    }
    assert_eq!(forms.len(), 3, "{forms:?}");
}

#[test]
fn sets_combine_as_trees_do() {
    let mut random = seeded("sets_combine_as_trees_do");
    for _ in 0..600 {
        let limits = any_limits(&mut random);
        let made: Vec<(Set, Model)> =
            (0..=random.index(9)).map(|_| any_set(&mut random, limits)).collect();
        let mut sets: Vec<&Set> = made.iter().map(|(set, _)| set).collect();
        let mut models: Vec<&Model> = made.iter().map(|(_, model)| model).collect();
        if random.below(4) == 0 {
            sets.push(sets[0]);
            models.push(models[0]);
        }
        let is_in = |others: &[&Model], member: &Vec<u8>| {
            others.iter().filter(|model| model.contains(member)).count()
        };
        let common: Model =
            models[0].iter().filter(|m| is_in(&models, m) == models.len()).cloned().collect();
        let all: Model = models.iter().flat_map(|model| model.iter().cloned()).collect();
        let rest: Model =
            models[0].iter().filter(|m| is_in(&models[1..], m) == 0).cloned().collect();

        let mut seen = Model::new();
        each_of_intersection(&sets, |member| seen.insert(text(member)));
        assert_eq!(seen, common);
        let mut seen = Vec::new();
        each_of_union(&sets, |member| seen.push(text(member)));
        assert_eq!(seen.len(), all.len());
        assert_eq!(seen.into_iter().collect::<Model>(), all);
        let mut seen = Vec::new();
        each_of_difference(sets[0], &sets[1..], |member| seen.push(text(member)));
        assert_eq!(seen.len(), rest.len());
        assert_eq!(seen.into_iter().collect::<Model>(), rest);

        assert_eq!(members(&intersection(&sets, limits)), common);
        assert_eq!(members(&union(&sets, limits)), all);
        assert_eq!(members(&difference(sets[0], &sets[1..], limits)), rest);
    }
}

#[test]
fn an_intersection_ends_when_enough_is_seen() {
    let limits = limits(512, 128, 64);
    let (mut set, mut seen) = (Set::default(), 0);
    (0..500).for_each(|n: u32| assert!(set.insert(n.to_string().as_bytes(), limits)));
    each_of_intersection(&[&set, &set], |_| {
        seen += 1;
        seen < 40
    });
    assert_eq!(seen, 40);
}

#[test]
fn each_member_is_picked_as_often() {
    let mut random = Random::seeded(7);
    let large = limits(512, 128, 64);
    for (prefix, limits) in [("", large), ("m", large), ("m", limits(0, 0, 0))] {
        let mut set = Set::default();
        (0..10).for_each(|n| assert!(set.insert(format!("{prefix}{n}").as_bytes(), limits)));
        let mut counts = [0; 10];
        let mut count = |member: &[u8]| counts[usize::from(member[member.len() - 1] - b'0')] += 1;
        let mut draw = |bound| random.below(bound);
        for _ in 0..4000 {
            set.random(&mut draw, &mut count);
            set.random_distinct(3, &mut draw, &mut count);
        }
        set.random_any(4000, &mut draw, |member| {
            count(member);
            true
        });
        // A mean of 2000; five deviations are about 200.
        assert!(counts.iter().all(|count| (1750..2250).contains(count)), "{counts:?}");
        let mut asked = 0;
        set.random_any(u64::MAX, &mut draw, |_| {
            asked += 1;
            asked < 2500
        });
        assert_eq!(asked, 2500);
    }
}

#[test]
fn a_walk_meets_what_stays() {
    let limits = limits(0, 0, 0);
    let mut set = Set::default();
    (0..3000).for_each(|n| assert!(set.insert(format!("m{n}").as_bytes(), limits)));
    let (mut met, mut cursor, mut calls) = (Model::new(), 0, 0);
    loop {
        let mut count = 0;
        cursor = set.scan(cursor, 10, Pattern::All, |member| {
            met.insert(member.to_vec());
            count += 1;
        });
        assert!(count < 60, "{count}");
        if cursor == 0 {
            break;
        }
        calls += 1;
        if calls % 2 == 0 {
            set.remove(format!("m{}", 2999 - calls).as_bytes());
        } else {
            set.insert(format!("new{calls}").as_bytes(), limits);
        }
    }
    assert!((0..2000).all(|n| met.contains(format!("m{n}").as_bytes())));
}
