//! Room: who is negotiating, who waits for it, and how it went.
//!
//! Three kinds of connection are not yet clients:
//! - *silent*: accepted, nothing came. Costs what a plain socket costs; the deadline ends it.
//! - *fresh*: its first bytes wait in the kernel. The newest goes first: in a storm the
//!   oldest have given up, or soon will, and serving them would serve nobody.
//! - *under way*: has an s2n connection and a seat, of which there are `max_handshakes`.
//!   Goes before the fresh ones: its dear part, the signature, is paid for already.
//!
//! The lists hold loop names, which go stale when a connection is closed by others; whoever
//! takes one from a list asks the loop again. A seat is an `Arc` that its connection holds,
//! so the count cannot drift however a connection ends.

use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
    fmt, io,
    sync::Arc,
    time::{Duration, Instant},
};

use ae::Fd;

use super::TlsInfo;

/// Why a handshake failed, for the counters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Failure {
    /// The deadline passed, the peer being silent or too slow.
    Timeout,
    /// The deadline passed before it was our turn.
    Shed,
    /// The peer spoke in plaintext.
    Plaintext,
    /// The peer went away.
    Closed,
    /// The peer's certificate is missing or not trusted.
    Certificate,
    /// No protocol, cipher or signature that both sides know.
    NothingInCommon,
    /// The peer refused, and sent an alert.
    Alert,
    /// Anything else.
    Protocol,
}

impl Failure {
    pub(super) const ALL: [Self; 8] = [
        Self::Timeout,
        Self::Shed,
        Self::Plaintext,
        Self::Closed,
        Self::Certificate,
        Self::NothingInCommon,
        Self::Alert,
        Self::Protocol,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Shed => "shed",
            Self::Plaintext => "plaintext",
            Self::Closed => "closed",
            Self::Certificate => "certificate",
            Self::NothingInCommon => "nothing_in_common",
            Self::Alert => "alert",
            Self::Protocol => "protocol",
        }
    }
}

/// A handshake that failed; found inside the `io::Error` that `ssl_negotiate` hands on.
#[derive(Debug)]
pub struct HandshakeError {
    /// Its kind.
    pub failure: Failure,
    /// Its reason, in words for a log.
    pub reason: String,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for HandshakeError {}

impl From<HandshakeError> for io::Error {
    fn from(error: HandshakeError) -> Self {
        let kind = match error.failure {
            Failure::Timeout | Failure::Shed => io::ErrorKind::TimedOut,
            Failure::Closed => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl HandshakeError {
    pub(crate) fn new(failure: Failure, reason: impl Into<String>) -> Self {
        Self { failure, reason: reason.into() }
    }

    /// Finds the failure inside an error.
    pub fn of(error: &io::Error) -> Failure {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        inner.map_or(Failure::Closed, |inner| inner.failure)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    seats: Arc<()>,
    /// In the order of their beginning, which is that of their deadlines.
    accepted: VecDeque<(Fd, Instant)>,
    due: VecDeque<Fd>,
    fresh: Vec<Fd>,
    pub(super) done: u64,
    pub(super) resumed: u64,
    pub(super) failed: BTreeMap<Failure, u64>,
    pub(super) protocols: BTreeMap<&'static str, u64>,
    pub(super) ciphers: BTreeMap<String, u64>,
}

impl Handshakes {
    pub(crate) fn seat(&self) -> Arc<()> {
        Arc::clone(&self.seats)
    }

    pub(crate) fn under_way(&self) -> usize {
        Arc::strong_count(&self.seats) - 1
    }

    pub(crate) fn waiting(&self) -> usize {
        self.fresh.len()
    }

    pub(crate) fn accepted(&mut self, fd: Fd, since: Instant) {
        self.accepted.push_back((fd, since));
    }

    pub(crate) fn is_due(&mut self, fd: Fd, has_begun: bool) {
        if has_begun { self.due.push_back(fd) } else { self.fresh.push(fd) }
    }

    /// Whether somebody could be stepped at once.
    pub(crate) fn has_work(&self, seats_max: usize) -> bool {
        !self.due.is_empty() || (!self.fresh.is_empty() && self.under_way() < seats_max)
    }

    /// Takes who is to be stepped next.
    pub(crate) fn next(&mut self, seats_max: usize) -> Option<Fd> {
        if let Some(fd) = self.due.pop_front() {
            return Some(fd);
        }
        if self.under_way() < seats_max { self.fresh.pop() } else { None }
    }

    /// Takes one that was accepted longer ago than `limit`.
    pub(crate) fn pop_old(&mut self, now: Instant, limit: Duration) -> Option<Fd> {
        let (fd, since) = *self.accepted.front()?;
        if now.saturating_duration_since(since) < limit {
            return None;
        }
        self.accepted.pop_front();
        Some(fd)
    }

    /// Without a deadline nobody asks who was accepted when.
    pub(crate) fn forget_accepted(&mut self) {
        self.accepted.clear();
    }

    /// The list of those that wait for a seat or for their turn, newest last.
    pub(crate) fn fresh(&mut self) -> &mut Vec<Fd> {
        &mut self.fresh
    }

    pub(crate) fn succeeded(&mut self, info: &TlsInfo) {
        self.done += 1;
        self.resumed += u64::from(info.is_resumed);
        *self.protocols.entry(info.protocol).or_default() += 1;
        match self.ciphers.get_mut(&info.cipher) {
            Some(count) => *count += 1,
            None => drop(self.ciphers.insert(info.cipher.clone(), 1)),
        }
    }

    pub(crate) fn failed(&mut self, failure: Failure) {
        *self.failed.entry(failure).or_default() += 1;
    }
}
