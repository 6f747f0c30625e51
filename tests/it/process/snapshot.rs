//! Tool: snapshots: files of Redis and of ours, loaded, saved, and broken.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use conversation::{Process, reference};

use super::{BINARY, Folder, Server, free_port, run, server_command, wait_until};

/// What DEBUG DIGEST of the servers said that made the files.
const DIGEST: &str = "+ecb42f00e92a004242424c1c306ad48cdab03031";
const FATAL: &str = "# Fatal error loading the DB, check server logs. Exiting.";
const LOADING: &str = "-LOADING Redis is loading the dataset in memory";

fn made_by(server: &str) -> PathBuf {
    Path::new("tests/data/rdb").join(format!("strings-{server}.rdb"))
}

/// A folder with a snapshot in it.
fn folder_with(snapshot: &[u8]) -> Folder {
    let folder = Folder::new();
    fs::write(folder.0.join("dump.rdb"), snapshot).unwrap();
    folder
}

fn good() -> Vec<u8> {
    fs::read(made_by("7.2.6")).unwrap()
}

/// Starts a server without waiting until it serves.
fn start_loading(folder: Folder, options: &[&str]) -> Server {
    let port = free_port();
    let port_text = port.to_string();
    let usual = ["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--key-load-delay"];
    let log = fs::File::create(folder.0.join("log")).unwrap();
    let mut command = server_command(&folder, &[&usual[..], options].concat());
    let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let server = Server { child, folder, port };
    server.wait_for("Server initialized");
    server
}

#[test]
fn files_of_redis_are_loaded() {
    for name in ["7.0.15", "7.2.6", "7.2.6-unsummed"] {
        let folder = folder_with(&fs::read(made_by(name)).unwrap());
        let server = Server::start_in(folder, &["--save", ""]);
        assert_eq!(server.ask(&["DEBUG", "DIGEST"]), DIGEST, "{name}");
        assert_eq!(server.ask(&["GET", "lzf"]), format!("$3000\r\n{}", "abc".repeat(1000)));
        let log = server.log();
        assert!(log.contains("* Done loading RDB, keys loaded: 34, keys expired: 0.\n"), "{log}");
        assert!(log.contains("* Loading RDB produced by version 7."), "{log}");
        assert!(log.contains("* DB loaded from disk: 0."), "{log}");
        let is_unsummed = log.contains("RDB file was saved with checksum disabled: no check");
        assert_eq!(is_unsummed, name == "7.2.6-unsummed", "{log}");
        let info = server.ask(&["INFO", "persistence"]);
        assert!(info.contains("\r\nrdb_last_load_keys_loaded:34\r\n"), "{info}");
        assert!(info.contains("\r\nrdb_changes_since_last_save:0\r\n"), "{info}");
    }
}

#[test]
fn our_files_are_loaded_by_redis() {
    let folder = folder_with(&good());
    let options = ["--save", "", "--rdb-version", "10"];
    let mut server = Server::start_in(folder, &options);
    assert_eq!(server.ask(&["SAVE"]), "+OK");
    assert_eq!(server.ask(&["SHUTDOWN", "NOSAVE"]), "");
    assert_eq!(server.wait(), 0);
    assert!(fs::read(server.folder.0.join("dump.rdb")).unwrap().starts_with(b"REDIS0010"));
    assert_eq!(server.folder.names(), ["dump.rdb", "log"]);
    let Some(program) = reference() else { return };
    let directives = ["--dir", &server.folder.path(""), "--enable-debug-command", "yes"];
    let directives: Vec<String> = directives.iter().map(ToString::to_string).collect();
    let redis = Process::start(&program, &directives).unwrap();
    assert_eq!(super::ask(redis.port(), &["DEBUG", "DIGEST"]), DIGEST);
}

#[test]
fn a_broken_file_ends_the_start_and_stays() {
    let of_module = b"REDIS0011\x07\x03key\x01\x01x\xff\0\0\0\0\0\0\0\0";
    let of_stream = b"REDIS0011\x0f\x03key\x01\x01x\xff\0\0\0\0\0\0\0\0";
    let mut other_sum = good();
    *other_sum.last_mut().unwrap() ^= 1;
    let cases: [(&[u8], &[&str]); 8] = [
        (b"", &["Short read or OOM loading DB. Unrecoverable error, aborting now."]),
        (
            &good()[..500],
            &[
                "Short read or OOM loading DB. Unrecoverable error, aborting now.",
                "Internal error in RDB reading offset",
                "--- RDB ERROR DETECTED ---",
                "# Terminating server after rdb file reading failure.",
            ],
        ),
        (&other_sum, &["Wrong RDB checksum expected: (", "RDB CRC error"]),
        (b"REDIS0013", &["Can't handle RDB format version 13"]),
        (b"no snapshot", &["Wrong signature trying to load DB from file"]),
        (
            of_module,
            &["The RDB file contains module data I can't load: no matching module type \
                 'AAAAAAAAA' (offset 15, key 'key' of DB 0"],
        ),
        (
            of_stream,
            &["Stream node key entry is not the size of a stream ID (offset 17, key 'key' of DB 0"],
        ),
        (b"REDIS0011\xfe\x10", &["configured to handle more than 16 databases"]),
    ];
    for (file, shown) in cases {
        let folder = folder_with(file);
        let port = free_port().to_string();
        let (code, text) = run(&folder, &["--port", &port]);
        assert_eq!(code, 1, "{text}");
        for shown in shown.iter().chain(&[FATAL]) {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        assert!(!text.contains("Ready to accept connections"), "{text}");
        assert!(!text.contains("RDB looks OK"), "{text}");
        assert_eq!(fs::read(folder.0.join("dump.rdb")).unwrap(), file);
    }
    let folder = Folder::new();
    fs::create_dir(folder.0.join("dump.rdb")).unwrap();
    let (code, text) = run(&folder, &["--port", &free_port().to_string()]);
    assert!(code == 1 && text.contains(FATAL), "{text}");
}

#[test]
fn who_comes_while_data_is_loaded_is_told_so() {
    let options = ["100000", "--enable-debug-command", "yes"];
    let server = start_loading(folder_with(&good()), &options);
    let refused = [
        &["GET", "greeting"][..],
        &["SET", "a", "b"],
        &["PING"],
        &["SAVE"],
        &["DEBUG", "RELOAD"],
        &["DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE"],
    ];
    for words in refused {
        assert_eq!(server.ask(words), LOADING);
    }
    assert!(server.ask(&["LASTSAVE"]).starts_with(':'));
    let info = server.ask(&["INFO", "persistence"]);
    for field in ["loading:1", "loading_total_bytes:1401", "loading_loaded_perc:"] {
        assert!(info.contains(&format!("\r\n{field}")), "{info}");
    }
    let answer = server.ask(&["CONFIG", "SET", "appendonly", "no"]);
    assert_eq!(answer, LOADING);
    assert_eq!(server.ask(&["CONFIG", "SET", "key-load-delay", "0"]), "+OK");
    server.wait_for(super::READY);
    assert_eq!(server.ask(&["GET", "greeting"]), "$5\r\nhello");
    let info = server.ask(&["INFO", "persistence"]);
    assert!(info.contains("\r\nloading:0\r\n") && !info.contains("loading_start_time"), "{info}");
}

#[test]
fn half_a_load_is_never_saved() {
    let mut server = start_loading(folder_with(&good()), &["100000"]);
    assert_eq!(server.ask(&["SHUTDOWN", "SAVE"]), "");
    assert_eq!(server.wait(), 0);
    assert_eq!(fs::read(server.folder.0.join("dump.rdb")).unwrap(), good());
}

#[test]
fn what_is_there_is_saved_at_the_end() {
    let mut server = Server::start(&[]);
    server.ask(&["MSET", "a", "1", "b", "2"]);
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    let log = server.log();
    assert!(log.contains("* Saving the final RDB snapshot before exiting.\n"), "{log}");
    assert!(log.contains("* DB saved on disk\n"), "{log}");
    let folder = folder_with(&fs::read(server.folder.0.join("dump.rdb")).unwrap());
    let mut server = Server::start_in(folder, &["--save", ""]);
    assert_eq!(server.ask(&["MGET", "a", "b"]), "*2\r\n$1\r\n1\r\n$1\r\n2");
    // Without save points nothing is written unless it is asked for.
    fs::remove_file(server.folder.0.join("dump.rdb")).unwrap();
    assert_eq!(server.ask(&["SHUTDOWN"]), "");
    assert_eq!(server.wait(), 0);
    assert_eq!(server.folder.names(), ["log"]);
}

#[test]
fn a_save_that_fails_leaves_the_file_and_nothing_else() {
    let server = Server::start(&["--save", ""]);
    server.ask(&["SET", "a", "1"]);
    fs::create_dir(server.folder.0.join("dump.rdb")).unwrap();
    assert_eq!(server.ask(&["SAVE"]), "-ERR");
    assert!(server.log().contains("# Error moving temp DB file temp-"), "{}", server.log());
    assert_eq!(server.folder.names(), ["dump.rdb", "log"]);
    let info = server.ask(&["INFO", "persistence"]);
    assert!(info.contains("\r\nrdb_changes_since_last_save:1\r\n"), "{info}");
    assert!(info.contains("\r\nrdb_saves:1\r\n"), "{info}");
}

#[test]
fn a_save_that_is_interrupted_leaves_nothing() {
    let mut server = Server::start(&["--save", "", "--rdb-key-save-delay", "10000000"]);
    server.ask(&["MSET", "a", "1", "b", "2"]);
    let port = server.port;
    let client = std::thread::spawn(move || super::ask(port, &["SAVE"]));
    let temporary = format!("temp-{}.rdb", server.pid());
    wait_until("the save", || server.folder.names().contains(&temporary));
    server.signal("INT");
    server.wait_for("Received SIGINT scheduling shutdown...");
    server.signal("INT");
    assert_eq!(server.wait(), 1);
    client.join().unwrap();
    assert_eq!(server.folder.names(), ["log"]);
}

#[test]
fn keys_that_are_due_are_not_loaded() {
    // A key that was due in 1970, and one that is not.
    let items = b"REDIS0003\xfc\x01\0\0\0\0\0\0\0\0\x03old\x01x\0\x03new\x01x\xff";
    let server = Server::start_in(folder_with(items), &["--save", ""]);
    assert_eq!(server.ask(&["KEYS", "*"]), "*1\r\n$3\r\nnew");
    let log = server.log();
    assert!(log.contains("keys loaded: 1, keys expired: 1."), "{log}");
    let info = server.ask(&["INFO", "persistence"]);
    assert!(info.contains("\r\nrdb_last_load_keys_expired:1\r\n"), "{info}");
}

#[test]
fn the_checker_says_what_is_wrong_and_where() {
    let folder = folder_with(&good());
    let checker = folder.path("redis-check-rdb");
    std::os::unix::fs::symlink(BINARY, &checker).unwrap();
    let check = |arguments: &[&str]| {
        let output = Command::new(&checker).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let file = folder.path("dump.rdb");
    let (code, text) = check(&[&file]);
    assert_eq!(code, Some(0), "{text}");
    for line in [
        &format!("[offset 0] Checking RDB file {file}\n"),
        "[offset 26] AUX FIELD redis-ver = '7.2.6'\n",
        "] Selecting DB ID 9\n",
        "[offset 1401] Checksum OK\n[offset 1401] \\o/ RDB looks OK! \\o/\n",
        "[info] 34 keys read\n[info] 3 expires\n[info] 0 already expired\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (code, same) = run(&folder, &["--check-rdb", &file]);
    assert_eq!((code, same), (0, text));

    fs::write(&file, &good()[..140]).unwrap();
    let (code, text) = check(&[&file]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("--- RDB ERROR DETECTED ---\n[offset "), "{text}");
    assert!(text.contains("] Unexpected EOF reading RDB file\n"), "{text}");
    assert!(text.contains("[additional info] While doing: read-"), "{text}");
    let (code, text) = check(&["--version"]);
    assert!(code == Some(0) && text.starts_with("redis-check-rdb 7.2.6"), "{text}");
    for wrong in [&[][..], &["a", "b"]] {
        let (code, text) = check(wrong);
        assert!(code == Some(1) && text.contains("redis-check-rdb <rdb-file-name>"), "{text}");
    }
    let (code, text) = check(&["missing.rdb"]);
    assert!(code == Some(1) && text.contains("No such file or directory"), "{text}");
}

#[test]
fn a_pipe_can_be_loaded() {
    let folder = Folder::new();
    let path = folder.0.join("dump.rdb");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = std::thread::spawn(move || fs::write(path, good()).unwrap());
    let server = Server::start_in(folder, &["--save", ""]);
    writer.join().unwrap();
    wait_until("the data", || server.ask(&["DEBUG", "DIGEST"]) == DIGEST);
}
