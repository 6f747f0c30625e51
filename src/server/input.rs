//! Flow: from the socket to the query buffer.

use ae::{Fd, Mask};
use net::Received;
use sys::log;

use crate::{
    client::{Client, ClientId},
    server::{Datum, Server, output, process},
};

/// Serves a client's file event.
pub fn ready(server: &mut Server, fd: Fd, datum: Datum, mask: Mask) {
    let Datum::Client(id) = datum else { return };
    if mask.meets(Mask::WRITE) {
        output::send(server, id);
    }
    if mask.meets(Mask::READ) {
        read(server, fd, id);
    }
}

/// One read a turn: whoever sends more than it takes is not drained, so stays due.
fn read(server: &mut Server, fd: Fd, id: ClientId) {
    let now_ms = server.now_ms();
    let Some(client) = server.clients.find(id) else { return };
    let Client { wire: Some((_, connection)), frame: Some(frame), active_ms, .. } = client else {
        // Lent: this is a nested turn, and its own command runs. The kernel keeps the data.
        return;
    };
    frame.query.borrow_buffer(&mut server.spare_query);
    server.stats.reads += 1;
    match connection.read_into(frame.query.space()) {
        Ok(Received { bytes: 0, is_drained: false }) => {
            frame.query.return_buffer(&mut server.spare_query);
            log::verbose!("Client closed connection {}", server.describe_client(id));
            server.clients.close(id);
        }
        Err(error) => {
            frame.query.return_buffer(&mut server.spare_query);
            log::verbose!("Reading from client: {error}");
            server.clients.close(id);
        }
        Ok(Received { bytes, is_drained }) => {
            *active_ms = now_ms;
            server.stats.input_bytes += bytes as u64;
            if is_drained {
                server.events.drained(fd, Mask::READ);
            }
            process::process_input(server, id);
        }
    }
}
