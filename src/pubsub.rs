//! Room: who listens to which channels.
//!
//! Three kinds of topics: channels, patterns that channels match, and shard channels, whose
//! names a cluster keeps on one node. The room knows who listens to each topic; a client's
//! `Subscriptions` know what it listens to.
//!
//! Invariants: a client stands once in the list of each topic that its subscriptions name,
//! and in no other; a topic without listeners is not kept. A client that is over stays
//! listed until it is freed, and is told nothing.

use base::{
    Bytes,
    glob::{self, Case},
};
use ds::Map;
use resp::{Push, Shared};

use crate::client::{ClientId, Clients};

/// What one can listen to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// A channel, by its name.
    Channel,
    /// All channels that a pattern matches.
    Pattern,
    /// A shard channel, by its name.
    ShardChannel,
}

impl Topic {
    const COUNT: usize = 3;

    /// Returns what a message of such a topic is called.
    fn message_name(self) -> &'static [u8] {
        match self {
            Self::Channel => b"message",
            Self::Pattern => b"pmessage",
            Self::ShardChannel => b"smessage",
        }
    }
}

/// What the name of a topic takes besides its bytes.
const NAME_BYTES: usize = 32;

/// What one client listens to. Takes memory only if it listens to something.
#[derive(Default)]
pub struct Subscriptions {
    names: Option<Box<[Map<()>; Topic::COUNT]>>,
    name_bytes: usize,
}

impl Subscriptions {
    /// Whether the client listens to nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.names.is_none()
    }

    /// Counts the topics of one kind.
    pub fn count(&self, topic: Topic) -> usize {
        self.names.as_ref().map_or(0, |names| names[topic as usize].len())
    }

    /// Counts those that a reply to a command about `topic` counts: channels and patterns
    /// together, shard channels by themselves.
    pub fn count_in_replies(&self, topic: Topic) -> usize {
        match topic {
            Topic::ShardChannel => self.count(topic),
            Topic::Channel | Topic::Pattern => {
                self.count(Topic::Channel) + self.count(Topic::Pattern)
            }
        }
    }

    /// Copies the names of all topics of one kind.
    pub fn names(&self, topic: Topic) -> Vec<Bytes> {
        let names = self.names.iter().flat_map(|names| names[topic as usize].keys());
        names.map(Bytes::from).collect()
    }

    /// Counts about the memory that they take.
    pub fn memory_bytes(&self) -> usize {
        self.names.as_deref().map_or(0, size_of_val) + self.name_bytes
    }

    fn add(&mut self, topic: Topic, name: &[u8]) -> bool {
        let names = &mut self.names.get_or_insert_default()[topic as usize];
        let is_new = names.insert(name, ()).is_none();
        self.name_bytes += if is_new { name.len() + NAME_BYTES } else { 0 };
        is_new
    }

    fn remove(&mut self, topic: Topic, name: &[u8]) -> bool {
        let Some(names) = &mut self.names else { return false };
        let was_there = names[topic as usize].remove(name).is_some();
        self.name_bytes -= if was_there { name.len() + NAME_BYTES } else { 0 };
        if names.iter().all(Map::is_empty) {
            self.names = None;
        }
        was_there
    }
}

impl std::fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let topics = [Topic::Channel, Topic::Pattern, Topic::ShardChannel];
        f.debug_list().entries(topics.map(|topic| self.count(topic))).finish()
    }
}

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
        let Some(names) = mine.names.take() else { return };
        self.client_count -= 1;
        for topic in [Topic::Channel, Topic::Pattern, Topic::ShardChannel] {
            names[topic as usize].keys().for_each(|name| self.strike(id, topic, name));
        }
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
