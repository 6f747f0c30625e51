//! Room: how often each command was called, how long it took, how often it failed.

use super::{COMMAND_COUNT, CommandId};

/// What is counted of one command.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct CommandStats {
    /// Runs.
    pub calls: u64,
    /// Time of all runs.
    pub usec: u64,
    /// Refusals before a run: wrong arity, no memory, no permission.
    pub rejected: u64,
    /// Runs that ended in an error.
    pub failed: u64,
}

/// The counters of every command, found by `CommandId`.
#[derive(Debug)]
pub struct Stats {
    commands: Box<[CommandStats; COMMAND_COUNT]>,
}

impl Default for Stats {
    fn default() -> Self {
        Self { commands: Box::new([CommandStats::default(); COMMAND_COUNT]) }
    }
}

impl Stats {
    /// Counts a run.
    #[inline]
    pub fn ran(&mut self, id: CommandId, took_us: u64, has_failed: bool) {
        let stats = &mut self.commands[id.index()];
        stats.calls += 1;
        stats.usec += took_us;
        stats.failed += u64::from(has_failed);
    }

    /// Adds time to a run that has been counted: a parked command's second part.
    #[inline]
    pub fn took_longer(&mut self, id: CommandId, took_us: u64) {
        self.commands[id.index()].usec += took_us;
    }

    /// Counts a call that was refused before it ran.
    pub fn rejected(&mut self, id: CommandId) {
        self.commands[id.index()].rejected += 1;
    }

    /// Returns the counters of one command.
    pub fn of(&self, id: CommandId) -> CommandStats {
        self.commands[id.index()]
    }

    /// Walks the commands that have counted anything.
    pub fn used(&self) -> impl Iterator<Item = (CommandId, CommandStats)> {
        let all = CommandId::all().map(|id| (id, self.of(id)));
        all.filter(|(_, stats)| stats.calls != 0 || stats.rejected != 0 || stats.failed != 0)
    }

    /// Starts from zero.
    pub fn reset(&mut self) {
        self.commands.fill(CommandStats::default());
    }
}

impl CommandStats {
    /// Returns the mean time of a run, 0 before the first.
    pub fn usec_per_call(&self) -> f64 {
        // Redis divides in single precision; two digits are shown, so the texts must agree.
        if self.calls == 0 { 0.0 } else { f64::from(self.usec as f32 / self.calls as f32) }
    }
}
