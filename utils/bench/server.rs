//! Tool: servers on free ports, in folders of their own, for as long as they are measured.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use openssl::{ssl::SslContext, x509::X509};

use crate::{
    CLIENT_CPU, Outcome, SERVER_CPU, certificate,
    dial::{SILENCE_MAX, Target},
    pin,
};

const START_MAX: Duration = Duration::from_secs(10);

/// A folder that goes with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let unique = format!("bench-{name}-{}-{:08x}", std::process::id(), fastrand::u32(..));
        let path = std::env::temp_dir().join(unique);
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The certificate of a run, and the client's side of it.
pub(crate) struct Identity {
    folder: Folder,
    context: SslContext,
}

impl Identity {
    pub(crate) fn new() -> Outcome<Self> {
        let folder = Folder::new("certificate")?;
        let certificate: X509 = certificate::make(&folder.0)?;
        Ok(Self { context: certificate::client_context(&certificate)?, folder })
    }
}

/// A running server, killed when it is dropped.
pub(crate) struct Server {
    command: Command,
    child: Child,
    plain: SocketAddr,
    tls: SocketAddr,
    control: BufReader<TcpStream>,
    _folder: Folder,
}

impl Server {
    /// Starts a program and waits until it answers.
    pub(crate) fn start(program: &Path, identity: &Identity) -> Outcome<Self> {
        let folder = Folder::new("server")?;
        let [plain, tls] = free_addresses()?;
        let file = |name: &str| identity.folder.0.join(name);
        let mut command = Command::new(program);
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--daemonize", "no", "--tls-auth-clients", "no", "--logfile", ""])
            .args(["--port", &plain.port().to_string()])
            .args(["--tls-port", &tls.port().to_string()])
            .arg("--dir")
            .arg(&folder.0)
            .arg("--tls-cert-file")
            .arg(file("server.crt"))
            .arg("--tls-key-file")
            .arg(file("server.key"))
            .arg("--tls-ca-cert-file")
            .arg(file("server.crt"))
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.0.join("log"))?)
            .stderr(Stdio::null());
        let mut child = spawn(&mut command)?;
        match await_answer(&mut child, plain) {
            Ok(control) => Ok(Self { command, child, plain, tls, control, _folder: folder }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                let log = fs::read_to_string(folder.0.join("log")).unwrap_or_default();
                Err(format!("{} does not start: {error}\n{log}", program.display()).into())
            }
        }
    }

    /// Ends the server and starts it once more in its folder; returns when it has loaded what
    /// is there.
    pub(crate) fn restart(&mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&mut self.command)?;
        self.control = await_answer(&mut self.child, self.plain)?;
        while field(&self.info("persistence")?, "loading")? != "0" {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    pub(crate) fn target<'a>(&self, identity: &'a Identity, is_tls: bool) -> Target<'a> {
        if is_tls {
            Target { address: self.tls, tls: Some(&identity.context) }
        } else {
            Target { address: self.plain, tls: None }
        }
    }

    /// Returns the CPU time that the server has taken, by its own account, in microseconds.
    pub(crate) fn cpu_us(&mut self) -> Outcome<f64> {
        let text = self.info("cpu")?;
        let user_s: f64 = field(&text, "used_cpu_user")?.parse()?;
        let system_s: f64 = field(&text, "used_cpu_sys")?.parse()?;
        Ok((user_s + system_s) * 1e6)
    }

    /// Returns what its allocator has given out, by its own account.
    pub(crate) fn used_bytes(&mut self) -> Outcome<f64> {
        Ok(field(&self.info("memory")?, "used_memory")?.parse()?)
    }

    /// Returns the memory that the kernel has given it.
    pub(crate) fn resident_bytes(&self) -> Outcome<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(path)?;
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes = line.split_whitespace().nth(1).ok_or("no VmRSS")?;
        Ok(kilobytes.parse::<f64>()? * 1024.0)
    }

    /// Returns what it calls itself.
    pub(crate) fn version(&mut self) -> Outcome<String> {
        let text = self.info("server")?;
        Ok(field(&text, "redis_version")?.to_owned())
    }

    /// Drops all keys.
    pub(crate) fn flush(&mut self) -> Outcome<()> {
        self.order("FLUSHALL")
    }

    /// Has a command carried out that answers OK.
    pub(crate) fn order(&mut self, command: &str) -> Outcome<()> {
        write!(self.control.get_mut(), "{command}\r\n")?;
        let mut line = String::new();
        self.control.read_line(&mut line)?;
        if line == "+OK\r\n" { Ok(()) } else { Err(format!("{command}: {line}").into()) }
    }

    /// Counts its keys.
    pub(crate) fn key_count(&mut self) -> Outcome<u64> {
        self.control.get_mut().write_all(b"DBSIZE\r\n")?;
        let mut line = String::new();
        self.control.read_line(&mut line)?;
        Ok(line.trim_end().trim_start_matches(':').parse()?)
    }

    fn info(&mut self, section: &str) -> Outcome<String> {
        write!(self.control.get_mut(), "INFO {section}\r\n")?;
        let mut line = String::new();
        self.control.read_line(&mut line)?;
        let length = line.trim_end().strip_prefix('$').ok_or_else(|| format!("INFO: {line}"))?;
        let mut text = vec![0; length.parse::<usize>()? + 2];
        self.control.read_exact(&mut text)?;
        Ok(String::from_utf8(text)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn field<'a>(text: &'a str, name: &str) -> Outcome<&'a str> {
    let mut lines = text.lines();
    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.ok_or_else(|| format!("INFO has no {name}").into())
}

/// Starts a program on the servers' processor; children inherit it.
fn spawn(command: &mut Command) -> Outcome<Child> {
    pin(SERVER_CPU)?;
    let child = command.spawn();
    pin(CLIENT_CPU)?;
    Ok(child.map_err(|error| format!("{}: {error}", command.get_program().display()))?)
}

fn await_answer(child: &mut Child, address: SocketAddr) -> Outcome<BufReader<TcpStream>> {
    let deadline = Instant::now() + START_MAX;
    loop {
        if let Some(status) = child.try_wait()? {
            return Err(format!("it ended with {status}").into());
        }
        match TcpStream::connect_timeout(&address, START_MAX) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(SILENCE_MAX))?;
                stream.set_write_timeout(Some(SILENCE_MAX))?;
                return Ok(BufReader::new(stream));
            }
            Err(error) if deadline < Instant::now() => return Err(error.into()),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Finds ports that nobody has; both are held until both are known, so they differ.
fn free_addresses() -> Outcome<[SocketAddr; 2]> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let second = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok([first.local_addr()?, second.local_addr()?])
}
