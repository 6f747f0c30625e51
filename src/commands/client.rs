//! Command: CLIENT: what clients are called, who they are, and how to be rid of them.

mod kill;
mod list;
mod pause;
mod tracking;

use crate::{
    client::{Client, ReplyMode},
    commands::help,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

pub(super) use kill::kill;
pub(super) use list::{info, list};
pub(super) use pause::{pause, unblock, unpause};
pub(super) use tracking::{caching, getredir, tracking, trackinginfo};

/// CLIENT ID
pub(super) fn id(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let number = caller(server, call).number;
    call.reply.integer(i64::try_from(number).unwrap_or(i64::MAX));
    Ok(())
}

/// CLIENT GETNAME
pub(super) fn getname(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    match &caller(server, call).name {
        Some(name) => call.reply.bulk(name),
        None => call.reply.null(),
    }
    Ok(())
}

/// CLIENT SETNAME connection-name; an empty one takes the name off.
pub(super) fn setname(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    rename(server, call, call.arg(2))?;
    call.reply.ok();
    Ok(())
}

/// Gives the calling client another name.
pub(super) fn rename(server: &mut Server, call: &Call<'_>, name: &[u8]) -> CommandResult {
    if !is_clean_name(name) {
        return Err(name_error());
    }
    caller(server, call).name = (!name.is_empty()).then(|| name.into());
    Ok(())
}

/// Whether a name can stand in CLIENT LIST, whose fields end at a space.
pub(super) fn is_clean_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// Returns the error for a name that is not clean.
pub(super) fn name_error() -> ReplyError {
    ReplyError::text("ERR Client names cannot contain spaces, newlines or special characters.")
}

/// CLIENT SETINFO LIB-NAME name | LIB-VER version
pub(super) fn setinfo(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (attribute, value) = (call.arg(2), call.arg(3));
    let is_name = attribute.eq_ignore_ascii_case(b"lib-name");
    if !is_name && !attribute.eq_ignore_ascii_case(b"lib-ver") {
        return Err(ReplyError::quoting("ERR Unrecognized option '", attribute, "'"));
    }
    if !is_clean_name(value) {
        let tail = " cannot contain spaces, newlines or special characters.";
        return Err(ReplyError::quoting("ERR ", attribute, tail));
    }
    let value = (!value.is_empty()).then(|| value.into());
    let client = caller(server, call);
    if is_name {
        client.library_name = value
    } else {
        client.library_version = value
    }
    call.reply.ok();
    Ok(())
}

/// CLIENT REPLY ON | OFF | SKIP
pub(super) fn reply(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let mode = call.arg(2);
    if mode.eq_ignore_ascii_case(b"on") {
        call.session.reply_mode = ReplyMode::On;
        call.reply.ok();
    } else if mode.eq_ignore_ascii_case(b"off") {
        call.session.reply_mode = ReplyMode::Off;
    } else if mode.eq_ignore_ascii_case(b"skip") {
        if call.session.reply_mode != ReplyMode::Off {
            call.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(ReplyError::Syntax);
    }
    Ok(())
}

/// CLIENT NO-EVICT ON | OFF
pub(super) fn no_evict(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    caller(server, call).no_evict = parse_switch(call.arg(2))?;
    call.reply.ok();
    Ok(())
}

/// CLIENT NO-TOUCH ON | OFF
pub(super) fn no_touch(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.session.no_touch = parse_switch(call.arg(2))?;
    call.reply.ok();
    Ok(())
}

/// CLIENT HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "CACHING (YES|NO)",
            "    In the modes OPTIN and OPTOUT: track the keys of the next command, or do not.",
            "GETNAME",
            "    Return the name of the current connection.",
            "GETREDIR",
            "    Return the ID of the client that is told of changed keys instead of this one.",
            "ID",
            "    Return the ID of the current connection.",
            "INFO",
            "    Return information about the current client connection.",
            "KILL <ip:port>",
            "    Kill the connection made from <ip:port>.",
            "KILL <option> <value> [<option> <value> [...]]",
            "    Kill connections that match all options. Options are:",
            "    * ADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made from the address.",
            "    * LADDR (<ip:port>|<unixsocket>:0)",
            "      Kill connections made to the address.",
            "    * ID <client-id>",
            "      Kill the connection with this ID.",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
            "      Kill connections of this type.",
            "    * USER <username>",
            "      Kill connections authenticated as this user.",
            "    * SKIPME (YES|NO)",
            "      Skip killing the current connection (default: yes).",
            "LIST [options ...]",
            "    Return information about client connections. Options:",
            "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
            "      Return clients of this type.",
            "    * ID <client-id> [<client-id> ...]",
            "      Return clients with these IDs.",
            "NO-EVICT (ON|OFF)",
            "    Protect the current connection from client eviction.",
            "NO-TOUCH (ON|OFF)",
            "    Keep commands of this connection from refreshing keys' LRU/LFU statistics.",
            "PAUSE <timeout> [WRITE|ALL]",
            "    Let all clients wait, or those that write, for <timeout> milliseconds.",
            "REPLY (ON|OFF|SKIP)",
            "    Control the replies sent to the current connection.",
            "SETINFO <option> <value>",
            "    Set attributes of the client's library. Options are:",
            "    * LIB-NAME: the library's name.",
            "    * LIB-VER: the library's version.",
            "SETNAME <name>",
            "    Assign a name to the current connection.",
            "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
            "         [OPTIN] [OPTOUT] [NOLOOP]",
            "    Tell the connection which keys have changed, so that it can cache values.",
            "TRACKINGINFO",
            "    Show how the current connection tracks keys.",
            "UNBLOCK <clientid> [TIMEOUT|ERROR]",
            "    End the wait of a client that a blocking command keeps.",
            "UNPAUSE",
            "    End the pause of clients.",
        ],
    );
    Ok(())
}

fn parse_switch(word: &[u8]) -> Result<bool, ReplyError> {
    match word {
        word if word.eq_ignore_ascii_case(b"on") => Ok(true),
        word if word.eq_ignore_ascii_case(b"off") => Ok(false),
        _ => Err(ReplyError::Syntax),
    }
}

/// Returns the client that calls; it lives for as long as its command runs.
fn caller<'a>(server: &'a mut Server, call: &Call<'_>) -> &'a mut Client {
    server.clients.find_even_closing(call.client).expect("freed only before sleep")
}
