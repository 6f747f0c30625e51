//! Room: the active expiry: keys that are due go although nobody asks for them.
//!
//! Keys with a time to live are looked at in the order of their index, a few at a time, one
//! database after the other, for as long as many of those looked at were due. A cycle has
//! a budget of time: the *slow* one, from the cron, up to a quarter of the time between
//! two crons; the *fast* one, before each sleep, a millisecond, and only while the slow
//! one did not come through or left many behind. `active-expire-effort` raises all of it.

use std::time::{Duration, Instant};

use ds::{Record, Store};

use crate::{
    keyspace::{Cause, Db, Gone, Keyspace, is_due},
    value::Value,
};

/// Looked at in one step, at effort 1.
const KEYS_PER_STEP: usize = 20;
/// What one fast cycle may take, at effort 1.
const FAST_BUDGET: Duration = Duration::from_micros(1000);
/// Of all time, what slow cycles may take, at effort 1.
const SLOW_SHARE_PERCENT: u64 = 25;
/// Go on while more of those looked at were due, at effort 1.
const ACCEPTABLE_STALE_PERCENT: u32 = 10;
/// Databases looked at in one cycle.
const DBS_PER_CYCLE: usize = 16;
/// Buckets looked at in one step, so that an index with few entries costs little.
const BUCKETS_PER_STEP: usize = 400;

/// Which cycle runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cycle {
    /// Before each sleep.
    Fast,
    /// From the cron, which comes `hz` times a second.
    Slow {
        /// See there.
        hz: u32,
    },
}

/// What expiry has done.
#[derive(Debug, Default)]
pub struct ExpiryStats {
    /// Keys that were due and are gone, however that was found.
    pub expired_keys: u64,
    /// Fields of hashes that were due and are gone, however that was found.
    pub expired_fields: u64,
    /// An estimate of how many of those that expire are due, in percent.
    pub stale_percent: f64,
    /// Cycles that ran out of time.
    pub time_cap_reached: u64,
    /// Time that cycles took.
    pub cycle_time: Duration,
    was_cut_short: bool,
    last_fast: Option<Instant>,
}

impl ExpiryStats {
    /// Starts to count anew.
    pub fn reset(&mut self) {
        *self = Self {
            was_cut_short: self.was_cut_short,
            last_fast: self.last_fast,
            ..Self::default()
        };
    }
}

impl Keyspace {
    /// Deletes keys that are due, within the cycle's budget.
    pub fn expire_cycle(&mut self, cycle: Cycle, effort: u32, now_ms: i64) {
        let effort = effort.clamp(1, 10) - 1;
        // The fast cycle comes before each sleep; most often there is nothing to do.
        let is_behind = self.expiry.was_cut_short
            || f64::from(ACCEPTABLE_STALE_PERCENT - effort.min(9)) <= self.expiry.stale_percent;
        if cycle == Cycle::Fast && !is_behind {
            return;
        }
        let started = Instant::now();
        let budget = match cycle {
            Cycle::Fast => {
                let budget = FAST_BUDGET + FAST_BUDGET / 4 * effort;
                if self.expiry.last_fast.is_some_and(|last| started < last + budget * 2) {
                    return;
                }
                self.expiry.last_fast = Some(started);
                budget
            }
            Cycle::Slow { hz } => {
                let percent = SLOW_SHARE_PERCENT + 2 * u64::from(effort);
                Duration::from_micros(percent * 10_000 / u64::from(hz.max(1)))
            }
        };
        self.now_ms = now_ms;
        self.run_cycle(effort as usize, started + budget);
        self.expiry.cycle_time += started.elapsed();
    }

    fn run_cycle(&mut self, effort: usize, end: Instant) {
        self.expiry.was_cut_short = false;
        let (mut seen, mut due) = (0, 0);
        for _ in 0..DBS_PER_CYCLE.min(self.dbs.len()) {
            let at = self.next_expire_db % self.dbs.len();
            self.next_expire_db = at + 1;
            let (db, events, lazy) = (&mut self.dbs[at], &mut self.events, &self.lazy);
            let counted = expire_in(db, self.now_ms, effort, end, |record| {
                events.deleted(at, record.key(), Cause::Expired);
                lazy.free(record, Gone::Expired);
            });
            seen += counted.seen;
            due += counted.due;
            if counted.was_cut_short || self.expire_fields_cycle(at, end) {
                self.expiry.was_cut_short = true;
                self.expiry.time_cap_reached += 1;
                break;
            }
        }
        self.expiry.expired_keys += due as u64;
        let stale = if seen == 0 { 0.0 } else { due as f64 * 100.0 / seen as f64 };
        self.expiry.stale_percent = stale * 0.05 + self.expiry.stale_percent * 0.95;
    }
}

#[derive(Default)]
struct Counted {
    seen: usize,
    due: usize,
    was_cut_short: bool,
}

fn expire_in(
    db: &mut Db,
    now_ms: i64,
    effort: usize,
    end: Instant,
    mut free: impl FnMut(Record<Value>),
) -> Counted {
    let keys_per_step = KEYS_PER_STEP + KEYS_PER_STEP / 4 * effort;
    let stale_percent = ACCEPTABLE_STALE_PERCENT as usize - effort;
    let mut counted = Counted::default();
    let mut step = Step::default();
    while 0 < db.store.volatile_len() {
        step.look(db, now_ms, keys_per_step);
        step.delete(&mut db.store, &mut free);
        if let Some(mean_ms) = step.ttl_sum_ms.checked_div(step.alive) {
            // A running mean: the last step counts a fiftieth.
            db.avg_ttl_ms = match db.avg_ttl_ms {
                0 => mean_ms,
                before => before / 50 * 49 + mean_ms / 50,
            };
        }
        let (due, seen) = (step.due.len(), step.seen());
        counted.seen += seen;
        counted.due += due;
        if 100 * due <= stale_percent * seen {
            return counted;
        }
        if end <= Instant::now() {
            counted.was_cut_short = true;
            return counted;
        }
    }
    db.avg_ttl_ms = 0;
    counted
}

/// What one step has found; its buffers serve the next step again.
#[derive(Default)]
struct Step {
    alive: i64,
    ttl_sum_ms: i64,
    /// Keys that are due, as places in `keys`.
    due: Vec<(usize, usize)>,
    keys: Vec<u8>,
}

impl Step {
    fn seen(&self) -> usize {
        self.due.len() + usize::try_from(self.alive).expect("a count")
    }

    fn look(&mut self, db: &mut Db, now_ms: i64, keys_per_step: usize) {
        (self.alive, self.ttl_sum_ms) = (0, 0);
        self.due.clear();
        self.keys.clear();
        for _ in 0..BUCKETS_PER_STEP {
            db.expire_cursor = db.store.scan_volatile(db.expire_cursor, |record| {
                if is_due(record.expiry(), now_ms) {
                    let start = self.keys.len();
                    self.keys.extend_from_slice(record.key());
                    self.due.push((start, self.keys.len()));
                } else {
                    let ttl_ms = record.expiry().map_or(0, |at_ms| at_ms - now_ms);
                    self.alive += 1;
                    self.ttl_sum_ms = self.ttl_sum_ms.saturating_add(ttl_ms);
                }
            });
            if keys_per_step <= self.seen() || db.expire_cursor == 0 {
                return;
            }
        }
    }

    fn delete(&self, store: &mut Store<Value>, free: &mut impl FnMut(Record<Value>)) {
        for (start, end) in &self.due {
            if let Some(record) = store.remove(&self.keys[*start..*end]) {
                free(record);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cycle;
    use crate::keyspace::{Keyspace, NewText, Ttl};

    #[test]
    fn keys_that_are_due_go_by_themselves_and_others_stay() {
        let mut keyspace = Keyspace::new(2);
        for n in 0..10_000_i64 {
            let (db, key) = (usize::from(n % 10 == 0), format!("key:{n}"));
            let ttl = if n % 2 == 0 { Ttl::At(100 + n) } else { Ttl::Clear };
            keyspace.set_text(db, key.as_bytes(), NewText::Bytes(b"x"), ttl);
        }
        (0..200).for_each(|_| keyspace.expire_cycle(Cycle::Slow { hz: 10 }, 1, 5100));
        assert!(keyspace.figures(0).keys < 8000 && keyspace.figures(0).expires < 2500);
        (0..200).for_each(|_| keyspace.expire_cycle(Cycle::Slow { hz: 10 }, 10, i64::MAX));
        assert_eq!(keyspace.len(0) + keyspace.len(1), 5000);
        assert_eq!(keyspace.expiry.expired_keys, 5000);
    }
}
