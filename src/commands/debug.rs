//! Command: DEBUG, as far as there is something to look at: for tests and for the curious.

mod clients;
mod ending;
mod packed;
mod reload;
mod tables;

use std::{ptr, thread, time::Duration};

use base::float::parse_f64;
use ds::Record;
use resp::Protocol;
use sys::crash;

use crate::{
    commands::help,
    config::ProtectedAction,
    error::{REPEATED_BYTES_MAX, ReplyError},
    keyspace::{Access, Text},
    persist::rdb,
    server::{
        Server,
        call::{Call, CommandResult},
        restart::Restart,
        save,
    },
};

/// What DEBUG PROTOCOL shows of doubles. It is not meant to be pi.
#[expect(clippy::approx_constant, reason = "it is not pi to clients that compare")]
const DOUBLE_SHOWN: f64 = 3.141;

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
        (b"config-rewrite-force-all", 2) => {
            server.config.rewrite_all().map_err(|error| {
                ReplyError::Bytes(format!("ERR CONFIG-REWRITE-FORCE-ALL failed: {error}").into())
            })?;
            call.reply.ok();
        }
        (b"segfault", 2) => crash::fault(),
        (b"panic", 2) => panic!("called by DEBUG PANIC"),
        (b"assert", 2) => assert!(call.argv.count() != 2),
        (b"sleep", 3) => sleep(call)?,
        (b"oom", _) => ending::out_of_memory(),
        (b"leak", 3) => ending::leak(call),
        (b"restart", _) => return ending::restart(server, call, Restart::Graceful),
        (b"crash-and-recover", _) => return ending::restart(server, call, Restart::Crash),
        (b"replybuffer", 4) => return clients::reply_buffer(server, call),
        (b"client-eviction", 2) => return clients::eviction(server, call),
        (b"populate", 3..=5) => return tables::populate(server, call),
        (b"htstats", 3..) => return tables::htstats(server, call),
        (b"htstats-key", 3..) => return tables::htstats_key(server, call),
        (b"stringmatch-test", 2) => tables::stringmatch_test(call),
        (b"change-repl-id", 2) => tables::change_repl_id(server, call),
        (b"object", 3) => return object(server, call),
        (b"listpack", 3) => return packed::listpack(server, call),
        (b"quicklist", 3 | 4) => return packed::quicklist(server, call),
        (b"quicklist-packed-threshold", 3) => return packed::packed_threshold(call),
        (b"sdslen", 3) => return sdslen(server, call),
        (b"reload", _) => return reload::reload(server, call),
        (b"digest", 2) => return reload::digest(server, call),
        (b"digest-value", _) => return reload::digest_value(server, call),
        (b"set-skip-checksum-validation", 3) => {
            server.snapshots.skips_checksums = is_nonzero(call.arg(2));
            call.reply.ok();
        }
        (b"protocol", 3) => return protocol(server, call),
        // It is a reply like others: Redis does not count it as an error.
        (b"error", 3) => call.reply.error(call.arg(2)),
        (b"log", 3) => {
            sys::log::warning!("DEBUG LOG: {}", String::from_utf8_lossy(call.arg(2)));
            call.reply.ok();
        }
        (b"pause-cron", 3) => {
            server.lifecycle.is_cron_paused = is_nonzero(call.arg(2));
            call.reply.ok();
        }
        (b"set-active-expire", 3) => {
            server.lifecycle.expires_actively = is_nonzero(call.arg(2));
            call.reply.ok();
        }
        _ => return Err(unknown(call)),
    }
    Ok(())
}

fn unknown(call: &Call<'_>) -> ReplyError {
    let name = call.arg(1);
    let text = "ERR unknown subcommand or wrong number of arguments for '";
    let name = &name[..name.len().min(REPEATED_BYTES_MAX)];
    ReplyError::quoting(text, name, "'. Try DEBUG HELP.")
}

/// Reads a number as C's `atoi` does, which takes what it can and calls the rest 0.
fn is_nonzero(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    digits.iter().take_while(|byte| byte.is_ascii_digit()).any(|digit| *digit != b'0')
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

/// DEBUG OBJECT key
fn object(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(2));
    let keyspace = &server.keyspace;
    let encoding = keyspace.encoding(db, key).ok_or(ReplyError::NoSuchKey)?;
    let refcount = keyspace.refcount(db, key).unwrap_or(1);
    let value = keyspace.peek(db, key).and_then(Record::value);
    let address: *const u8 = match keyspace.peek_text(db, key) {
        Ok(text) => text.map_or(&[][..], Text::bytes).as_ptr(),
        Err(_) => value.map_or(ptr::null(), |value| ptr::from_ref(value).cast()),
    };
    let facts = packed::facts(value);
    let idle_s = match keyspace.access(db, key) {
        Some(Access::IdleSeconds(seconds)) => seconds,
        _ => 0,
    };
    let lru = keyspace.access_field(db, key).unwrap_or(0);
    let text = format!(
        "Value at:{:p} refcount:{refcount} encoding:{encoding} serializedlength:{} lru:{lru} \
         lru_seconds_idle:{idle_s}{facts}",
        address,
        serialized_bytes(server, db, key)?,
    );
    call.reply.simple(&text);
    Ok(())
}

/// Counts the bytes that a value takes in a snapshot.
fn serialized_bytes(server: &Server, db: usize, key: &[u8]) -> Result<u64, ReplyError> {
    let record = server.keyspace.peek(db, key).ok_or(ReplyError::NoSuchKey)?;
    let compresses = server.config.persistence.rdbcompression;
    rdb::value_bytes(record, save::version(server), compresses)
        .map_err(|error| ReplyError::Bytes(format!("ERR {error}").into()))
}

/// DEBUG SDSLEN key
fn sdslen(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(2));
    let keyspace = &server.keyspace;
    let encoding = keyspace.encoding(db, key).ok_or(ReplyError::NoSuchKey)?;
    let room = keyspace.text_room(db, key).filter(|_| encoding != "int");
    let room = room.ok_or(ReplyError::text("ERR Not an sds encoded string."))?;
    let length = keyspace.peek_text(db, key)?.map_or(0, |text| text.bytes().len());
    let text = format!(
        "key_sds_len:{}, key_sds_avail:0, key_zmalloc: {}, val_sds_len:{length}, \
         val_sds_avail:{}, val_zmalloc: {}",
        key.len(),
        room.key_bytes,
        room.spare,
        room.value_bytes
    );
    call.reply.simple(&text);
    Ok(())
}

/// DEBUG PROTOCOL type: one reply of each type there is.
fn protocol(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let name = call.arg(2).to_ascii_lowercase();
    let is_resp3 = call.reply.protocol == Protocol::Resp3;
    match &name[..] {
        b"string" => call.reply.bulk(b"Hello World"),
        b"integer" => call.reply.integer(12345),
        b"double" => call.reply.double(DOUBLE_SHOWN),
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
            server.clients.push(call.client, |reply| {
                reply.push(2);
                reply.bulk(b"server-cpu-usage");
                reply.integer(42);
            });
            call.reply.bulk(b"Some real reply following the push reply");
        }
        b"push" => return Err(ReplyError::text("ERR RESP2 is not supported by this command")),
        b"verbatim" => call.reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => call.reply.boolean(true),
        b"false" => call.reply.boolean(false),
        b"bignum" => call.reply.big_number("1234567999999999999999999999999999999"),
        _ => {
            return Err(ReplyError::text(
                "ERR Wrong protocol type name. Please use one of the following: string|integer|\
                 double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}

fn help(call: &mut Call<'_>) {
    help::reply(
        call,
        &[
            "ASSERT",
            "    Crash the server, by an assertion that fails.",
            "CHANGE-REPL-ID",
            "    Begin another history of writes, for who replicates this server.",
            "CLIENT-EVICTION",
            "    Show how many clients take how much memory, where maxmemory-clients bounds it.",
            "CONFIG-REWRITE-FORCE-ALL",
            "    Rewrite the configuration file with every parameter, also those at their default.",
            "CRASH-AND-RECOVER [<milliseconds>]",
            "    Begin the program anew at once, after <milliseconds> (default 0).",
            "DIGEST",
            "    Show a digest of all data, the same for the same data.",
            "DIGEST-VALUE [<key> ...]",
            "    Show a digest of the value of each <key>.",
            "ERROR <string>",
            "    Return an error reply of <string>.",
            "HTSTATS <db> [full]",
            "    Show how the tables of a database are filled.",
            "HTSTATS-KEY <key> [full]",
            "    Show how the table of a value is filled.",
            "LEAK <string>",
            "    Take memory for <string> that is never given back.",
            "LISTPACK <key>",
            "    Print the elements of a <key> that is held in a listpack on the server's output.",
            "LOG <message>",
            "    Write <message> to the server's log.",
            "OBJECT <key>",
            "    Show low level facts about <key> and its value.",
            "OOM",
            "    Crash the server, by asking for more memory than there is.",
            "PANIC",
            "    Crash the server, by a panic.",
            "PAUSE-CRON <0|1>",
            "    Stop the periodic work, or let it go on.",
            "POPULATE <count> [<prefix>] [<size>]",
            "    Create <count> strings <prefix>:<number> (default: key:<number>) of <size> bytes,",
            "    where there is no such key. Replicas do not repeat it.",
            "PROTOCOL <type>",
            "    Reply with a test value of <type>: string, integer, double, null, array, set, map,",
            "    attrib, push, verbatim, true, false or bignum.",
            "QUICKLIST <key> [<0|1>]",
            "    Print the nodes of a <key> that is a large list on the server's output, with their",
            "    elements (1) or without (0, the default).",
            "QUICKLIST-PACKED-THRESHOLD <size>",
            "    Set from which <size> on an element of a list is a node of its own (0: 1gb).",
            "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
            "    Save all data and load it again: over the keys there are (NOFLUSH), which may give",
            "    way (MERGE), from the last snapshot (NOSAVE).",
            "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>",
            "    Set after how long the peak of a client's reply buffer is forgotten; RESET is the",
            "    default.",
            "REPLYBUFFER RESIZING <0|1>",
            "    Stop the resizing of reply buffers, or let it go on.",
            "RESTART [<milliseconds>]",
            "    Rewrite the configuration, shut down, and begin the program anew, after",
            "    <milliseconds> (default 0).",
            "SDSLEN <key>",
            "    Show how long the texts of <key> and its value are, and what they take.",
            "SEGFAULT",
            "    Crash the server, by a fatal signal.",
            "SET-ACTIVE-EXPIRE <0|1>",
            "    Turn the active expiry of keys off or on.",
            "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
            "    Believe snapshots and payloads whose checksum is wrong, or do not.",
            "SLEEP <seconds>",
            "    Stop the server for <seconds>. Decimals are allowed.",
            "STRINGMATCH-TEST",
            "    Match random texts with random patterns.",
        ],
    );
}
