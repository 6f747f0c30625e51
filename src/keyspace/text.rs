//! Room: keys that hold strings: one search to look at one and change it.

use ds::{
    Content, Expiry, Record, ThinBytes,
    store::{Item, Slot},
};
use resp::{Argv, Shared};

use crate::{
    error::ReplyError,
    keyspace::{Cause, Event, Events, Gone, Keyspace, Lazy, Look, is_due},
    value::{self, EMBEDDED_BYTES_MAX, Value, greedy},
};

/// A string that was found.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// Any.
    Bytes(&'a [u8]),
    /// A big one, which can be kept without a copy.
    Shared(&'a Shared),
}

impl<'a> Text<'a> {
    /// Returns the string.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Shared(shared) => shared,
        }
    }

    fn of(content: Content<'a, Value>) -> Result<Self, ReplyError> {
        match content {
            Content::Embedded(bytes) => Ok(Self::Bytes(bytes)),
            Content::Value(Value::Text(value::Text::Raw(bytes))) => Ok(Self::Bytes(bytes)),
            Content::Value(Value::Text(value::Text::Shared(shared))) => Ok(Self::Shared(shared)),
            Content::Value(_) => Err(ReplyError::WrongType),
        }
    }
}

/// A string to be stored.
#[derive(Clone, Copy, Debug)]
pub enum NewText<'a> {
    /// To be copied.
    Bytes(&'a [u8]),
    /// To be kept as it came.
    Shared(&'a Shared),
}

impl<'a> NewText<'a> {
    /// Takes an argument in the form that costs least.
    pub fn of(argv: Argv<'a>, index: usize) -> Self {
        argv.shared(index).map_or_else(|| Self::Bytes(argv.at(index)), Self::Shared)
    }
}

/// What becomes of a time to live when a string is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ttl {
    /// It is taken off.
    Clear,
    /// It stays.
    Keep,
    /// The key expires at this moment, in milliseconds since the epoch.
    At(i64),
}

impl From<Ttl> for Expiry {
    fn from(ttl: Ttl) -> Self {
        match ttl {
            Ttl::Clear => Self::Never,
            Ttl::Keep => Self::Keep,
            Ttl::At(at_ms) => Self::At(at_ms),
        }
    }
}

/// The place of a key that was touched: a string, or nothing yet.
pub struct TextEntry<'a> {
    /// Absent only while it is being changed.
    slot: Option<Slot<'a, Value>>,
    /// The access field that a key gets when it comes into being.
    fresh_access: u32,
    db: usize,
    events: &'a mut Events,
    lazy: &'a Lazy,
}

impl Keyspace {
    /// Touches a key and returns its string.
    pub fn read_text(&mut self, db: usize, key: &[u8]) -> Result<Option<Text<'_>>, ReplyError> {
        let record = self.look(db, key, Look::Read);
        record.map(|record| Text::of(record.content())).transpose()
    }

    /// Looks at a string that was touched before.
    pub fn peek_text(&self, db: usize, key: &[u8]) -> Result<Option<Text<'_>>, ReplyError> {
        self.peek(db, key).map(|record| Text::of(record.content())).transpose()
    }

    /// Puts a string in place of whatever was there.
    pub fn set_text(&mut self, db: usize, key: &[u8], text: NewText<'_>, ttl: Ttl) {
        let (mut entry, ttl) = self.entry_to_replace(db, key, ttl);
        entry.set(text, ttl);
    }

    /// Puts bytes that were made here in place of whatever was there; they never expire.
    pub fn set_raw(&mut self, db: usize, key: &[u8], bytes: ThinBytes) {
        let (mut entry, _) = self.entry_to_replace(db, key, Ttl::Clear);
        entry.set_raw(bytes);
    }

    /// Returns the place of a key whose value does not matter any more, and what then becomes of
    /// its time to live.
    fn entry_to_replace<'a>(
        &'a mut self,
        db: usize,
        key: &'a [u8],
        ttl: Ttl,
    ) -> (TextEntry<'a>, Ttl) {
        let (now_ms, policy) = (self.now_ms, self.access_policy);
        let fresh_access = policy.fresh(now_ms);
        let mut slot = self.dbs[db].store.entry(key);
        let mut ttl = ttl;
        if let Slot::Occupied(item) = &mut slot {
            if is_due(item.expiry(), now_ms) {
                // Nothing of a key that is over is kept.
                item.set_lru(fresh_access);
                ttl = if ttl == Ttl::Keep { Ttl::Clear } else { ttl };
                self.expiry.expired_keys += 1;
                self.events.deleted(db, key, Cause::Expired);
                self.events.noted(db, key, Event::NEW);
            } else if self.counts_access {
                let before = item.record().lru();
                item.set_lru(policy.touched(before, now_ms, &mut self.random));
            }
        }
        let (events, lazy) = (&mut self.events, &self.lazy);
        (TextEntry { slot: Some(slot), fresh_access, db, events, lazy }, ttl)
    }

    /// Touches a key and returns its place, which holds a string or nothing.
    pub fn text_entry<'a>(
        &'a mut self,
        db: usize,
        key: &'a [u8],
        look: Look,
    ) -> Result<TextEntry<'a>, ReplyError> {
        let fresh_access = self.access_policy.fresh(self.now_ms);
        let (slot, events, lazy) = self.slot(db, key, look);
        if let Slot::Occupied(item) = &slot {
            Text::of(item.content())?;
        }
        Ok(TextEntry { slot: Some(slot), fresh_access, db, events, lazy })
    }
}

impl TextEntry<'_> {
    /// Returns the string, if there is one.
    pub fn text(&self) -> Option<Text<'_>> {
        match &self.slot {
            Some(Slot::Occupied(item)) => Text::of(item.content()).ok(),
            _ => None,
        }
    }

    /// Stores a string in place of what is there.
    pub fn set(&mut self, text: NewText<'_>, ttl: Ttl) {
        let item = match self.slot.take() {
            None => return,
            Some(Slot::Occupied(mut item)) => {
                self.lazy.free_value(replace(&mut item, text, ttl), Gone::Overwritten);
                item
            }
            Some(Slot::Vacant(vacant)) => {
                let at_ms = if let Ttl::At(at_ms) = ttl { Some(at_ms) } else { None };
                self.events.noted(self.db, vacant.key(), Event::NEW);
                let mut item = match text {
                    NewText::Bytes(bytes) if is_embedded(vacant.key(), bytes, ttl) => {
                        vacant.insert_string(bytes, at_ms)
                    }
                    text => vacant.insert_value(value_of(text), at_ms),
                };
                item.set_lru(self.fresh_access);
                item
            }
        };
        self.slot = Some(Slot::Occupied(item));
    }

    /// Stores a string that is not to be held as a number even if it is one.
    pub fn set_as_text(&mut self, text: &[u8], ttl: Ttl) {
        self.set(NewText::Bytes(text), ttl);
        if let Some(Slot::Occupied(item)) = &mut self.slot {
            item.mark();
        }
    }

    /// Stores bytes that were made to be changed in place of what is there; they never expire.
    pub fn set_raw(&mut self, bytes: ThinBytes) {
        let item = match self.slot.take() {
            None => return,
            Some(Slot::Occupied(mut item)) => {
                let old = item.set_value(raw_text(bytes), Expiry::Never);
                self.lazy.free_value(old, Gone::Overwritten);
                item
            }
            Some(Slot::Vacant(vacant)) => {
                self.events.noted(self.db, vacant.key(), Event::NEW);
                let mut item = vacant.insert_value(raw_text(bytes), None);
                item.set_lru(self.fresh_access);
                item
            }
        };
        self.slot = Some(Slot::Occupied(item));
    }

    /// Returns the string to be changed in any way, if there is one. Even if nothing is done to
    /// it, it is "raw" from then on.
    pub fn raw(&mut self) -> Option<&mut ThinBytes> {
        let Some(Slot::Occupied(item)) = &mut self.slot else { return None };
        if let Content::Embedded(bytes) = item.content() {
            let raw = raw_text(bytes.into());
            item.set_value(raw, Expiry::Keep);
        }
        match item.value_mut() {
            Some(Value::Text(text)) => Some(text.as_raw()),
            _ => unreachable!("it is a string, and not embedded"),
        }
    }

    /// Makes the string at least `length` bytes long, with zeros at its end (from nothing
    /// if there is none), and returns it to be changed.
    pub fn grow(&mut self, length: usize) -> &mut [u8] {
        if let Some(Slot::Vacant(_)) = self.slot {
            let mut bytes = ThinBytes::with_capacity(length);
            bytes.grow(length);
            self.set_raw(bytes);
        }
        let Some(Slot::Occupied(item)) = &mut self.slot else { return &mut [] };
        // Even if it need not grow: what was changed in place is "raw" from then on.
        if let Content::Embedded(bytes) = item.content() {
            let room = if bytes.len() < length { greedy(length) } else { bytes.len() };
            let mut raw = ThinBytes::with_capacity(room);
            raw.extend(bytes);
            item.set_value(raw_text(raw), Expiry::Keep);
        }
        match item.value_mut() {
            Some(Value::Text(text)) => text.grow(length),
            _ => unreachable!("it is a string, and not embedded"),
        }
    }

    /// Adds bytes to the end of the string; returns its length.
    pub fn append(&mut self, more: &[u8]) -> usize {
        let length = self.text().map_or(0, |text| text.bytes().len());
        let end = length + more.len();
        self.grow(end)[length..].copy_from_slice(more);
        end
    }

    /// Sets when the key expires; says whether that changed anything.
    pub fn set_expiry(&mut self, at_ms: Option<i64>) -> bool {
        let Some(Slot::Occupied(item)) = &mut self.slot else { return false };
        let has_changed = item.expiry() != at_ms;
        item.set_expiry(at_ms);
        has_changed
    }

    /// Takes the key out.
    pub fn delete(self) {
        if let Some(Slot::Occupied(item)) = self.slot {
            self.lazy.free(item.remove(), Gone::Deleted);
        }
    }
}

/// Returns what was there, if it was no embedded string.
fn replace(item: &mut Item<'_, Value>, text: NewText<'_>, ttl: Ttl) -> Option<Value> {
    match text {
        NewText::Bytes(bytes) if is_embedded(item.record().key(), bytes, ttl) => {
            item.set_string(bytes, ttl.into())
        }
        text => item.set_value(value_of(text), ttl.into()),
    }
}

/// What Redis calls "embstr" is embedded whatever the key's length: OBJECT ENCODING is to
/// be the same. Beyond that it is embedded where it saves memory.
pub(super) fn is_embedded(key: &[u8], bytes: &[u8], ttl: Ttl) -> bool {
    bytes.len() <= EMBEDDED_BYTES_MAX
        || Record::<Value>::embeds(key, bytes.len(), ttl != Ttl::Clear)
}

fn value_of(text: NewText<'_>) -> Value {
    match text {
        NewText::Shared(shared) => Value::Text(value::Text::Shared(shared.clone())),
        NewText::Bytes(bytes) => raw_text(bytes.into()),
    }
}

fn raw_text(bytes: ThinBytes) -> Value {
    Value::Text(value::Text::Raw(bytes))
}
