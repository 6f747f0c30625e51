//! Command: DUMP and RESTORE: values on their way from one server to another.

use base::number::parse_i64;
use ds::Record;
use sys::log;

use crate::{
    config::SanitizeDumpPayload,
    error::ReplyError,
    keyspace::{Access, Event, Gone, Look},
    persist::{
        rdb::{self, Decoder},
        rio::Reader,
    },
    server::{
        Server,
        call::{Call, CommandResult},
        save,
    },
    value::Value,
};

const FREQUENCY_MAX: i64 = 255;

/// DUMP key
pub(super) fn dump(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let version = save::version(server);
    let compresses = server.config.persistence.rdbcompression;
    let Some(record) = server.keyspace.look(db, key, Look::Read) else {
        call.reply.null();
        return Ok(());
    };
    let payload = rdb::dump(record, version, compresses)
        .map_err(|error| ReplyError::Bytes(format!("ERR {error}").into()))?;
    call.reply.bulk(&payload);
    Ok(())
}

/// RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
pub(super) fn restore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let options = Options::parse(call)?;
    if !options.replaces && server.keyspace.touch(db, key, Look::Write) {
        return Err(ReplyError::text("BUSYKEY Target key name already exists."));
    }
    let expiry_ms = options.expiry_ms(call.arg(2), server.keyspace.now_ms)?;
    let record = read(server, key, call.arg(3), expiry_ms)?;
    let keyspace = &mut server.keyspace;
    let was_there = keyspace.delete(db, key, Gone::Overwritten);
    call.reply.ok();
    if expiry_ms.is_some_and(|at_ms| at_ms <= keyspace.now_ms) {
        if was_there {
            let is_lazy = keyspace.lazy.is_lazy(Gone::Overwritten);
            keyspace.written(db, key, Event::DEL);
            let name: &[u8] = if is_lazy { b"UNLINK" } else { b"DEL" };
            call.propagate_as(server, &[name, key]);
        }
        return Ok(());
    }
    keyspace.restore(db, record, options.access);
    keyspace.written(db, key, Event::generic("restore"));
    if let Some(at_ms) = expiry_ms.filter(|_| !options.is_absolute) {
        propagate_absolute(server, call, at_ms);
    }
    Ok(())
}

/// Lets others make a key that expires at the same moment.
fn propagate_absolute(server: &mut Server, call: &mut Call<'_>, at_ms: i64) {
    let mut time = itoa::Buffer::new();
    let mut argv: Vec<&[u8]> = call.argv.iter().collect();
    argv[2] = time.format(at_ms).as_bytes();
    argv.push(b"ABSTTL");
    call.propagate_as(server, &argv);
}

/// Makes a record of a payload.
fn read(
    server: &mut Server,
    key: &[u8],
    payload: &[u8],
    expiry_ms: Option<i64>,
) -> Result<Record<Value>, ReplyError> {
    let body = rdb::verify(payload, !server.snapshots.skips_checksums)
        .ok_or(ReplyError::text("ERR DUMP payload version or checksum are wrong"))?;
    // Whatever `sanitize-dump-payload` says, nothing that a peer sends is believed; it only counts
    // what Redis would have looked through.
    let mut decoder = Decoder::new(Reader::of(body), true, server.config.encoding);
    decoder.is_valkey = rdb::is_of_valkey(payload);
    let restored = rdb::restore_from(&mut decoder, key, expiry_ms);
    if server.config.security.sanitize_dump_payload != SanitizeDumpPayload::No {
        server.stats.examined_payloads += decoder.examined;
    }
    restored.map_err(|fault| {
        log::verbose!("Bad data format in RESTORE: {fault}");
        ReplyError::text("ERR Bad data format")
    })
}

/// What stands behind the payload.
#[derive(Default)]
struct Options {
    replaces: bool,
    is_absolute: bool,
    access: Option<Access>,
}

impl Options {
    fn parse(call: &Call<'_>) -> Result<Self, ReplyError> {
        let mut options = Self::default();
        let mut words = call.argv.from(4);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let mut number = || {
                let text = words.next().ok_or(ReplyError::Syntax)?;
                parse_i64(text).ok_or(ReplyError::NotInteger)
            };
            match () {
                () if is("replace") => options.replaces = true,
                () if is("absttl") => options.is_absolute = true,
                () if is("idletime") && !matches!(options.access, Some(Access::Frequency(_))) => {
                    let seconds = number()?;
                    if seconds < 0 {
                        return Err(ReplyError::text("ERR Invalid IDLETIME value, must be >= 0"));
                    }
                    options.access = Some(Access::IdleSeconds(seconds));
                }
                () if is("freq") && !matches!(options.access, Some(Access::IdleSeconds(_))) => {
                    let frequency = number()?;
                    let counter = u32::try_from(frequency).ok();
                    let counter = counter.filter(|_| frequency <= FREQUENCY_MAX);
                    options.access = Some(Access::Frequency(counter.ok_or(ReplyError::text(
                        "ERR Invalid FREQ value, must be >= 0 and <= 255",
                    ))?));
                }
                () => return Err(ReplyError::Syntax),
            }
        }
        Ok(options)
    }

    fn expiry_ms(&self, ttl: &[u8], now_ms: i64) -> Result<Option<i64>, ReplyError> {
        match parse_i64(ttl).ok_or(ReplyError::NotInteger)? {
            0 => Ok(None),
            ..0 => Err(ReplyError::text("ERR Invalid TTL value, must be >= 0")),
            ttl if self.is_absolute => Ok(Some(ttl)),
            ttl => Ok(Some(now_ms.saturating_add(ttl))),
        }
    }
}
