//! Room: clients that have sent something in this turn, whose requests are yet to run.
//!
//! Reading from several clients before the first of them is served lets the memory of all
//! their keys be fetched at once. Each holds a buffer meanwhile, so there are some spare.

use std::{collections::VecDeque, mem};

use crate::client::ClientId;

/// So many at most: about as many as lines of memory that a processor waits for at a time.
pub const ARRIVALS_MAX: usize = 16;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Arrivals {
    clients: VecDeque<ClientId>,
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

    /// Puts a buffer in place of `spare` if that is none.
    pub fn lend_buffer(&mut self, spare: &mut Vec<u8>) {
        if spare.capacity() == 0
            && let Some(buffer) = self.buffers.pop()
        {
            *spare = buffer;
        }
    }

    /// Takes `spare` away, so that another buffer can be returned.
    pub fn keep_buffer(&mut self, spare: &mut Vec<u8>) {
        if spare.capacity() != 0 && self.buffers.len() < ARRIVALS_MAX {
            self.buffers.push(mem::take(spare));
        }
    }
}
