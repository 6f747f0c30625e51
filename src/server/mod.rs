//! Flow: the owner of all state, split into rooms.
//!
//! Two rooms at once are borrowed by destructuring: `let Server { keyspace, bio, .. }
//! = server`. What runs commands on it stands in the files beside.

pub mod accept;
pub mod before_sleep;
pub mod call;
pub mod children;
pub mod cron;
pub mod info;
pub mod input;
pub mod listen;
pub mod notify;
pub mod output;
pub mod process;
pub mod shutdown;
pub mod start;

use std::io;

use ae::{Events, Fd};
use base::{clock::Clock, random::Random};
use net::{
    Connection,
    listener::Listener,
    ssl::{Ssl, Handshakes},
};

use crate::{
    bio::Bio,
    client::{ClientId, Clients, Session},
    command::Commands,
    config::Config,
    keyspace::Keyspace,
    lifecycle::Lifecycle,
    stats::Stats,
};

/// What a file event is told besides its file.
#[derive(Clone, Copy, Debug)]
pub enum Datum {
    /// A socket that clients come to, by its place among the listeners.
    Listener(u16),
    /// A client's connection.
    Client(ClientId),
    /// A signal came.
    Signal,
}

/// A listening socket in the loop.
#[derive(Debug)]
pub struct Door {
    /// Its place in the loop.
    pub fd: Fd,
    /// The socket.
    pub listener: Listener,
    /// Who comes through it must speak TLS.
    pub is_ssl: bool,
}

/// Everything.
pub struct Server {
    /// The loop that drives all this, itself a room.
    pub events: Events<Self>,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub random: Random,
    /// See `Config`.
    pub config: Config,
    /// TLS: certificates, trust, and who is negotiating.
    pub ssl: Ssl<Self>,
    /// Where clients come from; a closed door leaves its place to another.
    pub doors: Vec<Option<Door>>,
    /// The data.
    pub keyspace: Keyspace,
    /// Who is connected.
    pub clients: Clients,
    /// What commands are called, and how often they were.
    pub commands: Commands,
    /// What was counted.
    pub stats: Stats,
    /// Who this process is, since when, and how it will end.
    pub lifecycle: Lifecycle,
    /// The thread that frees what is big.
    pub bio: Bio,
    /// A query buffer for whoever sends next: idle clients keep none.
    pub spare_query: Vec<u8>,
}
