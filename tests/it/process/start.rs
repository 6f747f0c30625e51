//! Tool: what the server says before it serves, and what stops its start.

use std::{fs, io::Write, process::Stdio};

use super::{Folder, Server, outcome, run, server_command};

#[test]
fn questions_are_answered_without_a_server() {
    let folder = Folder::new();
    for name in ["--version", "-v"] {
        let (code, text) = run(&folder, &[name]);
        assert!(code == 0 && text.starts_with("Redis server v=7.2.6 sha="), "{text}");
        assert!(text.contains(" malloc=jemalloc-5.3.0 bits=64 build="), "{text}");
    }
    let (code, text) = run(&folder, &["--help"]);
    assert!(code == 0 && text.contains("--test-memory MEGABYTES"), "{text}");
    let (code, text) = run(&folder, &["--check-system"]);
    assert!(text.contains("[overcommit]..."), "{text}");
    assert_eq!(code, i32::from(text.contains("WARNING:")));
    let (code, text) = run(&folder, &["--test-memory"]);
    assert!(code == 1 && text.contains("--test-memory <MEGABYTES>"), "{text}");
    let (code, text) = run(&folder, &["--test-memory", "1"]);
    assert!(code == 0 && text.contains("Pass 50 of 50"), "{text}");
    assert!(folder.names().is_empty());
}

#[test]
fn a_line_that_makes_no_sense_is_shown_and_ends_the_start() {
    let folder = Folder::new();
    let title = "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\n";
    let fails = |options: &[&str], shown: &str| {
        let (code, text) = run(&folder, options);
        assert!(code == 1 && text.contains(title) && text.contains(shown), "{options:?}: {text}");
    };
    let bad = "Bad directive or wrong number of arguments";
    fails(&["--nonsense"], &format!("at line 2\n>>> 'nonsense'\n{bad}\n"));
    fails(&["-x"], &format!(">>> '\"-x\"'\n{bad}\n"));
    fails(&["--port", "70000"], ">>> 'port \"70000\"'\nargument must be between 0 and 65535");
    fails(&["--port", "7000", "--loadmodule", "x.so"], "modules cannot be loaded");
    fails(&["--rename-command", "nonsense", "x"], "No such command in rename-command");
    fails(&["--rename-command", "get", "set"], "Target command name already exists");
    let file = folder.write("a.conf", "# remark\nport 0\nsave 1\n");
    fails(&[&file], "Reading the configuration file, at line 3\n>>> 'save 1'\n");
    let (code, text) = run(&folder, &["missing.conf"]);
    assert_eq!(code, 1);
    assert!(text.contains("# Fatal error, can't open config file"), "{text}");
    assert!(text.contains("missing.conf': No such file or directory"), "{text}");
}

#[test]
fn what_is_not_built_yet_is_refused() {
    let folder = Folder::new();
    let refused = [
        &["--appendonly", "yes"][..],
        &["--cluster-enabled", "yes"],
        &["--replicaof", "127.0.0.1", "1"],
        &["--user", "alice on nopass ~* +@all"],
    ];
    for options in refused {
        let (code, text) = run(&folder, &[&["--port", "0"], options].concat());
        assert!(code == 1 && text.contains("not built yet"), "{options:?}: {text}");
    }
}

#[test]
fn the_last_word_is_the_command_lines() {
    let folder = Folder::new();
    folder.write("part-1.conf", "timeout 11\n");
    folder.write("part-2.conf", "hz 12\nrename-command FLUSHALL \"\"\n");
    let text = format!("include {}\ntimeout 9\nhz 9\n", folder.path("part-*.conf"));
    let file = folder.write("a.conf", &text);
    let server = Server::start_in(folder, &[&file, "--hz", "13", "--save", ""]);
    assert_eq!(server.ask(&["CONFIG", "GET", "timeout"]), "*2\r\n$7\r\ntimeout\r\n$1\r\n9");
    assert_eq!(server.ask(&["CONFIG", "GET", "hz"]), "*2\r\n$2\r\nhz\r\n$2\r\n13");
    assert!(server.ask(&["FLUSHALL"]).starts_with("-ERR unknown command 'FLUSHALL'"));
    assert!(server.ask(&["INFO", "server"]).contains(&format!("config_file:{file}")));
}

#[test]
fn standard_input_is_read_on_request() {
    let folder = Folder::new();
    let mut command = server_command(&folder, &["-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"port 0\n").unwrap();
    let (code, text) = outcome(child);
    assert!(code == 1 && text.contains("# Configured to not listen anywhere, exiting."), "{text}");
}

#[test]
fn files_with_data_stop_the_start_and_stay() {
    for name in ["appendonly.aof", "appendonlydir/appendonly.aof.1.base.rdb"] {
        let folder = Folder::new();
        fs::create_dir_all(folder.0.join("appendonlydir")).unwrap();
        folder.write(name, "REDIS0011");
        let (code, text) = run(&folder, &["--port", "0"]);
        let shown = name.split('/').next().unwrap();
        let shown = format!("{} holds data that this server cannot load yet", folder.path(shown));
        assert!(code == 1 && text.contains(&shown), "{text}");
        assert_eq!(folder.read(name), "REDIS0011");
    }
    let folder = Folder::new();
    fs::create_dir_all(folder.0.join("appendonlydir")).unwrap();
    let (_, text) = run(&folder, &["--port", "0"]);
    assert!(text.contains("Configured to not listen anywhere"), "no data, no refusal: {text}");
}

#[test]
fn commands_and_parameters_of_tls_are_refused_without_it() {
    if net::ssl::is_ssl_compiled() {
        return;
    }
    let folder = Folder::new();
    let refused = [
        ["--tls-port", "7000"],
        ["--enable-ssl", "yes"],
        ["--certificate-file", "x"],
        ["--tls-cert-file", "x"],
        ["--tls-replication", "yes"],
    ];
    for options in refused {
        let (code, text) = run(&folder, &options);
        assert!(code == 1 && text.contains("this build has no TLS"), "{options:?}: {text}");
    }
    let server = Server::start(&["--tls-port", "0", "--enable-ssl", "no", "--save", ""]);
    assert_eq!(server.ask(&["CONFIG", "SET", "tls-port", "0"]), "+OK");
    let answer = server.ask(&["CONFIG", "SET", "tls-port", "7999"]);
    assert!(answer.contains("this build has no TLS"), "{answer}");
    let answer = server.ask(&["CONFIG", "SET", "tls-cert-file", "x"]);
    assert!(answer.contains("this build has no TLS"), "{answer}");
}
