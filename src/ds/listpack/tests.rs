//! Pure: listpacks against a plain model, against bytes of Redis, and against noise.

use base::random::Random;

use super::{At, Item, Listpack, Pack};
use crate::{Corrupt, Depth, seed::for_test};

type Model = Vec<Vec<u8>>;

/// Elements of all kinds and sizes, those at the bounds among them.
pub(crate) fn any_element(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => Vec::new(),
        1..=4 => {
            let n = (random.any_u64() >> random.below(64)).cast_signed();
            if random.below(2) == 0 { n } else { n.wrapping_neg() }.to_string().into_bytes()
        }
        5 => vec![b'y'; [62, 63, 64, 65, 126, 127, 128][random.index(7)]],
        6 if random.below(20) == 0 => vec![b'z'; [4_094, 4_095, 4_096, 16_380][random.index(4)]],
        _ => (0..random.index(20)).map(|_| b'a' + random.below(4) as u8).collect(),
    }
}

fn place(list: &Pack, index: usize) -> At {
    list.seek(index as i64).expect("the element is there")
}

fn check(list: &Pack, model: &Model) {
    let expected = || model.iter().map(|element| element.as_slice());
    assert!(list.iter().map(Item::to_vec).eq(model.iter().cloned()));
    assert!(list.iter().rev().zip(expected().rev()).all(|(item, element)| item.is(element)));
    assert_eq!((list.count(), list.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(list.bytes().len() as u32, u32::from_le_bytes(*list.bytes().first_chunk().unwrap()));
    Pack::check(list.bytes(), Depth::Deep).expect("what is made here is valid");
}

#[test]
fn does_what_a_vector_does() {
    let mut random = for_test("does_what_a_vector_does");
    for _ in 0..40 {
        let (mut list, mut model) = (Listpack::new(), Model::new());
        for _ in 0..300 {
            step(&mut random, &mut list, &mut model);
            check(&list, &model);
        }
        let rebuilt = Listpack::from_items(model.iter().map(|element| Item::Bytes(element)));
        assert_eq!(rebuilt, list, "the bytes depend on the elements alone");
        assert_eq!(Listpack::from_bytes(list.bytes(), Depth::Deep), Ok(list));
    }
}

fn step(random: &mut Random, list: &mut Listpack, model: &mut Model) {
    let element = any_element(random);
    let item = Item::Bytes(&element);
    let index = if model.is_empty() { 0 } else { random.index(model.len()) };
    match random.below(if model.is_empty() { 6 } else { 16 }) {
        0 => (list.append(item), model.push(element)).0,
        1 => (list.prepend(item), model.insert(0, element)).0,
        2 => {
            let more: Model = (0..random.index(6)).map(|_| any_element(random)).collect();
            let items: Vec<Item<'_>> = more.iter().map(|element| Item::Bytes(element)).collect();
            list.append_all(&items);
            model.extend(more);
        }
        3 => {
            let more: Model = (0..random.index(4)).map(|_| any_element(random)).collect();
            let other = Listpack::from_items(more.iter().map(|element| Item::Bytes(element)));
            if random.below(2) == 0 {
                list.append_pack(&other);
                model.extend(more);
            } else {
                list.prepend_pack(&other);
                model.splice(0..0, more);
            }
        }
        4 => {
            let more = any_element(random);
            list.append_two(item, Item::Bytes(&more));
            model.extend([element, more]);
        }
        5 => assert_eq!(list.remove_last(), model.pop().is_some()),
        6 if random.below(2) == 0 => {
            let more = any_element(random);
            list.insert_two(place(list, index), item, Item::Bytes(&more));
            model.splice(index..index, [element, more]);
        }
        6 => {
            let at = list.insert_before(place(list, index), item);
            assert!(list.item(at).is(&element));
            model.insert(index, element);
        }
        7 => {
            let at = list.insert_after(place(list, index), item);
            assert!(list.item(at).is(&element));
            model.insert(index + 1, element);
        }
        8 => {
            list.replace(place(list, index), item);
            model[index] = element;
        }
        9 | 10 => {
            let next = list.delete(place(list, index));
            model.remove(index);
            assert_eq!(next, list.seek(index as i64));
        }
        11 => {
            let count = random.index(5);
            let end = model.len().min(index + count);
            let next = list.delete_from(place(list, index), count);
            model.drain(index..end);
            assert_eq!(next, list.seek(index as i64));
        }
        12 => {
            let count = if random.below(30) == 0 { usize::MAX } else { random.index(5) };
            let from_end = index as i64 - model.len() as i64;
            list.delete_range(if random.below(2) == 0 { index as i64 } else { from_end }, count);
            model.drain(index..model.len().min(index.saturating_add(count)));
        }
        13 => {
            let chosen: Vec<usize> = (0..model.len()).filter(|_| random.below(5) == 0).collect();
            let places: Vec<At> = chosen.iter().map(|at| place(list, *at)).collect();
            list.delete_all(&places);
            chosen.iter().rev().for_each(|at| drop(model.remove(*at)));
        }
        14 => {
            let behind = list.split_off(place(list, index));
            check(list, &model[..index].to_vec());
            check(&behind, &model[index..].to_vec());
            list.append_pack(&behind);
        }
        _ => look(list, model, index),
    }
}

fn look(list: &Listpack, model: &Model, index: usize) {
    let (length, element) = (model.len() as i64, &model[index]);
    let at = place(list, index);
    assert_eq!(list.seek(index as i64 - length), Some(at));
    assert_eq!((list.seek(length), list.seek(-length - 1)), (None, None));
    assert_eq!((list.seek(i64::MAX), list.seek(i64::MIN)), (None, None));
    assert!(list.item(at).is(element) && list.item(at).len() == element.len());
    assert_eq!(list.next(at), list.seek(index as i64 + 1));
    assert_eq!(list.previous(at), index.checked_sub(1).map(|index| place(list, index)));
    assert_eq!(list.first(), Some(place(list, 0)));
    assert_eq!(list.last(), list.seek(-1));
    assert_eq!(list.iter_from(at).count(), model.len() - index);
    assert_eq!(list.iter_to(at).count(), index + 1);
    assert_eq!(list.iter_to(at).at_back(), Some(at));
    assert_eq!(list.iter().nth(index).map(Item::to_vec).as_ref(), Some(element));
    for skip in 0..3 {
        let expected = (index..model.len()).step_by(skip + 1).find(|at| &model[*at] == element);
        let found = list.find(at, element, skip);
        assert_eq!(found, expected.map(|index| place(list, index)));
        let expected = (index..model.len()).step_by(skip + 1).find(|at| model[*at] == b"abc");
        assert_eq!(list.find(at, b"abc", skip), expected.map(|index| place(list, index)));
    }
    assert_eq!(list.pairs().count(), model.len() / 2);
}

#[test]
fn bytes_are_those_of_redis() {
    // Each element in the order of the list, and what DUMP of Redis 7.2 has for it.
    let small: Vec<&[u8]> =
        vec![b"0", b"127", b"128", b"-1", b"4095", b"-4096", b"4096", b"a", b""];
    let list = Listpack::from_items(small.into_iter().map(Item::Bytes));
    assert_eq!(list.bytes(), SMALL);
    let large: Vec<&[u8]> = vec![
        b"-32768",
        b"32768",
        b"-8388608",
        b"8388608",
        b"2147483647",
        b"-2147483649",
        b"9223372036854775807",
        b"-9223372036854775808",
        b"9223372036854775808",
        b"-0",
        b"01",
    ];
    let list = Listpack::from_items(large.into_iter().map(Item::Bytes));
    assert_eq!(list.bytes(), LARGE);
}

const SMALL: &[u8] = b"\
    \x20\x00\x00\x00\x09\x00\x00\x01\x7f\x01\xc0\x80\x02\xdf\xff\x02\xcf\xff\x02\xd0\x00\x02\
    \xf1\x00\x10\x03\x81\x61\x02\x80\x01\xff";
const LARGE: &[u8] = b"\
    \x5c\x00\x00\x00\x0b\x00\xf1\x00\x80\x03\xf2\x00\x80\x00\x04\xf2\x00\x00\x80\x04\xf3\x00\
    \x00\x80\x00\x05\xf3\xff\xff\xff\x7f\x05\xf4\xff\xff\xff\x7f\xff\xff\xff\xff\x09\xf4\xff\
    \xff\xff\xff\xff\xff\xff\x7f\x09\xf4\x00\x00\x00\x00\x00\x00\x00\x80\x09\x93\x39\x32\x32\
    \x33\x33\x37\x32\x30\x33\x36\x38\x35\x34\x37\x37\x35\x38\x30\x38\x14\x82\x2d\x30\x03\x82\
    \x30\x31\x03\xff";

#[test]
fn counts_beyond_what_the_header_holds() {
    let mut list = Listpack::from_items((0..65_534).map(|_| Item::Int(1)));
    assert_eq!(list.bytes()[4..6], [0xfe, 0xff]);
    for count in 65_535..65_540 {
        list.append(Item::Int(7));
        assert_eq!((list.count(), &list.bytes()[4..6]), (count, &[0xff, 0xff][..]));
    }
    assert!(list.item(list.seek(65_538).unwrap()).is(b"7"));
    assert!(list.item(list.seek(-6).unwrap()).is(b"1"));
    assert_eq!((list.seek(65_539), list.seek(-65_540)), (None, None));
    list.delete_range(-9, 8);
    assert_eq!((list.count(), &list.bytes()[4..6]), (65_531, &[0xff, 0xff][..]));
    let mut copy = list.clone();
    assert_eq!((copy.recount(), &copy.bytes()[4..6]), (65_531, &65_531_u16.to_le_bytes()[..]));
    let behind = list.split_off(list.seek(10).unwrap());
    assert_eq!((list.count(), behind.count()), (10, 65_521));
    assert_eq!(behind.bytes()[4..6], 65_521_u16.to_le_bytes());
    list.append_pack(&behind);
    assert_eq!(list, copy);
}

#[test]
fn picks_are_fair() {
    let mut random = Random::seeded(5);
    let mut draw = |bound| random.below(bound);
    let list = Listpack::from_items((0..20).map(Item::Int));
    let (mut one, mut any, mut distinct) = ([0; 20], [0; 20], [0; 20]);
    let note = |counts: &mut [u32; 20], at: At| {
        let Item::Int(n) = list.item(at) else { panic!("all are integers") };
        counts[n as usize] += 1;
    };
    let mut before_another = 0;
    for _ in 0..5_000 {
        note(&mut one, list.random(1, &mut draw).unwrap());
        let picks = list.random_any(2, 2, &mut draw);
        before_another += usize::from(picks[0] < picks[1]);
        picks.into_iter().for_each(|at| note(&mut any, at));
        let picks = list.random_distinct(4, 1, &mut draw);
        assert!(picks.len() == 4 && picks.is_sorted_by(|a, b| a < b));
        picks.into_iter().for_each(|at| note(&mut distinct, at));
    }
    assert!(one.iter().all(|count| (180..330).contains(count)), "{one:?}");
    assert!(any.iter().step_by(2).all(|count| (870..1_140).contains(count)), "{any:?}");
    assert!(any.iter().skip(1).step_by(2).all(|count| *count == 0), "{any:?}");
    assert!(distinct.iter().all(|count| (870..1_140).contains(count)), "{distinct:?}");
    assert!((2_050..2_450).contains(&before_another), "{before_another}");
    assert_eq!(list.random_distinct(99, 2, &mut draw).len(), 10);
    assert_eq!(list.random_distinct(0, 2, &mut draw), []);
    let one = Listpack::from_items([Item::Int(1)]);
    assert_eq!((one.random(2, &mut draw), one.random_any(3, 2, &mut draw)), (None, vec![]));
    assert_eq!(Listpack::new().random_distinct(3, 1, &mut draw), []);
}

#[test]
fn any_bytes_are_a_listpack_or_an_error() {
    let mut random = for_test("any_bytes_are_a_listpack_or_an_error");
    let mut valid_count = 0;
    for _ in 0..30_000 {
        let elements: Model = (0..random.index(12)).map(|_| any_element(&mut random)).collect();
        let list = Listpack::from_items(elements.iter().map(|element| Item::Bytes(element)));
        let mut bytes = list.bytes().to_vec();
        for _ in 0..1 + random.below(3) {
            let at = random.index(bytes.len().min(60));
            bytes[at] = if random.below(2) == 0 { random.any_u64() as u8 } else { bytes[at] ^ 1 };
        }
        if random.below(8) == 0 {
            bytes.truncate(random.index(bytes.len()));
        }
        if random.below(2) == 0 && bytes.len() > 3 {
            let length = (bytes.len() as u32).to_le_bytes();
            bytes[..4].copy_from_slice(&length);
        }
        let Ok(mut list) = Listpack::from_bytes(&bytes, Depth::Deep) else { continue };
        valid_count += 1;
        let forwards: Model = list.iter().map(Item::to_vec).collect();
        let mut backwards: Model = list.iter().rev().map(Item::to_vec).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        assert_eq!(list.count(), forwards.len());
        list.append(Item::Int(5));
        if let Some(at) = list.seek(0) {
            list.delete(at);
        }
        assert!(Pack::check(list.bytes(), Depth::Deep).is_ok());
    }
    assert!(valid_count > 1_000, "{valid_count} were valid");
    for round in 0..20_000 {
        let mut noise = vec![0; random.index(40)];
        random.fill(&mut noise);
        if let Some(head) = noise.first_chunk_mut() {
            *head = (if round % 2 == 0 { 40_u32 } else { 0 }).to_le_bytes();
        }
        assert!(Pack::check(&noise, Depth::Deep).is_err());
    }
}

#[test]
fn what_is_refused() {
    let good = Listpack::from_items([Item::Int(1), Item::Bytes(b"abc"), Item::Int(1)]);
    let refused = |bytes: &[u8]| Pack::check(bytes, Depth::Deep) == Err(Corrupt);
    for at in 0..good.bytes().len() {
        assert!(refused(&good.bytes()[..at]), "cut to {at}");
        // A flipped bit is found, if it is not one of an element.
        let mut bytes = good.bytes().to_vec();
        bytes[at] ^= 0x80;
        assert_eq!(refused(&bytes), !(9..12).contains(&at), "byte {at}");
    }
    let bytes = good.bytes();
    let mut seen = Vec::new();
    assert!(Pack::check_each(bytes, |item| (seen.push(item), true).1).is_ok());
    assert!(seen.into_iter().eq(good.iter()));
    assert_eq!(Pack::check_each(bytes, |item| item != Item::Bytes(b"abc")), Err(Corrupt));
    // The count is wrong, or said to be unknown.
    let mut bytes = bytes.to_vec();
    bytes[4] = 2;
    assert!(refused(&bytes) && Pack::check(&bytes, Depth::Header).is_ok());
    bytes[4..6].fill(0xff);
    assert!(!refused(&bytes));
    assert!(Pack::check(&[7, 0, 0, 0, 0, 0, 0xff], Depth::Deep).is_ok_and(Pack::is_empty));
    assert!(good.has_room_for(1 << 29) && !good.has_room_for(1 << 30));
    assert!(!good.has_room_for(usize::MAX));
}
