//! Flow: tells clients which keys have changed that they may have in a cache of their own.
//!
//! Who reads in RESP3 is told by a push; who reads in RESP2 can only be told through another
//! client, which listens to a channel (`redirect`). A client is told of what its own command
//! has changed after the reply: what is pushed to it while its frame is lent goes there.

use resp::{Argv, Protocol, Reply};

use crate::{
    client::{
        Client, ClientId, Kind, Session,
        tracker::{Mode, Redirect, Tracker},
    },
    command::{
        CommandId,
        flags::Flags,
        keyspec::{Keys, Search},
    },
    server::Server,
    tracking::Change,
};

/// What RESP2 clients listen to.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// What a client is told of its keys.
#[derive(Clone, Copy)]
enum News<'a> {
    /// This one has changed.
    Key(&'a [u8]),
    /// These have; encoded as an array.
    Keys(&'a [u8]),
    /// All have.
    All,
}

/// How a client wants to track from now on.
pub struct Wish<'a> {
    /// See there.
    pub mode: Mode,
    /// See `Tracker`.
    pub skips_own: bool,
    /// See there.
    pub redirect: Option<Redirect>,
    /// Added to those of before.
    pub prefixes: Vec<&'a [u8]>,
}

/// Starts to track, or goes on in another way.
pub fn begin(server: &mut Server, id: ClientId, wish: &Wish<'_>) {
    let Server { tracking, clients, .. } = server;
    let Some(client) = clients.find_even_closing(id) else { return };
    let mut tracker = client.tracker.take().unwrap_or_else(|| {
        tracking.begin();
        Box::new(Tracker::new(wish.mode))
    });
    (tracker.mode, tracker.skips_own) = (wish.mode, wish.skips_own);
    (tracker.redirect, tracker.is_redirect_broken) = (wish.redirect, false);
    for prefix in &wish.prefixes {
        tracking.prefixes.listen(id, prefix);
        tracker.add_prefix((*prefix).into());
    }
    client.tracker = Some(tracker);
}

/// Ends a client's tracking.
pub fn end(server: &mut Server, id: ClientId) {
    if let Some(client) = server.clients.find_even_closing(id)
        && let Some(tracker) = client.tracker.take()
    {
        forget(server, id, &tracker);
    }
}

/// Ends the tracking of a client that goes.
pub fn forget(server: &mut Server, id: ClientId, tracker: &Tracker) {
    server.tracking.end();
    for prefix in tracker.prefixes() {
        server.tracking.prefixes.leave(id, prefix);
    }
}

/// Remembers what a client has read.
pub fn remember(server: &mut Server, id: ClientId, command: CommandId, argv: Argv<'_>) {
    let Server { tracking, clients, .. } = server;
    let tracker = clients.peek(id).and_then(|client| client.tracker.as_ref());
    let spec = command.spec();
    if !tracker.is_some_and(|tracker| tracker.remembers()) || spec.has(Flags::PUBSUB) {
        return;
    }
    if let Ok(keys) = Keys::find(spec, argv, Search::Keys) {
        keys.for_each(|key| tracking.remember(id, argv.at(key.index)));
    }
}

/// A key has changed, while the command of `caller` ran; `author` has asked for it.
pub fn changed(
    server: &mut Server,
    caller: Option<ClientId>,
    author: Option<ClientId>,
    key: &[u8],
) {
    if server.tracking.is_watching() {
        server.tracking.prefixes.changed(key, author);
        invalidate(server, caller, key);
    }
}

/// Everything has changed.
pub fn flushed(server: &mut Server) {
    if server.tracking.tracker_count() != 0 {
        let all = server.clients.iter().filter(|(_, client)| client.tracker.is_some());
        let ids: Vec<ClientId> = all.map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| tell(server, id, News::All));
    }
    server.tracking.forget_all();
}

/// Forgets keys where more are remembered than may be: their readers are told as if they
/// had changed.
#[inline]
pub fn limit(server: &mut Server) {
    let keys_max = server.config.limits.tracking_table_max_keys;
    if server.tracking.tracker_count() != 0 && server.tracking.exceeds(keys_max) {
        forget_some(server, keys_max);
    }
}

#[cold]
fn forget_some(server: &mut Server, keys_max: usize) {
    for _ in 0..server.tracking.excess(keys_max) {
        let Some(key) = server.tracking.random_key() else { return };
        invalidate(server, None, &key);
    }
}

/// Tells who listens to prefixes what has changed in this turn.
#[inline]
pub fn broadcast(server: &mut Server) {
    if server.tracking.prefixes.has_changes() {
        let changes = server.tracking.prefixes.take_changes();
        changes.iter().for_each(|change| broadcast_one(server, change));
    }
}

/// CLIENT CACHING holds for one command, or for one transaction.
#[inline]
pub fn request_ended(server: &mut Server, id: ClientId, session: &Session, ran: Option<CommandId>) {
    if server.tracking.tracker_count() == 0 || session.transaction.is_some() {
        return;
    }
    if ran.is_some_and(|command| command.spec().container_name() == "client") {
        return;
    }
    let client = server.clients.find(id);
    if let Some(tracker) = client.and_then(|client| client.tracker.as_mut()) {
        tracker.is_caching_given = false;
    }
}

fn invalidate(server: &mut Server, caller: Option<ClientId>, key: &[u8]) {
    for id in server.tracking.forget(key) {
        let client = server.clients.peek(id).filter(|client| client.is_alive());
        let Some(tracker) = client.and_then(|client| client.tracker.as_ref()) else { continue };
        // It may have read the key before it began to listen to prefixes instead.
        let is_own = tracker.skips_own && caller == Some(id);
        if tracker.mode != Mode::Broadcast && !is_own {
            tell(server, id, News::Key(key));
        }
    }
}

fn broadcast_one(server: &mut Server, change: &Change) {
    let all = encode(change.keys.keys().map(|key| &**key));
    for id in &change.listeners {
        let client = server.clients.peek(*id);
        let tracker = client.and_then(|client| client.tracker.as_ref());
        if !tracker.is_some_and(|tracker| tracker.skips_own) {
            tell(server, *id, News::Keys(&all));
            continue;
        }
        let others = change.keys.iter().filter(|(_, author)| **author != Some(*id));
        let others: Vec<&[u8]> = others.map(|(key, _)| &**key).collect();
        if !others.is_empty() {
            tell(server, *id, News::Keys(&encode(others.into_iter())));
        }
    }
}

fn encode<'a>(keys: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut text = format!("*{}\r\n", keys.len()).into_bytes();
    for key in keys {
        text.extend_from_slice(format!("${}\r\n", key.len()).as_bytes());
        text.extend_from_slice(key);
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// Tells a client, or who listens in its stead.
fn tell(server: &mut Server, id: ClientId, news: News<'_>) {
    let Some(client) = server.clients.find(id) else { return };
    let protocol = client.protocol();
    let Some(redirect) = client.tracker.as_ref().map(|tracker| tracker.redirect) else { return };
    let Some(redirect) = redirect else {
        if protocol == Protocol::Resp3 {
            server.clients.push(id, |reply| write_push(reply, protocol, news));
        }
        return;
    };
    let Some(listener) = server.clients.find(redirect.id) else {
        return tell_of_broken_redirect(server, id, redirect.number);
    };
    match (listener.protocol(), listener.kind()) {
        (Protocol::Resp3, _) => {
            server.clients.push(redirect.id, |reply| write_push(reply, protocol, news));
        }
        (Protocol::Resp2, Kind::PubSub) => {
            server.clients.push(redirect.id, |reply| {
                reply.array(3);
                reply.bulk(b"message");
                reply.bulk(CHANNEL);
                write_news(reply, protocol, news);
            });
        }
        // It could not tell this from a reply.
        (Protocol::Resp2, _) => {}
    }
}

fn tell_of_broken_redirect(server: &mut Server, id: ClientId, number: u64) {
    let Some(client) = server.clients.find(id) else { return };
    if let Some(tracker) = &mut client.tracker {
        tracker.is_redirect_broken = true;
    }
    if client.protocol() == Protocol::Resp3 {
        server.clients.push(id, |reply| {
            reply.push(2);
            reply.bulk(b"tracking-redir-broken");
            reply.integer(i64::try_from(number).unwrap_or(i64::MAX));
        });
    }
}

fn write_push(reply: &mut Reply, protocol: Protocol, news: News<'_>) {
    reply.push(2);
    reply.bulk(b"invalidate");
    write_news(reply, protocol, news);
}

/// Writes what has changed; `protocol` is that of the client that tracks, not of who reads.
fn write_news(reply: &mut Reply, protocol: Protocol, news: News<'_>) {
    match news {
        News::Key(key) => {
            reply.array(1);
            reply.bulk(key);
        }
        News::Keys(encoded) => reply.raw(encoded),
        News::All if protocol == Protocol::Resp3 => reply.raw(b"_\r\n"),
        News::All => reply.raw(b"$-1\r\n"),
    }
}

/// Returns the client that has a number; looks at them all.
pub fn find_number(server: &Server, number: i64) -> Option<(ClientId, &Client)> {
    let number = u64::try_from(number).ok()?;
    server.clients.iter().find(|(_, client)| client.number == number && !client.is_negotiating)
}
