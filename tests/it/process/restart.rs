//! Tool: a server that begins anew in its own place (DEBUG RESTART, DEBUG CRASH-AND-RECOVER).

use super::{Folder, Server, wait_until};

fn run_id(server: &Server) -> Option<String> {
    let socket = std::net::TcpStream::connect(("127.0.0.1", server.port));
    let mut socket = socket.ok()?;
    let info = super::say(&mut socket, &["INFO", "server"]);
    info.lines().find_map(|line| line.strip_prefix("run_id:").map(str::to_owned))
}

fn restarts(server: &Server, how: &str) {
    let before = run_id(server).unwrap();
    let pid = server.pid();
    assert_eq!(server.ask(&["DEBUG", how, "10"]), "");
    wait_until("another server", || run_id(server).is_some_and(|now| now != before));
    let info = server.ask(&["INFO", "server"]);
    assert!(info.contains(&format!("process_id:{pid}\r\n")), "the same process");
}

#[test]
fn it_begins_anew_as_the_same_process_with_what_it_was_told() {
    let folder = Folder::new();
    let file = folder.write("redis.conf", "save \"\"\nhz 20\n");
    let server = Server::start_in(folder, &[&file, "--timeout", "77"]);
    assert_eq!(server.ask(&["CONFIG", "SET", "maxclients", "123"]), "+OK");
    restarts(&server, "CRASH-AND-RECOVER");
    let hz = server.ask(&["CONFIG", "GET", "hz", "timeout", "maxclients"]);
    assert!(hz.contains("\r\n20") && hz.contains("\r\n77") && !hz.contains("\r\n123"), "{hz}");

    assert_eq!(server.ask(&["CONFIG", "SET", "maxclients", "123"]), "+OK");
    restarts(&server, "RESTART");
    assert!(server.ask(&["CONFIG", "GET", "maxclients"]).ends_with("\r\n123"), "was written");
}
