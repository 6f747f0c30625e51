//! Flow: the gate before each command (the first half of `processCommand`).
//!
//! The order of the questions is Redis's: who asks what is wrong in two ways is told the
//! same of the two. A command that is refused spoils the transaction that it was to be
//! queued in; EXEC that is refused ends its own.

use resp::Argv;

use crate::{
    client::Session,
    command::{CommandId, Lookup, flags::Flags},
    error::{REPEATED_BYTES_MAX, ReplyError, printed},
    server::Server,
};

/// What becomes of a request.
pub enum Verdict {
    /// It runs.
    Run(CommandId),
    /// It waits for EXEC.
    Queue(CommandId),
    /// It is answered with an error.
    Refuse(Option<CommandId>, ReplyError),
}

/// Says whether a command may run at all: known, well-formed, allowed at this moment.
pub fn judge(server: &mut Server, session: &Session, argv: Argv<'_>) -> Verdict {
    let command = match server.commands.find(argv) {
        Lookup::Found(command) => command,
        Lookup::UnknownSubcommand(container) => {
            let asked = argv.at(1).into();
            let error = ReplyError::UnknownSubcommand(container.spec().full_name, asked);
            return Verdict::Refuse(None, error);
        }
        Lookup::Unknown => return Verdict::Refuse(None, unknown_command(argv)),
    };
    match permit(server, session, command, argv) {
        Err(error) => Verdict::Refuse(Some(command), error),
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
    Ok(())
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
