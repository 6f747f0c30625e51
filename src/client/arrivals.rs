//! Room: clients that have sent something in this turn, whose requests are yet to run.
//!
//! Reading from several clients before the first of them is served lets the memory of all
//! their keys be fetched at once. Each holds a buffer meanwhile, so there are some spare.

use std::collections::VecDeque;

use crate::client::ClientId;

/// So many at most: about as many as lines of memory that a processor waits for at a time.
pub const ARRIVALS_MAX: usize = 16;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Arrivals {
    clients: VecDeque<ClientId>,
    /// Query buffers for those who send next: idle clients keep none.
    buffers: Vec<Vec<u8>>,
}

impl Arrivals {
    /// Notes a client; says whether that is enough.
    pub fn push(&mut self, id: ClientId) -> bool {
        self.clients.push_back(id);
        ARRIVALS_MAX <= self.clients.len()
    }

    /// Returns the one that came first.
    pub fn pop(&mut self) -> Option<ClientId> {
        self.clients.pop_front()
    }

    /// Returns one of them by its place.
    pub fn at(&self, index: usize) -> Option<ClientId> {
        self.clients.get(index).copied()
    }

    /// Counts them.
    pub fn count(&self) -> usize {
        self.clients.len()
    }

    /// Returns a query buffer for who has none, an empty one if none is spare.
    pub fn lend_buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Keeps a query buffer that nobody needs now.
    pub fn keep_buffer(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() != 0 && self.buffers.len() <= ARRIVALS_MAX {
            self.buffers.push(buffer);
        }
    }
}
