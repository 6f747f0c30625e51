//! Room: what happens to keys while a command runs, kept for those who want to know.
//!
//! The keyspace knows no clients and no replicas. It notes here what happened, and the flow
//! that ran the command carries it out (`server::notify`): watchers are dirtied, trackers
//! told, notifications published, and deletions by time or for memory repeated to replicas.
//! Who wants to know is asked before each call (`Interest`); for what nobody wants, nothing
//! is noted and nothing allocated.

use std::collections::VecDeque;

use base::Bytes;

use crate::config::NotifyClasses;

/// What notifications call an event, and who hears of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// Which class of `notify-keyspace-events` it belongs to.
    pub class: NotifyClasses,
    /// Its name, as in `__keyevent@0__:<name>`.
    pub name: &'static str,
}

impl Event {
    /// Makes an event of commands for any type.
    pub const fn generic(name: &'static str) -> Self {
        Self { class: NotifyClasses::GENERIC, name }
    }

    /// Makes an event of strings.
    pub const fn string(name: &'static str) -> Self {
        Self { class: NotifyClasses::STRING, name }
    }

    /// Makes an event of sets.
    pub const fn set(name: &'static str) -> Self {
        Self { class: NotifyClasses::SET, name }
    }

    /// Makes an event of lists.
    pub const fn list(name: &'static str) -> Self {
        Self { class: NotifyClasses::LIST, name }
    }

    /// Makes an event of hashes.
    pub const fn hash(name: &'static str) -> Self {
        Self { class: NotifyClasses::HASH, name }
    }

    /// Makes an event of sorted sets.
    pub const fn zset(name: &'static str) -> Self {
        Self { class: NotifyClasses::ZSET, name }
    }

    /// Makes an event of streams.
    pub const fn stream(name: &'static str) -> Self {
        Self { class: NotifyClasses::STREAM, name }
    }

    /// The key is gone.
    pub const DEL: Self = Self::generic("del");
    /// The key expires from now on at another time.
    pub const EXPIRE: Self = Self::generic("expire");
    /// The key does not expire any more.
    pub const PERSIST: Self = Self::generic("persist");
    /// Entries were taken out of a stream.
    pub const XDEL: Self = Self::stream("xdel");
    /// The oldest entries of a stream were taken out.
    pub const XTRIM: Self = Self::stream("xtrim");
    /// The key holds a new string.
    pub const SET: Self = Self::string("set");
    /// Its time has come.
    pub const EXPIRED: Self = Self { class: NotifyClasses::EXPIRED, name: "expired" };
    /// The time of fields of a hash has come.
    pub const FIELDS_EXPIRED: Self = Self::hash("hexpired");
    /// Its memory was needed.
    pub const EVICTED: Self = Self { class: NotifyClasses::EVICTED, name: "evicted" };
    /// The key has come into being.
    pub const NEW: Self = Self { class: NotifyClasses::NEW, name: "new" };
    /// The key was looked for, to be read, and is not there.
    pub const KEY_MISS: Self = Self { class: NotifyClasses::KEY_MISS, name: "keymiss" };

    /// Whether the key may hold what somebody waits for, or no longer be what it was. A stream
    /// with fewer entries has nothing more to give, and a time to live says nothing yet.
    pub fn may_end_waits(self) -> bool {
        ![Self::EXPIRE, Self::PERSIST, Self::XDEL, Self::XTRIM].contains(&self)
    }
}

/// Who wants to know what happens to keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Interest {
    /// Somebody must hear of each change: watchers, trackers, or who waits for a key.
    pub changes: bool,
    /// Somebody repeats deletions that no command asked for.
    pub deletions: bool,
    /// These events are published.
    pub classes: NotifyClasses,
}

/// Why a key is gone that no command has deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// Its time has come.
    Expired,
    /// Its memory was needed.
    Evicted,
}

impl Cause {
    /// Returns what it is called.
    pub fn event(self) -> Event {
        match self {
            Self::Expired => Event::EXPIRED,
            Self::Evicted => Event::EVICTED,
        }
    }
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened {
    /// The key holds something else, or is gone; `None` where there is no name for it.
    Changed(Option<Event>),
    /// There is a name for it, but the change was noted before, or is none.
    Noted(Event),
    /// The key is gone although no command has deleted it.
    Deleted(Cause),
    /// Fields of a hash are gone although no command has deleted them.
    FieldsExpired,
}

/// One thing that happened to one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyEvent {
    /// What it was.
    pub happened: Happened,
    /// In which database.
    pub db: usize,
    /// To whom.
    pub key: Bytes,
    /// To which of its fields, where that matters.
    pub fields: Vec<Bytes>,
}

/// What has happened and was not carried out yet.
#[derive(Debug, Default)]
pub struct Events {
    /// Set before each call.
    pub interest: Interest,
    list: VecDeque<KeyEvent>,
}

impl Events {
    /// Returns what happened first.
    pub fn pop(&mut self) -> Option<KeyEvent> {
        self.list.pop_front()
    }

    /// Whether there is nothing to carry out.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A key holds something else, or is gone.
    #[inline]
    pub(super) fn changed(&mut self, db: usize, key: &[u8], event: Option<Event>) {
        let is_named = event.is_some_and(|event| self.interest.classes.contains(event.class));
        if self.interest.changes || is_named {
            self.push(db, key, Happened::Changed(event));
        }
    }

    /// There is a name for something.
    #[inline]
    pub(super) fn noted(&mut self, db: usize, key: &[u8], event: Event) {
        if self.interest.classes.contains(event.class) {
            self.push(db, key, Happened::Noted(event));
        }
    }

    /// A key is gone although no command has deleted it.
    #[inline]
    pub(super) fn deleted(&mut self, db: usize, key: &[u8], cause: Cause) {
        let Interest { changes, deletions, classes } = self.interest;
        if changes || deletions || classes.contains(cause.event().class) {
            self.push(db, key, Happened::Deleted(cause));
        }
    }

    /// Whether somebody wants to know of fields that have expired.
    pub(super) fn tells_of_fields(&self) -> bool {
        let Interest { changes, deletions, classes } = self.interest;
        changes || deletions || classes.contains(Event::FIELDS_EXPIRED.class)
    }

    /// Fields of a hash are gone although no command has deleted them.
    pub(super) fn fields_expired(&mut self, db: usize, key: &[u8], fields: Vec<Bytes>) {
        if self.tells_of_fields() {
            let happened = Happened::FieldsExpired;
            self.list.push_back(KeyEvent { happened, db, key: key.into(), fields });
        }
    }

    #[cold]
    fn push(&mut self, db: usize, key: &[u8], happened: Happened) {
        self.list.push_back(KeyEvent { happened, db, key: key.into(), fields: Vec::new() });
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Event, Events, Happened, Interest};
    use crate::config::NotifyClasses;

    #[test]
    fn what_nobody_wants_to_know_is_not_noted() {
        let mut events = Events::default();
        events.changed(0, b"k", Some(Event::SET));
        events.deleted(0, b"k", Cause::Expired);
        events.noted(0, b"k", Event::KEY_MISS);
        assert!(events.is_empty());
        events.interest = Interest { classes: NotifyClasses::STRING, ..Interest::default() };
        events.changed(0, b"k", Some(Event::DEL));
        events.changed(0, b"k", Some(Event::SET));
        assert_eq!(events.pop().unwrap().happened, Happened::Changed(Some(Event::SET)));
        events.interest = Interest { deletions: true, ..Interest::default() };
        events.changed(0, b"k", Some(Event::SET));
        events.deleted(1, b"k", Cause::Evicted);
        let event = events.pop().unwrap();
        assert_eq!((event.db, event.happened), (1, Happened::Deleted(Cause::Evicted)));
        assert!(events.is_empty());
    }
}
