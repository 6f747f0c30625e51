//! Flow: new connections: accept, negotiate if the door speaks TLS, then read requests.

use std::io::{self, Write};

use ae::{Fd, Mask};
use net::{Accepted, Address, Connection, Stream, ssl_negotiate};
use sys::log;

use crate::{
    client::{Client, ClientId},
    server::{Datum, Server, input, output},
};

/// Others want a turn too; those left over wait in the kernel, and the door is due.
const ACCEPTED_PER_TURN_MAX: usize = 1000;
/// A thousand take 20 ms, and those who come by TLS wait for their handshakes anyway; this
/// many empty the queue of the default `tcp-backlog`, beyond which the kernel drops connects.
const TLS_ACCEPTED_PER_TURN_MAX: usize = 500;
/// So many clients beyond `maxclients` are negotiated with, to be told that they are too
/// many; further ones are dropped without a word.
const REFUSALS_MAX: usize = 32;

const TOO_MANY: &str = "ERR max number of clients reached";
/// What a stranger hears. Redis's text to the letter: tools look for its first word.
const PROTECTED: &str = "DENIED Redis is running in protected mode because protected mode is \
     enabled and no password is set for the default user. In this mode connections are only \
     accepted from the loopback interface. If you want to connect from external computers to \
     Redis you may adopt one of the following solutions: 1) Just disable protected mode sending \
     the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to \
     Redis from the same host the server is running, however MAKE SURE Redis is not publicly \
     accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) \
     Alternatively you can just disable the protected mode by editing the Redis configuration \
     file, and setting the protected mode option to 'no', and then restarting the server. 3) If \
     you started the server manually just for testing, restart it with the '--protected-mode no' \
     option. 4) Set up an authentication password for the default user. NOTE: You only need to \
     do one of the above things in order for the server to start accepting connections from the \
     outside.";

/// Serves a door's file event.
pub fn acceptable(server: &mut Server, fd: Fd, datum: Datum, _: Mask) {
    let Datum::Door(at) = datum else { return };
    let Some(Some(door)) = server.doors.get(usize::from(at)) else { return };
    let is_ssl = door.is_ssl;
    let keepalive_s = server.config.network.tcp_keepalive_s;
    let is_keepalive_other = door.keepalive_s != keepalive_s;
    let count = if is_ssl { TLS_ACCEPTED_PER_TURN_MAX } else { ACCEPTED_PER_TURN_MAX };
    for _ in 0..count {
        let Some(Some(door)) = server.doors.get_mut(usize::from(at)) else { return };
        match door.listener.accept() {
            Accepted::Stream(stream, peer) => {
                if is_keepalive_other && let Err(error) = stream.set_keepalive(keepalive_s) {
                    log::warning!("Accepting client connection: {error}");
                    continue;
                }
                admit(server, stream, peer, is_ssl);
            }
            Accepted::Nobody => return server.events.drained(fd, Mask::READ),
            Accepted::Lost(error) => log::warning!("Accepting client connection: {error}"),
            Accepted::Exhausted(error) => {
                log::warning!("Accepting client connection: {error}");
                // Nobody could be let in before somebody goes; the cron tries again.
                return server.events.want(fd, Mask::NONE);
            }
        }
    }
}

fn admit(server: &mut Server, mut stream: Stream, peer: Address, is_ssl: bool) {
    server.stats.connections += 1;
    match &peer {
        Address::Unix(path) => log::verbose!("Accepted connection to {path}"),
        _ => log::verbose!("Accepted {peer}"),
    }
    let refusal = refusal(server, &peer);
    if let Some(text) = refusal {
        log::debug!("Refused a client from {peer}: {text:.40}");
        let excess = (server.config.limits.maxclients as usize).saturating_add(REFUSALS_MAX);
        if !is_ssl {
            // A new socket has room for this.
            let _ = stream.write_all(format!("-{text}\r\n").as_bytes());
        }
        if !is_ssl || excess <= server.clients.count() {
            return;
        }
    }
    if let Err(error) = take_in(server, stream, peer, is_ssl, refusal) {
        log::warning!("Error registering fd event for the new client: {error}");
    }
}

/// Says why a newcomer must go again, if so.
fn refusal(server: &mut Server, peer: &Address) -> Option<&'static str> {
    if server.config.limits.maxclients as usize <= server.clients.count() {
        server.stats.rejected_connections += 1;
        return Some(TOO_MANY);
    }
    let is_open = server.config.network.protected_mode
        && server.config.security.requirepass.is_empty()
        && !peer.is_local();
    if is_open {
        server.stats.rejected_connections += 1;
        return Some(PROTECTED);
    }
    None
}

fn take_in(
    server: &mut Server,
    stream: Stream,
    peer: Address,
    is_ssl: bool,
    refusal: Option<&'static str>,
) -> io::Result<()> {
    let mut connection = if is_ssl {
        Connection::accepted(&server.ssl, stream, peer)?
    } else {
        Connection::plain(stream, peer)
    };
    let id = server.clients.add(server.now_ms());
    let datum = Datum::Client(id);
    let added = server.events.add(connection.stream(), input::ready, datum, Mask::NONE);
    let fd = added.inspect_err(|_| server.clients.close(id))?;
    let is_authenticated = server.config.security.requirepass.is_empty();
    if let Some(client) = server.clients.find(id) {
        begin(client, fd, connection, is_authenticated);
        (client.is_negotiating, client.refusal) = (is_ssl, refusal);
    }
    output::set_cut(server, id);
    if is_ssl {
        ssl_negotiate(&mut server.events, fd, negotiated, datum);
    } else {
        server.events.hand_over(fd, input::ready, datum, Mask::READ);
    }
    Ok(())
}

fn begin(client: &mut Client, fd: Fd, connection: Connection, is_authenticated: bool) {
    client.peer = connection.peer().to_string().into();
    client.local = connection.local().to_string().into();
    client.wire = Some((fd, connection));
    if let Some(frame) = &mut client.frame {
        frame.session.is_authenticated = is_authenticated;
    }
}

/// Completion of the handshake: from here on a connection is a client.
fn negotiated(server: &mut Server, fd: Fd, datum: Datum, outcome: io::Result<()>) {
    let Datum::Client(id) = datum else { return };
    let Some(client) = server.clients.find(id) else { return };
    if let Err(error) = outcome {
        log::verbose!(
            "Error accepting a client connection: {error} (addr={} laddr={})",
            client.peer,
            client.local
        );
        return server.clients.close(id);
    }
    client.is_negotiating = false;
    match client.refusal {
        None => server.events.hand_over(fd, input::ready, datum, Mask::READ),
        Some(text) => refuse(server, id, fd, datum, text),
    }
}

/// Tells a client that has negotiated why it must go.
fn refuse(server: &mut Server, id: ClientId, fd: Fd, datum: Datum, text: &str) {
    server.events.hand_over(fd, input::ready, datum, Mask::NONE);
    server.clients.push(id, |reply| reply.error(text.as_bytes()));
    server.clients.close_after_reply(id);
}

/// Looks for newcomers again at doors that ran out of descriptors.
pub fn wake_doors(server: &mut Server) {
    let Server { doors, events, .. } = server;
    doors.iter().flatten().for_each(|door| events.want(door.fd, Mask::READ));
}
