//! Flow: messages to those who listen, and the end of listening.

use crate::{
    client::ClientId,
    pubsub::{Message, Topic},
    server::{Server, output},
};

/// Tells all who listen to a channel, or to a shard channel; returns how many.
pub fn publish(server: &mut Server, topic: Topic, channel: &[u8], message: Message<'_>) -> usize {
    if server.pubsub.is_empty() {
        return 0;
    }
    let limits = &server.config.limits.client_output_buffer_limit;
    let waiting_bytes_max = match limits.pubsub.hard_bytes {
        0 => usize::MAX,
        bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
    };
    let Server { pubsub, clients, .. } = server;
    let count = pubsub.publish(clients, topic, channel, message, waiting_bytes_max);
    // At once: in one turn, much more can be published than may wait.
    while let Some(id) = server.pubsub.pop_over_limit() {
        output::close_told_if_over_limit(server, id);
    }
    count
}

/// Ends all of a client's listening, without a word to it.
pub fn leave(server: &mut Server, id: ClientId) {
    let Server { pubsub, clients, .. } = server;
    if let Some(client) = clients.find_even_closing(id) {
        pubsub.unsubscribe_all(id, &mut client.subscriptions);
    }
}

/// Ends the listening of those who are over, though they are not freed yet: who asks for
/// figures must not see them.
pub fn forget_finished(server: &mut Server) {
    let Server { pubsub, clients, .. } = server;
    clients.each_finished(|id, client| pubsub.unsubscribe_all(id, &mut client.subscriptions));
}
