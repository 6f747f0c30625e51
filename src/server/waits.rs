//! Flow: WAIT: a client is parked until enough replicas have what it wrote, or its time is up.

use resp::OwnedArgv;

use crate::{
    client::{ClientId, ReplyMode, parked::Cause},
    replication::{Wait, replica::State},
    server::{
        Server,
        call::{Call, Origin},
        replicas,
    },
};

/// Counts the replicas that have the stream up to a place.
pub fn count(server: &Server, offset: u64) -> usize {
    let links = replicas::links(server).map(|(_, _, link)| link);
    links.filter(|link| link.state == State::Online && offset <= link.acknowledged).count()
}

/// Answers WAIT, or parks the client that has called it.
pub fn wait(server: &mut Server, call: &mut Call<'_>, wanted: usize, until_ms: Option<i64>) {
    let id = call.client;
    let offset = server.clients.peek(id).map_or(0, |client| client.written_at);
    let has = count(server, offset);
    if wanted <= has || call.origin != Origin::Client {
        return call.reply.count(has);
    }
    let is_silent = call.session.reply_mode != ReplyMode::On;
    server.replication.waits.add(Wait { id, offset, count: wanted, until_ms, is_silent });
    let Server { parked, clients, .. } = server;
    if let Some(client) = clients.find(id) {
        parked.park(id, client, Cause::Replicas, OwnedArgv::default());
    }
}

/// Asks replicas how far they are if somebody has begun to wait, and answers those whose wait is
/// over.
#[inline]
pub fn serve(server: &mut Server) {
    if server.replication.waits.are_due(server.now_ms()) {
        serve_all(server);
    }
}

#[cold]
fn serve_all(server: &mut Server) {
    if std::mem::take(&mut server.replication.waits.asks) {
        ask(server);
    }
    let now_ms = server.now_ms();
    let mut waits = std::mem::take(&mut server.replication.waits);
    let over = waits.take_over(now_ms, |offset| count(server, offset));
    server.replication.waits = waits;
    for (wait, has) in over {
        answer(server, &wait, Ok(has));
    }
}

/// Asks replicas how far they are.
pub fn ask(server: &mut Server) {
    if !server.replication.replicas.is_empty() {
        server.propagation.out_of_unit(&[b"REPLCONF", b"GETACK", b"*"]);
    }
}

fn answer(server: &mut Server, wait: &Wait, outcome: Result<usize, &str>) {
    let Server { parked, clients, .. } = server;
    if !wait.is_silent {
        clients.push(wait.id, |reply| match outcome {
            Ok(count) => reply.count(count),
            Err(text) => reply.error(text.as_bytes()),
        });
    }
    if let Some(client) = clients.find(wait.id) {
        parked.wake(wait.id, client);
    }
}

/// Ends a client's wait before its time; says whether it waited.
pub fn unblock(server: &mut Server, number: i64, with_error: bool) -> bool {
    let is_meant = |number_of: u64| i64::try_from(number_of).is_ok_and(|it| it == number);
    let found = server.clients.iter().find(|(_, client)| is_meant(client.number));
    let found = found.map(|(id, _)| id);
    let Some(wait) = found.and_then(|id| server.replication.waits.take(id)) else { return false };
    let outcome = if with_error {
        Err("UNBLOCKED client unblocked via CLIENT UNBLOCK")
    } else {
        Ok(count(server, wait.offset))
    };
    answer(server, &wait, outcome);
    true
}

/// A client is being freed: it waits no more.
pub fn forget(server: &mut Server, id: ClientId) {
    server.replication.waits.take(id);
}
