//! Tool: what TLS holds in memory: no key goes for it, and all of it comes back.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    path::PathBuf,
};

use openssl::ssl::SslStream;
use resp::value::Value;
use tests_ssl::{
    Client, Served,
    client::{handshake, request, socket, trusting_anybody},
    wait_until,
};

use crate::ours;

/// What a server's own certificate and settings may take.
const CERTIFICATES_BYTES: u64 = 40 * 1024;
/// What s2n holds for an idle client, at most. For a busy one it is 18 KiB more.
const IDLE_BYTES_MAX: u64 = 10 * 1024;

/// A server, and a client of it that needs no TLS.
struct World {
    served: Served,
    witness: Client,
    /// Where the witness connects; gone with this.
    file: PathBuf,
}

impl World {
    fn new(name: &str, directives: &[&str]) -> Self {
        let file = format!("redis-ssl-{}-{name}.sock", std::process::id());
        let file = std::env::temp_dir().join(file);
        let words = [&["--unixsocket", file.to_str().unwrap()], directives].concat();
        let served = Served::over_ssl(name, ours("our server"), &words);
        let witness = Client::unix(&file).unwrap();
        Self { served, witness, file }
    }

    fn field(&mut self, name: &str) -> u64 {
        let text = self.witness.field(name).unwrap();
        text.parse().unwrap_or_else(|_| panic!("{name} is \"{text}\""))
    }

    fn tell(&mut self, words: &[&str]) -> String {
        self.witness.text(words).unwrap()
    }

    fn set(&mut self, name: &str, value: &str) {
        assert_eq!(self.tell(&["CONFIG", "SET", name, value]), "OK", "{name} {value}");
    }

    /// Waits until so many clients have given back what they do not need; returns what TLS
    /// holds then.
    fn wait_until_idle(&mut self, clients: u64) -> u64 {
        let mut held = u64::MAX;
        wait_until("buffers are given back", || {
            held = self.field("ssl_used_memory");
            held < CERTIFICATES_BYTES + clients * IDLE_BYTES_MAX
        });
        held
    }

    fn tls(&self) -> SslStream<TcpStream> {
        handshake(self.served.port(), trusting_anybody()).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

fn ping(tls: &mut SslStream<TcpStream>) {
    tls.write_all(b"PING\r\n").unwrap();
    let mut answer = [0; 7];
    tls.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn no_key_goes_for_connections_that_are_busy() {
    let mut world = World::new("tight", &["--maxmemory-policy", "allkeys-random"]);
    let mut clients: Vec<Client> = (0..20).map(|_| world.served.client()).collect();
    for client in &mut clients {
        assert_eq!(client.text(&["PING"]).unwrap(), "PONG");
    }
    assert_eq!(world.tell(&["DEBUG", "POPULATE", "4096", "key", "1"]), "OK");
    let idle = world.wait_until_idle(20);
    // For replies each takes some room while it is busy, as in Redis; TLS takes more.
    let limit = world.field("used_memory") + 20 * 8 * 1024;
    world.set("maxmemory", &limit.to_string());
    for client in &mut clients {
        assert_eq!(client.text(&["SET", "k1", "v1"]).unwrap(), "OK");
    }
    let busy = world.field("ssl_used_memory");
    assert!(idle + 20 * 12 * 1024 < busy, "it would have cost keys: {idle} {busy}");
    for client in &mut clients {
        assert_eq!(client.text(&["SET", "k2", "v2"]).unwrap(), "OK");
    }
    assert_eq!(world.field("evicted_keys"), 0);
    assert_eq!(world.tell(&["DBSIZE"]), "4098");
    assert!(world.field("used_memory") < limit);
}

#[test]
fn what_trackers_are_told_of_keys_that_go_makes_no_other_go() {
    let policy = ["--maxmemory-policy", "allkeys-lru", "--maxmemory-eviction-tenacity", "100"];
    let mut world = World::new("trackers", &policy);
    let mut trackers: Vec<Client> = (0..10).map(|_| world.served.client()).collect();
    for tracker in &mut trackers {
        tracker.ask(&["HELLO", "3"]).unwrap();
        assert_eq!(tracker.text(&["CLIENT", "TRACKING", "on"]).unwrap(), "OK");
    }
    for at in 0..300 {
        let key = format!("{at}{}", "x".repeat(1000));
        assert_eq!(world.tell(&["SET", &key, "x"]), "OK");
        for tracker in &mut trackers {
            assert_eq!(tracker.text(&["GET", &key]).unwrap(), "x");
        }
    }
    world.wait_until_idle(10);
    let used = world.field("used_memory");
    world.set("maxmemory", &(used - 40_000).to_string());
    let evicted = world.field("evicted_keys");
    // Some 40 of a KB, and more for what the next requests need; all, if sending counted.
    assert!((10..=100).contains(&evicted), "{evicted} keys went for 40 KB");
    for tracker in &mut trackers {
        for _ in 0..evicted {
            let Value::Push(message) = tracker.hear().unwrap() else { panic!("a reply") };
            assert_eq!(message[0], Value::Bulk(b"invalidate".into()));
        }
    }
    assert_eq!(world.field("evicted_keys"), evicted, "nor did any go later");
}

#[test]
fn what_connections_hold_comes_back_however_they_end() {
    let mut world = World::new("back", &["--rdb-key-save-delay", "10000"]);
    assert_eq!(world.tell(&["DEBUG", "POPULATE", "500"]), "OK");
    // The harness keeps a connection of its own.
    world.tell(&["CLIENT", "KILL", "TYPE", "normal"]);
    wait_until("nobody else is there", || world.field("connected_clients") == 1);
    comes_back(&mut world, "closed by the peer", |world| {
        let held = world.field("ssl_used_memory");
        let mut all: Vec<_> = (0..8).map(|_| world.tls()).collect();
        all.iter_mut().for_each(ping);
        assert!(held + 8 * 8 * 1024 < world.field("ssl_used_memory"));
        all.iter_mut().for_each(|tls| drop(tls.shutdown()));
    });
    comes_back(&mut world, "cut", |world| {
        let mut all: Vec<_> = (0..8).map(|_| world.tls()).collect();
        all.iter_mut().for_each(ping);
        all.iter().for_each(|tls| tls.get_ref().shutdown(Shutdown::Both).unwrap());
    });
    comes_back(&mut world, "killed with replies that wait", |world| {
        let mut slow = world.tls();
        assert_eq!(world.tell(&["SET", "big", &"v".repeat(1 << 20)]), "OK");
        slow.write_all(&request(&["GET", "big"]).repeat(16)).unwrap();
        wait_until("replies wait", || world.tell(&["CLIENT", "LIST"]).contains(" cmd=get "));
        assert_eq!(world.tell(&["CLIENT", "KILL", "TYPE", "normal"]), "1");
    });
    comes_back(&mut world, "who spoke no TLS", |world| {
        let mut raw = socket(world.served.port()).unwrap();
        raw.write_all(b"PING\r\n").unwrap();
        let _ = raw.read_to_end(&mut Vec::new());
    });
    comes_back(&mut world, "killed while a child has the session too", |world| {
        let mut tls = world.tls();
        ping(&mut tls);
        assert_eq!(world.tell(&["BGSAVE"]), "Background saving started");
        assert_eq!(world.tell(&["CLIENT", "KILL", "TYPE", "normal"]), "1");
        assert_eq!(world.field("rdb_bgsave_in_progress"), 1);
    });
    comes_back(&mut world, "closed as its certificate was renewed twice", |world| {
        let certificate = &world.served.certificate;
        let files = [certificate.certificate_file(), certificate.key_file()];
        let files = files.map(|file| file.to_str().unwrap().to_owned());
        let mut tls = world.tls();
        ping(&mut tls);
        for _ in 0..2 {
            let words = ["CONFIG", "SET", "ssl-renew-certificate", &files[0], &files[1]];
            assert_eq!(world.tell(&words), "OK");
        }
        assert_eq!(tls.read(&mut [0]).unwrap(), 0, "a goodbye");
    });
}

/// Runs one way of connections to live and to end, and sees that nothing of them stays.
fn comes_back(world: &mut World, way: &str, live: impl FnOnce(&mut World)) {
    let held = world.field("ssl_used_memory");
    live(world);
    wait_until(way, || world.field("ssl_used_memory") == held);
}
