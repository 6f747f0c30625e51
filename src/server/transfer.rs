//! Flow: what goes to replicas besides replies: snapshots, from a file or through a child's
//! pipe, and then the stream.
//!
//! Nothing of it stands in a replica's own buffers. It has a place in the backlog, in a file or
//! in the piece that was read of the pipe, and is sent from there what its socket takes.

use std::{
    io::{self, ErrorKind, IoSlice, Read},
    mem,
};

use ae::{Fd, Mask, Waker};
use net::Connection;
use sys::{log, process};

use crate::{
    client::{Client, ClientId, describe::replica_name},
    replication::{
        Backlog, Relay, Replication,
        replica::{Link, State, Transfer},
    },
    server::{Datum, Server},
};

/// Slices of the stream that are handed to the system at once.
const SLICES: usize = 64;
/// Others want a turn too: so much goes to one replica before they get it.
const SENT_PER_TURN: usize = 4 * 1024 * 1024;
/// What is read of a file at once.
const FILE_PIECE_BYTES: usize = 256 * 1024;

/// How a turn of sending has ended.
enum Turn {
    /// There is nothing more to send for now.
    Done,
    /// There is more, and room for it, but others are waiting.
    More,
}

/// Sends a replica what it can take: first what it was told itself, then what its state has
/// for it. Says whether it takes no more for now.
pub fn send(server: &mut Server, id: ClientId) -> bool {
    let (now_s, now_ms) = (server.clock.now_s(), server.now_ms());
    let Server { clients, replication, events, stats, .. } = server;
    let client = clients.find_even_closing(id).filter(|client| !client.is_over());
    let Some(client) = client else { return false };
    let (mut sent, outcome) = client.send();
    stats.output_bytes += sent as u64;
    let before = sent;
    let is_alive = client.is_alive();
    let outcome = outcome.and_then(|()| {
        if is_alive { send_rest(client, replication, id, &mut sent) } else { Ok(Turn::Done) }
    });
    let replica_bytes = (sent - before) as u64;
    stats.replica_output_bytes += replica_bytes;
    stats.output_bytes += replica_bytes;
    stats.writes += 1;
    if 0 < sent {
        client.active_ms = now_ms;
    }
    let is_blocked = matches!(&outcome, Err(error) if error.kind() == ErrorKind::WouldBlock);
    client.set_stuck(is_blocked);
    if is_blocked
        && 0 < sent
        && let Some(link) = client.link_mut()
    {
        link.stuck_since_s = Some(now_s);
    }
    let reads = if is_alive { Mask::READ } else { Mask::NONE };
    let Some((fd, _)) = client.wire else { return false };
    match outcome {
        Ok(Turn::Done) => {
            events.want(fd, reads);
            if is_alive {
                progressed(server, id);
            } else {
                clients.give_up(id);
            }
        }
        Ok(Turn::More) => events.want(fd, reads | Mask::WRITE),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            events.drained(fd, Mask::WRITE);
            events.want(fd, reads | Mask::WRITE);
        }
        Err(error) => {
            log_failure(client, &error);
            clients.give_up(id);
        }
    }
    is_blocked
}

fn log_failure(client: &Client, error: &io::Error) {
    let error = process::describe(error);
    match client.link().map(|link| link.state) {
        Some(State::WaitsForEnd) => {
            log::warning!("Diskless rdb transfer, write error sending DB to replica: {error}")
        }
        Some(State::ReceivesFile) => log::warning!("Write error sending DB to replica: {error}"),
        _ => log::verbose!("Error writing to client: {error}"),
    }
}

fn send_rest(
    client: &mut Client,
    replication: &mut Replication,
    id: ClientId,
    sent: &mut usize,
) -> io::Result<Turn> {
    let (Some((_, connection)), Some(replica)) = (&mut client.wire, &mut client.replica) else {
        return Ok(Turn::Done);
    };
    let Some(link) = &mut replica.link else { return Ok(Turn::Done) };
    match (&mut replication.relay, &replication.backlog) {
        (Some(relay), _) if link.state == State::WaitsForEnd => {
            send_piece(connection, relay, id, sent)
        }
        (_, Some(backlog)) if link.streams() => send_stream(connection, link, backlog, sent),
        _ => match &mut link.transfer {
            Some(transfer) => send_file(connection, transfer, sent),
            None => Ok(Turn::Done),
        },
    }
}

/// Sends the rest of the piece that was read of the pipe.
fn send_piece(
    connection: &mut Connection,
    relay: &mut Relay,
    id: ClientId,
    sent: &mut usize,
) -> io::Result<Turn> {
    while let Some(rest) = relay.rest(id).filter(|rest| !rest.is_empty()) {
        let bytes = retried(|| connection.write(rest))?;
        relay.took(id, bytes);
        *sent += bytes;
    }
    connection.flush()?;
    Ok(Turn::Done)
}

fn send_stream(
    connection: &mut Connection,
    link: &mut Link,
    backlog: &Backlog,
    sent: &mut usize,
) -> io::Result<Turn> {
    let mut left = SENT_PER_TURN;
    while link.next < backlog.end() {
        if left == 0 {
            return Ok(Turn::More);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = backlog.gather(link.next, &mut slices);
        let bytes = retried(|| connection.write_vectored(&slices[..count]))?;
        link.next += bytes as u64;
        *sent += bytes;
        left = left.saturating_sub(bytes);
    }
    connection.flush()?;
    Ok(Turn::Done)
}

fn send_file(
    connection: &mut Connection,
    transfer: &mut Transfer,
    sent: &mut usize,
) -> io::Result<Turn> {
    let mut left = SENT_PER_TURN;
    loop {
        while transfer.sent < transfer.piece.len() {
            let bytes = retried(|| connection.write(&transfer.piece[transfer.sent..]))?;
            transfer.sent += bytes;
            *sent += bytes;
            left = left.saturating_sub(bytes);
        }
        if transfer.left == 0 {
            connection.flush()?;
            return Ok(Turn::Done);
        }
        if left == 0 {
            return Ok(Turn::More);
        }
        read_piece(transfer)?;
    }
}

fn read_piece(transfer: &mut Transfer) -> io::Result<()> {
    let wanted = usize::try_from(transfer.left).unwrap_or(usize::MAX).min(FILE_PIECE_BYTES);
    transfer.piece.resize(wanted, 0);
    transfer.sent = wanted;
    let bytes = retried(|| transfer.file.read(&mut transfer.piece))?;
    transfer.piece.truncate(bytes);
    transfer.sent = 0;
    transfer.left -= bytes as u64;
    // It was as long as it said when it was opened, and nobody writes to it.
    if bytes == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn retried(mut act: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match act() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// A replica has taken all that there was for it: what comes next?
fn progressed(server: &mut Server, id: ClientId) {
    let Some(link) = server.clients.find(id).and_then(Client::link_mut) else { return };
    link.stuck_since_s = None;
    if link.state == State::ReceivesFile {
        link.transfer = None;
        return put_online(server, id, false);
    }
    if let Some(relay) = &mut server.replication.relay
        && relay.is_through(id)
    {
        read_on(server);
    }
}

/// Reads the next piece of the pipe, once all have taken this one.
fn read_on(server: &mut Server) {
    let Server { replication, events, .. } = server;
    if let Some(relay) = &mut replication.relay
        && relay.are_all_through()
        && !relay.is_read()
    {
        events.want(relay.fd, Mask::READ);
    }
}

/// Serves the pipe of a child that writes for replicas.
pub fn relay_ready(server: &mut Server, fd: Fd, _: Datum, _: Mask) {
    let Some(relay) = &mut server.replication.relay else { return };
    match relay.read() {
        Ok(0) => {
            server.events.want(fd, Mask::NONE);
            log::notice!(
                "Diskless rdb transfer, done reading from pipe, {} replicas still up.",
                relay.reader_count()
            );
        }
        Ok(_) => {
            server.events.want(fd, Mask::NONE);
            for id in relay.readers() {
                send(server, id);
            }
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            server.events.drained(fd, Mask::READ);
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => {}
        Err(error) => {
            log::warning!(
                "Diskless rdb transfer, read error sending DB to replicas: {}",
                process::describe(&error)
            );
            server.events.want(fd, Mask::NONE);
            relay.readers().into_iter().for_each(|id| server.clients.close(id));
            server.children.stop();
        }
    }
}

/// A replica is gone: nobody waits for it.
pub fn forget_reader(server: &mut Server, id: ClientId) {
    let Some(relay) = &mut server.replication.relay else { return };
    if !relay.forget(id) {
        return;
    }
    if relay.reader_count() == 0 && !relay.is_read() {
        log::warning!("Diskless rdb transfer, last replica dropped, killing fork child.");
        server.events.want(relay.fd, Mask::NONE);
        server.children.stop();
    } else {
        read_on(server);
    }
}

/// Gives the pipe up, as its child has ended.
pub fn close_relay(server: &mut Server) {
    if let Some(relay) = mem::take(&mut server.replication.relay) {
        let mut source = Waker::new(relay.pipe());
        server.events.remove(relay.fd, &mut source);
    }
}

/// A replica has its snapshot: from here on it gets commands, as soon as it has acknowledged
/// it, if it has to.
pub fn put_online(server: &mut Server, id: ClientId, starts_on_ack: bool) {
    let now_s = server.clock.now_s();
    let Some(client) = server.clients.find(id) else { return };
    let name = replica_name(client);
    let Some(replica) = &mut client.replica else { return };
    let Some(link) = &mut replica.link else { return };
    if replica.wants_snapshot_only {
        link.state = State::HasSnapshot;
        log::notice!(
            "RDB transfer completed, rdb only replica ({name}) should be disconnected asap"
        );
        return server.clients.close(id);
    }
    (link.state, link.starts_on_ack, link.acknowledged_s) = (State::Online, starts_on_ack, now_s);
    server.clients.wake(id);
    log::notice!("Synchronization with replica {name} succeeded");
}
