//! Tool: certificates are renewed under clients that never stop asking.

use std::{
    collections::BTreeMap,
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use resp::value::Value;
use tests_ssl::{Certificate, Client, Served, sized, wait_until};

use crate::ours;

fn path(path: std::path::PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

fn renew(client: &mut Client, words: &[&str]) -> String {
    let words = [&["CONFIG", "SET", "ssl-renew-certificate"], words].concat();
    client.text(&words).unwrap()
}

/// One of the busy: asks until told to stop; where it is closed, at which renewal did it
/// connect, and how many were there since?
fn be_busy(port: u16, renewals: &AtomicU64, is_over: &AtomicBool, asked: &AtomicU64) -> u64 {
    let mut closed = 0;
    while !is_over.load(Relaxed) {
        let mut client = Client::tls(port).unwrap();
        // It may have negotiated just before a renewal that is counted by now.
        let connected_at = renewals.load(Relaxed).saturating_sub(1);
        while !is_over.load(Relaxed) {
            match client.ask(&["INCR", "n"]) {
                Ok(Value::Integer(_)) => asked.fetch_add(1, Relaxed),
                Ok(other) => panic!("{other:?}"),
                Err(error) => {
                    // One may be under way, counted when it is answered.
                    let since = renewals.load(Relaxed) + 1 - connected_at;
                    assert!(2 <= since, "closed after {since} renewals: {error}");
                    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "a goodbye: {error}");
                    closed += 1;
                    break;
                }
            };
        }
    }
    closed
}

#[test]
fn nothing_fails_on_connections_of_the_current_and_the_previous_certificate() {
    let (clients, count, pause) =
        sized((20, 5, Duration::from_millis(300)), (200, 30, Duration::from_secs(1)));
    let server = Served::over_ssl("busy", ours("our server"), &[]);
    let certificates: Vec<Certificate> =
        (0..count).map(|at| Certificate::new(&format!("busy-{at}")).unwrap()).collect();
    let (renewals, asked) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let port = server.port();
    let closed: u64 = thread::scope(|scope| {
        let (renewals, is_over, asked) = (&renewals, &is_over, &asked);
        let busy: Vec<_> = (0..clients)
            .map(|_| scope.spawn(move || be_busy(port, renewals, is_over, asked)))
            .collect();
        wait_until("all are busy", || clients <= asked.load(Relaxed));
        let mut longest = Duration::ZERO;
        for (at, certificate) in certificates.iter().enumerate() {
            let (key, own) = (path(certificate.key_file()), path(certificate.certificate_file()));
            // Who renews may be closed by the next renewal like everybody else.
            let mut client = server.client();
            let began = Instant::now();
            let answer = match at % 4 {
                0 => renew(&mut client, &[&key, &own]),
                1 => renew(&mut client, &[&own, &key]),
                2 => renew(&mut client, &[&format!("{own} {key}")]),
                _ => renew(&mut client, &[&format!("{key} {own}")]),
            };
            longest = longest.max(began.elapsed());
            assert_eq!(answer, "OK");
            renewals.fetch_add(1, Relaxed);
            let serial = client.field("ssl_current_certificate_serial").unwrap();
            assert_eq!(serial, certificate.serial());
            thread::sleep(pause);
        }
        is_over.store(true, Relaxed);
        println!("{} commands, the slowest renewal took {longest:?}", asked.load(Relaxed));
        busy.into_iter().map(|client| client.join().unwrap()).sum()
    });
    println!("{closed} connections of older certificates were closed");
    assert!(clients * (count as u64 / 2 - 1) <= closed, "only {closed} were closed");
    wait_until("the counters tell of one client", || {
        let mut client = server.client();
        let current = client.field("ssl_connections_to_current_certificate").unwrap();
        let previous = client.field("ssl_connections_to_previous_certificate").unwrap();
        (current.as_str(), previous.as_str()) == ("1", "0")
    });
}

#[test]
fn at_most_two_certificates_live_and_the_counters_say_so_at_once() {
    let server = Served::over_ssl("two", ours("our server"), &[]);
    let others = [Certificate::new("two-b").unwrap(), Certificate::new("two-c").unwrap()];
    let pair = |at: usize| (path(others[at].key_file()), path(others[at].certificate_file()));
    let (mut first, mut issuer) = (server.client(), server.client());
    let counts = |client: &mut Client| {
        let mut number = |name: &str| client.field(name).unwrap().parse::<u64>().unwrap();
        (
            number("ssl_connections_to_current_certificate"),
            number("ssl_connections_to_previous_certificate"),
        )
    };
    let idle = counts(&mut issuer).0 - 2;
    let (key, own) = pair(0);
    assert_eq!(renew(&mut issuer, &[&key, &own]), "OK");
    assert_eq!(counts(&mut issuer), (0, 2 + idle));
    assert_eq!(first.text(&["PING"]).unwrap(), "PONG");
    let mut second = server.client();
    assert_eq!(counts(&mut second), (1, 2 + idle));

    // In one batch: who is closed is counted no more before the next command runs.
    let (key, own) = pair(1);
    let words = ["CONFIG", "SET", "ssl-renew-certificate", &key, &own];
    let batch = [tests_ssl::client::request(&words), b"INFO ssl\r\n".to_vec()].concat();
    second.say(&batch).unwrap();
    assert_eq!(second.hear().unwrap(), Value::Simple(b"OK".into()));
    let Value::Bulk(info) = second.hear().unwrap() else { panic!("no INFO") };
    let info = String::from_utf8(info).unwrap();
    assert!(info.contains("ssl_connections_to_current_certificate:0\r\n"), "{info}");
    assert!(info.contains("ssl_connections_to_previous_certificate:1\r\n"), "{info}");
    assert!(first.is_told_goodbye() && issuer.is_told_goodbye());
    assert_eq!(second.text(&["PING"]).unwrap(), "PONG");
    let mut third = server.client();
    assert_eq!(counts(&mut third), (1, 1));

    // Whoever renews on a connection that is the oldest is answered before it goes.
    let before = server.certificate.certificate_file();
    let (key, own) = (path(server.certificate.key_file()), path(before));
    assert_eq!(renew(&mut second, &[&own, &key]), "OK");
    assert!(second.is_told_goodbye());
    assert_eq!(third.text(&["PING"]).unwrap(), "PONG");
}

#[test]
fn what_cannot_be_renewed_is_refused_and_changes_nothing() {
    let server = Served::over_ssl("refused", ours("our server"), &[]);
    let other = Certificate::new("refused-other").unwrap();
    let (key, own) = (path(other.key_file()), path(other.certificate_file()));
    let old_key = path(server.certificate.key_file());
    let mut client = server.client();
    let before = client.text(&["INFO", "ssl"]).unwrap();
    let files = client.text(&["CONFIG", "GET", "*file"]).unwrap();
    let form = "takes a private key file and a certificate file, and no other parameter";
    let cases: BTreeMap<&str, (Vec<&str>, &str)> = [
        ("one path", (vec![key.as_str()], form)),
        ("mixed", (vec![&key, &own, "maxmemory", "0"], form)),
        ("three", (vec![&key, &own, "maxmemory"], form)),
        ("foreign key", (vec![&old_key, &own], "does not match")),
        ("two keys", (vec![&key, &old_key], "both files hold a private key")),
        ("gone", (vec![&key, "/nowhere.crt"], "/nowhere.crt: No such file or directory")),
    ]
    .into();
    for (name, (words, reason)) in cases {
        let answer = renew(&mut client, &words);
        assert!(answer.starts_with("ERR ") && answer.contains(reason), "{name}: {answer}");
    }
    let words = ["CONFIG", "SET", "maxmemory", "0", "ssl-renew-certificate", &key, &own];
    let answer = client.text(&words).unwrap();
    assert!(answer.contains(form), "{answer}");
    // But for what moves by itself: seconds, and the buffers of who asks.
    let settled = |info: &str| {
        let moves = |line: &&str| line.contains("expires_in") || line.contains("used_memory");
        info.lines().filter(|line| !moves(line)).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(settled(&client.text(&["INFO", "ssl"]).unwrap()), settled(&before));
    assert_eq!(client.text(&["CONFIG", "GET", "*file"]).unwrap(), files);
}

#[test]
fn relative_paths_count_from_where_the_server_works_at_that_moment() {
    let server =
        Served::over_ssl("relative", ours("our server"), &["--enable-protected-configs", "yes"]);
    let other = Certificate::new("relative-other").unwrap();
    let folder = other.key_file().parent().unwrap().to_owned();
    let mut client = server.client();
    assert_eq!(client.text(&["CONFIG", "SET", "dir", folder.to_str().unwrap()]).unwrap(), "OK");
    assert_eq!(renew(&mut client, &["key.pem", "certificate.pem"]), "OK");
    assert_eq!(client.field("ssl_certificate_file").unwrap(), "certificate.pem");
    assert_eq!(client.field("ssl_current_certificate_serial").unwrap(), other.serial());
    // Elsewhere they are still the same files, though they are read again.
    assert_eq!(client.text(&["CONFIG", "SET", "dir", "/"]).unwrap(), "OK");
    assert_eq!(client.text(&["CONFIG", "SET", "tls-session-caching", "no"]).unwrap(), "OK");
    assert_eq!(server.client().field("ssl_current_certificate_serial").unwrap(), other.serial());
}

#[test]
fn redis_own_swap_closes_nobody() {
    let server = Served::over_tls_port("swap", ours("our server"), &[]);
    let mut first = server.client();
    for at in 0..4 {
        let other = Certificate::new(&format!("swap-{at}")).unwrap();
        let (key, own) = (path(other.key_file()), path(other.certificate_file()));
        let words = ["CONFIG", "SET", "tls-cert-file", &own, "tls-key-file", &key];
        assert_eq!(first.text(&words).unwrap(), "OK");
        assert_eq!(first.field("ssl_current_certificate_serial").unwrap(), other.serial());
        // A certificate without its key is refused, and nothing has changed.
        let words =
            ["CONFIG", "SET", "tls-cert-file", &path(server.certificate.certificate_file())];
        let answer = first.text(&words).unwrap();
        assert!(answer.starts_with("ERR CONFIG SET failed"), "{answer}");
        assert_eq!(first.field("ssl_current_certificate_serial").unwrap(), other.serial());
        let mut next = server.client();
        assert_eq!(next.field("ssl_current_certificate_serial").unwrap(), other.serial());
    }
    assert_eq!(first.text(&["PING"]).unwrap(), "PONG");
}
