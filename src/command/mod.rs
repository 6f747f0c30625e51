//! Room: commands: what is known of each as data, their names in force, their counters. Start with `spec`, then `names` (what a request's words mean).
//!
//! `build.rs` makes the tables of `src/commands/*.toml`; which code a command runs is known
//! to the top of the crate alone. `keyspec` finds the keys of a call, `docs` is what people
//! read, `stats` counts calls, `flags` and `hash` are shared with the build, to which
//! `table/` belongs whole.

pub mod describe;
pub mod docs;
pub mod flags;
mod hash;
pub mod keyspec;
pub mod names;
pub mod spec;
pub mod stats;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

use resp::Argv;

use docs::{Argument, ArgumentKind, Docs};
use flags::{AclCategories, ArgumentFlags, DocFlags, Flags, KeyFlags};
use hash::Folded;
use keyspec::{BeginSearch, FindKeys, KeySpec, KeysFunction};
pub use names::{Lookup, Names};
pub use spec::{LegacyKeys, Spec};
pub use stats::{CommandStats, Stats};

/// A command or subcommand by its place in the table. Rooms store this; only flows find its
/// handler.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CommandId(u16);

/// What a server knows of commands beyond the table.
#[derive(Debug, Default)]
pub struct Commands {
    /// What they are called.
    pub names: Names,
    /// How often they were.
    pub stats: Stats,
}

/// Where the hash of a name leads.
struct Slot {
    name: Folded,
    id: u16,
}

include!(concat!(env!("OUT_DIR"), "/specs.rs"));

impl CommandId {
    /// Finds a command by its name in any case.
    #[inline]
    pub fn find(name: &[u8]) -> Option<Self> {
        find(name, 0)
    }

    /// Finds a subcommand by its name in any case.
    #[inline]
    pub fn find_subcommand(self, name: &[u8]) -> Option<Self> {
        find(name, self.0 + 1)
    }

    /// Finds a command or, as `container|name`, a subcommand.
    pub fn find_full(name: &[u8]) -> Option<Self> {
        match name.iter().position(|byte| *byte == b'|') {
            None => Self::find(name),
            Some(at) => Self::find(&name[..at])?.find_subcommand(&name[at + 1..]),
        }
    }

    /// Walks the table, each container before its subcommands.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        SPECS.iter().enumerate().map(|(index, _)| Self::at(index))
    }

    /// The build has seen that a `u16` holds every place.
    fn at(index: usize) -> Self {
        Self(u16::try_from(index).expect("a place in the table"))
    }

    /// Returns the place in the tables.
    #[inline]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Commands {
    /// Finds what a request asks for.
    #[inline]
    pub fn find(&self, argv: Argv<'_>) -> Lookup {
        self.names.find(argv)
    }

    /// Counts a run.
    #[inline]
    pub fn ran(&mut self, id: CommandId, took_us: u64, has_failed: bool) {
        self.stats.ran(id, took_us, has_failed);
    }

    /// Counts how long a run took, for INFO's percentiles (`latency-tracking`).
    #[inline]
    pub fn track(&mut self, id: CommandId, took_us: u64) {
        self.stats.track(id, took_us);
    }

    /// Counts a call that was refused before it ran.
    pub fn rejected(&mut self, id: CommandId) {
        self.stats.rejected(id);
    }
}

impl Slot {
    const EMPTY: Self = Self { name: Folded { head: 0, tail: 0, length: 0, scope: 0 }, id: 0 };
}

/// One hash and one comparison of words; the bytes themselves are compared only where the
/// words leave some out.
#[inline]
fn find(name: &[u8], scope: u16) -> Option<CommandId> {
    let folded = Folded::new(name, scope)?;
    let hash = folded.hash();
    let shift = SHIFTS[hash::bucket(hash, SHIFTS.len())];
    let slot = &SLOTS[hash::slot(hash, shift, SLOTS.len())];
    if slot.name != folded {
        return None;
    }
    let id = CommandId(slot.id);
    (folded.is_whole() || id.spec().name.as_bytes().eq_ignore_ascii_case(name)).then_some(id)
}
