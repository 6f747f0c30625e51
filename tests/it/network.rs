//! Tool: what the server does with clients that are rude, greedy, deaf, or gone.
//!
//! Conversations tell what is said; here it is what a client costs, and what the system sees.

mod huge;

use std::{
    fs,
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use conversation::{Process, Program};

const PATIENCE: Duration = Duration::from_secs(30);
const MIB: usize = 1 << 20;

struct Served(Process);

impl Served {
    fn start(directives: &[&str]) -> Self {
        let program = Program::new("our server", env!("CARGO_BIN_EXE_redis-server"));
        let directives: Vec<String> = directives.iter().map(ToString::to_string).collect();
        Self(Process::start(&program, &directives).unwrap())
    }

    fn client(&self) -> TcpStream {
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, self.0.port())).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_write_timeout(Some(PATIENCE)).unwrap();
        client
    }

    fn field(&self, name: &str) -> usize {
        let text = ask(&mut self.client(), b"INFO\r\n");
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.expect(name).parse().unwrap()
    }

    /// The most that was resident in memory, in bytes.
    fn resident_peak(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).unwrap();
        kib.trim().parse::<usize>().unwrap() << 10
    }

    /// What the server has computed so far.
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0.pid())).unwrap().count()
    }
}

/// Says one request and returns what is there of the answer to it, a whole bulk at most.
fn ask(client: &mut TcpStream, request: &[u8]) -> String {
    client.write_all(request).unwrap();
    let mut answer = Vec::new();
    loop {
        let mut space = [0; 16 << 10];
        let count = client.read(&mut space).unwrap();
        assert_ne!(count, 0, "closed after {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&space[..count]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let Some((first, rest)) = text.split_once("\r\n") else { continue };
        let bulk = first.strip_prefix('$').map_or(0, |n| n.parse::<usize>().unwrap() + 2);
        if bulk <= rest.len() {
            return text;
        }
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "it never came that {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Reads to the end, or to where the connection breaks.
fn drain(client: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match client.read_to_end(&mut all) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => all,
    }
}

fn write_until_full(client: &mut TcpStream, request: &[u8]) {
    client.set_nonblocking(true).unwrap();
    let start = Instant::now();
    let mut silent_since = Instant::now();
    while silent_since.elapsed() < Duration::from_millis(300) {
        assert!(start.elapsed() < PATIENCE, "it takes requests without an end");
        match client.write(request) {
            Ok(_) => silent_since = Instant::now(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(_) => break,
        }
    }
    client.set_nonblocking(false).unwrap();
}

fn set(key: &str, value: &[u8]) -> Vec<u8> {
    let head = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n", key.len(), value.len());
    [head.as_bytes(), value, b"\r\n"].concat()
}

#[test]
fn who_sends_more_than_may_wait_is_closed_and_named_in_the_log() {
    let server = Served::start(&["--client-query-buffer-limit", "1mb"]);
    let mut client = server.client();
    let _ = client.write_all(&set("k", &vec![b'x'; 2 * MIB]));
    drain(&mut client);
    let log = server.0.log();
    let line = log.lines().find(|line| line.contains("Closing client that reached"));
    let line = line.expect("a line of the log");
    assert!(line.contains("max query buffer length: id=") && line.contains(" qbuf="), "{line}");
    assert!(line.contains("(qbuf initial bytes: \""), "{line}");
    assert_eq!(server.field("client_query_buffer_limit_disconnections"), 1);
}

#[test]
fn a_hard_limit_closes_before_anything_is_sent() {
    let server = Served::start(&["--client-output-buffer-limit", "normal 100000 0 0"]);
    ask(&mut server.client(), &set("k", &[b'x'; 10_000]));
    let mut client = server.client();
    client.write_all(&b"GET k\r\n".repeat(15)).unwrap();
    assert_eq!(drain(&mut client), b"");
    let log = server.0.log();
    let line = log.lines().find(|line| line.contains("for overcoming of output buffer"));
    assert!(line.expect("a line of the log").contains(" cmd=get "), "{log}");
    assert_eq!(server.field("client_output_buffer_limit_disconnections"), 1);
}

#[test]
fn who_has_not_logged_in_cannot_let_replies_pile_up() {
    let server = Served::start(&["--requirepass", "secret"]);
    let mut client = server.client();
    // Each is answered with an error that is longer than the request.
    let requests = b"PING\r\n".repeat(100_000);
    let written = client.write_all(&requests);
    let heard = drain(&mut client);
    assert!(heard.len() < 3_300_000, "{} bytes, {written:?}", heard.len());
    let log = server.0.log();
    assert!(log.contains("for overcoming of output buffer limits"), "{log}");
}

#[test]
fn a_reply_far_beyond_the_limit_is_not_kept_as_a_whole() {
    let limits = "normal 1000000 0 0 pubsub 1000000 0 0";
    let server = Served::start(&["--client-output-buffer-limit", limits]);
    let mut client = server.client();
    ask(&mut client, &set("k", &[b'x'; 10_000]));
    let keys = "k ".repeat(10_000);
    let before = server.field("used_memory_peak");
    // 100 MB, if it were kept.
    client.write_all(format!("MGET {keys}\r\n").as_bytes()).unwrap();
    assert_eq!(drain(&mut client), b"");
    assert!(server.field("used_memory_peak") < before + 5 * MIB);
}

#[test]
fn what_others_push_to_a_deaf_client_is_limited() {
    let server = Served::start(&["--client-output-buffer-limit", "normal 1mb 0 0"]);
    let mut deaf = server.client();
    ask(&mut deaf, b"HELLO 3\r\n");
    assert_eq!(ask(&mut deaf, b"CLIENT TRACKING ON BCAST\r\n"), "+OK\r\n");
    let (mut client, key) = (server.client(), [b'k'; 100_000]);
    let before = server.field("used_memory");
    wait_until("the limit is met", || {
        let request = [b"*3\r\n$3\r\nSET\r\n$100000\r\n", &key[..], b"\r\n$1\r\nv\r\n"].concat();
        assert_eq!(ask(&mut client, &request), "+OK\r\n");
        server.field("client_output_buffer_limit_disconnections") == 1
    });
    assert!(server.field("used_memory") < before + 2 * MIB);
    assert_eq!(server.field("tracking_clients"), 0);
}

#[test]
fn who_lets_too_much_pile_up_is_evicted_and_others_stay() {
    let server = Served::start(&["--maxmemory-clients", "3mb"]);
    let mut deaf = server.client();
    ask(&mut deaf, b"HELLO 3\r\n");
    assert_eq!(ask(&mut deaf, b"CLIENT TRACKING ON BCAST\r\n"), "+OK\r\n");
    let (mut client, key) = (server.client(), [b'k'; 100_000]);
    wait_until("one is evicted", || {
        let request = [b"*3\r\n$3\r\nSET\r\n$100000\r\n", &key[..], b"\r\n$1\r\nv\r\n"].concat();
        assert_eq!(ask(&mut client, &request), "+OK\r\n");
        server.field("evicted_clients") == 1
    });
    assert_eq!(server.field("tracking_clients"), 0);
    assert!(server.0.log().contains("Evicting client: id="));
    assert!(server.field("mem_clients_normal") < MIB);
}

#[test]
fn a_pause_of_all_lets_everybody_wait_for_its_time() {
    let server = Served::start(&[]);
    let mut client = server.client();
    let began = Instant::now();
    assert_eq!(ask(&mut client, b"CLIENT PAUSE 600 ALL\r\n"), "+OK\r\n");
    assert_eq!(ask(&mut server.client(), b"PING\r\n"), "+PONG\r\n");
    assert!(Duration::from_millis(600) <= began.elapsed());
}

#[test]
fn a_soft_limit_closes_who_is_beyond_it_for_long() {
    let server = Served::start(&["--client-output-buffer-limit", "normal 0 1mb 1"]);
    ask(&mut server.client(), &set("k", &vec![b'x'; MIB]));
    let mut client = server.client();
    let began = Instant::now();
    // More than the kernel takes on both sides of a connection.
    client.write_all(&b"GET k\r\n".repeat(32)).unwrap();
    wait_until("the limit is met", || {
        server.field("client_output_buffer_limit_disconnections") == 1
    });
    assert!(Duration::from_secs(1) < began.elapsed());
    assert!(drain(&mut client).len() < 32 * MIB);
}

#[test]
fn who_never_reads_costs_no_more_than_its_limit_and_no_time() {
    let server = Served::start(&["--client-output-buffer-limit", "normal 8mb 0 0"]);
    ask(&mut server.client(), &set("k", &[b'x'; 8000]));
    let mut client = server.client();
    let before = server.field("used_memory");
    // Stops short of the limit, so that the client stays.
    client.write_all(&b"GET k\r\n".repeat(900)).unwrap();
    thread::sleep(Duration::from_millis(200));
    let cpu = server.cpu();
    thread::sleep(Duration::from_secs(1));
    assert!(server.cpu() - cpu <= Duration::from_millis(100), "it spins");
    assert!(server.field("used_memory") < before + 10 * MIB);
    write_until_full(&mut client, &b"GET k\r\n".repeat(100));
    assert!(server.field("used_memory") < before + MIB, "it was closed, and its memory freed");
    assert_eq!(server.field("client_output_buffer_limit_disconnections"), 1);
}

#[test]
fn who_ends_its_requests_is_sent_all_replies() {
    let server = Served::start(&[]);
    ask(&mut server.client(), &set("k", &vec![b'x'; MIB]));
    let mut client = server.client();
    client.write_all(&b"GET k\r\n".repeat(24)).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    wait_until("its end is seen", || {
        !ask(&mut server.client(), b"CLIENT LIST\r\n").contains(" cmd=get")
    });
    let cpu = server.cpu();
    thread::sleep(Duration::from_millis(500));
    assert!(server.cpu() - cpu <= Duration::from_millis(50), "it spins");
    assert_eq!(drain(&mut client).len(), 24 * ("$1048576\r\n".len() + MIB + 2));
}

#[test]
fn who_sends_and_goes_at_once_is_served_and_forgotten() {
    let server = Served::start(&[]);
    let before = server.descriptors();
    for _ in 0..200 {
        server.client().write_all(b"INCR n\r\nINCR n\r\n").unwrap();
    }
    wait_until("all are served", || {
        ask(&mut server.client(), b"GET n\r\n").ends_with("\r\n400\r\n")
    });
    wait_until("all are gone", || server.descriptors() == before);
}

#[test]
fn a_million_requests_in_one_write_are_answered_in_order() {
    const COUNT: usize = 1_000_000;
    let server = Served::start(&[]);
    let mut client = server.client();
    let mut writer = client.try_clone().unwrap();
    let writing = thread::spawn(move || writer.write_all(&b"INCR n\r\n".repeat(COUNT)));
    let mut seen = Vec::new();
    let mut space = vec![0; 64 << 10];
    let mut next = 1;
    while next <= COUNT {
        let count = client.read(&mut space).unwrap();
        assert_ne!(count, 0);
        seen.extend_from_slice(&space[..count]);
        let mut at = 0;
        while let Some(end) = seen[at..].windows(2).position(|pair| pair == b"\r\n") {
            assert_eq!(seen[at..at + end], *format!(":{next}").as_bytes());
            (next, at) = (next + 1, at + end + 2);
        }
        seen.drain(..at);
    }
    writing.join().unwrap().unwrap();
    assert!(server.field("used_memory_peak") < 32 * MIB);
}

#[test]
fn what_is_only_announced_takes_no_memory() {
    let server = Served::start(&[]);
    let before = server.field("used_memory");
    let mut clients: Vec<TcpStream> = (0..100).map(|_| server.client()).collect();
    for client in &mut clients {
        client.write_all(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n").unwrap();
    }
    // With the one that asks, and the one that saw that the server was up.
    wait_until("all have come", || server.field("connected_clients") == 102);
    assert!(server.field("used_memory") < before + 100 * 100 * 1024);
    // A silent client keeps even less.
    wait_until("it is given back", || server.field("used_memory") < before + 100 * 10 * 1024);
    for client in &mut clients {
        client.write_all(&vec![b'x'; 100_000]).unwrap();
    }
    wait_until("it is taken", || before + 100 * 100_000 < server.field("used_memory"));
    assert!(server.field("used_memory") < before + 100 * 350_000);
}

#[test]
fn a_request_may_drip_in_byte_by_byte() {
    let server = Served::start(&[]);
    let mut client = server.client();
    client.set_nodelay(true).unwrap();
    for byte in set("k", b"value") {
        client.write_all(&[byte]).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(ask(&mut client, b""), "+OK\r\n");
    let value = vec![b'x'; 300_000];
    let request = set("k", &value);
    for piece in request.chunks(1500) {
        client.write_all(piece).unwrap();
        thread::sleep(Duration::from_micros(200));
    }
    assert_eq!(ask(&mut client, b""), "+OK\r\n");
    assert_eq!(ask(&mut client, b"STRLEN k\r\n"), ":300000\r\n");
}

#[test]
fn a_server_out_of_descriptors_waits_instead_of_spinning() {
    let server = Served::start(&[]);
    let limit = server.descriptors() + 5;
    let pid = server.0.pid().to_string();
    let lowered = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--nofile={limit}:{limit}")])
        .status();
    assert!(lowered.unwrap().success());
    let mut clients: Vec<TcpStream> = (0..10).map(|_| server.client()).collect();
    wait_until("it has none left", || server.0.log().contains("Too many open files"));
    let cpu = server.cpu();
    thread::sleep(Duration::from_secs(1));
    assert!(server.cpu() - cpu <= Duration::from_millis(100), "it spins");
    assert_eq!(ask(&mut clients[0], b"PING\r\n"), "+PONG\r\n", "who is in is served");
    // Those that wait come in when others go.
    let mut last = clients.pop().unwrap();
    drop(clients);
    assert_eq!(ask(&mut last, b"PING\r\n"), "+PONG\r\n");
}

#[test]
fn the_kernel_probes_silent_clients() {
    // Of a connection: its state (01: established), and its timer (02: a probe) with the time
    // left in hundredths of a second.
    fn timer(port: u16) -> Option<(String, u64)> {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let ours = format!(":{port:04X}");
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (kind, left) = fields[5].split_once(':')?;
            let is_it = fields[1].ends_with(&ours) && fields[3] == "01";
            is_it.then(|| (kind.to_owned(), u64::from_str_radix(left, 16).unwrap()))
        })
    }
    for (seconds, expected) in [("77", "02"), ("0", "00")] {
        let server = Served::start(&["--tcp-keepalive", seconds]);
        let mut client = server.client();
        ask(&mut client, b"PING\r\n");
        let found = || timer(server.0.port());
        wait_until("the timer is seen", || found().is_some_and(|(kind, _)| kind == expected));
        let (_, left) = found().unwrap();
        assert!(left <= 7700, "{left}");
    }
}

#[test]
fn tls_at_a_plaintext_port_is_seen_and_closed() {
    let server = Served::start(&["--loglevel", "verbose"]);
    let mut client = server.client();
    client.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).unwrap();
    assert_eq!(drain(&mut client), b"");
    assert!(server.0.log().contains("TLS at a plaintext port"), "{}", server.0.log());
}

#[test]
fn a_silent_client_that_ended_its_requests_is_cut_off_after_the_timeout() -> io::Result<()> {
    let server = Served::start(&["--timeout", "1"]);
    let mut client = server.client();
    ask(&mut client, &set("k", &vec![b'x'; MIB]));
    let before = server.descriptors();
    client.write_all(&b"GET k\r\n".repeat(32))?;
    client.shutdown(Shutdown::Write)?;
    wait_until("it is gone", || server.descriptors() < before - 1);
    assert!(drain(&mut client).len() < 32 * MIB);
    Ok(())
}

fn subscriber(server: &Served) -> TcpStream {
    let mut client = server.client();
    let answer = ask(&mut client, b"SUBSCRIBE news\r\n");
    assert_eq!(answer, "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    client
}

#[test]
fn many_subscribers_hear_each_message_in_its_order_even_at_the_end() {
    let server = Served::start(&[]);
    let mut subscribers: Vec<TcpStream> = (0..60).map(|_| subscriber(&server)).collect();
    let (mut publisher, mut expected) = (server.client(), String::new());
    for n in 1000..1200 {
        assert_eq!(ask(&mut publisher, format!("PUBLISH news {n}\r\n").as_bytes()), ":60\r\n");
        expected += &format!("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\n{n}\r\n");
    }
    publisher.write_all(b"PUBLISH news last\r\nSHUTDOWN NOSAVE\r\n").unwrap();
    expected += "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\nlast\r\n";
    for subscriber in &mut subscribers {
        assert_eq!(String::from_utf8(drain(subscriber)).unwrap(), expected);
    }
}

#[test]
fn a_subscriber_that_never_reads_is_let_go_and_others_hear_on() {
    let server = Served::start(&["--client-output-buffer-limit", "pubsub 1mb 0 0"]);
    let deaf = subscriber(&server);
    let mut listener = subscriber(&server);
    let mut publisher = server.client();
    let publish = [&b"*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n$100000\r\n"[..], &[b'x'; 100_000]];
    let publish = [&publish.concat()[..], b"\r\n"].concat();
    let mut heard = vec![0; "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$100000\r\n".len() + 100_002];
    let start = Instant::now();
    while ask(&mut publisher, &publish) == ":2\r\n" {
        assert!(start.elapsed() < PATIENCE, "it keeps all that nobody reads");
        listener.read_exact(&mut heard).unwrap();
    }
    listener.read_exact(&mut heard).unwrap();
    assert_eq!(server.field("client_output_buffer_limit_disconnections"), 1);
    assert_eq!(ask(&mut publisher, b"PUBSUB NUMSUB news\r\n"), "*2\r\n$4\r\nnews\r\n:1\r\n");
    drop(deaf);
}
