//! Tool: snapshots in the background: the child that writes one, and what comes of it.

use std::{
    fs,
    io::Read,
    net::{TcpListener, TcpStream},
    path::Path,
};

use super::{Folder, Server, ask, signal, title, wait_until};

const GOOD: &str = "* Background saving terminated with success\n";
/// Ten seconds for the keys of `slow`, and a report after one.
const SLOW: [&str; 4] = ["--save", "", "--rdb-key-save-delay", "1000"];

/// A server whose snapshots take long, with one under way; returns the child, too.
fn slow(options: &[&str]) -> (Server, u32) {
    let server = Server::start(&[&SLOW[..], options].concat());
    assert_eq!(server.ask(&["DEBUG", "POPULATE", "10000"]), "+OK");
    assert_eq!(server.ask(&["BGSAVE"]), "+Background saving started");
    let child = child_of(&server);
    (server, child)
}

fn child_of(server: &Server) -> u32 {
    let log = server.log();
    let begun = log.rsplit(" started by pid ").next().unwrap();
    begun.lines().next().unwrap().parse().expect(&log)
}

fn field(server: &Server, name: &str) -> String {
    let info = server.ask(&["INFO"]);
    let line = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.expect(&info).to_owned()
}

fn number(server: &Server, name: &str) -> f64 {
    field(server, name).parse().unwrap()
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/stat")).exists()
}

#[test]
fn a_save_point_saves_by_itself() {
    let mut server = Server::start(&["--save", "1 2"]);
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    assert_eq!(server.ask(&["SET", "k", "w"]), "+OK");
    server.wait_for("* 2 changes in 1 seconds. Saving...\n");
    server.wait_for(GOOD);
    let log = server.log();
    assert!(log.contains(":C ") && log.contains(" * DB saved on disk\n"), "{log}");
    assert!(log.contains(" * Fork CoW for RDB: current "), "{log}");
    assert_eq!(field(&server, "rdb_changes_since_last_save"), "0");
    assert_eq!(field(&server, "rdb_bgsave_in_progress"), "0");
    assert_eq!(field(&server, "rdb_last_bgsave_status"), "ok");
    assert!(0.0 <= number(&server, "rdb_last_bgsave_time_sec"));
    assert!(0.0 < number(&server, "rdb_last_cow_size"));
    assert!(0.0 < number(&server, "latest_fork_usec"));
    assert_eq!(field(&server, "total_forks"), "1");
    assert_eq!(server.ask(&["CONFIG", "RESETSTAT"]), "+OK");
    assert_eq!(field(&server, "total_forks"), "0");
    assert_eq!(field(&server, "latest_fork_usec"), "0");
    assert_eq!(server.ask(&["SHUTDOWN", "NOSAVE"]), "");
    assert_eq!(server.wait(), 0);
    let folder = std::mem::replace(&mut server.folder, Folder::new());
    let server = Server::start_in(folder, &["--save", ""]);
    assert_eq!(server.ask(&["GET", "k"]), "$1\r\nw");
}

#[test]
fn a_child_tells_how_far_it_is() {
    let (server, child) = slow(&[]);
    wait_until("its name", || title(child).starts_with("redis-rdb-bgsave "));
    assert_eq!(field(&server, "rdb_bgsave_in_progress"), "1");
    assert_eq!(field(&server, "current_save_keys_total"), "10000");
    wait_until("a report", || 0.0 < number(&server, "current_save_keys_processed"));
    let percent = number(&server, "current_fork_perc");
    assert!((10.0..=100.0).contains(&percent), "{percent}");
    assert!(0.0 < number(&server, "current_cow_size"));
    assert!(0.0 < number(&server, "current_cow_peak"));
    assert!(0.0 <= number(&server, "rdb_current_bgsave_time_sec"));
    // Writes go on meanwhile, and are not a part of it.
    assert_eq!(server.ask(&["SET", "new", "v"]), "+OK");
    assert_eq!(server.ask(&["CONFIG", "SET", "rdb-key-save-delay", "0"]), "+OK");
    assert_eq!(server.ask(&["BGSAVE"]), "-ERR Background save already in progress");
}

#[test]
fn flushing_everything_ends_the_child_and_empties_the_file() {
    let (server, child) = slow(&[]);
    assert_eq!(server.ask(&["FLUSHALL"]), "+OK");
    server.wait_for("# Background saving terminated by signal 10\n");
    server.wait_for(" Received SIGUSR1 in child, exiting now.");
    assert!(!is_alive(child));
    // It was meant.
    assert_eq!(field(&server, "rdb_last_bgsave_status"), "ok");
    wait_until("no file is left over", || server.folder.names() == ["log"]);
    assert_eq!(server.ask(&["CONFIG", "SET", "save", "3600 1"]), "+OK");
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    assert_eq!(server.ask(&["FLUSHALL"]), "+OK");
    assert_eq!(server.folder.names(), ["dump.rdb", "log"]);
    assert_eq!(field(&server, "rdb_changes_since_last_save"), "0");
}

#[test]
fn a_child_that_is_killed_stops_writes_until_another_is_good() {
    let (server, child) = slow(&[]);
    assert_eq!(server.ask(&["CONFIG", "SET", "save", "3600 1"]), "+OK");
    assert_eq!(server.ask(&["SET", "k", "v"]), "+OK");
    signal(child, "KILL");
    server.wait_for("# Background saving terminated by signal 9\n");
    assert_eq!(server.folder.names(), ["log"]);
    assert_eq!(field(&server, "rdb_last_bgsave_status"), "err");
    for words in [&["SET", "k", "w"][..], &["PING"], &["DEL", "k"]] {
        let answer = server.ask(words);
        assert!(
            answer.starts_with("-MISCONF Redis is configured to save RDB snapshots"),
            "{answer}"
        );
    }
    assert_eq!(server.ask(&["GET", "k"]), "$1\r\nv");
    assert_eq!(server.ask(&["CONFIG", "SET", "rdb-key-save-delay", "0"]), "+OK");
    assert_eq!(server.ask(&["BGSAVE"]), "+Background saving started");
    server.wait_for(GOOD);
    assert_eq!(server.ask(&["SET", "k", "w"]), "+OK");
    assert_eq!(field(&server, "rdb_last_bgsave_status"), "ok");
    assert_eq!(field(&server, "rdb_saves"), "2");
}

#[test]
fn a_snapshot_at_the_end_takes_the_place_of_the_childs() {
    let (mut server, child) = slow(&[]);
    assert_eq!(server.ask(&["CONFIG", "SET", "rdb-key-save-delay", "0"]), "+OK");
    assert_eq!(server.ask(&["SHUTDOWN", "SAVE"]), "");
    assert_eq!(server.wait(), 0);
    let log = server.log();
    assert!(log.contains("# There is a child saving an .rdb. Killing it!\n"), "{log}");
    assert!(log.contains("* Saving the final RDB snapshot before exiting.\n"), "{log}");
    wait_until("the child's end", || !is_alive(child));
    assert_eq!(server.folder.names(), ["dump.rdb", "log"]);
}

#[test]
fn a_child_outlives_its_parent_by_a_report_and_holds_no_port() {
    let (mut server, child) = slow(&[]);
    server.signal("KILL");
    assert_eq!(server.wait(), -9);
    assert!(is_alive(child));
    TcpListener::bind(("127.0.0.1", server.port)).expect("nobody listens there");
    wait_until("the child's end", || !is_alive(child));
    server.wait_for("# Child failed reporting info to parent, exiting. ");
}

#[test]
fn who_is_sent_away_hears_of_it_while_a_child_has_the_socket_too() {
    let server = Server::start(&SLOW);
    assert_eq!(server.ask(&["DEBUG", "POPULATE", "10000"]), "+OK");
    let mut client = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let number = {
        let request = conversation::encode(&["CLIENT", "ID"]);
        std::io::Write::write_all(&mut client, &request).unwrap();
        let mut answer = [0; 32];
        let bytes = client.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[1..bytes]).trim().to_owned()
    };
    assert_eq!(server.ask(&["BGSAVE"]), "+Background saving started");
    let child = child_of(&server);
    assert_eq!(ask(server.port, &["CLIENT", "KILL", "ID", &number]), ":1");
    client.set_read_timeout(Some(super::PATIENCE)).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    assert!(is_alive(child), "it had the socket all the time");
}

#[test]
fn a_transaction_is_in_a_snapshot_as_a_whole() {
    let server = Server::start(&["--save", ""]);
    let mut client = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let words: [&[&str]; 5] =
        [&["MULTI"], &["SET", "a", "1"], &["BGSAVE"], &["SET", "b", "2"], &["EXEC"]];
    let requests = words.map(conversation::encode).concat();
    std::io::Write::write_all(&mut client, &requests).unwrap();
    server.wait_for(GOOD);
    let snapshot = fs::read(server.folder.0.join("dump.rdb")).unwrap();
    for entry in [b"\x01a\xc0\x01", b"\x01b\xc0\x02"] {
        assert!(snapshot.windows(entry.len()).any(|bytes| bytes == entry), "{snapshot:?}");
    }
}

#[test]
fn a_child_runs_where_and_dies_first_as_the_operator_says() {
    let (server, child) = slow(&[
        "--bgsave_cpulist",
        "0",
        "--oom-score-adj",
        "relative",
        "--oom-score-adj-values",
        "1",
        "2",
        "77",
    ]);
    let read = |pid: u32, name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap();
    let score = |pid: u32| read(pid, "oom_score_adj").trim().parse::<i32>().unwrap();
    wait_until("it has its name, after all else", || title(child).starts_with("redis-rdb-bgsave "));
    assert_eq!(score(child) - score(server.pid()), 76);
    let status = read(child, "status");
    let cpus = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    assert_eq!(cpus.unwrap().trim(), "0");
}
