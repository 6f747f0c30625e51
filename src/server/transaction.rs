//! Flow: the end of a transaction, whoever ends it.

use crate::{
    client::{ClientId, Session},
    server::Server,
};

/// Forgets what was queued and what was watched.
pub fn discard(server: &mut Server, id: ClientId, session: &mut Session) {
    session.transaction = None;
    unwatch(server, id);
}

/// Forgets what was watched.
pub fn unwatch(server: &mut Server, id: ClientId) {
    let Server { watches, clients, .. } = server;
    if let Some(client) = clients.find_even_closing(id) {
        watches.unwatch(id, &mut client.watched);
    }
}
