//! Pure: sets as values: few integers, few members, or many.

use ds::{
    Intset, Listpack,
    listpack::{Digits, Item},
};

/// Members in no order, each once.
#[derive(Debug)]
pub enum Set {
    /// Integers alone, in the order of their size.
    Ints(Intset),
    /// Few and short members.
    Packed(Listpack),
    /// Any.
    Table(Box<ds::set::Set>),
}

impl Default for Set {
    fn default() -> Self {
        Self::Ints(Intset::new())
    }
}

impl Set {
    /// Counts the members.
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(set) => set.len(),
            Self::Packed(list) => list.count(),
            Self::Table(set) => set.len(),
        }
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows all members to `visit`.
    pub fn each(&self, mut visit: impl FnMut(&[u8])) {
        let mut digits = Digits::default();
        match self {
            Self::Ints(set) => set.iter().for_each(|n| visit(Item::Int(n).text(&mut digits))),
            Self::Packed(list) => list.iter().for_each(|item| visit(item.text(&mut digits))),
            Self::Table(set) => set.iter().for_each(visit),
        }
    }

    /// Returns the name of the form that it is held in.
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::Ints(_) => "intset",
            Self::Packed(_) => "listpack",
            Self::Table(_) => "hashtable",
        }
    }

    /// Makes a second one like it.
    #[must_use]
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::Ints(set) => Self::Ints(set.clone()),
            Self::Packed(list) => Self::Packed(list.clone()),
            Self::Table(set) => {
                let mut copy = Box::new(ds::set::Set::new());
                // Without room at once it grows step by step.
                let _ = copy.reserve(set.len());
                set.iter().for_each(|member| {
                    copy.insert(member);
                });
                Self::Table(copy)
            }
        }
    }

    /// Counts the allocations that freeing it gives back.
    pub(super) fn allocations(&self) -> u64 {
        match self {
            Self::Ints(_) | Self::Packed(_) => 1,
            Self::Table(set) => set.len() as u64,
        }
    }

    /// Counts the bytes of its allocations.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Ints(set) => set.allocation_bytes(),
            Self::Packed(list) => list.allocation_bytes(),
            Self::Table(set) => size_of::<ds::set::Set>() + set.memory_bytes(),
        }
    }
}
