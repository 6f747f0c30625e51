//! Pure: the fields that a snapshot has about itself.

use std::io;

use base::number::parse_i64;
use sys::log;

use super::{Decoder, Encoder, Fault, format::AUX};
use crate::version;

/// Such a name means that people want to read the field in the log.
const NOTE: u8 = b'%';
/// The digits of a replication's name.
const REPLICATION_ID_CHARS: usize = 40;

/// What a file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aux {
    /// The memory that the dataset took where it was saved.
    pub used_bytes: u64,
    /// The history that it is a part of.
    pub replication: SavedReplication,
    /// It is the base of an append-only file.
    pub is_aof_base: bool,
    /// Commands follow it.
    pub has_aof_tail: bool,
}

/// The place of a snapshot in a history of writes; whatever is not known is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedReplication {
    /// The database that the stream is at.
    pub stream_db: Option<usize>,
    /// 40 digits.
    pub id: Option<String>,
    /// How far the stream has come.
    pub offset: Option<i64>,
}

/// What is written about a snapshot.
#[derive(Clone, Debug, Default)]
pub struct SavedAux {
    /// When it is made.
    pub now_s: u64,
    /// The memory in use.
    pub used_bytes: u64,
    /// The history that it is a part of, if there is one.
    pub replication: Option<SavedReplication>,
    /// It is the base of an append-only file.
    pub is_aof_base: bool,
}

/// Writes the fields.
pub(super) fn save(encoder: &mut Encoder<'_>, aux: &SavedAux) -> io::Result<()> {
    let mut field = |name: &str, value: &str| {
        encoder.byte(AUX)?;
        encoder.string(name.as_bytes())?;
        encoder.string(value.as_bytes())
    };
    field("redis-ver", version::VERSION)?;
    field("redis-bits", &usize::BITS.to_string())?;
    field("ctime", &aux.now_s.to_string())?;
    field("used-mem", &aux.used_bytes.to_string())?;
    if let Some(SavedReplication { stream_db, id, offset }) = &aux.replication {
        field("repl-stream-db", &stream_db.unwrap_or(0).to_string())?;
        field("repl-id", id.as_deref().unwrap_or_default())?;
        field("repl-offset", &offset.unwrap_or(0).to_string())?;
    }
    field("aof-base", if aux.is_aof_base { "1" } else { "0" })
}

/// Reads a field, whose opcode was read, and says in the log what is worth it.
pub(super) fn load(decoder: &mut Decoder<'_>, aux: &mut Aux, now_s: u64) -> Result<(), Fault> {
    let name = decoder.string()?.into_owned();
    let value = decoder.string()?;
    let text = String::from_utf8_lossy(&value);
    let number = parse_i64(&value);
    if name.first() == Some(&NOTE) {
        log::notice!("RDB '{}': {text}", String::from_utf8_lossy(&name));
        return Ok(());
    }
    match &name.to_ascii_lowercase()[..] {
        b"redis-ver" => log::notice!("Loading RDB produced by version {text}"),
        b"valkey-ver" => log::notice!("Loading RDB produced by Valkey version {text}"),
        b"ctime" => {
            let made_s = number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
            log::notice!("RDB age {} seconds", now_s.saturating_sub(made_s));
        }
        b"used-mem" => {
            aux.used_bytes = number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
            let megabytes = aux.used_bytes as f64 / (1024.0 * 1024.0);
            log::notice!("RDB memory usage when created {megabytes:.2} Mb");
        }
        b"repl-stream-db" => {
            aux.replication.stream_db = number.and_then(|number| usize::try_from(number).ok());
        }
        b"repl-id" if value.len() == REPLICATION_ID_CHARS => {
            aux.replication.id = Some(text.into_owned());
        }
        b"repl-offset" => aux.replication.offset = number,
        b"aof-base" => {
            aux.is_aof_base = number.is_some_and(|number| number != 0);
            if aux.is_aof_base {
                log::notice!("RDB is base AOF");
            }
        }
        b"aof-preamble" => {
            aux.has_aof_tail = number.is_some_and(|number| number != 0);
            if aux.has_aof_tail {
                log::notice!("RDB has an AOF tail");
            }
        }
        // Scripts are not kept; that it ran on 32 or 64 bits means nothing.
        b"lua" | b"redis-bits" | b"repl-id" => {}
        name => {
            log::debug!("Unrecognized RDB AUX field: '{}'", String::from_utf8_lossy(name));
        }
    }
    Ok(())
}
