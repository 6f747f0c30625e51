//! Tool: the connection to the server: one request out, replies in.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use net::blocking::{Stream, Target, Timeouts, Tls};
use resp::value::{DecodeError, Decoder, Limits, Value};

use crate::args::Address;

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
        // An end without TLS's goodbye is one as well.
        use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        match self {
            Self::Closed => true,
            Self::Io(error) => matches!(error.kind(), ConnectionReset | BrokenPipe | UnexpectedEof),
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

impl Link {
    /// Connects; the error says what a user can do something about.
    pub(crate) fn open(
        address: &Address,
        tls: Option<&Tls>,
        timeout: Option<Duration>,
    ) -> Result<Self, String> {
        let target = match &address.socket {
            Some(path) => Target::Unix(path.clone()),
            None => Target::Tcp { host: address.host.clone(), port: address.port },
        };
        let timeouts = Timeouts { connect: timeout, io: None };
        let stream = Stream::connect(&target, tls, timeouts).map_err(|error| describe(&error))?;
        let chunk = vec![0; READ_BYTES].into();
        Ok(Self { stream, decoder: Decoder::new(LIMITS), chunk, error: None })
    }

    /// Sends a command.
    pub(crate) fn send(&mut self, words: &[Vec<u8>]) -> bool {
        let mut request = Vec::new();
        resp::write_command(&mut request, words.iter().map(Vec::as_slice));
        let sent = self.stream.write_all(&request).and_then(|()| self.stream.flush());
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

    /// Whether `receive` need not wait for the server to begin a reply.
    pub(crate) fn is_readable(&mut self) -> bool {
        self.stream.wait_readable(Duration::ZERO).unwrap_or(true)
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
        self.stream.as_fd()
    }
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
