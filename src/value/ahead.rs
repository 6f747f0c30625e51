//! Pure: memory of values that is asked for before it is needed (`keyspace::ahead`).

use ds::{List, dict};
use resp::Argv;

use super::{Hash, Set, Value, Zset};

/// So few elements stay in the processor's cache by themselves.
const ELEMENTS_MIN: usize = 4096;

impl Value {
    /// Whether it has so many elements that each is somewhere else.
    #[inline]
    pub(crate) fn has_far_elements(&self) -> bool {
        ELEMENTS_MIN
            <= match self {
                Self::Set(Set::Table(set)) => set.len(),
                Self::Hash(Hash::Table(hash)) => hash.len(),
                Self::Zset(Zset::Tree(zset)) => zset.len(),
                _ => 0,
            }
    }

    /// Asks for the beginning of a small value, or for the bucket of the element that a request
    /// is about; returns the hash of that.
    pub(crate) fn prefetch(&self, argv: Argv<'_>) -> Option<dict::Hash> {
        match self {
            Self::List(List::Packed(list))
            | Self::Set(Set::Packed(list))
            | Self::Hash(Hash::Packed(list))
            | Self::Zset(Zset::Packed(list)) => list.prefetch(),
            Self::Hash(Hash::Expiring(hash)) => hash.list().prefetch(),
            _ if !self.has_far_elements() => {}
            Self::Set(Set::Table(set)) => {
                let hash = dict::hash(argv.get(2)?);
                set.prefetch(hash);
                return Some(hash);
            }
            Self::Hash(Hash::Table(fields)) => {
                let hash = dict::hash(argv.get(2)?);
                fields.prefetch(hash);
                return Some(hash);
            }
            // Its score stands before a member, if there is one.
            Self::Zset(Zset::Tree(zset)) if 2 < argv.count() => {
                let hash = dict::hash(argv.at(argv.count() - 1));
                zset.prefetch(hash);
                return Some(hash);
            }
            _ => {}
        }
        None
    }

    /// Asks for an element whose bucket was asked for.
    pub(crate) fn prefetch_element(&self, hash: dict::Hash) {
        match self {
            Self::Set(Set::Table(set)) => set.prefetch_member(hash),
            Self::Hash(Hash::Table(fields)) => fields.prefetch_field(hash),
            Self::Zset(Zset::Tree(zset)) => zset.prefetch_member(hash),
            _ => {}
        }
    }
}
