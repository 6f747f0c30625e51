//! Room: a client in one line, as CLIENT LIST, CLIENT INFO and the log show it.

use std::os::fd::AsRawFd;

use net::Address;
use resp::{Protocol, Query, Reply};

use crate::{
    client::{Client, Frame, Session, tracker::Mode, transaction::Transaction},
    error::ReplyError,
    pubsub::Topic,
};

/// What kinds of clients there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Sends requests, reads replies.
    Normal,
    /// The primary, on a replica.
    Master,
    /// A replica.
    Replica,
    /// Listens to channels.
    PubSub,
}

impl Kind {
    /// Finds a kind by its name in any case.
    pub fn parse(name: &[u8]) -> Result<Self, ReplyError> {
        let kinds = [
            ("normal", Self::Normal),
            ("master", Self::Master),
            ("slave", Self::Replica),
            ("replica", Self::Replica),
            ("pubsub", Self::PubSub),
        ];
        let found = kinds.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        let unknown = || ReplyError::quoting("ERR Unknown client type '", name, "'");
        found.map(|(_, kind)| *kind).ok_or_else(unknown)
    }
}

/// What is known of a client's talk, wherever its parts are at the moment.
#[derive(Debug)]
pub struct Talk<'a> {
    /// See there.
    pub session: &'a Session,
    /// Absent while its request runs.
    pub query: Option<&'a Query>,
    /// What it is to be sent.
    pub reply: &'a Reply,
    /// The arguments of the request that runs.
    pub argument_bytes: usize,
}

impl<'a> From<&'a Frame> for Talk<'a> {
    fn from(frame: &'a Frame) -> Self {
        let Frame { session, query, reply } = frame;
        Self { session, query: Some(query), reply, argument_bytes: 0 }
    }
}

/// Describes a client in one line without its end.
pub fn describe(client: &Client, talk: &Talk<'_>, now_ms: i64) -> Vec<u8> {
    let seconds_since = |at_ms: i64| (now_ms - at_ms).max(0) / 1000;
    let fd = client.wire.as_ref().map_or(-1, |(_, connection)| connection.as_raw_fd());
    let mut line =
        format!("id={} addr={} laddr={} fd={fd} name=", client.number, client.peer, client.local)
            .into_bytes();
    line.extend_from_slice(client.name.as_deref().unwrap_or_default());
    let query = talk.query.map_or((0, 0, 0), |query| {
        (query.pending_bytes(), query.room_bytes(), query.memory_bytes())
    });
    let output = talk.reply.output();
    let tail = output.tail_capacity();
    let kept = client.reply_buffer.bytes().max(tail);
    let peak = client.reply_buffer.peak_bytes();
    let (chunks, pending) = (output.chunk_count(), output.pending_bytes());
    let output_memory = if chunks == 0 { 0 } else { client_output_bytes(client, talk.reply) };
    let parked_bytes =
        client.parked.as_ref().map_or(0, |parked| parked.argv.as_argv().total_bytes());
    let argument_bytes = talk.argument_bytes + parked_bytes;
    let total = size_of::<Client>() + query.2 + tail + output_memory + argument_bytes;
    let transaction = talk.session.transaction.as_deref();
    let queued = transaction.map_or(-1, |transaction| transaction.queue.len() as i64);
    let queue_bytes = transaction.map_or(0, Transaction::memory_bytes);
    let total = total + queue_bytes + client.subscriptions.memory_bytes();
    let command = client.last_command.map_or("NULL", |command| command.spec().full_name);
    let more = format!(
        " age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={queued} qbuf={} qbuf-free={} \
         argv-mem={} multi-mem={queue_bytes} rbs={kept} rbp={peak} obl={} oll={chunks} omem={output_memory} \
         tot-mem={total} events={} cmd={command} user={} redir={} resp={}",
        seconds_since(client.created_ms),
        seconds_since(client.active_ms),
        flags(client, talk.session),
        talk.session.db,
        client.subscriptions.count(Topic::Channel),
        client.subscriptions.count(Topic::Pattern),
        client.subscriptions.count(Topic::ShardChannel),
        query.0,
        query.1,
        argument_bytes,
        if chunks == 0 { pending } else { 0 },
        if client.is_stuck { "rw" } else { "r" },
        if talk.session.is_authenticated { "default" } else { "(superuser)" },
        client.redirect_number(),
        if talk.reply.protocol == Protocol::Resp3 { 3 } else { 2 },
    );
    line.extend_from_slice(more.as_bytes());
    for (field, value) in
        [(" lib-name=", &client.library_name), (" lib-ver=", &client.library_version)]
    {
        line.extend_from_slice(field.as_bytes());
        line.extend_from_slice(value.as_deref().unwrap_or_default());
    }
    if let Some(tls) = client.wire.as_ref().and_then(|(_, connection)| connection.tls_info()) {
        let resumed = if tls.is_resumed { "yes" } else { "no" };
        let peer_name = tls.peer_name.as_deref().unwrap_or_default().replace([' ', '\n'], "_");
        let text = format!(
            " tls-protocol={} tls-cipher={} tls-resumed={resumed} tls-peer-name={peer_name}",
            tls.protocol, tls.cipher
        );
        line.extend_from_slice(text.as_bytes());
    }
    line
}

fn client_output_bytes(client: &Client, reply: &Reply) -> usize {
    reply.output().memory_bytes() + client.pushes.output().memory_bytes()
}

fn flags(client: &Client, session: &Session) -> String {
    let mut flags = String::new();
    let is_unix =
        client.wire.as_ref().is_some_and(|(_, wire)| matches!(wire.peer(), Address::Unix(_)));
    let parked = client.parked.as_ref();
    let tracker = client.tracker.as_ref();
    // In the order in which Redis shows them.
    let known = [
        (client.link().is_some(), 'S'),
        (session.is_monitor, 'O'),
        (client.kind() == Kind::PubSub, 'P'),
        (session.transaction.is_some(), 'x'),
        (parked.is_some_and(|parked| !parked.is_woken()), 'b'),
        (tracker.is_some(), 't'),
        (tracker.is_some_and(|tracker| tracker.is_redirect_broken), 'R'),
        (tracker.is_some_and(|tracker| tracker.mode == Mode::Broadcast), 'B'),
        (client.watched.is_dirty, 'd'),
        (client.closes_after_reply(), 'c'),
        (parked.is_some_and(|parked| parked.is_woken()), 'u'),
        (is_unix, 'U'),
        (client.no_evict, 'e'),
        (session.no_touch, 'T'),
    ];
    flags.extend(known.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag));
    if flags.is_empty() { "N".to_owned() } else { flags }
}
