//! Room: who listens to which channels.
//!
//! Three kinds of topics: channels, patterns that channels match, and shard channels, whose
//! names a cluster keeps on one node. The room knows who listens to each topic; a client's
//! `Subscriptions` know what it listens to.
//!
//! Invariants: a client stands once in the list of each topic that its subscriptions name,
//! and in no other; a topic without listeners is not kept. A client that is over stays
//! listed until it is freed, and is told nothing.

use std::mem;

use base::glob::{self, Case};
use ds::Map;
use resp::{Push, Shared};

use crate::client::{ClientId, Clients, subscriptions::Subscriptions};

pub use crate::client::subscriptions::Topic;

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// What it says.
    pub text: &'a [u8],
    /// The same in a form that is kept without a copy, if there is one.
    pub shared: Option<&'a Shared>,
}

/// See the head of the file.
#[derive(Default)]
pub struct PubSub {
    /// Who listens, in the order in which they came.
    listeners: [Map<Vec<ClientId>>; Topic::COUNT],
    client_count: usize,
    push: Push,
    /// More waits for them than may.
    over_limit: Vec<ClientId>,
}

impl PubSub {
    /// Whether nobody listens to anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.client_count == 0
    }

    /// Counts the clients that listen to at least one topic.
    pub fn client_count(&self) -> usize {
        self.client_count
    }

    /// Counts the topics of one kind that somebody listens to.
    pub fn topic_count(&self, topic: Topic) -> usize {
        self.listeners[topic as usize].len()
    }

    /// Counts who listens to a topic.
    pub fn listener_count(&self, topic: Topic, name: &[u8]) -> usize {
        self.listeners[topic as usize].get(name).map_or(0, Vec::len)
    }

    /// Walks the names of the topics of one kind that somebody listens to.
    pub fn names(&self, topic: Topic) -> impl Iterator<Item = &[u8]> {
        self.listeners[topic as usize].keys()
    }

    /// Lets a client listen to a topic.
    pub fn subscribe(&mut self, id: ClientId, mine: &mut Subscriptions, topic: Topic, name: &[u8]) {
        let was_empty = mine.is_empty();
        if mine.add(topic, name) {
            self.client_count += usize::from(was_empty);
            self.listeners[topic as usize].get_or_insert_with(name, Vec::new).push(id);
        }
    }

    /// Ends a client's listening to a topic, if it does.
    pub fn unsubscribe(
        &mut self,
        id: ClientId,
        mine: &mut Subscriptions,
        topic: Topic,
        name: &[u8],
    ) {
        if mine.remove(topic, name) {
            self.client_count -= usize::from(mine.is_empty());
            self.strike(id, topic, name);
        }
    }

    /// Ends all of a client's listening.
    pub fn unsubscribe_all(&mut self, id: ClientId, mine: &mut Subscriptions) {
        if mine.is_empty() {
            return;
        }
        self.client_count -= 1;
        let mine = mem::take(mine);
        mine.each(|topic, name| self.strike(id, topic, name));
    }

    /// Tells all who listen to a channel, or to a shard channel; returns how many. Whoever has
    /// `waiting_bytes_max` or more waiting then is noted as being over its limit.
    pub fn publish(
        &mut self,
        clients: &mut Clients,
        topic: Topic,
        channel: &[u8],
        message: Message<'_>,
        waiting_bytes_max: usize,
    ) -> usize {
        let Self { listeners, push, over_limit, .. } = self;
        let mut tell = |push: &Push, listeners: &[ClientId]| {
            let mut count = 0;
            for id in listeners {
                let mut is_over_limit = false;
                count += usize::from(clients.push_later(*id, |reply| {
                    push.write_to(reply);
                    is_over_limit = waiting_bytes_max <= reply.output().pending_bytes();
                }));
                if is_over_limit {
                    over_limit.push(*id);
                }
            }
            count
        };
        let mut count = 0;
        if let Some(listeners) = listeners[topic as usize].get(channel) {
            push.begin(3);
            push.bulk(topic.message_name());
            push.bulk(channel);
            push.last(message.text, message.shared);
            count += tell(push, listeners);
            push.clear();
        }
        // Patterns are about channels, not about shard channels.
        let patterns = &listeners[Topic::Pattern as usize];
        if topic == Topic::ShardChannel || patterns.is_empty() {
            return count;
        }
        for (pattern, listeners) in patterns.iter() {
            if glob::matches(pattern, channel, Case::Sensitive) {
                push.begin(4);
                push.bulk(Topic::Pattern.message_name());
                push.bulk(pattern);
                push.bulk(channel);
                push.last(message.text, message.shared);
                count += tell(push, listeners);
            }
        }
        push.clear();
        count
    }

    /// Returns one for whom more waits than may since something was published.
    #[inline]
    pub fn pop_over_limit(&mut self) -> Option<ClientId> {
        self.over_limit.pop()
    }

    /// Takes a client off the list of a topic.
    fn strike(&mut self, id: ClientId, topic: Topic, name: &[u8]) {
        self.listeners[topic as usize].remove_if(name, |listeners| {
            let at = listeners.iter().position(|other| *other == id);
            listeners.remove(at.expect("its subscriptions say so"));
            listeners.is_empty()
        });
    }
}

#[cfg(test)]
mod tests;
