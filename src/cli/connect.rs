//! Tool: the connection to the server: one request out, replies in.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use resp::value::{DecodeError, Decoder, Limits, Value};

use crate::args::{Address, TlsArgs};

const READ_BYTES: usize = 16 * 1024;
/// A user who asks for much gets it; what could overflow the stack is not printed.
const LIMITS: Limits = Limits { depth_max: 1024, bytes_max: usize::MAX };

/// What ended a connection.
#[derive(Debug)]
pub(crate) enum LinkError {
    /// The server has closed.
    Closed,
    /// The system says so.
    Io(io::Error),
    /// The server does not speak Redis's protocol.
    Protocol(DecodeError),
}

impl LinkError {
    /// Whether the server went away, so that a new connection may find it again.
    pub(crate) fn is_gone(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionReset};
        match self {
            Self::Closed => true,
            Self::Io(error) => matches!(error.kind(), ConnectionReset | BrokenPipe),
            Self::Protocol(_) => false,
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("Server closed the connection"),
            Self::Io(error) => f.write_str(&describe(error)),
            Self::Protocol(error) => error.fmt(f),
        }
    }
}

/// A connection, and what has come from it.
#[derive(Debug)]
pub(crate) struct Link {
    stream: Stream,
    decoder: Decoder,
    chunk: Box<[u8]>,
    /// Set once, then the connection is of no more use.
    pub(crate) error: Option<LinkError>,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Link {
    /// Connects; the error says what a user can do something about.
    pub(crate) fn open(
        address: &Address,
        tls: Option<&TlsArgs>,
        timeout: Option<Duration>,
    ) -> Result<Self, String> {
        let stream = match &address.socket {
            Some(path) => Stream::Unix(UnixStream::connect(path).map_err(|e| describe(&e))?),
            None => Stream::Tcp(connect_tcp(address, timeout).map_err(|e| describe(&e))?),
        };
        if tls.is_some() {
            return Err("TLS is not built into this redis-cli".to_owned());
        }
        let chunk = vec![0; READ_BYTES].into();
        Ok(Self { stream, decoder: Decoder::new(LIMITS), chunk, error: None })
    }

    /// Sends a command.
    pub(crate) fn send(&mut self, words: &[Vec<u8>]) -> bool {
        let mut request = Vec::new();
        resp::write_command(&mut request, words.iter().map(Vec::as_slice));
        let sent = self.stream.write_all(&request);
        self.note(sent.map_err(LinkError::Io)).is_some()
    }

    /// Waits for a reply.
    pub(crate) fn receive(&mut self) -> Option<Value> {
        while self.error.is_none() {
            if let Some(value) = self.buffered() {
                return Some(value);
            }
            let outcome = match self.stream.read(&mut self.chunk) {
                Ok(0) => Err(LinkError::Closed),
                Ok(bytes) => {
                    self.decoder.feed(&self.chunk[..bytes]);
                    Ok(())
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                Err(error) => Err(LinkError::Io(error)),
            };
            self.note(outcome);
        }
        None
    }

    /// Returns a reply that is already here.
    pub(crate) fn buffered(&mut self) -> Option<Value> {
        if self.error.is_some() {
            return None;
        }
        let outcome = self.decoder.advance().map_err(LinkError::Protocol);
        self.note(outcome).flatten().map(Value::without_attributes)
    }

    /// Sends a command and waits for its reply, passing over messages that are none.
    pub(crate) fn ask(&mut self, words: &[&[u8]]) -> Option<Value> {
        let words: Vec<_> = words.iter().map(|word| word.to_vec()).collect();
        self.send(&words);
        loop {
            match self.receive()? {
                Value::Push(_) => (),
                value => return Some(value),
            }
        }
    }

    fn note<T>(&mut self, outcome: Result<T, LinkError>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.stream {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(space),
            Self::Unix(stream) => stream.read(space),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(data),
            Self::Unix(stream) => stream.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn connect_tcp(address: &Address, timeout: Option<Duration>) -> io::Result<TcpStream> {
    let mut places: Vec<_> = (address.host.as_str(), address.port).to_socket_addrs()?.collect();
    // Servers listen on 127.0.0.1 more often than on ::1.
    places.sort_by_key(|place| place.is_ipv6());
    let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
    for place in places {
        outcome = match timeout {
            Some(timeout) => TcpStream::connect_timeout(&place, timeout),
            None => TcpStream::connect(place),
        };
        if outcome.is_ok() {
            break;
        }
    }
    let stream = outcome?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Says what the system said, without the words that Rust puts around it.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}
