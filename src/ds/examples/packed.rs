//! Tool: what packed lists and sets cost, in time and in memory.
//!
//! `cargo run --release -p ds --example packed`

use std::hint::black_box;

use base::memory;
use ds::{
    Depth, Intset, List, Listpack, Quicklist,
    listpack::{Item, Pack},
    quicklist::{Beside, Options, Side},
};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Operations a line is the mean of.
const ROUNDS: usize = 1_000_000;
/// Elements of the long list.
const LONG: usize = 1_000_000;
/// Small lists that are weighed.
const SMALL_COUNT: usize = 100_000;

fn main() {
    listpacks();
    intsets();
    quicklists();
    small_lists();
}

fn listpacks() {
    println!("listpack of 64 fields of 8 bytes with values of 16");
    let fields: Vec<Vec<u8>> = (0..64).map(|n| format!("field:{n:02}").into_bytes()).collect();
    let value = [b'x'; 16];
    let pairs = || fields.iter().flat_map(|field| [Item::Bytes(field), Item::Bytes(&value)]);
    let list = Listpack::from_items(pairs());
    let first = list.first().expect("it has elements");
    println!(
        "  {:<38}{:>8} bytes, {} allocated",
        "all",
        list.bytes().len(),
        list.allocation_bytes()
    );

    time("append, from nothing", ROUNDS / 128 * 128, || {
        (0..ROUNDS / 128).for_each(|_| drop(black_box(Listpack::from_items(pairs()))));
    });
    let items: Vec<Item<'_>> = pairs().collect();
    time("append all at once", ROUNDS / 128 * 128, || {
        for _ in 0..ROUNDS / 128 {
            let mut list = Listpack::new();
            list.append_all(black_box(&items));
            black_box(list);
        }
    });
    time("find a field", ROUNDS, || {
        for at in 0..ROUNDS {
            black_box(list.find(first, black_box(&fields[at % 64]), 1));
        }
    });
    time("find what is absent", ROUNDS, || {
        for _ in 0..ROUNDS {
            black_box(list.find(first, black_box(b"field:xx"), 1));
        }
    });
    time("walk, an element", ROUNDS, || {
        for _ in 0..ROUNDS / 128 {
            black_box(&list).iter().for_each(|item| {
                black_box(item.len());
            });
        }
    });
    time("walk backwards, an element", ROUNDS, || {
        for _ in 0..ROUNDS / 128 {
            black_box(&list).iter().rev().for_each(|item| {
                black_box(item.len());
            });
        }
    });
    time("check, an element", ROUNDS, || {
        for _ in 0..ROUNDS / 128 {
            black_box(Pack::check(black_box(list.bytes()), Depth::Deep).is_ok());
        }
    });
    let mut list = list;
    let middle = list.seek(65).expect("it has 128");
    time("replace in the middle, same length", ROUNDS, || {
        (0..ROUNDS).for_each(|_| list.replace(middle, black_box(Item::Bytes(&value))));
    });
    time("insert in the middle and delete", ROUNDS, || {
        for _ in 0..ROUNDS {
            list.insert_before(middle, black_box(Item::Int(12_345)));
            list.delete(middle);
        }
    });
}

fn intsets() {
    println!("intset of 512 of 4 bytes");
    let numbers: Vec<i64> = (0..512).map(|n| (n * 7_919) % 512 * 1_000).collect();
    let mut set = Intset::new();
    time("insert, any order, from nothing", ROUNDS / 512 * 512, || {
        for _ in 0..ROUNDS / 512 {
            set = Intset::new();
            for n in &numbers {
                black_box(set.insert(*n));
            }
        }
    });
    time("contains", ROUNDS, || {
        for at in 0..ROUNDS {
            black_box(set.contains(black_box(numbers[at % 512])));
        }
    });
    time("walk, an integer", ROUNDS, || {
        for _ in 0..ROUNDS / 512 {
            black_box(black_box(&set).iter().fold(0, |sum: i64, n| sum ^ n));
        }
    });
    time("remove and insert", ROUNDS, || {
        for at in 0..ROUNDS {
            set.remove(numbers[at % 512]);
            set.insert(numbers[at % 512]);
        }
    });
}

fn quicklists() {
    println!("quicklist of {LONG} elements of 20 bytes, nodes of 8 KiB");
    let element = [b'x'; 20];
    let before_bytes = memory::used_bytes();
    let mut list = Quicklist::new(Options::default());
    time("push at the tail", LONG, || {
        (0..LONG).for_each(|_| list.push(Side::Tail, black_box(&element)));
    });
    let used_bytes = (memory::used_bytes() - before_bytes) as f64 / LONG as f64;
    println!("  {:<38}{used_bytes:>8.2} bytes", "all an element");
    time("element at an index", 20_000, || {
        for at in 0..20_000 {
            black_box(list.walk(at * 7_919 % LONG, Side::Tail).next().is_some());
        }
    });
    time("walk, an element", LONG, || {
        let mut walk = list.walk(0, Side::Tail);
        while let Some(item) = walk.next() {
            black_box(item.len());
        }
    });
    time("insert in the middle", 10_000, || {
        for _ in 0..10_000 {
            black_box(list.insert(LONG / 2, Beside::After, &element));
        }
    });
    time("set in the middle", 10_000, || {
        for _ in 0..10_000 {
            black_box(list.set(LONG / 2, &element));
        }
    });
    for side in [Side::Tail, Side::Head] {
        time(&format!("take from the {side:?}"), LONG / 2, || {
            for _ in 0..LONG / 2 {
                black_box(list.end(side));
                list.remove_end(side);
            }
        });
    }
    let mut list = Quicklist::new(Options::default());
    time("push at the head", LONG, || {
        (0..LONG).for_each(|_| list.push(Side::Head, black_box(&element)));
    });
    time("queue: push at the head, take the tail", LONG, || {
        for _ in 0..LONG {
            list.push(Side::Head, black_box(&element));
            black_box(list.end(Side::Tail));
            list.remove_end(Side::Tail);
        }
    });
    let options = Options { compress_depth: 1, ..Options::default() };
    let before_bytes = memory::used_bytes();
    let mut list = Quicklist::new(options);
    time("push at the tail, inner compressed", LONG, || {
        (0..LONG).for_each(|_| list.push(Side::Tail, black_box(&element)));
    });
    let used_bytes = (memory::used_bytes() - before_bytes) as f64 / LONG as f64;
    println!("  {:<38}{used_bytes:>8.2} bytes", "all an element");
}

fn small_lists() {
    println!("{SMALL_COUNT} small lists, what each takes on the heap beside its 16 bytes");
    for (count, bytes) in [(1, 5), (3, 10), (5, 10), (10, 10), (10, 32), (50, 10), (100, 20)] {
        let element = vec![b'x'; bytes];
        let before_bytes = memory::used_bytes();
        let lists: Vec<List> = (0..SMALL_COUNT)
            .map(|_| {
                let mut list = List::new();
                (0..count).for_each(|_| list.push(Side::Tail, &element));
                list
            })
            .collect();
        let row_bytes = memory::usable_bytes(SMALL_COUNT * size_of::<List>());
        let used = (memory::used_bytes() - before_bytes - row_bytes) as f64 / SMALL_COUNT as f64;
        println!("  {:<38}{used:>8.1} bytes", format!("{count} elements of {bytes} bytes"));
        drop(lists);
    }
}

fn time(what: &str, count: usize, run: impl FnOnce()) {
    let start_ns = cpu_ns();
    run();
    println!("  {what:<38}{:>8.1} ns", (cpu_ns() - start_ns) as f64 / count as f64);
}

/// The time that this thread has been running, which other processes do not lengthen.
fn cpu_ns() -> u64 {
    // Giving way brings the count up to date.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("the system tells run times")
}
