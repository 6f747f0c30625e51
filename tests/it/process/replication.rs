//! Tool: replicas: Redis itself as one, and others that behave badly.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use base::random::Random;
use conversation::{Process, reference};

use super::{Server, ask, wait_until};

/// Snapshots begin at once, in the version that each Redis understands.
const USUAL: [&str; 6] = ["--save", "", "--rdb-version", "10", "--repl-diskless-sync-delay", "0"];

fn start(options: &[&str]) -> Server {
    Server::start(&[&USUAL[..], options].concat())
}

fn field_of(port: u16, name: &str) -> String {
    let info = ask(port, &["INFO"]);
    let line = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.expect(&info).to_owned()
}

fn field(server: &Server, name: &str) -> String {
    field_of(server.port, name)
}

/// Starts a Redis that copies `server`.
fn redis_after(server: &Server, options: &[&str]) -> Option<Process> {
    let port = server.port.to_string();
    let directives = ["--replicaof", "127.0.0.1", &port, "--enable-debug-command", "yes"];
    let directives = directives.iter().chain(options).map(ToString::to_string);
    Some(Process::start(&reference()?, &directives.collect::<Vec<_>>()).unwrap())
}

fn wait_for_same_data(server: &Server, redis: &Process) {
    wait_until("the link", || field_of(redis.port(), "master_link_status") == "up");
    wait_until("the whole stream", || {
        field_of(redis.port(), "slave_repl_offset") == field(server, "master_repl_offset")
    });
    let ours = server.ask(&["DEBUG", "DIGEST"]);
    assert_eq!(ask(redis.port(), &["DEBUG", "DIGEST"]), ours);
    assert_ne!(ours, format!("+{}", "0".repeat(40)));
}

/// Says so many random commands that write.
fn write_at_random(server: &Server, random: &mut Random, count: usize) {
    let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let mut requests = Vec::new();
    for _ in 0..count {
        let key = format!("key:{}", random.below(1000));
        let value = "x".repeat(random.index(200));
        let number = random.below(100_000).to_string();
        let set = format!("set:{}", random.below(9));
        let words: Vec<&str> = match random.below(19) {
            0..=3 => vec!["SET", &key, &value],
            4 => vec!["APPEND", &key, &value],
            5 => vec!["DEL", &key],
            6 => vec!["SET", &key, &number, "PX", "1000000"],
            7 => vec!["INCRBY", &key, &number],
            8 => vec!["INCRBYFLOAT", &key, "0.1"],
            9 => vec!["SETRANGE", &key, "70", &value],
            10 => vec!["RENAME", &key, "other"],
            11 => vec!["MULTI"],
            12 => vec!["EXEC"],
            13 => vec!["SADD", &set, &number, &value],
            14 => vec!["SADD", &set, &number, &key],
            15 => vec!["SPOP", &set, "2"],
            16 => vec!["SPOP", &set],
            17 => vec!["SUNIONSTORE", &set, "set:0", "set:1"],
            _ => vec!["SELECT", if random.below(2) == 0 { "0" } else { "9" }],
        };
        requests.extend_from_slice(&conversation::encode(&words));
    }
    requests.extend_from_slice(&conversation::encode(&["QUIT"]));
    let mut reader = socket.try_clone().unwrap();
    let heard = std::thread::spawn(move || reader.read_to_end(&mut Vec::new()).unwrap());
    socket.write_all(&requests).unwrap();
    assert!(count < heard.join().unwrap());
}

#[test]
fn redis_follows_us_whatever_is_written() {
    let seed = Random::from_system().any_u64();
    eprintln!("seed {seed}");
    let mut random = Random::seeded(seed);
    for diskless in ["yes", "no"] {
        let server = start(&["--repl-diskless-sync", diskless, "--rdb-key-save-delay", "100"]);
        assert_eq!(server.ask(&["DEBUG", "POPULATE", "3000"]), "+OK");
        write_at_random(&server, &mut random, 2000);
        let Some(first) = redis_after(&server, &[]) else { return };
        // While the first gets its snapshot, and the second waits for the next one.
        write_at_random(&server, &mut random, 5000);
        let second = redis_after(&server, &["--repl-diskless-load", "swapdb"]).unwrap();
        write_at_random(&server, &mut random, 5000);
        wait_for_same_data(&server, &first);
        wait_for_same_data(&server, &second);
        let target = if diskless == "yes" { "replicas sockets" } else { "disk" };
        server.wait_for(&format!("* Starting BGSAVE for SYNC with target: {target}\n"));
        assert_eq!(field(&server, "connected_slaves"), "2");
        let replica = field(&server, "slave0");
        assert!(replica.starts_with("ip=127.0.0.1,port="), "{replica}");
        assert!(replica.contains(",state=online,offset="), "{replica}");
        assert_eq!(field(&server, "sync_full"), "2");
    }
}

#[test]
fn redis_goes_on_where_it_was() {
    let server = start(&[]);
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    let Some(redis) = redis_after(&server, &[]) else { return };
    wait_for_same_data(&server, &redis);
    assert_eq!(server.ask(&["CLIENT", "KILL", "TYPE", "replica"]), ":1");
    assert_eq!(server.ask(&["SET", "k", "while it was away"]), "+OK");
    wait_until("it is back", || field(&server, "sync_partial_ok") == "1");
    wait_for_same_data(&server, &redis);
    assert_eq!(field(&server, "sync_full"), "1");
    server.wait_for("accepted. Sending ");
}

/// A replica that does what a test tells it.
struct Replica(TcpStream);

impl Replica {
    fn connect(server: &Server) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        socket.set_read_timeout(Some(super::PATIENCE)).unwrap();
        let mut replica = Self(socket);
        replica.say(&["REPLCONF", "capa", "eof", "capa", "psync2"]);
        assert_eq!(replica.line(), "+OK");
        replica
    }

    fn say(&mut self, words: &[&str]) {
        self.0.write_all(&conversation::encode(words)).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            // Those between lines only say that somebody is there.
            if !(line.is_empty() && byte == *b"\n") {
                line.push(byte[0]);
            }
        }
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    /// Asks for a snapshot, and learns whose history it is of.
    fn sync(&mut self) -> String {
        self.say(&["PSYNC", "?", "-1"]);
        let line = self.line();
        line.strip_prefix("+FULLRESYNC ").expect(&line).split(' ').next().unwrap().to_owned()
    }

    /// Reads a snapshot whose end is marked.
    fn snapshot(&mut self) -> Vec<u8> {
        let line = self.line();
        let mark = line.strip_prefix("$EOF:").expect(&line).to_owned();
        assert_eq!(mark.len(), 40);
        let mut snapshot = Vec::new();
        let mut piece = [0; 4096];
        while !snapshot.ends_with(mark.as_bytes()) {
            let bytes = self.0.read(&mut piece).unwrap();
            assert_ne!(bytes, 0, "the mark comes before the end");
            snapshot.extend_from_slice(&piece[..bytes]);
        }
        snapshot.truncate(snapshot.len() - mark.len());
        snapshot
    }

    fn wait_for_end(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end, too.
        let _ = self.0.read_to_end(&mut rest);
    }
}

#[test]
fn commands_come_after_the_snapshot_is_acknowledged() {
    let server = start(&[]);
    assert_eq!(server.ask(&["SET", "before", "v"]), "+OK");
    let mut replica = Replica::connect(&server);
    replica.sync();
    assert_eq!(server.ask(&["SET", "after", "v"]), "+OK");
    let snapshot = replica.snapshot();
    assert!(snapshot.starts_with(b"REDIS0010"), "{snapshot:?}");
    assert!(snapshot.windows(6).any(|bytes| bytes == b"before"), "{snapshot:?}");
    server.wait_for("Waiting for REPLCONF ACK from replica to enable streaming");
    replica.0.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(replica.0.read(&mut [0]).is_err(), "it has not said that it has all of it");
    replica.0.set_read_timeout(Some(super::PATIENCE)).unwrap();
    replica.say(&["REPLCONF", "ACK", "0"]);
    for line in ["*2", "$6", "SELECT", "$1", "0", "*3", "$3", "SET", "$5", "after", "$1", "v"] {
        assert_eq!(replica.line(), line);
    }
    assert!(field(&server, "slave0").contains(",state=online,offset=0,lag="));
    replica.say(&["REPLCONF", "ACK", "55"]);
    wait_until("it is noted", || field(&server, "slave0").contains(",offset=55,lag=0"));
}

#[test]
fn one_snapshot_is_for_all_who_came_in_time() {
    let server =
        start(&["--repl-diskless-sync-delay", "3600", "--repl-diskless-sync-max-replicas", "3"]);
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    let mut replicas = [(); 3].map(|()| Replica::connect(&server));
    for replica in &mut replicas {
        replica.say(&["PSYNC", "?", "-1"]);
    }
    for replica in &mut replicas {
        assert!(replica.line().starts_with("+FULLRESYNC "));
    }
    let [one, two, three] = &mut replicas;
    let snapshot = one.snapshot();
    assert_eq!((two.snapshot(), three.snapshot()), (snapshot.clone(), snapshot));
    server.wait_for("* Diskless rdb transfer, done reading from pipe, 3 replicas still up.\n");
    assert_eq!(
        (field(&server, "total_forks"), field(&server, "sync_full")),
        ("1".into(), "3".into())
    );
}

#[test]
fn a_child_that_writes_for_nobody_is_ended() {
    let server = start(&["--rdb-key-save-delay", "1000"]);
    assert_eq!(server.ask(&["DEBUG", "POPULATE", "20000"]), "+OK");
    let mut replica = Replica::connect(&server);
    replica.sync();
    assert!(replica.line().starts_with("$EOF:"));
    drop(replica);
    server.wait_for("# Diskless rdb transfer, last replica dropped, killing fork child.\n");
    server.wait_for("# Background transfer terminated by signal 10\n");
    assert_eq!(field(&server, "connected_slaves"), "0");
    assert_eq!(field(&server, "rdb_last_bgsave_status"), "ok");
}

#[test]
fn a_replica_that_stands_still_does_not_stop_another_for_ever() {
    let server = start(&["--repl-timeout", "1", "--rdbcompression", "no"]);
    assert_eq!(server.ask(&["DEBUG", "POPULATE", "200000", "key", "100"]), "+OK");
    assert_eq!(server.ask(&["CONFIG", "SET", "repl-diskless-sync-max-replicas", "2"]), "+OK");
    assert_eq!(server.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "3600"]), "+OK");
    let mut still = Replica::connect(&server);
    let mut quick = Replica::connect(&server);
    still.say(&["PSYNC", "?", "-1"]);
    quick.sync();
    assert!(10_000_000 < quick.snapshot().len());
    server.wait_for("# Disconnecting timedout replica (full sync): ");
    still.wait_for_end();
    assert_eq!(field(&server, "connected_slaves"), "1");
}

#[test]
fn a_replica_that_reads_too_slowly_is_given_up() {
    let limit = "replica 2mb 0 0";
    let server = start(&["--repl-backlog-size", "16kb", "--client-output-buffer-limit", limit]);
    let mut replica = Replica::connect(&server);
    replica.sync();
    replica.snapshot();
    replica.say(&["REPLCONF", "ACK", "0"]);
    let value = "x".repeat(100_000);
    wait_until("much waits for it", || {
        assert_eq!(server.ask(&["SET", "k", &value]), "+OK");
        let list = server.ask(&["CLIENT", "LIST", "TYPE", "replica"]);
        let bytes = list.split(" omem=").nth(1).and_then(|rest| rest.split(' ').next());
        1_000_000 < bytes.unwrap().parse::<u64>().unwrap()
    });
    wait_until("the limit", || {
        assert_eq!(server.ask(&["SET", "k", &value]), "+OK");
        server.log().contains(" closed for overcoming of output buffer limits.")
    });
    replica.wait_for_end();
    server.wait_for("* Connection with replica 127.0.0.1:<unknown-replica-port> lost.\n");
    wait_until("the backlog is small again", || {
        field(&server, "repl_backlog_histlen").parse::<u64>().unwrap() < 200_000
    });
}

#[test]
fn a_replica_that_says_nothing_is_given_up() {
    let server = start(&["--repl-timeout", "1"]);
    let mut replica = Replica::connect(&server);
    replica.sync();
    replica.snapshot();
    replica.say(&["REPLCONF", "ACK", "0"]);
    replica.wait_for_end();
    server.wait_for("# Disconnecting timedout replica (streaming sync): ");
}

#[test]
fn a_backlog_for_which_nobody_comes_is_given_up() {
    let server = start(&["--repl-backlog-ttl", "1"]);
    let mut replica = Replica::connect(&server);
    let history = replica.sync();
    assert_eq!(field(&server, "master_replid"), history);
    drop(replica);
    server.wait_for("* Replication backlog freed after 1 seconds without connected replicas.\n");
    assert_eq!(field(&server, "repl_backlog_active"), "0");
    assert_ne!(field(&server, "master_replid"), history);
}

#[test]
fn a_file_for_replicas_alone_goes_with_its_use() {
    let server = start(&["--repl-diskless-sync", "no", "--rdb-del-sync-files", "yes"]);
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    let mut replica = Replica::connect(&server);
    replica.sync();
    let line = replica.line();
    let bytes: usize = line.strip_prefix('$').expect(&line).parse().unwrap();
    replica.0.read_exact(&mut vec![0; bytes]).unwrap();
    server.wait_for("* Removing the RDB file used to feed replicas in a persistence-less instance");
    assert_eq!(server.folder.names(), ["log"]);
}

#[test]
fn a_replica_may_leave_out_all_keys() {
    let server = start(&[]);
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    let mut replica = Replica::connect(&server);
    replica.say(&["REPLCONF", "rdb-only", "1", "rdb-filter-only", ""]);
    assert_eq!(replica.line(), "+OK");
    replica.sync();
    let snapshot = replica.snapshot();
    assert!(!snapshot.windows(3).any(|bytes| bytes == b"\x01k\x01"), "{snapshot:?}");
    replica.wait_for_end();
    server.wait_for("* RDB transfer completed, rdb only replica (");
}

#[test]
fn writes_wait_for_nobody_but_want_good_replicas() {
    let server = start(&["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"]);
    assert_eq!(server.ask(&["SET", "k", "v"]), "-NOREPLICAS Not enough good replicas to write.");
    let mut replica = Replica::connect(&server);
    replica.sync();
    replica.snapshot();
    replica.say(&["REPLCONF", "ACK", "0"]);
    wait_until("it is good", || field(&server, "min_slaves_good_slaves") == "1");
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    wait_until("it has been silent for too long", || {
        server.ask(&["SET", "k", "v"]) == "-NOREPLICAS Not enough good replicas to write."
    });
}

/// An online replica that has acknowledged nothing, of a server that is told to end.
fn lagging() -> (Server, Replica, TcpStream) {
    let server = start(&[]);
    let mut replica = Replica::connect(&server);
    replica.sync();
    replica.snapshot();
    replica.say(&["REPLCONF", "ACK", "0"]);
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    let mut operator = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    operator.write_all(&conversation::encode(&["SHUTDOWN"])).unwrap();
    server.wait_for("* Waiting for replicas before shutting down.\n");
    (server, replica, operator)
}

#[test]
fn the_end_waits_until_replicas_have_everything() {
    let (mut server, mut replica, mut operator) = lagging();
    let mut writer = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    writer.write_all(&conversation::encode(&["SET", "k", "too late"])).unwrap();
    assert_eq!(server.ask(&["GET", "k"]), "$1\r\nv");
    let end = field(&server, "master_repl_offset");
    replica.say(&["REPLCONF", "ACK", &end]);
    assert_eq!(server.wait(), 0);
    let log = server.log();
    assert!(log.contains("* 1 of 1 replicas are in sync when shutting down.\n"), "{log}");
    let mut answers = Vec::new();
    writer.read_to_end(&mut answers).unwrap();
    operator.read_to_end(&mut answers).unwrap();
    assert_eq!(answers, b"");
}

#[test]
fn an_end_that_waits_can_be_taken_back() {
    let (server, replica, mut operator) = lagging();
    let mut writer = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    writer.write_all(&conversation::encode(&["SET", "k", "w"])).unwrap();
    assert_eq!(server.ask(&["SHUTDOWN", "ABORT"]), "+OK");
    server.wait_for("* Shutdown manually aborted.\n");
    assert_eq!(server.ask(&["SHUTDOWN", "ABORT"]), "-ERR No shutdown in progress.");
    let mut answer = [0; 64];
    let bytes = writer.read(&mut answer).unwrap();
    assert_eq!(&answer[..bytes], b"+OK\r\n");
    let bytes = operator.read(&mut answer).unwrap();
    assert_eq!(&answer[..bytes], b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    operator.write_all(&conversation::encode(&["PING"])).unwrap();
    let bytes = operator.read(&mut answer).unwrap();
    assert_eq!(&answer[..bytes], b"+PONG\r\n");
    drop(replica);
}

#[test]
fn the_end_waits_no_longer_than_it_may() {
    let (mut server, _replica, _operator) = lagging();
    assert_eq!(server.ask(&["SHUTDOWN", "ABORT"]), "+OK");
    assert_eq!(server.ask(&["CONFIG", "SET", "shutdown-timeout", "1"]), "+OK");
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    let log = server.log();
    assert!(
        log.contains("* Lagging replica 127.0.0.1:<unknown-replica-port> reported offset "),
        "{log}"
    );
    assert!(log.contains("* 0 of 1 replicas are in sync when shutting down.\n"), "{log}");
}
