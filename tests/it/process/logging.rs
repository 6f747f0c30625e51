//! Tool: the log: its lines, its level, its file.

use std::{fs, net::TcpStream, process::Command};

use super::{Folder, READY, Server, free_port, run, wait_until};

/// Whether a line is `pid:role dd Mon yyyy hh:mm:ss.mmm mark text`.
fn has_form(line: &str, pid: u32, roles: &str) -> bool {
    let is_digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = line.splitn(7, ' ').collect();
    let [head, day, month, year, time, mark, text] = words[..] else { return false };
    let time: Vec<&str> = time.split([':', '.']).collect();
    let Some((number, role)) = head.split_once(':') else { return false };
    number == pid.to_string()
        && role.len() == 1
        && roles.contains(role)
        && is_digits(day, 2)
        && "JanFebMarAprMayJunJulAugSepOctNovDec".contains(month)
        && is_digits(year, 4)
        && time.len() == 4
        && time.iter().zip([2, 2, 2, 3]).all(|(part, count)| is_digits(part, count))
        && ["#", "*", "-", "."].contains(&mark)
        && !text.is_empty()
}

#[test]
fn each_line_has_the_form_that_tools_parse() {
    let server = Server::start(&["--save", "", "--always-show-logo", "no"]);
    let log = server.log();
    for line in log.lines() {
        assert!(has_form(line, server.pid(), "CM"), "{line:?}");
    }
    let roles = |text: &str| {
        let line = log.lines().find(|line| line.contains(text)).expect(text);
        line.split([':', ' ']).nth(1).unwrap().to_owned()
    };
    assert_eq!(roles("Redis is starting"), "C", "nobody serves yet");
    assert_eq!(roles("Server initialized"), "M");
    let pid = server.pid();
    assert!(log.contains(&format!(", pid={pid}, just started\n")), "{log}");
    assert!(log.contains(" * Configuration loaded\n"), "{log}");
    assert!(log.contains(&format!(" * Running mode=standalone, port={}.\n", server.port)));
    assert!(log.contains(" * Ready to accept connections tcp\n"), "{log}");
}

#[test]
fn the_logo_names_the_process() {
    let server = Server::start(&["--save", "", "--always-show-logo", "yes"]);
    assert!(server.log().contains(&format!(" PID: {}\n", server.pid())));
}

#[test]
fn the_level_changes_while_the_server_runs() {
    let server = Server::start(&["--save", ""]);
    assert_eq!(server.ask(&["CONFIG", "SET", "loglevel", "warning"]), "+OK");
    let silent = server.log();
    server.ask(&["PING"]);
    assert_eq!(server.log(), silent);
    assert_eq!(server.ask(&["CONFIG", "SET", "loglevel", "verbose"]), "+OK");
    let client = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    server.wait_for(&format!(" - Accepted {}\n", client.local_addr().unwrap()));
    drop(client);
    server.wait_for(" - Client closed connection id=");
    assert_eq!(server.ask(&["CONFIG", "SET", "loglevel", "nothing"]), "+OK");
    let silent = server.log();
    server.ask(&["DEBUG", "LOG", "unheard"]);
    assert_eq!(server.log(), silent);
}

#[test]
fn a_log_that_was_renamed_is_begun_anew() {
    let folder = Folder::new();
    let (file, old) = (folder.path("redis.log"), folder.path("redis.log.1"));
    let port = free_port();
    let options = ["--port", &port.to_string(), "--save", "", "--logfile", &file];
    let mut command = super::server_command(
        &folder,
        &[&options[..], &["--enable-debug-command", "yes"]].concat(),
    );
    let mut server = Server { child: command.spawn().unwrap(), folder, port };
    wait_until("the log", || server.folder.read("redis.log").contains(READY));
    fs::rename(&file, &old).unwrap();
    server.ask(&["DEBUG", "LOG", "after the rotation"]);
    assert!(server.folder.read("redis.log").ends_with("# DEBUG LOG: after the rotation\n"));
    assert!(!server.folder.read("redis.log.1").contains("after"));
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    assert!(server.folder.read("redis.log").contains("Received SIGTERM"));
}

#[test]
fn a_log_that_cannot_be_opened_stops_the_start() {
    let folder = Folder::new();
    let (code, text) = run(&folder, &["--port", "0", "--logfile", "/nonexistent/log"]);
    assert_eq!(code, 1);
    assert!(text.contains("Can't open the log file: No such file or directory"), "{text}");
}

/// As root only: `/dev/log` is a socket of the test's, in a mount namespace of its own.
#[test]
fn syslog_hears_every_line_too() {
    let script = "set -e
        # Without it there is no place to mount on, and a place made here would be everybody's.
        if [ ! -e /dev/log ]; then mount -t tmpfs x /dev; mknod /dev/null c 1 3; touch /dev/log; fi
        mount --bind $2/devlog /dev/log
        exec $0 --port $1 --bind 127.0.0.1 --save '' --syslog-enabled yes --syslog-ident tested \
             --syslog-facility local3";
    let may_unshare = Command::new("unshare").args(["-m", "true"]).status();
    if !may_unshare.is_ok_and(|status| status.success()) {
        println!("not root: nothing is tested");
        return;
    }
    let folder = Folder::new();
    let socket = std::os::unix::net::UnixDatagram::bind(folder.0.join("devlog")).unwrap();
    socket.set_read_timeout(Some(super::PATIENCE)).unwrap();
    let port = free_port();
    let log = fs::File::create(folder.0.join("log")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["-m", "bash", "-c", script, super::BINARY, &port.to_string()]);
    command.arg(&folder.0).current_dir(&folder.0).stdout(log.try_clone().unwrap()).stderr(log);
    let server = Server { child: command.spawn().unwrap(), folder, port };
    let mut heard = String::new();
    while !heard.contains(READY) {
        let mut bytes = [0; 4096];
        let count = socket.recv(&mut bytes).unwrap();
        heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
        heard.push('\n');
    }
    // local3 is 19; notice is 5.
    let line = heard.lines().find(|line| line.contains("Server initialized")).unwrap();
    assert!(line.starts_with("<157>"), "{line}");
    assert!(line.ends_with(&format!(" tested[{}]: Server initialized", server.pid())), "{line}");
}
