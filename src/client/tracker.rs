//! Room: how one client does client-side caching (CLIENT TRACKING).

use std::collections::BTreeSet;

use base::Bytes;

use crate::client::ClientId;

/// What a node of the set of prefixes takes besides the prefix.
const PREFIX_BYTES: usize = 32;

/// Which keys a client is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Those that it has read.
    Read,
    /// Those that it has read by a command after CLIENT CACHING YES.
    OptIn,
    /// Those that it has read, but not by a command after CLIENT CACHING NO.
    OptOut,
    /// All that begin with one of its prefixes, whether it has read them or not.
    Broadcast,
}

/// Who is told in a client's stead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// What CLIENT ID answered it.
    pub number: u64,
    /// The same, found as long as it lives.
    pub id: ClientId,
}

/// The state of a client that tracks keys.
#[derive(Debug)]
pub struct Tracker {
    /// See there.
    pub mode: Mode,
    /// What it has changed itself it is not told (NOLOOP).
    pub skips_own: bool,
    /// See there.
    pub redirect: Option<Redirect>,
    /// Who was to be told is gone, which was found out.
    pub is_redirect_broken: bool,
    /// CLIENT CACHING holds for the next command.
    pub is_caching_given: bool,
    prefixes: BTreeSet<Bytes>,
    prefix_bytes: usize,
}

impl Tracker {
    /// Makes one without prefixes.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            skips_own: false,
            redirect: None,
            is_redirect_broken: false,
            is_caching_given: false,
            prefixes: BTreeSet::new(),
            prefix_bytes: 0,
        }
    }

    /// Whether what it reads now is to be remembered.
    pub fn remembers(&self) -> bool {
        match self.mode {
            Mode::Read => true,
            Mode::OptIn => self.is_caching_given,
            Mode::OptOut => !self.is_caching_given,
            Mode::Broadcast => false,
        }
    }

    /// Finds one of its prefixes that begins with another, or the other way round.
    pub fn overlapping(&self, prefix: &[u8]) -> Option<&[u8]> {
        self.prefixes().find(|known| overlap(known, prefix))
    }

    /// Adds to what the keys that it is told of begin with.
    pub fn add_prefix(&mut self, prefix: Bytes) {
        let bytes = prefix.len() + PREFIX_BYTES;
        if self.prefixes.insert(prefix) {
            self.prefix_bytes += bytes;
        }
    }

    /// Walks what the keys that it is told of begin with, in order.
    pub fn prefixes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.prefixes.iter().map(|prefix| &**prefix)
    }

    /// Counts the memory that its prefixes take.
    pub fn memory_bytes(&self) -> usize {
        self.prefix_bytes
    }
}

/// Whether there are keys that begin with both.
pub fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
