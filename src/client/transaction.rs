//! Room: a client's transaction: what it has queued since MULTI.

use resp::OwnedArgv;

use crate::command::{CommandId, flags::Flags};

/// A command that waits for EXEC.
#[derive(Debug)]
pub struct Queued {
    /// Which.
    pub command: CommandId,
    /// Its arguments.
    pub argv: OwnedArgv,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Transaction {
    /// In the order in which they will run.
    pub queue: Vec<Queued>,
    /// A command was refused: EXEC will refuse them all.
    pub is_aborted: bool,
    any: Flags,
    lacking: Flags,
    argument_bytes: usize,
}

impl Transaction {
    /// Adds a command.
    pub fn queue(&mut self, command: CommandId, argv: OwnedArgv) {
        let flags = command.spec().flags;
        self.any = self.any.with(flags);
        self.lacking = self.lacking.with(Flags::from_bits(!flags.bits()));
        self.argument_bytes += argv.as_argv().total_bytes();
        self.queue.push(Queued { command, argv });
    }

    /// Whether any of its commands has one of `flags`.
    pub fn has_any(&self, flags: Flags) -> bool {
        self.any.has_any(flags)
    }

    /// Whether any of its commands lacks all of `flags`.
    pub fn lacks_any(&self, flags: Flags) -> bool {
        self.lacking.has_any(flags)
    }

    /// Counts the memory that the queue takes.
    pub fn memory_bytes(&self) -> usize {
        self.queue.capacity() * size_of::<Queued>() + self.argument_bytes
    }
}
