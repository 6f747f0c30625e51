//! Command: DEBUG, as far as there is something to look at: for tests and for the curious.

use std::{thread, time::Duration};

use base::{float::parse_f64, number::parse_i64};
use resp::Protocol;

use crate::{
    commands::help,
    config::ProtectedAction,
    error::ReplyError,
    keyspace::Access,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// DEBUG subcommand [argument …]
pub(super) fn debug(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let is_allowed = match server.config.security.enable_debug_command {
        ProtectedAction::Yes => true,
        ProtectedAction::Local => server.is_local(call.client),
        ProtectedAction::No => false,
    };
    if !is_allowed {
        return Err(ReplyError::text(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \
             \"local\", you can run it from a local connection, otherwise you need to set this \
             option in the configuration file, and then restart the server.",
        ));
    }
    let name = call.arg(1).to_ascii_lowercase();
    match (&name[..], call.argv.count()) {
        (b"help", 2) => help(call),
        (b"sleep", 3) => sleep(call)?,
        (b"object", 3..=4) => return object(server, call),
        (b"protocol", 3) => return protocol(call),
        (b"error", 3) => return Err(ReplyError::Bytes(call.arg(2).into())),
        (b"log", 3) => {
            sys::log::warning!("DEBUG LOG: {}", String::from_utf8_lossy(call.arg(2)));
            call.reply.ok();
        }
        (b"pause-cron", 3) => {
            let is_paused = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
            server.lifecycle.is_cron_paused = is_paused != 0;
            call.reply.ok();
        }
        (b"set-active-expire", 3) => {
            server.lifecycle.expires_actively = call.arg(2) != b"0";
            call.reply.ok();
        }
        _ => return Err(ReplyError::UnknownSubcommand("debug", call.arg(1).into())),
    }
    Ok(())
}

/// DEBUG SLEEP seconds: the whole server sleeps.
fn sleep(call: &mut Call<'_>) -> CommandResult {
    let seconds = parse_f64(call.arg(2)).unwrap_or(0.0);
    if let Ok(time) = Duration::try_from_secs_f64(seconds) {
        thread::sleep(time);
    }
    call.reply.ok();
    Ok(())
}

/// DEBUG OBJECT key [fast]
fn object(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(2));
    let keyspace = &mut server.keyspace;
    let encoding = keyspace.encoding(db, key).ok_or(ReplyError::NoSuchKey)?;
    let refcount = keyspace.refcount(db, key).unwrap_or(1);
    let length = keyspace.peek_text(db, key)?.map_or(0, |text| text.bytes().len());
    let idle_s = match keyspace.access(db, key) {
        Some(Access::IdleSeconds(seconds)) => seconds,
        _ => 0,
    };
    let lru = keyspace.access_field(db, key).unwrap_or(0);
    let text = format!(
        "Value at:0x0 refcount:{refcount} encoding:{encoding} serializedlength:{} lru:{lru} \
         lru_seconds_idle:{idle_s}",
        length + 1
    );
    call.reply.simple(&text);
    Ok(())
}

/// DEBUG PROTOCOL type: one reply of each type there is.
fn protocol(call: &mut Call<'_>) -> CommandResult {
    let name = call.arg(2).to_ascii_lowercase();
    let is_resp3 = call.reply.protocol == Protocol::Resp3;
    match &name[..] {
        b"string" => call.reply.bulk(b"Hello World"),
        b"integer" => call.reply.integer(12345),
        b"double" => call.reply.double(3.141),
        b"null" => call.reply.null(),
        b"array" => {
            call.reply.array(3);
            (0..3).for_each(|n| call.reply.integer(n));
        }
        b"set" => {
            call.reply.set(3);
            (0..3).for_each(|n| call.reply.integer(n));
        }
        b"map" => {
            call.reply.map(3);
            for n in 0..3 {
                call.reply.integer(n);
                call.reply.boolean(n == 1);
            }
        }
        b"attrib" if is_resp3 => {
            call.reply.attribute(1);
            call.reply.bulk(b"key-popularity");
            call.reply.array(2);
            call.reply.bulk(b"key:123");
            call.reply.integer(90);
            call.reply.bulk(b"Some real reply following the attribute");
        }
        b"attrib" => call.reply.bulk(b"Some real reply following the attribute"),
        b"push" if is_resp3 => {
            call.reply.push(2);
            call.reply.bulk(b"server-cpu-usage");
            call.reply.integer(42);
        }
        b"push" => return Err(ReplyError::text("ERR RESP2 is not supported by this command")),
        b"verbatim" => call.reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => call.reply.boolean(true),
        b"false" => call.reply.boolean(false),
        b"bignum" => call.reply.big_number("1234567999999999999999999999999999999"),
        _ => {
            return Err(ReplyError::text(
                "ERR Wrong protocol type name. Please use one of the following: string|integer|\
                 double|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}

fn help(call: &mut Call<'_>) {
    help::reply(
        call,
        &[
            "ERROR <string>",
            "    Return an error reply of <string>.",
            "LOG <message>",
            "    Write <message> to the server's log.",
            "OBJECT <key>",
            "    Show low level facts about <key> and its value.",
            "PAUSE-CRON <0|1>",
            "    Stop the periodic work, or let it go on.",
            "PROTOCOL <type>",
            "    Reply with a test value of <type>: string, integer, double, null, array, set, map,",
            "    attrib, push, verbatim, true, false or bignum.",
            "SET-ACTIVE-EXPIRE <0|1>",
            "    Turn the active expiry of keys off or on.",
            "SLEEP <seconds>",
            "    Stop the server for <seconds>. Decimals are allowed.",
        ],
    );
}
