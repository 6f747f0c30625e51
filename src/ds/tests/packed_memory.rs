//! Pure: packed values take what they say. A binary of its own: it counts for the process.

use base::memory;
use ds::{
    Intset, List,
    quicklist::{Fill, Options, Side, set_packed_threshold},
};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

#[test]
fn what_is_told_is_what_is_taken() {
    for (count, element_bytes) in [(0, 0), (1, 5), (3, 10), (10, 32), (50, 10), (100, 20)] {
        let before = memory::used_bytes();
        let list = make(count, element_bytes, Options::default(), Side::Tail);
        // A head of six bytes, an end, and two beside each element: nothing of our own.
        let bytes = 7 + count * (element_bytes + 2);
        assert_eq!(memory::used_bytes() - before, memory::usable_bytes(bytes));
        assert_eq!(list.allocation_bytes(0), memory::usable_bytes(bytes));
    }
    assert!(set_packed_threshold(2_000));
    // The compressor is made once for all.
    drop(make(3_000, 100, Options { fill: Fill::new(-5), compress_depth: 1 }, Side::Tail));
    for compress_depth in [0, 1] {
        for (count, element_bytes) in [(2_000, 20), (2_000, 200), (20, 3_000)] {
            for side in [Side::Head, Side::Tail] {
                let before = memory::used_bytes();
                let options = Options { compress_depth, ..Options::default() };
                let mut list = make(count, element_bytes, options, side);
                assert_eq!(list.allocation_bytes(0), memory::used_bytes() - before);
                for _ in 0..count / 2 {
                    assert!(list.remove_end(side));
                }
                assert_eq!(list.allocation_bytes(0), memory::used_bytes() - before);
            }
        }
    }
    let list = make(10_000, 20, Options::default(), Side::Tail);
    let (all, some) = (list.allocation_bytes(0), list.allocation_bytes(5));
    assert!(some.abs_diff(all) < all / 10, "{some} of {all}");

    for wide in [1, 100_000, 1 << 40] {
        let before = memory::used_bytes();
        let mut set = Intset::new();
        assert!((0..500).all(|n| set.insert(n * wide)));
        assert_eq!(memory::used_bytes() - before, set.allocation_bytes());
        assert!((0..400).all(|n| set.remove(n * wide)));
        assert_eq!(memory::used_bytes() - before, set.allocation_bytes());
    }
}

fn make(count: usize, element_bytes: usize, options: Options, side: Side) -> List {
    let mut list = List::new();
    for _ in 0..count {
        list.make_room(element_bytes, 1, options);
        list.push(side, &vec![b'x'; element_bytes]);
    }
    list
}
