//! Tool: how the server ends, with which code, and what it leaves.

use std::net::TcpStream;

use super::{Folder, Server, run};

#[test]
fn a_signal_ends_the_server_in_good_order() {
    for (name, word) in [("TERM", "SIGTERM"), ("INT", "SIGINT")] {
        let folder = Folder::new();
        let (pidfile, socket) = (folder.path("pid"), folder.path("sock"));
        let options = ["--save", "", "--pidfile", &pidfile, "--unixsocket", &socket];
        let mut server = Server::start_in(folder, &options);
        assert_eq!(server.folder.read("pid"), format!("{}\n", server.pid()));
        server.signal(name);
        assert_eq!(server.wait(), 0);
        let log = server.log();
        assert!(log.contains(&format!(") Received {word} scheduling shutdown...\n")), "{log}");
        let steps = [
            " * User requested shutdown...\n",
            " * Removing the pid file.\n",
            " * Removing the unix socket file.\n",
            " # Redis is now ready to exit, bye bye...\n",
        ];
        let places: Vec<_> = steps.map(|step| log.find(step).expect(&log)).into();
        assert!(places.is_sorted(), "{log}");
        assert_eq!(server.folder.names(), ["log"]);
    }
}

#[test]
fn a_second_interrupt_ends_a_busy_server_at_once() {
    let mut server = Server::start(&["--save", ""]);
    let mut busy = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let request = conversation::encode(&["DEBUG", "LOG", "busy"]);
    let sleep = conversation::encode(&["DEBUG", "SLEEP", "60"]);
    std::io::Write::write_all(&mut busy, &[request, sleep].concat()).unwrap();
    server.wait_for("DEBUG LOG: busy");
    server.signal("INT");
    server.wait_for("Received SIGINT scheduling shutdown...");
    server.signal("INT");
    assert_eq!(server.wait(), 1);
    assert!(server.log().contains("You insist... exiting now."));
}

#[test]
fn shutdown_obeys_its_options() {
    for words in [&["SHUTDOWN"][..], &["SHUTDOWN", "NOSAVE"], &["SHUTDOWN", "NOW", "FORCE"]] {
        let mut server = Server::start(&["--save", ""]);
        assert_eq!(server.ask(words), "");
        assert_eq!(server.wait(), 0);
    }
    let server = Server::start(&["--save", ""]);
    for words in [&["SAVE", "NOSAVE"][..], &["ABORT", "NOW"], &["LATER"]] {
        assert_eq!(server.ask(&[&["SHUTDOWN"], words].concat()), "-ERR syntax error");
    }
    assert_eq!(server.ask(&["SHUTDOWN", "ABORT"]), "-ERR No shutdown in progress.");
}

#[test]
fn a_snapshot_that_cannot_be_written_keeps_the_server_alive() {
    let mut server = Server::start(&["--save", "", "--shutdown-on-sigterm", "save"]);
    // Its place is taken.
    std::fs::create_dir(server.folder.0.join("dump.rdb")).unwrap();
    let answer = "-ERR Errors trying to SHUTDOWN. Check logs.";
    assert_eq!(server.ask(&["SHUTDOWN", "SAVE"]), answer);
    assert!(server.log().contains("# Error trying to save the DB, can't exit.\n"));
    server.signal("TERM");
    server.wait_for("Errors trying to shut down the server. Check the logs");
    assert_eq!(server.ask(&["PING"]), "+PONG");
    assert_eq!(server.ask(&["SHUTDOWN", "SAVE", "FORCE"]), "");
    assert_eq!(server.wait(), 0);
    assert!(server.log().contains("# Error trying to save the DB. Exit anyway.\n"));
    assert_eq!(server.folder.names(), ["dump.rdb", "log"]);
}

#[test]
fn a_signals_wish_can_be_taken_back_before_it_is_met() {
    let server = Server::start(&["--save", ""]);
    assert_eq!(server.ask(&["SHUTDOWN", "ABORT"]), "-ERR No shutdown in progress.");
    assert_eq!(server.ask(&["DEBUG", "PAUSE-CRON", "1"]), "+OK");
    server.signal("TERM");
    server.wait_for("Received SIGTERM scheduling shutdown...");
    assert_eq!(server.ask(&["SHUTDOWN", "ABORT"]), "+OK");
    assert!(server.log().contains("* Shutdown manually aborted.\n"));
    assert_eq!(server.ask(&["SHUTDOWN", "ABORT"]), "-ERR No shutdown in progress.");
    assert_eq!(server.ask(&["DEBUG", "PAUSE-CRON", "0"]), "+OK");
    assert_eq!(server.ask(&["PING"]), "+PONG");
}

#[test]
fn a_start_that_fails_leaves_anothers_pidfile() {
    let folder = Folder::new();
    let pidfile = folder.path("pid");
    let server = Server::start_in(folder, &["--save", "", "--pidfile", &pidfile]);
    let port = server.port.to_string();
    let other = Folder::new();
    let options = ["--port", &port, "--bind", "127.0.0.1", "--pidfile", &pidfile];
    let (code, text) = run(&other, &options);
    assert!(code == 1 && text.contains("bind: Address already in use\n"), "{text}");
    assert!(text.contains(&format!("# Failed listening on port {port} (tcp), aborting.")));
    assert_eq!(server.folder.read("pid"), format!("{}\n", server.pid()));
}

#[test]
fn files_that_are_gone_already_are_no_trouble() {
    let folder = Folder::new();
    let (pidfile, socket) = (folder.path("pid"), folder.path("sock"));
    let options = ["--save", "", "--pidfile", &pidfile, "--unixsocket", &socket];
    let mut server = Server::start_in(folder, &options);
    std::fs::remove_file(&pidfile).unwrap();
    std::fs::remove_file(&socket).unwrap();
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    assert_eq!(server.folder.names(), ["log"]);
}
