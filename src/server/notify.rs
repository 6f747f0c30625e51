//! Flow: carries out what has happened to keys: for watchers and who repeats deletions.

use crate::{
    client::ClientId,
    config::NotifyClasses,
    keyspace::{Cause, Event, Happened, Interest, KeyEvent},
    server::Server,
};

/// Says what somebody wants to know of what happens to keys.
#[inline]
pub fn interest(server: &Server) -> Interest {
    let mut classes = server.config.logging.notify_keyspace_events;
    // Events that are published neither by key nor by name are not published.
    if !classes.meets(NotifyClasses::KEYSPACE.with(NotifyClasses::KEYEVENT)) {
        classes = NotifyClasses::default();
    }
    Interest {
        changes: !server.watches.is_empty(),
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
    let KeyEvent { happened, db, key } = event;
    match happened {
        Happened::Changed(name) => {
            changed(server, caller, *db, key);
            if let Some(name) = name {
                publish(server, *db, key, *name);
            }
        }
        Happened::Noted(name) => publish(server, *db, key, *name),
        Happened::Deleted(cause) => {
            repeat_deletion(server, *db, key, *cause);
            changed(server, caller, *db, key);
            publish(server, *db, key, cause.event());
        }
    }
}

/// A key holds something else, or is gone.
fn changed(server: &mut Server, _caller: Option<ClientId>, db: usize, key: &[u8]) {
    let Server { watches, clients, .. } = server;
    watches.touch(clients, db, key);
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

fn publish(_server: &mut Server, _db: usize, _key: &[u8], _event: Event) {}
