//! Tool: handshakes: whole, in drips, refused, timed out, too many.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    thread::{self, ScopedJoinHandle},
    time::{Duration, Instant},
};

use openssl::ssl::{SslSession, SslStream, SslVersion};

use super::{
    super::{Failure, PLAINTEXT_REFUSED, Settings, looks_like_tls},
    World, connect, connect_as, connector,
    papers::{Papers, Wanted, issue, plain, rsa},
    remembering, resume, settings, step_handshakes,
};
use crate::{Address, Connection, expire_handshakes};

#[test]
fn a_client_negotiates_talks_and_leaves() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let stream = world.accept();
    let echoed = world.serve_while(|| {
        let mut tls = connect(connector(), stream).unwrap();
        tls.write_all(b"PING\r\n").unwrap();
        let mut echoed = [0; 6];
        tls.read_exact(&mut echoed).unwrap();
        tls.shutdown().unwrap();
        let answer = tls.read(&mut [0]).unwrap();
        (echoed, answer)
    });
    assert_eq!(echoed, (*b"PING\r\n", 0), "and close_notify came back");
    world.turns_until(|world| world.ends.len() == 1);
    assert_eq!(world.ends, [None]);
    let info = world.outcomes[0].clone().unwrap();
    assert_eq!((info.protocol, info.is_resumed, info.generation), ("TLSv1.3", false, 1));
    assert_eq!(info.server_name.as_deref(), Some("localhost"));
    assert_eq!(world.field("ssl_handshakes_done"), "1");
    assert_eq!(world.field("ssl_protocol_TLSv1.3"), "1");
    assert_eq!(world.field(&format!("ssl_cipher_{}", info.cipher)), "1");
    assert_eq!(world.field("ssl_connections_to_current_certificate"), "0");
}

#[test]
fn a_cut_without_close_notify_is_an_end_to_a_server() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let stream = world.accept();
    world.serve_while(|| {
        let mut tls = connect(connector(), stream).unwrap();
        tls.write_all(b"x").unwrap();
        tls.read_exact(&mut [0]).unwrap();
        tls.get_ref().shutdown(Shutdown::Both).unwrap();
    });
    world.turns_until(|world| world.ends.len() == 1);
    assert_eq!(world.ends, [None]);
}

#[test]
fn a_handshake_that_drips_byte_by_byte_succeeds() {
    struct Drip(UnixStream);
    impl Read for Drip {
        fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(&mut space[..1])
        }
    }
    impl Write for Drip {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            self.0.write(&data[..1])
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let papers = Papers::new();
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let mut world = World::new(settings(&papers));
        let stream = world.accept();
        world.serve_while(|| {
            let mut builder = connector();
            builder.set_max_proto_version(Some(version)).unwrap();
            let configuration = builder.build().configure().unwrap().verify_hostname(false);
            let Ok(mut tls) = configuration.connect("localhost", Drip(stream)) else {
                panic!("no handshake")
            };
            tls.write_all(b"x").unwrap();
            tls.read_exact(&mut [0]).unwrap();
        });
        assert!(world.outcomes[0].is_ok());
    }
}

#[test]
fn plaintext_is_told_and_closed() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let mut stream = world.accept();
    let answer = world.serve_while(|| {
        stream.write_all(b"PING\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    });
    assert_eq!(answer, PLAINTEXT_REFUSED);
    assert_eq!(world.outcomes[0].as_ref().unwrap_err().0, Failure::Plaintext);
    assert_eq!(world.field("ssl_plaintext_refused"), "1");
    assert_eq!(world.field("ssl_handshakes_under_way"), "0");
}

#[test]
fn tls_at_a_plaintext_port_is_recognised() {
    assert!(looks_like_tls(&[0x16, 3, 1, 2, 0]));
    assert!(looks_like_tls(&[0x16]));
    for first in [&b"*1\r\n"[..], b"PING", b"", &[0x16, b'x']] {
        assert!(!looks_like_tls(first), "{first:?}");
    }
}

#[test]
fn without_a_deadline_nothing_ends_and_nothing_piles_up() {
    let papers = Papers::new();
    let mut world = World::new(Settings { handshake_timeout_s: 0, ..settings(&papers) });
    let _silent = world.accept();
    let mut waiting = world.accept();
    waiting.write_all(&[0x16]).unwrap();
    world.budget = Duration::ZERO;
    (0..3).for_each(|_| world.turn());
    expire_handshakes(&mut world);
    assert_eq!(world.ssl.handshakes.pop_old(Instant::now(), Duration::ZERO), None);
    assert!(world.outcomes.is_empty());
}

#[test]
fn a_plaintext_connection_is_through_at_once() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let (ours, _theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let stream = crate::Stream::Unix(mio::net::UnixStream::from_std(ours));
    world.add(Connection::plain(stream, Address::Unknown));
    world.turns_until(|world| world.through == 1);
    assert_eq!(world.field("ssl_handshakes_done"), "0");
}

#[test]
fn garbage_gets_an_alert_at_once() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let mut stream = world.accept();
    let began = Instant::now();
    let answer = world.serve_while(|| {
        stream.write_all(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    });
    assert_eq!(answer.first(), Some(&0x15), "an alert record: {answer:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "nothing sleeps");
    assert_eq!(world.outcomes[0].as_ref().unwrap_err().0, Failure::Protocol);
}

#[test]
fn nothing_in_common_is_an_alert_and_a_reason() {
    let papers = Papers::new();
    let settings = Settings { protocols: "TLSv1.3".to_owned(), ..settings(&papers) };
    let mut world = World::new(settings);
    let stream = world.accept();
    let error = world.serve_while(|| {
        let mut builder = connector();
        builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
        connect(builder, stream).unwrap_err()
    });
    assert!(error.contains("alert"), "{error}");
    let (failure, reason) = world.outcomes[0].clone().unwrap_err();
    assert_eq!(failure, Failure::NothingInCommon, "{reason}");
}

#[test]
fn silent_and_dripping_peers_end_at_the_deadline_and_clients_stay() {
    let papers = Papers::new();
    let mut world = World::new(Settings { handshake_timeout_s: 1, ..settings(&papers) });
    let good = world.accept();
    let mut tls = world.serve_while(|| connect(connector(), good).unwrap());
    let _silent = world.accept();
    let mut dripping = world.accept();
    // A record that will be long.
    dripping.write_all(&[0x16, 3, 1, 0x3f]).unwrap();
    let end = Instant::now() + Duration::from_millis(1200);
    while Instant::now() < end {
        world.turn();
        expire_handshakes(&mut world);
        let _ = dripping.write_all(&[0xff]);
        thread::sleep(Duration::from_millis(20));
    }
    let failures: Vec<_> =
        world.outcomes[1..].iter().map(|outcome| outcome.as_ref().unwrap_err().0).collect();
    assert_eq!(failures, [Failure::Timeout, Failure::Timeout]);
    assert_eq!(world.field("ssl_handshakes_failed_timeout"), "2");
    assert_eq!(world.field("ssl_handshakes_under_way"), "0");
    world.serve_while(|| {
        tls.write_all(b"x").unwrap();
        tls.read_exact(&mut [0]).unwrap();
    });
}

fn talk(mut tls: SslStream<UnixStream>) {
    tls.write_all(b"x").unwrap();
    tls.read_exact(&mut [0]).unwrap();
}

#[test]
fn at_the_cap_the_newest_goes_first_and_the_others_wait() {
    let papers = Papers::new();
    let mut world = World::new(Settings { max_handshakes: 1, ..settings(&papers) });
    // One takes the seat and says no more.
    let mut seated = world.accept();
    seated.write_all(&[0x16, 3, 1]).unwrap();
    world.turns_until(|world| world.field("ssl_handshakes_under_way") == "1");
    thread::scope(|scope| {
        let mut peers = Vec::new();
        for (name, waiting) in [("older", 1), ("newer", 2)] {
            let stream = world.accept();
            peers.push(scope.spawn(move || talk(connect_as(name, connector(), stream).unwrap())));
            world.turns_until(|world| world.ssl.handshakes.waiting() == waiting);
        }
        assert_eq!(world.field("ssl_handshakes_under_way"), "1");
        drop(seated);
        world.turns_until(|_| peers.iter().all(ScopedJoinHandle::is_finished));
    });
    let names: Vec<_> = world.outcomes[1..]
        .iter()
        .map(|outcome| outcome.as_ref().unwrap().server_name.clone().unwrap())
        .collect();
    assert_eq!(names, ["newer", "older"]);
    assert_eq!(world.field("ssl_handshakes_waiting"), "0");
}

#[test]
fn a_storm_costs_established_clients_one_budget_a_turn() {
    let papers = Papers::new();
    papers
        .save("rsa", issue(&Wanted { common: &[plain(b"rsa")], ..Wanted::default() }, rsa(), None));
    let mut world = World::new(Settings {
        certificate_file: papers.path("rsa.crt").into(),
        private_key_file: papers.path("rsa.key").into(),
        ..settings(&papers)
    });
    let streams: Vec<_> = (0..40).map(|_| world.accept()).collect();
    thread::scope(|scope| {
        let peer = |stream| scope.spawn(move || talk(connect(connector(), stream).unwrap()));
        let peers: Vec<_> = streams.into_iter().map(peer).collect();
        let end = Instant::now() + Duration::from_secs(20);
        while !peers.iter().all(ScopedJoinHandle::is_finished) {
            assert!(Instant::now() < end, "{}", world.outcomes.len());
            let (done, begun) = (world.outcomes.len(), world.ssl.handshakes.under_way());
            // The least budget is one step; a machine may be too busy to measure more.
            step_handshakes(&mut world, Duration::ZERO);
            let steps = (world.outcomes.len() - done)
                .max(world.ssl.handshakes.under_way().saturating_sub(begun));
            assert!(steps <= 1, "{steps}");
            ae::poll_once(&mut world, Duration::from_millis(5)).unwrap();
        }
    });
    assert!(world.outcomes.iter().all(Result::is_ok));
}

#[test]
fn a_connection_closed_while_it_negotiates_leaves_no_count_behind() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let mut stream = world.accept();
    stream.write_all(&[0x16, 3, 1]).unwrap();
    world.turns_until(|world| world.field("ssl_handshakes_under_way") == "1");
    world.close(0);
    assert_eq!(world.field("ssl_handshakes_under_way"), "0");
    assert_eq!(world.field("ssl_connections_to_current_certificate"), "0");
    world.turn();
    assert!(world.outcomes.is_empty());
}

#[test]
fn a_session_resumes_until_tickets_are_switched_off() {
    let papers = Papers::new();
    for (version, session_caching) in [
        (SslVersion::TLS1_3, true),
        (SslVersion::TLS1_2, true),
        (SslVersion::TLS1_3, false),
        (SslVersion::TLS1_2, false),
    ] {
        let mut world = World::new(Settings { session_caching, ..settings(&papers) });
        let (connector, sessions) = remembering(version);
        let talk = |stream, session: Option<SslSession>| {
            let mut tls = resume(&connector, stream, session.as_ref());
            let is_resumed = tls.ssl().session_reused();
            // Without a goodbye OpenSSL forgets the session.
            tls.shutdown().unwrap();
            is_resumed
        };
        let stream = world.accept();
        assert!(!world.serve_while(|| talk(stream, None)));
        let session = sessions.try_recv().ok();
        assert_eq!(session.is_some(), session_caching || version == SslVersion::TLS1_2);
        let stream = world.accept();
        let is_resumed = world.serve_while(|| talk(stream, session));
        assert_eq!(is_resumed, session_caching, "{version:?}");
        assert_eq!(world.outcomes[1].as_ref().unwrap().is_resumed, session_caching);
        assert_eq!(world.field("ssl_handshakes_resumed"), u8::from(session_caching).to_string());
    }
}
