//! Tool: replicas and children over TLS: a child has copies of its parent's sessions, and must
//! leave them alone.

use std::io::ErrorKind;

use conversation::{Process, reference};
use tests_ssl::{Client, Served, wait_until};

use crate::ours;

/// In a version that each Redis understands, and at once.
const USUAL: [&str; 8] = [
    "--rdb-version",
    "10",
    "--repl-diskless-sync-delay",
    "0",
    "--enable-debug-command",
    "yes",
    "--save",
    "",
];

fn served(name: &str, every_port: bool, options: &[&str]) -> Served {
    let directives = [&USUAL[..], options].concat();
    match every_port {
        true => Served::over_ssl(name, ours("our server, enable-ssl yes"), &directives),
        false => Served::over_tls_port(name, ours("our server, tls-port"), &directives),
    }
}

/// Starts a Redis that copies `served` over TLS; nothing if there is none that speaks it.
fn redis_after(served: &Served) -> Option<Process> {
    let program = served.certificate.over_tls_port(reference()?);
    let port = served.port().to_string();
    let directives = ["--tls-replication", "yes", "--replicaof", "127.0.0.1", &port];
    let directives = directives.iter().chain(&["--enable-debug-command", "yes"]);
    let started =
        Process::start(&program, &directives.map(ToString::to_string).collect::<Vec<_>>());
    started.inspect_err(|error| println!("skipped: the reference speaks no TLS: {error}")).ok()
}

fn child_is_at_work(client: &mut Client) -> bool {
    client.field("rdb_bgsave_in_progress").unwrap() == "1"
}

#[test]
fn redis_follows_us_over_tls() {
    for (every_port, diskless) in [(true, "yes"), (false, "yes"), (true, "no"), (false, "no")] {
        let name = format!("replica-{every_port}-{diskless}");
        let served = served(&name, every_port, &["--repl-diskless-sync", diskless]);
        let mut client = served.client();
        // More than sockets and pipes hold at once.
        let populate = ["DEBUG", "POPULATE", "100000", "key", "100"];
        assert_eq!(client.text(&populate).unwrap(), "OK");
        let Some(redis) = redis_after(&served) else { return };
        let mut replica = Client::tls(redis.port()).unwrap();
        for number in 0..2000 {
            client.text(&["SET", &format!("more:{number}"), &"x".repeat(number)]).unwrap();
        }
        wait_until("the link stands", || replica.field("master_link_status").unwrap() == "up");
        wait_until("it has the whole stream", || {
            let offset = client.field("master_repl_offset").unwrap();
            replica.field("slave_repl_offset").unwrap() == offset
        });
        let digest = client.text(&["DEBUG", "DIGEST"]).unwrap();
        assert_eq!(replica.text(&["DEBUG", "DIGEST"]).unwrap(), digest);
        assert!(client.field("slave0").unwrap().contains(",state=online,"));
        assert_eq!(client.text(&["WAIT", "1", "10000"]).unwrap(), "1");
    }
}

#[test]
fn sessions_survive_a_child() {
    for every_port in [true, false] {
        let name = format!("child-{every_port}");
        let served = served(&name, every_port, &["--rdb-key-save-delay", "100"]);
        let (mut client, mut idle) = (served.client(), served.client());
        assert_eq!(client.text(&["DEBUG", "POPULATE", "5000"]).unwrap(), "OK");
        assert_eq!(idle.text(&["PING"]).unwrap(), "PONG");
        assert_eq!(client.text(&["BGSAVE"]).unwrap(), "Background saving started");
        let mut turns = 0;
        while child_is_at_work(&mut client) {
            assert_eq!(client.text(&["SET", "k", &"x".repeat(turns)]).unwrap(), "OK");
            turns += 1;
        }
        assert!(1 < turns, "it was gone before it was there");
        assert_eq!(client.field("rdb_last_bgsave_status").unwrap(), "ok");
        assert_eq!(idle.text(&["PING"]).unwrap(), "PONG");
        assert_eq!(served.client().text(&["PING"]).unwrap(), "PONG");
    }
}

#[test]
fn who_is_sent_away_hears_a_goodbye_while_a_child_has_the_session_too() {
    for every_port in [true, false] {
        let name = format!("goodbye-{every_port}");
        let served = served(&name, every_port, &["--rdb-key-save-delay", "10000"]);
        let (mut client, mut victim) = (served.client(), served.client());
        assert_eq!(client.text(&["DEBUG", "POPULATE", "5000"]).unwrap(), "OK");
        let number = victim.text(&["CLIENT", "ID"]).unwrap();
        assert_eq!(client.text(&["BGSAVE"]).unwrap(), "Background saving started");
        assert_eq!(client.text(&["CLIENT", "KILL", "ID", &number]).unwrap(), "1");
        assert_eq!(victim.hear().unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert!(child_is_at_work(&mut client));
    }
}
