//! Room: how often each command was called, how long it took, how often it failed.

use hdrhistogram::Histogram;

use super::{COMMAND_COUNT, CommandId};

/// Histograms count nanoseconds up to a second; what takes longer is counted there.
const LATENCY_NS_MAX: u64 = 1_000_000_000;
/// To so many digits they tell durations apart.
const LATENCY_DIGITS: u8 = 2;

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
    /// Those of commands that have run; each takes some 25 KB.
    latencies: Box<[Option<Box<Histogram<u64>>>]>,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            commands: Box::new([CommandStats::default(); COMMAND_COUNT]),
            latencies: vec![None; COMMAND_COUNT].into(),
        }
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

    /// Counts how long a run took.
    #[inline]
    pub fn track(&mut self, id: CommandId, took_us: u64) {
        let histogram = self.latencies[id.index()].get_or_insert_with(new_histogram);
        histogram.saturating_record((took_us * 1000).max(1));
    }

    /// Walks the commands whose durations were counted.
    pub fn latencies(&self) -> impl Iterator<Item = (CommandId, &Histogram<u64>)> {
        CommandId::all().filter_map(|id| Some((id, &**self.latencies[id.index()].as_ref()?)))
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
        self.latencies.fill(None);
    }
}

#[cold]
fn new_histogram() -> Box<Histogram<u64>> {
    let histogram = Histogram::new_with_bounds(1, LATENCY_NS_MAX, LATENCY_DIGITS);
    Box::new(histogram.expect("the bounds are far apart, the digits few"))
}

impl CommandStats {
    /// Returns the mean time of a run, 0 before the first.
    pub fn usec_per_call(&self) -> f64 {
        // Redis divides in single precision; two digits are shown, so the texts must agree.
        if self.calls == 0 { 0.0 } else { f64::from(self.usec as f32 / self.calls as f32) }
    }
}
