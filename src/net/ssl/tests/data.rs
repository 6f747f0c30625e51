//! Tool: what flows over an open connection, and what it costs.

use std::{
    io::{IoSlice, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    thread,
    time::Duration,
};

use ae::Mask;
use openssl::ssl::SslStream;

use super::{
    super::{PerformanceMode, Settings, memory::used_bytes},
    World, connect, connector,
    papers::Papers,
    settings,
};

fn open(world: &mut World) -> (usize, SslStream<UnixStream>) {
    let stream = world.accept();
    let at = world.clients.len() - 1;
    let tls = world.serve_while(|| connect(connector(), stream).unwrap());
    world.turns_until(|world| world.outcomes.len() == at + 1);
    (at, tls)
}

#[test]
fn eight_megabytes_come_and_go_without_spinning() {
    const BYTES: usize = 8 << 20;
    let papers = Papers::new();
    for performance_mode in [PerformanceMode::LowLatency, PerformanceMode::HighThroughput] {
        let mut world = World::new(Settings { performance_mode, ..settings(&papers) });
        let (_, mut tls) = open(&mut world);
        let data: Vec<u8> = (0..BYTES).map(|at| (at * 31 % 251) as u8).collect();
        world.served = 0;
        world.serve_while(|| {
            let mut echoed = vec![0; 512 << 10];
            // More is under way than the sockets hold, so both sides block at times.
            for piece in data.chunks(echoed.len()) {
                tls.write_all(piece).unwrap();
                tls.read_exact(&mut echoed[..piece.len()]).unwrap();
                assert!(echoed[..piece.len()] == *piece);
            }
        });
        assert!(world.served < 20_000, "{} calls for 8 MB", world.served);
    }
}

#[test]
fn data_inside_s2n_is_served_fairly_while_the_socket_is_silent() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let (at, mut tls) = open(&mut world);
    let fd = world.client(at).fd;
    // A handler that takes a little at a time.
    fn sip(world: &mut World, fd: ae::Fd, at: usize, _: Mask) {
        world.served += 1;
        let received = world.client(at).connection.read(&mut [0; 100]).unwrap();
        world.client(at).received += received.bytes;
        if received.is_drained {
            world.events.drained(fd, Mask::READ);
        }
    }
    world.events.hand_over(fd, sip, at, Mask::READ);
    tls.write_all(&[7; 1000]).unwrap();
    world.turns_until(|world| world.clients[at].as_ref().unwrap().received == 1000);
    assert!((10..=13).contains(&world.served), "{}", world.served);
    let total: u64 = world.field("ssl_total_repeated_reads").parse().unwrap();
    assert!((8..=11).contains(&total), "{total}");
    assert_eq!(world.field("ssl_max_simultaneous_repeated_reads"), "1");
    (0..3).for_each(|_| world.turn());
    assert_eq!(world.field("ssl_cur_repeated_reads"), "0");
    // Nobody wants to read: nothing spins. Then one closes in the middle of it.
    tls.write_all(&[7; 1000]).unwrap();
    world.turns_until(|world| world.clients[at].as_ref().unwrap().received == 1100);
    assert_eq!(world.field("ssl_cur_repeated_reads"), "1");
    world.events.want(fd, Mask::NONE);
    let served = world.served;
    (0..5).for_each(|_| world.turn());
    assert_eq!(world.served, served);
    world.close(at);
    assert_eq!(world.field("ssl_cur_repeated_reads"), "0");
    assert_eq!(world.field("ssl_connections_to_current_certificate"), "0");
}

#[test]
fn a_small_request_is_one_receive_and_its_reply_one_send() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let (at, mut tls) = open(&mut world);
    let ask = |tls: &mut SslStream<UnixStream>| {
        tls.write_all(b"*1\r\n$4\r\nPING\r\n").unwrap();
        tls.read_exact(&mut [0; 14]).unwrap();
    };
    // The first reply carries the ticket too.
    world.serve_while(|| ask(&mut tls));
    let before = world.tls(at).system_calls();
    for _ in 0..10 {
        world.serve_while(|| ask(&mut tls));
    }
    let after = world.tls(at).system_calls();
    assert_eq!((after.0 - before.0, after.1 - before.1), (10, 10));
}

#[test]
fn many_small_writes_leave_in_one_send_and_slices_share_a_record() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let (at, mut tls) = open(&mut world);
    let before = world.tls(at).system_calls().1;
    let connection = &mut world.client(at).connection;
    for _ in 0..100 {
        assert_eq!(connection.write(b"+OK\r\n").unwrap(), 5);
    }
    let slices = [IoSlice::new(b"$3\r\n"), IoSlice::new(b"abc"), IoSlice::new(b"\r\n")];
    let held = connection.pending_output_bytes();
    assert_eq!(connection.write_vectored(&slices).unwrap(), 9);
    let record = connection.pending_output_bytes() - held;
    assert!(record < 9 + 40, "one record: {record}");
    assert!(connection.has_pending_output());
    connection.flush().unwrap();
    assert!(!connection.has_pending_output());
    assert_eq!(world.tls(at).system_calls().1 - before, 1);
    let mut received = vec![0; 509];
    tls.read_exact(&mut received).unwrap();
    assert!(received.ends_with(b"+OK\r\n$3\r\nabc\r\n"));
    assert_eq!(connection_write_nothing(&mut world, at), 0);
}

/// A write of nothing is no error and ends nothing.
fn connection_write_nothing(world: &mut World, at: usize) -> usize {
    let connection = &mut world.client(at).connection;
    let written = connection.write(b"").unwrap() + connection.write_vectored(&[]).unwrap();
    connection.write(b"x").unwrap();
    connection.flush().unwrap();
    written
}

#[test]
fn a_blocked_write_may_be_repeated_with_other_bytes() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let (at, mut tls) = open(&mut world);
    let connection = &mut world.client(at).connection;
    let mut sent = 0;
    let block = vec![b'x'; 100_000];
    while let Ok(bytes) = connection.write(&block) {
        sent += bytes;
    }
    assert!(connection.pending_output_bytes() < 512 << 10, "what waits is bounded");
    // Shorter, elsewhere, and with other content.
    assert!(connection.write(b"yy").is_err() && connection.flush().is_err());
    let received = thread::scope(|scope| {
        let peer = scope.spawn(|| {
            let mut received = vec![0; sent + 2];
            tls.read_exact(&mut received).unwrap();
            received
        });
        let fd = world.client(at).fd;
        world.client(at).pending = b"yy".to_vec();
        world.events.drained(fd, Mask::WRITE);
        world.events.want(fd, Mask::WRITE);
        while !peer.is_finished() {
            world.turn();
        }
        peer.join().unwrap()
    });
    assert!(received.ends_with(b"xxyy"));
}

#[test]
fn an_idle_connection_gives_its_buffers_back_and_goes_on() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let before = used_bytes();
    let (at, mut tls) = open(&mut world);
    let ask = |tls: &mut SslStream<UnixStream>| {
        tls.write_all(b"hello").unwrap();
        tls.read_exact(&mut [0; 5]).unwrap();
    };
    world.serve_while(|| ask(&mut tls));
    let busy = used_bytes() - before;
    world.client(at).connection.release_idle();
    let idle = used_bytes() - before;
    assert!(0 < idle && idle < 9 * 1024 && 2 * idle < busy, "{idle} of {busy}");
    world.serve_while(|| ask(&mut tls));
    assert!(idle < used_bytes() - before);
    // Half a record inside: nothing is lost.
    world.client(at).connection.release_idle();
    let info = world.client(at).connection.tls_info().unwrap();
    assert_eq!(info.protocol, "TLSv1.3");
    world.serve_while(|| ask(&mut tls));
}

#[test]
fn who_ends_by_a_fin_alone_can_be_written_to() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let (at, mut tls) = open(&mut world);
    let fd = world.client(at).fd;
    world.events.want(fd, Mask::NONE);
    tls.write_all(b"hello").unwrap();
    // Half a record, too, which nobody will ever see the rest of.
    tls.get_mut().write_all(&[0x17, 3, 3, 0, 100, 1, 2, 3]).unwrap();
    tls.get_ref().shutdown(Shutdown::Write).unwrap();
    let connection = &mut world.client(at).connection;
    let mut space = [0; 100];
    let mut read = || connection.read(&mut space).map(|read| (read.bytes, read.is_drained));
    assert_eq!(read().unwrap(), (5, true), "a hang-up is due for ever");
    assert_eq!(read().unwrap(), (0, false), "the end");
    assert_eq!(read().unwrap(), (0, false), "the end");
    assert_eq!(world.field("ssl_cur_repeated_reads"), "0");
    let connection = &mut world.client(at).connection;
    assert_eq!(connection.write(b"reply").unwrap(), 5);
    connection.flush().unwrap();
    world.close(at);
    let mut told = Vec::new();
    tls.read_to_end(&mut told).unwrap();
    assert_eq!(told, b"reply", "and a goodbye");
}

#[test]
fn modes_change_on_live_connections() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let (at, mut tls) = open(&mut world);
    let mut records = |mode| {
        let connection = &mut world.client(at).connection;
        connection.set_performance_mode(mode);
        assert_eq!(connection.write(&[1; 15_000]).unwrap(), 15_000);
        let bytes = connection.pending_output_bytes();
        connection.flush().unwrap();
        tls.read_exact(&mut [0; 15_000]).unwrap();
        bytes
    };
    let low = records(PerformanceMode::LowLatency);
    let high = records(PerformanceMode::HighThroughput);
    assert!(15_100 < low, "many records: {low}");
    assert!(high < 15_100, "one record, or sent at once: {high}");
    assert_eq!(records(PerformanceMode::LowLatency), low);
}

#[test]
fn a_request_in_the_last_flight_is_served_without_another_event() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let stream = world.accept();
    // The peer's finish and its request reach the socket before we look.
    let client = thread::spawn(move || {
        let mut tls = connect(connector(), stream).unwrap();
        tls.write_all(b"early").unwrap();
        let mut echoed = [0; 5];
        tls.read_exact(&mut echoed).unwrap();
        echoed
    });
    while world.outcomes.is_empty() {
        world.turn();
        thread::sleep(Duration::from_millis(20));
    }
    while !client.is_finished() {
        world.turn();
    }
    assert_eq!(&client.join().unwrap(), b"early");
}

#[test]
fn a_tampered_record_ends_with_a_goodbye_that_tells_nothing() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let (_, mut tls) = open(&mut world);
    // s2n answers close_notify, so that nobody can learn from the answer.
    let bytes = world.serve_while(|| {
        let mut record = vec![0x17, 3, 3, 0, 32];
        record.extend([0xaa; 32]);
        tls.get_mut().write_all(&record).unwrap();
        tls.read(&mut [0; 1]).unwrap()
    });
    assert_eq!(bytes, 0);
    assert!(world.ends[0].is_some());
}
