//! Flow: the owner of all state, split into rooms.
//!
//! Two rooms at once are borrowed by destructuring: `let Server { keyspace, bio, .. }
//! = server`. What runs commands on it stands in the files beside.

pub mod accept;
pub mod apply;
pub mod banner;
pub mod before_sleep;
pub mod bgsave;
pub mod blocked;
pub mod call;
pub mod children;
pub mod cron;
pub mod evict;
pub mod evict_clients;
pub mod execute;
pub mod expire;
pub mod flush;
pub mod info;
pub mod input;
pub mod listen;
pub mod load;
pub mod notify;
pub mod observe;
pub mod output;
pub mod parked;
pub mod permit;
pub mod process;
pub mod psync;
pub mod publish;
pub mod reap;
pub mod renew;
pub mod replicas;
pub mod restart;
pub mod save;
pub mod shutdown;
pub mod start;
pub mod tracking;
pub mod transaction;
pub mod transfer;
pub mod tune;
pub mod unit;
pub mod unsaved;
pub mod waits;

use std::{io, time::Duration};

use ae::{Events, Fd};
use base::{clock::Clock, random::Random};
use net::{Connection, Listener, ssl::Ssl};
use sys::{
    collate::Collation, crash, process::OomScore, signal::Wake, title::Title, watchdog::Watchdog,
};

use crate::{
    bio::Bio,
    blocking::Blocking,
    client::{
        ClientId, Clients, Session, arrivals::Arrivals, describe::describe, parked::ParkedClients,
        pause::Pause, usage::Talk, watch::Watches,
    },
    command::Commands,
    config::Config,
    functions::Functions,
    keyspace::Keyspace,
    latency::{Event, Latency},
    lifecycle::Lifecycle,
    monitor::Monitors,
    persist::{child::Children, state::Snapshots},
    propagation::Propagation,
    pubsub::PubSub,
    replication::Replication,
    server::call::Call,
    slowlog::SlowLog,
    stats::Stats,
    tracking::Tracking,
};

/// What a file event is told besides its file.
#[derive(Clone, Copy, Debug)]
pub enum Datum {
    /// A socket that clients come to, by its place among the doors.
    Door(u16),
    /// A client's connection.
    Client(ClientId),
    /// The pipe of a child that writes for replicas.
    Relay,
    /// A signal came.
    Signal,
}

/// What a door is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DoorKind {
    /// `port`.
    Tcp,
    /// `tls-port`.
    Tls,
    /// `unixsocket`.
    Unix,
}

impl DoorKind {
    /// Returns what INFO calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Unix => "unix",
        }
    }
}

/// A listening socket in the loop.
#[derive(Debug)]
pub struct Door {
    /// Its place in the loop.
    pub fd: Fd,
    /// The socket.
    pub listener: Listener,
    /// What it is for.
    pub kind: DoorKind,
    /// Who comes through it must speak TLS.
    pub is_ssl: bool,
    /// The `tcp-keepalive` that connections come with.
    pub keepalive_s: u32,
}

/// Everything.
pub struct Server {
    /// The loop that drives all this, itself a room.
    pub events: Events<Self>,
    /// The time.
    pub clock: Clock,
    /// See `Config`.
    pub config: Config,
    /// TLS: certificates, trust, and who is negotiating.
    pub ssl: Ssl,
    /// Where clients come from; a closed door leaves its place to another.
    pub doors: Vec<Option<Door>>,
    /// The data.
    pub keyspace: Keyspace,
    /// Libraries of functions, which snapshots carry.
    pub functions: Functions,
    /// How SORT orders texts.
    pub collation: Collation,
    /// For members, fields and elements at random; keys are picked by the keyspace's own.
    pub random: Random,
    /// Who is connected.
    pub clients: Clients,
    /// Whose request waits.
    pub parked: ParkedClients,
    /// Who waits for keys.
    pub blocking: Blocking,
    /// Whether clients are to wait.
    pub pause: Pause,
    /// Which keys transactions depend on.
    pub watches: Watches,
    /// Who listens to which channels.
    pub pubsub: PubSub,
    /// Which keys clients have in caches of their own.
    pub tracking: Tracking,
    /// What others must repeat.
    pub propagation: Propagation,
    /// Who they are, and how far they are.
    pub replication: Replication,
    /// What commands are called, and how often they were.
    pub commands: Commands,
    /// What was counted.
    pub stats: Stats,
    /// Which commands took long.
    pub slowlog: SlowLog,
    /// What kept everybody waiting.
    pub latency: Latency,
    /// Who watches commands go by.
    pub monitors: Monitors,
    /// Who this process is, since when, and how it will end.
    pub lifecycle: Lifecycle,
    /// When data was saved and loaded last.
    pub snapshots: Snapshots,
    /// The child that writes one.
    pub children: Children,
    /// The thread that frees what is big.
    pub bio: Bio,
    /// Who has sent something in this turn.
    pub arrivals: Arrivals,
    turn_began_us: u64,
    turn_commands_before: u64,
    /// The memory where the process's title stands.
    title: Option<Title>,
    /// Ends the loop's sleep when a signal comes.
    wake: Option<Wake>,
    oom_score: OomScore,
    watchdog: Watchdog,
}

impl Server {
    /// Makes a server that listens nowhere yet.
    pub fn new(config: Config, clock: Clock) -> io::Result<Self> {
        let now_s = clock.now_s();
        let run_id = || String::from_utf8_lossy(&base::random::hex_id()).into_owned();
        let lifecycle = Lifecycle {
            run_id: run_id(),
            started_s: now_s,
            expires_actively: true,
            hz: config.general.hz,
            ..Lifecycle::default()
        };
        let bio = Bio::start();
        let mut keyspace = Keyspace::new(config.general.databases as usize);
        keyspace.lazy.use_thread(bio.clone());
        keyspace.lazy.configure(&config.memory);
        Ok(Self {
            events: Events::new()?,
            clock,
            ssl: Ssl::default(),
            doors: Vec::new(),
            keyspace,
            functions: Functions::default(),
            collation: Collation::default(),
            random: Random::from_system(),
            clients: Clients::default(),
            parked: ParkedClients::default(),
            blocking: Blocking::default(),
            pause: Pause::default(),
            watches: Watches::default(),
            pubsub: PubSub::default(),
            tracking: Tracking::default(),
            propagation: Propagation::default(),
            replication: Replication::default(),
            commands: Commands::default(),
            stats: Stats::default(),
            slowlog: SlowLog::default(),
            latency: Latency::default(),
            monitors: Monitors::default(),
            lifecycle,
            snapshots: Snapshots { last_save_s: now_s, ..Snapshots::default() },
            children: Children::default(),
            bio,
            arrivals: Arrivals::default(),
            config,
            turn_began_us: 0,
            turn_commands_before: 0,
            title: None,
            wake: None,
            oom_score: OomScore::default(),
            watchdog: Watchdog::default(),
        })
    }

    /// Whether the data is not all there yet.
    #[inline]
    pub fn is_loading(&self) -> bool {
        self.snapshots.loading.is_some()
    }

    /// Returns how long the history of writes is, with what was not fed to replicas yet.
    pub fn history_bytes(&self) -> u64 {
        let waiting = match self.replication.backlog {
            Some(_) => self.propagation.stream().len() as u64,
            None => 0,
        };
        self.replication.offset() + waiting
    }

    /// Returns the time in the form that keys expire by.
    pub fn now_ms(&self) -> i64 {
        i64::try_from(self.clock.now_ms()).unwrap_or(i64::MAX)
    }

    /// Whether the latency monitor wants to know of anything.
    #[inline]
    pub fn watches_latency(&self) -> bool {
        self.config.logging.latency_monitor_threshold_ms != 0
    }

    /// Tells the latency monitor of something that took a while.
    #[inline]
    pub fn note_latency(&mut self, event: Event, took: Duration) {
        if self.watches_latency() {
            let threshold_ms = self.config.logging.latency_monitor_threshold_ms;
            let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.latency.note(event, took_us, threshold_ms, self.clock.now_s());
        }
    }

    /// Whether this talk may not go on before AUTH.
    pub fn requires_auth(&self, session: &Session) -> bool {
        !session.is_authenticated && !self.config.security.requirepass.is_empty()
    }

    /// Whether a client is connected from this machine.
    pub fn is_local(&self, id: ClientId) -> bool {
        let client = self.clients.peek(id);
        let wire = client.and_then(|client| client.wire.as_ref());
        wire.is_none_or(|(_, connection)| connection.peer().is_local())
    }

    /// Describes a client in one line, for the log.
    pub fn describe_client(&self, id: ClientId) -> String {
        let now_ms = self.now_ms();
        let Some(client) = self.clients.peek(id) else { return String::new() };
        let line = match &client.frame {
            Some(frame) => describe(client, &Talk::from(&**frame), now_ms),
            // It runs a command just now; what it says is not at hand.
            None => format!("id={} addr={}", client.number, client.peer).into_bytes(),
        };
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Describes the client whose command runs.
    pub fn describe_caller(&self, call: &Call<'_>) -> Vec<u8> {
        let now_ms = self.now_ms();
        let Some(client) = self.clients.peek(call.client) else { return Vec::new() };
        let talk = Talk {
            session: call.session,
            query: Some(call.query),
            reply: call.reply,
            argument_bytes: call.argv.total_bytes(),
        };
        describe(client, &talk, now_ms)
    }

    fn turn_began(&mut self) {
        self.turn_began_us = self.clock.monotonic_us();
        self.turn_commands_before = self.stats.commands;
    }

    /// How long this turn has been busy.
    fn turn_took(&self) -> Duration {
        Duration::from_micros(self.clock.monotonic_us() - self.turn_began_us)
    }

    fn turn_ended(&mut self) {
        let took_us = self.clock.read_monotonic_us() - self.turn_began_us;
        self.stats.count_turn(took_us, self.turn_commands_before);
    }
}

impl crash::Witness for Server {
    fn tell(&self, report: &mut crash::Report<'_>) {
        report.section("INFO OUTPUT", &info::info(self, &[b"everything"]));
        let mut clients = Vec::new();
        for (id, _) in self.clients.iter() {
            clients.extend_from_slice(self.describe_client(id).as_bytes());
            clients.push(b'\n');
        }
        report.section("CLIENT LIST OUTPUT", &clients);
    }
}

impl ae::Owner for Server {
    type Datum = Datum;

    fn events(&mut self) -> &mut Events<Self> {
        &mut self.events
    }
}

impl net::Owner for Server {
    fn connection(&mut self, datum: Datum) -> Option<&mut Connection> {
        let Datum::Client(id) = datum else { return None };
        self.clients.find(id)?.wire.as_mut().map(|(_, connection)| connection)
    }

    fn ssl(&mut self) -> &mut Ssl {
        &mut self.ssl
    }
}
