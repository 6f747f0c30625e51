//! Command: MULTI, EXEC, DISCARD, WATCH, UNWATCH.

use crate::{
    client::transaction::Transaction,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult, Origin, Repeats},
        execute::execute,
        transaction,
    },
};

/// MULTI
pub(super) fn multi(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if call.session.transaction.is_some() {
        return Err(ReplyError::text("ERR MULTI calls can not be nested"));
    }
    call.session.transaction = Some(Box::default());
    call.reply.ok();
    Ok(())
}

/// DISCARD
pub(super) fn discard(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if call.session.transaction.is_none() {
        return Err(ReplyError::text("ERR DISCARD without MULTI"));
    }
    transaction::discard(server, call.client, call.session);
    call.reply.ok();
    Ok(())
}

/// EXEC: runs what was queued, unless a key that was watched has changed.
pub(super) fn exec(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let Some(queued) = call.session.transaction.take() else {
        return Err(ReplyError::text("ERR EXEC without MULTI"));
    };
    let is_dirty = is_dirty(server, call);
    transaction::unwatch(server, call.client);
    if queued.is_aborted {
        return Err(ReplyError::text(
            "EXECABORT Transaction discarded because of previous errors.",
        ));
    }
    if is_dirty {
        call.reply.null_array();
        return Ok(());
    }
    run(server, call, &queued);
    // Each has said itself what is to be repeated.
    call.propagate_nothing();
    Ok(())
}

fn run(server: &mut Server, call: &mut Call<'_>, transaction: &Transaction) {
    call.reply.array(transaction.queue.len());
    for queued in &transaction.queue {
        execute(
            server,
            &mut Call {
                client: call.client,
                command: queued.command,
                argv: queued.argv.as_argv(),
                query: call.query,
                session: &mut *call.session,
                reply: &mut *call.reply,
                origin: Origin::Exec,
                repeats: Repeats::IfChanged,
                retry: None,
                wait: None,
                waits_as: None,
                took_us: 0,
            },
        );
    }
}

/// Whether a key that was watched was changed, or its time has come.
fn is_dirty(server: &Server, call: &Call<'_>) -> bool {
    let keyspace = &server.keyspace;
    let watched = server.clients.peek(call.client).map(|client| &client.watched);
    watched.is_some_and(|watched| {
        let mut keys = watched.keys.iter();
        watched.is_dirty || keys.any(|(db, key)| keyspace.is_expired(*db, key, keyspace.now_ms))
    })
}

/// WATCH key [key …]
pub(super) fn watch(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if call.session.transaction.is_some() {
        return Err(ReplyError::text("ERR WATCH inside MULTI is not allowed"));
    }
    let db = call.db();
    for key in call.argv.from(1) {
        // One that is due goes at once: that it goes later would be no change.
        server.keyspace.is_alive(db, key);
        let Server { watches, clients, .. } = server;
        // Who is dirty needs to watch nothing more: the transaction fails anyway.
        if let Some(client) = clients.find(call.client)
            && !client.watched.is_dirty
        {
            watches.watch(call.client, &mut client.watched, db, key);
        }
    }
    call.reply.ok();
    Ok(())
}

/// UNWATCH
pub(super) fn unwatch(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    transaction::unwatch(server, call.client);
    call.reply.ok();
    Ok(())
}
