//! Room: sockets: where the server listens and how connections are kept. First the fields, then a
//! line for each.

use crate::config::{
    Change,
    entry::{INT_MAX, Parameter, UINT_MAX, field, integer, octal, special, text, yes_no},
    special,
};

/// Sockets: where the server listens and how connections are kept.
#[derive(Clone, Default)]
pub struct Network {
    /// `port`: the TCP port, plain or, under `enable-ssl yes`, TLS.
    pub port: u16,
    /// `tls-port`: a TCP port that always speaks TLS, beside `port`.
    pub tls_port: u16,
    /// `bind`: the addresses to listen on, at most 16.
    pub bind: Vec<Vec<u8>>,
    /// `bind-source-addr`: the address from which outgoing connections leave.
    pub bind_source_addr: Vec<u8>,
    /// `unixsocket`: the path of a Unix socket to listen on as well.
    pub unixsocket: Vec<u8>,
    /// `unixsocketperm`: the mode of the Unix socket, in octal.
    pub unixsocketperm: u32,
    /// `tcp-backlog`: how many connections may wait to be accepted.
    pub tcp_backlog: u32,
    /// `tcp-keepalive`: seconds of silence after which TCP asks whether the peer still lives.
    pub tcp_keepalive_s: u32,
    /// `timeout`: seconds after which an idle client is closed.
    pub timeout_s: u32,
    /// `protected-mode`: refuses clients from other machines as long as the default user has no
    /// password.
    pub protected_mode: bool,
    /// `socket-mark-id`: the mark (SO_MARK) that sockets carry for the packet filter.
    pub socket_mark_id: u32,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("port", "6379", integer(0, 65535, &field!(network.port))).change(Change::Port),
    Parameter::new("tls-port", "0", integer(0, 65535, &field!(network.tls_port)))
        .change(Change::TlsPort)
        .tls(),
    Parameter::new("bind", "* -::*", special(special::BIND)).change(Change::Bind).words(),
    Parameter::new("bind-source-addr", "", text(&field!(network.bind_source_addr))),
    Parameter::new("unixsocket", "", text(&field!(network.unixsocket))).immutable(),
    Parameter::new("unixsocketperm", "0", octal(0o777, &field!(network.unixsocketperm)))
        .immutable(),
    Parameter::new("tcp-backlog", "511", integer(0, INT_MAX, &field!(network.tcp_backlog)))
        .immutable(),
    Parameter::new("tcp-keepalive", "300", integer(0, INT_MAX, &field!(network.tcp_keepalive_s))),
    Parameter::new("timeout", "0", integer(0, INT_MAX, &field!(network.timeout_s))),
    Parameter::new("protected-mode", "yes", yes_no(&field!(network.protected_mode))),
    Parameter::new("socket-mark-id", "0", integer(0, UINT_MAX, &field!(network.socket_mark_id)))
        .immutable(),
];
