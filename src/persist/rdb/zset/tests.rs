//! Pure: tests of sorted sets in payloads: those of older servers, those that are broken.

use std::ops::Bound;

use base::random::Random;
use ds::{Record, zset::Lex};

use crate::{
    config::Encoding,
    persist::rdb::{dump, restore, verify},
    value::{
        Value, Zset,
        zset::{End, Update},
    },
};

fn limits() -> Encoding {
    Encoding { zset_max_listpack_entries: 128, zset_max_listpack_value: 64, ..Encoding::default() }
}

fn restored(body: &[u8]) -> Option<Zset> {
    let record = restore(b"k", body, None, true, limits()).ok()?;
    match record.value()?.duplicate() {
        Value::Zset(zset) => Some(zset),
        _ => None,
    }
}

fn shown(zset: &Zset) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    zset.each(|member, score| all.push((String::from_utf8_lossy(member).into_owned(), score)));
    all
}

#[test]
fn older_forms_are_loaded() {
    // Type 3: scores as text, the last one an infinity.
    let text = b"\x03\x03\x01a\x031.5\x01b\x02-7\x01c\xfe";
    // Type 12: a ziplist of `x`, 1, `y`, "2.5".
    let ziplist = b"\x0c\x18\x18\0\0\0\x12\0\0\0\x04\0\0\x01x\x03\xf2\x02\x01y\x03\x032.5\xff";
    let zset = restored(text).expect("scores were text once");
    let expected = [("b", -7.0), ("a", 1.5), ("c", f64::INFINITY)];
    assert_eq!(shown(&zset), expected.map(|(member, score)| (member.to_owned(), score)));
    assert_eq!(zset.encoding(), "listpack");
    let zset = restored(ziplist).expect("this was the small form once");
    let expected = [("x", 1.0), ("y", 2.5)];
    assert_eq!(shown(&zset), expected.map(|(member, score)| (member.to_owned(), score)));
}

#[test]
fn members_in_no_order_are_put_in_order() {
    // Scores 3 and 1.5; then equal scores, and names the wrong way round.
    let ziplist = b"\x0c\x18\x18\0\0\0\x12\0\0\0\x04\0\0\x01x\x03\xf4\x02\x01y\x03\x031.5\xff";
    let listpack = b"\x11\x11\x11\0\0\0\x04\0\x81b\x02\x01\x01\x81a\x02\x01\x01\xff";
    for (body, expected) in
        [(&ziplist[..], [("y", 1.5), ("x", 3.0)]), (listpack, [("a", 1.0), ("b", 1.0)])]
    {
        let zset = restored(body).expect("it is a sorted set");
        assert_eq!(shown(&zset), expected.map(|(member, score)| (member.to_owned(), score)));
        assert_eq!(zset.rank(expected[1].0.as_bytes(), End::Min), Some((1, expected[1].1)));
        assert_eq!(zset.encoding(), "listpack");
    }
}

#[test]
fn what_is_no_sorted_set_is_refused() {
    let wrong: [&[u8]; 6] = [
        b"\x03\x01\x01a\xfd",
        b"\x03\x01\x01a\x03x.y",
        b"\x03\x02\x01a\x011\x01a\x012",
        b"\x05\x01\x01a\0\0\0\0\0\0\xf8\x7f",
        b"\x05\x02\x01a\0\0\0\0\0\0\0\0\x01a\0\0\0\0\0\0\0\0",
        b"\x11\x0b\x0b\0\0\0\x01\0\x81a\x02\x01\xff",
    ];
    for body in wrong {
        assert!(restored(body).is_none(), "{}", body.escape_ascii());
    }
}

#[test]
fn a_sorted_set_of_any_bytes_can_be_used_or_is_refused() {
    let seed = Random::from_system().any_u64();
    eprintln!("seed {seed}");
    let mut random = Random::seeded(seed);
    let (mut packed, mut tree) = (Zset::default(), Zset::tree(0));
    for n in 0..60_i32 {
        let score = f64::from(n - 30) * if n % 3 == 0 { 1.0 } else { 0.37 };
        packed.insert(format!("m{n}").as_bytes(), score, limits());
        tree.insert(&vec![b'x'; n.unsigned_abs() as usize], score, limits());
    }
    assert_eq!([&packed, &tree].map(Zset::encoding), ["listpack", "skiplist"]);
    for zset in [packed, tree] {
        let payload = dump(&Record::with_value(b"k", Value::Zset(zset), None), 11, false).unwrap();
        let body = verify(&payload, true).unwrap();
        assert!(restored(body).is_some());
        let mut good_count = 0;
        for _ in 0..10_000 {
            let mut body = body.to_vec();
            for _ in 0..=random.below(2) {
                let at = random.index(body.len());
                body[at] = random.any_u64() as u8;
            }
            body[0] = if random.below(9) == 0 { [3, 5, 12, 17][random.index(4)] } else { body[0] };
            let Some(mut zset) = restored(&body) else { continue };
            let mut count = 0;
            zset.each(|member, score| {
                assert!(!score.is_nan() && zset.score(member).is_some());
                count += 1;
            });
            assert_eq!(count, zset.len());
            use_all(&mut zset, &mut random);
            good_count += 1;
        }
        assert!(0 < good_count);
    }
}

/// Does all that commands do, in no order that is right or wrong.
fn use_all(zset: &mut Zset, random: &mut Random) {
    let bound = |n: u64| Bound::Included(n as f64 - 40.0);
    for from in [End::Min, End::Max] {
        let ranks = zset.ranks_by_score((bound(random.below(80)), bound(random.below(80))));
        zset.range(ranks, from, |_, score| assert!(!score.value().is_nan()));
        let ranks = zset.ranks_by_lex((Lex::Included(b"m3"), Lex::Excluded(b"m5")));
        zset.range(ranks, from, |_, _| {});
        zset.rank(b"m7", from);
        zset.pop(from, 2, |_, _| {});
    }
    for n in 0..5 {
        let member = format!("m{}", random.below(70));
        let update = Update { is_increment: n % 2 == 0, ..Update::default() };
        let _ = zset.update(member.as_bytes(), n as f64, update, limits());
        zset.remove(format!("m{}", random.below(70)).as_bytes());
    }
    zset.random(3, |bound| random.below(bound), |_, _| true);
    let ranks = zset.ranks_by_score((bound(30), Bound::Unbounded));
    zset.remove_range(ranks);
    zset.unpack(0);
    zset.settle(limits());
}
