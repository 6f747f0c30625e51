//! Tool: the server as a process, looked at as an operator does: how it starts, what it logs,
//! how it ends. Each server has a directory of its own and never outlives its test.

mod background;
mod configuration;
mod crash;
mod daemon;
mod doors;
mod files;
mod functions;
mod locale;
mod logging;
mod monitor;
mod replication;
mod restart;
mod shutdown;
mod snapshot;
mod start;
mod usage;

use std::{
    fs,
    io::{Read, Write},
    mem,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use conversation::Port;

const BINARY: &str = env!("CARGO_BIN_EXE_redis-server");
/// Whatever is waited for comes sooner, or the test fails.
const PATIENCE: Duration = Duration::from_secs(20);
const READY: &str = "Ready to accept connections";
/// Part of util-linux: ends a server with the test, however that ends.
const LEASH: [&str; 3] = ["/usr/bin/setpriv", "--pdeathsig", "KILL"];

/// Has `unshare` make namespaces for mounts and processes: what is started there ends with it.
const OWN_PROCESSES: [&str; 4] = ["-pf", "--kill-child", "--mount-proc", "-m"];

/// A directory that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("redis-process-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        let text = fs::read(self.0.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    /// What the folder holds, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that runs in the foreground, and writes to `log` in its folder.
struct Server {
    child: Child,
    folder: Folder,
    port: u16,
}

impl Server {
    /// Starts one on a free port and waits until it is ready.
    fn start(options: &[&str]) -> Self {
        Self::start_in(Folder::new(), options)
    }

    fn start_in(folder: Folder, options: &[&str]) -> Self {
        Self::start_with(folder, options, &[])
    }

    /// Starts one in an environment that has these variables, too.
    fn start_with(folder: Folder, options: &[&str], variables: &[(&str, &str)]) -> Self {
        let port = free_port();
        let port_text = port.to_string();
        let usual = ["--port", &port_text, "--bind", "127.0.0.1", "--enable-debug-command", "yes"];
        let (file, options) = match options.split_first() {
            Some((first, rest)) if !first.starts_with('-') => (Some(*first), rest),
            _ => (None, options),
        };
        let all: Vec<&str> = file.into_iter().chain(usual).chain(options.iter().copied()).collect();
        let log = fs::File::create(folder.0.join("log")).unwrap();
        let mut command = server_command(&folder, &all);
        command.envs(variables.iter().copied());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let server = Self { child, folder, port };
        server.wait_for(READY);
        server
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn log(&self) -> String {
        self.folder.read("log")
    }

    fn wait_for(&self, text: &str) {
        wait_until(&format!("{text:?} in\n{}", self.log()), || self.log().contains(text));
    }

    fn ask(&self, words: &[&str]) -> String {
        ask(self.port, words)
    }

    fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for its end; returns its exit code, or the signal that ended it as a negative one.
    fn wait(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let mut status = None;
        wait_until("the end of the server", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let status = status.unwrap();
        status.code().unwrap_or_else(|| -status.signal().unwrap())
    }

    /// What `ps` shows.
    fn title(&self) -> String {
        title(self.pid())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server_command(folder: &Folder, options: &[&str]) -> Command {
    let mut command = if Path::new(LEASH[0]).exists() {
        let mut command = Command::new(LEASH[0]);
        command.args(&LEASH[1..]).arg(BINARY);
        command
    } else {
        Command::new(BINARY)
    };
    // What the tests' own environment says of supervisors is not meant for the server.
    command.env_remove("NOTIFY_SOCKET").env_remove("UPSTART_JOB");
    command.args(options).current_dir(&folder.0).stdin(Stdio::null());
    command
}

/// Runs a server that ends by itself; returns its exit code and all it has said.
fn run(folder: &Folder, options: &[&str]) -> (i32, String) {
    let mut command = server_command(folder, options);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    outcome(child)
}

fn outcome(mut child: Child) -> (i32, String) {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if PATIENCE < start.elapsed() {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(5));
    }
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    (status.code().unwrap_or(-1), text)
}

fn ask(port: u16, words: &[&str]) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    say(&mut socket, words)
}

/// Says a command and QUIT; returns all that is answered, without the `+OK` of QUIT.
fn say<S: Read + Write>(socket: &mut S, words: &[&str]) -> String {
    let mut request = conversation::encode(words);
    request.extend_from_slice(b"*1\r\n$4\r\nQUIT\r\n");
    socket.write_all(&request).unwrap();
    let mut answer = Vec::new();
    // Who is shut out gets a reset behind the answer.
    let _ = socket.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.strip_suffix("+OK\r\n").unwrap_or(&answer).trim_end().to_owned()
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

fn title(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// A port that nobody else is given for as long as the tests run.
fn free_port() -> u16 {
    let port = Port::draw().unwrap();
    let number = port.number();
    mem::forget(port);
    number
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
