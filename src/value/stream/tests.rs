//! Pure: tests of streams: entries and groups against simple models, bytes against Redis's.

use std::collections::BTreeMap;

use base::random::Random;

use super::{Course, Entry, Group, Log, Nack, StreamId, Trim};
use crate::config::Encoding;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

const LIMITS: Encoding = Encoding {
    stream_node_max_bytes: 200,
    stream_node_max_entries: 7,
    hash_max_listpack_entries: 0,
    hash_max_listpack_value: 0,
    list_max_listpack_size: 0,
    list_compress_depth: 0,
    set_max_intset_entries: 0,
    set_max_listpack_entries: 0,
    set_max_listpack_value: 0,
    zset_max_listpack_entries: 0,
    zset_max_listpack_value: 0,
    hll_sparse_max_bytes: 0,
};

/// Says its seed, for who wants to repeat a failure.
fn random() -> Random {
    let seed = Random::from_system().any_u64();
    eprintln!("seed {seed}");
    Random::seeded(seed)
}

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn add(log: &mut Log, id: StreamId, words: &[&str]) {
    log.append(id, words.iter().map(|word| word.as_bytes()), LIMITS).unwrap();
}

fn shown(entry: Entry<'_>) -> (StreamId, Pairs) {
    (entry.id, entry.map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
}

fn any_words(random: &mut Random) -> Pairs {
    let same = [b"a".to_vec(), b"12".to_vec(), b"long name".repeat(10)];
    (0..1 + random.index(4))
        .map(|at| {
            let name = if random.below(5) == 0 {
                vec![b'x'; random.index(9)]
            } else {
                same[at % 3].clone()
            };
            let value = match random.below(3) {
                0 => (random.any_u64() as i64 >> random.below(64)).to_string().into_bytes(),
                1 => vec![b'v'; random.index(90)],
                _ => Vec::new(),
            };
            (name, value)
        })
        .collect()
}

#[test]
fn does_what_a_sorted_map_does() {
    let mut random = random();
    for _ in 0..30 {
        let (mut log, mut model) = (Log::default(), BTreeMap::<StreamId, Pairs>::new());
        let mut added = 0;
        for step in 0..600 {
            let some = id(1000 + random.below(600), random.below(3));
            match random.below(12) {
                0 | 1 => {
                    let deleted = model.remove(&some).is_some();
                    let before = log.max_deleted_id;
                    assert_eq!(log.delete(some), deleted, "step {step}");
                    let expected = if deleted { before.max(some) } else { before };
                    assert_eq!(log.max_deleted_id, expected);
                }
                2 if random.below(6) == 0 => trim(&mut log, &mut model, some, &mut random),
                3 => compare_range(&log, &model, &mut random),
                _ => {
                    let next = log.last_id.after(1000 + step).unwrap();
                    let words = any_words(&mut random);
                    let flat: Vec<&[u8]> =
                        words.iter().flat_map(|(name, value)| [&name[..], &value[..]]).collect();
                    log.append(next, flat.into_iter(), LIMITS).unwrap();
                    model.insert(next, words);
                    added += 1;
                    assert_eq!(log.last_id, next);
                }
            }
            assert_eq!((log.len(), log.entries_added), (model.len() as u64, added));
            assert_eq!(log.is_empty(), model.is_empty());
            let first = model.keys().next().copied().unwrap_or(StreamId::MIN);
            assert_eq!(log.first_id, first, "step {step}");
            assert_eq!(log.contains(some), model.contains_key(&some));
        }
        let all: Vec<_> = log.iter().map(shown).collect();
        assert_eq!(all, model.into_iter().collect::<Vec<_>>());
    }
}

fn trim(log: &mut Log, model: &mut BTreeMap<StreamId, Pairs>, min: StreamId, random: &mut Random) {
    let is_about = random.below(2) == 0;
    let limit = if is_about { random.below(20) } else { 0 };
    let trim = match random.below(2) {
        0 => Trim::MaxLen(random.below(100)),
        _ => Trim::MinId(min),
    };
    let wanted = match trim {
        Trim::MaxLen(len) => (model.len() as u64).saturating_sub(len),
        Trim::MinId(min) => model.range(..min).count() as u64,
    };
    let trimmed = log.trim(trim, is_about, limit);
    for _ in 0..trimmed {
        model.pop_first();
    }
    if is_about {
        assert!(trimmed <= wanted && (limit == 0 || trimmed <= limit), "{trimmed} of {wanted}");
        // What is left to trim is the beginning of a node.
        let first = log.nodes().first().map_or(0, |(_, pack)| super::node::entry_count(pack));
        assert!(limit != 0 || wanted - trimmed <= first);
    } else {
        assert_eq!(trimmed, wanted);
    }
}

fn compare_range(log: &Log, model: &BTreeMap<StreamId, Pairs>, random: &mut Random) {
    let mut any = || id(1000 + random.below(600), random.below(3));
    let (a, b) = (any(), any());
    let (min, max) = (a.min(b), a.max(b));
    let mut expected: Vec<_> =
        model.range(min..=max).map(|(id, pairs)| (*id, pairs.clone())).collect();
    let forward: Vec<_> = log.range(min, max, Course::Forward).map(shown).collect();
    assert_eq!(forward, expected);
    expected.reverse();
    let backward: Vec<_> = log.range(min, max, Course::Backward).map(shown).collect();
    assert_eq!(backward, expected);
    assert!(min == max || log.range(max, min, Course::Forward).next().is_none());
    assert_eq!(log.first().map(shown), model.iter().next().map(|(id, it)| (*id, it.clone())));
    assert_eq!(log.last().map(shown), model.iter().next_back().map(|(id, it)| (*id, it.clone())));
}

#[test]
fn an_entry_is_found_wherever_it_stands_in_its_node() {
    let limits = Encoding { stream_node_max_entries: 0, stream_node_max_bytes: 0, ..LIMITS };
    let mut log = Log::default();
    for ms in 1..=60 {
        log.append(id(ms, 5), [&b"a"[..], b"1"].into_iter(), limits).unwrap();
    }
    let gone = [1, 20, 41, 44, 45, 58, 60];
    assert!(gone.into_iter().all(|ms| log.delete(id(ms, 5))));
    assert_eq!(log.nodes().len(), 1);
    for ms in 0..=61 {
        for (seq, first) in [(0, ms), (5, ms), (6, ms + 1)] {
            let expected: Vec<_> = (first.max(1)..=60).filter(|ms| !gone.contains(ms)).collect();
            let found = log.range(id(ms, seq), StreamId::MAX, Course::Forward);
            let found: Vec<_> = found.map(|entry| entry.id.ms).collect();
            assert_eq!(found, expected, "from {ms}-{seq}");
        }
    }
}

#[test]
fn a_node_has_the_bytes_that_redis_gives_it() {
    let mut log = Log::default();
    add(&mut log, id(5, 1), &["a", "1", "b", "x"]);
    add(&mut log, id(5, 2), &["a", "300", "b", ""]);
    add(&mut log, id(7, 0), &["a", "y"]);
    assert!(log.delete(id(5, 2)) && !log.delete(id(5, 2)));
    let nodes: Vec<_> = log.nodes().iter().map(|(id, pack)| (id, pack.bytes().to_vec())).collect();
    let bytes = b"\x40\0\0\0\x19\0\
        \x02\x01\x01\x01\x02\x01\x81a\x02\x81b\x02\0\x01\
        \x02\x01\0\x01\0\x01\x01\x01\x81x\x02\x05\x01\
        \x03\x01\0\x01\x01\x01\xc1\x2c\x02\x80\x01\x05\x01\
        \0\x01\x02\x01\xdf\xff\x02\x01\x01\x81a\x02\x81y\x02\x06\x01\xff";
    assert_eq!(nodes, [(id(5, 1), bytes.to_vec())]);
}

#[test]
fn a_node_is_full_by_bytes_or_by_entries() {
    let node_sizes = |limits: Encoding, value: &str| {
        let mut log = Log::default();
        for seq in 1..=20 {
            let words = [&b"name"[..], value.as_bytes()];
            log.append(id(1, seq), words.into_iter(), limits).unwrap();
        }
        log.nodes().iter().map(|(_, pack)| super::node::entry_count(pack)).collect::<Vec<_>>()
    };
    let limits = |bytes, entries| Encoding {
        stream_node_max_bytes: bytes,
        stream_node_max_entries: entries,
        ..LIMITS
    };
    assert_eq!(node_sizes(limits(4096, 8), "v"), [8, 8, 4]);
    assert_eq!(node_sizes(limits(0, 0), "v"), [20]);
    assert_eq!(node_sizes(limits(1, 100), "v"), [1; 20]);
    // What Redis puts into the first node.
    for (bytes, count) in [(61, 2), (70, 3), (74, 3), (80, 4)] {
        assert_eq!(node_sizes(limits(bytes, 0), "12345678")[0], count, "{bytes}");
    }
}

#[test]
fn what_is_too_large_is_not_added() {
    let mut log = Log::default();
    let large = vec![0; (1 << 30) + 1];
    assert!(log.append(id(1, 1), [&b""[..], &large].into_iter(), LIMITS).is_err());
    assert_eq!((log.len(), log.last_id, log.nodes().len()), (0, StreamId::MIN, 0));
}

#[test]
fn counts_are_told_as_far_as_nothing_was_deleted() {
    let mut log = Log::default();
    assert_eq!(log.entries_through(id(9, 9)), Some(0));
    for ms in 1..=5 {
        add(&mut log, id(ms, 0), &["a", "b"]);
    }
    let through = |log: &Log, ms| log.entries_through(id(ms, 0));
    assert_eq!((through(&log, 0), through(&log, 1)), (Some(0), Some(1)));
    assert_eq!((through(&log, 3), through(&log, 5), through(&log, 6)), (None, Some(5), None));
    log.trim(Trim::MaxLen(3), false, 0);
    assert_eq!((through(&log, 0), through(&log, 3), through(&log, 4)), (Some(2), Some(3), None));
    assert!(!log.has_gap_from(StreamId::MIN));
    log.delete(id(4, 0));
    assert_eq!((through(&log, 0), through(&log, 3), through(&log, 5)), (None, None, Some(5)));
    assert!(log.has_gap_from(id(4, 0)) && !log.has_gap_from(id(4, 1)));
    log.delete(id(3, 0));
    log.delete(id(5, 0));
    assert!(log.is_empty() && !log.has_gap_from(StreamId::MIN));
    assert_eq!((through(&log, 1), through(&log, 5), through(&log, 6)), (Some(5), Some(5), None));
}

#[test]
fn a_group_knows_how_far_it_is() {
    let mut log = Log::default();
    let mut group = Group::new(StreamId::MIN, Some(0));
    assert_eq!(group.lag(&log), Some(0));
    for ms in 1..=5 {
        add(&mut log, id(ms, 0), &["a", "b"]);
    }
    assert!(group.advance(&log, id(1, 0)) && group.advance(&log, id(2, 0)));
    assert!(!group.advance(&log, id(1, 0)));
    assert_eq!((group.entries_read, group.lag(&log)), (Some(2), Some(3)));
    log.delete(id(4, 0));
    assert_eq!(group.lag(&log), None);
    group.advance(&log, id(3, 0));
    assert_eq!((group.entries_read, group.lag(&log)), (None, None));
    group.advance(&log, id(5, 0));
    assert_eq!((group.entries_read, group.lag(&log)), (Some(5), Some(0)));
    add(&mut log, id(6, 0), &["a", "b"]);
    assert_eq!(group.lag(&log), Some(1));
}

/// A model that has who has what, when and how often, in one map.
#[test]
fn what_waits_is_in_the_list_of_one_consumer() {
    let mut random = random();
    for _ in 0..20 {
        let mut group = Group::new(StreamId::MIN, None);
        let mut model = BTreeMap::<StreamId, (String, i64, u64)>::new();
        let mut names = BTreeMap::<String, i64>::new();
        for step in 0..400 {
            let entry = id(random.below(40), 0);
            let name = format!("c{}", random.below(6));
            match random.below(10) {
                0 => {
                    let waiting = model.values().filter(|nack| nack.0 == name).count() as u64;
                    let expected = names.remove(&name).map(|_| waiting);
                    assert_eq!(group.delete(name.as_bytes()), expected);
                    model.retain(|_, nack| nack.0 != name);
                }
                1..4 => {
                    let taken = group.acknowledge(entry).map(|nack| nack.delivered_ms);
                    assert_eq!(taken, model.remove(&entry).map(|nack| nack.1));
                }
                4 => {
                    group.deliver_again(entry, step);
                    if let Some((_, ms, count)) = model.get_mut(&entry) {
                        (*ms, *count) = (step, *count + 1);
                    }
                }
                _ => {
                    let created = group.create(name.as_bytes(), step);
                    assert_eq!(created.is_none(), names.contains_key(&name));
                    names.entry(name.clone()).or_insert(step);
                    let consumer = group.find(name.as_bytes()).unwrap();
                    group.assign(entry, Nack { consumer, delivered_ms: step, count: 1 });
                    model.insert(entry, (name.clone(), step, 1));
                }
            }
            let next = model.range(entry..).next().map(|(id, nack)| (*id, nack.2));
            assert_eq!(group.pending_from(entry).map(|(id, nack)| (id, nack.count)), next);
            compare_group(&group, &model, &names);
        }
        compare_group(&group.clone(), &model, &names);
    }
}

fn compare_group(
    group: &Group,
    model: &BTreeMap<StreamId, (String, i64, u64)>,
    names: &BTreeMap<String, i64>,
) {
    let name_of =
        |nack: &Nack| String::from_utf8(group.consumer(nack.consumer).name().to_vec()).unwrap();
    let pending: BTreeMap<_, _> = group
        .pending()
        .iter()
        .map(|(id, nack)| (id, (name_of(nack), nack.delivered_ms, nack.count)))
        .collect();
    assert_eq!(&pending, model);
    let consumers: Vec<_> = group.consumers().map(|it| (it.name().to_vec(), it.seen_ms)).collect();
    let expected: Vec<_> =
        names.iter().map(|(name, ms)| (name.clone().into_bytes(), *ms)).collect();
    assert_eq!(consumers, expected);
    for consumer in group.consumers() {
        let own: Vec<_> = consumer.pending().iter().map(|(id, ())| id).collect();
        let of_model = model.iter().filter(|(_, nack)| nack.0.as_bytes() == consumer.name());
        assert_eq!(own, of_model.map(|(id, _)| *id).collect::<Vec<_>>());
    }
}
