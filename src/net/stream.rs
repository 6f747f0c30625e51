//! Room: a connected, non-blocking socket, TCP or Unix.

use std::{
    io::{self, IoSlice, Read, Write},
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    time::Duration,
};

use ae::Source;
use mio::{
    Interest, Registry, Token,
    net::{TcpStream, UnixStream},
};
use socket2::{SockRef, TcpKeepalive};

use crate::Address;

/// What carries bytes, and what the loop polls.
#[derive(Debug)]
pub enum Stream {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A connection on a Unix socket.
    Unix(UnixStream),
}

/// What one read brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Received {
    /// How many bytes; 0 means the peer has closed, if it is not `is_drained`.
    pub bytes: usize,
    /// Nothing more is to be had before the next edge.
    pub is_drained: bool,
}

impl Stream {
    /// Sends small writes at once instead of gathering them. Does nothing on a Unix socket.
    pub fn set_nodelay(&self, is_on: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(is_on),
            Self::Unix(_) => Ok(()),
        }
    }

    /// Ends both directions, also for who else holds this socket: a child.
    pub fn shut_down(&self) {
        // Fails only where there is nothing left to end.
        let _ = SockRef::from(self).shutdown(std::net::Shutdown::Both);
    }

    /// Asks the kernel to probe a silent peer: first after `seconds`, then three times, a
    /// third of that apart, as Redis does. 0 means never.
    pub fn set_keepalive(&self, seconds: u32) -> io::Result<()> {
        let Self::Tcp(stream) = self else { return Ok(()) };
        set_keepalive(&SockRef::from(stream), seconds)
    }

    /// Returns the address of our own end.
    pub fn local(&self) -> Address {
        match self {
            Self::Tcp(stream) => stream.local_addr().map_or(Address::Unknown, Address::Inet),
            Self::Unix(_) => Address::Unknown,
        }
    }

    /// Returns the address of the other end.
    pub fn peer(&self) -> Address {
        match self {
            Self::Tcp(stream) => stream.peer_addr().map_or(Address::Unknown, Address::Inet),
            Self::Unix(_) => Address::Unknown,
        }
    }

    /// Receives into space that need not be initialised.
    pub(crate) fn receive(&self, space: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        SockRef::from(self).recv(space)
    }
}

/// As `Stream::set_keepalive`; what a listener has is its connections' too.
pub(crate) fn set_keepalive(socket: &SockRef<'_>, seconds: u32) -> io::Result<()> {
    if seconds == 0 {
        return socket.set_keepalive(false);
    }
    let interval = Duration::from_secs(u64::from(seconds / 3).max(1));
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(u64::from(seconds)))
        .with_interval(interval)
        .with_retries(3);
    socket.set_tcp_keepalive(&probes)
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

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(data),
            Self::Unix(stream) => stream.write_vectored(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    fn register(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.register(to, token, interest),
            Self::Unix(stream) => stream.register(to, token, interest),
        }
    }

    fn reregister(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.reregister(to, token, interest),
            Self::Unix(stream) => stream.reregister(to, token, interest),
        }
    }

    fn deregister(&mut self, from: &Registry) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.deregister(from),
            Self::Unix(stream) => stream.deregister(from),
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Tcp(stream) => stream.as_raw_fd(),
            Self::Unix(stream) => stream.as_raw_fd(),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}
