//! Tool: the server in the background, under a supervisor, and as `ps` shows it.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    Folder, OWN_PROCESSES, PATIENCE, READY, Server, ask, free_port, run, signal, title, wait_until,
};

/// The pid of a daemon, which is ended with its test whatever comes.
struct Daemon(u32);

impl Daemon {
    fn is_there(&self) -> bool {
        Path::new(&format!("/proc/{}", self.0)).exists()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.is_there() {
            signal(self.0, "KILL");
        }
    }
}

#[test]
fn a_daemon_serves_on_behind_its_starter() {
    let folder = Folder::new();
    let port = free_port();
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndaemonize yes\npidfile {}\nlogfile {}\ndir {}\nsave \"\"\n",
        folder.path("pid"),
        folder.path("log"),
        folder.0.display()
    );
    let file = folder.write("redis.conf", &text);
    // Left behind by a server that was killed.
    folder.write("pid", "1\n");
    let (code, said) = run(&folder, &[&file]);
    assert_eq!((code, said.as_str()), (0, ""));
    wait_until("the daemon", || folder.read("log").contains(READY));
    let daemon = Daemon(folder.read("pid").trim_end().parse().unwrap());
    assert!(title(daemon.0).ends_with(&format!("redis-server 127.0.0.1:{port}")));
    for stream in 0..3 {
        let target = fs::read_link(format!("/proc/{}/fd/{stream}", daemon.0)).unwrap();
        assert_eq!(target, Path::new("/dev/null"));
    }
    assert!(ask(port, &["INFO", "server"]).contains(&format!("process_id:{}\r\n", daemon.0)));
    signal(daemon.0, "TERM");
    wait_until("its end", || !daemon.is_there());
    assert_eq!(folder.names(), ["log", "redis.conf"]);
}

#[test]
fn a_crash_removes_the_pidfile_of_a_daemon() {
    let folder = Folder::new();
    let port = free_port().to_string();
    let (pid, log) = (folder.path("pid"), folder.path("log"));
    let options = ["--port", &port, "--daemonize", "yes", "--pidfile", &pid, "--logfile", &log];
    run(&folder, &[&options[..], &["--save", "", "--crash-memcheck-enabled", "no"]].concat());
    wait_until("the daemon", || folder.read("log").contains(READY));
    let daemon = Daemon(folder.read("pid").trim_end().parse().unwrap());
    signal(daemon.0, "SEGV");
    wait_until("its end", || !daemon.is_there());
    assert!(folder.read("log").contains("crashed by signal: 11"));
    assert!(!Path::new(&pid).exists());
}

#[test]
fn systemd_is_told_what_goes_on() {
    let told = |socket: &UnixDatagram| {
        let mut bytes = [0; 256];
        let count = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    };
    for supervised in ["systemd", "auto"] {
        let folder = Folder::new();
        let socket = UnixDatagram::bind(folder.0.join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let port = free_port();
        let log = fs::File::create(folder.0.join("log")).unwrap();
        // A supervised server stays in the foreground, whatever `daemonize` says.
        let options = ["--supervised", supervised, "--daemonize", "yes", "--save", ""];
        let mut command = super::server_command(
            &folder,
            &[&["--port", &port.to_string()], &options[..]].concat(),
        );
        command.env("NOTIFY_SOCKET", folder.0.join("notify")).stdout(log).stderr(Stdio::null());
        let mut server = Server { child: command.spawn().unwrap(), folder, port };
        assert_eq!(told(&socket), "STATUS=Redis is loading...\n");
        assert_eq!(told(&socket), "STATUS=Ready to accept connections\n");
        assert_eq!(told(&socket), "READY=1\n");
        assert!(server.ask(&["INFO", "server"]).contains("process_supervised:systemd\r\n"));
        server.signal("TERM");
        assert_eq!(told(&socket), "STOPPING=1\n");
        assert_eq!(server.wait(), 0);
        assert!(server.log().contains(" * Supervised by systemd."), "{}", server.log());
    }
    let server = Server::start(&["--supervised", "auto", "--save", ""]);
    assert!(server.ask(&["INFO", "server"]).contains("process_supervised:no\r\n"));
}

#[test]
fn the_title_follows_its_template_and_the_port() {
    let server = Server::start(&["--save", ""]);
    let name = |rest: &str| format!("{} {rest}", super::BINARY);
    assert_eq!(server.title(), name(&format!("127.0.0.1:{}", server.port)));
    let set = |value| server.ask(&["CONFIG", "SET", "proc-title-template", value]);
    assert_eq!(set("{title} x{port}/{tls-port} {config-file}"), "+OK");
    assert_eq!(server.title(), name(&format!("x{}/0 -", server.port)));
    let answer = set("{nonsense}");
    assert!(answer.ends_with("template format is invalid or contains unknown variables"));
    assert_eq!(server.title(), name(&format!("x{}/0 -", server.port)));
}

/// As root only: in namespaces of its own, where the folders that Debian's file names are empty.
#[test]
fn debians_own_file_starts_the_server_unchanged() {
    const FILE: &str = "/etc/redis/redis.conf";
    let script = "set -e
        for folder in /var/log/redis /run/redis /var/lib/redis; do mount -t tmpfs x $folder; done
        ip link set lo up
        $0 /etc/redis/redis.conf
        until grep -q 'Ready to accept' /var/log/redis/redis-server.log; do sleep 0.05; done
        pid=$(cat /run/redis/redis-server.pid)
        tr '\\0' '\\n' < /proc/$pid/cmdline | head -1
        exec 3<>/dev/tcp/127.0.0.1/6379; printf 'PING\\r\\nQUIT\\r\\n' >&3; cat <&3
        kill -TERM $pid
        while [ -d /proc/$pid ]; do sleep 0.05; done
        ls /run/redis; tail -1 /var/log/redis/redis-server.log";
    let own = [&OWN_PROCESSES[..], &["-n"]].concat();
    let may_unshare = Command::new("unshare").args(&own).arg("true").status();
    if !Path::new(FILE).exists() || !may_unshare.is_ok_and(|status| status.success()) {
        println!("not root, or Debian's redis-server is not installed: nothing is tested");
        return;
    }
    let mut command = Command::new("timeout");
    command.args(["-k", "1", &Duration::from_secs(30).as_secs().to_string()]);
    command.arg("unshare").args(own).args(["bash", "-c", script, super::BINARY]);
    let output = command.env_remove("NOTIFY_SOCKET").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let [title, ping, quit, last] = lines[..] else { panic!("{text}") };
    assert!(title.ends_with("redis-server 127.0.0.1:6379"), "{text}");
    assert_eq!((ping, quit), ("+PONG", "+OK"));
    assert!(last.ends_with("Redis is now ready to exit, bye bye..."), "{text}");
}
