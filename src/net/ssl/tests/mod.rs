//! Tool: what the SSL layer promises, shown with OpenSSL as the peer.
//!
//! A `World` is a small server: it accepts, negotiates and echoes, all in the thread of the
//! test, while the peer runs in a thread of its own, over a pair of Unix sockets. Every
//! socket of a peer has a timeout, so a test that waits in vain fails and does not hang.

mod data;
mod handshake;
mod memory;
mod papers;
mod renewal;
mod tools;
mod trust;

use std::{
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    sync::mpsc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ae::{Events, Fd, Mask};
use openssl::ssl::{
    SslConnector, SslConnectorBuilder, SslMethod, SslSession, SslSessionCacheMode, SslStream,
    SslVerifyMode, SslVersion,
};

use super::{Failure, HANDSHAKE_BUDGET, HandshakeError, Settings, Ssl, TlsInfo};
use crate::{Address, Connection, Owner, connection::Transport, ssl_negotiate, step_handshakes};
use papers::Papers;

const PEER_TIMEOUT: Duration = Duration::from_secs(10);
/// More than this is not read before some of it is echoed.
const PENDING_MAX: usize = 2 << 20;

#[expect(clippy::disallowed_methods, reason = "certificates are valid by the real clock")]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

struct World {
    events: Events<Self>,
    ssl: Ssl,
    clients: Vec<Option<Client>>,
    /// How each handshake ended, in order.
    outcomes: Vec<Result<TlsInfo, (Failure, String)>>,
    /// How each connection ended: nothing for a clean end.
    ends: Vec<Option<String>>,
    /// Handshakes that ended well, plaintext counted.
    through: usize,
    budget: Duration,
    /// Handler calls, to see that nothing spins.
    served: u64,
    is_reading: bool,
}

struct Client {
    connection: Connection,
    fd: Fd,
    pending: Vec<u8>,
    received: usize,
}

impl ae::Owner for World {
    type Datum = usize;

    fn events(&mut self) -> &mut Events<Self> {
        &mut self.events
    }
}

impl Owner for World {
    fn connection(&mut self, at: usize) -> Option<&mut Connection> {
        self.clients[at].as_mut().map(|client| &mut client.connection)
    }

    fn ssl(&mut self) -> &mut Ssl {
        &mut self.ssl
    }
}

impl World {
    fn new(settings: Settings) -> Self {
        let ssl = Ssl::load(settings, now_s()).unwrap();
        Self {
            events: Events::new().unwrap(),
            ssl,
            clients: Vec::new(),
            outcomes: Vec::new(),
            ends: Vec::new(),
            through: 0,
            budget: HANDSHAKE_BUDGET,
            served: 0,
            is_reading: true,
        }
    }

    /// Makes a pair of sockets, and begins to negotiate on ours.
    fn accept(&mut self) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_read_timeout(Some(PEER_TIMEOUT)).unwrap();
        theirs.set_write_timeout(Some(PEER_TIMEOUT)).unwrap();
        let stream = crate::Stream::Unix(mio::net::UnixStream::from_std(ours));
        let connection =
            Connection::accepted(&self.ssl, stream, Address::Unix("test".into())).unwrap();
        self.add(connection);
        theirs
    }

    fn add(&mut self, mut connection: Connection) -> usize {
        let at = self.clients.len();
        let fd = self.events.add(connection.stream(), serve, at, Mask::NONE).unwrap();
        self.clients.push(Some(Client { connection, fd, pending: Vec::new(), received: 0 }));
        ssl_negotiate(&mut self.events, fd, negotiated, at);
        at
    }

    fn close(&mut self, at: usize) {
        let Some(mut client) = self.clients[at].take() else { return };
        self.events.remove(client.fd, client.connection.stream());
        client.connection.close();
    }

    fn client(&mut self, at: usize) -> &mut Client {
        self.clients[at].as_mut().unwrap()
    }

    fn tls(&mut self, at: usize) -> &mut super::Connection {
        let Transport::Ssl(connection) = self.client(at).connection.transport() else {
            panic!("plain")
        };
        connection
    }

    fn turn(&mut self) {
        step_handshakes(self, self.budget);
        ae::poll_once(self, Duration::from_millis(5)).unwrap();
    }

    fn turns_until(&mut self, condition: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PEER_TIMEOUT;
        while !condition(self) {
            assert!(Instant::now() < end, "waited in vain");
            self.turn();
        }
    }

    /// Serves while the peer does its part.
    fn serve_while<T: Send>(&mut self, peer: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let peer = scope.spawn(peer);
            while !peer.is_finished() {
                self.turn();
            }
            peer.join().unwrap()
        })
    }

    fn field(&self, name: &str) -> String {
        let fields = self.ssl.info(now_s());
        let field = fields.iter().find(|(field, _)| field == name);
        field.unwrap_or_else(|| panic!("no field {name}")).1.clone()
    }
}

fn negotiated(world: &mut World, fd: Fd, at: usize, outcome: io::Result<()>) {
    match outcome {
        Ok(()) => {
            world.through += 1;
            let info = world.client(at).connection.tls_info();
            world.outcomes.extend(info.map(Ok));
            let wanted = if world.is_reading { Mask::READ } else { Mask::NONE };
            world.events.hand_over(fd, serve, at, wanted);
        }
        Err(error) => {
            world.outcomes.push(Err((HandshakeError::of(&error), error.to_string())));
            world.close(at);
        }
    }
}

/// Echoes.
fn serve(world: &mut World, fd: Fd, at: usize, mask: Mask) {
    world.served += 1;
    let World { events, clients, ends, .. } = world;
    let Some(client) = &mut clients[at] else { return };
    let mut space = [0; 16 * 1024];
    if mask.meets(Mask::READ) {
        match client.connection.read(&mut space) {
            Ok(received) => {
                if received.is_drained {
                    events.drained(fd, Mask::READ);
                } else if received.bytes == 0 {
                    ends.push(None);
                    return world.close(at);
                }
                client.received += received.bytes;
                client.pending.extend_from_slice(&space[..received.bytes]);
            }
            Err(error) => {
                ends.push(Some(error.to_string()));
                return world.close(at);
            }
        }
    }
    let is_blocked = match send(client) {
        Ok(()) => false,
        Err(error) if error.kind() == ErrorKind::WouldBlock => true,
        Err(error) => {
            ends.push(Some(error.to_string()));
            return world.close(at);
        }
    };
    if is_blocked {
        events.drained(fd, Mask::WRITE);
    }
    let reading = if client.pending.len() < PENDING_MAX { Mask::READ } else { Mask::NONE };
    events.want(fd, if is_blocked { Mask::WRITE | reading } else { Mask::READ });
}

fn send(client: &mut Client) -> io::Result<()> {
    while !client.pending.is_empty() {
        let sent = client.connection.write(&client.pending)?;
        client.pending.drain(..sent);
    }
    client.connection.flush()
}

/// A peer that trusts anybody.
fn connector() -> SslConnectorBuilder {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder
}

/// A peer that gives away each session that it may resume.
fn remembering(version: SslVersion) -> (SslConnector, mpsc::Receiver<SslSession>) {
    let mut builder = connector();
    builder.set_max_proto_version(Some(version)).unwrap();
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
    let (sender, sessions) = mpsc::channel();
    builder.set_new_session_callback(move |_, session| {
        let _ = sender.send(session);
    });
    (builder.build(), sessions)
}

/// Connects, with a session if there is one, and has one byte echoed.
fn resume(
    connector: &SslConnector,
    stream: UnixStream,
    session: Option<&SslSession>,
) -> SslStream<UnixStream> {
    let configuration = connector.configure().unwrap().verify_hostname(false);
    let mut ssl = configuration.into_ssl("localhost").unwrap();
    if let Some(session) = session {
        // SAFETY: the session is of this very connector.
        #[expect(unsafe_code, reason = "openssl cannot know which context made it")]
        unsafe { ssl.set_session(session) }.unwrap();
    }
    let mut tls = ssl.connect(stream).unwrap();
    tls.write_all(b"x").unwrap();
    tls.read_exact(&mut [0]).unwrap();
    tls
}

fn connect(
    builder: SslConnectorBuilder,
    stream: UnixStream,
) -> Result<SslStream<UnixStream>, String> {
    connect_as("localhost", builder, stream)
}

fn connect_as(
    name: &str,
    builder: SslConnectorBuilder,
    stream: UnixStream,
) -> Result<SslStream<UnixStream>, String> {
    let configuration = builder.build().configure().unwrap();
    configuration.verify_hostname(false).connect(name, stream).map_err(|error| error.to_string())
}

/// A server with a P-256 certificate of its own CA.
fn settings(papers: &Papers) -> Settings {
    Settings {
        enable_ssl: true,
        certificate_file: papers.path("server.crt").into(),
        private_key_file: papers.path("server.key").into(),
        ..Settings::default()
    }
}
