//! Flow: from a query buffer to commands, those among them that have waited.

use resp::{Argv, Limits, OwnedArgv, ProtocolError};
use sys::log;

use crate::{
    blocking::Wanted,
    client::{
        ClientId, Frame, ReplyMode,
        arrivals::ARRIVALS_MAX,
        describe::describe,
        parked::{Cause, Parked},
        usage::Talk,
    },
    command::CommandId,
    error::ReplyError,
    server::{
        Server, blocked,
        call::{Call, Origin, Repeats, Retry},
        evict_clients::evict_clients,
        observe::{self, Subject},
        output, parked,
        permit::{self, Verdict},
        tracking, transaction, unit,
    },
    value::Value,
};

/// Attempts by HTTP are logged no more often.
const HTTP_LOGGED_EVERY_S: u64 = 60;
/// Of a request that is none, this much is logged.
const LOGGED_BYTES_MAX: usize = 128;

/// Notes that a client has sent something: its requests run in this turn, with those of
/// others who have.
pub fn arrived(server: &mut Server, id: ClientId) {
    if server.arrivals.push(id) {
        run_arrivals(server);
    }
}

/// Runs the requests of all who have sent something, in the order in which they have.
pub fn run_arrivals(server: &mut Server) {
    if 1 < server.arrivals.count() {
        prefetch_lone_keys(server);
    }
    while let Some(id) = server.arrivals.pop() {
        process_input(server, id);
    }
}

/// Asks for the memory of the keys of those who have sent one request each; who has sent
/// several has company enough.
fn prefetch_lone_keys(server: &mut Server) {
    let mut keys = [None; ARRIVALS_MAX];
    for (index, slot) in keys.iter_mut().enumerate() {
        let Some(id) = server.arrivals.at(index) else { break };
        let frame = server.clients.find(id).and_then(|client| client.frame.take());
        let Some(mut frame) = frame else { continue };
        frame.query.look_ahead(&limits(server, &frame));
        let mut requests = frame.query.parsed_ahead();
        if let (Some(argv), None) = (requests.next(), requests.next())
            && let Some(key) = argv.get(1)
        {
            let db = frame.session.db;
            *slot = server.keyspace.prefetch_bucket(db, key).map(|hash| (db, hash));
        }
        drop(requests);
        if let Some(client) = server.clients.find(id) {
            client.frame = Some(frame);
        }
    }
    for (db, hash) in keys.into_iter().flatten() {
        server.keyspace.prefetch_record(db, hash);
    }
}

fn limits(server: &Server, frame: &Frame) -> Limits {
    Limits {
        bulk_bytes_max: server.config.limits.proto_max_bulk_len as u64,
        is_unauthenticated: server.requires_auth(&frame.session),
    }
}

/// Runs all requests that have come whole. The client's frame is lent once for them all;
/// what others push to it meanwhile is put behind each reply.
pub fn process_input(server: &mut Server, id: ClientId) {
    server.clients.note_usage(id);
    evict_clients(server);
    let Some(mut frame) = server.clients.lend(id) else { return };
    run_requests(server, id, &mut frame);
    end_batch(server, id, frame);
}

/// Serves those whose wait is over, and then what they have sent meanwhile.
pub fn run_woken(server: &mut Server) {
    while let Some(id) = server.parked.pop_woken() {
        resume(server, id);
    }
}

/// Runs the request of a client whose wait is over, and all that have come since.
fn resume(server: &mut Server, id: ClientId) {
    let Some((parked, mut frame)) = take_parked(server, id) else { return };
    process_command(server, id, &mut frame, Some(&parked));
    serve_ready(server);
    output::close_caller_if_over_limit(server, id, &frame);
    if server.clients.settle(id, &mut frame.reply) {
        run_requests(server, id, &mut frame);
    }
    end_batch(server, id, frame);
}

/// Serves all keys that were marked, and those that are marked by that.
///
/// What a command waits for may come in any way: pushed, renamed, moved, restored, swapped in.
/// So it is hardly looked at how: a change that may bring it marks the key (`notify`), and when the
/// unit of whoever has changed it is over, what the key holds then decides. The parked command runs
/// as a unit of its own, through the gate, as if it had just come; what its client has sent since is
/// left for the end of the turn.
#[inline]
pub fn serve_ready(server: &mut Server) {
    if server.blocking.has_ready() && !server.blocking.is_serving {
        serve_keys(server);
    }
}

#[cold]
fn serve_keys(server: &mut Server) {
    server.blocking.is_serving = true;
    while let Some((db, key)) = server.blocking.pop_ready() {
        serve_key(server, db, &key);
    }
    server.blocking.is_serving = false;
}

fn serve_key(server: &mut Server, db: usize, key: &[u8]) {
    // Who begins to wait again meanwhile is not met a second time.
    let last = server.parked.last_ticket();
    let mut after = 0;
    server.keyspace.now_ms = server.now_ms();
    loop {
        let held = server.keyspace.peek(db, key).and_then(|record| held(record.value()));
        let Some((ticket, id)) = server.blocking.next((db, key), held, (after, last)) else {
            return;
        };
        after = ticket;
        serve(server, id);
    }
}

fn held(value: Option<&Value>) -> Option<Wanted> {
    match value? {
        Value::List(_) => Some(Wanted::List),
        Value::Zset(_) => Some(Wanted::Zset),
        Value::Stream(_) => Some(Wanted::Stream),
        Value::Text(_) | Value::Set(_) | Value::Hash(_) => None,
    }
}

/// Runs the request of a client that waits for keys. What it has sent since runs when this turn
/// ends, if it does not wait again.
fn serve(server: &mut Server, id: ClientId) {
    let Some((parked, mut frame)) = take_parked(server, id) else { return };
    if let Some(wait) = &parked.wait {
        server.blocking.remove(parked.ticket(), wait);
    }
    process_command(server, id, &mut frame, Some(&parked));
    output::close_caller_if_over_limit(server, id, &frame);
    let goes_on = server.clients.settle(id, &mut frame.reply);
    end_batch(server, id, frame);
    let Server { parked, clients, .. } = server;
    if goes_on && let Some(client) = clients.find(id) {
        parked.park(id, client, Cause::Keys, OwnedArgv::default());
        parked.wake(id, client);
    }
}

fn take_parked(server: &mut Server, id: ClientId) -> Option<(Box<Parked>, Box<Frame>)> {
    let Server { parked, clients, .. } = server;
    let client = clients.find(id).filter(|client| client.frame.is_some())?;
    let request = parked.take(client)?;
    Some((request, client.frame.take()?))
}

fn end_batch(server: &mut Server, id: ClientId, mut frame: Box<Frame>) {
    server.arrivals.keep_buffer(frame.query.return_buffer());
    server.clients.give_back(id, frame);
    output::set_cut(server, id);
}

fn run_requests(server: &mut Server, id: ClientId, frame: &mut Frame) {
    loop {
        let limits = limits(server, frame);
        frame.query.look_ahead(&limits);
        prefetch_keys(server, frame);
        match frame.query.advance(&limits) {
            Ok(true) => {
                process_command(server, id, frame, None);
                serve_ready(server);
                output::close_caller_if_over_limit(server, id, frame);
            }
            Ok(false) => return,
            Err(error) => refuse_request(server, id, frame, error),
        }
        if !server.clients.settle(id, &mut frame.reply) {
            return;
        }
    }
}

/// Asks for the memory of what all requests are about that were parsed ahead.
fn prefetch_keys(server: &Server, frame: &Frame) {
    let requests = frame.query.parsed_ahead();
    if 1 < requests.size_hint().1.unwrap_or(0) {
        server.keyspace.prefetch(frame.session.db, requests);
    }
}

/// Runs the request at the head of the query buffer, or one that was kept.
fn process_command(server: &mut Server, id: ClientId, frame: &mut Frame, kept: Option<&Parked>) {
    let argv = kept.map_or_else(|| frame.query.argv(), |parked| parked.argv.as_argv());
    if argv.count() == 0 {
        // An empty request has no reply, but it was one: the next is answered again.
        if frame.session.reply_mode == ReplyMode::Skip {
            frame.session.reply_mode = ReplyMode::On;
        }
        return;
    }
    if speaks_http(argv) {
        return refuse_http(server, id, frame);
    }
    let verdict = permit::judge(server, id, &frame.session, frame.reply.protocol, argv);
    if server.tracking.tracker_count() != 0 {
        tracking::limit(server);
        // It is told before the reply of keys that were let go to make room: it may read them
        // again right now.
        server.clients.settle(id, &mut frame.reply);
    }
    let mark = frame.reply.mark();
    let (is_replica, said_before) =
        (frame.session.is_replica, frame.reply.output().pending_bytes());
    let mut ran = None;
    match verdict {
        Verdict::Run(command) => {
            if let Some(client) = server.clients.find(id) {
                client.last_command = Some(command);
            }
            ran = Some(command);
            let (query, origin, repeats) = (&frame.query, Origin::Client, Repeats::IfChanged);
            let retry = kept.and_then(Retry::of);
            let Frame { session, reply, .. } = frame;
            let mut call = Call {
                client: id,
                command,
                argv,
                query,
                session,
                reply,
                origin,
                repeats,
                retry,
                wait: None,
                waits_as: None,
                took_us: 0,
            };
            unit::run(server, &mut call);
            let took_us = call.took_us;
            if let Some(wait) = call.wait {
                let argv = call.waits_as.unwrap_or_else(|| argv.to_owned());
                frame.reply.truncate(mark);
                return blocked::park(server, id, wait, argv, took_us);
            }
        }
        Verdict::Queue(command) => {
            let transaction = frame.session.transaction.as_mut().expect("the verdict says so");
            transaction.queue(command, argv.to_owned());
            frame.reply.simple("QUEUED");
        }
        // It has no reply yet: what was asked of replies holds for it when it comes.
        Verdict::Park(command, cause) => {
            if let Some(client) = server.clients.find(id) {
                client.last_command = Some(command);
            }
            return parked::park(server, id, cause, argv.to_owned());
        }
        Verdict::Refuse(command, error) => refuse(server, id, frame, command, error),
    }
    tracking::request_ended(server, id, &frame.session, ran);
    match frame.session.reply_mode {
        ReplyMode::On => {}
        ReplyMode::Off => frame.reply.truncate(mark),
        // CLIENT REPLY SKIP itself has no reply; the command after it has none either.
        ReplyMode::SkipNext => {
            frame.reply.truncate(mark);
            frame.session.reply_mode = ReplyMode::Skip;
        }
        ReplyMode::Skip => {
            frame.reply.truncate(mark);
            frame.session.reply_mode = ReplyMode::On;
        }
    }
    if is_replica && said_before < frame.reply.output().pending_bytes() {
        frame.reply.truncate(mark);
        send_away(server, id, frame);
    }
}

/// Ends a replica that has asked for something: what it is sent is the stream, and it would
/// take the answer for a part of it.
fn send_away(server: &mut Server, id: ClientId, frame: &Frame) {
    let now_ms = server.now_ms();
    let Some(client) = server.clients.peek(id) else { return };
    let command = client.last_command.map_or("<unknown>", |command| command.spec().full_name);
    let text = describe(client, &Talk::from(frame), now_ms);
    log::warning!(
        "Replica generated a reply to command '{command}', disconnecting it: {}",
        String::from_utf8_lossy(&text)
    );
    server.clients.close(id);
}

fn refuse(
    server: &mut Server,
    id: ClientId,
    frame: &mut Frame,
    command: Option<CommandId>,
    error: ReplyError,
) {
    let mut error = error;
    if let Some(command) = command {
        server.commands.rejected(command);
    }
    if let Some(transaction) = &mut frame.session.transaction {
        transaction.is_aborted = true;
    }
    // It says so even of a transaction that was never begun.
    if let Some(command) = command.filter(|command| command.spec().full_name == "exec") {
        transaction::discard(server, id, &mut frame.session);
        error = permit::exec_refused(&error);
        // They have seen its beginning.
        if !server.monitors.is_empty() {
            let subject = Subject { client: id, command, argv: frame.query.argv() };
            observe::show(server, subject, frame.session.db, Origin::Client);
        }
    }
    let text = error.to_bytes();
    frame.reply.error(&text);
    server.stats.count_error(&text);
}

/// Whether a browser was made to send this: what it posts must not be carried out.
#[inline]
fn speaks_http(argv: Argv<'_>) -> bool {
    let name = argv.at(0);
    matches!(name.len(), 4 | 5)
        && (name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:"))
}

/// Closes without a word, what was answered before included.
fn refuse_http(server: &mut Server, id: ClientId, frame: &mut Frame) {
    let now_s = server.clock.now_s();
    if server.lifecycle.http_logged_s.is_none_or(|at_s| HTTP_LOGGED_EVERY_S < now_s.abs_diff(at_s))
    {
        server.lifecycle.http_logged_s = Some(now_s);
        let peer = server.clients.peek(id).map_or("?", |client| &client.peer);
        log::warning!(
            "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: \
             commands to Redis. This is likely due to an attacker attempting to use Cross Protocol \
             Scripting to compromise your Redis instance. Connection from {peer} aborted."
        );
    }
    frame.query.clear();
    server.clients.close(id);
}

fn refuse_request(server: &mut Server, id: ClientId, frame: &mut Frame, error: ProtocolError) {
    let text = [&b"ERR Protocol error: "[..], &protocol_error_text(error)].concat();
    if frame.session.reply_mode == ReplyMode::On {
        frame.reply.error(&text);
    }
    server.stats.count_error(&text);
    if log::is_wanted(log::Level::Verbose) {
        let query = frame.query.unread();
        let query = base::split::repr(&query[..query.len().min(LOGGED_BYTES_MAX)]);
        log::verbose!(
            "Protocol error ({}) from client: {}. Query buffer: {}",
            String::from_utf8_lossy(&protocol_error_text(error)),
            server.describe_client(id),
            String::from_utf8_lossy(&query),
        );
    }
    frame.query.clear();
    server.clients.close_after_reply(id);
}

fn protocol_error_text(error: ProtocolError) -> Vec<u8> {
    let text = match error {
        ProtocolError::TooBigInline => "too big inline request",
        ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
        ProtocolError::TooBigMultibulkCount => "too big mbulk count string",
        ProtocolError::InvalidMultibulkLength => "invalid multibulk length",
        ProtocolError::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
        ProtocolError::TooBigBulkCount => "too big bulk count string",
        ProtocolError::InvalidBulkLength => "invalid bulk length",
        ProtocolError::UnauthenticatedBulkLength => "unauthenticated bulk length",
        ProtocolError::ExpectedDollar(byte) => {
            return [&b"expected '$', got '"[..], &[byte], b"'"].concat();
        }
    };
    text.into()
}
