//! Room: what a client has said of itself as a replica, and its link once it is one.
//!
//! A link goes from left to right, and may skip the first steps by a partial
//! resynchronisation:
//!
//! `WaitsForStart` → `WaitsForEnd` → `ReceivesFile` → `Online`
//!
//! Through a pipe it receives its snapshot while it waits for the child's end, and then says
//! with an ACK that it has read it all before it is sent more. The commands that belong behind
//! the snapshot wait in the backlog meanwhile; `next` is the place of the first one.

use std::fs::File;

use base::Bytes;

/// What a replica has told of itself with REPLCONF; any client may.
#[derive(Debug, Default)]
pub struct Replica {
    /// Where it can be reached.
    pub listening_port: Option<i64>,
    /// The same, if its connection does not come from there.
    pub address: Option<Bytes>,
    /// Which Redis it is, if it says so.
    pub version: Option<Bytes>,
    /// It knows snapshots whose end is marked.
    pub knows_eof: bool,
    /// It can go on with another history's name.
    pub knows_psync2: bool,
    /// It wants a snapshot and no commands.
    pub wants_snapshot_only: bool,
    /// What its snapshot shall leave out.
    pub filter: Filter,
    /// Absent before SYNC or PSYNC.
    pub link: Option<Link>,
}

/// What a snapshot leaves out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// All keys.
    pub excludes_data: bool,
    /// All functions.
    pub excludes_functions: bool,
}

impl Filter {
    /// Whether it leaves anything out.
    pub fn excludes_anything(self) -> bool {
        self.excludes_data || self.excludes_functions
    }
}

/// How far a replica is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It waits for a child to be made for it.
    WaitsForStart,
    /// A child writes its snapshot.
    WaitsForEnd,
    /// It is sent the file.
    ReceivesFile,
    /// It is sent commands.
    Online,
    /// It has what it wanted, and is to go.
    HasSnapshot,
}

impl State {
    /// Returns what INFO calls it; nothing of one that is about to go.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::WaitsForStart | Self::WaitsForEnd => Some("wait_bgsave"),
            Self::ReceivesFile => Some("send_bulk"),
            Self::Online => Some("online"),
            Self::HasSnapshot => None,
        }
    }
}

/// See the head of the file. Times are seconds since the epoch.
#[derive(Debug)]
pub struct Link {
    /// See there.
    pub state: State,
    /// It came with SYNC, and acknowledges nothing.
    pub is_old: bool,
    /// The place in the stream of the next byte that it is to be sent.
    pub next: u64,
    /// Where the stream ended when it grew last.
    pub end: u64,
    /// The place that its snapshot stands at.
    pub snapshot_at: u64,
    /// How far it says that it is.
    pub acknowledged: u64,
    /// How much of it is on its disk.
    pub acknowledged_on_disk: u64,
    /// When it said so, or came online.
    pub acknowledged_s: u64,
    /// It is sent no commands before it has acknowledged its snapshot.
    pub starts_on_ack: bool,
    /// When it began to wait for a child.
    pub waits_since_s: u64,
    /// Since when it has not taken all that there was of its snapshot.
    pub stuck_since_s: Option<u64>,
    /// The file that it is sent.
    pub transfer: Option<Transfer>,
}

impl Link {
    /// Makes a link in a state.
    pub fn new(state: State, next: u64, now_s: u64) -> Self {
        Self {
            state,
            is_old: false,
            next,
            end: next,
            snapshot_at: next,
            acknowledged: 0,
            acknowledged_on_disk: 0,
            acknowledged_s: now_s,
            starts_on_ack: false,
            waits_since_s: now_s,
            stuck_since_s: None,
            transfer: None,
        }
    }

    /// Whether it is sent commands as they come.
    pub fn streams(&self) -> bool {
        self.state == State::Online && !self.starts_on_ack
    }

    /// Whether its snapshot is still to be made or sent.
    pub fn waits_for_snapshot(&self) -> bool {
        !matches!(self.state, State::Online | State::HasSnapshot)
    }

    /// Counts what of the stream waits for it.
    pub fn waiting_bytes(&self) -> usize {
        if matches!(self.state, State::WaitsForStart | State::HasSnapshot) {
            return 0;
        }
        usize::try_from(self.end.saturating_sub(self.next)).unwrap_or(usize::MAX)
    }

    /// Returns for how many seconds it has said nothing.
    pub fn lag_s(&self, now_s: u64) -> u64 {
        now_s.saturating_sub(self.acknowledged_s)
    }
}

/// A file on its way to a replica.
#[derive(Debug)]
pub struct Transfer {
    /// Which.
    pub file: File,
    /// What of it was read and is to be sent.
    pub piece: Vec<u8>,
    /// How much of the piece was sent.
    pub sent: usize,
    /// How much of the file is still to be read.
    pub left: u64,
}
