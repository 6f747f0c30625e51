//! Pure: writes a snapshot of all keys.

use std::io;

use ds::Record;

use super::{
    Encoder, SavedAux, aux,
    format::{
        EOF, EXPIRETIME_MS, FREQ, FUNCTION, IDLE, RESIZEDB, SELECTDB, VERSION_DEFAULT, magic,
    },
    hash, value,
};
use crate::{
    config::MaxmemoryPolicy,
    functions::Functions,
    keyspace::{Access, Keyspace},
    persist::rio::Writer,
    value::Value,
};

/// How a snapshot is written.
#[derive(Clone, Debug)]
pub struct SaveOptions {
    /// The version of the format. What it cannot hold fails the save; the one that is written by
    /// default gives way to a newer one for fields that expire.
    pub version: u8,
    /// Whether strings are compressed.
    pub compresses: bool,
    /// Whether the end is a checksum; zero if not.
    pub has_checksum: bool,
    /// What is written of the use of keys.
    pub access: SavedAccess,
    /// What is written about the snapshot.
    pub aux: SavedAux,
    /// Libraries of functions.
    pub functions: Functions,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            version: VERSION_DEFAULT,
            compresses: true,
            has_checksum: true,
            access: SavedAccess::Nothing,
            aux: SavedAux::default(),
            functions: Functions::default(),
        }
    }
}

/// What is written of the use of keys: what the policy of eviction will ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SavedAccess {
    /// Nothing.
    Nothing,
    /// How long a key was idle.
    Idle,
    /// How often it is used.
    Frequency,
}

impl From<MaxmemoryPolicy> for SavedAccess {
    fn from(policy: MaxmemoryPolicy) -> Self {
        match policy {
            MaxmemoryPolicy::VolatileLru | MaxmemoryPolicy::AllKeysLru => Self::Idle,
            MaxmemoryPolicy::VolatileLfu | MaxmemoryPolicy::AllKeysLfu => Self::Frequency,
            _ => Self::Nothing,
        }
    }
}

/// How far a save has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Keys that were written.
    pub keys: u64,
    /// Bytes that were written.
    pub bytes: u64,
}

/// What a save has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Keys.
    pub keys: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Writes a snapshot of all keys, and of libraries of functions, to `out`, and tells `progress` after each.
pub fn save(
    keyspace: &Keyspace,
    out: &mut dyn io::Write,
    options: &SaveOptions,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Summary> {
    let writer = Writer::new(out, options.has_checksum);
    let version = hash::version_for(options.version, keyspace.has_fields_that_expire());
    let mut encoder = Encoder::new(writer, version, options.compresses);
    encoder.raw(&magic(version))?;
    aux::save(&mut encoder, &options.aux)?;
    for code in options.functions.codes() {
        encoder.byte(FUNCTION)?;
        encoder.string(code)?;
    }
    let mut keys = 0;
    for db in 0..keyspace.db_count() {
        let figures = keyspace.figures(db);
        if figures.keys == 0 {
            continue;
        }
        encoder.byte(SELECTDB)?;
        encoder.length(db as u64)?;
        encoder.byte(RESIZEDB)?;
        encoder.length(figures.keys as u64)?;
        encoder.length(figures.expires as u64)?;
        for record in keyspace.records(db) {
            save_key(&mut encoder, keyspace, options.access, record)?;
            keys += 1;
            progress(Progress { keys, bytes: encoder.writer.written() });
        }
    }
    encoder.byte(EOF)?;
    let checksum = encoder.writer.checksum().unwrap_or(0);
    encoder.raw(&checksum.to_le_bytes())?;
    encoder.writer.flush()?;
    Ok(Summary { keys, bytes: encoder.writer.written() })
}

#[inline]
fn save_key(
    encoder: &mut Encoder<'_>,
    keyspace: &Keyspace,
    access: SavedAccess,
    record: &Record<Value>,
) -> io::Result<()> {
    if let Some(at_ms) = record.expiry() {
        encoder.byte(EXPIRETIME_MS)?;
        encoder.time_ms(at_ms)?;
    }
    if access != SavedAccess::Nothing {
        match keyspace.access_policy.show(record.lru(), keyspace.now_ms) {
            Access::IdleSeconds(seconds) if access == SavedAccess::Idle => {
                encoder.byte(IDLE)?;
                encoder.length(u64::try_from(seconds).unwrap_or(0))?;
            }
            Access::Frequency(counter) if access == SavedAccess::Frequency => {
                encoder.byte(FREQ)?;
                encoder.byte(u8::try_from(counter).unwrap_or(u8::MAX))?;
            }
            _ => {}
        }
    }
    encoder.byte(value::object_type(record, encoder.version).0)?;
    encoder.string(record.key())?;
    value::save(encoder, record)
}

/// Counts the bytes that a value takes in a snapshot.
pub fn value_bytes(record: &Record<Value>, version: u8, compresses: bool) -> io::Result<u64> {
    let mut nowhere = io::sink();
    let version = value::version_for(record, version);
    let mut encoder = Encoder::new(Writer::new(&mut nowhere, false), version, compresses);
    value::save(&mut encoder, record)?;
    Ok(encoder.writer.written())
}
