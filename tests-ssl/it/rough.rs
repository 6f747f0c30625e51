//! Tool: peers that cut, lie, babble, stall or drip: none costs the server more than itself.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};

use socket2::SockRef;
use tests_ssl::{
    Served,
    client::{handshake, socket, trusting_anybody},
    sized, wait_until,
};

use crate::ours;

/// Above the level before: what the allocator keeps, and what a few slow ones hold.
const MEMORY_BYTES_MAX: u64 = 64 << 20;
const TIMEOUT: Duration = Duration::from_secs(2);

/// A client's hello as OpenSSL writes it, taken from a connection that goes nowhere.
fn hello() -> Vec<u8> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = thread::spawn(move || drop(handshake(port, trusting_anybody())));
    let (mut peer, _) = listener.accept().unwrap();
    let mut space = [0; 4096];
    let bytes = peer.read(&mut space).unwrap();
    drop(peer);
    client.join().unwrap();
    space[..bytes].to_vec()
}

fn reset(socket: &TcpStream) {
    SockRef::from(socket).set_linger(Some(Duration::ZERO)).unwrap();
}

/// One rough connection of a kind; those that it leaves open are returned.
fn be_rough(port: u16, kind: usize, is_tls: bool, hello: &[u8]) -> Option<TcpStream> {
    let mut raw = socket(port).unwrap();
    let garbage: Vec<u8> = (0..3000_usize).map(|at| ((at * 7919 + kind) % 251) as u8).collect();
    match kind % 10 {
        // The first part of a hello, then nothing more, or a cut, or a reset.
        0 => raw.write_all(&hello[..hello.len() / 2]).unwrap(),
        1 => {
            raw.write_all(&hello[..hello.len() - 1]).unwrap();
            return None;
        }
        2 => {
            raw.write_all(hello).unwrap();
            reset(&raw);
            return None;
        }
        // A hello and half a goodbye; the server's flight is never read.
        3 => {
            raw.write_all(hello).unwrap();
            raw.shutdown(Shutdown::Write).unwrap();
            return None;
        }
        4 => {
            let _ = raw.write_all(&garbage);
            return None;
        }
        // Garbage in the shape of records.
        5 => {
            let _ = raw.write_all(&[&[0x16, 3, 1, 0x40, 0][..], &garbage].concat());
            let _ = raw.write_all(&[&[0x17, 3, 3, 0, 200][..], &garbage].concat());
            return None;
        }
        // Silent.
        6 => {}
        // Through the handshake, or plain: a header that promises much, half a request, a reset.
        kind => {
            let rough: &[u8] = match kind {
                7 => b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc",
                8 => b"*1000000\r\n$3\r\nSET\r\n$4\r\nhal",
                _ => b"*2\r\n$4\r\nECHO\r\n$5\r\nhel",
            };
            if is_tls {
                drop(raw);
                let mut tls = handshake(port, trusting_anybody()).unwrap();
                tls.write_all(rough).unwrap();
                raw = tls.get_ref().try_clone().unwrap();
                // Dropped without a goodbye.
                drop(tls);
            } else {
                raw.write_all(rough).unwrap();
            }
            if kind == 8 {
                return Some(raw);
            }
            reset(&raw);
            return None;
        }
    }
    Some(raw)
}

fn hold(server: &Served, is_tls: bool) {
    let count = sized(200, 1000);
    let hello = hello();
    let clients = server.number("connected_clients");
    let descriptors = server.descriptors();
    let memory = server.resident_bytes();
    let began = Instant::now();
    let mut open: Vec<TcpStream> =
        (0..count).filter_map(|kind| be_rough(server.port(), kind, is_tls, &hello)).collect();
    let last = Instant::now();

    // One who drips a byte at a time keeps within each wait, yet not within the whole.
    let mut dripping = socket(server.port()).unwrap();
    dripping.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let began_to_drip = Instant::now();
    let dripped = hello.iter().take_while(|byte| {
        dripping.write_all(&[**byte]).is_ok()
            && dripping.read(&mut [0; 64]).is_err()
            && began_to_drip.elapsed() < 3 * TIMEOUT
    });
    let dripped = dripped.count();
    let drip_time = began_to_drip.elapsed();
    let peak = server.resident_bytes();
    assert_eq!(server.client().text(&["PING"]).unwrap(), "PONG");
    if is_tls {
        assert!(dripped < hello.len(), "who drips ends too");
        assert!(TIMEOUT - Duration::from_millis(200) <= drip_time, "{drip_time:?}");
        assert!(drip_time < TIMEOUT + Duration::from_secs(1), "{drip_time:?}");
        // The silent and the half are gone at the deadline, of those that negotiate.
        for silent in open.iter().filter(|socket| socket.peer_addr().is_ok()) {
            silent.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        }
        wait_until("those that never finished a handshake are gone", || {
            server.number("ssl_handshakes_under_way") == 0
        });
        let waited = last.elapsed();
        assert!(waited < TIMEOUT + Duration::from_secs(2), "{waited:?}");
        let timeouts = server.number("ssl_handshakes_failed_timeout");
        assert!(count as u64 / 10 <= timeouts, "{timeouts} ended at the deadline");
    }
    open.clear();
    drop(dripping);
    wait_until("all descriptors are back", || server.descriptors() <= descriptors);
    let after = server.resident_bytes();
    println!(
        "{count} rough connections in {:?}: {} KiB before, {} at the peak, {} after",
        last - began,
        memory / 1024,
        peak / 1024,
        after / 1024
    );
    assert!(peak < memory + MEMORY_BYTES_MAX, "{memory} {peak}");
    assert_eq!(server.number("connected_clients"), clients);
    if is_tls {
        assert_eq!(server.number("ssl_connections_to_current_certificate"), clients);
        assert_eq!(server.number("ssl_connections_to_previous_certificate"), 0);
        // The one that asks is through.
        assert_eq!(server.number("ssl_handshakes_under_way"), 0);
        assert_eq!(server.number("ssl_cur_repeated_reads"), 0);
    }
}

#[test]
fn rough_peers_of_a_tls_port_leave_nothing_behind() {
    let directives = ["--tls-handshake-timeout", "2"];
    hold(&Served::over_ssl("rough", ours("our server"), &directives), true);
}

#[test]
fn rough_peers_of_a_plain_port_leave_nothing_behind() {
    hold(&Served::plain("rough-plain", ours("our server"), &[]), false);
}
