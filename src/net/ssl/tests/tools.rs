//! Tool: a client of ours, as tools use it, against OpenSSL and against ourselves.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpListener,
    path::PathBuf,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use openssl::{
    ssl::{SslAcceptor, SslMethod, SslVerifyMode},
    x509::X509,
};

use super::{
    World,
    papers::{Issued, Papers, Wanted, ec, issue, plain, server},
    settings,
};
use crate::{
    Address,
    blocking::{Stream, Target, Timeouts, Tls},
};

const TIMEOUTS: Timeouts =
    Timeouts { connect: Some(Duration::from_secs(5)), io: Some(Duration::from_secs(5)) };

/// Answers one connection: what comes, in capitals.
fn shouting_server(own: &Issued, asks_for: Option<X509>) -> (Target, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&own.certificate).unwrap();
    acceptor.set_private_key(&own.key).unwrap();
    if let Some(root) = asks_for {
        acceptor.cert_store_mut().add_cert(root).unwrap();
        acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    let acceptor = acceptor.build();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let Ok(mut tls) = acceptor.accept(stream) else { return };
        let mut space = [0; 100];
        while let Ok(bytes @ 1..) = tls.read(&mut space) {
            tls.write_all(&space[..bytes].to_ascii_uppercase()).unwrap();
        }
        let _ = tls.shutdown();
    });
    (Target::Tcp { host: "localhost".to_owned(), port }, server)
}

fn ask(target: &Target, tls: &Tls) -> io::Result<String> {
    let mut stream = Stream::connect(target, Some(tls), TIMEOUTS)?;
    stream.write_all(b"hello")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    assert!(stream.is_ssl() && stream.tls_info().is_some());
    stream.close();
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn chain_and_name_are_checked_by_default() {
    let papers = Papers::new();
    let local = papers.issue("local", &server());
    let other = papers.issue("other", &Wanted { dns: &["other.example"], ..server() });
    let late = papers.issue("late", &Wanted { days: (-9, -1), ..server() });
    let trusting = Tls { ca_file: Some(PathBuf::from(papers.path("ca.crt"))), ..Tls::default() };
    let named = Tls { server_name: Some("other.example".into()), ..trusting.clone() };
    let insecure = Tls { is_insecure: true, ..Tls::default() };
    let cases: [(&Issued, &Tls, Result<(), &str>); 8] = [
        (&local, &trusting, Ok(())),
        (&local, &Tls::default(), Err("not trusted")),
        (&local, &insecure, Ok(())),
        (&other, &trusting, Err("is for \"other.example\", not for \"localhost\"")),
        (&other, &named, Ok(())),
        (&local, &named, Err("not for \"other.example\"")),
        (&late, &trusting, Err("has expired")),
        (&late, &insecure, Ok(())),
    ];
    for (own, tls, expected) in cases {
        let (target, server) = shouting_server(own, None);
        match (ask(&target, tls), expected) {
            (Ok(answer), Ok(())) => assert_eq!(answer, "HELLO"),
            (Err(error), Err(reason)) => {
                assert!(error.to_string().contains(reason), "{error} / {reason}");
            }
            (outcome, expected) => panic!("{outcome:?}, not {expected:?}"),
        }
        server.join().unwrap();
    }
}

#[test]
fn a_certificate_that_stands_in_the_ca_file_needs_no_name() {
    let papers = Papers::new();
    let star = Wanted { common: &[plain(b"*")], is_old: true, ..Wanted::default() };
    let root = issue(&star, ec(), None);
    let own = papers.save("old", issue(&star, ec(), Some(&root)));
    // Beside its CA too, of the same name, whichever comes first; and where it is an ordinary
    // certificate, which an ordinary chain would lead from.
    let (root, old) = (root.certificate.to_pem().unwrap(), own.certificate.to_pem().unwrap());
    papers.write("both.crt", &[&root[..], &old[..]].concat());
    papers.write("turned.crt", &[&old[..], &root[..]].concat());
    let other = papers.issue("other", &Wanted { dns: &["other.example"], ..server() });
    let ca = std::fs::read(papers.path("ca.crt")).unwrap();
    papers.write("pinned.crt", &[&ca[..], &other.certificate.to_pem().unwrap()].concat());
    for (own, ca_file) in
        [(&own, "old.crt"), (&own, "both.crt"), (&own, "turned.crt"), (&other, "pinned.crt")]
    {
        let pinned = Tls { ca_file: Some(papers.path(ca_file).into()), ..Tls::default() };
        let (target, server) = shouting_server(own, None);
        assert_eq!(ask(&target, &pinned).expect(ca_file), "HELLO");
        server.join().unwrap();
    }
}

#[test]
fn a_tool_shows_its_certificate() {
    let papers = Papers::new();
    let own = papers.issue("local", &server());
    papers.issue("ann", &Wanted { common: &[plain(b"ann")], ..Wanted::default() });
    let root = X509::from_pem(&std::fs::read(papers.path("ca.crt")).unwrap()).unwrap();
    let bare = Tls { ca_file: Some(papers.path("ca.crt").into()), ..Tls::default() };
    let with = Tls {
        certificate: Some(papers.path("ann.crt").into()),
        private_key: Some(papers.path("ann.key").into()),
        ..bare.clone()
    };
    let (target, server) = shouting_server(&own, Some(root.clone()));
    assert_eq!(ask(&target, &with).unwrap(), "HELLO");
    server.join().unwrap();
    let (target, server) = shouting_server(&own, Some(root));
    let error = ask(&target, &bare).unwrap_err().to_string();
    assert!(error.contains("certificate required"), "{error}");
    server.join().unwrap();
    let half = Tls { private_key: None, ..with };
    assert!(Stream::connect(&target, Some(&half), TIMEOUTS).is_err());
}

#[test]
fn a_server_without_tls_and_a_silent_one_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = Target::Tcp { host: "127.0.0.1".to_owned(), port };
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"-ERR Protocol error\r\n").unwrap();
        let (silent, _) = listener.accept().unwrap();
        silent
    });
    let insecure = Tls { is_insecure: true, ..Tls::default() };
    let error = Stream::connect(&target, Some(&insecure), TIMEOUTS).unwrap_err();
    assert!(error.to_string().contains("plaintext came instead of TLS"), "{error}");
    let began = Instant::now();
    let hasty = Timeouts { connect: Some(Duration::from_millis(200)), io: None };
    let error = Stream::connect(&target, Some(&insecure), hasty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(began.elapsed() < Duration::from_secs(3));
    drop(server.join().unwrap());
}

#[test]
fn a_server_of_ours_connects_by_the_rules_too() {
    let papers = Papers::new();
    let ssl_settings =
        super::Settings { ca_file: papers.path("ca.crt").into(), ..settings(&papers) };
    let mut world = World::new(ssl_settings);
    // Both ends in one world: the far one is accepted, the near one connects.
    let far = world.accept();
    far.set_nonblocking(true).unwrap();
    let near = crate::Stream::Unix(mio::net::UnixStream::from_std(far));
    let connection = crate::Connection::connected(&world.ssl, near, "elsewhere").unwrap();
    world.add(connection);
    world.turns_until(|world| world.outcomes.len() == 2);
    for outcome in &world.outcomes {
        // The CN of our own certificate is what is expected, not the host.
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    assert_eq!(world.client(0).connection.peer(), &Address::Unix("test".into()));
    // The far end is cut off: who connected must not take that for the end of what is said.
    let mut far = world.clients[0].take().unwrap();
    world.events.remove(far.fd, far.connection.stream());
    drop(far);
    world.turns_until(|world| world.ends.len() == 1);
    assert_eq!(world.ends, [Some("the peer closed without close_notify".to_owned())]);
}
