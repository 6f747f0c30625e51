//! Pure: long lists against a plain model. A binary of its own, because from which size on an
//! element is large is the whole process's.

use std::collections::VecDeque;

use base::{lzf::Compressor, random::Random};
use ds::{
    List, Listpack, Quicklist, SharedBytes,
    listpack::Item,
    quicklist::{Beside, Fill, NodeData, NodeView, Options, Side, set_packed_threshold},
};

type Model = VecDeque<Vec<u8>>;

const LARGE_BYTES: usize = 100;
/// An element of so many bytes shares no node with others.
const ALONE_BYTES_MIN: usize = 65_536;

#[test]
fn does_what_a_deque_does() {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| Random::from_system().below(1 << 32));
    println!("does_what_a_deque_does: SEED={seed}");
    let mut random = Random::seeded(seed);
    for threshold in [0, LARGE_BYTES] {
        assert!(set_packed_threshold(threshold as u64));
        for number in [-1, -2, 1, 2, 5, 40] {
            for compress_depth in [0, 1, 2, 3, 20] {
                let options = Options { fill: Fill::new(number), compress_depth };
                run(&mut random, options, threshold);
                run_small(&mut random, options);
            }
        }
    }
    assert!(!set_packed_threshold(1 << 32) && set_packed_threshold(0));
}

fn run(random: &mut Random, options: Options, threshold: usize) {
    let (mut list, mut model) = (Quicklist::new(options), Model::new());
    for step in 0..400 {
        change(random, &mut list, &mut model);
        if step % 7 == 0 {
            look(random, &list, &model);
            check(&list, &model, threshold);
        }
    }
    check(&list, &model, threshold);
    let copy = rebuild(&list);
    check(&copy, &model, threshold);
    assert!(copy.nodes().map(content).eq(list.nodes().map(content)));
    assert!(list.clone().nodes().eq(list.nodes()));
    while let Some(last) = list.end(Side::Tail).map(Item::to_vec) {
        assert_eq!(Some(last), model.pop_back());
        assert!(list.remove_end(Side::Tail));
        if model.len() % 10 == 0 {
            check(&list, &model, threshold);
        }
    }
    assert!(model.is_empty() && !list.remove_end(Side::Head) && list.end(Side::Head).is_none());
}

fn change(random: &mut Random, list: &mut Quicklist, model: &mut Model) {
    let element = any_element(random);
    let index = if model.is_empty() { 0 } else { random.index(model.len()) };
    let is_shrinking = 600 < model.len();
    match random.below(if is_shrinking { 40 } else { 16 }) {
        0..=2 => {
            list.push(Side::Head, &element);
            model.push_front(element);
        }
        3 => {
            list.push_shared(Side::Tail, &SharedBytes::new(element.clone()));
            model.push_back(element);
        }
        4 | 5 => {
            list.push(Side::Tail, &element);
            model.push_back(element);
        }
        6 => assert_eq!(list.remove_end(Side::Head), model.pop_front().is_some()),
        7 => assert_eq!(list.remove_end(Side::Tail), model.pop_back().is_some()),
        8 | 9 => {
            let beside = [Beside::Before, Beside::After][random.index(2)];
            assert_eq!(list.insert(index, beside, &element), !model.is_empty());
            if !model.is_empty() {
                model.insert(index + usize::from(beside == Beside::After), element);
            }
        }
        10 | 11 => {
            let is_set = match random.below(2) {
                0 => list.set(index, &element),
                _ => list.set_shared(index, &SharedBytes::new(element.clone())),
            };
            assert_eq!(is_set, !model.is_empty());
            if let Some(old) = model.get_mut(index) {
                *old = element;
            }
        }
        12 => {
            list.rotate();
            let last = model.pop_back();
            model.extend(last);
            model.rotate_right(usize::from(!model.is_empty()));
        }
        13 => {
            let from = [Side::Head, Side::Tail][random.index(2)];
            let limit = [1, 2, 5, usize::MAX][random.index(4)];
            let element = model.get(index).cloned().unwrap_or(element);
            let removed = list.remove_equal(&element, limit, from);
            assert_eq!(removed, remove_equal(model, &element, limit, from));
        }
        14 => {
            let list_of_few =
                Listpack::from_items((0..random.index(4)).map(|n| Item::Int(n as i64)));
            model.extend(list_of_few.iter().map(Item::to_vec));
            list.push_packed_node(list_of_few);
        }
        _ => {
            let count = if is_shrinking { random.index(100) } else { random.index(9) };
            list.delete_range(index, count);
            model.drain(index..model.len().min(index + count));
        }
    }
}

fn any_element(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0..=3 => random.below(40).to_string().into_bytes(),
        4..=6 => vec![b'a' + random.below(3) as u8; random.index(12)],
        7 if random.below(50) == 0 => vec![b'l'; ALONE_BYTES_MIN - 2 + random.index(4)],
        7 | 8 => vec![b'x'; 60 + random.index(60)],
        _ => {
            let mut noise = vec![0; random.index(700)];
            random.fill(&mut noise);
            noise
        }
    }
}

fn remove_equal(model: &mut Model, element: &[u8], limit: usize, from: Side) -> usize {
    let before = model.len();
    if from == Side::Tail {
        model.make_contiguous().reverse();
    }
    let mut left = limit;
    model.retain(|other| {
        let goes = left > 0 && other == element;
        left -= usize::from(goes);
        !goes
    });
    if from == Side::Tail {
        model.make_contiguous().reverse();
    }
    before - model.len()
}

fn look(random: &mut Random, list: &Quicklist, model: &Model) {
    assert!(list.walk(model.len(), Side::Tail).next().is_none());
    if model.is_empty() {
        return;
    }
    let index = random.index(model.len());
    let mut walk = list.walk(index, Side::Tail);
    for element in model.iter().skip(index) {
        assert!(walk.next().expect("there is one more").is(element));
    }
    assert!(walk.next().is_none() && walk.next().is_none());
    let mut walk = list.walk(index, Side::Head);
    for element in model.iter().rev().skip(model.len() - 1 - index) {
        assert!(walk.next().expect("there is one more").is(element));
    }
    assert!(walk.next().is_none() && walk.next().is_none());
    let element = &model[index];
    assert_eq!(list.index_of(element), model.iter().position(|other| other == element));
    assert_eq!(list.index_of(b"no such"), None);
    let [head, tail] = [Side::Head, Side::Tail].map(|side| list.end(side).expect("there is one"));
    assert!(head.is(&model[0]) && tail.is(&model[model.len() - 1]));
}

fn check(list: &Quicklist, model: &Model, threshold: usize) {
    assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
    let mut walk = list.walk(0, Side::Tail);
    assert!(model.iter().all(|element| walk.next().is_some_and(|item| item.is(element))));
    let depth = usize::from(list.options().compress_depth);
    let mut compressor = Compressor::default();
    let (mut count, nodes) = (0, list.node_count());
    for (at, node) in list.nodes().enumerate() {
        assert!(node.count > 0);
        count += node.count;
        let is_inner = depth > 0 && depth <= at && at + depth < nodes;
        match node.data {
            NodeData::Raw(bytes) => {
                assert_eq!(bytes.len(), node.bytes);
                let mut saves = || {
                    let data = compressor.compress(bytes, bytes.len());
                    48 <= bytes.len() && data.is_some_and(|data| data.len() + 8 < bytes.len())
                };
                assert!(!is_inner || !saves(), "an inner node is compressed");
            }
            NodeData::Made(list) => assert_eq!(list.bytes().len(), node.bytes),
            NodeData::Lzf(data) => {
                assert!(is_inner && data.len() + 8 < node.bytes);
            }
        }
        if node.is_plain {
            assert!(0 < threshold && threshold <= node.bytes && node.count == 1);
        }
    }
    assert_eq!(count, model.len());
}

/// What of a node goes into a file.
fn content(node: NodeView<'_>) -> (bool, bool, Vec<u8>) {
    let (is_packed, bytes) = match node.data {
        NodeData::Raw(bytes) => (false, bytes.to_vec()),
        NodeData::Made(list) => (false, list.bytes().to_vec()),
        NodeData::Lzf(data) => (true, data.to_vec()),
    };
    (node.is_plain, is_packed, bytes)
}

/// As from a file.
fn rebuild(list: &Quicklist) -> Quicklist {
    let mut copy = Quicklist::new(list.options());
    for node in list.nodes() {
        let bytes = match node.data {
            NodeData::Raw(bytes) => bytes.to_vec(),
            NodeData::Made(list) => list.bytes().to_vec(),
            NodeData::Lzf(data) => {
                base::lzf::decompress(data, node.bytes).expect("it was compressed")
            }
        };
        match node.is_plain {
            true => copy.push_plain_node(bytes),
            false => {
                let list = Listpack::from_bytes(&bytes, ds::Depth::Deep).expect("it is valid");
                copy.push_packed_node(list);
            }
        }
    }
    copy
}

/// A list that goes back and forth between both forms.
fn run_small(random: &mut Random, options: Options) {
    let (mut list, mut model) = (List::new(), Model::new());
    let mut forms = [0, 0];
    for step in 0..400 {
        let element = any_element(random);
        let side = [Side::Head, Side::Tail][random.index(2)];
        let is_growing = step % 200 < 100;
        match random.below(8) {
            0..=4 if is_growing => {
                list.make_room(element.len(), 1, options);
                list.push(side, &element);
                match side {
                    Side::Head => model.push_front(element),
                    Side::Tail => model.push_back(element),
                }
            }
            0..=4 => {
                let expected = match side {
                    Side::Head => model.pop_front(),
                    Side::Tail => model.pop_back(),
                };
                assert_eq!(list.end(side).map(Item::to_vec), expected);
                assert_eq!(list.remove_end(side), expected.is_some());
            }
            5 if !model.is_empty() => {
                let index = random.index(model.len());
                let from_tail = index as i64 - model.len() as i64;
                assert_eq!(list.position(index as i64), Some(index));
                assert_eq!(list.position(from_tail), Some(index));
                list.make_room(element.len(), 1, options);
                assert!(list.set(index, &element));
                assert!(list.walk(index, side).next().is_some_and(|item| item.is(&element)));
                model[index] = element;
            }
            6 => {
                let pivot = any_element(random);
                list.make_room(element.len(), 1, options);
                let at = model.iter().position(|other| *other == pivot);
                assert_eq!(list.insert(&pivot, Beside::Before, &element), at.is_some());
                if let Some(at) = at {
                    model.insert(at, element);
                }
            }
            _ => {
                let limit = 1 + random.index(3);
                let removed = list.remove_equal(&element, limit, side);
                assert_eq!(removed, remove_equal(&mut model, &element, limit, side));
                list.delete_range(model.len() / 2, 1);
                model.drain(model.len() / 2..model.len().min(model.len() / 2 + 1));
            }
        }
        if !is_growing {
            list.shrink(options);
        }
        let is_bare = matches!(list, List::Packed(_));
        forms[usize::from(is_bare)] += 1;
        assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
        let mut walk = list.walk(0, Side::Tail);
        assert!(model.iter().all(|element| walk.next().is_some_and(|item| item.is(element))));
        assert!(walk.next().is_none());
        assert_eq!((list.position(model.len() as i64), list.position(i64::MIN)), (None, None));
    }
    assert!(forms[1] > 0, "it is bare at first");
    list.settle(options);
    let is_soon_large = (1..=5).contains(&options.fill.number());
    assert!(forms[0] > 0 || !is_soon_large);
}

#[test]
fn a_large_element_is_held_once() {
    let large = SharedBytes::new(vec![b'l'; ALONE_BYTES_MIN]);
    let mut list = List::Nodes(Box::new(Quicklist::new(Options::default())));
    list.push(Side::Tail, b"small");
    list.push_shared(Side::Tail, &large);
    list.push(Side::Tail, b"last");
    list.push_shared(Side::Head, &large);
    assert!(list.set_shared(0, &large) && list.set_shared(2, &large));
    assert_eq!(SharedBytes::strong_count(&large), 3);
    let is_large = |shared: Option<&SharedBytes>| {
        shared.is_some_and(|shared| SharedBytes::ptr_eq(shared, &large))
    };
    assert!(is_large(list.end_shared(Side::Head)) && list.end_shared(Side::Tail).is_none());
    for (from, towards, last) in [(0, Side::Tail, &b"last"[..]), (2, Side::Head, b"")] {
        let mut walk = list.walk(from, towards);
        assert!(is_large(walk.next_shared()) && walk.next_shared().is_none());
        assert!(walk.next().is_some_and(|item| item.is(b"small")));
        assert!(is_large(walk.next_shared()));
        assert_eq!(walk.next().map(Item::to_vec).unwrap_or_default(), last);
        assert!(walk.next().is_none() && walk.next_shared().is_none());
    }
    assert!(list.set(2, b"small again") && list.remove_end(Side::Head));
    assert_eq!(SharedBytes::strong_count(&large), 1);
}
