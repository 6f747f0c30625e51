//! Room: a snapshot on its way from a child through its parent to replicas.
//!
//! The child writes into a pipe. Its parent reads a piece, sends it to every replica, and reads
//! the next when all have taken this one: so the slowest sets the pace, and is given up if it
//! stands still for too long. The parent must be in between as the sessions of TLS are its own.
//! The child waits at its end until its parent has read everything.

use std::io::{self, PipeReader, PipeWriter, Read};

use ae::Fd;

use crate::client_id::ClientId;

/// What is read of the pipe at once: what a pipe holds.
const PIECE_BYTES: usize = 64 * 1024;

/// See the head of the file.
#[derive(Debug)]
pub struct Relay {
    /// The pipe's place in the loop.
    pub fd: Fd,
    pipe: PipeReader,
    /// Closed, it lets the child go.
    leave: Option<PipeWriter>,
    piece: Vec<u8>,
    readers: Vec<Reader>,
}

#[derive(Debug)]
struct Reader {
    id: ClientId,
    /// How much of the piece it has taken.
    taken: usize,
    /// It has taken it, and nothing of it waits in a session of TLS.
    is_through: bool,
}

impl Relay {
    /// Makes one; `readers` have been told that a snapshot comes.
    pub fn new(
        fd: Fd,
        pipe: PipeReader,
        leave: PipeWriter,
        readers: impl Iterator<Item = ClientId>,
    ) -> Self {
        let readers = readers.map(|id| Reader { id, taken: 0, is_through: true }).collect();
        Self { fd, pipe, leave: Some(leave), piece: Vec::new(), readers }
    }

    /// Returns the pipe, which the loop watches.
    pub fn pipe(&self) -> &PipeReader {
        &self.pipe
    }

    /// Reads the next piece; 0 bytes are the end, after which the child may go.
    pub fn read(&mut self) -> io::Result<usize> {
        self.piece.resize(PIECE_BYTES, 0);
        let outcome = self.pipe.read(&mut self.piece);
        self.piece.truncate(*outcome.as_ref().unwrap_or(&0));
        if !self.piece.is_empty() {
            for reader in &mut self.readers {
                (reader.taken, reader.is_through) = (0, false);
            }
        }
        if let Ok(0) = outcome {
            self.leave = None;
        }
        outcome
    }

    /// Whether the pipe has come to its end.
    pub fn is_read(&self) -> bool {
        self.leave.is_none()
    }

    /// Returns who reads, in the order in which they came.
    pub fn readers(&self) -> Vec<ClientId> {
        self.readers.iter().map(|reader| reader.id).collect()
    }

    /// Returns what of the piece a reader has yet to take; nothing if it is no reader.
    pub fn rest(&self, id: ClientId) -> Option<&[u8]> {
        let reader = self.readers.iter().find(|reader| reader.id == id)?;
        Some(&self.piece[reader.taken..])
    }

    /// Notes that a reader has taken so much more.
    pub fn took(&mut self, id: ClientId, bytes: usize) {
        if let Some(reader) = self.readers.iter_mut().find(|reader| reader.id == id) {
            reader.taken += bytes;
            assert!(reader.taken <= self.piece.len(), "more was taken than there was");
        }
    }

    /// Notes that a reader has the piece; says whether it had not before.
    pub fn is_through(&mut self, id: ClientId) -> bool {
        let reader = self.readers.iter_mut().find(|reader| reader.id == id);
        reader.is_some_and(|reader| !std::mem::replace(&mut reader.is_through, true))
    }

    /// Whether a reader still has to take some of the piece.
    pub fn is_waited_for(&self, id: ClientId) -> bool {
        self.readers.iter().any(|reader| reader.id == id && !reader.is_through)
    }

    /// Whether all have the piece.
    pub fn are_all_through(&self) -> bool {
        self.readers.iter().all(|reader| reader.is_through)
    }

    /// Forgets a reader that is gone; says whether it was one.
    pub fn forget(&mut self, id: ClientId) -> bool {
        let before = self.readers.len();
        self.readers.retain(|reader| reader.id != id);
        self.readers.len() < before
    }

    /// Counts who reads.
    pub fn reader_count(&self) -> usize {
        self.readers.len()
    }
}
