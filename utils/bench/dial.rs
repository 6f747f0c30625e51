//! Tool: connections to a server, plain or TLS, blocking or not; each read has a timeout.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use openssl::ssl::{ErrorCode, Ssl, SslContext, SslSession, SslStream};

use crate::{Outcome, replies::Replies};

/// A server that has not answered for so long never will.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(20);
/// What is asked from a socket at once: a client that reads little by little would measure
/// itself.
const READ_BYTES: usize = 64 * 1024;
/// The cursor of a SCAN stands within these.
const HEAD_BYTES: usize = 64;

/// Where a server listens, and how it is spoken to there.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) address: SocketAddr,
    /// Present for TLS.
    pub(crate) tls: Option<&'a SslContext>,
}

/// A connection.
pub(crate) enum Channel {
    Plain(TcpStream),
    Tls(SslStream<ReadAhead>),
}

/// Reads as much as there is, where libssl asks for a record's head and then its body.
#[derive(Debug)]
pub(crate) struct ReadAhead {
    stream: TcpStream,
    bytes: Box<[u8]>,
    at: usize,
    end: usize,
}

impl Target<'_> {
    /// Connects, and negotiates: from the start, or as `session` allows.
    pub(crate) fn dial(&self, session: Option<&SslSession>) -> Outcome<Channel> {
        let stream = TcpStream::connect_timeout(&self.address, SILENCE_MAX)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        let Some(context) = self.tls else { return Ok(Channel::Plain(stream)) };
        let mut ssl = Ssl::new(context)?;
        if let Some(session) = session {
            #[expect(unsafe_code, reason = "the binding cannot tell which context it came from")]
            // SAFETY: the session was made by a connection of the same context.
            unsafe {
                ssl.set_session(session)?;
            }
        }
        let bytes = vec![0; READ_BYTES].into_boxed_slice();
        let ahead = ReadAhead { stream, bytes, at: 0, end: 0 };
        Ok(Channel::Tls(ssl.connect(ahead)?))
    }
}

impl Channel {
    /// Sends a request and waits for its reply; for connections that block.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Outcome<()> {
        self.send_all(request)?;
        self.await_replies(1)
    }

    /// Sends all of it; for connections that block.
    pub(crate) fn send_all(&mut self, mut bytes: &[u8]) -> Outcome<()> {
        while !bytes.is_empty() {
            bytes = &bytes[self.write(bytes)?..];
        }
        Ok(())
    }

    /// Waits for so many replies; for connections that block.
    pub(crate) fn await_replies(&mut self, mut missing: usize) -> Outcome<()> {
        let (mut replies, mut space) = (Replies::default(), [0; 4096]);
        while 0 < missing {
            let bytes = self.read(&mut space)?;
            if bytes == 0 {
                return Err("the server closed the connection".into());
            }
            missing -= replies.count(&space[..bytes])?;
        }
        Ok(())
    }

    /// Waits for the reply of a SCAN and returns its cursor; for connections that block.
    pub(crate) fn await_cursor(&mut self) -> Outcome<u64> {
        let (mut replies, mut space, mut head) = (Replies::default(), [0; READ_BYTES], Vec::new());
        loop {
            let bytes = self.read(&mut space)?;
            if bytes == 0 {
                return Err("the server closed the connection".into());
            }
            if head.len() < HEAD_BYTES {
                head.extend_from_slice(&space[..bytes]);
            }
            if 0 < replies.count(&space[..bytes])? {
                // An array, then the cursor's length, then the cursor.
                let text = String::from_utf8_lossy(&head);
                let cursor = text.lines().nth(2).ok_or("no cursor")?;
                return Ok(cursor.parse()?);
            }
        }
    }

    /// Reads what is there; 0 if the server has closed.
    pub(crate) fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(space),
            Self::Tls(stream) => match stream.ssl_read(space) {
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => Ok(0),
                outcome => outcome.map_err(io_error),
            },
        }
    }

    /// Writes what can be taken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.ssl_write(bytes).map_err(io_error),
        }
    }

    /// Whether a read would bring something though the socket may be silent.
    pub(crate) fn has_more(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => {
                let ahead = stream.get_ref();
                0 < stream.ssl().pending() || ahead.at < ahead.end
            }
        }
    }

    /// From here on nothing waits.
    pub(crate) fn set_nonblocking(&mut self) -> io::Result<()> {
        self.socket().set_nonblocking(true)
    }

    /// What can be resumed later.
    pub(crate) fn session(&self) -> Option<SslSession> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.ssl().session().map(ToOwned::to_owned),
        }
    }

    /// Whether it took an earlier session up.
    pub(crate) fn is_resumed(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.ssl().session_reused(),
        }
    }

    /// Says goodbye. Whether it is heard does not matter.
    pub(crate) fn close(mut self) {
        if let Self::Tls(stream) = &mut self {
            let _ = stream.shutdown();
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.get_ref().stream,
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl Read for ReadAhead {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.at == self.end {
            (self.at, self.end) = (0, 0);
            self.end = self.stream.read(&mut self.bytes)?;
        }
        let bytes = space.len().min(self.end - self.at);
        space[..bytes].copy_from_slice(&self.bytes[self.at..self.at + bytes]);
        self.at += bytes;
        Ok(bytes)
    }
}

impl Write for ReadAhead {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn io_error(error: openssl::ssl::Error) -> io::Error {
    match error.code() {
        ErrorCode::WANT_READ | ErrorCode::WANT_WRITE => ErrorKind::WouldBlock.into(),
        _ => error.into_io_error().unwrap_or_else(io::Error::other),
    }
}
