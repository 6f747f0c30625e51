//! Tool: a storm of connects beside a few clients that go about their work.
//!
//! The storm is one thread that drives all handshakes at once; the others ask, each in a
//! thread of its own, a little while after each answer, and wait for one answer at a time.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use conversation::{Program, reference};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use openssl::ssl::{HandshakeError, MidHandshakeSslStream, SslContext, SslStream};
use tests_ssl::{
    Client, Served,
    client::{session, trusting_anybody},
    sized,
};

use crate::ours;

const ESTABLISHED: usize = 20;
const PACE: Duration = Duration::from_millis(10);

enum Peer {
    Connecting(TcpStream),
    Negotiating(MidHandshakeSslStream<TcpStream>),
    /// Kept open: a client that has come.
    Through(#[expect(dead_code, reason = "held, not looked at")] SslStream<TcpStream>),
    Failed,
}

/// What a storm came to.
#[derive(Debug)]
struct Storm {
    through: usize,
    failed: usize,
    took: Duration,
}

fn begin(context: &SslContext, stream: TcpStream) -> Peer {
    advance(session(context).unwrap().connect(stream))
}

fn advance(outcome: Result<SslStream<TcpStream>, HandshakeError<TcpStream>>) -> Peer {
    match outcome {
        Ok(stream) => Peer::Through(stream),
        Err(HandshakeError::WouldBlock(peer)) => Peer::Negotiating(peer),
        Err(_) => Peer::Failed,
    }
}

/// Connects so many at once, and goes on until all are through or the time is over.
fn storm(port: u16, count: usize, limit: Duration) -> io::Result<Storm> {
    let context = trusting_anybody().build();
    let mut poll = Poll::new()?;
    let began = Instant::now();
    let mut peers = Vec::with_capacity(count);
    for at in 0..count {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        poll.registry().register(
            &mut stream,
            Token(at),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        peers.push(Peer::Connecting(stream));
    }
    let (mut through, mut failed) = (0, 0);
    let mut events = Events::with_capacity(1024);
    while through + failed < count && began.elapsed() < limit {
        match poll.poll(&mut events, Some(Duration::from_millis(100))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            let at = event.token().0;
            let next = match std::mem::replace(&mut peers[at], Peer::Failed) {
                Peer::Connecting(stream) if event.is_writable() => begin(&context, stream),
                Peer::Negotiating(peer) => advance(peer.handshake()),
                other => {
                    peers[at] = other;
                    continue;
                }
            };
            match &next {
                Peer::Through(_) => through += 1,
                Peer::Failed => failed += 1,
                _ => {}
            }
            peers[at] = next;
        }
    }
    Ok(Storm { through, failed, took: began.elapsed() })
}

/// Asks now and then; returns how long each answer took to come.
fn pace(port: u16, is_over: &AtomicBool) -> Vec<Duration> {
    let mut client = Client::tls(port).unwrap();
    let mut waits = Vec::new();
    while !is_over.load(Relaxed) {
        thread::sleep(PACE);
        let asked = Instant::now();
        client.text(&["PING"]).unwrap();
        waits.push(asked.elapsed());
    }
    waits
}

fn weather(server: &Served, count: usize, limit: Duration) -> (Storm, Vec<Duration>) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (is_over, port) = (&is_over, server.port());
        let paced: Vec<_> =
            (0..ESTABLISHED).map(|_| scope.spawn(move || pace(port, is_over))).collect();
        thread::sleep(Duration::from_millis(200));
        let storm = storm(port, count, limit).unwrap();
        is_over.store(true, Relaxed);
        let mut waits: Vec<Duration> =
            paced.into_iter().flat_map(|paced| paced.join().unwrap()).collect();
        waits.sort();
        (storm, waits)
    })
}

fn at_percent(waits: &[Duration], percent: usize) -> Duration {
    waits[(waits.len() * percent / 100).min(waits.len() - 1)]
}

fn observe(program: Program, count: usize, limit: Duration) -> (Storm, Duration) {
    let name = format!("storm-{count}");
    let cpu = ["--server_cpulist", "0"];
    let server = Served::over_tls_port(&name, program, sized(&[][..], &cpu[..]));
    let (storm, waits) = weather(&server, count, limit);
    let p99 = at_percent(&waits, 99);
    println!(
        "{storm:?}; {} answers, p50 {:?}, p99 {p99:?}, the longest {:?}",
        waits.len(),
        at_percent(&waits, 50),
        waits.last().unwrap()
    );
    (storm, p99)
}

#[test]
fn a_storm_of_connects_is_served_and_clients_hardly_notice() {
    let count = sized(300, 5000);
    let limit = sized(Duration::from_secs(30), Duration::from_secs(60));
    let (storm, p99) = observe(ours("our server"), count, limit);
    assert_eq!(storm.through + storm.failed, count);
    let Some(reference) = reference() else { return };
    let (their_storm, their_p99) = observe(reference, count, storm.took);
    println!("p99 {:.3} of the reference's", p99.as_secs_f64() / their_p99.as_secs_f64());
    // It serves all newcomers whole before anybody else; of a few that is no great matter.
    let share = sized(1, 10);
    assert!(p99 * share <= their_p99, "{p99:?} {their_p99:?}");
    if share != 1 {
        assert!(their_storm.through <= storm.through, "{their_storm:?}");
    }
}
