//! Pure: what one client listens to. Who listens to what is known to `pubsub`.

use std::fmt;

use base::Bytes;
use ds::Map;

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
    const ALL: [Self; Self::COUNT] = [Self::Channel, Self::Pattern, Self::ShardChannel];
    pub(crate) const COUNT: usize = 3;

    /// Returns what a message of such a topic is called.
    pub(crate) fn message_name(self) -> &'static [u8] {
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

    /// Shows all to `visit`.
    pub(crate) fn each(&self, mut visit: impl FnMut(Topic, &[u8])) {
        let Some(names) = &self.names else { return };
        for topic in Topic::ALL {
            names[topic as usize].keys().for_each(|name| visit(topic, name));
        }
    }

    /// Counts about the memory that they take.
    pub fn memory_bytes(&self) -> usize {
        self.names.as_deref().map_or(0, size_of_val) + self.name_bytes
    }

    /// Adds a topic; tells whether it is new.
    pub(crate) fn add(&mut self, topic: Topic, name: &[u8]) -> bool {
        let names = &mut self.names.get_or_insert_default()[topic as usize];
        let is_new = names.insert(name, ()).is_none();
        self.name_bytes += if is_new { name.len() + NAME_BYTES } else { 0 };
        is_new
    }

    /// Removes a topic; tells whether it was there.
    pub(crate) fn remove(&mut self, topic: Topic, name: &[u8]) -> bool {
        let Some(names) = &mut self.names else { return false };
        let was_there = names[topic as usize].remove(name).is_some();
        self.name_bytes -= if was_there { name.len() + NAME_BYTES } else { 0 };
        if names.iter().all(Map::is_empty) {
            self.names = None;
        }
        was_there
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(Topic::ALL.map(|topic| self.count(topic))).finish()
    }
}
