//! Tool: what a connection costs its server: processor time of the serving thread alone.
//!
//! `cargo run --release -p net --features ssl --example speed [name of a measurement]`. The
//! peer is OpenSSL in a thread of its own, over loopback TCP. Numbers are medians of rounds.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing to say")]

use std::{
    env, fs,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ae::{Events, Fd, Mask};
use net::{
    Address, Connection, Owner, Stream,
    ssl::{HANDSHAKE_BUDGET, Settings, Ssl},
    ssl_negotiate, step_handshakes,
};
use nix::time::{ClockId, clock_gettime};
use openssl::{
    asn1::Asn1Time,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    ssl::{SslConnector, SslMethod, SslSession, SslSessionCacheMode, SslVerifyMode},
    x509::{X509, X509NameBuilder},
};

const ROUNDS: usize = 5;
const MEGABYTE: usize = 1 << 20;

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

struct World {
    events: Events<Self>,
    ssl: Ssl,
    client: Option<(Connection, Fd)>,
    /// What one request takes and what its reply is.
    request_bytes: usize,
    reply: Vec<u8>,
    space: Vec<u8>,
    received: usize,
    /// Of the reply under way; all of it when there is none.
    sent: usize,
    is_over: bool,
    handshakes: usize,
}

impl ae::Owner for World {
    type Datum = ();

    fn events(&mut self) -> &mut Events<Self> {
        &mut self.events
    }
}

impl Owner for World {
    fn connection(&mut self, (): ()) -> Option<&mut Connection> {
        self.client.as_mut().map(|(connection, _)| connection)
    }

    fn ssl(&mut self) -> &mut Ssl {
        &mut self.ssl
    }
}

fn serve(world: &mut World, fd: Fd, (): (), mask: Mask) {
    let Some((connection, _)) = &mut world.client else { return };
    if mask.meets(Mask::READ) {
        world.space.clear();
        match connection.read_into(&mut world.space) {
            Ok(received) => {
                if received.is_drained {
                    world.events.drained(fd, Mask::READ);
                } else if received.bytes == 0 {
                    return close(world);
                }
                world.received += received.bytes;
            }
            Err(_) => return close(world),
        }
    }
    if world.received >= world.request_bytes && world.sent == world.reply.len() {
        (world.received, world.sent) = (world.received - world.request_bytes, 0);
    }
    while world.sent < world.reply.len() {
        match connection.write(&world.reply[world.sent..]) {
            Ok(bytes) => world.sent += bytes,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => return close(world),
        }
    }
    let is_blocked = connection.flush().is_err() || world.sent < world.reply.len();
    if is_blocked {
        world.events.drained(fd, Mask::WRITE);
    }
    world.events.want(fd, if is_blocked { Mask::READ | Mask::WRITE } else { Mask::READ });
}

fn close(world: &mut World) {
    let (mut connection, fd) = world.client.take().unwrap();
    world.events.remove(fd, connection.stream());
    connection.close();
    world.is_over = true;
}

fn negotiated(world: &mut World, fd: Fd, (): (), outcome: std::io::Result<()>) {
    outcome.unwrap();
    world.handshakes += 1;
    world.events.hand_over(fd, serve, (), Mask::READ);
}

impl World {
    fn new(settings: Settings, request_bytes: usize, reply_bytes: usize) -> Self {
        Self {
            events: Events::new().unwrap(),
            ssl: Ssl::load(settings, now_s()).unwrap(),
            client: None,
            request_bytes,
            reply: vec![b'r'; reply_bytes],
            space: Vec::with_capacity(request_bytes.clamp(16 * 1024, 256 * 1024)),
            received: 0,
            sent: reply_bytes,
            is_over: false,
            handshakes: 0,
        }
    }

    fn add(&mut self, stream: TcpStream, is_ssl: bool) {
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        let stream = Stream::Tcp(mio::net::TcpStream::from_std(stream));
        let mut connection = match is_ssl {
            true => Connection::accepted(&self.ssl, stream, Address::Unknown).unwrap(),
            false => Connection::plain(stream, Address::Unknown),
        };
        let fd = self.events.add(connection.stream(), serve, (), Mask::READ).unwrap();
        self.client = Some((connection, fd));
        self.is_over = false;
        if is_ssl {
            ssl_negotiate(&mut self.events, fd, negotiated, ());
        }
    }

    fn turn(&mut self) {
        step_handshakes(self, HANDSHAKE_BUDGET);
        ae::poll_once(self, Duration::from_millis(100)).unwrap();
    }

    fn run(&mut self) {
        while !self.is_over {
            self.turn();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "certificates are valid by the real clock")]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    theirs.set_nodelay(true).unwrap();
    theirs.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    (listener.accept().unwrap().0, theirs)
}

fn connector() -> SslConnector {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.build()
}

fn wrap(stream: TcpStream, is_ssl: bool) -> Box<dyn Wire> {
    if is_ssl {
        Box::new(connector().connect("localhost", stream).unwrap())
    } else {
        Box::new(stream)
    }
}

/// Processor time of one request with its reply.
fn requests(settings: &Settings, is_ssl: bool, request: usize, reply: usize, count: usize) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let mut world = World::new(settings.clone(), request, reply);
            let (ours, theirs) = pair();
            let (go, gone) = mpsc::channel();
            let peer = thread::spawn(move || {
                let mut wire = wrap(theirs, is_ssl);
                let (request, mut space) = (vec![b'q'; request], vec![0; reply]);
                for at in 0..=count {
                    wire.write_all(&request).unwrap();
                    wire.read_exact(&mut space).unwrap();
                    if at == 0 {
                        go.send(()).unwrap();
                    }
                }
            });
            world.add(ours, is_ssl);
            while gone.try_recv().is_err() {
                world.turn();
            }
            let before = cpu();
            world.run();
            peer.join().unwrap();
            (cpu() - before).as_secs_f64() * 1e6 / count as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// Processor time of one handshake.
fn handshakes(settings: &Settings, is_resumed: bool, count: usize) -> f64 {
    let mut world = World::new(settings.clone(), 1, 1);
    let (sender, sessions) = mpsc::channel::<SslSession>();
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
    builder.set_new_session_callback(move |_, session| drop(sender.send(session)));
    let connector = builder.build();
    let mut rounds = Vec::new();
    let mut session: Option<SslSession> = None;
    for _ in 0..count {
        let (ours, theirs) = pair();
        let mut ssl = connector.configure().unwrap().into_ssl("localhost").unwrap();
        if let Some(session) = session.take().filter(|_| is_resumed) {
            #[expect(unsafe_code, reason = "openssl cannot know which context made it")]
            // SAFETY: this connector made it.
            unsafe { ssl.set_session(&session) }.unwrap();
        }
        let peer = thread::spawn(move || {
            let mut tls = ssl.connect(theirs).unwrap();
            tls.write_all(b"x").unwrap();
            tls.read_exact(&mut [0]).unwrap();
            tls.shutdown().unwrap();
            let _ = tls.get_ref().shutdown(Shutdown::Write);
            tls.ssl().session_reused()
        });
        world.add(ours, true);
        let before = cpu();
        world.run();
        let spent = (cpu() - before).as_secs_f64() * 1e6;
        if peer.join().unwrap() == is_resumed {
            rounds.push(spent);
        }
        session = sessions.try_iter().last();
    }
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn heap() -> usize {
    #[expect(unsafe_code, reason = "libc only")]
    // SAFETY: it has no preconditions.
    unsafe { libc::mallinfo2() }.uordblks
}

/// Heap of one idle connection: just served, and after `release_idle`.
fn idle(settings: &Settings) -> (usize, usize) {
    const COUNT: usize = 100;
    let mut world = World::new(settings.clone(), 1, 1);
    let mut kept = Vec::new();
    let before = heap();
    for _ in 0..COUNT {
        let (ours, theirs) = pair();
        let (done, is_done) = mpsc::channel();
        // The peer's own heap is freed before we look.
        let peer = thread::spawn(move || {
            let mut tls = connector().connect("localhost", theirs).unwrap();
            tls.write_all(b"x").unwrap();
            tls.read_exact(&mut [0]).unwrap();
            done.send(()).unwrap();
            tls.get_ref().try_clone().unwrap()
        });
        world.add(ours, true);
        while is_done.try_recv().is_err() {
            world.turn();
        }
        let (mut connection, fd) = world.client.take().unwrap();
        world.events.remove(fd, connection.stream());
        kept.push((connection, peer.join().unwrap()));
    }
    let busy = heap() - before;
    kept.iter_mut().for_each(|(connection, _)| connection.release_idle());
    (busy / COUNT, (heap() - before) / COUNT)
}

fn papers(folder: &Path, name: &str, key: PKey<Private>) -> Settings {
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", "localhost").unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(9).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let path = |end: &str| folder.join(format!("{name}.{end}")).to_str().unwrap().to_owned();
    fs::write(path("crt"), builder.build().to_pem().unwrap()).unwrap();
    fs::write(path("key"), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    Settings {
        enable_ssl: true,
        certificate_file: path("crt").into(),
        private_key_file: path("key").into(),
        ..Settings::default()
    }
}

fn main() {
    let only = env::args().nth(1).unwrap_or_default();
    let wanted = |name: &str| name.starts_with(&only);
    let folder = env::temp_dir().join(format!("net-speed-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let ec = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let p256 = papers(&folder, "p256", ec);
    let rsa = papers(&folder, "rsa", PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());
    for (name, is_ssl) in [("plain", false), ("tls", true)] {
        if wanted("small") {
            let us = requests(&p256, is_ssl, 14, 7, 20_000);
            println!("small    {name:6} {us:8.2} us a request");
        }
        if wanted("get") {
            let us = requests(&p256, is_ssl, 30, MEGABYTE, 200);
            println!("get 1M   {name:6} {us:8.1} us a MB");
            let us = requests(&p256, is_ssl, 30, 16 * 1024, 5_000);
            println!("get 16K  {name:6} {us:8.2} us a request");
        }
        if wanted("set") {
            let us = requests(&p256, is_ssl, MEGABYTE, 5, 200);
            println!("set 1M   {name:6} {us:8.1} us a MB");
            let us = requests(&p256, is_ssl, 16 * 1024, 5, 5_000);
            println!("set 16K  {name:6} {us:8.2} us a request");
        }
    }
    if wanted("handshake") {
        for (name, settings) in [("P-256", &p256), ("RSA-2048", &rsa)] {
            println!("handshake {name:8} full    {:7.0} us", handshakes(settings, false, 200));
            println!("handshake {name:8} resumed {:7.0} us", handshakes(settings, true, 200));
        }
    }
    if wanted("idle") {
        let (busy, idle) = idle(&p256);
        println!("idle connection {idle} bytes, {busy} before its buffers were released");
    }
    fs::remove_dir_all(folder).unwrap();
}
