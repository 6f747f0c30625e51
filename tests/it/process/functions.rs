//! Tool: libraries of functions: what Redis has saved goes through us to Redis unchanged.

use std::fs;

use conversation::{Process, Program, reference};

use super::{Folder, Server, ask, run, wait_until};

const FIRST: &str = "#!lua name=first\nredis.register_function('f', function() return 1 end)\n";
const SECOND: &str = "#!lua name=second\nredis.register_function{function_name='g', \
    callback=function() return 2 end, flags={'no-writes'}}";
/// What is said of them, once a load.
const KEPT: &str = "# Libraries of functions kept: 2. This server cannot run them";

fn start_redis(program: &Program, directives: &[&str]) -> Process {
    let directives: Vec<String> = directives.iter().map(ToString::to_string).collect();
    Process::start(program, &directives).unwrap()
}

/// Has Redis save the libraries and a key; returns the file.
fn saved_by(program: &Program) -> Vec<u8> {
    let redis = start_redis(program, &[]);
    for code in [FIRST, SECOND] {
        assert!(ask(redis.port(), &["FUNCTION", "LOAD", code]).starts_with('$'));
    }
    assert_eq!(ask(redis.port(), &["SET", "k", "v"]), "+OK");
    assert_eq!(ask(redis.port(), &["SAVE"]), "+OK");
    fs::read(redis.directory().join("dump.rdb")).unwrap()
}

fn start_with(file: &[u8]) -> Server {
    let folder = Folder::new();
    fs::write(folder.0.join("dump.rdb"), file).unwrap();
    let options = ["--rdb-version", "10", "--save", "", "--repl-diskless-sync-delay", "0"];
    Server::start_in(folder, &options)
}

/// Sees that Redis has the libraries.
fn check(redis: &Process) {
    for code in [FIRST, SECOND] {
        let name = code.split(['=', '\n']).nth(1).unwrap();
        let list = ask(redis.port(), &["FUNCTION", "LIST", "LIBRARYNAME", name, "WITHCODE"]);
        assert!(list.contains(&format!("${}\r\n{}", code.len(), code.trim_end())), "{list}");
    }
    assert_eq!(ask(redis.port(), &["FCALL_RO", "g", "0"]), ":2");
}

#[test]
fn libraries_of_redis_are_in_whatever_we_write() {
    let Some(program) = reference() else { return };
    let mut server = start_with(&saved_by(&program));
    assert_eq!(server.log().matches(KEPT).count(), 1, "{}", server.log());
    let memory = server.ask(&["INFO", "memory"]);
    assert!(memory.contains("\r\nnumber_of_libraries:2\r\n"), "{memory}");
    assert_eq!(server.ask(&["FLUSHALL"]), "+OK");
    assert_eq!(server.ask(&["DEBUG", "RELOAD"]), "+OK");
    assert_eq!(server.log().matches(KEPT).count(), 2, "{}", server.log());
    // Those of the file would be there twice.
    let answer = server.ask(&["DEBUG", "RELOAD", "NOFLUSH", "NOSAVE"]);
    assert_eq!(answer, "-ERR Error trying to load the RDB dump, check server logs.");
    server.wait_for("Failed loading library, Library '");
    assert_eq!(server.ask(&["DEBUG", "RELOAD", "NOFLUSH", "MERGE"]), "+OK");
    let port = server.port.to_string();
    let replica = start_redis(&program, &["--replicaof", "127.0.0.1", &port]);
    wait_until("the link", || {
        ask(replica.port(), &["INFO", "replication"]).contains("master_link_status:up")
    });
    check(&replica);
    // The child that has written for the replica may still be there.
    wait_until("a save", || server.ask(&["BGSAVE"]) == "+Background saving started");
    server.wait_for("Background saving terminated with success");
    assert_eq!(server.ask(&["SHUTDOWN", "NOSAVE"]), "");
    assert_eq!(server.wait(), 0);
    let redis = start_redis(&program, &["--dir", &server.folder.path("")]);
    check(&redis);
    assert_eq!(ask(redis.port(), &["DBSIZE"]), ":0");
}

#[test]
fn a_library_that_is_none_is_found_in_a_file() {
    let folder = Folder::new();
    let name = "dump.rdb";
    let file = b"REDIS0011\xf5\x11#!tcl name=first\n\xff\0\0\0\0\0\0\0\0";
    fs::write(folder.0.join(name), file).unwrap();
    let (code, text) = run(&folder, &["--port", &super::free_port().to_string()]);
    let shown = "Failed loading library, Engine 'tcl' not found";
    assert!(code == 1 && text.contains(shown), "{text}");
    let (code, text) = run(&folder, &["--check-rdb", &folder.path(name)]);
    assert!(code == 1 && text.contains(shown), "{text}");
    assert!(text.contains("While doing: read-functions\n"), "{text}");
}
