//! Pure: how Redis writes and reads addresses.

use std::{fmt, net::SocketAddr};

/// One end of a connection; `Display` writes it as `CLIENT LIST` does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// `127.0.0.1:6379`, `[::1]:6379`.
    Inet(SocketAddr),
    /// The path of a Unix socket, written with port 0; both ends are the same to Redis.
    Unix(Box<str>),
    /// The kernel did not say, written `?:0`.
    Unknown,
}

impl Address {
    /// Returns the host alone: what limits by address compare.
    pub fn host(&self) -> String {
        match self {
            Self::Inet(address) => address.ip().to_canonical().to_string(),
            Self::Unix(path) => path.to_string(),
            Self::Unknown => "?".to_owned(),
        }
    }

    /// Returns the port; 0 where there is none.
    pub fn port(&self) -> u16 {
        match self {
            Self::Inet(address) => address.port(),
            Self::Unix(_) | Self::Unknown => 0,
        }
    }

    /// Whether the peer is this very machine, as protected mode asks.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Inet(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
            Self::Unknown => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => write_host_port(f, &address.ip(), address.port()),
            Self::Unix(path) => write!(f, "{path}:0"),
            Self::Unknown => f.write_str("?:0"),
        }
    }
}

fn write_host_port(f: &mut fmt::Formatter<'_>, ip: &std::net::IpAddr, port: u16) -> fmt::Result {
    if ip.is_ipv6() { write!(f, "[{ip}]:{port}") } else { write!(f, "{ip}:{port}") }
}

/// Writes host and port as one word, with brackets where the host has colons.
pub fn format_host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Splits `host:port` at its last colon; brackets around the host are taken off.
pub fn parse_host_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if host.is_empty() || !is_number {
        return None;
    }
    Some((host, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Address, format_host_port, parse_host_port};

    #[test]
    fn addresses_are_written_as_client_list_does() {
        let inet = |text: &str| Address::Inet(text.parse().unwrap());
        assert_eq!(inet("127.0.0.1:6379").to_string(), "127.0.0.1:6379");
        assert_eq!(inet("[::1]:6379").to_string(), "[::1]:6379");
        assert_eq!(Address::Unix("/tmp/s".into()).to_string(), "/tmp/s:0");
        assert_eq!(Address::Unknown.to_string(), "?:0");
        assert!(inet("[::ffff:127.0.0.1]:1").is_local());
        assert!(!inet("10.0.0.1:1").is_local());
    }

    #[test]
    fn host_and_port_split_at_the_last_colon() {
        assert_eq!(parse_host_port("localhost:1"), Some(("localhost", 1)));
        assert_eq!(parse_host_port("[::1]:65535"), Some(("::1", 65535)));
        assert_eq!(parse_host_port("::1:7"), Some(("::1", 7)));
        for text in ["", ":1", "h:", "h:65536", "h:+1", "h", "[]:1"] {
            assert_eq!(parse_host_port(text), None, "{text}");
        }
        assert_eq!(format_host_port("::1", 7), "[::1]:7");
        assert_eq!(format_host_port("h", 7), "h:7");
    }
}
