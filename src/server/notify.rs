//! Flow: carries out what has happened to keys: for watchers, who listens, and who
//! repeats deletions.

use base::Bytes;

use crate::{
    client::ClientId,
    config::NotifyClasses,
    keyspace::{Cause, Event, Happened, Interest, KeyEvent},
    pubsub::{Message, Topic},
    server::{Server, publish, tracking},
};

/// Says what somebody wants to know of what happens to keys.
#[inline]
pub fn interest(server: &Server) -> Interest {
    let mut classes = server.config.logging.notify_keyspace_events;
    // Events that are published neither by key nor by name are not published, nor any if
    // nobody listens.
    let is_published = classes.meets(NotifyClasses::KEYSPACE.with(NotifyClasses::KEYEVENT));
    if !is_published || server.pubsub.is_empty() {
        classes = NotifyClasses::default();
    }
    Interest {
        changes: !server.watches.is_empty()
            || server.tracking.is_watching()
            || !server.blocking.is_empty(),
        deletions: server.propagation.is_wanted(),
        classes,
    }
}

/// Tells everybody what has happened since this was called last. `caller` is whose command
/// did it, if anybody's.
#[inline]
pub fn carry_out(server: &mut Server, caller: Option<ClientId>) {
    while let Some(event) = server.keyspace.events.pop() {
        carry_out_one(server, caller, &event);
    }
}

#[cold]
fn carry_out_one(server: &mut Server, caller: Option<ClientId>, event: &KeyEvent) {
    let KeyEvent { happened, db, key, fields } = event;
    match happened {
        Happened::Changed(name) => {
            changed(server, caller, caller, *db, key);
            if name.is_none_or(Event::may_end_waits) {
                server.blocking.mark(*db, key);
            }
            if let Some(name) = name {
                publish(server, *db, key, *name);
            }
        }
        Happened::Noted(name) => publish(server, *db, key, *name),
        Happened::Deleted(cause) => {
            repeat_deletion(server, *db, key, *cause);
            changed(server, caller, None, *db, key);
            server.blocking.mark(*db, key);
            publish(server, *db, key, cause.event());
        }
        Happened::FieldsExpired => {
            repeat_field_deletion(server, *db, key, fields);
            changed(server, caller, None, *db, key);
            publish(server, *db, key, Event::FIELDS_EXPIRED);
        }
    }
}

/// A key holds something else, or is gone; `author` is who has asked for that, if anybody.
fn changed(
    server: &mut Server,
    caller: Option<ClientId>,
    author: Option<ClientId>,
    db: usize,
    key: &[u8],
) {
    let Server { watches, clients, .. } = server;
    watches.touch(clients, db, key);
    tracking::changed(server, caller, author, key);
}

fn repeat_deletion(server: &mut Server, db: usize, key: &[u8], cause: Cause) {
    if server.propagation.is_wanted() {
        let memory = &server.config.memory;
        let lazily = match cause {
            Cause::Expired => memory.lazyfree_lazy_expire,
            Cause::Evicted => memory.lazyfree_lazy_eviction,
        };
        let name = if lazily { &b"UNLINK"[..] } else { b"DEL" };
        server.propagation.command(db, [name, key].into_iter());
    }
}

fn repeat_field_deletion(server: &mut Server, db: usize, key: &[u8], fields: &[Bytes]) {
    if server.propagation.is_wanted() {
        let mut argv: Vec<&[u8]> = vec![b"HDEL", key];
        argv.extend(fields.iter().map(|field| &**field));
        server.propagation.command(db, argv.into_iter());
    }
}

/// Tells those who listen what has happened to a key: by the key, and by the event.
fn publish(server: &mut Server, db: usize, key: &[u8], event: Event) {
    let classes = server.config.logging.notify_keyspace_events;
    // The change of a watched key is noted even if it has no class that is published.
    if !classes.contains(event.class) || server.pubsub.is_empty() {
        return;
    }
    let name = event.name.as_bytes();
    for (by, class, topic, text) in [
        ("keyspace", NotifyClasses::KEYSPACE, key, name),
        ("keyevent", NotifyClasses::KEYEVENT, name, key),
    ] {
        if classes.contains(class) {
            let channel = [format!("__{by}@{db}__:").as_bytes(), topic].concat();
            let message = Message { text, shared: None };
            publish::publish(server, Topic::Channel, &channel, message);
        }
    }
}
