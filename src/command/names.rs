//! Room: which command a request's words mean, after `rename-command` has had its say.
//! Invariant: no name means two commands.
//!
//! The names that commands are born with are found by a hash that the build has made. What
//! the configuration renames or takes away is a short list, which costs nothing while empty.
//! Subcommands are never renamed.

use resp::Argv;

use super::CommandId;

/// The names in force.
#[derive(Debug, Default)]
pub struct Names {
    /// Whose own names mean nothing any more.
    removed: Vec<CommandId>,
    added: Vec<(Box<[u8]>, CommandId)>,
}

/// What a request's first words mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// A command, or the subcommand that the second word names.
    Found(CommandId),
    /// The first word names this container, the second one means nothing to it.
    UnknownSubcommand(CommandId),
    /// The first word means nothing.
    Unknown,
}

/// Why a command cannot be renamed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RenameError {
    /// There is none of the old name.
    NoSuchCommand,
    /// There is another of the new name.
    NameIsTaken,
}

impl Names {
    /// Finds what a request asks for.
    #[inline]
    pub fn find(&self, argv: Argv<'_>) -> Lookup {
        resolve(argv, |name| self.find_name(name))
    }

    /// Finds what a request asks for under the name in force or the one it was born with: for
    /// what comes from a primary or a file, whose writer may have renamed nothing.
    pub fn find_or_original(&self, argv: Argv<'_>) -> Lookup {
        match self.find(argv) {
            Lookup::Found(id) => Lookup::Found(id),
            _ => resolve(argv, CommandId::find),
        }
    }

    /// Finds a command by its name in any case.
    #[inline]
    pub fn find_name(&self, name: &[u8]) -> Option<CommandId> {
        if self.removed.is_empty() { CommandId::find(name) } else { self.find_renamed(name) }
    }

    /// Finds a command or, as `container|name`, a subcommand.
    pub fn find_full(&self, name: &[u8]) -> Option<CommandId> {
        match name.iter().position(|byte| *byte == b'|') {
            None => self.find_name(name),
            Some(at) => self.find_name(&name[..at])?.find_subcommand(&name[at + 1..]),
        }
    }

    /// Walks the commands that have a name, without subcommands.
    pub fn commands(&self) -> impl Iterator<Item = CommandId> {
        let is_named = |id: &CommandId| {
            !self.removed.contains(id) || self.added.iter().any(|(_, added)| added == id)
        };
        CommandId::all().filter(|id| id.spec().container.is_none()).filter(is_named)
    }

    /// Gives a command another name, or none at all if the new one is empty.
    pub fn rename(&mut self, old: &[u8], new: &[u8]) -> Result<(), RenameError> {
        let id = self.find_name(old).ok_or(RenameError::NoSuchCommand)?;
        let is_itself = old.eq_ignore_ascii_case(new);
        if !is_itself && self.find_name(new).is_some() {
            return Err(RenameError::NameIsTaken);
        }
        self.added.retain(|(_, added)| *added != id);
        if !self.removed.contains(&id) {
            self.removed.push(id);
        }
        if !new.is_empty() {
            self.added.push((new.into(), id));
        }
        Ok(())
    }

    #[cold]
    fn find_renamed(&self, name: &[u8]) -> Option<CommandId> {
        let mut added = self.added.iter();
        let added = added.find(|(new, _)| new.eq_ignore_ascii_case(name)).map(|(_, id)| *id);
        added.or_else(|| CommandId::find(name).filter(|id| !self.removed.contains(id)))
    }
}

#[inline]
fn resolve(argv: Argv<'_>, find: impl Fn(&[u8]) -> Option<CommandId>) -> Lookup {
    let mut words = argv.iter();
    let Some(id) = words.next().and_then(find) else { return Lookup::Unknown };
    match words.next().filter(|_| id.spec().is_container()) {
        None => Lookup::Found(id),
        Some(word) => id.find_subcommand(word).map_or(Lookup::UnknownSubcommand(id), Lookup::Found),
    }
}
