//! Room: the latency monitor: what kept everybody waiting, a row of samples an event.
//!
//! A row holds one sample a second, the worst of it, for the last seconds in which there was
//! one. A command that is fast costs one comparison, made where it has run. `graph` draws.

pub mod graph;

/// Samples that are kept of an event.
const SAMPLES: usize = 160;

/// What a row is about. The names are those that LATENCY shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event(&'static str);

impl Event {
    /// A command that may take long.
    pub const COMMAND: Self = Self("command");
    /// A command that should take constant or logarithmic time.
    pub const FAST_COMMAND: Self = Self("fast-command");
    /// The reply to a command that had waited.
    pub const COMMAND_UNBLOCKING: Self = Self("command-unblocking");
    /// A round of active expiry.
    pub const EXPIRE_CYCLE: Self = Self("expire-cycle");
    /// A round of eviction.
    pub const EVICTION_CYCLE: Self = Self("eviction-cycle");
    /// A child was made.
    pub const FORK: Self = Self("fork");
    /// The eviction of one key.
    pub const EVICTION_DEL: Self = Self("eviction-del");
    /// A wait for the thread that frees what was evicted.
    pub const EVICTION_LAZYFREE: Self = Self("eviction-lazyfree");

    /// Returns the name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// The worst of one second.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sample {
    /// Which second, since the epoch; 0 for a place without a sample.
    pub at_s: u64,
    /// How long it took.
    pub took_ms: u32,
}

/// The samples of one event.
#[derive(Debug)]
pub struct Row {
    event: Event,
    samples: [Sample; SAMPLES],
    /// Where the next sample goes.
    next: usize,
    worst_ms: u32,
}

/// What the samples of an event have in common.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Summary {
    /// How many there are.
    pub count: u64,
    /// Their mean.
    pub mean_ms: u64,
    /// How far from it they are on average.
    pub deviation_ms: u64,
    /// Seconds since the oldest.
    pub period_s: u64,
}

impl Row {
    fn new(event: Event) -> Self {
        Self { event, samples: [Sample::default(); SAMPLES], next: 0, worst_ms: 0 }
    }

    fn add(&mut self, took_ms: u32, now_s: u64) {
        self.worst_ms = self.worst_ms.max(took_ms);
        let last = &mut self.samples[(self.next + SAMPLES - 1) % SAMPLES];
        if last.at_s == now_s {
            last.took_ms = last.took_ms.max(took_ms);
            return;
        }
        self.samples[self.next] = Sample { at_s: now_s, took_ms };
        self.next = (self.next + 1) % SAMPLES;
    }

    /// Returns what it is about.
    pub fn event(&self) -> Event {
        self.event
    }

    /// Returns the worst since it began.
    pub fn worst_ms(&self) -> u32 {
        self.worst_ms
    }

    /// Walks the samples, oldest first.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + Clone {
        let (new, old) = self.samples.split_at(self.next);
        old.iter().chain(new).copied().filter(|sample| sample.at_s != 0)
    }

    /// Returns the newest sample.
    pub fn last(&self) -> Sample {
        self.samples[(self.next + SAMPLES - 1) % SAMPLES]
    }

    /// Sums the samples up.
    pub fn summary(&self, now_s: u64) -> Summary {
        let count = self.samples().count() as u64;
        let Some(oldest_s) = self.samples().map(|sample| sample.at_s).min() else {
            return Summary::default();
        };
        let mean = |values: &mut dyn Iterator<Item = u64>| values.sum::<u64>() / count;
        let mean_ms = mean(&mut self.samples().map(|sample| sample.took_ms.into()));
        let deviation_ms =
            mean(&mut self.samples().map(|sample| mean_ms.abs_diff(sample.took_ms.into())));
        Summary { count, mean_ms, deviation_ms, period_s: now_s.saturating_sub(oldest_s).max(1) }
    }
}

/// All rows, in the order in which their events were first seen.
#[derive(Debug, Default)]
pub struct Latency {
    rows: Vec<Row>,
    /// How fast the last child was made: GiB of memory in a second.
    pub fork_rate: f64,
}

impl Latency {
    /// Notes an event that took `took_us`, if that is as much as `threshold_ms`; a threshold
    /// of 0 is none.
    #[inline]
    pub fn note(&mut self, event: Event, took_us: u64, threshold_ms: u64, now_s: u64) {
        if threshold_ms != 0 && threshold_ms <= took_us / 1000 {
            self.add(event, took_us, now_s);
        }
    }

    #[cold]
    fn add(&mut self, event: Event, took_us: u64, now_s: u64) {
        let took_ms = u32::try_from(took_us / 1000).unwrap_or(u32::MAX);
        let at = self.rows.iter().position(|row| row.event == event).unwrap_or_else(|| {
            self.rows.push(Row::new(event));
            self.rows.len() - 1
        });
        self.rows[at].add(took_ms, now_s);
    }

    /// Walks the rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        self.rows.iter()
    }

    /// Finds the row of an event.
    pub fn find(&self, name: &[u8]) -> Option<&Row> {
        self.rows.iter().find(|row| row.event.0.as_bytes() == name)
    }

    /// Forgets everything; says how many events there were.
    pub fn reset_all(&mut self) -> usize {
        std::mem::take(&mut self.rows).len()
    }

    /// Forgets an event, named in any case; says whether there was one.
    pub fn reset(&mut self, name: &[u8]) -> bool {
        let before = self.rows.len();
        self.rows.retain(|row| !row.event.0.as_bytes().eq_ignore_ascii_case(name));
        self.rows.len() != before
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Latency, SAMPLES, Sample, Summary};

    fn sample(at_s: u64, took_ms: u32) -> Sample {
        Sample { at_s, took_ms }
    }

    #[test]
    fn a_second_has_one_sample_its_worst() {
        let mut latency = Latency::default();
        for (at_s, took_ms) in [(100, 30), (100, 50), (100, 40), (101, 9), (102, 20)] {
            latency.note(Event::COMMAND, took_ms * 1000, 10, at_s);
        }
        let row = latency.find(b"command").unwrap();
        assert_eq!(row.samples().collect::<Vec<_>>(), [sample(100, 50), sample(102, 20)]);
        assert_eq!((row.worst_ms(), row.last()), (50, sample(102, 20)));
        let summary = Summary { count: 2, mean_ms: 35, deviation_ms: 15, period_s: 10 };
        assert_eq!(row.summary(110), summary);
        assert!(latency.find(b"COMMAND").is_none());
        assert!(latency.reset(b"COMMAND") && !latency.reset(b"command"));
    }

    #[test]
    fn old_samples_make_room_and_the_worst_is_remembered() {
        let mut latency = Latency::default();
        let count = SAMPLES as u64 + 5;
        (1..=count).for_each(|n| latency.note(Event::COMMAND, (count - n + 10) * 1000, 1, n));
        let row = latency.find(b"command").unwrap();
        let samples: Vec<Sample> = row.samples().collect();
        assert_eq!((samples.len(), samples[0].at_s), (SAMPLES, 6));
        assert_eq!((row.last().took_ms, row.worst_ms()), (10, 174));
        assert_eq!(latency.reset_all(), 1);
    }

    #[test]
    fn without_a_threshold_nothing_is_noted() {
        let mut latency = Latency::default();
        latency.note(Event::COMMAND, u64::MAX, 0, 1);
        assert_eq!(latency.rows().len(), 0);
    }
}
