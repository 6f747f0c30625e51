//! Room: one client: what it has said, what it is told, and what state its talk is in.
//!
//! Whatever a command of the client itself may read or change while it runs stands in
//! `Frame`, which is lent to the flow that runs it; whatever others may look at at any
//! time (its name, its addresses) stands in `Client`.

pub mod arrivals;
pub mod describe;
mod kind;
mod later;
mod limits;
pub mod parked;
pub mod pause;
pub mod reply_buffer;
pub mod subscriptions;
mod table;
pub mod tracker;
pub mod transaction;
pub mod usage;
pub mod watch;

use std::io::{self, IoSlice};

use ae::Fd;
use base::Bytes;
use net::Connection;
use resp::{Protocol, Query, Reply};

use crate::{
    command::CommandId,
    replication::replica::{Link, Replica},
};

use parked::Parked;
use subscriptions::Subscriptions;
use tracker::Tracker;
use transaction::Transaction;
use usage::Place;
use watch::Watched;

pub use crate::client_id::ClientId;
pub use kind::Kind;
pub use limits::{OutputState, limit_of};
use reply_buffer::{ReplyBuffer, ReplyBufferPolicy, Resized};
pub use table::Clients;

/// Slices handed to the system at once.
const SLICES: usize = 64;

/// The state of a client's talk, one truth for every call made in its name.
#[derive(Debug, Default)]
pub struct Session {
    /// The selected database.
    pub db: usize,
    /// Whether the client may run commands.
    pub is_authenticated: bool,
    /// Which of its replies it wants.
    pub reply_mode: ReplyMode,
    /// Reading does not count as an access (CLIENT NO-TOUCH).
    pub no_touch: bool,
    /// It watches commands go by (MONITOR).
    pub is_monitor: bool,
    /// It is a replica: what it may ask for is little, and answered with nothing.
    pub is_replica: bool,
    /// What was queued since MULTI.
    pub transaction: Option<Box<Transaction>>,
}

/// Which replies a client wants (CLIENT REPLY).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplyMode {
    /// All.
    #[default]
    On,
    /// None.
    Off,
    /// Not that of the next command.
    SkipNext,
    /// Not this one.
    Skip,
}

/// What a client lends to the flow that runs its commands: while that lasts, the server
/// can be changed at will and none of this can be reached through it.
#[derive(Debug, Default)]
pub struct Frame {
    /// See `Session`.
    pub session: Session,
    /// What it has sent; the arguments of its commands are slices of this.
    pub query: Query,
    /// What it is to be sent.
    pub reply: Reply,
}

/// How much longer a client exists. All but `Alive` is dead to every observer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Alive,
    /// What it was told last is still sent.
    ClosesAfterReply,
    Closes,
}

/// Whether a client stands in a list of those that are to be sent something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Listed {
    No,
    /// In that of those who can wait for a moment.
    Later,
    Now,
}

/// A connected client.
#[derive(Debug)]
pub struct Client {
    /// What CLIENT ID answers; never given out twice.
    pub number: u64,
    /// Where it is connected from, as CLIENT LIST shows it.
    pub peer: Box<str>,
    /// What it is connected to.
    pub local: Box<str>,
    /// Absent only where a test has no sockets.
    pub wire: Option<(Fd, Connection)>,
    /// Absent while it is lent; boxed, as it is lent for each batch of requests.
    pub frame: Option<Box<Frame>>,
    /// CLIENT SETNAME.
    pub name: Option<Bytes>,
    /// CLIENT SETINFO lib-name.
    pub library_name: Option<Bytes>,
    /// CLIENT SETINFO lib-ver.
    pub library_version: Option<Bytes>,
    /// When it came.
    pub created_ms: i64,
    /// When it last sent a byte or was sent its reply.
    pub active_ms: i64,
    /// The command it ran last.
    pub last_command: Option<CommandId>,
    /// It is not evicted for its memory (CLIENT NO-EVICT).
    pub no_evict: bool,
    /// How long more has waited for it than may.
    pub output: OutputState,
    /// How much of its reply buffer is kept.
    pub reply_buffer: ReplyBuffer,
    /// The keys that its next EXEC depends on.
    pub watched: Watched,
    /// The channels that it listens to.
    pub subscriptions: Subscriptions,
    /// What it has told of itself as a replica, and its link if it is one.
    pub replica: Option<Box<Replica>>,
    /// Where the stream stood when it had written last.
    pub written_at: u64,
    /// Its request waits; none of the others runs meanwhile.
    pub parked: Option<Box<Parked>>,
    /// How it is told which keys have changed, if it wants to know.
    pub tracker: Option<Box<Tracker>>,
    /// It negotiates still, or waits to: no client yet to an observer.
    pub is_negotiating: bool,
    /// What it is told, instead of being served, once it has negotiated.
    pub refusal: Option<&'static str>,
    /// What it was counted with.
    place: Place,
    /// Pushed while the frame was lent; goes behind the reply.
    pushes: Reply,
    life: Life,
    listed: Listed,
    /// The kernel took no more; what is left may be TLS records that only s2n sees.
    is_stuck: bool,
}

// A client's I/O may one day be served by another thread.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Client>();
};

impl Client {
    fn new(number: u64, now_ms: i64) -> Self {
        Self {
            number,
            peer: Box::default(),
            local: Box::default(),
            wire: None,
            frame: Some(Box::default()),
            name: None,
            library_name: None,
            library_version: None,
            created_ms: now_ms,
            active_ms: now_ms,
            last_command: None,
            no_evict: false,
            output: OutputState::default(),
            reply_buffer: ReplyBuffer::default(),
            watched: Watched::default(),
            subscriptions: Subscriptions::default(),
            replica: None,
            written_at: 0,
            parked: None,
            tracker: None,
            is_negotiating: false,
            refusal: None,
            place: Place::default(),
            pushes: Reply::default(),
            life: Life::Alive,
            listed: Listed::No,
            is_stuck: false,
        }
    }

    /// Returns the protocol that it reads.
    pub fn protocol(&self) -> Protocol {
        self.frame.as_ref().map_or(self.pushes.protocol, |frame| frame.reply.protocol)
    }

    /// Returns who is told of changed keys in its stead: 0 is nobody, -1 that it tracks none.
    pub fn redirect_number(&self) -> i64 {
        self.tracker.as_ref().map_or(-1, |tracker| {
            tracker.redirect.map_or(0, |redirect| i64::try_from(redirect.number).unwrap_or(0))
        })
    }

    /// Whether it can still ask for anything.
    pub fn is_alive(&self) -> bool {
        self.life == Life::Alive
    }

    /// Whether it only waits for its last reply to be sent.
    pub fn closes_after_reply(&self) -> bool {
        self.life == Life::ClosesAfterReply
    }

    /// Whether it is only still there to be freed: nothing more is sent to it.
    pub fn is_over(&self) -> bool {
        self.life == Life::Closes
    }

    /// Whether the kernel took no more of its output when it was sent to last.
    pub fn is_stuck(&self) -> bool {
        self.is_stuck
    }

    /// Remembers whether the kernel has taken all; for who sends something else than replies.
    pub fn set_stuck(&mut self, is_stuck: bool) {
        self.is_stuck = is_stuck;
    }

    /// Returns what kind of client it is.
    pub fn kind(&self) -> Kind {
        match self.link() {
            Some(_) => Kind::Replica,
            None if self.subscriptions.is_empty() => Kind::Normal,
            None => Kind::PubSub,
        }
    }

    /// Returns its link, if it is a replica.
    pub fn link(&self) -> Option<&Link> {
        self.replica.as_ref()?.link.as_ref()
    }

    /// Returns the same, to be changed.
    pub fn link_mut(&mut self) -> Option<&mut Link> {
        self.replica.as_mut()?.link.as_mut()
    }

    /// Returns how large its buffers for input and output were of late; gives back memory
    /// that was needed for much more.
    pub fn settle_buffers(&mut self) -> (usize, usize) {
        let output_bytes = self.output_memory_bytes();
        let Some(frame) = &mut self.frame else { return (0, output_bytes) };
        (frame.query.settle_peak().max(frame.query.memory_bytes()), output_bytes)
    }

    /// Gives its reply buffer the size that its replies of late want.
    pub fn settle_reply_buffer(&mut self, policy: ReplyBufferPolicy, now_ms: i64) -> Resized {
        let Some(frame) = &mut self.frame else { return Resized::Not };
        let output = frame.reply.output_mut();
        let resized = self.reply_buffer.settle(policy, output.pending_bytes(), now_ms);
        output.keep(self.reply_buffer.bytes());
        resized
    }

    /// Gives back the memory that an idle client does not need.
    pub fn release_idle(&mut self) {
        let Some(frame) = &mut self.frame else { return };
        frame.query.release_idle();
        frame.reply.output_mut().release();
        if let Some((_, connection)) = &mut self.wire {
            connection.release_idle();
        }
    }

    /// Drops what waits to be sent to it, as it is given up.
    pub fn drop_output(&mut self) {
        self.pushes.output_mut().clear();
        self.pushes.output_mut().release();
        if let Some(frame) = &mut self.frame {
            frame.reply.output_mut().clear();
            frame.reply.output_mut().release();
        }
    }

    /// Counts the memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        let query = self.frame.as_ref().map_or(0, |frame| frame.query.memory_bytes());
        let wire = self.wire.as_ref().map_or(0, |(_, connection)| connection.memory_bytes());
        size_of::<Self>() + query + wire + self.output_memory_bytes()
    }

    /// Lets what is told to it be dropped once so many bytes wait; 0 is no limit.
    pub fn cut_output_at(&mut self, bytes_max: usize) {
        self.pushes.output_mut().limit(bytes_max);
        if let Some(frame) = &mut self.frame {
            frame.reply.output_mut().limit(bytes_max);
        }
    }

    /// Whether something that it was to be told was dropped: it cannot go on.
    pub fn is_output_cut(&self) -> bool {
        let is_reply_cut = self.frame.as_ref().is_some_and(|frame| frame.reply.output().is_cut());
        is_reply_cut || self.pushes.output().is_cut()
    }

    /// Counts what is to be sent and not yet in the kernel's hands.
    pub fn pending_output_bytes(&self) -> usize {
        let reply = self.frame.as_ref().map_or(0, |frame| frame.reply.output().pending_bytes());
        let wire = self.wire.as_ref().map_or(0, |(_, wire)| wire.pending_output_bytes());
        reply + self.pushes.output().pending_bytes() + wire
    }

    /// Counts the memory that its output takes; that of big values is shared, and
    /// counted as if it were its own.
    pub fn output_memory_bytes(&self) -> usize {
        let reply = self.frame.as_ref().map_or(0, |frame| frame.reply.output().memory_bytes());
        let wire = self.wire.as_ref().map_or(0, |(_, wire)| wire.pending_output_bytes());
        reply + self.pushes.output().memory_bytes() + wire
    }

    /// Sends what there is to send; `WouldBlock` if some of it stays. Says how many bytes
    /// of replies went.
    pub fn send(&mut self) -> (usize, io::Result<()>) {
        let (Some((_, connection)), Some(frame)) = (&mut self.wire, &mut self.frame) else {
            return (0, Ok(()));
        };
        let output = frame.reply.output_mut();
        self.reply_buffer.note(output.pending_bytes());
        let mut sent = 0;
        let outcome = loop {
            if output.is_empty() {
                break connection.flush();
            }
            let outcome = if output.chunk_count() == 0 {
                connection.write(output.front())
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let count = output.gather(&mut slices);
                connection.write_vectored(&slices[..count])
            };
            match outcome {
                Ok(bytes) => {
                    output.consume(bytes);
                    sent += bytes;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.is_stuck = outcome.is_err();
        (sent, outcome)
    }
}
