//! Pure: what is known of a command without running it: one record of the table.

use super::{
    CommandId, docs,
    flags::{AclCategories, Flags},
    keyspec::{KeySpec, KeysFunction},
};

/// A command or subcommand as data; `build.rs` writes them from `src/commands/*.toml`.
#[derive(Debug)]
pub struct Spec {
    /// In lower case, without its container: `id`.
    pub name: &'static str,
    /// In lower case, as errors and statistics name it: `client|id`.
    pub full_name: &'static str,
    /// Arguments with the name (and the container's); negative: at least so many.
    pub arity: i8,
    /// How it behaves.
    pub flags: Flags,
    /// Which access rules speak of it, the implied ones among them.
    pub categories: AclCategories,
    /// Where older clients look for its keys.
    pub legacy_keys: LegacyKeys,
    /// Finds keys where the specs cannot.
    pub keys_function: Option<KeysFunction>,
    /// Whose subcommand it is.
    pub container: Option<CommandId>,
    pub(super) first_subcommand: u16,
    pub(super) subcommand_count: u16,
    /// What clients and proxies of a cluster should know.
    pub tips: &'static [&'static str],
    /// Where its keys stand.
    pub key_specs: &'static [KeySpec],
}

/// First key, last key and step; all zero for a command without keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LegacyKeys {
    /// The first key's place.
    pub first: i16,
    /// The last key's place, negative from the end.
    pub last: i16,
    /// The distance of two keys.
    pub step: i16,
}

impl Spec {
    /// Whether a call with so many arguments, the name included, can be right.
    #[inline]
    pub fn takes(&self, count: usize) -> bool {
        let wanted = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { wanted <= count } else { wanted == count }
    }

    /// Whether replicas must repeat it when it has changed something.
    #[inline]
    pub fn is_write(&self) -> bool {
        self.flags.has(Flags::WRITE)
    }

    /// Whether it only looks.
    #[inline]
    pub fn is_read(&self) -> bool {
        self.flags.has(Flags::READONLY)
    }

    /// Whether all of `flags` hold.
    #[inline]
    pub fn has(&self, flags: Flags) -> bool {
        self.flags.has(flags)
    }

    /// Whether its second argument names what is to be run.
    #[inline]
    pub fn is_container(&self) -> bool {
        self.subcommand_count != 0
    }

    /// Walks the subcommands in the order of their names.
    pub fn subcommands(&self) -> impl ExactSizeIterator<Item = CommandId> + Clone + use<> {
        let first = self.first_subcommand;
        (first..first + self.subcommand_count).map(CommandId)
    }

    /// Whether a call may name keys at all.
    pub fn has_keys(&self) -> bool {
        self.keys_function.is_some() || self.key_specs.iter().any(KeySpec::is_of_keys)
    }
}

impl CommandId {
    /// Returns what is known of it.
    #[inline]
    pub fn spec(self) -> &'static Spec {
        &super::SPECS[self.index()]
    }

    /// Returns what is written about it.
    pub fn docs(self) -> &'static docs::Docs {
        &super::DOCS[self.index()]
    }
}
