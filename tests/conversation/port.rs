//! Tool: a free port that stays free until a server of ours takes it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use socket2::{Domain, Socket, Type};

/// A port of 127.0.0.1 that is held for as long as this lives.
///
/// A port that was free a moment ago may be given to anybody else before its server listens, and
/// tests run side by side: two that drew the same one would speak to each other's server. So the
/// socket that drew it stays bound and does not listen. The kernel gives the port to nobody who
/// asks for any, and lets in who asks for it by number with `SO_REUSEADDR`, as servers do.
pub struct Port {
    number: u16,
    _socket: Socket,
}

impl Port {
    /// Draws a port and holds it.
    pub fn draw() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        // Drawn without sharing: with it, a port that another test holds might be drawn again.
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        socket.set_reuse_address(true)?;
        let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { number: address.port(), _socket: socket })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, net::TcpListener};

    use super::*;

    #[test]
    fn a_held_port_is_drawn_by_nobody_else_and_a_server_may_have_it() {
        let held: Vec<Port> = (0..500).map(|_| Port::draw().unwrap()).collect();
        let numbers: HashSet<u16> = held.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), held.len());
        for _ in 0..500 {
            let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            assert!(!numbers.contains(&other.local_addr().unwrap().port()));
        }
        // The standard library asks for SO_REUSEADDR, as Redis does.
        TcpListener::bind((Ipv4Addr::LOCALHOST, held[0].number())).unwrap();
    }
}
