//! Pure: hashes as values: few and short fields, or any.

use ds::{Expiry, Listpack, listpack::Digits};

/// Fields, each with a value, in no order.
#[derive(Debug)]
pub enum Hash {
    /// A field, its value, the next field …
    Packed(Listpack),
    /// Any.
    Table(Box<ds::hash::Hash>),
}

impl Default for Hash {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl Hash {
    /// Counts the fields.
    pub fn len(&self) -> usize {
        match self {
            Self::Packed(list) => list.count() / 2,
            Self::Table(hash) => hash.len(),
        }
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows all fields and their values to `visit`, those that are due among them.
    pub fn each(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let (mut digits, mut more) = (Digits::default(), Digits::default());
        match self {
            Self::Packed(list) => list.pairs().for_each(|(field, value)| {
                visit(field.text(&mut digits), value.text(&mut more));
            }),
            Self::Table(hash) => {
                hash.iter().for_each(|field| visit(field.name(), field.value()));
            }
        }
    }

    /// Returns the name of the form that it is held in.
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::Packed(_) => "listpack",
            Self::Table(_) => "hashtable",
        }
    }

    /// Makes a second one like it.
    #[must_use]
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::Packed(list) => Self::Packed(list.clone()),
            Self::Table(hash) => {
                let mut copy = Box::new(ds::hash::Hash::new());
                // Without room at once it grows step by step.
                let _ = copy.reserve(hash.len());
                for field in hash.iter() {
                    let expiry = field.expiry().map_or(Expiry::Never, Expiry::At);
                    copy.set(field.name(), field.value(), expiry);
                }
                Self::Table(copy)
            }
        }
    }

    /// Counts the allocations that freeing it gives back.
    pub(super) fn allocations(&self) -> u64 {
        match self {
            Self::Packed(_) => 1,
            Self::Table(hash) => hash.len() as u64,
        }
    }

    /// Counts the bytes of its allocations.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Packed(list) => list.allocation_bytes(),
            Self::Table(hash) => size_of::<ds::hash::Hash>() + hash.memory_bytes(),
        }
    }
}
