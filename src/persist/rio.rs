//! Pure: streams with a buffer and a checksum, for files, sockets and payloads in memory.
//!
//! The CRC64 is taken of whole buffers, when they are sent or left behind, and of the part that
//! has been used when somebody asks for it.

use std::{
    borrow::Cow,
    io::{self, Read, Write},
};

use base::checksum::crc64;

/// Large enough for few system calls, small enough to stay in the processor's cache.
const BUFFER_BYTES: usize = 128 * 1024;
const BUFFER_BYTES_MIN: usize = 64;
/// What a peer announces is believed so far at a time, if nobody knows what is left to come.
const TRUSTED_BYTES: usize = 1024 * 1024;

/// Takes bytes and hands them on in large pieces, or keeps them all.
pub struct Writer<'a> {
    /// Nobody, if the bytes are to stay in the buffer.
    out: Option<&'a mut dyn Write>,
    buffer: Vec<u8>,
    /// Of what was handed on; nothing if nobody wants to know it.
    checksum: Option<u64>,
    sent: u64,
}

impl<'a> Writer<'a> {
    /// Makes a writer in front of `out`.
    pub fn new(out: &'a mut dyn Write, has_checksum: bool) -> Self {
        Self {
            out: Some(out),
            buffer: Vec::with_capacity(BUFFER_BYTES),
            checksum: has_checksum.then_some(0),
            sent: 0,
        }
    }

    /// Makes a writer that keeps what it is given.
    pub fn in_memory() -> Self {
        Self { out: None, buffer: Vec::new(), checksum: None, sent: 0 }
    }

    /// Returns what was kept.
    pub fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// Counts the bytes that were written.
    pub fn written(&self) -> u64 {
        self.sent + self.buffer.len() as u64
    }

    /// Writes bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() <= self.buffer.capacity() - self.buffer.len() {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        self.put_more(bytes)
    }

    #[cold]
    fn put_more(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(out) = &mut self.out else {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        };
        // What is as large as a buffer need not go through it.
        let (direct, kept) =
            if bytes.len() < BUFFER_BYTES { (&[][..], bytes) } else { (bytes, &[][..]) };
        for piece in [&self.buffer[..], direct] {
            out.write_all(piece)?;
            self.checksum = self.checksum.map(|sum| crc64(sum, piece));
            self.sent += piece.len() as u64;
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(kept);
        Ok(())
    }

    /// Returns the CRC64 of all that was written; nothing if it was not asked for.
    pub fn checksum(&self) -> Option<u64> {
        self.checksum.map(|sum| crc64(sum, &self.buffer))
    }

    /// Hands on what is left in the buffer.
    pub fn flush(&mut self) -> io::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        out.write_all(&self.buffer)?;
        self.checksum = self.checksum.map(|sum| crc64(sum, &self.buffer));
        self.sent += self.buffer.len() as u64;
        self.buffer.clear();
        out.flush()
    }
}

/// Gives bytes in the pieces that are asked for.
pub struct Reader<'a> {
    /// Nothing, if all there is stands in the buffer.
    source: Option<Box<dyn Read + Send + 'a>>,
    buffer: Cow<'a, [u8]>,
    /// The part of the buffer that is still to be read.
    at: usize,
    end: usize,
    /// Of what lies before `summed` in the buffer, and of all before that.
    checksum: Option<u64>,
    summed: usize,
    /// What came before the buffer.
    passed: u64,
    /// The bytes that there are, if that is known.
    total: Option<u64>,
}

impl<'a> Reader<'a> {
    /// Makes a reader of `source`, which will end after `total` bytes, if that is known.
    pub fn new(source: Box<dyn Read + Send + 'a>, total: Option<u64>, has_checksum: bool) -> Self {
        // A short file needs no more; any buffer holds the numbers of the format.
        let wanted = total.and_then(|total| usize::try_from(total).ok()).unwrap_or(BUFFER_BYTES);
        Self {
            source: Some(source),
            buffer: Cow::Owned(vec![0; wanted.clamp(BUFFER_BYTES_MIN, BUFFER_BYTES)]),
            at: 0,
            end: 0,
            checksum: has_checksum.then_some(0),
            summed: 0,
            passed: 0,
            total,
        }
    }

    /// Makes a reader of bytes that are all there.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self {
            source: None,
            buffer: Cow::Borrowed(bytes),
            at: 0,
            end: bytes.len(),
            checksum: None,
            summed: 0,
            passed: 0,
            total: Some(bytes.len() as u64),
        }
    }

    /// Counts the bytes that were read.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// Counts the bytes that are left, if that is known.
    pub fn left(&self) -> Option<u64> {
        self.total.map(|total| total.saturating_sub(self.offset()))
    }

    /// Returns the bytes that are there already, of which `skip` takes off.
    #[inline]
    pub fn at_hand(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// Takes bytes off that were at hand.
    #[inline]
    pub fn skip(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.end - self.at);
        self.at += bytes;
    }

    /// Reads one byte.
    #[inline]
    pub fn byte(&mut self) -> io::Result<u8> {
        if self.at == self.end {
            self.fill(1)?;
        }
        self.at += 1;
        Ok(self.buffer[self.at - 1])
    }

    /// Reads so many bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        if self.end - self.at < N {
            self.fill(N)?;
        }
        self.at += N;
        Ok(self.buffer[self.at - N..self.at].try_into().expect("the range is that long"))
    }

    /// Reads so many bytes, without a copy if they fit the buffer.
    #[inline]
    pub fn take(&mut self, bytes: usize) -> io::Result<Cow<'_, [u8]>> {
        if self.end - self.at < bytes {
            if self.buffer.len() < bytes {
                return self.take_large(bytes).map(Cow::Owned);
            }
            self.fill(bytes)?;
        }
        self.at += bytes;
        Ok(Cow::Borrowed(&self.buffer[self.at - bytes..self.at]))
    }

    /// Reads past so many bytes.
    pub fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let mut left = bytes;
        while 0 < left {
            if self.at == self.end {
                self.fill(1)?;
            }
            let step = left.min((self.end - self.at) as u64);
            self.at += usize::try_from(step).expect("it is within the buffer");
            left -= step;
        }
        Ok(())
    }

    /// Returns the CRC64 of all that was read; nothing if it was not asked for.
    pub fn checksum(&mut self) -> Option<u64> {
        let fresh = &self.buffer[self.summed..self.at];
        self.checksum = self.checksum.map(|sum| crc64(sum, fresh));
        self.summed = self.at;
        self.checksum
    }

    /// Sees that so many bytes are at hand, which the buffer can hold.
    #[cold]
    fn fill(&mut self, bytes: usize) -> io::Result<()> {
        self.checksum();
        let Some(source) = &mut self.source else { return Err(short()) };
        let buffer = self.buffer.to_mut();
        buffer.copy_within(self.at..self.end, 0);
        self.passed += self.at as u64;
        (self.end, self.at, self.summed) = (self.end - self.at, 0, 0);
        while self.end < bytes {
            match source.read(&mut buffer[self.end..]) {
                Ok(0) => return Err(short()),
                Ok(more) => self.end += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what is too large for the buffer. Memory is taken as bytes come.
    fn take_large(&mut self, bytes: usize) -> io::Result<Vec<u8>> {
        let trusted = match self.left() {
            Some(left) if left < bytes as u64 => return Err(short()),
            Some(_) => bytes,
            None => bytes.min(TRUSTED_BYTES),
        };
        let mut taken = Vec::new();
        taken.try_reserve_exact(trusted)?;
        let Some(source) = &mut self.source else { return Err(short()) };
        taken.extend_from_slice(&self.buffer[self.at..self.end]);
        while taken.len() < bytes {
            let step = (bytes - taken.len()).min(TRUSTED_BYTES);
            taken.try_reserve(step)?;
            let count = source.by_ref().take(step as u64).read_to_end(&mut taken)?;
            if count == 0 {
                return Err(short());
            }
        }
        self.checksum();
        self.checksum = self.checksum.map(|sum| crc64(sum, &taken));
        self.passed += self.at as u64 + bytes as u64;
        (self.at, self.end, self.summed) = (0, 0, 0);
        Ok(taken)
    }
}

fn short() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::*;

    /// Gives a few bytes at a time.
    struct Drops<'a>(&'a [u8], Random);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = (1 + self.1.index(200_000)).min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn what_is_written_is_read_in_whatever_pieces() {
        let seed = Random::from_system().any_u64();
        eprintln!("seed {seed}");
        let mut random = Random::seeded(seed);
        for _ in 0..6 {
            let pieces: Vec<Vec<u8>> = (0..40)
                .map(|_| {
                    let bytes_end = if random.below(4) == 0 { 400_000 } else { 300 };
                    let mut piece = vec![0; random.index(bytes_end)];
                    random.fill(&mut piece);
                    piece
                })
                .collect();
            let all = pieces.concat();
            let mut out = Vec::new();
            let mut writer = Writer::new(&mut out, true);
            pieces.iter().for_each(|piece| writer.put(piece).unwrap());
            assert_eq!(writer.checksum(), Some(crc64(0, &all)));
            writer.flush().unwrap();
            assert_eq!(
                (writer.checksum(), writer.written()),
                (Some(crc64(0, &all)), all.len() as u64)
            );
            assert_eq!(out, all);

            let total = (random.below(2) == 0).then_some(all.len() as u64);
            let source = Drops(&all, Random::seeded(random.any_u64()));
            let mut reader = Reader::new(Box::new(source), total, true);
            let mut offset = 0;
            for piece in &pieces {
                if random.below(3) == 0 {
                    reader.pass(piece.len() as u64).unwrap();
                } else {
                    assert_eq!(*reader.take(piece.len()).unwrap(), **piece);
                }
                offset += piece.len();
                assert_eq!(reader.offset(), offset as u64);
                assert_eq!(reader.checksum(), Some(crc64(0, &all[..offset])));
            }
            assert_eq!(reader.byte().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn more_than_there_is_takes_no_memory() {
        for total in [None, Some(1000)] {
            let mut reader = Reader::new(Box::new(&[7; 1000][..]), total, false);
            let error = reader.take(1 << 40).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        let mut reader = Reader::of(&[7; 100]);
        assert_eq!(reader.array::<2>().unwrap(), [7, 7]);
        assert_eq!((reader.left(), reader.at_hand().len()), (Some(98), 98));
        assert!(reader.take(99).is_err() && reader.pass(99).is_err());
        assert!(Reader::of(b"").byte().is_err());
    }

    #[test]
    fn a_writer_without_an_end_keeps_everything() {
        let mut writer = Writer::in_memory();
        writer.put(b"one").unwrap();
        writer.put(&[b'x'; 300_000]).unwrap();
        writer.flush().unwrap();
        assert_eq!((writer.written(), writer.checksum()), (300_003, None));
        assert_eq!(writer.into_bytes().len(), 300_003);
    }
}
