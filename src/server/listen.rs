//! Flow: the sockets that clients come to: opened at start, exchanged at run time.
//!
//! Other sockets are opened before those in use are closed, so that a port that cannot
//! be had changes nothing. Only where the old ones themselves are in the way, as those of
//! one address are in the way of all addresses, they go first, and come back after a failure.

use std::net::SocketAddr;

use ae::Mask;
use net::{
    Listener,
    listener::{ListenError, listen_tcp},
};
use sys::log;

use crate::server::{Datum, Door, DoorKind, Server, accept};

/// Opens every door that the configuration asks for.
pub fn open_all(server: &mut Server) -> Result<(), String> {
    for kind in [DoorKind::Tcp, DoorKind::Tls] {
        reopen(server, kind)?;
    }
    open_unix(server)?;
    if server.doors.iter().flatten().next().is_none() {
        return Err("Configured to not listen anywhere, exiting.".to_owned());
    }
    Ok(())
}

/// Exchanges the doors of one kind for those that the configuration asks for now.
pub fn reopen(server: &mut Server, kind: DoorKind) -> Result<(), String> {
    let network = &server.config.network;
    let (port, is_ssl) = match kind {
        DoorKind::Tcp => (network.port, server.ssl.is_ssl_enabled()),
        DoorKind::Tls => (network.tls_port, true),
        DoorKind::Unix => return Ok(()),
    };
    let bind: Vec<String> =
        network.bind.iter().map(|address| String::from_utf8_lossy(address).into()).collect();
    let backlog = network.tcp_backlog;
    let listen = || if port == 0 { Ok(Vec::new()) } else { listen_on(&bind, port, backlog) };
    let former = addresses(server, kind);
    let mut outcome = listen();
    if outcome.as_ref().is_err_and(ListenError::is_in_use) && !former.is_empty() {
        close(server, kind);
        outcome = listen();
        if outcome.is_err() {
            reopen_former(server, kind, &former, is_ssl)?;
        }
    }
    let listeners = outcome.map_err(|error| {
        log::warning!("Warning: {error}");
        format!("Failed listening on port {port} ({}), aborting.", kind.name())
    })?;
    close(server, kind);
    for listener in listeners {
        open(server, listener, kind, is_ssl)?;
    }
    Ok(())
}

fn listen_on(bind: &[String], port: u16, backlog: u32) -> Result<Vec<Listener>, ListenError> {
    listen_tcp(bind, port, backlog, |error| log::warning!("Warning: {error}"))
}

fn addresses(server: &Server, kind: DoorKind) -> Vec<SocketAddr> {
    let doors = server.doors.iter().flatten().filter(|door| door.kind == kind);
    doors.filter_map(|door| door.listener.address()).collect()
}

fn reopen_former(
    server: &mut Server,
    kind: DoorKind,
    former: &[SocketAddr],
    is_ssl: bool,
) -> Result<(), String> {
    let backlog = server.config.network.tcp_backlog;
    for address in former {
        // The socket was ours a moment ago; who took it meanwhile is told in the log.
        match listen_on(&[address.ip().to_string()], address.port(), backlog) {
            Ok(listeners) => {
                for listener in listeners {
                    open(server, listener, kind, is_ssl)?;
                }
            }
            Err(error) => log::warning!("Warning: {error}"),
        }
    }
    Ok(())
}

/// Closes the doors of one kind.
pub fn close(server: &mut Server, kind: DoorKind) {
    let Server { doors, events, .. } = server;
    for place in doors {
        if let Some(mut door) = place.take_if(|door| door.kind == kind) {
            events.remove(door.fd, &mut door.listener);
        }
    }
}

fn open_unix(server: &mut Server) -> Result<(), String> {
    let network = &server.config.network;
    if network.unixsocket.is_empty() {
        return Ok(());
    }
    let path = String::from_utf8_lossy(&network.unixsocket).into_owned();
    let mode = Some(network.unixsocketperm).filter(|mode| *mode != 0);
    let listener = Listener::unix(&path, mode, network.tcp_backlog)
        .map_err(|error| format!("Failed opening Unix socket: {error}"))?;
    open(server, listener, DoorKind::Unix, false)
}

fn open(
    server: &mut Server,
    mut listener: Listener,
    kind: DoorKind,
    is_ssl: bool,
) -> Result<(), String> {
    let Server { doors, events, config, .. } = server;
    let keepalive_s = config.network.tcp_keepalive_s;
    listener
        .prepare(keepalive_s)
        .map_err(|error| format!("Cannot set options of a listening socket: {error}"))?;
    let at = doors.iter().position(Option::is_none).unwrap_or(doors.len());
    let datum = Datum::Door(u16::try_from(at).expect("few doors"));
    let fd = events
        .add(&mut listener, accept::acceptable, datum, Mask::READ)
        .map_err(|error| format!("Unrecoverable error creating accept handler: {error}"))?;
    let door = Some(Door { fd, listener, kind, is_ssl, keepalive_s });
    match doors.get_mut(at) {
        Some(place) => *place = door,
        None => doors.push(door),
    }
    Ok(())
}
