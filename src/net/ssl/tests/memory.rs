//! Tool: what TLS holds in memory is counted, and comes back to the byte.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
};

use openssl::ssl::{SslStream, SslVersion};

use super::{
    super::{
        Settings,
        memory::{init, used_bytes},
    },
    World, connect, connector, now_s,
    papers::Papers,
    remembering, resume, settings,
};

fn open(world: &mut World) -> (usize, SslStream<UnixStream>) {
    let stream = world.accept();
    let at = world.clients.len() - 1;
    let ended = world.outcomes.len() + 1;
    let tls = world.serve_while(|| connect(connector(), stream).unwrap());
    world.turns_until(|world| world.outcomes.len() == ended);
    (at, tls)
}

fn echo(world: &mut World, tls: &mut SslStream<UnixStream>, bytes: usize) {
    world.serve_while(|| {
        tls.write_all(&vec![7; bytes]).unwrap();
        tls.read_exact(&mut vec![0; bytes]).unwrap();
    });
}

/// Runs one way of a connection to live and to end, and sees that nothing of it stays.
fn leaves_nothing(world: &mut World, way: &str, live: impl FnOnce(&mut World)) {
    let before = used_bytes();
    live(world);
    let count = world.clients.len();
    world.turns_until(|world| world.clients[..count].iter().all(Option::is_none));
    assert_eq!(used_bytes(), before, "{way}");
}

#[test]
fn a_connection_leaves_nothing_however_it_lived_and_ended() {
    init();
    let outside = used_bytes();
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let loaded = used_bytes() - outside;
    assert!((1_000..1_000_000).contains(&loaded), "certificates and trust: {loaded}");

    leaves_nothing(&mut world, "never heard of", |world| drop(world.accept()));
    leaves_nothing(&mut world, "closed by the peer", |world| {
        let (_, mut tls) = open(world);
        echo(world, &mut tls, 100_000);
        world.serve_while(|| tls.shutdown().unwrap());
    });
    leaves_nothing(&mut world, "closed by us", |world| {
        let (at, mut tls) = open(world);
        echo(world, &mut tls, 5);
        world.close(at);
    });
    leaves_nothing(&mut world, "dropped without a goodbye", |world| {
        let (at, mut tls) = open(world);
        echo(world, &mut tls, 5);
        let mut client = world.clients[at].take().unwrap();
        world.events.remove(client.fd, client.connection.stream());
    });
    leaves_nothing(&mut world, "cut", |world| {
        let (_, mut tls) = open(world);
        echo(world, &mut tls, 5);
        tls.get_ref().shutdown(Shutdown::Both).unwrap();
    });
    leaves_nothing(&mut world, "idle, then busy, then idle", |world| {
        let (at, mut tls) = open(world);
        for _ in 0..3 {
            echo(world, &mut tls, 50_000);
            world.client(at).connection.release_idle();
        }
        world.close(at);
    });
    leaves_nothing(&mut world, "in plaintext", |world| {
        let mut stream = world.accept();
        stream.write_all(b"PING\r\n").unwrap();
    });
    leaves_nothing(&mut world, "cut in the handshake", |world| {
        let stream = world.accept();
        let peer = stream.try_clone().unwrap();
        let began = world.clients.len() - 1;
        std::thread::scope(|scope| {
            let handshake = scope.spawn(move || connect(connector(), stream).map(drop));
            world.turns_until(|world| {
                world.clients[began].as_ref().is_none_or(|client| {
                    client.connection.is_negotiating() && used_bytes() > outside + loaded
                })
            });
            peer.shutdown(Shutdown::Both).unwrap();
            let _ = handshake.join().unwrap();
        });
    });
    leaves_nothing(&mut world, "closed with ciphertext that waits", |world| {
        let (at, _tls) = open(world);
        let before = used_bytes();
        let connection = &mut world.client(at).connection;
        while connection.write(&[1; 16 << 10]).is_ok() {}
        let waiting = connection.pending_output_bytes();
        assert!(10_000 < waiting && waiting <= used_bytes() - before, "{waiting}");
        world.close(at);
    });

    let resumed = |world: &mut World, version| {
        let (connector, sessions) = remembering(version);
        let stream = world.accept();
        world.serve_while(|| resume(&connector, stream, None).shutdown().unwrap());
        let session = sessions.try_iter().last().unwrap();
        let stream = world.accept();
        world.serve_while(|| {
            let mut tls = resume(&connector, stream, Some(&session));
            assert!(tls.ssl().session_reused());
            tls.shutdown().unwrap();
        });
    };
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        leaves_nothing(&mut world, "resumed", |world| resumed(world, version));
    }
    let shown = world.field("ssl_used_memory");
    assert_eq!(shown, used_bytes().to_string());
    drop(world);
    assert_eq!(used_bytes(), outside);
}

#[test]
fn a_certificate_leaves_with_its_last_connection() {
    init();
    let outside = used_bytes();
    let papers = Papers::new();
    let mut world = World::new(settings(&papers));
    let loaded = used_bytes();
    let renew = |world: &mut World| {
        let Settings { certificate_file, private_key_file, .. } = settings(&papers);
        world.ssl.renew(&certificate_file, &private_key_file, now_s()).unwrap();
    };
    renew(&mut world);
    assert_eq!(used_bytes(), loaded, "nobody holds the first");
    let (at, mut tls) = open(&mut world);
    renew(&mut world);
    echo(&mut world, &mut tls, 5);
    assert!(2 * (loaded - outside) < used_bytes() - outside);
    world.close(at);
    assert_eq!(used_bytes(), loaded);
    // A connection that never began holds none.
    let peer = world.accept();
    renew(&mut world);
    assert_eq!(used_bytes(), loaded);
    drop((peer, world));
    assert_eq!(used_bytes(), outside);
}
