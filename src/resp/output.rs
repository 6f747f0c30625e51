//! Pure: bytes on their way to one reader: a chain of chunks that grows at its tail.
//!
//! Small writes go to `tail`, a buffer whose memory is kept, so that a request's reply
//! allocates nothing. A tail that grows large is sealed and another begun: a long reply
//! is never moved as a whole, and what has been sent is given back chunk by chunk. A big
//! value stands in the chain itself, shared with the keyspace instead of copied.

use std::{collections::VecDeque, io::IoSlice};

use crate::Shared;

/// A tail this long is sealed.
const TAIL_BYTES_MAX: usize = 64 * 1024;
/// A sealed tail keeps no more memory than this, nor a drained one if `keep` has said nothing.
const TAIL_BYTES_KEPT: usize = 16 * 1024;

#[derive(Debug)]
enum Chunk {
    Owned(Vec<u8>),
    Shared(Shared),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// A place to go back to. Good as long as nothing before it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Chunks sealed before it, those already sent included.
    chunk: u64,
    /// Bytes before it in its chunk.
    offset: usize,
}

/// The chain.
#[derive(Debug)]
pub struct Output {
    chunks: VecDeque<Chunk>,
    tail: Vec<u8>,
    /// Of the first chunk (or the tail), how many bytes have been sent.
    sent: usize,
    /// Chunks that were sent whole and dropped, in all.
    dropped: u64,
    /// Bytes in `chunks`, with those sent.
    chunk_bytes: usize,
    /// A drained tail keeps about so much memory.
    kept: usize,
    /// So many bytes are never kept, as their reader will be given up; 0 is no limit.
    bytes_max: usize,
    /// Bytes are missing.
    is_cut: bool,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            chunks: VecDeque::new(),
            tail: Vec::new(),
            sent: 0,
            dropped: 0,
            chunk_bytes: 0,
            kept: TAIL_BYTES_KEPT,
            bytes_max: 0,
            is_cut: false,
        }
    }
}

impl Output {
    /// Returns the buffer to append to. Call `seal_if_long` after a long write.
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.tail
    }

    /// Appends bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        self.seal_if_long();
    }

    /// Begins another tail if this one has grown long; for those who wrote to `tail`.
    pub(crate) fn seal_if_long(&mut self) {
        if TAIL_BYTES_MAX <= self.tail.len() {
            self.seal();
        }
    }

    /// Lets what is written from now on be dropped once so many bytes wait: who reads them
    /// is to be given up then (`is_cut`). 0 is no limit.
    pub fn limit(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Whether bytes were dropped because there were too many. What is left is no reply.
    #[inline]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Appends a big value without a copy.
    pub(crate) fn share(&mut self, bytes: &Shared) {
        self.seal();
        if self.is_cut {
            return;
        }
        self.chunk_bytes += bytes.len();
        self.chunks.push_back(Chunk::Shared(bytes.clone()));
    }

    /// Remembers how much has been written.
    pub(crate) fn mark(&self) -> Mark {
        Mark { chunk: self.dropped + self.chunks.len() as u64, offset: self.tail.len() }
    }

    /// Takes back what was written since.
    pub(crate) fn truncate(&mut self, mark: Mark) {
        while mark.chunk < self.dropped + self.chunks.len() as u64 {
            let chunk = self.chunks.pop_back().expect("counted just now");
            self.chunk_bytes -= chunk.bytes().len();
            self.tail = match chunk {
                Chunk::Owned(bytes) => bytes,
                Chunk::Shared(_) => Vec::new(),
            };
        }
        self.tail.truncate(mark.offset);
        // What was dropped came behind the place where there was too much.
        self.is_cut &= self.is_full();
    }

    /// Puts bytes in at a place; what was written since moves up behind them. Moves one
    /// chunk's bytes at most.
    pub(crate) fn insert(&mut self, mark: Mark, bytes: &[u8]) {
        if self.is_cut {
            // The place may be among what was dropped.
            return;
        }
        let index = usize::try_from(mark.chunk - self.dropped).expect("chunks in memory");
        let (place, offset) = match self.chunks.get_mut(index) {
            None => (&mut self.tail, mark.offset),
            Some(Chunk::Owned(chunk)) => {
                self.chunk_bytes += bytes.len();
                (chunk, mark.offset)
            }
            // Only a sealed tail precedes a shared chunk, and it is empty then.
            Some(Chunk::Shared(_)) => {
                self.chunk_bytes += bytes.len();
                return self.chunks.insert(index, Chunk::Owned(bytes.to_vec()));
            }
        };
        let end = place.len();
        place.extend_from_slice(bytes);
        let written = place.len() - end;
        place[offset..].rotate_right(written);
    }

    /// Moves all of another's bytes behind these.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if other.is_empty() {
            return;
        }
        if self.is_cut || other.is_cut {
            self.is_cut = true;
            return other.clear();
        }
        if other.chunks.is_empty() {
            self.extend(&other.tail[other.sent..]);
            other.tail.clear();
            other.sent = 0;
            return;
        }
        self.seal();
        if 0 < other.sent {
            let rest = other.chunks[0].bytes()[other.sent..].to_vec();
            other.chunk_bytes -= other.sent;
            (other.chunks[0], other.sent) = (Chunk::Owned(rest), 0);
        }
        self.chunk_bytes += other.chunk_bytes;
        other.dropped += other.chunks.len() as u64;
        other.chunk_bytes = 0;
        self.chunks.append(&mut other.chunks);
        self.extend(&other.tail);
        other.tail.clear();
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.tail.is_empty()
    }

    /// Counts the bytes that are still to be sent.
    pub fn pending_bytes(&self) -> usize {
        self.chunk_bytes + self.tail.len() - self.sent
    }

    /// Counts the chunks besides the tail.
    pub fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// Counts the bytes that are allocated, shared ones included.
    pub fn memory_bytes(&self) -> usize {
        let chunk = size_of::<Chunk>() * self.chunks.len();
        self.chunk_bytes + chunk + self.tail.capacity()
    }

    /// Counts the bytes that the tail's buffer takes.
    pub fn tail_capacity(&self) -> usize {
        self.tail.capacity()
    }

    /// Returns the first bytes to be sent, as many as stand together.
    pub fn front(&self) -> &[u8] {
        self.chunks.front().map_or(&self.tail[..], Chunk::bytes).get(self.sent..).unwrap_or(&[])
    }

    /// Fills `slices` with what is to be sent; returns how many.
    pub fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        let mut skip = self.sent;
        let chunks = self.chunks.iter().map(Chunk::bytes).chain([&self.tail[..]]);
        for (slice, chunk) in slices.iter_mut().zip(chunks) {
            *slice = IoSlice::new(&chunk[skip..]);
            skip = 0;
            count += usize::from(!slice.is_empty());
        }
        count
    }

    /// Drops what has been sent, and keeps the tail's memory.
    ///
    /// # Panics
    /// If more was sent than there was.
    pub fn consume(&mut self, bytes: usize) {
        self.sent += bytes;
        while let Some(chunk) = self.chunks.front() {
            let length = chunk.bytes().len();
            if self.sent < length {
                return;
            }
            self.sent -= length;
            self.chunk_bytes -= length;
            self.dropped += 1;
            self.chunks.pop_front();
        }
        assert!(self.sent <= self.tail.len(), "more was sent than there was");
        if self.sent == self.tail.len() {
            self.sent = 0;
            self.tail.clear();
            if self.kept * 2 < self.tail.capacity() {
                self.tail.shrink_to(self.kept);
            }
        }
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.consume(self.pending_bytes());
        self.is_cut = false;
    }

    /// Keeps no more memory for the tail than so much, or than it needs: now, and from here on
    /// about so much whenever it is drained.
    pub fn keep(&mut self, bytes: usize) {
        self.kept = bytes;
        self.tail.shrink_to(bytes);
    }

    /// Gives back the tail's memory if it holds nothing.
    pub fn release(&mut self) {
        if self.tail.is_empty() {
            self.tail = Vec::new();
        }
    }

    fn is_full(&self) -> bool {
        self.bytes_max != 0 && self.bytes_max <= self.chunk_bytes
    }

    fn seal(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        if self.is_full() {
            self.is_cut = true;
            return self.tail.clear();
        }
        self.chunk_bytes += self.tail.len();
        let mut chunk = std::mem::take(&mut self.tail);
        if TAIL_BYTES_KEPT < chunk.capacity() - chunk.len() {
            chunk.shrink_to_fit();
        }
        self.chunks.push_back(Chunk::Owned(chunk));
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, TAIL_BYTES_MAX};
    use crate::Shared;

    fn all(output: &Output) -> Vec<u8> {
        let mut slices = [std::io::IoSlice::new(&[]); 64];
        let count = output.gather(&mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn chunks_shared_values_and_partial_sends_keep_the_order() {
        let mut output = Output::default();
        let big = Shared::new(vec![b'x'; 100]);
        output.extend(b"head");
        output.share(&big);
        output.extend(&[b'y'; TAIL_BYTES_MAX]);
        output.extend(b"tail");
        let expected = [&b"head"[..], &[b'x'; 100], &[b'y'; TAIL_BYTES_MAX], b"tail"].concat();
        assert_eq!((all(&output), output.pending_bytes()), (expected.clone(), expected.len()));
        let mut sent = 0;
        for step in [1, 3, 50, 60, TAIL_BYTES_MAX - 10, 3] {
            output.consume(step);
            sent += step;
            assert_eq!(all(&output), expected[sent..]);
            assert!(expected[sent..].starts_with(output.front()));
        }
        output.clear();
        assert!(output.is_empty() && output.pending_bytes() == 0);
        assert_eq!(Shared::strong_count(&big), 1);
    }

    #[test]
    fn marks_take_back_and_put_in_over_sealed_chunks() {
        let mut output = Output::default();
        output.extend(b"ab");
        let mark = output.mark();
        output.extend(&[b'c'; TAIL_BYTES_MAX]);
        output.share(&Shared::new(b"big".to_vec()));
        output.extend(b"d");
        output.insert(mark, b"12345");
        assert_eq!(all(&output)[..8], *b"ab12345c");
        assert_eq!(output.pending_bytes(), 2 + 5 + TAIL_BYTES_MAX + 3 + 1);
        output.truncate(mark);
        assert_eq!(all(&output), b"ab");
        let mark = output.mark();
        output.share(&Shared::new(b"big".to_vec()));
        output.insert(mark, b"*1");
        assert_eq!(all(&output), b"ab*1big");
        let mark = output.mark();
        output.share(&Shared::new(b"more".to_vec()));
        output.insert(mark, b"!");
        assert_eq!((all(&output), output.pending_bytes()), (b"ab*1big!more".to_vec(), 12));
    }

    #[test]
    fn what_is_too_much_is_dropped_and_a_place_before_it_is_still_good() {
        let mut output = Output::default();
        output.limit(3 * TAIL_BYTES_MAX);
        output.extend(b"first");
        let mark = output.mark();
        let deferred = output.mark();
        for _ in 0..100 {
            output.extend(&[b'x'; TAIL_BYTES_MAX]);
            output.share(&Shared::new(vec![b'y'; TAIL_BYTES_MAX]));
        }
        assert!(output.is_cut() && output.pending_bytes() < 6 * TAIL_BYTES_MAX);
        let behind = output.mark();
        output.insert(behind, b"*1");
        output.insert(deferred, b"*1");
        let mut more = Output::default();
        more.extend(b"more");
        output.append(&mut more);
        assert!(output.is_cut() && more.is_empty());
        output.truncate(mark);
        assert!(!output.is_cut() && all(&output) == b"first");
        output.limit(0);
        (0..100).for_each(|_| output.extend(&[b'x'; TAIL_BYTES_MAX]));
        assert!(!output.is_cut() && 100 * TAIL_BYTES_MAX < output.pending_bytes());
    }

    #[test]
    fn another_output_goes_behind() {
        let (mut one, mut two) = (Output::default(), Output::default());
        one.extend(b"1");
        two.extend(b"22");
        two.share(&Shared::new(b"3".to_vec()));
        two.extend(b"4");
        two.consume(1);
        one.append(&mut two);
        assert_eq!((all(&one), one.pending_bytes()), (b"1234".to_vec(), 4));
        assert!(two.is_empty() && two.pending_bytes() == 0);
        two.extend(b"5");
        one.append(&mut two);
        assert_eq!(all(&one), b"12345");
    }
}
