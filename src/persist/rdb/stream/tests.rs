//! Pure: tests of streams in payloads: those of Redis, those of older servers, those that are
//! broken.

use base::random::Random;
use ds::{Content, Record};

use crate::{
    config::Encoding,
    persist::rdb::{Fault, dump, restore, verify},
    value::{
        Stream, Value,
        stream::{Course, Nack, StreamId, Trim},
    },
};

/// What 7.2.6 dumps of a stream of three nodes with two deleted entries, a group of three consumers
/// with three entries that wait, and a group that nobody has joined.
const OF_7_2: &[u8] = b"\
    \x15\x03\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0;;\0\0\0\x18\0\x02\x01\x01\x01\x01\x01\x81\
    a\x02\0\x01\x02\x01\0\x01\0\x01\x01\x01\x04\x01\x03\x01\x01\x01\0\x01\x02\x01\x04\x01\0\
    \x01\x02\x01\0\x01\x02\x01\x81a\x02\x03\x01\x81b\x02\x81x\x02\x08\x01\xff\x10\0\0\0\0\0\
    \0\0\x04\0\0\0\0\0\0\0\0;;\0\0\0\x18\0\x02\x01\x01\x01\x01\x01\x81a\x02\0\x01\x03\x01\0\
    \x01\0\x01\x04\x01\x04\x01\x02\x01\x01\x01\0\x01\x05\x01\x04\x01\0\x01\x02\x01\0\x01\x02\
    \x01\x81a\x02\x06\x01\x81b\x02\x81x\x02\x08\x01\xff\x10\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\
    \0&&\0\0\0\x0f\0\x02\x01\0\x01\x01\x01\x81a\x02\0\x01\x02\x01\0\x01\0\x01\x07\x01\x04\
    \x01\x02\x01\x01\x01\0\x01\x08\x01\x04\x01\xff\x06\x08\0\x01\0\x04\0\x08\x02\x02g1\x06\0\
    \x81\xff\xff\xff\xff\xff\xff\xff\xff\x03\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0h\xe5\xcf\
    \x8b\x01\0\0\x05\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\x01h\xe5\xcf\x8b\x01\0\0\x01\0\0\0\0\
    \0\0\0\x06\0\0\0\0\0\0\0\0\x01h\xe5\xcf\x8b\x01\0\0\x01\x03\x05alice\x09wP\x0e\xa2\x01\0\
    \0\x09wP\x0e\xa2\x01\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x03bob\x09wP\x0e\xa2\x01\
    \0\0\x09wP\x0e\xa2\x01\0\0\x02\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x06\0\0\0\
    \0\0\0\0\0\x05carol\x09wP\x0e\xa2\x01\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x02g2\x03\0\
    \x02\0\0\x0b\0\x92\x028M\x9fsn\x9f";
const DIGEST: &[u8; 40] = b"3984e6b7750d3b6c47a8c10d94a541ee6790931c";
/// How many bytes of it are the nodes, behind the type.
const NODES_BYTES: usize = 211;

fn limits() -> Encoding {
    Encoding { stream_node_max_bytes: 4096, stream_node_max_entries: 100, ..Encoding::default() }
}

fn record(body: &[u8], is_suspicious: bool) -> Result<Record<Value>, Fault> {
    restore(b"k", body, None, is_suspicious, limits())
}

fn stream(record: &Record<Value>) -> &Stream {
    match record.content() {
        Content::Value(Value::Stream(stream)) => stream,
        other => panic!("{other:?} is no stream"),
    }
}

/// The text of the fault that a body has.
fn fault(body: &[u8]) -> String {
    record(body, true).expect_err("this is no stream").to_string()
}

fn good() -> &'static [u8] {
    verify(OF_7_2, true).unwrap()
}

/// Puts other bytes in the place of some that are there once.
fn with(from: &[u8], to: &[u8]) -> Vec<u8> {
    let body = good();
    let places: Vec<usize> = (0..body.len()).filter(|at| body[*at..].starts_with(from)).collect();
    let [at] = places[..] else { panic!("{from:?} is there {} times", places.len()) };
    [&body[..at], to, &body[at + from.len()..]].concat()
}

/// The same stream as Redis 7.0 writes it.
fn of_7_0() -> Vec<u8> {
    let record = record(good(), true).unwrap();
    dump(&record, 10, false).unwrap()
}

/// The same without groups, as Redis 5 writes it.
fn of_5() -> Vec<u8> {
    [&[15], &good()[1..=NODES_BYTES], &[6, 8, 0, 0]].concat()
}

#[test]
fn what_redis_dumps_is_dumped_again() {
    for is_suspicious in [false, true] {
        let record = record(good(), is_suspicious).unwrap();
        let stream = stream(&record);
        let log = &stream.log;
        assert_eq!((log.len(), log.entries_added, log.nodes().len()), (6, 8, 3));
        let id = |ms| StreamId::new(ms, 0);
        assert_eq!((log.first_id, log.last_id, log.max_deleted_id), (id(1), id(8), id(4)));
        let group = &stream.groups[&b"g1"[..]];
        assert_eq!((group.last_id, group.entries_read), (id(6), None));
        let consumers: Vec<_> =
            group.consumers().map(|it| (it.name(), it.pending().len(), it.active_ms < 0)).collect();
        let expected: [(&[u8], usize, bool); 3] =
            [(b"alice", 1, false), (b"bob", 2, false), (b"carol", 0, true)];
        assert_eq!(consumers, expected);
        let (_, nack) = group.pending().first().unwrap();
        assert_eq!((nack.delivered_ms, nack.count), (1_700_000_000_000, 5));
        assert_eq!(group.consumer(nack.consumer).name(), b"alice");
        assert_eq!(stream.groups[&b"g2"[..]].entries_read, Some(2));
        assert_eq!(dump(&record, 11, false).unwrap(), OF_7_2);
        let copy = Record::with_value(b"k", record.value().unwrap().duplicate(), None);
        assert_eq!(dump(&copy, 11, false).unwrap(), OF_7_2);
    }
}

#[test]
fn redis_7_0_is_told_no_times_of_success() {
    let payload = of_7_0();
    assert_eq!((payload[0], payload.len()), (19, OF_7_2.len() - 3 * 8));
    let again = record(verify(&payload, true).unwrap(), true).unwrap();
    assert_eq!(dump(&again, 10, false).unwrap(), payload);
    let consumers = stream(&again).groups[&b"g1"[..]].consumers();
    consumers.for_each(|consumer| assert_eq!(consumer.active_ms, consumer.seen_ms));
}

#[test]
fn what_redis_5_did_not_tell_is_found_out() {
    let record = record(&of_5(), true).unwrap();
    let stream = stream(&record);
    let log = &stream.log;
    assert_eq!((log.len(), log.entries_added), (6, 6));
    assert_eq!((log.first_id, log.max_deleted_id), (StreamId::new(1, 0), StreamId::MIN));
    assert_eq!(log.last_id, StreamId::new(8, 0));
    // A group of that time: how far it is follows from where it is.
    for (last_ms, read) in [(0, Some(0)), (1, Some(1)), (3, None), (8, Some(6)), (9, None)] {
        let group = [&of_5()[..of_5().len() - 1], b"\x01\x01g", &[last_ms, 0, 0, 0]].concat();
        let record = super::tests::record(&group, true).unwrap();
        let group = &super::tests::stream(&record).groups[&b"g"[..]];
        assert_eq!(group.entries_read, read, "{last_ms}");
    }
}

#[test]
fn a_stream_has_the_digest_that_redis_says() {
    let mut keyspace = crate::keyspace::Keyspace::new(1);
    let stream = stream(&record(good(), true).unwrap()).clone();
    keyspace.put(0, b"s", stream);
    assert_eq!(&keyspace.digest_of(0, b"s").unwrap().to_hex(), DIGEST);
}

#[test]
fn a_stream_with_nothing_in_it_is_one() {
    let record = record(b"\x15\0\0\x05\x01\0\0\0\0\x03\0", true).unwrap();
    let log = &stream(&record).log;
    assert_eq!((log.len(), log.last_id, log.entries_added), (0, StreamId::new(5, 1), 3));
}

#[test]
fn what_is_no_stream_is_refused() {
    const NODE: &str = "Stream listpack integrity check failed.";
    const COUNT: &str = "Stream length inconsistent with rax entries";
    const PENDING: &str = "Duplicated global PEL entry loading stream consumer group";
    const TAKEN: &str = "Duplicated consumer PEL entry loading a stream consumer group";
    let first = b"\0\x01\x02\x01\0\x01\0\x01\x01\x01\x04\x01\x03\x01";
    let head = b"\x3b\x3b\0\0\0\x18\0\x02\x01\x01\x01\x01\x01\x81a\x02\0\x01\x02\x01\0\x01\0";
    let changed = |at: usize, byte: u8| {
        let mut changed = first.to_vec();
        changed[at] = byte;
        with(first, &changed)
    };
    let pending =
        |ms: u8| [&[0; 7][..], &[ms], &[0; 8], b"\x01\x68\xe5\xcf\x8b\x01\0\0\x01"].concat();
    let owned = |a: u8, b: u8| [&[2][..], &[0; 7], &[a], &[0; 15], &[b], &[0; 8]].concat();
    let cases: &[(Vec<u8>, &str)] = &[
        // Flags that say it was deleted; names of its own; too many elements; no end of names.
        (changed(2, 3), NODE),
        (changed(2, 0), NODE),
        (changed(10, 5), NODE),
        (changed(0, 1), NODE),
        // A number that is none; fewer entries, more deleted ones.
        (
            with(
                head,
                b"\x3c\x3c\0\0\0\x18\0\x02\x01\x01\x01\x01\x01\x81a\x02\0\x01\x02\x01\x81x\x02\0",
            ),
            NODE,
        ),
        (
            with(
                head,
                b"\x3b\x3b\0\0\0\x18\0\x01\x01\x02\x01\x01\x01\x81a\x02\0\x01\x02\x01\0\x01\0",
            ),
            NODE,
        ),
        (with(b"\x06\x08\0\x01\0\x04\0\x08\x02", b"\x07\x08\0\x01\0\x04\0\x08\x02"), COUNT),
        (b"\x15\0\x01\0\0\0\0\0\0\x01\0".to_vec(), COUNT),
        (
            with(b"\x03\x10\0\0\0\0\0\0\0\x01", b"\x03\x0f\0\0\0\0\0\0\x01"),
            "Stream node key entry is not the size of a stream ID",
        ),
        (
            with(b"\x10\0\0\0\0\0\0\0\x04", b"\x10\0\0\0\0\0\0\0\x01"),
            "Listpack re-added with existing key",
        ),
        (
            [
                b"\x15\x01\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0",
                &b"\x07\x07\0\0\0\0\0\xff"[..],
                &[0; 9],
            ]
            .concat(),
            "Empty listpack inside stream",
        ),
        (with(b"\x02g2", b"\x02g1"), "Duplicated consumer group name g1"),
        (with(b"\x05carol", b"\x05alice"), "Duplicate stream consumer detected."),
        (with(&pending(6), &pending(5)), PENDING),
        (with(&owned(5, 6), &owned(5, 5)), TAKEN),
        // What alice has; what nobody has been delivered; what waits for nobody.
        (with(&owned(5, 6), &owned(1, 6)), TAKEN),
        (with(&owned(5, 6), &owned(5, 7)), "Consumer entry not found in group global PEL"),
        (
            with(&owned(5, 6), &[&[1], &owned(5, 6)[1..17]].concat()),
            "Stream CG PEL entry without consumer",
        ),
    ];
    for (body, text) in cases {
        let found = fault(body);
        assert!(found.starts_with(text), "{text}: {found}");
    }
    for end in 1..good().len() {
        assert!(matches!(record(&good()[..end], true), Err(Fault::Short)), "{end}");
    }
}

/// A file that was written by a server with a wrong count is no reason not to start.
#[test]
fn a_count_is_corrected_where_nobody_means_harm() {
    let body = with(b"\x06\x08\0\x01\0\x04\0\x08\x02", b"\x09\x08\0\x01\0\x04\0\x08\x02");
    assert_eq!(stream(&record(&body, false).unwrap()).log.len(), 6);
    assert!(record(&body, true).is_err());
}

#[test]
fn a_stream_of_any_bytes_can_be_used_or_is_refused() {
    let seed = Random::from_system().any_u64();
    eprintln!("seed {seed}");
    let mut random = Random::seeded(seed);
    let (good, of_7_0) = (good(), of_7_0());
    let bodies = [good, verify(&of_7_0, true).unwrap(), &of_5()];
    let mut good_count = 0;
    for _ in 0..15_000 {
        let mut body = bodies[random.index(3)].to_vec();
        for _ in 0..=random.below(3) {
            let at = 1 + random.index(body.len() - 1);
            match random.below(6) {
                0 => body[at] ^= 1 << random.below(8),
                1 => body[at] = [0, 1, 2, 3, 0x7f, 0x80, 0xdf, 0xf0, 0xf4, 0xff][random.index(10)],
                2 => drop(body.splice(at..at, [random.any_u64() as u8])),
                3 => drop(body.remove(at)),
                _ => body[at] = random.any_u64() as u8,
            }
        }
        if random.below(20) == 0 {
            body[0] = [15, 19, 21][random.index(3)];
        }
        for is_suspicious in [false, true] {
            let Ok(record) = record(&body, is_suspicious) else { continue };
            good_count += u32::from(is_suspicious);
            use_all(&record, &mut random);
        }
    }
    assert!(100 < good_count, "{good_count}");
}

/// Does to a stream, whose numbers may be in no order, whatever can be done.
fn use_all(record: &Record<Value>, random: &mut Random) {
    let mut stream = stream(record).clone();
    assert!(dump(record, 11, true).is_ok() && dump(record, 10, true).is_ok());
    let value = record.value().unwrap();
    assert!(0 < value.memory_bytes(1) && 0 < value.memory_bytes(0));
    let _ = (value.allocations(), stream.log.radix_node_count());
    for course in [Course::Forward, Course::Backward] {
        let walk = stream.log.range(StreamId::MIN, StreamId::MAX, course);
        let pairs: usize = walk.map(|entry| entry.count()).sum();
        assert!(pairs < 1000);
    }
    for _ in 0..10 {
        let id = StreamId::new(random.below(9), 0);
        let log = &mut stream.log;
        match random.below(5) {
            0 => drop(log.trim(Trim::MinId(id), random.below(2) == 0, random.below(3))),
            1 => drop(log.trim(Trim::MaxLen(id.ms), random.below(2) == 0, random.below(3))),
            2 => {
                let next = log.last_id.next().unwrap_or(StreamId::MAX);
                let _ = log.append(next, [&b"a"[..], b"b"].into_iter(), limits());
            }
            _ => drop(log.delete(id)),
        }
        for group in stream.groups.values_mut() {
            group.advance(&stream.log, id);
            let _ = (group.lag(&stream.log), group.acknowledge(id));
            let consumer = group.create(b"new", 0).or(group.find(b"new")).unwrap();
            group.assign(id, Nack { consumer, delivered_ms: 0, count: 1 });
            if random.below(4) == 0 {
                let name = group.consumers().next().unwrap().name().to_vec();
                assert!(group.delete(&name).is_some());
            }
        }
    }
}
