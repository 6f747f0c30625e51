//! Pure: tests of sorted sets: both forms do what a simple model does.

use std::ops::Bound;

use base::random::Random;
use ds::zset::Lex;

use super::{Course, End, Outcome, Presence, Update, Zset};
use crate::config::Encoding;

const LIMITS: Encoding = Encoding {
    hash_max_listpack_entries: 0,
    hash_max_listpack_value: 0,
    list_max_listpack_size: 0,
    list_compress_depth: 0,
    set_max_intset_entries: 0,
    set_max_listpack_entries: 0,
    set_max_listpack_value: 0,
    zset_max_listpack_entries: 1000,
    zset_max_listpack_value: 64,
    hll_sparse_max_bytes: 0,
    stream_node_max_bytes: 0,
    stream_node_max_entries: 0,
};

/// Members in their order.
type Model = Vec<(f64, Vec<u8>)>;

fn sort(model: &mut Model) {
    model.sort_by(|(a, name), (b, other)| a.total_cmp(b).then_with(|| name.cmp(other)));
}

fn all(zset: &Zset) -> Model {
    let mut all = Vec::new();
    zset.each(|member, score| all.push((score, member.to_vec())));
    all
}

fn any_member(random: &mut Random) -> Vec<u8> {
    match random.below(3) {
        0 => random.below(20).to_string().into_bytes(),
        _ => format!("m{}", random.below(30)).into_bytes(),
    }
}

fn any_score(random: &mut Random) -> f64 {
    // Halves are exact, so sums are those of the model; no zero has a sign.
    random.below(40) as f64 / 2.0 - 9.75
}

#[test]
fn both_forms_do_what_a_model_does() {
    let seed = Random::from_system().any_u64();
    eprintln!("seed {seed}");
    let mut random = Random::seeded(seed);
    for is_tree in [false, true] {
        let mut zset = if is_tree { Zset::tree(0) } else { Zset::default() };
        let mut model = Model::new();
        for _ in 0..6_000 {
            let (member, score) = (any_member(&mut random), any_score(&mut random));
            let at = model.iter().position(|(_, name)| *name == member);
            match random.below(8) {
                0..4 => {
                    let how = any_update(&mut random);
                    let outcome = zset.update(&member, score, how, LIMITS).unwrap();
                    assert_eq!(outcome, expected(at.map(|at| model[at].0), score, how));
                    if let Outcome::Added(score) | Outcome::Updated(score) = outcome {
                        model.retain(|(_, name)| *name != member);
                        model.push((score, member));
                        sort(&mut model);
                    }
                }
                4 => {
                    assert_eq!(zset.remove(&member), at.is_some());
                    model.retain(|(_, name)| *name != member);
                }
                5 => check_looks(&zset, &model, &member, &mut random),
                6 => {
                    let mut popped = Vec::new();
                    let end = if random.below(2) == 0 { End::Min } else { End::Max };
                    zset.pop(end, 1 + random.index(2), |member, score| {
                        popped.push((score.value(), member.to_vec()));
                    });
                    for pair in popped {
                        let at = if end == End::Min { 0 } else { model.len() - 1 };
                        assert_eq!(model.remove(at), pair);
                    }
                }
                _ => {
                    let start = random.index(model.len() + 1);
                    let end = (start + random.index(3)).min(model.len());
                    assert_eq!(zset.remove_range(start..end), end - start);
                    model.drain(start..end);
                }
            }
            assert_eq!(zset.len(), model.len());
        }
        assert_eq!(all(&zset), model);
        assert_eq!(zset.encoding(), if is_tree { "skiplist" } else { "listpack" });
        zset.unpack(0);
        assert_eq!(all(&zset), model);
        zset.settle(LIMITS);
        assert_eq!((all(&zset), zset.encoding()), (model, "listpack"));
    }
}

fn any_update(random: &mut Random) -> Update {
    Update {
        presence: [Presence::Any, Presence::Any, Presence::Absent, Presence::Present]
            [random.index(4)],
        course: [Course::Any, Course::Any, Course::Up, Course::Down][random.index(4)],
        is_increment: random.below(3) == 0,
    }
}

fn expected(present: Option<f64>, score: f64, how: Update) -> Outcome {
    let Some(present) = present else {
        return match how.presence {
            Presence::Present => Outcome::Refused,
            _ => Outcome::Added(score),
        };
    };
    let score = if how.is_increment { present + score } else { score };
    match how.course {
        _ if how.presence == Presence::Absent => Outcome::Refused,
        Course::Up if score <= present => Outcome::Refused,
        Course::Down if present <= score => Outcome::Refused,
        _ if score == present => Outcome::Same(score),
        _ => Outcome::Updated(score),
    }
}

fn check_looks(zset: &Zset, model: &Model, member: &[u8], random: &mut Random) {
    let at = model.iter().position(|(_, name)| *name == member);
    assert_eq!(zset.score(member), at.map(|at| model[at].0));
    assert_eq!(zset.rank(member, End::Min).map(|(rank, _)| rank), at);
    let from_max = at.map(|at| model.len() - 1 - at);
    assert_eq!(zset.rank(member, End::Max).map(|(rank, _)| rank), from_max);
    let (min, max) = (any_score(random), any_score(random));
    let ranks = zset.ranks_by_score((Bound::Excluded(min), Bound::Included(max)));
    let count = model.iter().filter(|(score, _)| min < *score && *score <= max).count();
    assert_eq!(ranks.len(), count);
    for from in [End::Min, End::Max] {
        let mut shown = Vec::new();
        zset.range(ranks.clone(), from, |member, score| {
            shown.push((score.value(), member.to_vec()));
        });
        if from == End::Max {
            shown.reverse();
        }
        assert_eq!(shown, model[ranks.clone()]);
    }
    let mut distinct = Vec::new();
    zset.random_distinct(
        3,
        |bound| random.below(bound),
        |member, _| distinct.push(member.to_vec()),
    );
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), model.len().min(3));
}

#[test]
fn names_have_ranges_where_scores_are_equal() {
    for is_tree in [false, true] {
        let mut zset = if is_tree { Zset::tree(0) } else { Zset::default() };
        for name in ["a", "aa", "b", "c", "10"] {
            zset.insert(name.as_bytes(), 0.0, LIMITS);
        }
        let ranks = |min, max| zset.ranks_by_lex((min, max));
        assert_eq!(ranks(Lex::Min, Lex::Max), 0..5);
        assert_eq!(ranks(Lex::Included(b"a"), Lex::Excluded(b"b")), 1..3);
        assert_eq!(ranks(Lex::Excluded(b"a"), Lex::Included(b"b")), 2..4);
        assert!(ranks(Lex::Included(b"c"), Lex::Included(b"a")).is_empty());
        assert!(ranks(Lex::Max, Lex::Min).is_empty());
    }
}
