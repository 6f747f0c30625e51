//! Room: who copies this server, and the history of writes that they copy.
//!
//! A history has a name and counts its bytes. Both mean something only together with a backlog:
//! without one nobody counts, so a new one begins another history.

mod backlog;
pub mod relay;
pub mod replica;
mod waits;

pub use backlog::Backlog;
pub use relay::Relay;
pub use waits::{Wait, Waits};

use base::random::hex_id;

use crate::client_id::ClientId;

/// See the head of the file.
#[derive(Debug)]
pub struct Replication {
    /// The history's name: 40 hexadecimal digits.
    pub id: String,
    /// The history that this one continues, and how far it did so.
    pub former: Option<(String, u64)>,
    /// The stream, as long as there are replicas, and a while longer.
    pub backlog: Option<Backlog>,
    /// How long the history is; the backlog knows better if there is one.
    offset: u64,
    /// Who copies this server, in the order in which they came.
    pub replicas: Vec<ClientId>,
    /// Since when there are none, in seconds since the epoch.
    pub alone_since_s: u64,
    /// A snapshot on its way to replicas.
    pub relay: Option<Relay>,
    /// Who waits for replicas.
    pub waits: Waits,
    /// How often the cron of replication has run.
    pub cron_count: u64,
}

impl Default for Replication {
    fn default() -> Self {
        Self {
            id: new_id(),
            former: None,
            backlog: None,
            offset: 0,
            replicas: Vec::new(),
            alone_since_s: 0,
            relay: None,
            waits: Waits::default(),
            cron_count: 0,
        }
    }
}

impl Replication {
    /// Returns how long the history is.
    pub fn offset(&self) -> u64 {
        self.backlog.as_ref().map_or(self.offset, Backlog::end)
    }

    /// Begins another history, which continues none.
    pub fn begin_history(&mut self) {
        self.id = new_id();
        self.former = None;
    }

    /// Begins to keep the stream.
    pub fn open_backlog(&mut self, kept_bytes: u64) {
        self.backlog = Some(Backlog::new(self.offset, kept_bytes));
    }

    /// Gives the stream up.
    pub fn close_backlog(&mut self) {
        self.offset = self.offset();
        self.backlog = None;
    }
}

fn new_id() -> String {
    String::from_utf8_lossy(&hex_id()).into_owned()
}
