//! Tool: fuzzes listpacks: what is taken is walked over alike from both ends, and changes as a
//! vector of strings does.

#![no_main]

use ds::{
    Depth, Listpack,
    listpack::{Digits, Item, Pack},
};
use libfuzzer_sys::fuzz_target;
use redis_fuzz::{Source, pack};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let is_made = source.byte() % 2 == 0;
    let mut script = Source(source.piece());
    let made = is_made.then(|| pack(source.0));
    let bytes = made.as_deref().unwrap_or(source.0);
    let Ok(mut list) = Listpack::from_bytes(bytes, Depth::Deep) else {
        assert!(!is_made, "what is made whole is taken");
        return;
    };
    assert_eq!(list.bytes(), bytes);
    let mut model: Vec<Vec<u8>> = list.iter().map(Item::to_vec).collect();
    compare(&list, &model);
    while !script.is_empty() {
        change(&mut list, &mut model, &mut script);
        compare(&list, &model);
    }
    Pack::check(list.bytes(), Depth::Deep).expect("a listpack stays one");
});

fn change(list: &mut Listpack, model: &mut Vec<Vec<u8>>, script: &mut Source<'_>) {
    let what = script.byte();
    let index = script.below(model.len().max(1));
    let Some(at) = list.seek(index as i64) else {
        let element = script.piece();
        list.append(Item::Bytes(element));
        model.push(element.to_vec());
        return;
    };
    match what % 8 {
        0 => {
            let element = script.piece();
            assert_eq!(list.insert_before(at, Item::Bytes(element)), at);
            model.insert(index, element.to_vec());
        }
        1 => {
            let element = script.piece();
            list.insert_after(at, Item::Bytes(element));
            model.insert(index + 1, element.to_vec());
        }
        2 => {
            let element = script.piece();
            list.replace(at, Item::Bytes(element));
            model[index] = element.to_vec();
        }
        3 => {
            let count = script.below(4);
            list.delete_from(at, count);
            model.drain(index..model.len().min(index + count));
        }
        4 => {
            let behind = list.split_off(at);
            compare(&behind, &model.split_off(index));
            list.prepend_pack(&behind);
            let behind: Vec<Vec<u8>> = behind.iter().map(Item::to_vec).collect();
            model.splice(0..0, behind);
        }
        5 => {
            let element = model[index].clone();
            let places = list.places_of(&element, script.below(4), what & 8 == 0);
            list.delete_all(&places);
            let mut left = places.len();
            let mut keep = |one: &Vec<u8>| {
                let goes = *one == element && 0 < left;
                left -= usize::from(goes);
                !goes
            };
            if what & 8 == 0 {
                model.reverse();
                model.retain(&mut keep);
                model.reverse();
            } else {
                model.retain(&mut keep);
            }
        }
        6 => {
            let n = script.byte().cast_signed();
            list.prepend(Item::Int(n.into()));
            model.insert(0, n.to_string().into_bytes());
        }
        _ => {
            let count = script.below(5);
            list.delete_range(-1 - index as i64, count);
            let from = model.len() - 1 - index;
            model.drain(from..model.len().min(from + count));
        }
    }
}

fn compare(list: &Pack, model: &[Vec<u8>]) {
    assert_eq!(list.count(), model.len());
    assert!(list.iter().map(Item::to_vec).eq(model.iter().cloned()));
    assert!(list.iter().rev().map(Item::to_vec).eq(model.iter().rev().cloned()));
    let mut digits = Digits::default();
    for (index, element) in model.iter().enumerate().take(20) {
        let at = list.seek(index as i64).expect("it is there");
        assert_eq!(list.seek(index as i64 - model.len() as i64), Some(at));
        assert!(list.item(at).is(list.item(at).text(&mut digits)));
        let found = list.find(list.first().expect("it is there"), element, 0);
        let first = model.iter().position(|one| one == element).expect("it is there");
        assert_eq!(found, list.seek(first as i64));
    }
}
