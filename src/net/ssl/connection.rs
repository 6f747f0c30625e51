//! Room: one s2n connection and the shims around it.
//!
//! Life: *waiting* (a socket, no s2n connection: thousands cost nothing) → *under way* (has
//! a seat, `advance` goes on with the handshake) → *open* (`read`, `write`) → *closed*
//! (`close` sends close_notify once) → dropped, which says nothing: so does a forked child.
//!
//! Data can wait inside s2n while the socket is silent; `read` says so (`is_drained:
//! false`) and the loop, which keeps readiness, calls again in its next turn: fairly, once
//! for everybody, and not at all for a connection that nobody wants to read.

#![expect(unsafe_code, reason = "s2n keeps a raw pointer to the wire during a call")]

use std::{
    ffi::c_void,
    io::{self, ErrorKind, IoSlice, Write},
    mem::MaybeUninit,
    net::IpAddr,
    os::fd::{AsRawFd, RawFd},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::Poll,
    time::Instant,
};

use ae::Mask;
use s2n_tls::{
    config::Config,
    connection::Connection as Tls,
    enums::{Blinding, Mode},
    error::{Error as S2nError, ErrorType, Fallible},
};
use s2n_tls_sys as sys;

use super::{
    Failure, HandshakeError, Opening, PLAINTEXT_REFUSED, PerformanceMode, Progress, RepeatedReads,
    TlsInfo,
    renew::Generation,
    verify::{Checks, Rules},
    wire::{self, OUT_BYTES_MAX, Wire},
    words,
};
use crate::{Received, Stream};

/// What one call of s2n is given at most, so that ciphertext does not pile up.
const SEND_BYTES_MAX: usize = 64 * 1024;
/// A write from here on has records as large as TLS allows, whatever the mode: its time is
/// spent on the way, not waiting for the end of a record.
const BULK_BYTES_MIN: usize = 16 * 1024;

/// A fatal alert, in the clear: nothing is encrypted before the server's hello.
const HANDSHAKE_FAILURE: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];

/// A TLS connection on a non-blocking socket.
#[derive(Debug)]
pub(crate) struct Connection {
    tls: Option<Tls>,
    wire: Wire,
    role: Role,
    stage: Stage,
    since: Instant,
    generation: Option<Arc<Generation>>,
    seat: Option<Arc<()>>,
    repeated_reads: Option<Arc<RepeatedReads>>,
    /// A read left data behind that no event will announce.
    is_holding: bool,
    has_spoken: bool,
    has_buffers: bool,
    is_bulk: bool,
    performance_mode: PerformanceMode,
    peer_name: Option<Box<str>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Role {
    Server,
    Client { host: Box<str> },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Waiting,
    UnderWay,
    Open,
    Closed,
}

impl Connection {
    pub(super) fn accepted(_: &Arc<Generation>, stream: Stream) -> Box<Self> {
        Self::waiting(stream, Role::Server)
    }

    pub(super) fn connected(_: &Arc<Generation>, stream: Stream, host: &str) -> Box<Self> {
        Self::for_client(stream, host)
    }

    pub(super) fn for_client(stream: Stream, host: &str) -> Box<Self> {
        Self::waiting(stream, Role::Client { host: host.into() })
    }

    fn waiting(stream: Stream, role: Role) -> Box<Self> {
        Box::new(Self {
            tls: None,
            wire: Wire::new(stream),
            role,
            stage: Stage::Waiting,
            since: Instant::now(),
            generation: None,
            seat: None,
            repeated_reads: None,
            is_holding: false,
            has_spoken: false,
            has_buffers: false,
            is_bulk: false,
            performance_mode: PerformanceMode::LowLatency,
            peer_name: None,
        })
    }

    /// Goes on with the handshake as far as the socket allows.
    pub(crate) fn negotiate(&mut self, opening: Opening) -> io::Result<Progress> {
        if !self.has_begun() {
            let Opening { generation, seat, repeated_reads, performance_mode } = opening;
            let config = match self.role {
                Role::Server => generation.context.server_config(),
                Role::Client { .. } => generation.context.client_config(),
            };
            self.begin(config, Arc::clone(generation.context.rules()))?;
            self.generation = Some(generation);
            self.seat = Some(seat);
            self.repeated_reads = Some(repeated_reads);
            self.set_performance_mode(performance_mode);
        }
        self.advance()
    }

    /// Makes the s2n connection; whose certificates it takes is decided here.
    pub(super) fn begin(&mut self, config: Config, rules: Arc<Rules>) -> io::Result<()> {
        let host = match &self.role {
            Role::Server => None,
            Role::Client { host } => Some(host.clone()),
        };
        let build = || -> Result<Tls, S2nError> {
            let mode = if host.is_some() { Mode::Client } else { Mode::Server };
            let mut tls = Tls::new(mode);
            tls.set_config(config)?;
            tls.set_blinding(Blinding::SelfService)?;
            tls.set_receive_callback(Some(wire::receive))?;
            tls.set_send_callback(Some(wire::send))?;
            tls.set_receive_buffering(true)?;
            if let Some(name) = rules.server_name(host.as_deref())
                && name.parse::<IpAddr>().is_err()
            {
                tls.set_server_name(name)?;
            }
            tls.set_application_context(Checks::new(rules, host));
            Ok(tls)
        };
        self.tls = Some(build().map_err(io::Error::other)?);
        self.stage = Stage::UnderWay;
        self.has_buffers = true;
        Ok(())
    }

    pub(super) fn advance(&mut self) -> io::Result<Progress> {
        assert_eq!(self.stage, Stage::UnderWay);
        self.wire.is_dry = false;
        let step = self.lend_wire(|tls| tls.poll_negotiate().map_ok(|_| ()));
        let flushed = self.wire.flush();
        let outcome = match (step, flushed) {
            // An alert may have gone out just now; the reason is s2n's.
            (Poll::Ready(Err(error)), _) => Err(self.explain(&error).into()),
            (_, Err(error)) if error.kind() != ErrorKind::WouldBlock => {
                Err(HandshakeError::new(Failure::Closed, error.to_string()).into())
            }
            (_, Err(_)) => Ok(Progress::Wants(Mask::WRITE)),
            (Poll::Pending, Ok(())) => Ok(Progress::Wants(Mask::READ)),
            (Poll::Ready(Ok(())), Ok(())) => Ok(Progress::Done),
        };
        match &outcome {
            Ok(Progress::Done) => self.opened(),
            Err(error) => self.failed(HandshakeError::of(error)),
            Ok(Progress::Wants(_)) => {}
        }
        outcome
    }

    fn opened(&mut self) {
        self.stage = Stage::Open;
        // Requests say themselves how long they are, so a cut one does not run, and who sends no
        // more may still be told what it asked for. Of a server we want to hear that it ends.
        self.wire.may_end = !self.is_client();
        self.seat = None;
        let tls = self.tls.as_mut().expect("a handshake under way has one");
        let checks = tls.application_context_mut::<Checks>();
        self.peer_name = checks.and_then(|checks| checks.peer_name.take()).map(Into::into);
        // What came with the last flight was read ahead.
        if self.has_buffered_input() {
            self.hold(true);
        }
    }

    fn failed(&mut self, failure: Failure) {
        if self.wire.is_plaintext && self.role == Role::Server {
            let _ = self.wire.stream.write(PLAINTEXT_REFUSED);
        } else if failure == Failure::NothingInCommon && !self.wire.has_sent {
            // s2n would close politely, which tells the user of the other side nothing.
            let _ = self.wire.stream.write(HANDSHAKE_FAILURE);
        } else {
            // s2n has the alert ready, or close_notify; this sends it.
            let _ = self.lend_wire(|tls| tls.poll_shutdown_send().map_ok(|_| ()));
            let _ = self.wire.flush();
        }
        self.end();
    }

    pub(crate) fn is_client(&self) -> bool {
        self.role != Role::Server
    }

    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.stage != Stage::Waiting
    }

    pub(crate) fn has_spoken(&self) -> bool {
        self.has_spoken
    }

    pub(crate) fn note_spoken(&mut self) {
        self.has_spoken = true;
    }

    pub(crate) fn is_negotiating(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::UnderWay)
    }

    pub(crate) fn tls_info(&self) -> Option<TlsInfo> {
        let tls = self.tls.as_ref().filter(|_| !self.is_negotiating())?;
        Some(TlsInfo {
            protocol: words::protocol_name(tls.actual_protocol_version().ok()?),
            cipher: tls.cipher_suite().ok()?.to_owned(),
            is_resumed: tls.resumed(),
            server_name: tls.server_name().map(str::to_owned),
            peer_name: self.peer_name.as_deref().map(str::to_owned),
            generation: self.certificate_generation().unwrap_or(0),
        })
    }

    pub(crate) fn certificate_generation(&self) -> Option<u64> {
        self.generation.as_ref().map(|generation| generation.number)
    }

    pub(crate) fn read(&mut self, space: &mut [u8]) -> io::Result<Received> {
        self.read_with(space.len(), |tls, from| tls.poll_recv(&mut space[from..]))
    }

    pub(crate) fn read_uninitialised(
        &mut self,
        space: &mut [MaybeUninit<u8>],
    ) -> io::Result<Received> {
        let room = space.len();
        self.read_with(room, |tls, from| tls.poll_recv_uninitialized(&mut space[from..]))
    }

    fn read_with(
        &mut self,
        room: usize,
        mut receive: impl FnMut(&mut Tls, usize) -> Poll<Result<usize, S2nError>>,
    ) -> io::Result<Received> {
        if self.stage != Stage::Open {
            return Err(ErrorKind::NotConnected.into());
        }
        if self.is_holding
            && let Some(reads) = &self.repeated_reads
        {
            reads.total.fetch_add(1, Relaxed);
        }
        self.wire.is_dry = false;
        self.has_buffers = true;
        let mut bytes = 0;
        let mut outcome = Ok(false);
        while bytes < room {
            match self.lend_wire(|tls| receive(tls, bytes)) {
                Poll::Pending => {
                    outcome = Ok(!self.wire.is_ended);
                    break;
                }
                Poll::Ready(Ok(0)) => break,
                Poll::Ready(Ok(more)) => bytes += more,
                // What came before the error is served first; the error stays for next time.
                Poll::Ready(Err(_)) if 0 < bytes => break,
                Poll::Ready(Err(error)) => {
                    outcome = Err(self.broken(&error));
                    break;
                }
            }
        }
        if bytes == room && self.wire.is_dry && !self.has_buffered_input() {
            outcome = Ok(true);
        }
        // Alerts and key updates that s2n answers by itself.
        if self.wire.pending_bytes() != 0 {
            let _ = self.wire.flush();
        }
        let is_drained = outcome?;
        let is_over = self.wire.is_ended && bytes == 0;
        self.hold(!is_drained && !is_over && self.has_buffered_input());
        Ok(Received { bytes, is_drained })
    }

    pub(crate) fn has_buffered_input(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| 0 < tls.peek_len() + tls.peek_buffered_len())
    }

    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_with(data.len(), |tls, from| {
            let to = data.len().min(from + SEND_BYTES_MAX);
            tls.poll_send(&data[from..to])
        })
    }

    pub(crate) fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        let bytes: usize = data.iter().map(|slice| slice.len()).sum();
        if SEND_BYTES_MAX < bytes || data.len() == 1 {
            return self.write_each(data);
        }
        self.write_with(bytes, |tls, _| send_vectored(tls, data, bytes))
    }

    fn write_each(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut taken = 0;
        for slice in data {
            match self.write(slice) {
                Ok(bytes) if bytes == slice.len() => taken += bytes,
                Ok(bytes) => return Ok(taken + bytes),
                Err(error) if error.kind() == ErrorKind::WouldBlock && 0 < taken => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    fn write_with(
        &mut self,
        bytes: usize,
        mut send: impl FnMut(&mut Tls, usize) -> Poll<Result<usize, S2nError>>,
    ) -> io::Result<usize> {
        if self.stage != Stage::Open {
            return Err(ErrorKind::NotConnected.into());
        }
        self.fit_records(bytes)?;
        self.has_buffers = true;
        let mut taken = 0;
        while taken < bytes {
            if self.wire.is_blocked || OUT_BYTES_MAX <= self.wire.pending_bytes() {
                match self.wire.flush() {
                    Err(error) if error.kind() == ErrorKind::WouldBlock && 0 < taken => break,
                    outcome => outcome?,
                }
            }
            self.wire.left_bytes = bytes - taken;
            match self.lend_wire(|tls| send(tls, taken)) {
                Poll::Ready(Ok(more)) => taken += more,
                Poll::Ready(Err(error)) => return Err(self.broken(&error)),
                Poll::Pending => break,
            }
        }
        self.wire.left_bytes = 0;
        if taken == 0 && bytes != 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.wire.flush()
    }

    pub(crate) fn pending_output_bytes(&self) -> usize {
        self.wire.pending_bytes()
    }

    /// Sends close_notify if it can be sent at once. The peer's is not awaited.
    pub(crate) fn close(&mut self) {
        if self.stage == Stage::Open {
            let _ = self.lend_wire(|tls| tls.poll_shutdown_send().map_ok(|_| ()));
            let _ = self.wire.flush();
        }
        self.end();
    }

    /// Counts it no more: it may be some time before it is dropped.
    fn end(&mut self) {
        self.stage = Stage::Closed;
        self.seat = None;
        self.generation = None;
        self.hold(false);
    }

    pub(crate) fn stream(&mut self) -> &mut Stream {
        &mut self.wire.stream
    }

    pub(crate) fn release_idle(&mut self) {
        self.wire.release();
        if self.stage != Stage::Open || !self.has_buffers || self.has_buffered_input() {
            return;
        }
        let Some(tls) = &mut self.tls else { return };
        // SAFETY: the pointer is that of a live connection, and its handshake is over.
        let freed = unsafe { sys::s2n_connection_free_handshake(tls.unstable_as_ptr()) };
        // Part of a record may be in there: then s2n refuses, and nothing is lost.
        self.has_buffers = freed != 0 || tls.release_buffers().is_err();
    }

    pub(crate) fn set_performance_mode(&mut self, mode: PerformanceMode) {
        self.performance_mode = mode;
        let is_bulk = mode == PerformanceMode::HighThroughput;
        if let Err(error) = self.set_bulk(is_bulk) {
            log::debug!("cannot set the size of records: {error}");
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
    }

    #[cfg(test)]
    pub(super) fn system_calls(&self) -> (u64, u64) {
        (self.wire.receives, self.wire.sends)
    }

    fn fit_records(&mut self, bytes: usize) -> io::Result<()> {
        let is_bulk =
            self.performance_mode == PerformanceMode::HighThroughput || BULK_BYTES_MIN <= bytes;
        if is_bulk == self.is_bulk { Ok(()) } else { self.set_bulk(is_bulk) }
    }

    fn set_bulk(&mut self, is_bulk: bool) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        if is_bulk {
            tls.prefer_throughput()?
        } else {
            tls.prefer_low_latency()?
        };
        self.is_bulk = is_bulk;
        Ok(())
    }

    /// Counts the connection among those that hold data, or no longer.
    fn hold(&mut self, is_holding: bool) {
        if self.is_holding == is_holding {
            return;
        }
        self.is_holding = is_holding;
        if let Some(reads) = &self.repeated_reads {
            if is_holding { reads.began() } else { reads.ended() }
        }
    }

    /// The session is beyond repair: says so to the peer, in its language, at once.
    fn broken(&mut self, error: &S2nError) -> io::Error {
        let _ = self.lend_wire(|tls| tls.poll_shutdown_send().map_ok(|_| ()));
        let _ = self.wire.flush();
        self.end();
        let kind = match error.kind() {
            ErrorType::ConnectionClosed => ErrorKind::ConnectionAborted,
            _ => ErrorKind::InvalidData,
        };
        let reason = match error.kind() {
            ErrorType::ConnectionClosed => "the peer closed without close_notify".to_owned(),
            ErrorType::Alert => format!("the peer sent an alert: {}", self.alert()),
            ErrorType::IOError => io::Error::last_os_error().to_string(),
            _ => error.message().to_owned(),
        };
        io::Error::new(kind, reason)
    }

    fn alert(&self) -> &'static str {
        words::alert_name(self.tls.as_ref().and_then(Tls::alert))
    }

    fn explain(&self, error: &S2nError) -> HandshakeError {
        if self.wire.is_plaintext {
            return HandshakeError::new(Failure::Plaintext, "plaintext came instead of TLS");
        }
        let checks = self.tls.as_ref().and_then(|tls| tls.application_context::<Checks>());
        if let Some(refusal) = checks.and_then(|checks| checks.refusal.as_deref()) {
            return HandshakeError::new(Failure::Certificate, refusal);
        }
        let name = error.name();
        match error.kind() {
            ErrorType::Alert => {
                HandshakeError::new(Failure::Alert, format!("the peer refused: {}", self.alert()))
            }
            ErrorType::ConnectionClosed => {
                HandshakeError::new(Failure::Closed, "the peer closed during the handshake")
            }
            ErrorType::IOError => {
                HandshakeError::new(Failure::Closed, "the connection broke during the handshake")
            }
            _ => {
                let (failure, reason) =
                    words::explain_name(name).unwrap_or((Failure::Protocol, ""));
                let reason = if reason.is_empty() {
                    format!("{} ({name})", error.message())
                } else {
                    reason.to_owned()
                };
                HandshakeError::new(failure, reason)
            }
        }
    }

    /// Runs one call of s2n with the wire in its callbacks' hands.
    fn lend_wire<T>(&mut self, act: impl FnOnce(&mut Tls) -> T) -> T {
        let wire = (&raw mut self.wire).cast::<c_void>();
        let tls = self.tls.as_mut().expect("only a begun handshake calls s2n");
        // SAFETY: the pointer is used by `receive` only, during `act`; `act` is given no
        // other way to `self.wire`, and every later call of s2n sets it anew.
        unsafe { tls.set_receive_context(wire) }.expect("s2n only stores the pointer");
        // SAFETY: the same, for `send`.
        unsafe { tls.set_send_context(wire) }.expect("s2n only stores the pointer");
        act(tls)
    }
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.wire.stream.as_raw_fd()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.hold(false);
    }
}

fn send_vectored(
    tls: &mut Tls,
    data: &[IoSlice<'_>],
    bytes: usize,
) -> Poll<Result<usize, S2nError>> {
    let mut blocked = sys::s2n_blocked_status::NOT_BLOCKED;
    let count = isize::try_from(data.len()).expect("slices lie in memory");
    // SAFETY: `IoSlice` is an `iovec` by its documentation, `data` outlives the call, and the
    // connection is live. Our send callback takes everything, so nothing is repeated later.
    let sent = unsafe {
        sys::s2n_sendv(tls.unstable_as_ptr(), data.as_ptr().cast(), count, &raw mut blocked)
    };
    let sent = sent.into_result()?;
    assert_eq!(sent, bytes, "the send callback takes everything");
    Poll::Ready(Ok(sent))
}
