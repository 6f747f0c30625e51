//! Room: a client in one line, as CLIENT LIST, CLIENT INFO and the log show it.

use std::os::fd::AsRawFd;

use net::Address;
use resp::Protocol;

use crate::client::{
    Client, Kind, Session,
    subscriptions::Topic,
    tracker::Mode,
    usage::{Memory, Talk},
};

/// Describes a client in one line without its end.
pub fn describe(client: &Client, talk: &Talk<'_>, now_ms: i64) -> Vec<u8> {
    let seconds_since = |at_ms: i64| (now_ms - at_ms).max(0) / 1000;
    let fd = client.wire.as_ref().map_or(-1, |(_, connection)| connection.as_raw_fd());
    let mut line =
        format!("id={} addr={} laddr={} fd={fd} name=", client.number, client.peer, client.local)
            .into_bytes();
    line.extend_from_slice(client.name.as_deref().unwrap_or_default());
    let (query_bytes, query_room) =
        talk.query.map_or((0, 0), |query| (query.unparsed_bytes(), query.room_bytes()));
    let output = talk.reply.output();
    let kept = client.reply_buffer.bytes().max(output.tail_capacity());
    let peak = client.reply_buffer.peak_bytes();
    let (chunks, pending) = (output.chunk_count(), output.pending_bytes());
    let Memory { arguments, queue, replies, total } = Memory::of(client, talk);
    let transaction = talk.session.transaction.as_deref();
    let queued = transaction.map_or(-1, |transaction| transaction.queue.len() as i64);
    let command = client.last_command.map_or("NULL", |command| command.spec().full_name);
    let more = format!(
        " age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={queued} qbuf={} qbuf-free={} \
         argv-mem={arguments} multi-mem={queue} rbs={kept} rbp={peak} obl={} oll={chunks} \
         omem={replies} tot-mem={total} events={} cmd={command} user={} redir={} resp={}",
        seconds_since(client.created_ms),
        seconds_since(client.active_ms),
        flags(client, talk.session),
        talk.session.db,
        client.subscriptions.count(Topic::Channel),
        client.subscriptions.count(Topic::Pattern),
        client.subscriptions.count(Topic::ShardChannel),
        query_bytes,
        query_room,
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

/// Names a replica in the log: by where it can be reached.
pub fn replica_name(client: &Client) -> String {
    let (host, port) = replica_address(client);
    match port {
        0 => format!("{host}:<unknown-replica-port>"),
        port => match u16::try_from(port) {
            Ok(port) => net::addr::format_host_port(&host, port),
            Err(_) => format!("{host}:{port}"),
        },
    }
}

/// Returns where a replica can be reached; the port is 0 if it has not told.
pub fn replica_address(client: &Client) -> (String, i64) {
    let replica = client.replica.as_deref();
    let host = match replica.and_then(|replica| replica.address.as_deref()) {
        Some(host) => String::from_utf8_lossy(host).into_owned(),
        None => client.wire.as_ref().map_or_else(
            || format!("client id #{}", client.number),
            |(_, connection)| connection.peer().host(),
        ),
    };
    (host, replica.and_then(|replica| replica.listening_port).unwrap_or(0))
}
