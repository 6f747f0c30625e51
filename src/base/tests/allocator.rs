//! Tool: the counting allocator as a program's own, in a process where nobody else allocates.

use std::{hint::black_box, thread};

use base::memory::{self, Counting};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    // As in a server. Without its thread jemalloc keeps no large block that is free.
    assert!(memory::set_background_thread(true));
    every_block_is_counted_with_its_usable_size();
    growth_counts_the_difference();
    a_refused_block_is_not_counted();
    a_block_may_be_freed_by_another_thread();
    the_peak_stays();
    what_a_buffer_leaves_goes_back();
    figures_and_purge();
}

fn every_block_is_counted_with_its_usable_size() {
    let (used, count) = (memory::used_bytes(), memory::allocations());
    let mut expected = 0;
    let mut blocks: Vec<Box<[u8]>> = Vec::with_capacity(64);
    expected += memory::usable_bytes(64 * size_of::<Box<[u8]>>());
    for bytes in 1..=64 {
        blocks.push(black_box(vec![7; bytes * 33].into_boxed_slice()));
        expected += memory::usable_bytes(bytes * 33);
        assert_eq!(memory::used_bytes() - used, expected);
    }
    assert_eq!(memory::allocations() - count, 65);
    drop(blocks);
    assert_eq!(memory::used_bytes(), used);
}

fn growth_counts_the_difference() {
    let used = memory::used_bytes();
    let mut text: Vec<u8> = Vec::new();
    for _ in 0..100_000 {
        text.push(1);
        assert_eq!(memory::used_bytes() - used, memory::usable_bytes(text.capacity()));
    }
    text.shrink_to(10);
    text.truncate(10);
    text.shrink_to_fit();
    assert_eq!(memory::used_bytes() - used, memory::usable_bytes(text.capacity()));
    drop(text);
    assert_eq!(memory::used_bytes(), used);
}

fn a_refused_block_is_not_counted() {
    let (used, count) = (memory::used_bytes(), memory::allocations());
    let mut text: Vec<u8> = Vec::new();
    assert!(text.try_reserve_exact(isize::MAX as usize / 2).is_err());
    text.push(1);
    assert!(text.try_reserve_exact(isize::MAX as usize / 2).is_err(), "growth is refused too");
    assert_eq!(memory::used_bytes() - used, memory::usable_bytes(text.capacity()));
    assert_eq!(memory::allocations() - count, 1);
}

fn a_block_may_be_freed_by_another_thread() {
    // A thread leaves things of its own behind the first time.
    thread::spawn(|| ()).join().expect("it ends");
    let used = memory::used_bytes();
    let count = 20_000;
    let blocks: Vec<Box<u64>> = (0..count).map(Box::new).collect();
    let freeing = thread::spawn(move || drop(black_box(blocks)));
    let making = thread::spawn(move || (0..count).map(Box::new).collect::<Vec<Box<u64>>>());
    freeing.join().expect("it ends");
    drop(making.join().expect("it ends"));
    let left = memory::used_bytes().wrapping_sub(used);
    assert!(left < 1024, "{left} bytes are left of {count} blocks");
}

fn the_peak_stays() {
    let bytes = 50 << 20;
    drop(black_box(vec![1_u8; bytes]));
    assert!(memory::peak_bytes() >= memory::used_bytes() + bytes);
    let peak = memory::peak_bytes();
    drop(black_box(vec![1_u8; 1000]));
    assert_eq!(memory::peak_bytes(), peak);
}

fn figures_and_purge() {
    let block = black_box(vec![1_u8; 10 << 20]);
    let figures = memory::figures();
    assert!(figures.allocated >= memory::used_bytes());
    assert!(figures.active >= figures.allocated && figures.resident >= figures.active);
    drop(block);
    assert!(memory::purge());
    assert!(memory::figures().resident < figures.resident);
    assert!(memory::set_background_thread(true) && memory::set_background_thread(false));
}

fn what_a_buffer_leaves_goes_back() {
    let mut buffer = vec![1_u8; 32 << 20];
    let resident = memory::figures().resident;
    // What lies behind the buffer is not left to it to grow into.
    let behind = black_box(vec![1_u8; 8 << 20]);
    memory::grow(&mut buffer, 32 << 20);
    assert!(64 << 20 <= buffer.capacity() && buffer.iter().all(|byte| *byte == 1));
    let more = memory::figures().resident - resident - behind.len();
    assert!(more < (32 << 20) + (4 << 20), "{more} bytes more for twice 32 MiB");
}
