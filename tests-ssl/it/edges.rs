//! Tool: what others shipped as bugs, or left open, each shown not to be so here. What needs
//! no whole server stands beside the SSL room (`src/net/ssl/tests`).

use std::{
    fs,
    io::{Read, Write},
    net::{IpAddr, Shutdown, TcpStream, UdpSocket},
    os::unix::fs::FileExt,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use conversation::Process;
use openssl::{
    pkey::PKey,
    ssl::{SslContextBuilder, SslFiletype, SslSession, SslSessionCacheMode},
};
use resp::value::Value;
use tests_ssl::{
    Certificate, Client, Served,
    client::{handshake, request, session, socket, trusting_anybody},
    wait_until,
};

use crate::ours;

const MIB: usize = 1 << 20;

fn served(name: &str, directives: &[&str]) -> Served {
    Served::over_ssl(name, ours("our server"), directives)
}

fn set(client: &mut Client, name: &str, value: &str) {
    assert_eq!(client.text(&["CONFIG", "SET", name, value]).unwrap(), "OK", "{name} {value}");
}

/// Tells how long the server takes to close a socket.
fn time_to_close(socket: &mut TcpStream) -> Duration {
    let began = Instant::now();
    while matches!(socket.read(&mut [0; 512]), Ok(bytes) if 0 < bytes) {}
    began.elapsed()
}

#[test]
fn whoever_is_closed_is_told_goodbye() {
    let server = served("goodbye", &[]);
    let mut quitting = server.client();
    assert_eq!(quitting.text(&["QUIT"]).unwrap(), "OK");
    assert!(quitting.is_told_goodbye(), "QUIT");
    let mut wrong = server.client();
    wrong.say(b"*1\r\n!\r\n").unwrap();
    let answer = wrong.hear().unwrap();
    assert_eq!(answer, Value::Error(b"ERR Protocol error: expected '$', got '!'".into()));
    assert!(wrong.is_told_goodbye(), "a protocol error");
    let (mut killer, mut killed) = (server.client(), server.client());
    let id = killed.text(&["CLIENT", "ID"]).unwrap();
    assert_eq!(killer.text(&["CLIENT", "KILL", "ID", &id]).unwrap(), "1");
    assert!(killed.is_told_goodbye(), "CLIENT KILL");
    let id = killer.text(&["CLIENT", "ID"]).unwrap();
    assert_eq!(killer.text(&["CLIENT", "KILL", "SKIPME", "no", "ID", &id]).unwrap(), "1");
    assert!(killer.is_told_goodbye(), "one that kills itself");
}

#[test]
fn who_is_refused_can_read_why() {
    let server = served("maxclients", &["--maxclients", "4"]);
    let mut clients: Vec<Client> = Vec::new();
    // The harness may hold one, too.
    let refused = loop {
        let mut client = server.client();
        match client.ask(&["PING"]) {
            Ok(Value::Simple(_)) => clients.push(client),
            outcome => break (client, outcome),
        }
        assert!(clients.len() <= 4);
    };
    let (mut client, outcome) = refused;
    assert_eq!(outcome.unwrap(), Value::Error(b"ERR max number of clients reached".into()));
    assert!(client.is_told_goodbye());
    clients.clear();
    wait_until("there is room again", || {
        server.connect().and_then(|mut client| client.text(&["PING"])).is_ok_and(|it| it == "PONG")
    });
}

/// An address of this machine by which it is a stranger to itself.
fn strange_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the kernel only looks for a way there.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[test]
fn protected_mode_tells_strangers_over_tls() {
    let Some(address) = strange_address() else {
        return println!("skipped: this machine has no address but its own");
    };
    let server = served("protected", &["--bind", "0.0.0.0", "--protected-mode", "yes"]);
    let socket = TcpStream::connect((address, server.port())).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut tls = session(&trusting_anybody().build()).unwrap().connect(socket).unwrap();
    let mut answer = String::new();
    tls.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("-DENIED Redis is running in protected mode"), "{answer}");
    assert_eq!(server.number("rejected_connections"), 1);
}

#[test]
fn plaintext_at_a_tls_port_is_answered_and_tls_at_a_plain_port_is_named() {
    let server = served("plaintext", &[]);
    for first in [&b"PING\r\n"[..], b"*1\r\n$4\r\nPING\r\n", b"G"] {
        let mut raw = socket(server.port()).unwrap();
        raw.write_all(first).unwrap();
        let mut answer = String::new();
        raw.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("-ERR This port speaks TLS only"), "{answer}");
    }
    assert_eq!(server.number("ssl_plaintext_refused"), 3);
    let plain = Served::plain("plain", ours("our server"), &[]);
    let began = Instant::now();
    assert!(handshake(plain.port(), trusting_anybody()).is_err());
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(plain.process.log().contains("TLS at a plaintext port: closing"));
}

#[test]
fn nobody_spins_whoever_stalls() {
    let server = served("stall", &[]);
    let mut client = server.client();
    let big = "x".repeat(MIB);
    assert_eq!(client.text(&["SET", "big", &big]).unwrap(), "OK");
    // Never reads 32 MiB of replies; half a hello; silent; half a request; a closing one that
    // does not read its last words.
    let mut deaf = server.client();
    deaf.say(&request(&["GET", "big"]).repeat(32)).unwrap();
    let mut half = socket(server.port()).unwrap();
    half.write_all(&[0x16, 3, 1, 2, 0, 1]).unwrap();
    let silent = socket(server.port()).unwrap();
    let mut slow = server.client();
    slow.say(b"*2\r\n$4\r\nECHO\r\n$5\r\nhe").unwrap();
    let mut closing = server.client();
    let mut requests = request(&["GET", "big"]).repeat(16);
    requests.extend_from_slice(&request(&["QUIT"]));
    closing.say(&requests).unwrap();
    assert_eq!(client.text(&["PING"]).unwrap(), "PONG");
    thread::sleep(Duration::from_millis(300));
    let before = server.cpu();
    thread::sleep(Duration::from_secs(1));
    let spent = server.cpu() - before;
    assert!(spent <= Duration::from_millis(150), "it spins: {spent:?} of a second");
    // All of it comes whole in the end.
    for _ in 0..32 {
        assert_eq!(deaf.hear().unwrap(), Value::Bulk(big.clone().into_bytes()));
    }
    for _ in 0..16 {
        assert_eq!(closing.hear().unwrap(), Value::Bulk(big.clone().into_bytes()));
    }
    assert_eq!(closing.hear().unwrap(), Value::Simple(b"OK".into()));
    assert!(closing.is_told_goodbye());
    slow.say(b"llo\r\n").unwrap();
    assert_eq!(slow.hear().unwrap(), Value::Bulk(b"hello".into()));
    drop((half, silent));
}

#[test]
fn what_was_read_ahead_is_served_though_the_socket_is_silent() {
    let server = served("ahead", &[]);
    let mut client = server.client();
    let count = 50_000;
    let requests = request(&["INCR", "n"]).repeat(count);
    for part in requests.chunks(300_000) {
        client.say(part).unwrap();
    }
    for at in 1..=count {
        assert_eq!(client.hear().unwrap(), Value::Integer(i64::try_from(at).unwrap()));
    }
    assert_eq!(client.field("ssl_cur_repeated_reads").unwrap(), "0");
}

#[test]
fn who_only_says_that_no_more_comes_is_sent_all_replies() {
    let server = served("half", &[]);
    let (count, value) = (32, "v".repeat(MIB));
    assert_eq!(server.client().text(&["SET", "big", &value]).unwrap(), "OK");
    for (is_polite, asked) in [(true, count), (false, 2 * count)] {
        let mut tls = handshake(server.port(), trusting_anybody()).unwrap();
        tls.write_all(&request(&["GET", "big"]).repeat(count)).unwrap();
        if is_polite {
            let _ = tls.shutdown().unwrap();
        }
        tls.get_ref().shutdown(Shutdown::Write).unwrap();
        wait_until("it was all heard", || {
            server.client().field("cmdstat_get").unwrap().starts_with(&format!("calls={asked},"))
        });
        let mut replies = Vec::new();
        tls.read_to_end(&mut replies).unwrap();
        let reply = format!("${MIB}\r\n{value}\r\n");
        assert!(replies == reply.repeat(count).into_bytes(), "{} bytes came", replies.len());
        wait_until("it is gone", || server.number("connected_clients") <= 2);
    }
}

#[test]
fn who_is_killed_with_data_pending_is_forgotten() {
    let server = served("killed", &[]);
    for _ in 0..20 {
        let mut clients: Vec<Client> = (0..6).map(|_| server.client()).collect();
        let ids: Vec<String> =
            clients.iter_mut().map(|client| client.text(&["CLIENT", "ID"]).unwrap()).collect();
        // Each sends more than one read takes, and somewhere in it kills its neighbour.
        for (at, client) in clients.iter_mut().enumerate() {
            let mut requests = request(&["SET", "k", &"v".repeat(500)]).repeat(100);
            requests.extend(request(&["CLIENT", "KILL", "ID", &ids[(at + 1) % ids.len()]]));
            requests.extend(request(&["SET", "k", &"v".repeat(500)]).repeat(400));
            // Who was killed by then cannot be written to.
            let _ = client.say(&requests);
        }
        let mut witness = server.client();
        assert_eq!(witness.text(&["PING"]).unwrap(), "PONG");
    }
    wait_until("nothing is held", || server.number("ssl_cur_repeated_reads") == 0);
}

#[test]
fn limits_of_handshakes_count_at_run_time() {
    let server = served("limits", &["--tls-handshake-timeout", "60"]);
    let mut client = server.client();
    set(&mut client, "tls-max-handshakes", "2");
    // Two take both seats with a hello that goes no further.
    let half = |bytes: &[u8]| {
        let mut raw = socket(server.port()).unwrap();
        raw.write_all(bytes).unwrap();
        raw
    };
    let first = [half(&[0x16, 3, 1, 2, 0, 1]), half(&[0x16, 3, 1, 2, 0, 1])];
    wait_until("both have their seats", || {
        client.field("ssl_handshakes_under_way").unwrap() == "2"
    });
    let port = server.port();
    let waiting = thread::spawn(move || Client::tls(port).and_then(|mut it| it.text(&["PING"])));
    wait_until("one waits", || client.field("ssl_handshakes_waiting").unwrap() == "1");
    thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    set(&mut client, "tls-max-handshakes", "3");
    assert_eq!(waiting.join().unwrap().unwrap(), "PONG");
    // The deadline counts for those who are there already.
    set(&mut client, "tls-handshake-timeout", "1");
    for mut raw in first {
        assert!(time_to_close(&mut raw) < Duration::from_secs(5));
    }
    let mut silent = socket(server.port()).unwrap();
    let time = time_to_close(&mut silent);
    assert!(Duration::from_millis(900) < time && time < Duration::from_secs(5), "{time:?}");
    assert_eq!(client.field("ssl_handshakes_failed_timeout").unwrap(), "3");
}

#[test]
fn performance_modes_change_at_run_time() {
    let server = served("modes", &[]);
    let mut client = server.client();
    for mode in ["high-throughput", "low-latency"] {
        set(&mut client, "ssl-performance-mode", mode);
        assert_eq!(client.field("ssl_performance_mode").unwrap(), mode);
        let big = "y".repeat(MIB);
        assert_eq!(client.text(&["SET", "k", &big]).unwrap(), "OK");
        assert_eq!(client.text(&["GET", "k"]).unwrap(), big);
    }
    let answer = client.text(&["CONFIG", "SET", "ssl-performance-mode", "fast"]).unwrap();
    assert!(answer.starts_with("ERR CONFIG SET failed"), "{answer}");
}

fn showing(certificate: &Certificate) -> SslContextBuilder {
    let mut builder = trusting_anybody();
    builder.set_certificate_chain_file(certificate.certificate_file()).unwrap();
    builder.set_private_key_file(certificate.key_file(), SslFiletype::PEM).unwrap();
    builder
}

/// Negotiates and has a PING answered: in TLS 1.3 a server refuses after the client is done.
fn ping(port: u16, builder: SslContextBuilder) -> bool {
    let Ok(mut tls) = handshake(port, builder) else { return false };
    let mut answer = [0; 7];
    tls.write_all(b"PING\r\n").is_ok()
        && tls.read_exact(&mut answer).is_ok()
        && &answer == b"+PONG\r\n"
}

#[test]
fn clients_must_show_a_certificate_where_they_are_told_to() {
    let server = served("mutual", &["--tls-auth-clients", "no", "--loglevel", "verbose"]);
    let stranger = Certificate::new("mutual-stranger").unwrap();
    let mut client = server.client();
    let port = server.port();
    for (rule, bare, known, unknown) in
        [("no", true, true, true), ("optional", true, true, false), ("yes", false, true, false)]
    {
        set(&mut client, "tls-auth-clients", rule);
        assert_eq!(ping(port, trusting_anybody()), bare, "{rule}, without");
        assert_eq!(ping(port, showing(&server.certificate)), known, "{rule}, with a good one");
        assert_eq!(ping(port, showing(&stranger)), unknown, "{rule}, with a stranger's");
    }
    let log = server.process.log();
    for reason in ["the peer showed no certificate", "the peer's certificate is not trusted"] {
        let line = format!("Error accepting a client connection: {reason} (addr=127.0.0.1:");
        assert!(log.contains(&line), "{log}");
    }
    let mut named = handshake(port, showing(&server.certificate)).unwrap();
    named.write_all(b"CLIENT INFO\r\n").unwrap();
    let mut space = [0; 2048];
    let bytes = named.read(&mut space).unwrap();
    let line = String::from_utf8_lossy(&space[..bytes]).into_owned();
    assert!(line.contains(" tls-protocol=TLSv1.3 "), "{line}");
    assert!(line.contains(" tls-peer-name=localhost"), "{line}");
}

/// Connects, keeps the ticket, and says whether a session was resumed.
fn connect_again(port: u16, ticket: &Arc<Mutex<Option<SslSession>>>) -> bool {
    let mut builder = trusting_anybody();
    // What a context keeps itself cannot be resumed once the context is gone.
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    let kept = Arc::clone(ticket);
    builder.set_new_session_callback(move |_, session| {
        *kept.lock().unwrap() = Some(session);
    });
    let mut ssl = session(&builder.build()).unwrap();
    if let Some(ticket) = ticket.lock().unwrap().take() {
        #[expect(unsafe_code, reason = "a session may be tried with a context of its own only")]
        // SAFETY: every context here is made alike, and none of them is changed later.
        unsafe {
            ssl.set_session(&ticket).unwrap();
        }
    }
    let mut tls = ssl.connect(socket(port).unwrap()).unwrap();
    tls.write_all(b"PING\r\n").unwrap();
    let mut answer = [0; 7];
    tls.read_exact(&mut answer).unwrap();
    let _ = tls.shutdown();
    tls.ssl().session_reused()
}

#[test]
fn sessions_resume_until_that_is_switched_off() {
    let server = served("resume", &[]);
    let ticket = Arc::default();
    let mut client = server.client();
    assert!(!connect_again(server.port(), &ticket));
    assert!(connect_again(server.port(), &ticket));
    assert!(connect_again(server.port(), &ticket));
    assert_eq!(client.field("ssl_handshakes_resumed").unwrap(), "2");
    set(&mut client, "tls-session-caching", "no");
    assert!(!connect_again(server.port(), &ticket));
    assert!(ticket.lock().unwrap().is_none(), "none is given out");
    assert!(!connect_again(server.port(), &ticket));
}

#[test]
fn an_idle_connection_costs_little() {
    let server = served("idle", &[]);
    let mut client = server.client();
    let mut used = || -> i64 {
        let fields = ["used_memory", "ssl_used_memory"];
        fields.map(|name| client.field(name).unwrap().parse::<i64>().unwrap()).iter().sum()
    };
    let before = used();
    let count = 200;
    let mut idle: Vec<Client> = (0..count).map(|_| server.client()).collect();
    for one in &mut idle {
        assert_eq!(one.text(&["PING"]).unwrap(), "PONG");
    }
    let mut each = i64::MAX;
    wait_until("each costs less than 11 kB", || {
        each = (used() - before) / count;
        each < 11_000
    });
    println!("an idle connection costs {each} bytes");
    for one in &mut idle {
        assert_eq!(one.text(&["PING"]).unwrap(), "PONG", "it goes on");
    }
}

#[test]
fn tables_grow_with_maxclients() {
    let server = served("grow", &["--maxclients", "10"]);
    let mut client = server.client();
    set(&mut client, "maxclients", "2000");
    let mut clients: Vec<Client> = (0..300).map(|_| server.client()).collect();
    for client in &mut clients {
        assert_eq!(client.text(&["PING"]).unwrap(), "PONG");
    }
}

#[test]
fn what_prevents_a_start_is_said() {
    let good = Certificate::new("start").unwrap();
    let other = Certificate::new("start-other").unwrap();
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let (own, key) = (path(good.certificate_file()), path(good.key_file()));
    let other_key = path(other.key_file());
    let cases: [(&[&str], &str); 5] = [
        (&[], "certificate-file (tls-cert-file) is not given"),
        (&["--certificate-file", &own], "private-key-file (tls-key-file) is not given"),
        (&["--certificate-file", "/nowhere", "--private-key-file", &key], "/nowhere: No such file"),
        (&["--certificate-file", &own, "--private-key-file", &other_key], "does not match"),
        (
            &["--certificate-file", &own, "--tls-cert-file", &key, "--private-key-file", &key],
            "tls-cert-file",
        ),
    ];
    for (directives, reason) in cases {
        let program = ours("our server").with(&["--enable-ssl", "yes"]).with(directives);
        let error = Process::start(&program, &[]).err().expect(reason).to_string();
        assert!(error.contains(reason), "{error}");
        assert!(!error.contains("panicked"), "{error}");
    }
}

#[test]
fn files_may_be_named_where_nothing_speaks_tls() {
    let server = Served::plain("without", ours("our server"), &[]);
    let mut client = server.client();
    set(&mut client, "tls-cert-file", "/nowhere.crt");
    set(&mut client, "tls-key-file", "/nowhere.key");
    let answer = client.text(&["CONFIG", "SET", "tls-port", "1"]).unwrap();
    assert!(answer.starts_with("ERR CONFIG SET failed"), "{answer}");
    let words = ["CONFIG", "SET", "ssl-renew-certificate", "/a", "/b"];
    let answer = client.text(&words).unwrap();
    assert!(answer.contains("SSL is not enabled on this instance"), "{answer}");
    assert_eq!(client.text(&["PING"]).unwrap(), "PONG");
}

/// Whether a process's memory holds these bytes; nothing where it cannot be looked at.
fn holds(pid: u32, wanted: &[u8]) -> Option<bool> {
    let memory = fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut found = false;
    for line in maps.lines().filter(|line| line.contains(" rw-p ")) {
        let (range, _) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let from = u64::from_str_radix(from, 16).ok()?;
        let to = u64::from_str_radix(to, 16).ok()?;
        let mut bytes = vec![0; usize::try_from(to - from).ok()?];
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            found |= bytes.windows(wanted.len()).any(|window| window == wanted);
        }
    }
    Some(found)
}

#[test]
fn a_key_leaves_memory_with_its_last_user() {
    let server = served("key", &[]);
    let pem = fs::read(server.certificate.key_file()).unwrap();
    let key = PKey::private_key_from_pem(&pem).unwrap().ec_key().unwrap();
    // As OpenSSL holds it: the last digits first.
    let mut secret = key.private_key().to_vec();
    secret.reverse();
    let Some(is_there) = holds(server.process.pid(), &secret) else {
        return println!("skipped: the server's memory cannot be looked at");
    };
    assert!(is_there, "a key in use is in memory");
    let mut old = server.client();
    let others = [Certificate::new("key-b").unwrap(), Certificate::new("key-c").unwrap()];
    for other in &others {
        let (key, own) = (other.key_file(), other.certificate_file());
        let paths = [key.to_str().unwrap(), own.to_str().unwrap()];
        let mut client = server.client();
        let words = ["CONFIG", "SET", "ssl-renew-certificate", paths[0], paths[1]];
        assert_eq!(client.text(&words).unwrap(), "OK");
    }
    assert!(old.is_told_goodbye());
    wait_until("the key is gone", || holds(server.process.pid(), &secret) == Some(false));
}
