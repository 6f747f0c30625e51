//! Tool: what an element of the large forms costs, in time and in memory: sorted set, hash,
//! set, tree; and what a HyperLogLog does.
//!
//! `cargo run --release -p ds --example large [elements …]`

use std::{collections::BTreeMap, hint::black_box, ops::Bound};

use base::{memory, random::Random};
use ds::{
    Expiry, Hash, Set, Tree, Zset,
    dict::hash,
    hyperloglog::{self, Registers},
};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Elements that a range takes.
const RANGE: usize = 100;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    for count in if sizes.is_empty() { vec![100_000, 1_000_000] } else { sizes } {
        measure_zset(count);
        measure_set(count);
        measure_hash(count);
        measure_tree(count);
    }
    measure_hyperloglog();
}

fn measure_zset(count: usize) {
    println!("sorted set of {count} members like member:000123");
    let mut random = Random::seeded(1);
    let mut names: Vec<Vec<u8>> = (0..count).map(name).collect();
    random.shuffle(&mut names);
    let before_bytes = memory::used_bytes();
    let mut zset = Zset::new();

    let start_ns = cpu_ns();
    for name in &names {
        zset.insert(name, random.unit_f64() * 1e6);
    }
    line("insert, scores at random", start_ns, count);
    bytes("all a member", memory::used_bytes() - before_bytes, count);
    bytes("as it says itself", zset.memory_bytes(), count);
    random.shuffle(&mut names);

    let start_ns = cpu_ns();
    for name in &names {
        black_box(zset.score(name));
    }
    line("score", start_ns, count);

    let start_ns = cpu_ns();
    for name in &names {
        black_box(zset.rank(name));
    }
    line("rank", start_ns, count);

    let start_ns = cpu_ns();
    for _ in 0..count {
        black_box(zset.by_rank(random.index(count)));
    }
    line("by rank", start_ns, count);

    let start_ns = cpu_ns();
    for _ in 0..count / RANGE {
        let start = random.index(count);
        for element in zset.range(start..start + RANGE) {
            black_box(element.0[0]);
        }
    }
    line("range of 100 by rank, an element", start_ns, count);

    let start_ns = cpu_ns();
    for _ in 0..count / RANGE {
        let start = random.index(count);
        for element in zset.range(start..start + RANGE).rev() {
            black_box(element.0[0]);
        }
    }
    line("backwards, an element", start_ns, count);

    let start_ns = cpu_ns();
    for _ in 0..count {
        let score = random.unit_f64() * 1e6;
        black_box(zset.ranks_by_score(Bound::Included(score), Bound::Excluded(score + 10.0)));
    }
    line("count by score", start_ns, count);

    let start_ns = cpu_ns();
    for name in &names {
        let score = zset.score(name).unwrap_or(0.0);
        zset.insert(name, score + random.unit_f64());
    }
    line("change of a score by little", start_ns, count);

    let start_ns = cpu_ns();
    for name in &names {
        zset.insert(name, random.unit_f64() * 1e6);
    }
    line("change of a score", start_ns, count);
    bytes("all a member", memory::used_bytes() - before_bytes, count);

    let start_ns = cpu_ns();
    for _ in 0..count / 4 {
        black_box(zset.pop_first());
    }
    line("pop the lowest", start_ns, count / 4);

    let start_ns = cpu_ns();
    for name in &names[..count / 2] {
        black_box(zset.remove(name));
    }
    line("remove", start_ns, count / 2);

    let left = zset.len();
    let start_ns = cpu_ns();
    zset.remove_range(0..left, |name, _| {
        black_box(name[0]);
    });
    line("remove all that is left by range", start_ns, left);

    let start_ns = cpu_ns();
    for number in 0..count {
        zset.insert(&name(number), number as f64);
    }
    line("insert in order", start_ns, count);
    bytes("all a member", memory::used_bytes() - before_bytes, count);
    let start_ns = cpu_ns();
    drop(zset);
    line("drop", start_ns, count);

    let mut zset = Zset::new();
    let start_ns = cpu_ns();
    for name in &names {
        zset.insert(name, 0.0);
    }
    line("insert, all scores equal", start_ns, count);
    bytes("all a member", memory::used_bytes() - before_bytes, count);
}

fn measure_set(count: usize) {
    println!("set of {count} members like member:000123");
    let mut random = Random::seeded(1);
    let mut names: Vec<Vec<u8>> = (0..count).map(name).collect();
    random.shuffle(&mut names);
    let before_bytes = memory::used_bytes();
    let mut set = Set::new();
    let start_ns = cpu_ns();
    for name in &names {
        set.insert(name);
    }
    line("insert", start_ns, count);
    bytes("all a member", memory::used_bytes() - before_bytes, count);
    bytes("as it says itself", set.memory_bytes(), count);
    random.shuffle(&mut names);

    let start_ns = cpu_ns();
    for name in &names {
        black_box(set.contains(name));
    }
    line("contains", start_ns, count);

    let start_ns = cpu_ns();
    for names in names.chunks(64) {
        let hashed: Vec<_> = names.iter().map(|name| (hash(name), &name[..])).collect();
        set.contains_each(&hashed, |_, is_member| {
            black_box(is_member);
        });
    }
    line("contains, many at once", start_ns, count);

    let start_ns = cpu_ns();
    for member in &set {
        black_box(member[0]);
    }
    line("iterate", start_ns, count);

    let start_ns = cpu_ns();
    for _ in 0..count {
        black_box(set.random(|bound| random.below(bound)));
    }
    line("random", start_ns, count);

    let start_ns = cpu_ns();
    set.random_distinct(
        count / 10,
        |bound| random.below(bound),
        |member| {
            black_box(member[0]);
        },
    );
    line("distinct, a tenth", start_ns, count / 10);

    let start_ns = cpu_ns();
    while let Some(member) = set.pop_random(|bound| random.below(bound)) {
        black_box(member[0]);
    }
    line("pop all at random", start_ns, count);
}

fn measure_hash(count: usize) {
    println!("hash of {count} fields like field:000123 with values of 16 bytes");
    let mut random = Random::seeded(1);
    let mut names: Vec<Vec<u8>> = (0..count).map(field).collect();
    random.shuffle(&mut names);
    let before_bytes = memory::used_bytes();
    let mut table = Hash::new();
    let start_ns = cpu_ns();
    for name in &names {
        table.set(name, &[b'x'; 16], Expiry::Never);
    }
    line("set", start_ns, count);
    bytes("all a field", memory::used_bytes() - before_bytes, count);
    bytes("as it says itself", table.memory_bytes(), count);
    random.shuffle(&mut names);

    let start_ns = cpu_ns();
    for name in &names {
        black_box(table.get(name));
    }
    line("get", start_ns, count);

    let start_ns = cpu_ns();
    for name in &names {
        table.set(name, &[b'y'; 16], Expiry::Never);
    }
    line("set again", start_ns, count);

    let start_ns = cpu_ns();
    for field in &table {
        black_box((field.name()[0], field.value()[0]));
    }
    line("iterate", start_ns, count);

    let start_ns = cpu_ns();
    for name in &names {
        table.set_expiry(name, Some(random.below(1 << 40).cast_signed()));
    }
    line("give an expiry", start_ns, count);
    bytes("all a field", memory::used_bytes() - before_bytes, count);
    bytes("as it says itself", table.memory_bytes(), count);

    let start_ns = cpu_ns();
    while let Some(field) = table.pop_due(i64::MAX) {
        black_box(field.name()[0]);
    }
    line("pop what is due", start_ns, count);
}

fn measure_tree(count: usize) {
    println!("tree of {count} ids in order, with values of 24 bytes");
    let mut random = Random::seeded(1);
    let before_bytes = memory::used_bytes();
    let mut tree = Tree::new();
    let start_ns = cpu_ns();
    for number in 0..count as u64 {
        tree.insert([number / 10, number % 10], [number; 3]);
    }
    line("append", start_ns, count);
    bytes("all an entry", memory::used_bytes() - before_bytes, count);
    let used_bytes = memory::used_bytes();
    let mut other = BTreeMap::new();
    let start_ns = cpu_ns();
    for number in 0..count as u64 {
        other.insert([number / 10, number % 10], [number; 3]);
    }
    line("append to a BTreeMap", start_ns, count);
    bytes("all an entry of a BTreeMap", memory::used_bytes() - used_bytes, count);

    let start_ns = cpu_ns();
    for _ in 0..count {
        let number = random.below(count as u64);
        black_box(tree.get([number / 10, number % 10]));
    }
    line("get", start_ns, count);
    let start_ns = cpu_ns();
    for _ in 0..count {
        let number = random.below(count as u64);
        black_box(other.get(&[number / 10, number % 10]));
    }
    line("get of a BTreeMap", start_ns, count);
    let start_ns = cpu_ns();
    for (id, _) in &tree {
        black_box(id);
    }
    line("iterate", start_ns, count);
    let start_ns = cpu_ns();
    while let Some(entry) = tree.pop_first() {
        black_box(entry);
    }
    line("pop the first", start_ns, count);
}

fn measure_hyperloglog() {
    println!("HyperLogLog");
    let names: Vec<Vec<u8>> = (0..1_000_000).map(name).collect();
    let mut sparse = hyperloglog::empty();
    let start_ns = cpu_ns();
    for name in &names[..1_000] {
        black_box(hyperloglog::add(&mut sparse, name, 3_000).is_ok());
    }
    line("add, sparse, to 1000", start_ns, 1_000);
    let start_ns = cpu_ns();
    for _ in 0..100 {
        black_box(hyperloglog::count(&sparse).is_ok());
    }
    line("count, sparse", start_ns, 100);
    let mut dense = sparse.clone();
    black_box(hyperloglog::to_dense(&mut dense).is_ok());
    let start_ns = cpu_ns();
    for name in &names {
        black_box(hyperloglog::add(&mut dense, name, 3_000).is_ok());
    }
    line("add, dense", start_ns, names.len());
    let start_ns = cpu_ns();
    for _ in 0..1_000 {
        black_box(hyperloglog::count(&dense).is_ok());
    }
    line("count, dense", start_ns, 1_000);
    let mut union = Registers::new();
    let start_ns = cpu_ns();
    for _ in 0..1_000 {
        black_box(union.merge(&dense).is_ok());
    }
    line("merge, dense", start_ns, 1_000);
    let start_ns = cpu_ns();
    for _ in 0..1_000 {
        black_box(union.count());
    }
    line("count of a union", start_ns, 1_000);
}

fn line(what: &str, start_ns: u64, count: usize) {
    println!("  {what:<38}{:>8.1} ns", (cpu_ns() - start_ns) as f64 / count as f64);
}

fn bytes(what: &str, bytes: usize, count: usize) {
    println!("  {what:<38}{:>8.1} bytes", bytes as f64 / count as f64);
}

/// The time that this thread has been running, which other processes do not lengthen.
fn cpu_ns() -> u64 {
    // Giving way brings the count up to date.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse().ok()).expect("the system tells run times")
}

fn name(number: usize) -> Vec<u8> {
    format!("member:{number:06}").into_bytes()
}

fn field(number: usize) -> Vec<u8> {
    format!("field:{number:06}").into_bytes()
}
