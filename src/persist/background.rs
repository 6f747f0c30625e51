//! Room: what has become of snapshots that children write, and when the next one is due.

use super::state::Snapshots;
use crate::config::SavePoint;

/// After a failure a save point starts no other snapshot for so long.
const RETRY_DELAY_S: u64 = 5;

/// See the head of the file. Times are seconds since the epoch.
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

impl Snapshots {
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

#[cfg(test)]
mod tests {
    use crate::{config::SavePoint, persist::state::Snapshots};

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
