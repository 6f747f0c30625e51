//! Room: the child process that writes a snapshot: what for, how far it is, what it costs.
//!
//! There is one at most. It tells its parent through a pipe, in reports of one size, how many
//! keys it has written and how much memory it has cost; a report is written as one, so it is
//! read whole. The last one comes right before a success.

use std::io::{self, PipeReader, PipeWriter, Read, Write};

use sys::{
    log,
    process::{self, Pid},
};

/// A report: its kind, the keys written, and the bytes copied on write.
const REPORT_BYTES: usize = 24;
/// The child looks at the time after so many keys.
const KEYS_PER_LOOK: u64 = 1024;
/// And reports no more often than this.
const REPORT_EVERY_US: u64 = 1_000_000;
/// Measuring memory may cost the child this part of its time.
const MEASURING_SHARE: u64 = 100;
const KIND_PROGRESS: u64 = 0;
const KIND_END: u64 = 1;

/// Who the snapshot is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The file `dbfilename`.
    Disk,
    /// Replicas, which get it through a pipe from their primary.
    Replicas,
}

/// The child that there is, and the figures of its like.
#[derive(Debug, Default)]
pub struct Children {
    running: Option<Child>,
    /// Children made.
    pub forks: u64,
    /// How long the last fork has stopped the server, in microseconds.
    pub last_fork_us: u64,
    /// The most that the present or last child has cost, in bytes copied on write.
    pub peak_bytes: u64,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Child {
    /// Its process.
    pub pid: Pid,
    /// See there.
    pub target: Target,
    /// When it was made, in seconds since the epoch.
    pub started_s: u64,
    /// The keys that there were.
    pub keys_total: u64,
    /// How many of them it has written, as far as is known.
    pub keys: u64,
    /// What it has cost so far, in bytes copied on write.
    pub cow_bytes: u64,
    /// When it said so, on the monotonic clock; nothing if it has not.
    pub reported_us: Option<u64>,
    reports: PipeReader,
}

impl Children {
    /// Returns the child that there is.
    pub fn running(&self) -> Option<&Child> {
        self.running.as_ref()
    }

    /// Returns the child that there is, if it writes for this target.
    pub fn writes_for(&self, target: Target) -> bool {
        self.running.as_ref().is_some_and(|child| child.target == target)
    }

    /// Takes a child that was made.
    ///
    /// # Panics
    /// If there is one already.
    pub fn began(&mut self, child: Child, fork_us: u64) {
        assert!(self.running.is_none(), "one child at a time");
        self.forks += 1;
        self.last_fork_us = fork_us;
        self.peak_bytes = 0;
        self.running = Some(child);
    }

    /// Reads what the child has reported meanwhile.
    pub fn hear(&mut self, now_us: u64) {
        let Some(child) = &mut self.running else { return };
        let mut report = [0; REPORT_BYTES];
        // Ends when nothing more is there; a failure tells no more than the child's end will.
        while let Ok(REPORT_BYTES) = child.reports.read(&mut report) {
            let [kind, keys, bytes] = words(report);
            self.peak_bytes = self.peak_bytes.max(bytes);
            if kind == KIND_PROGRESS {
                (child.keys, child.cow_bytes) = (keys, bytes);
                child.reported_us = Some(now_us);
            }
        }
    }

    /// Tells the child to end, without a word; its end is noticed as any other.
    pub fn stop(&self) {
        if let Some(child) = &self.running {
            // It may have ended just now.
            let _ = process::stop_child(child.pid);
        }
    }

    /// Takes the child out, which has ended.
    pub fn ended(&mut self) -> Option<Child> {
        self.running.take()
    }
}

impl Child {
    /// Makes the record of a child that will send its reports there.
    pub fn new(
        pid: Pid,
        target: Target,
        reports: PipeReader,
        started_s: u64,
        keys_total: u64,
    ) -> Self {
        Self {
            pid,
            target,
            started_s,
            keys_total,
            keys: 0,
            cow_bytes: 0,
            reported_us: None,
            reports,
        }
    }

    /// Returns how much of its keys it has written, in percent.
    pub fn percent(&self) -> f64 {
        if self.keys_total == 0 { 0.0 } else { self.keys as f64 * 100.0 / self.keys_total as f64 }
    }
}

/// The child's end: it reports what it has done and what it costs.
#[derive(Debug)]
pub struct Reporter {
    pipe: PipeWriter,
    began_us: u64,
    last_report_us: u64,
    next_look_at: u64,
    memory: Memory,
}

#[derive(Debug, Default)]
struct Memory {
    bytes: u64,
    peak_bytes: u64,
    sum_bytes: u64,
    count: u64,
    /// When it was measured last, and how long that took.
    measured_us: Option<(u64, u64)>,
}

impl Reporter {
    /// Makes one that reports through a pipe.
    pub fn new(pipe: PipeWriter, now_us: u64) -> Self {
        Self {
            pipe,
            began_us: now_us,
            last_report_us: now_us,
            next_look_at: KEYS_PER_LOOK,
            memory: Memory::default(),
        }
    }

    /// Reports that so many keys are written, if it is time to. `now_us` is asked seldom.
    #[inline]
    pub fn wrote(&mut self, keys: u64, now_us: impl Fn() -> u64) -> io::Result<()> {
        if keys < self.next_look_at {
            return Ok(());
        }
        self.next_look_at = keys + KEYS_PER_LOOK;
        let now = now_us();
        if now - self.last_report_us < REPORT_EVERY_US {
            return Ok(());
        }
        self.last_report_us = now;
        let is_due = self.memory.measured_us.is_none_or(|(at_us, cost_us)| {
            cost_us.saturating_mul(MEASURING_SHARE) < now.saturating_sub(at_us)
        });
        if is_due {
            self.memory.measure(&now_us);
            if 0 < self.memory.bytes {
                log::verbose!("{}", self.memory.text());
            }
        }
        self.send(KIND_PROGRESS, keys)
    }

    /// Reports, at the end of a success, what it has cost.
    pub fn ended(&mut self, keys: u64, now_us: impl Fn() -> u64) -> io::Result<()> {
        self.memory.measure(&now_us);
        log::notice!("{}", self.memory.text());
        log::debug!("{keys} keys written in {} us", now_us() - self.began_us);
        self.send(KIND_END, keys)
    }

    fn send(&mut self, kind: u64, keys: u64) -> io::Result<()> {
        let mut report = [0; REPORT_BYTES];
        for (bytes, word) in report.chunks_exact_mut(8).zip([kind, keys, self.memory.bytes]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        // Without a parent there is nobody to write a snapshot for.
        self.pipe.write_all(&report)
    }
}

impl Memory {
    fn measure(&mut self, now_us: impl Fn() -> u64) {
        let began_us = now_us();
        self.bytes = process::private_dirty_bytes();
        let ended_us = now_us();
        self.measured_us = Some((ended_us, ended_us - began_us));
        self.peak_bytes = self.peak_bytes.max(self.bytes);
        self.sum_bytes += self.bytes;
        self.count += 1;
    }

    fn text(&self) -> String {
        format!(
            "Fork CoW for RDB: current {} MB, peak {} MB, average {} MB",
            self.bytes >> 20,
            self.peak_bytes >> 20,
            (self.sum_bytes / self.count.max(1)) >> 20
        )
    }
}

fn words(report: [u8; REPORT_BYTES]) -> [u64; 3] {
    let word = |at: usize| {
        let bytes = report[at * 8..][..8].try_into().expect("eight of them");
        u64::from_le_bytes(bytes)
    };
    [word(0), word(1), word(2)]
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use sys::process::Pid;

    use super::{Child, Children, Reporter, Target};

    #[test]
    fn a_child_reports_now_and_then_and_at_its_end() {
        let (reader, writer) = sys::pipe::pipe().unwrap();
        let mut children = Children::default();
        let child = Child::new(Pid::from_raw(1), Target::Disk, reader, 0, 10_000);
        children.began(child, 7);
        let now = AtomicU64::new(0);
        let now_us = || now.load(Relaxed);
        let mut reporter = Reporter::new(writer, 0);
        for keys in 1..=5000 {
            now.store(keys * 1000, Relaxed);
            reporter.wrote(keys, now_us).unwrap();
        }
        children.hear(9);
        let child = children.running().unwrap();
        assert_eq!((child.keys, child.reported_us), (4096, Some(9)));
        assert!((40.9..41.0).contains(&child.percent()) && 0 < child.cow_bytes);
        let peak = children.peak_bytes;
        reporter.ended(10_000, now_us).unwrap();
        children.hear(10);
        assert!(children.writes_for(Target::Disk) && peak <= children.peak_bytes);
        drop(children.ended());
        assert!(children.running().is_none());
        assert!(reporter.ended(10_000, now_us).is_err(), "nobody listens");
    }
}
