//! Room: how often each command was called, how long it took, how often it failed.

use hdrhistogram::Histogram;

use super::{COMMAND_COUNT, CommandId};

/// Histograms count nanoseconds up to a second; what takes longer is counted there.
const LATENCY_NS_MAX: u64 = 1_000_000_000;
/// To so many digits they tell durations apart.
const LATENCY_DIGITS: u8 = 2;
/// Where the first bucket of a distribution ends.
const FIRST_LEVEL_NS: u64 = 1 << 10;
/// Where the last one does: the end of what histograms hold.
const LAST_LEVEL_NS: u64 = (1 << 30) - 1;

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
        histogram.saturating_record((took_us * 1000).clamp(1, LATENCY_NS_MAX));
    }

    /// Walks the commands whose durations were counted.
    pub fn latencies(&self) -> impl Iterator<Item = (CommandId, &Histogram<u64>)> {
        CommandId::all().filter_map(|id| Some((id, &**self.latencies[id.index()].as_ref()?)))
    }

    /// Returns the durations of one command, if they were counted.
    pub fn latency(&self, id: CommandId) -> Option<&Histogram<u64>> {
        self.latencies[id.index()].as_deref()
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

/// Returns how many runs took no more than so many microseconds, for durations that double
/// from about one microsecond on; those that no run was added by are left out.
pub fn distribution(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let mut buckets = Vec::new();
    let mut counted = 0;
    let mut level_ns = FIRST_LEVEL_NS;
    while counted < histogram.len() {
        // A histogram holds whole ranges of durations that it does not tell apart.
        let end_ns = histogram.highest_equivalent(level_ns.min(LAST_LEVEL_NS));
        let count = histogram.count_between(0, end_ns);
        if counted < count {
            buckets.push((end_ns / 1000, count));
        }
        if LAST_LEVEL_NS <= level_ns {
            break;
        }
        counted = count;
        level_ns *= 2;
    }
    buckets
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

#[cfg(test)]
mod tests {
    use super::{distribution, new_histogram};

    #[test]
    fn a_distribution_doubles_and_leaves_out_what_adds_nothing() {
        let mut histogram = new_histogram();
        assert_eq!(distribution(&histogram), []);
        for us in [1, 1, 3, 20, 20_000, 1_000_000] {
            histogram.record(us * 1000).unwrap();
        }
        let expected = [(1, 2), (4, 3), (33, 4), (33_816, 5), (1_073_741, 6)];
        assert_eq!(distribution(&histogram), expected);
    }
}
