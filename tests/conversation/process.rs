//! Tool: a world of sockets around a server process, which never outlives it.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    port::Port,
    script::Tags,
    world::{Heard, Place, World},
};

/// No answer takes so long; beyond it a test fails rather than hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server may take to close a connection, or to end after it has closed one.
const GRACE: Duration = Duration::from_secs(2);
/// Starts a program that the kernel ends with us, however we end. Part of util-linux.
const LEASH: &str = "/usr/bin/setpriv";
/// What the log says when clients are welcome.
const READY: &str = "Ready to accept connections";

/// What a client speaks through.
pub trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Makes a stream of a fresh connection, TLS for example.
pub type Connect = Arc<dyn Fn(TcpStream) -> io::Result<Box<dyn Stream>> + Send + Sync>;

/// A server binary, and how it is run and spoken to.
#[derive(Clone)]
pub struct Program {
    name: String,
    path: PathBuf,
    directives: Vec<String>,
    port_directive: String,
    connect: Option<Connect>,
    reference: Option<(u32, u32)>,
}

impl Program {
    /// A server of ours, over TCP.
    pub fn new(name: &str, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            directives: Vec::new(),
            port_directive: "--port".into(),
            connect: None,
            reference: None,
        }
    }

    /// Adds directives that every server of this program is started with.
    #[must_use]
    pub fn with(mut self, directives: &[&str]) -> Self {
        self.directives.extend(directives.iter().map(ToString::to_string));
        self
    }

    /// Has clients speak TLS, on a port that `port_directive` (such as `--tls-port`) gives.
    #[must_use]
    pub fn over_tls(mut self, port_directive: &str, connect: Connect) -> Self {
        self.port_directive = port_directive.into();
        self.connect = Some(connect);
        self
    }

    /// Makes it the reference, of this version.
    #[must_use]
    pub(crate) fn into_reference(mut self, version: (u32, u32)) -> Self {
        self.reference = Some(version);
        self
    }
}

impl Place for Program {
    fn name(&self) -> &str {
        &self.name
    }

    fn suits(&self, tags: &Tags) -> bool {
        let suits_reference = match self.reference {
            Some(version) => !tags.is_ours && tags.since.is_none_or(|since| since <= version),
            None => true,
        };
        suits_reference && !(tags.needs_plain && self.connect.is_some())
    }

    fn is_reference(&self) -> bool {
        self.reference.is_some()
    }

    fn open(&self, directives: &[String]) -> io::Result<Box<dyn World>> {
        Ok(Box::new(Process::start(self, directives)?))
    }
}

/// A server process with a directory of its own, and its clients. Ended when dropped.
pub struct Process {
    program: Program,
    directives: Vec<String>,
    directory: PathBuf,
    child: Child,
    port: Port,
    /// Tells by its round trips that the server has served what was sent before. It counts as a
    /// client, as those can see who count; but what it says is queued in a transaction and never
    /// runs, so nobody sees it who looks at commands.
    control: Option<Peer>,
    peers: BTreeMap<String, Peer>,
}

impl Process {
    /// Starts a server and waits until it is ready.
    pub fn start(program: &Program, directives: &[String]) -> io::Result<Self> {
        let port = Port::draw()?;
        let name = format!("redis-conversation-{}-{}", std::process::id(), port.number());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("redis.conf"), "")?;
        let child = spawn(program, directives, &directory, port.number())?;
        let mut process = Self {
            program: program.clone(),
            directives: directives.to_vec(),
            directory,
            child,
            port,
            control: None,
            peers: BTreeMap::new(),
        };
        process.wait_until_ready()?;
        Ok(process)
    }

    /// The port that clients connect to.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The server's working directory, where its `redis.conf` and its log (`log`) are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that the server has logged.
    pub fn log(&self) -> String {
        fs::read(self.directory.join("log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let start = Instant::now();
        while !self.log().contains(READY) {
            if let Some(status) = self.child.try_wait()? {
                let log = self.log();
                return Err(io::Error::other(format!("the server ended, {status}:\n{log}")));
            }
            if start.elapsed() > PATIENCE {
                let log = self.log();
                return Err(io::Error::other(format!("the server does not become ready:\n{log}")));
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.round_trip()
    }

    /// Connects a client that the conversation does not know of.
    fn connect(&self) -> io::Result<Peer> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port()))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let copy = socket.try_clone()?;
        let stream = match &self.program.connect {
            Some(connect) => connect(copy)?,
            None => Box::new(copy),
        };
        Ok(Peer { socket, stream })
    }

    /// Connects a client whose commands do not run.
    fn connect_quietly(&self) -> io::Result<Peer> {
        let mut peer = self.connect()?;
        peer.ask(b"MULTI\r\n")?;
        Ok(peer)
    }

    /// Has the control client say something and returns the first line of the answer.
    fn control(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut control = match self.control.take() {
            Some(control) => control,
            None => self.connect_quietly()?,
        };
        let line = match control.ask(request) {
            Ok(line) => line,
            // A conversation may have killed it.
            Err(error) if is_gone(&error) => {
                control = self.connect_quietly()?;
                control.ask(request)?
            }
            Err(error) => return Err(error),
        };
        self.control = Some(control);
        Ok(line)
    }

    /// What was sent before it, by anybody, has been read when it returns; what was answered
    /// has left the server when it returns a second time.
    fn round_trip(&mut self) -> io::Result<()> {
        let answer = self.control(b"PING\r\n");
        match answer {
            // A conversation may have ended the server: who listens finds the connection closed.
            Err(error) if is_gone(&error) && self.has_ended()? => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Says whether the server has ended, or is about to.
    fn has_ended(&mut self) -> io::Result<bool> {
        let start = Instant::now();
        while start.elapsed() < GRACE {
            if self.child.try_wait()?.is_some() {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(false)
    }

    fn peer(&mut self, who: &str) -> io::Result<&mut Peer> {
        if !self.peers.contains_key(who) {
            let peer = self.connect()?;
            self.peers.insert(who.to_string(), peer);
            // So that the order of connecting is the order of the conversation.
            self.round_trip()?;
            self.round_trip()?;
        }
        Ok(self.peers.get_mut(who).expect("it was inserted"))
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl World for Process {
    fn open(&mut self, who: &str) -> io::Result<()> {
        self.peer(who).map(|_| ())
    }

    fn say(&mut self, who: &str, request: &[u8]) -> io::Result<()> {
        let peer = self.peer(who)?;
        // Who has been disconnected speaks in vain, and finds out when it listens.
        let _ = peer.stream.write_all(request).and_then(|()| peer.stream.flush());
        self.round_trip()
    }

    fn hear(&mut self, who: &str) -> io::Result<Heard> {
        self.peer(who)?;
        self.round_trip()?;
        self.peer(who)?.read_what_is_there()
    }

    fn sleep(&mut self, ms: u64) -> io::Result<()> {
        thread::sleep(Duration::from_millis(ms));
        Ok(())
    }

    fn close(&mut self, who: &str) -> io::Result<()> {
        if let Some(peer) = self.peers.remove(who) {
            peer.part();
        }
        self.round_trip()?;
        self.round_trip()
    }

    fn shut(&mut self, who: &str) -> io::Result<()> {
        let peer = self.peer(who)?;
        peer.stream.flush()?;
        peer.socket.shutdown(Shutdown::Write)?;
        self.round_trip()
    }

    fn restart(&mut self) -> io::Result<()> {
        self.peers.clear();
        self.control = None;
        self.end();
        self.child = spawn(&self.program, &self.directives, &self.directory, self.port())?;
        self.wait_until_ready()
    }

    fn reset(&mut self) -> io::Result<bool> {
        std::mem::take(&mut self.peers).into_values().for_each(Peer::part);
        self.round_trip()?;
        self.control(b"DISCARD\r\n")?;
        let is_empty = self.control(b"FLUSHALL\r\n")? == b"+OK";
        let is_new = is_empty && self.control(b"CONFIG RESETSTAT\r\n")? == b"+OK";
        self.control(b"MULTI\r\n")?;
        Ok(is_new)
    }
}

/// A connection, and what is spoken through it.
struct Peer {
    socket: TcpStream,
    stream: Box<dyn Stream>,
}

impl Peer {
    fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(request)?;
        self.stream.flush()?;
        let mut line = Vec::new();
        let mut space = [0; 256];
        while !line.ends_with(b"\r\n") {
            let count = self.stream.read(&mut space)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            line.extend_from_slice(&space[..count]);
        }
        line.truncate(line.len() - 2);
        Ok(line)
    }

    fn read_what_is_there(&mut self) -> io::Result<Heard> {
        let mut heard = Heard::default();
        let mut space = [0; 16 << 10];
        self.socket.set_nonblocking(true)?;
        loop {
            match self.stream.read(&mut space) {
                Ok(0) => {
                    heard.is_closed = true;
                    break;
                }
                Ok(count) => heard.bytes.extend_from_slice(&space[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    heard.is_closed = error.kind() != ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        self.socket.set_nonblocking(false)?;
        Ok(heard)
    }

    /// Goes, and waits until the server has let go as well: a busy kernel delivers the end of one
    /// connection after the bytes of another that were sent later. A server that has other
    /// thoughts is not waited for beyond a grace.
    fn part(mut self) {
        let is_going = self.socket.set_read_timeout(Some(GRACE)).is_ok()
            && self.socket.shutdown(Shutdown::Write).is_ok();
        let mut space = [0; 16 << 10];
        while is_going && self.socket.read(&mut space).is_ok_and(|count| count > 0) {}
    }
}

fn is_gone(error: &io::Error) -> bool {
    use ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof,
    };
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionRefused | ConnectionReset | UnexpectedEof
    )
}

fn spawn(
    program: &Program,
    directives: &[String],
    directory: &Path,
    port: u16,
) -> io::Result<Child> {
    let log = fs::File::create(directory.join("log"))?;
    let mut command = if Path::new(LEASH).exists() {
        let mut command = Command::new(LEASH);
        command.args(["--pdeathsig", "KILL"]).arg(&program.path);
        command
    } else {
        Command::new(&program.path)
    };
    command.arg(directory.join("redis.conf"));
    if program.port_directive != "--port" {
        command.args(["--port", "0"]);
    }
    command.args([program.port_directive.as_str(), &port.to_string()]);
    command.args(["--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "yes"]);
    command.arg("--dir").arg(directory);
    command.args(&program.directives).args(directives);
    command.stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log).spawn()
}
