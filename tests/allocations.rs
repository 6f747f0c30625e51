//! Tool: how many blocks of memory the commands that matter most take: none, where nothing is
//! stored, and exactly the record where something is.
//!
//! It is a program of its own, without the test harness, whose threads allocate as well.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io;

use base::{
    clock::Clock,
    memory::{self, Counting},
};
use redis::{
    client::ClientId,
    config::Config,
    server::{Server, before_sleep, process},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// So often a request is made before it is measured: buffers, histograms and tables have the
/// size they need then.
const WARM_UPS: usize = 3;
/// So often it is measured: a thread that is starting takes blocks as well.
const MEASURES: usize = 3;

struct World {
    server: Server,
    client: ClientId,
    /// Hears what is published, once it has subscribed.
    listener: ClientId,
}

/// What one request has taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Taken {
    blocks: usize,
    bytes: isize,
}

const NOTHING: Taken = Taken { blocks: 0, bytes: 0 };

impl World {
    fn new() -> io::Result<Self> {
        let mut server = Server::new(Config::new(false), Clock::fake(1_750_000_000_000))?;
        let now_ms = server.now_ms();
        let [client, listener] = [server.clients.add(now_ms), server.clients.add(now_ms)];
        for id in [client, listener] {
            let frame = server.clients.find(id).unwrap().frame.as_mut().unwrap();
            frame.session.is_authenticated = true;
        }
        Ok(Self { server, client, listener })
    }

    /// Runs a request and counts what it takes from the moment when its bytes are here.
    fn run(&mut self, request: &[&str], reply: &str) -> Taken {
        let taken = self.run_as(self.client, request, reply);
        self.frame(self.listener).reply.output_mut().clear();
        taken
    }

    fn run_as(&mut self, id: ClientId, request: &[&str], reply: &str) -> Taken {
        let bytes = conversation::encode(request);
        let Server { clients, arrivals, .. } = &mut self.server;
        let frame = clients.find(id).unwrap().frame.as_mut().unwrap();
        frame.query.borrow_buffer(|| arrivals.lend_buffer());
        frame.query.feed(&bytes);
        let (blocks, used) = (memory::allocations(), memory::used_bytes());
        process::process_input(&mut self.server, id);
        let taken = Taken {
            blocks: memory::allocations() - blocks,
            bytes: memory::used_bytes().cast_signed() - used.cast_signed(),
        };
        let output = self.frame(id).reply.output_mut();
        assert_eq!(String::from_utf8_lossy(output.front()), reply, "{request:?}");
        output.consume(reply.len());
        before_sleep::before_sleep(&mut self.server);
        taken
    }

    /// Runs a request a few times, each time behind `before`, and returns the least that one of
    /// the last took.
    fn measure(&mut self, before: &[(&[&str], &str)], request: &[&str], reply: &str) -> Taken {
        let runs = (0..WARM_UPS + MEASURES).map(|_| {
            for (request, reply) in before {
                self.run(request, reply);
            }
            self.run(request, reply)
        });
        runs.skip(WARM_UPS).min().expect("it is measured")
    }

    fn frame(&mut self, id: ClientId) -> &mut redis::client::Frame {
        self.server.clients.find(id).unwrap().frame.as_mut().unwrap()
    }
}

fn main() -> io::Result<()> {
    let mut world = World::new()?;
    let value = &"v".repeat(64)[..];
    let other = &"w".repeat(64)[..];
    let set: &[&str] = &["SET", "key", value];
    let bulk = format!("$64\r\n{value}\r\n");
    let none: &[(&[&str], &str)] = &[];

    let taken = world.measure(none, &["PING"], "+PONG\r\n");
    assert_eq!(taken, NOTHING, "PING");
    let taken = world.measure(&[(set, "+OK\r\n")], &["GET", "key"], &bulk);
    assert_eq!(taken, NOTHING, "GET of a key that is there");
    let taken = world.measure(none, &["GET", "none"], "$-1\r\n");
    assert_eq!(taken, NOTHING, "GET of a key that is not there");
    let zero: (&[&str], &str) = (&["SET", "number", "10"], "+OK\r\n");
    let taken = world.measure(&[zero], &["INCR", "number"], ":11\r\n");
    assert_eq!(taken, NOTHING, "INCR");
    let taken = world.measure(&[(set, "+OK\r\n")], &["SET", "key", other], "+OK\r\n");
    assert_eq!(taken, NOTHING, "SET over a value of the same size");
    let taken = world.measure(none, &["EXPIRE", "key", "1000"], ":1\r\n");
    assert_eq!(taken, NOTHING, "EXPIRE of a key that expires already");
    let taken = world.measure(none, &["TTL", "key"], ":1000\r\n");
    assert_eq!(taken, NOTHING, "TTL");
    let taken = world.measure(none, &["EXISTS", "key", "none"], ":1\r\n");
    assert_eq!(taken, NOTHING, "EXISTS");

    // Header, key, length and value, 8 + 3 + 1 + 64 bytes, stand in a block of 80.
    world.run(&["SET", "new", value], "+OK\r\n");
    let gone: (&[&str], &str) = (&["DEL", "new"], ":1\r\n");
    let taken = world.measure(&[gone], &["SET", "new", value], "+OK\r\n");
    assert_eq!(taken, Taken { blocks: 1, bytes: 80 }, "SET of a new key");
    let taken = world.run(&["DEL", "new"], ":1\r\n");
    assert_eq!(taken, Taken { blocks: 0, bytes: -80 }, "DEL gives all of it back");

    let publish: &[&str] = &["PUBLISH", "news", value];
    let taken = world.measure(none, publish, ":0\r\n");
    assert_eq!(taken, NOTHING, "PUBLISH that nobody hears");
    world.run(&["CONFIG", "SET", "notify-keyspace-events", "KEAmn"], "+OK\r\n");
    let taken = world.measure(none, set, "+OK\r\n");
    assert_eq!(taken, NOTHING, "SET whose event nobody hears");
    world.run(&["CONFIG", "SET", "notify-keyspace-events", ""], "+OK\r\n");
    let subscribe: &[&str] = &["SUBSCRIBE", "news"];
    let subscribed = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
    world.run_as(world.listener, subscribe, subscribed);
    let taken = world.measure(none, publish, ":1\r\n");
    assert_eq!(taken, NOTHING, "PUBLISH");
    let taken = world.measure(none, set, "+OK\r\n");
    assert_eq!(taken, NOTHING, "SET beside a subscriber, without events");
    println!("no block is taken that is not needed");
    Ok(())
}
