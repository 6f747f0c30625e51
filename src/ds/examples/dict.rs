//! Tool: what a key costs in the store, in time and in memory.
//!
//! `cargo run --release -p ds --example dict [keys …]`

use std::{hint::black_box, time::Instant};

use base::memory;
use ds::{Expiry, Record, Store, dict::hash, store::Slot};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Keys searched ahead of their use, as a pipeline does.
const BATCH: usize = 16;
/// Searches a line is the mean of, at least.
const SEARCHES_MIN: usize = 2_000_000;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    for keys in if sizes.is_empty() { vec![100_000, 1_000_000] } else { sizes } {
        measure(keys);
    }
}

fn measure(count: usize) {
    println!("{count} keys of 16 bytes with strings of 32");
    let made: Vec<[u8; 16]> = (0..count).map(|number| key(scatter(number, count))).collect();
    let searches = count.max(SEARCHES_MIN).next_multiple_of(count);
    let rounds = searches / count;
    let absent: Vec<[u8; 16]> = (count..2 * count).map(key).collect();
    // Not in the order in which the records are made: that would please the cache.
    let order = (0..count).map(|at| made[scatter(at + count / 3, count)]);
    let keys: Vec<[u8; 16]> = order.collect();
    let used_before_bytes = memory::used_bytes();
    let mut store = Store::<u128>::new();
    let mut longest_ns = 0;

    let start_ns = cpu_ns();
    for key in &made {
        let one = Instant::now();
        store.insert(Record::with_string(key, &[b'x'; 32], None));
        longest_ns = longest_ns.max(one.elapsed().as_nanos());
    }
    line("insert (with two looks at the clock)", start_ns, count);
    println!("  {:<38}{:>8} ns", "the slowest insert, by the wall clock", longest_ns);
    while store.rehash_for(std::time::Duration::from_secs(1)) {}
    let table_bytes = store.table_bytes() as f64 / count as f64;
    let used_bytes = (memory::used_bytes() - used_before_bytes) as f64 / count as f64;
    println!("  {:<38}{table_bytes:>8.1} bytes", "table a key");
    println!("  {:<38}{used_bytes:>8.1} bytes", "all a key");

    let start_ns = cpu_ns();
    for key in keys.iter().cycle().take(searches) {
        black_box(hash(black_box(key)));
    }
    line("hash", start_ns, searches);

    let start_ns = cpu_ns();
    for key in keys.iter().cycle().take(searches) {
        black_box(store.find(key).is_some());
    }
    line("find", start_ns, searches);

    let start_ns = cpu_ns();
    for _ in 0..rounds {
        keys.chunks(BATCH).for_each(|batch| find_ahead(&store, batch));
    }
    line("find, prefetched by 16", start_ns, searches);

    let start_ns = cpu_ns();
    for key in absent.iter().cycle().take(searches) {
        black_box(store.find(key).is_some());
    }
    line("find what is absent", start_ns, searches);

    let start_ns = cpu_ns();
    for key in keys.iter().cycle().take(searches) {
        if let Slot::Occupied(mut item) = store.entry(key) {
            black_box(item.set_string(&[b'y'; 32], Expiry::Never));
        }
    }
    line("overwrite", start_ns, searches);

    let start_ns = cpu_ns();
    for key in &keys {
        black_box(store.set_expiry(key, Some(1)));
    }
    line("give an expiry", start_ns, count);
    let table_bytes = store.volatile_table_bytes() as f64 / count as f64;
    println!("  {:<38}{table_bytes:>8.1} bytes", "index a volatile key");

    let start_ns = cpu_ns();
    let mut scanned = 0;
    let mut cursor = store.scan(0, |_| scanned += 1);
    while cursor != 0 {
        cursor = store.scan(cursor, |record| scanned += usize::from(!record.key().is_empty()));
    }
    line("scan", start_ns, scanned);

    let mut state = 1_u64;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 24) % bound
    };
    let start_ns = cpu_ns();
    for _ in 0..100_000 {
        black_box(store.random(&mut draw).is_some());
    }
    line("random, fair", start_ns, 100_000);
    let start_ns = cpu_ns();
    for _ in 0..100_000 {
        black_box(store.sample_volatile(5, &mut draw, |record| {
            black_box(record.expiry());
        }));
    }
    line("sample of 5 volatile keys", start_ns, 100_000);

    let start_ns = cpu_ns();
    for key in &keys {
        black_box(store.remove(key).is_some());
    }
    line("remove", start_ns, count);
    println!("  {:<38}{:>8} bytes", "left", memory::used_bytes() - used_before_bytes);
}

fn find_ahead(store: &Store<u128>, batch: &[[u8; 16]]) {
    let mut hashes = [hash(b""); BATCH];
    for (slot, key) in hashes.iter_mut().zip(batch) {
        *slot = hash(key);
        store.prefetch(*slot);
    }
    for (hash, _) in hashes.iter().zip(batch) {
        store.prefetch_record(*hash);
    }
    for (hash, key) in hashes.iter().zip(batch) {
        black_box(store.find_hashed(*hash, key).is_some());
    }
}

fn line(what: &str, start_ns: u64, count: usize) {
    println!("  {what:<38}{:>8.1} ns", (cpu_ns() - start_ns) as f64 / count as f64);
}

/// The time that this thread has been running, which other processes do not lengthen.
fn cpu_ns() -> u64 {
    // Giving way brings the count up to date.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("the system tells run times")
}

fn key(number: usize) -> [u8; 16] {
    let mut key = *b"key:000000000000";
    let mut left = number;
    for digit in key[4..].iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
    }
    key
}

/// Spreads numbers over `0..count`, each once: the factor is a prime that divides no count.
fn scatter(number: usize, count: usize) -> usize {
    (number % count).wrapping_mul(2_147_483_647) % count
}
