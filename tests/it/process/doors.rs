//! Tool: where the server listens, at its start and after CONFIG SET, and whom it lets in.

use std::{
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
    process::{Command, Stdio},
};

use super::{Folder, OWN_PROCESSES, Server, ask, free_port, outcome, run, say};

const TAKEN: &str = "Unable to listen on this port. Check server logs.";

fn is_reached(address: &str, port: u16) -> bool {
    TcpStream::connect((address, port)).is_ok()
}

#[test]
fn a_unix_socket_has_its_mode() {
    let folder = Folder::new();
    let path = folder.path("sock");
    let options = ["--unixsocket", &path, "--unixsocketperm", "710", "--save", "", "--port", "0"];
    let server = Server::start_in(folder, &options);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o710);
    let mut socket = UnixStream::connect(&path).unwrap();
    assert_eq!(say(&mut socket, &["PING"]), "+PONG");
    assert!(!is_reached("127.0.0.1", server.port));
}

#[test]
fn the_port_moves_and_stays_where_it_was_if_it_cannot() {
    let server = Server::start(&["--save", ""]);
    let mut old = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let port = free_port();
    assert_eq!(server.ask(&["CONFIG", "SET", "port", &port.to_string()]), "+OK");
    assert!(!is_reached("127.0.0.1", server.port));
    assert!(server.title().ends_with(&format!("127.0.0.1:{}", server.port)), "as in Redis");
    assert_eq!(say(&mut old, &["PING"]), "+PONG", "who is connected stays");

    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = other.local_addr().unwrap().port().to_string();
    let answer = ask(port, &["CONFIG", "SET", "port", &taken, "hz", "77"]);
    let error = "-ERR CONFIG SET failed (possibly related to argument 'port') - ";
    assert_eq!(answer, format!("{error}{TAKEN}"));
    assert_eq!(ask(port, &["CONFIG", "GET", "hz"]), "*2\r\n$2\r\nhz\r\n$2\r\n10");
    assert!(server.log().contains("setting. Restoring previous settings.\n"));
}

#[test]
fn addresses_may_overlap_those_before() {
    let server = Server::start(&["--save", ""]);
    let port = server.port;
    let bind = |addresses| ask(port, &["CONFIG", "SET", "bind", addresses]);
    assert_eq!(bind("*"), "+OK");
    assert_eq!(bind("127.0.0.1 127.0.0.2"), "+OK");
    assert!(is_reached("127.0.0.2", port));
    assert_eq!(bind("127.0.0.1 -203.0.113.7"), "+OK", "an address that may be missing");
    assert!(!is_reached("127.0.0.2", port));
    let error = "-ERR CONFIG SET failed (possibly related to argument 'bind') - \
                 Failed to bind to specified addresses.";
    for bad in ["203.0.113.7", "127.0.0.1 203.0.113.7", "nosuchhost.invalid"] {
        assert_eq!(bind(bad), error);
        assert_eq!(ask(port, &["PING"]), "+PONG", "the former ones are back");
    }
    let shown = ask(port, &["CONFIG", "GET", "bind"]);
    assert!(shown.ends_with("127.0.0.1 -203.0.113.7"), "{shown}");
}

#[test]
fn addresses_that_are_not_there_stop_the_start_unless_they_may_be_missing() {
    let folder = Folder::new();
    let port = free_port().to_string();
    let start = |bind: &str| run(&folder, &["--port", &port, "--save", "", "--bind", bind]);
    let (code, text) = start("203.0.113.7");
    let why = format!(
        "# Warning: Could not create server TCP listening socket 203.0.113.7:{port}: bind: Cannot \
         assign requested address\n"
    );
    assert!(code == 1 && text.contains(&why), "{text}");
    assert!(text.contains(&format!("# Failed listening on port {port} (tcp), aborting.\n")));
    let (code, text) = start("-203.0.113.7");
    assert!(code == 1 && text.contains("# Configured to not listen anywhere, exiting."), "{text}");
    let (code, text) = start("nosuchhost.invalid");
    assert!(code == 1 && text.contains(&format!("nosuchhost.invalid:{port}: ")), "{text}");
    assert!(!text.contains("failed to lookup"), "the resolver's words alone: {text}");
}

/// As root only: a network namespace, where an address that is no loopback one is our own.
#[test]
fn strangers_are_shut_out_in_protected_mode() {
    let script = "ip link set lo up && ip addr add 10.9.8.7/32 dev lo || exit 9
        : > log
        $0 --port 7000 --bind '*' --save '' > log 2>&1 & pid=$!
        until grep -q 'Ready to accept' log; do sleep 0.05; done
        say() { exec 3<>/dev/tcp/$1/7000; shift; printf \"$*\\r\\nQUIT\\r\\n\" >&3; head -1 <&3; }
        # Who is shut out only listens: what it said would be unread when the server closes,
        # and the reset that follows takes the answer along.
        exec 3<>/dev/tcp/10.9.8.7/7000; head -1 <&3
        say 127.0.0.1 CONFIG SET protected-mode no
        say 10.9.8.7 PING
        say 127.0.0.1 CONFIG SET protected-mode yes requirepass x
        say 10.9.8.7 PING
        kill -TERM $pid; wait $pid";
    let own = [&OWN_PROCESSES[..], &["-n"]].concat();
    let may_unshare = Command::new("unshare").args(&own).arg("true").status();
    if !may_unshare.is_ok_and(|status| status.success()) || !Path::new("/sbin/ip").exists() {
        println!("not root, or no ip command: nothing is tested");
        return;
    }
    let folder = Folder::new();
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "20", "unshare"]).args(own);
    command.args(["bash", "-c", script, super::BINARY]);
    command.current_dir(&folder.0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (code, text) = outcome(command.spawn().unwrap());
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let [first, rest @ ..] = &lines[..] else { panic!("{code}: {text}") };
    assert!(first.starts_with("-DENIED Redis is running in protected mode"), "{text}");
    assert_eq!(rest, ["+OK", "+PONG", "+OK", "-NOAUTH Authentication required."], "{text}");
    assert_eq!(code, 0);
}

#[test]
fn maxclients_keeps_others_out_and_grows_with_the_limit_of_files() {
    let server = Server::start(&["--save", "", "--maxclients", "1"]);
    let mut first = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    super::wait_until("the second is refused", || {
        server.ask(&["PING"]) == "-ERR max number of clients reached"
    });
    assert_eq!(say(&mut first, &["CONFIG", "SET", "maxclients", "3"]), "+OK");
    super::wait_until("the first is gone", || server.ask(&["PING"]) == "+PONG");
    let answer = server.ask(&["CONFIG", "SET", "maxclients", "4000000000"]);
    assert!(answer.contains("The operating system is not able to handle"), "{answer}");
    let shown = server.ask(&["CONFIG", "GET", "maxclients"]);
    assert!(shown.ends_with("\r\n3"), "{shown}");
}
