//! Room: a connection that waits, for tools (`syncio`, `hiredis`).
//!
//! The socket below does not block; where a caller must wait, `poll` waits for it, so that
//! each wait has its timeout and TLS needs no second set of shims.

use std::{
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::{SocketAddr, TcpStream as StdTcpStream, ToSocketAddrs},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
        unix::net::UnixStream as StdUnixStream,
    },
    path::PathBuf,
    time::{Duration, Instant},
};

use ae::Mask;
use mio::net::{TcpStream, UnixStream};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use crate::ssl::ClientTls as Tls;
use crate::{
    Address, Connection,
    connection::local_of,
    ssl::{Client, Progress, TlsInfo},
};

/// Where to connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A host, by name or address, and a port.
    Tcp {
        /// A name, an IPv4 or an IPv6 address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// How long to wait; nothing means for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timeouts {
    /// For the connection and, over TLS, the handshake, each.
    pub connect: Option<Duration>,
    /// For each read and each write.
    pub io: Option<Duration>,
}

/// A connection that waits: `Read` and `Write` block for at most `Timeouts::io`, then fail
/// with `TimedOut`. A read of 0 is the peer's orderly end. Over TLS `write` may hold data
/// until `flush`; a read flushes first, so a request is never forgotten.
#[derive(Debug)]
pub struct Stream {
    connection: Connection,
    io_timeout: Option<Duration>,
}

impl Stream {
    /// Connects, and over TLS negotiates: chain and host name of the server are checked unless
    /// `tls` says otherwise. The error says in words what went wrong.
    pub fn connect(target: &Target, tls: Option<&Tls>, timeouts: Timeouts) -> io::Result<Self> {
        // Files are read before anybody is bothered.
        let client = tls.map(Client::load).transpose()?;
        let (stream, peer, host) = open(target, timeouts.connect)?;
        let connection = match client {
            None => Connection::plain(stream, peer),
            Some(client) => {
                let local = local_of(&stream, &peer);
                let mut connection = client.connect(stream, &host)?;
                let deadline = timeouts.connect.map(|timeout| Instant::now() + timeout);
                loop {
                    match client.negotiate(&mut connection)? {
                        Progress::Done => break,
                        Progress::Wants(mask) => wait(&connection, mask, deadline)?,
                    }
                }
                Connection::ssl(connection, peer, local)
            }
        };
        Ok(Self { connection, io_timeout: timeouts.io })
    }

    /// Changes how long a read or a write may wait.
    pub fn set_io_timeout(&mut self, timeout: Option<Duration>) {
        self.io_timeout = timeout;
    }

    /// Whether data can be read without waiting for the peer, or the peer has closed.
    pub fn wait_readable(&mut self, timeout: Duration) -> io::Result<bool> {
        self.flush()?;
        if self.connection.has_buffered_input() {
            return Ok(true);
        }
        match wait(&self.connection, Mask::READ, Some(Instant::now() + timeout)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether this is TLS.
    pub fn is_ssl(&self) -> bool {
        self.connection.is_ssl()
    }

    /// Returns what was negotiated.
    pub fn tls_info(&self) -> Option<TlsInfo> {
        self.connection.tls_info()
    }

    /// Returns the address of the other end.
    pub fn peer(&self) -> &Address {
        self.connection.peer()
    }

    /// Says goodbye (`close_notify` over TLS); dropping closes without a word.
    pub fn close(mut self) {
        self.connection.close();
    }

    /// A peer that refuses sends its alert and closes; writing then fails before the alert
    /// is read, which says why.
    fn last_words(&mut self) -> Option<io::Error> {
        let outcome = self.connection.is_ssl().then(|| self.connection.read(&mut [0; 64]))?;
        outcome.err().filter(|error| error.kind() == ErrorKind::InvalidData)
    }

    fn deadline(&self) -> Option<Instant> {
        self.io_timeout.map(|timeout| Instant::now() + timeout)
    }
}

impl Read for Stream {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.flush()?;
        if space.is_empty() {
            return Ok(0);
        }
        let deadline = self.deadline();
        loop {
            let received = self.connection.read(space)?;
            if received.bytes != 0 || !received.is_drained {
                return Ok(received.bytes);
            }
            wait(&self.connection, Mask::READ, deadline)?;
        }
    }
}

impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let deadline = self.deadline();
        loop {
            match self.connection.write(data) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(&self.connection, Mask::WRITE, deadline)?;
                }
                outcome => return outcome,
            }
        }
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        let deadline = self.deadline();
        loop {
            match self.connection.write_vectored(data) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(&self.connection, Mask::WRITE, deadline)?;
                }
                outcome => return outcome,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let deadline = self.deadline();
        loop {
            match self.connection.flush() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(&self.connection, Mask::WRITE, deadline)?;
                }
                Err(error) => return Err(self.last_words().unwrap_or(error)),
                Ok(()) => return Ok(()),
            }
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        #[expect(unsafe_code, reason = "mio's sockets lie behind two owners of ours")]
        // SAFETY: `self` owns the descriptor, and what is returned borrows `self`.
        unsafe {
            BorrowedFd::borrow_raw(self.as_raw_fd())
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        self.connection.as_raw_fd()
    }
}

fn open(
    target: &Target,
    timeout: Option<Duration>,
) -> io::Result<(crate::Stream, Address, String)> {
    match target {
        Target::Unix(path) => {
            let stream = StdUnixStream::connect(path)?;
            stream.set_nonblocking(true)?;
            let stream = crate::Stream::Unix(UnixStream::from_std(stream));
            let name = path.display().to_string();
            Ok((stream, Address::Unix(name.into()), "localhost".to_owned()))
        }
        Target::Tcp { host, port } => {
            let stream = connect_any((host.as_str(), *port).to_socket_addrs()?, timeout)?;
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let peer = stream.peer_addr().map_or(Address::Unknown, Address::Inet);
            Ok((crate::Stream::Tcp(TcpStream::from_std(stream)), peer, host.clone()))
        }
    }
}

/// Tries each address that a name has; the error is the last one's.
fn connect_any(
    addresses: impl Iterator<Item = SocketAddr>,
    timeout: Option<Duration>,
) -> io::Result<StdTcpStream> {
    let mut outcome = Err(io::Error::new(ErrorKind::NotFound, "the name has no address"));
    for address in addresses {
        outcome = match timeout {
            Some(timeout) => StdTcpStream::connect_timeout(&address, timeout),
            None => StdTcpStream::connect(address),
        };
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn wait(socket: &impl AsRawFd, mask: Mask, deadline: Option<Instant>) -> io::Result<()> {
    #[expect(unsafe_code, reason = "mio's sockets lie behind two owners of ours")]
    // SAFETY: `socket` owns the descriptor and outlives the call, being borrowed for it.
    let fd = unsafe { BorrowedFd::borrow_raw(socket.as_raw_fd()) };
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::POLLIN, mask.meets(Mask::READ));
    flags.set(PollFlags::POLLOUT, mask.meets(Mask::WRITE));
    loop {
        let timeout = match deadline {
            None => PollTimeout::NONE,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                // Rounded up: a wait of 0 ms in the last millisecond would spin.
                let left_ms = left.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128);
                PollTimeout::try_from(left_ms).unwrap_or(PollTimeout::MAX)
            }
        };
        match poll(&mut [PollFd::new(fd.as_fd(), flags)], timeout) {
            Ok(0) => return Err(io::Error::new(ErrorKind::TimedOut, "timed out")),
            Ok(_) => return Ok(()),
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, Read, Write},
        net::TcpListener,
        os::unix::net::UnixListener,
        thread,
        time::{Duration, Instant},
    };

    use super::{Stream, Target, Timeouts};

    #[test]
    fn a_plain_stream_talks_waits_and_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(&request).unwrap();
            stream
        });
        let target = Target::Tcp { host: "127.0.0.1".to_owned(), port };
        let io = Some(Duration::from_millis(100));
        let mut stream = Stream::connect(&target, None, Timeouts { connect: io, io }).unwrap();
        assert!(!stream.is_ssl() && stream.tls_info().is_none());
        assert_eq!(stream.peer().to_string(), format!("127.0.0.1:{port}"));
        stream.write_all(b"PING").unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"PING");
        let began = Instant::now();
        assert_eq!(stream.read(&mut answer).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(!stream.wait_readable(Duration::from_millis(10)).unwrap());
        assert!(Duration::from_millis(100) <= began.elapsed());
        drop(server.join().unwrap());
        assert!(stream.wait_readable(Duration::from_secs(5)).unwrap());
        assert_eq!(stream.read(&mut answer).unwrap(), 0);
    }

    #[test]
    fn nobody_at_the_other_end_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let target = Target::Tcp { host: "localhost".to_owned(), port };
        let error = Stream::connect(&target, None, Timeouts::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let target = Target::Unix("/nowhere/socket".into());
        let error = Stream::connect(&target, None, Timeouts::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_unix_socket_is_a_target_too() {
        let path = std::env::temp_dir().join(format!("net-blocking-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let mut stream =
            Stream::connect(&Target::Unix(path.clone()), None, Timeouts::default()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"x").unwrap();
        stream.read_exact(&mut [0]).unwrap();
        std::fs::remove_file(path).unwrap();
    }
}
