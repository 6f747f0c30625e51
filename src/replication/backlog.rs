//! Room: the stream of writes, held once for all who read it.
//!
//! Bytes stand in blocks, and a place in the stream is a count of bytes since its history
//! began, so a replica needs to remember but one number. A block goes when every replica is
//! past it and the blocks behind it hold `repl-backlog-size` bytes: these are kept for replicas
//! that come back. One that lags keeps what it has yet to read, up to its output buffer limit.

use std::{collections::VecDeque, io::IoSlice};

/// Bounds of a block's size; between them it is a part of the backlog.
const BLOCK_BYTES_MIN: usize = 16 * 1024;
const BLOCK_BYTES_MAX: usize = 1024 * 1024;
const BLOCKS_PER_BACKLOG: usize = 16;

#[derive(Debug)]
struct Block {
    /// The place of its first byte.
    start: u64,
    bytes: Vec<u8>,
}

impl Block {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// See the head of the file.
#[derive(Debug)]
pub struct Backlog {
    blocks: VecDeque<Block>,
    end: u64,
    /// `repl-backlog-size`.
    kept_bytes: u64,
}

impl Backlog {
    /// Makes one that begins at a place.
    pub fn new(start: u64, kept_bytes: u64) -> Self {
        Self { blocks: VecDeque::new(), end: start, kept_bytes }
    }

    /// Returns the place of the oldest byte that is there.
    pub fn start(&self) -> u64 {
        self.blocks.front().map_or(self.end, |block| block.start)
    }

    /// Returns the place of the byte that comes next.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Whether a reader can go on from a place.
    pub fn reaches(&self, place: u64) -> bool {
        (self.start()..=self.end).contains(&place)
    }

    /// Changes how much is kept; what is too much goes with the next `trim`.
    pub fn keep(&mut self, bytes: u64) {
        self.kept_bytes = bytes;
    }

    /// Adds what comes next.
    pub fn append(&mut self, bytes: &[u8]) {
        let block_bytes = usize::try_from(self.kept_bytes).unwrap_or(usize::MAX);
        let block_bytes =
            (block_bytes / BLOCKS_PER_BACKLOG).clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
        let mut left = bytes;
        while !left.is_empty() {
            let is_full = |block: &Block| block.bytes.capacity() == block.bytes.len();
            if self.blocks.back().is_none_or(is_full) {
                let bytes = Vec::with_capacity(block_bytes);
                self.blocks.push_back(Block { start: self.end, bytes });
            }
            let block = self.blocks.back_mut().expect("pushed if there was none");
            let room = block.bytes.capacity() - block.bytes.len();
            let (piece, rest) = left.split_at(room.min(left.len()));
            block.bytes.extend_from_slice(piece);
            self.end += piece.len() as u64;
            left = rest;
        }
    }

    /// Drops what nobody needs: the slowest reader is at `slowest`, if there is one.
    pub fn trim(&mut self, slowest: Option<u64>) {
        while let Some(first) = self.blocks.front() {
            let is_read = slowest.is_none_or(|place| first.end() <= place);
            let kept = self.end - first.end();
            if !is_read || kept < self.kept_bytes {
                return;
            }
            self.blocks.pop_front();
        }
    }

    /// Fills `slices` with what follows a place that it reaches; returns how many.
    pub fn gather<'a>(&'a self, place: u64, slices: &mut [IoSlice<'a>]) -> usize {
        let first = self.blocks.partition_point(|block| block.end() <= place);
        let mut count = 0;
        for (slice, block) in slices.iter_mut().zip(self.blocks.iter().skip(first)) {
            let skipped = usize::try_from(place.saturating_sub(block.start)).unwrap_or(usize::MAX);
            *slice = IoSlice::new(block.bytes.get(skipped..).unwrap_or_default());
            count += 1;
        }
        count
    }

    /// Counts the bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.blocks.iter().map(|block| size_of::<Block>() + block.bytes.capacity()).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use base::random::Random;

    use super::Backlog;

    fn read(backlog: &Backlog, place: u64) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 1024];
        let count = backlog.gather(place, &mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn readers_find_what_follows_their_place() {
        let seed = Random::from_system().any_u64();
        eprintln!("seed {seed}");
        let mut random = Random::seeded(seed);
        let (start, kept) = (1000, 100_000);
        let mut backlog = Backlog::new(start, kept);
        let mut all: Vec<u8> = Vec::new();
        let mut readers = [start; 3];
        for _ in 0..500 {
            let most = if random.below(10) == 0 { 60_000 } else { 900 };
            let mut piece = vec![0; random.index(most)];
            random.fill(&mut piece);
            backlog.append(&piece);
            all.extend_from_slice(&piece);
            for place in &mut readers {
                let rest = read(&backlog, *place);
                let expected = &all[usize::try_from(*place - start).unwrap()..];
                assert!(!rest.is_empty() || expected.is_empty());
                assert_eq!(rest, expected[..rest.len()]);
                *place += random.below(1 + rest.len() as u64);
            }
            backlog.trim(readers.iter().min().copied());
            assert!(readers.iter().all(|place| backlog.reaches(*place)));
            assert_eq!(backlog.end(), start + all.len() as u64);
        }
        backlog.trim(None);
        let held = backlog.end() - backlog.start();
        assert!((kept..kept + 20_000).contains(&held), "{held}");
        assert!(!backlog.reaches(backlog.start() - 1) && !backlog.reaches(backlog.end() + 1));
        backlog.keep(1);
        backlog.trim(None);
        assert!(backlog.end() - backlog.start() <= 20_000);
    }
}
