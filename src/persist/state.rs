//! Room: when data was saved and loaded last, when it is to be saved next, and a load under way.

use std::time::Instant;

use super::rdb::{Aux, LoadStats, Loader};
use crate::config::SavePoint;

/// After a failure a save point starts no other snapshot for so long.
const RETRY_DELAY_S: u64 = 5;

/// What is known of snapshots.
#[derive(Default)]
pub struct Snapshots {
    /// Saves that were begun, in the background or not.
    pub saves: u64,
    /// When the last good one was, in seconds since the epoch.
    pub last_save_s: u64,
    /// The last save in the background failed, and none was good since.
    pub has_background_save_failed: bool,
    /// What children have written.
    pub background: Background,
    /// What the last load has brought.
    pub last_loaded: LoadStats,
    /// What the file that was loaded last said of itself.
    pub last_aux: Aux,
    /// A load under way: clients can ask for little else.
    pub loading: Option<Loading>,
    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION.
    pub skips_checksums: bool,
}

/// What has become of snapshots that children write. Times are seconds since the epoch.
#[derive(Clone, Debug, Default)]
pub struct Background {
    /// When one was begun last.
    pub tried_s: u64,
    /// How long the last one took.
    pub took_s: Option<u64>,
    /// What the last one has cost, in bytes copied on write.
    pub cow_bytes: u64,
    /// One is to be written as soon as there can be a child.
    pub is_scheduled: bool,
    /// The changes that the one under way has.
    pub dirty_before: u64,
    /// The file that there is was made for replicas alone.
    pub is_for_replicas: bool,
}

/// A load under way.
pub struct Loading {
    /// Who does it.
    pub loader: Loader<'static>,
    /// When it began, in seconds since the epoch.
    pub started_s: u64,
    /// The same, to tell how long it took.
    pub began: Instant,
    /// The bytes there are.
    pub total_bytes: u64,
}

impl Snapshots {
    /// Returns what the present load, or the last one, has brought so far.
    pub fn load_stats(&self) -> LoadStats {
        self.loading.as_ref().map_or(self.last_loaded, |loading| loading.loader.stats())
    }

    /// Whether one may be begun by itself: after a failure not at once.
    pub fn may_retry(&self, now_s: u64) -> bool {
        let tried_s = self.background.tried_s;
        !self.has_background_save_failed || RETRY_DELAY_S < now_s.saturating_sub(tried_s)
    }

    /// Returns the save point that asks for a snapshot, if one does: after so many changes and
    /// so long after the last one.
    pub fn due<'a>(
        &self,
        points: &'a [SavePoint],
        dirty: u64,
        now_s: u64,
    ) -> Option<&'a SavePoint> {
        let passed_s = now_s.saturating_sub(self.last_save_s);
        let is_due = |point: &&SavePoint| point.changes <= dirty && point.seconds < passed_s;
        points.iter().find(is_due).filter(|_| self.may_retry(now_s))
    }
}

impl Loading {
    /// Returns how much is loaded, in percent.
    pub fn percent(&self) -> f64 {
        let total = self.total_bytes.max(1) as f64;
        self.loader.stats().bytes as f64 * 100.0 / total
    }

    /// Estimates how many seconds it will go on.
    pub fn seconds_left(&self, now_s: u64) -> u64 {
        let loaded = self.loader.stats().bytes;
        match now_s.saturating_sub(self.started_s) {
            // Nothing is known yet: one second is as good as any.
            0 => 1,
            passed_s => passed_s * self.total_bytes.saturating_sub(loaded) / (loaded + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Snapshots;
    use crate::config::SavePoint;

    #[test]
    fn a_save_point_needs_both_its_time_and_its_changes() {
        let points =
            [SavePoint { seconds: 100, changes: 1 }, SavePoint { seconds: 10, changes: 50 }];
        let mut snapshots = Snapshots { last_save_s: 1000, ..Snapshots::default() };
        let due = |snapshots: &Snapshots, dirty, now_s| {
            snapshots.due(&points, dirty, now_s).map(|point| point.seconds)
        };
        assert_eq!(due(&snapshots, 49, 1100), None);
        assert_eq!(due(&snapshots, 49, 1101), Some(100));
        assert_eq!(due(&snapshots, 50, 1011), Some(10));
        assert_eq!(due(&snapshots, 0, 5000), None);
        snapshots.has_background_save_failed = true;
        snapshots.background.tried_s = 5000;
        assert_eq!(due(&snapshots, 1, 5005), None);
        assert_eq!(due(&snapshots, 1, 5006), Some(100));
    }
}
