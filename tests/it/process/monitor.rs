//! Tool: MONITOR where only sockets of their own kind tell: the Unix socket, and idle clients.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
};

use super::{Folder, PATIENCE, Server, say, wait_until};

struct Watcher(BufReader<TcpStream>);

impl Watcher {
    fn new(port: u16) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut watcher = Self(BufReader::new(socket));
        watcher.0.get_mut().write_all(b"MONITOR\r\n").unwrap();
        assert_eq!(watcher.line(), "+OK");
        watcher
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

#[test]
fn who_comes_through_a_unix_socket_is_shown_by_its_path() {
    let folder = Folder::new();
    let path = folder.path("sock");
    let server = Server::start_in(folder, &["--unixsocket", &path, "--save", ""]);
    let mut watcher = Watcher::new(server.port);
    let mut socket = UnixStream::connect(&path).unwrap();
    assert_eq!(say(&mut socket, &["SET", "k", "v"]), "+OK");
    let line = watcher.line();
    assert!(line.ends_with(&format!(" [0 unix:{path}] \"SET\" \"k\" \"v\"")), "{line}");
}

#[test]
fn who_watches_may_be_silent() {
    let server = Server::start(&["--timeout", "1", "--save", ""]);
    let mut watcher = Watcher::new(server.port);
    let mut idle = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    // When the other one is closed, the watcher has been as silent for as long.
    assert_eq!(std::io::Read::read(&mut idle, &mut [0]).unwrap(), 0);
    assert_eq!(server.ask(&["PING"]), "+PONG");
    assert!(watcher.line().ends_with("\"PING\""));
}

#[test]
fn who_reads_nothing_of_what_it_watches_is_closed() {
    let limit = ["--client-output-buffer-limit", "normal 1mb 0 0", "--save", ""];
    let server = Server::start(&limit);
    let watcher = Watcher::new(server.port);
    let text = "x".repeat(100_000);
    let closed = " for overcoming of output buffer limits.";
    wait_until("the watcher's end", || {
        assert_eq!(server.ask(&["ECHO", &text]).len(), text.len() + 9);
        server.log().contains(closed)
    });
    drop(watcher);
}
