//! Room: what kinds of clients there are.

use crate::error::ReplyError;

/// See the head of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Sends requests, reads replies.
    Normal,
    /// The primary, on a replica.
    Master,
    /// A replica.
    Replica,
    /// Listens to channels.
    PubSub,
}

impl Kind {
    /// Finds a kind by its name in any case.
    pub fn parse(name: &[u8]) -> Result<Self, ReplyError> {
        let kinds = [
            ("normal", Self::Normal),
            ("master", Self::Master),
            ("slave", Self::Replica),
            ("replica", Self::Replica),
            ("pubsub", Self::PubSub),
        ];
        let found = kinds.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        let unknown = || ReplyError::quoting("ERR Unknown client type '", name, "'");
        found.map(|(_, kind)| *kind).ok_or_else(unknown)
    }

    /// Whether its clients may be closed for the memory that they take.
    pub fn may_be_evicted(self) -> bool {
        matches!(self, Self::Normal | Self::PubSub)
    }
}
