//! Room: sockets that bring connections in (`anetTcpServer`, `anetUnixServer`, `anetTcpAccept`).
//!
//! A listener out of descriptors stays readable and accepts nothing, so who calls `accept`
//! must stop wanting it for a while (`Accepted::Exhausted`), or the loop spins.

use std::{
    fs,
    io::{self, ErrorKind},
    net::{SocketAddr, ToSocketAddrs},
    os::{
        fd::{AsRawFd, RawFd},
        unix::fs::{FileTypeExt, PermissionsExt},
    },
    path::Path,
};

use ae::Source;
use mio::{
    Interest, Registry, Token,
    net::{TcpListener, UnixListener},
};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::{Address, Stream, stream::set_keepalive};

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// On one address and port.
    Tcp(TcpListener),
    /// On a path.
    Unix(UnixListener, Box<str>),
}

/// What one `accept` brought.
#[derive(Debug)]
pub enum Accepted {
    /// A connection, and who is at its other end.
    Stream(Stream, Address),
    /// Nobody waits any more; the next edge says when.
    Nobody,
    /// This one connection failed before it was ours; go on with the next.
    Lost(io::Error),
    /// Descriptors or memory ran out: nobody can be accepted for now, though they wait.
    Exhausted(io::Error),
}

/// Why an address cannot be listened on.
#[derive(Debug)]
pub struct ListenError {
    address: String,
    port: u16,
    reason: String,
    cause: io::Error,
}

impl Listener {
    /// Listens on one address: a host, `*` for every IPv4 one, `::*` for every IPv6 one.
    pub fn tcp(address: &str, port: u16, backlog: u32) -> Result<Self, ListenError> {
        let failed = |step: &str, cause: io::Error| ListenError {
            address: address.to_owned(),
            port,
            reason: format!("{step}{}", text_of(&cause)),
            cause,
        };
        let at = resolve(address, port).map_err(|error| failed("", error))?;
        let listen = || -> Result<TcpListener, (&str, io::Error)> {
            let socket = Socket::new(Domain::for_address(at), Type::STREAM.nonblocking(), None)
                .map_err(|error| ("socket: ", error))?;
            if at.is_ipv6() {
                socket.set_only_v6(true).map_err(|error| ("setsockopt: ", error))?;
            }
            socket.set_reuse_address(true).map_err(|error| ("setsockopt SO_REUSEADDR: ", error))?;
            socket.bind(&at.into()).map_err(|error| ("bind: ", error))?;
            socket.listen(backlog_of(backlog)).map_err(|error| ("listen: ", error))?;
            Ok(TcpListener::from_std(socket.into()))
        };
        listen().map(Self::Tcp).map_err(|(step, error)| failed(step, error))
    }

    /// Listens on a path, where a socket left by a run before is replaced.
    ///
    /// The mode, if given, is set between `bind` and `listen`: nobody can connect before.
    pub fn unix(path: &str, mode: Option<u32>, backlog: u32) -> io::Result<Self> {
        let with = |step: &str, error: io::Error| {
            io::Error::new(error.kind(), format!("{step}: {}", text_of(&error)))
        };
        remove_stale(Path::new(path)).map_err(|error| with("unlink", error))?;
        let address = SockAddr::unix(path).map_err(|error| with("bind", error))?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)
            .map_err(|error| with("socket", error))?;
        socket.bind(&address).map_err(|error| with("bind", error))?;
        if let Some(mode) = mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))
                .map_err(|error| with("chmod", error))?;
        }
        socket.listen(backlog_of(backlog)).map_err(|error| with("listen", error))?;
        let listener = UnixListener::from_std(std::os::unix::net::UnixListener::from(
            std::os::fd::OwnedFd::from(socket),
        ));
        Ok(Self::Unix(listener, path.into()))
    }

    /// Takes one connection that waits; it does not block.
    pub fn accept(&mut self) -> Accepted {
        let outcome = match self {
            Self::Tcp(listener) => {
                listener.accept().map(|(stream, peer)| (Stream::Tcp(stream), Address::Inet(peer)))
            }
            Self::Unix(listener, path) => listener
                .accept()
                .map(|(stream, _)| (Stream::Unix(stream), Address::Unix(path.clone()))),
        };
        match outcome {
            Ok((stream, peer)) => Accepted::Stream(stream, peer),
            Err(error) => Accepted::failed(error),
        }
    }

    /// Returns the address that is listened on; nothing for a path.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    /// Has connections come with small writes sent at once, and probed when silent (see
    /// `Stream::set_keepalive`): Linux hands on what the listener has, which saves each
    /// connection five system calls.
    pub fn prepare(&self, keepalive_s: u32) -> io::Result<()> {
        let Self::Tcp(listener) = self else { return Ok(()) };
        let socket = SockRef::from(listener);
        socket.set_tcp_nodelay(true)?;
        set_keepalive(&socket, keepalive_s)
    }

    /// Returns the port that is listened on; 0 for a path.
    pub fn port(&self) -> u16 {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_or(0, |address| address.port()),
            Self::Unix(..) => 0,
        }
    }
}

impl Accepted {
    fn failed(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EAGAIN) => Self::Nobody,
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS) => {
                Self::Exhausted(error)
            }
            _ => Self::Lost(error),
        }
    }
}

/// Listens on every address of `bind`, as Redis reads it: one that begins with `-` may be
/// missing on this machine, a protocol that the kernel lacks is passed over. `passed_over` is
/// told of each of these; any other failure closes what was opened.
pub fn listen_tcp(
    bind: &[impl AsRef<str>],
    port: u16,
    backlog: u32,
    mut passed_over: impl FnMut(&ListenError),
) -> Result<Vec<Listener>, ListenError> {
    let mut listeners = Vec::with_capacity(bind.len());
    for address in bind {
        let address = address.as_ref();
        let optional = address.strip_prefix('-');
        match Listener::tcp(optional.unwrap_or(address), port, backlog) {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.may_be_passed_over(optional.is_some()) => passed_over(&error),
            Err(error) => return Err(error),
        }
    }
    Ok(listeners)
}

impl ListenError {
    /// Whether another socket has the address.
    pub fn is_in_use(&self) -> bool {
        self.cause.kind() == ErrorKind::AddrInUse
    }

    fn may_be_passed_over(&self, is_optional: bool) -> bool {
        match self.cause.raw_os_error() {
            Some(libc::EADDRNOTAVAIL) => is_optional,
            Some(
                libc::ENOPROTOOPT
                | libc::EPROTONOSUPPORT
                | libc::ESOCKTNOSUPPORT
                | libc::EPFNOSUPPORT
                | libc::EAFNOSUPPORT,
            ) => true,
            _ => false,
        }
    }
}

impl std::fmt::Display for ListenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { address, port, reason, .. } = self;
        write!(f, "Could not create server TCP listening socket {address}:{port}: {reason}")
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl Source for Listener {
    fn register(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.register(to, token, interest),
            Self::Unix(listener, _) => listener.register(to, token, interest),
        }
    }

    fn reregister(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.reregister(to, token, interest),
            Self::Unix(listener, _) => listener.reregister(to, token, interest),
        }
    }

    fn deregister(&mut self, from: &Registry) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.deregister(from),
            Self::Unix(listener, _) => listener.deregister(from),
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Tcp(listener) => listener.as_raw_fd(),
            Self::Unix(listener, _) => listener.as_raw_fd(),
        }
    }
}

fn resolve(address: &str, port: u16) -> io::Result<SocketAddr> {
    let wants_v6 = address.contains(':');
    let host = match address {
        "*" => "0.0.0.0",
        "::*" => "::",
        _ => address,
    };
    let mut found = (host, port).to_socket_addrs()?;
    found
        .find(|address| address.is_ipv6() == wants_v6)
        .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "Name or service not known"))
}

/// Only a socket is removed: a path typed wrongly must not cost somebody a file.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn backlog_of(backlog: u32) -> i32 {
    i32::try_from(backlog).unwrap_or(i32::MAX)
}

/// The system's words alone: std adds "(os error 98)", which Redis does not.
pub(crate) fn text_of(error: &io::Error) -> String {
    let text = error.to_string();
    // What std says of a name before it lets the resolver speak.
    let text = text.trim_start_matches("failed to lookup address information: ").to_owned();
    match error.raw_os_error() {
        Some(number) => text.trim_end_matches(&format!(" (os error {number})")).to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, thread, time::Duration};

    use socket2::SockRef;

    use super::{Accepted, Listener, listen_tcp};
    use crate::Address;

    fn next(listener: &mut Listener) -> Accepted {
        for _ in 0..500 {
            match listener.accept() {
                Accepted::Nobody => thread::sleep(Duration::from_millis(2)),
                accepted => return accepted,
            }
        }
        Accepted::Nobody
    }

    #[test]
    fn a_port_in_use_is_refused_in_redis_words() {
        let first = Listener::tcp("127.0.0.1", 0, 511).unwrap();
        let port = first.port();
        let error = Listener::tcp("127.0.0.1", port, 511).unwrap_err();
        let expected = format!(
            "Could not create server TCP listening socket 127.0.0.1:{port}: \
             bind: Address already in use"
        );
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_optional_address_may_be_missing_and_another_not() {
        let mut passed_over = 0;
        let listeners =
            listen_tcp(&["127.0.0.1", "-192.0.2.1"], 0, 511, |_| passed_over += 1).unwrap();
        assert_eq!((listeners.len(), passed_over), (1, 1));
        assert!(listen_tcp(&["127.0.0.1", "192.0.2.1"], 0, 511, |_| ()).is_err());
    }

    #[test]
    fn an_ipv6_socket_leaves_the_ipv4_port_free() {
        let Ok(six) = Listener::tcp("::*", 0, 511) else { return };
        Listener::tcp("*", six.port(), 511).unwrap();
    }

    #[test]
    fn accepting_tells_the_peer_and_then_nobody() {
        let mut listener = Listener::tcp("127.0.0.1", 0, 511).unwrap();
        assert!(matches!(listener.accept(), Accepted::Nobody));
        let client = std::net::TcpStream::connect(("127.0.0.1", listener.port())).unwrap();
        let Accepted::Stream(stream, peer) = next(&mut listener) else { panic!("nobody came") };
        assert_eq!(peer, Address::Inet(client.local_addr().unwrap()));
        stream.set_nodelay(true).unwrap();
        stream.set_keepalive(300).unwrap();
        assert!(matches!(listener.accept(), Accepted::Nobody));
    }

    #[test]
    fn connections_come_prepared() {
        let mut listener = Listener::tcp("127.0.0.1", 0, 511).unwrap();
        for (keepalive_s, is_on) in [(300, true), (0, false)] {
            listener.prepare(keepalive_s).unwrap();
            let _client = std::net::TcpStream::connect(("127.0.0.1", listener.port())).unwrap();
            let Accepted::Stream(stream, _) = next(&mut listener) else { panic!("nobody came") };
            let socket = SockRef::from(&stream);
            assert!(socket.tcp_nodelay().unwrap());
            assert_eq!(socket.keepalive().unwrap(), is_on);
            if is_on {
                assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(300));
                assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(100));
                assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
            }
        }
    }

    #[test]
    fn running_out_is_told_from_one_lost_connection() {
        let failed = |errno| Accepted::failed(std::io::Error::from_raw_os_error(errno));
        assert!(matches!(failed(libc::EAGAIN), Accepted::Nobody));
        assert!(matches!(failed(libc::EMFILE), Accepted::Exhausted(_)));
        assert!(matches!(failed(libc::ENFILE), Accepted::Exhausted(_)));
        assert!(matches!(failed(libc::ECONNABORTED), Accepted::Lost(_)));
    }

    #[test]
    fn a_unix_socket_has_its_mode_and_replaces_a_stale_one_only() {
        let directory = std::env::temp_dir().join(format!("net-unix-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("socket");
        let text = path.to_str().unwrap();
        drop(Listener::unix(text, Some(0o700), 511).unwrap());
        let mut listener = Listener::unix(text, Some(0o770), 511).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o770);
        let _client = std::os::unix::net::UnixStream::connect(&path).unwrap();
        let Accepted::Stream(_, peer) = next(&mut listener) else { panic!("nobody came") };
        assert_eq!(peer.to_string(), format!("{text}:0"));
        let file = directory.join("file");
        std::fs::write(&file, "kept").unwrap();
        assert!(Listener::unix(file.to_str().unwrap(), None, 511).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
        std::fs::remove_dir_all(directory).unwrap();
    }
}
