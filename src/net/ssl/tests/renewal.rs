//! Tool: certificates change under way, and who notices.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use openssl::ssl::SslStream;

use super::{
    super::{AuthClients, Renewal, Settings},
    World, connect, connector, now_s,
    papers::{Papers, Wanted, server},
    settings,
};

fn open(world: &mut World) -> SslStream<UnixStream> {
    let stream = world.accept();
    let count = world.clients.len();
    let tls = world.serve_while(|| connect(connector(), stream).unwrap());
    world.turns_until(|world| world.outcomes.len() == count);
    tls
}

fn ask(world: &mut World, tls: &mut SslStream<UnixStream>) {
    world.serve_while(|| {
        tls.write_all(b"hello").unwrap();
        tls.read_exact(&mut [0; 5]).unwrap();
    });
}

fn serial(tls: &SslStream<UnixStream>) -> String {
    let certificate = tls.ssl().peer_certificate().unwrap();
    certificate.serial_number().to_bn().unwrap().to_hex_str().unwrap().to_lowercase()
}

#[test]
fn live_connections_stay_and_new_ones_get_the_new_certificate() {
    let papers = Papers::new();
    papers.issue("b", &Wanted { serial: "0B", ..server() });
    let long = "C0FFEE00112233445566778899AABBCCDDEEFF01";
    papers.issue("c", &Wanted { serial: long, ..server() });
    let mut world = World::new(settings(&papers));
    let mut first = open(&mut world);
    let (key, certificate) = (papers.path("b.key"), papers.path("b.crt"));
    let renewal =
        world.ssl.renew(&key.clone().into(), &certificate.clone().into(), now_s()).unwrap();
    assert_eq!(renewal, Renewal { generation: 2, closes_up_to: None });
    ask(&mut world, &mut first);
    let mut second = open(&mut world);
    assert_eq!((serial(&first), serial(&second)), ("0a1b2c".to_owned(), "0b".to_owned()));
    assert_eq!(world.field("ssl_connections_to_previous_certificate"), "1");
    assert_eq!(world.field("ssl_connections_to_current_certificate"), "1");
    assert_eq!(world.field("ssl_current_certificate_serial"), "0b");
    assert_eq!(world.field("ssl_certificate_file"), certificate);
    assert_eq!(world.field("ssl_certificate_private_key_file"), key);

    // In the other order; now the first is two generations old.
    let renewal = world
        .ssl
        .renew(&papers.path("c.crt").into(), &papers.path("c.key").into(), now_s())
        .unwrap();
    assert_eq!(renewal, Renewal { generation: 3, closes_up_to: Some(1) });
    assert_eq!(world.field("ssl_current_certificate_serial"), long.to_lowercase());
    for at in 0..2 {
        let generation = world.client(at).connection.certificate_generation();
        if generation <= renewal.closes_up_to {
            world.close(at);
        }
    }
    assert!(first.read(&mut [0]).is_ok_and(|bytes| bytes == 0), "a goodbye");
    ask(&mut world, &mut second);
    assert_eq!(world.field("ssl_connections_to_previous_certificate"), "1");
    world.close(1);
    assert_eq!(world.field("ssl_connections_to_previous_certificate"), "0");
}

#[test]
fn a_renewal_that_fails_changes_nothing() {
    let papers = Papers::new();
    papers.issue("other", &server());
    papers.issue("past", &Wanted { days: (-30, -1), ..server() });
    papers.write("note", b"hello");
    let mut world = World::new(settings(&papers));
    let now_s = now_s();
    let before = world.ssl.info(now_s);
    for (first, second, reason) in [
        ("server.crt", "other.key", "does not match"),
        ("past.key", "past.crt", "expired"),
        ("server.key", "other.key", "both files hold a private key"),
        ("server.crt", "other.crt", "neither file holds a private key"),
        ("server.key", "gone", "No such file"),
        ("server.key", "note", "neither a certificate nor a key"),
    ] {
        let outcome =
            world.ssl.renew(&papers.path(first).into(), &papers.path(second).into(), now_s);
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(reason), "{first} {second}: {error}");
        assert_eq!(world.ssl.info(now_s), before);
    }
    let mut plain = World::new(Settings::default());
    let outcome = plain.ssl.renew(
        &papers.path("server.key").into(),
        &papers.path("server.crt").into(),
        now_s,
    );
    assert!(outcome.unwrap_err().to_string().contains("not enabled"));
}

#[test]
fn other_settings_swap_whole_and_close_nobody() {
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let mut first = open(&mut world);
    let asking = Settings {
        auth_clients: AuthClients::Yes,
        ca_file: papers.path("ca.crt").into(),
        ..settings(&papers)
    };
    world.ssl.apply(asking.clone(), now_s()).unwrap();
    let bad = Settings { certificate_file: "/gone".into(), ..asking.clone() };
    assert!(world.ssl.apply(bad, now_s()).is_err());
    assert_eq!(world.ssl.settings(), &asking);
    ask(&mut world, &mut first);
    let stream = world.accept();
    world.serve_while(|| {
        let refused = connect(connector(), stream)
            .map(|mut tls| tls.read(&mut [0]).map_or(true, |bytes| bytes == 0));
        assert!(refused.unwrap_or(true));
    });
    // What needs no certificate leaves the generation alone.
    let quick = Settings { handshake_timeout_s: 3, ..asking };
    world.ssl.apply(quick, now_s()).unwrap();
    assert_eq!(world.field("ssl_connections_to_previous_certificate"), "1");
    world.ssl.apply(Settings::default(), now_s()).unwrap();
    assert_eq!(world.field("ssl_enabled"), "no");
    ask(&mut world, &mut first);
}

#[test]
fn keys_for_tickets_are_renewed_within_their_time() {
    let papers = Papers::new();
    let mut world = World::new(Settings { session_cache_timeout_s: 20, ..settings(&papers) });
    let due = |world: &World| world.ssl.generations.as_ref().unwrap().ticket_key_due_s();
    let first = due(&world);
    world.ssl.tick(first - 1).unwrap();
    assert_eq!(due(&world), first);
    for at in 1..=30 {
        world.ssl.tick(due(&world)).unwrap();
        assert_eq!(due(&world), first + 10 * at, "half of the time");
    }
    open(&mut world);
}

#[test]
fn dates_are_told_as_openssl_writes_them() {
    let papers = Papers::new();
    let world = World::new(settings(&papers));
    let not_after = world.field("ssl_current_certificate_not_after_date");
    assert!(not_after.ends_with(" GMT") && not_after.len() >= 24, "{not_after}");
    let left: i64 = world.field("ssl_server_certificate_expires_in").parse().unwrap();
    assert!((29 * 86_400..=30 * 86_400).contains(&left), "{left}");
}
