//! Room: when data was saved and loaded last, and a load under way.

use std::time::Instant;

use super::{
    background::Background,
    rdb::{Aux, LoadStats, Loader},
};

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
