//! Flow: the gate before each command (the first half of `processCommand`).
//!
//! The order of the questions is Redis's: who asks what is wrong in two ways is told the
//! same of the two. A command that is refused spoils the transaction that it was to be
//! queued in; EXEC that is refused ends its own.

use resp::{Argv, Protocol};

use crate::{
    client::{ClientId, Session, parked::Cause, pause::Scope},
    command::{CommandId, Lookup, flags::Flags},
    error::{REPEATED_BYTES_MAX, ReplyError, printed},
    server::{
        Server,
        evict::{self, Room},
        replicas,
    },
};

/// Redis's text to the letter: tools look for its first word.
const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently \
     unable to persist to disk. Commands that may modify the data set are disabled, because this \
     instance is configured to report errors during writes if RDB snapshotting fails \
     (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB \
     error.";

/// What becomes of a request.
pub enum Verdict {
    /// It runs.
    Run(CommandId),
    /// It waits for EXEC.
    Queue(CommandId),
    /// It waits, and is asked about again.
    Park(CommandId, Cause),
    /// It is answered with an error.
    Refuse(Option<CommandId>, ReplyError),
}

/// Says whether a command may run at all: known, well-formed, allowed at this moment.
pub fn judge(
    server: &mut Server,
    id: ClientId,
    session: &Session,
    protocol: Protocol,
    argv: Argv<'_>,
) -> Verdict {
    let command = match server.commands.find(argv) {
        Lookup::Found(command) => command,
        Lookup::UnknownSubcommand(container) => {
            let asked = argv.at(1).into();
            let error = ReplyError::UnknownSubcommand(container.spec().full_name, asked);
            return Verdict::Refuse(None, error);
        }
        Lookup::Unknown => return Verdict::Refuse(None, unknown_command(argv)),
    };
    let listens = protocol == Protocol::Resp2 && listens(server, id);
    match permit(server, session, listens, command, argv) {
        Err(error) => Verdict::Refuse(Some(command), error),
        Ok(()) if is_paused(server, session, command) => Verdict::Park(command, Cause::Paused),
        Ok(()) if session.transaction.is_some() && !runs_in_transaction(command) => {
            Verdict::Queue(command)
        }
        Ok(()) => Verdict::Run(command),
    }
}

#[inline]
fn permit(
    server: &mut Server,
    session: &Session,
    listens: bool,
    command: CommandId,
    argv: Argv<'_>,
) -> Result<(), ReplyError> {
    let spec = command.spec();
    if !spec.takes(argv.count()) {
        return Err(ReplyError::Arity(spec.full_name.into()));
    }
    if server.requires_auth(session) && !spec.has(Flags::NO_AUTH) {
        return Err(ReplyError::NoAuth);
    }
    if session.transaction.is_some() && spec.has(Flags::NO_MULTI) {
        return Err(ReplyError::text("ERR Command not allowed inside a transaction"));
    }
    if server.config.memory.maxmemory != 0
        && evict::make_room(server) == Room::None
        && needs_memory(session, command)
    {
        return Err(ReplyError::OutOfMemory);
    }
    let writes = writes(session, command);
    if cannot_save(server) && (writes || spec.full_name == "ping") {
        return Err(ReplyError::text(MISCONF));
    }
    if writes && replicas::are_too_few(server) {
        return Err(ReplyError::text("NOREPLICAS Not enough good replicas to write."));
    }
    if listens && !runs_while_listening(command) {
        let name = spec.full_name;
        return Err(ReplyError::Text(
            format!(
                "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT \
                 / RESET are allowed in this context"
            )
            .into(),
        ));
    }
    if server.is_loading() && !spec.has(Flags::LOADING) {
        return Err(ReplyError::Loading);
    }
    // To Redis, who watches is a kind of replica.
    if (session.is_monitor || session.is_replica)
        && spec.flags.has_any(Flags::READONLY.with(Flags::WRITE).with(Flags::MAY_REPLICATE))
    {
        return Err(ReplyError::text("ERR Replica can't interact with the keyspace"));
    }
    Ok(())
}

/// Whether a client listens to channels.
#[inline]
fn listens(server: &Server, id: ClientId) -> bool {
    !server.pubsub.is_empty()
        && server.clients.peek(id).is_some_and(|client| !client.subscriptions.is_empty())
}

/// In RESP2 a message cannot be told from a reply, so who listens calls little else.
fn runs_while_listening(command: CommandId) -> bool {
    let name = command.spec().full_name;
    let is_about_topics = name.ends_with("subscribe");
    is_about_topics || matches!(name, "ping" | "quit" | "reset")
}

/// Whether a command may need more memory. Any that is queued does.
fn needs_memory(session: &Session, command: CommandId) -> bool {
    let spec = command.spec();
    spec.has(Flags::DENYOOM)
        || session.transaction.as_ref().is_some_and(|transaction| match spec.full_name {
            "exec" => transaction.has_any(Flags::DENYOOM),
            "discard" | "quit" | "reset" => false,
            _ => true,
        })
}

/// Whether a command writes, or is EXEC and what was queued does.
#[inline]
fn writes(session: &Session, command: CommandId) -> bool {
    let spec = command.spec();
    if spec.is_write() {
        return true;
    }
    let transaction = session.transaction.as_ref();
    transaction.is_some_and(|queued| queued.has_any(Flags::WRITE) && spec.full_name == "exec")
}

/// Whether snapshots are wanted, and fail: what is written now may be lost.
#[inline]
fn cannot_save(server: &Server) -> bool {
    let persistence = &server.config.persistence;
    server.snapshots.has_background_save_failed
        && persistence.stop_writes_on_bgsave_error
        && !persistence.save.is_empty()
}

/// Whether a pause lets this wait. What is only queued for EXEC waits as if it ran; a replica
/// never waits.
#[inline]
fn is_paused(server: &Server, session: &Session, command: CommandId) -> bool {
    match server.pause.scope() {
        None => false,
        Some(_) if session.is_replica || session.is_monitor => false,
        Some(Scope::All) => true,
        Some(Scope::Writes) => {
            let (spec, changes) = (command.spec(), Flags::WRITE.with(Flags::MAY_REPLICATE));
            let transaction = session.transaction.as_ref().filter(|_| spec.full_name == "exec");
            spec.flags.has_any(changes)
                || transaction.is_some_and(|transaction| transaction.has_any(changes))
        }
    }
}

/// Commands about the transaction itself are not queued in it, nor those that end it.
fn runs_in_transaction(command: CommandId) -> bool {
    let name = command.spec().full_name;
    matches!(name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}

/// Returns the words in which EXEC is told that it was refused.
pub fn exec_refused(error: &ReplyError) -> ReplyError {
    let text = error.to_bytes();
    // Redis leaves the prefix away that says nothing.
    let reason = text.strip_prefix(b"ERR ").unwrap_or(&text);
    ReplyError::Bytes([b"EXECABORT Transaction discarded because of: ", reason].concat())
}

fn unknown_command(argv: Argv<'_>) -> ReplyError {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(shown(argv.at(0), REPEATED_BYTES_MAX));
    text.extend_from_slice(b"', with args beginning with: ");
    let mut repeated = 0;
    for arg in argv.from(1) {
        if REPEATED_BYTES_MAX <= repeated {
            break;
        }
        let arg = shown(arg, REPEATED_BYTES_MAX - repeated);
        text.push(b'\'');
        text.extend_from_slice(arg);
        text.extend_from_slice(b"' ");
        repeated += arg.len() + 3;
    }
    ReplyError::Bytes(text)
}

fn shown(text: &[u8], bytes_max: usize) -> &[u8] {
    printed(&text[..text.len().min(bytes_max)])
}
