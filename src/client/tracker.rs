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
    /// What the keys that it is told of begin with.
    pub prefixes: BTreeSet<Bytes>,
}

impl Tracker {
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
        self.prefixes.iter().map(|known| &**known).find(|known| overlap(known, prefix))
    }

    /// Counts the memory that its prefixes take.
    pub fn memory_bytes(&self) -> usize {
        self.prefixes.iter().map(|prefix| prefix.len() + PREFIX_BYTES).sum()
    }
}

/// Whether there are keys that begin with both.
pub fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
