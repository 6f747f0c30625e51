//! Pure: reads a snapshot into a keyspace, step by step.
//!
//! A step reads items (fields, opcodes, keys with their values) until it has used its budget of
//! bytes. Whoever calls it does other things between two steps; the keyspace is whole then, but
//! for keys that are still to come.

use std::time::{Duration, Instant};

use base::random::Random;
use ds::{Record, dict};

use super::{
    Aux, Decoder, Fault, LoadError, Loaded, aux,
    format::{
        self, AUX, EOF, EXPIRETIME, EXPIRETIME_MS, FREQ, FUNCTION, FUNCTION_PRE_GA, IDLE,
        MODULE_AUX, ObjectType, RESIZEDB, SELECTDB, SLOT_IMPORT, SLOT_INFO, Version,
    },
    skip, value,
};
use crate::{
    config::Encoding,
    functions::Functions,
    keyspace::{Access, Keyspace, text_record},
    persist::{self, rio::Reader},
    value::Value,
};

/// The least that a key takes: its type, an empty name, an empty value.
const KEY_BYTES_MIN: u64 = 3;
/// No record holds a longer one.
const KEY_BYTES_MAX: usize = u32::MAX as usize;
/// Of empty keys, so many are logged one by one.
const EMPTY_KEYS_LOGGED_MAX: u64 = 10;
/// So many keys are made room for if nobody knows how much is to come.
const RESERVED_KEYS_MAX: u64 = 1 << 20;
/// So many keys wait together for the memory where they go.
const AHEAD_MAX: usize = 16;
/// While keys are loaded slowly on purpose, a step lasts no longer.
const SLOW_STEP: Duration = Duration::from_millis(50);

/// What becomes of keys that are due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The file is the server's own: they are dropped.
    Own,
    /// Somebody else, or a log of writes, will say when they go: they are kept.
    Other,
}

/// How a snapshot is loaded.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// The bytes that there are, if that is known.
    pub total_bytes: Option<u64>,
    /// Whether the checksum is looked at.
    pub checks_checksum: bool,
    /// What becomes of keys that are due.
    pub origin: Origin,
    /// Keys may be there already, and give way.
    pub replaces: bool,
    /// Values are looked through before they are believed.
    pub is_suspicious: bool,
    /// Up to which size values are compact.
    pub limits: Encoding,
    /// The time, in milliseconds since the epoch.
    pub now_ms: i64,
}

/// What was loaded so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LoadStats {
    /// Keys.
    pub keys_loaded: u64,
    /// Keys that were dropped because they were due.
    pub keys_expired: u64,
    /// Keys that were left out because there was nothing in them.
    pub empty_keys_skipped: u64,
    /// Packed values that were looked through.
    pub examined: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Whether there is more to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// There is.
    More,
    /// All is loaded.
    Done,
}

/// A load under way.
pub struct Loader<'a> {
    decoder: Decoder<'a>,
    options: LoadOptions,
    version: Option<Version>,
    db: usize,
    facts: Facts,
    /// Keys of this database that were read and announced, but not put in yet.
    ahead: Vec<(dict::Hash, Record<Value>)>,
    /// The key that is being loaded, if its type is known.
    key: Vec<u8>,
    reading: Option<ObjectType>,
    stats: LoadStats,
    aux: Aux,
    random: Random,
    /// Libraries of functions: those that were there are put in before, those of the file come
    /// with it.
    pub functions: Functions,
    /// How long to wait after each key, as `key-load-delay` has it.
    pub key_delay_us: i32,
}

/// What was said of the key that comes next.
#[derive(Default)]
struct Facts {
    expiry_ms: Option<i64>,
    access: Option<Access>,
}

impl<'a> Loader<'a> {
    /// Prepares to load from `source`.
    pub fn new(source: Box<dyn std::io::Read + Send + 'a>, options: LoadOptions) -> Self {
        let reader = Reader::new(source, options.total_bytes, options.checks_checksum);
        Self {
            decoder: Decoder::new(reader, options.is_suspicious, options.limits),
            options,
            version: None,
            db: 0,
            facts: Facts::default(),
            ahead: Vec::with_capacity(AHEAD_MAX),
            key: Vec::new(),
            reading: None,
            stats: LoadStats::default(),
            aux: Aux::default(),
            random: Random::from_system(),
            functions: Functions::default(),
            key_delay_us: 0,
        }
    }

    /// Returns what was loaded so far.
    pub fn stats(&self) -> LoadStats {
        let Decoder { reader, examined, .. } = &self.decoder;
        LoadStats { bytes: reader.offset(), examined: *examined, ..self.stats }
    }

    /// Returns what the file says of itself, as far as it has been read.
    pub fn aux(&self) -> &Aux {
        &self.aux
    }

    /// Gives back what comes behind the snapshot.
    pub fn into_reader(self) -> Reader<'a> {
        self.decoder.reader
    }

    /// Loads about so many bytes, and all of a value that it has begun.
    pub fn step(&mut self, keyspace: &mut Keyspace, budget: u64) -> Result<Step, LoadError> {
        self.run(keyspace, budget).map_err(|fault| LoadError {
            fault,
            offset: self.decoder.reader.offset(),
            db: self.db,
            key: self.reading.map(|object_type| (self.key[..].into(), object_type)),
        })
    }

    fn run(&mut self, keyspace: &mut Keyspace, budget: u64) -> Result<Step, Fault> {
        let end = self.decoder.reader.offset().saturating_add(budget);
        let start = (self.key_delay_us != 0).then(Instant::now);
        let version = match self.version {
            Some(version) => version,
            None => *self.version.insert(Version::parse(&self.decoder.reader.array()?)?),
        };
        self.decoder.is_valkey = version == Version::Valkey;
        while self.decoder.reader.offset() < end {
            match self.decoder.byte()? {
                EOF => {
                    self.put(keyspace)?;
                    self.check_end(version)?;
                    return Ok(Step::Done);
                }
                opcode @ format::OPCODE_MIN.. => self.obey(keyspace, opcode)?,
                object_type => self.load_key(keyspace, ObjectType(object_type))?,
            }
            if start.is_some_and(|start| SLOW_STEP < start.elapsed()) {
                break;
            }
        }
        self.put(keyspace)?;
        Ok(Step::More)
    }

    fn obey(&mut self, keyspace: &mut Keyspace, opcode: u8) -> Result<(), Fault> {
        let decoder = &mut self.decoder;
        match opcode {
            EXPIRETIME_MS => self.facts.expiry_ms = Some(decoder.time_ms()?),
            EXPIRETIME => {
                let seconds = i32::from_le_bytes(decoder.reader.array()?);
                self.facts.expiry_ms = Some(i64::from(seconds) * 1000);
            }
            IDLE => {
                let seconds = i64::try_from(decoder.length()?).unwrap_or(i64::MAX);
                self.facts.access = Some(Access::IdleSeconds(seconds));
            }
            FREQ => self.facts.access = Some(Access::Frequency(decoder.byte()?.into())),
            SELECTDB => {
                self.put(keyspace)?;
                let decoder = &mut self.decoder;
                let count = keyspace.db_count();
                let db = usize::try_from(decoder.length()?).ok().filter(|db| *db < count);
                self.db = db.ok_or(Fault::DbCount(count))?;
            }
            RESIZEDB => {
                let most =
                    decoder.reader.left().map_or(RESERVED_KEYS_MAX, |left| left / KEY_BYTES_MIN);
                let size = |count: u64| usize::try_from(count.min(most)).unwrap_or(0);
                let (keys, volatile) = (size(decoder.length()?), size(decoder.length()?));
                keyspace.reserve(self.db, keys, volatile);
            }
            AUX => aux::load(decoder, &mut self.aux, now_s(self.options.now_ms))?,
            // Slots are known by the keys in them.
            SLOT_INFO => {
                for _ in 0..3 {
                    decoder.length()?;
                }
            }
            SLOT_IMPORT if decoder.is_valkey => {
                skip::skip_slot_import(decoder)?;
                sys::log::warning!(
                    "The RDB file is of a node to which slots were on their way: their keys are \
                     loaded like others"
                );
            }
            MODULE_AUX => {
                let number = decoder.length()?;
                return Err(Fault::of_module("AUX module data", "module", number));
            }
            FUNCTION => {
                let added = self.functions.add(&decoder.string()?, self.options.replaces);
                added.map_err(Fault::library)?;
            }
            FUNCTION_PRE_GA => {
                return Err(Fault::corrupt(format::FUNCTION_PRE_GA_REFUSED));
            }
            opcode => {
                return Err(Fault::Corrupt(format!("Unknown RDB opcode {opcode}").into()));
            }
        }
        Ok(())
    }

    fn load_key(&mut self, keyspace: &mut Keyspace, object_type: ObjectType) -> Result<(), Fault> {
        self.key.clear();
        self.key.extend_from_slice(&self.decoder.string()?);
        if KEY_BYTES_MAX < self.key.len() {
            return Err(Fault::corrupt("A key is longer than any key can be"));
        }
        self.reading = Some(object_type);
        let Facts { expiry_ms, access } = std::mem::take(&mut self.facts);
        let loaded = match value::load(&mut self.decoder, object_type) {
            Err(Fault::Empty) => {
                self.skip_empty();
                return Ok(());
            }
            loaded => loaded?,
        };
        let is_due = expiry_ms.is_some_and(|at_ms| at_ms < self.options.now_ms);
        if is_due && self.options.origin == Origin::Own {
            self.stats.keys_expired += 1;
        } else {
            let mut record = record(&self.key, loaded, expiry_ms);
            record.set_lru(keyspace.access_policy.restored(access, self.options.now_ms));
            self.stats.keys_loaded += 1;
            let hash = keyspace.announce(self.db, &record);
            self.ahead.push((hash, record));
        }
        self.reading = None;
        if self.ahead.len() == AHEAD_MAX {
            self.put(keyspace)?;
        }
        persist::delay(self.key_delay_us, &mut self.random);
        Ok(())
    }

    /// Puts in what was read ahead.
    fn put(&mut self, keyspace: &mut Keyspace) -> Result<(), Fault> {
        for (hash, record) in self.ahead.drain(..) {
            let old = keyspace.put_announced(self.db, hash, record);
            if let Some(old) = old.filter(|_| !self.options.replaces) {
                return Err(Fault::Duplicate(old.key().into()));
            }
        }
        Ok(())
    }

    /// Goes on behind a key that holds nothing: some version of Redis has written such.
    fn skip_empty(&mut self) {
        if self.stats.empty_keys_skipped < EMPTY_KEYS_LOGGED_MAX {
            let key = String::from_utf8_lossy(&self.key);
            sys::log::notice!("rdbLoadObject skipping empty key: {key}");
        }
        self.stats.empty_keys_skipped += 1;
        self.reading = None;
    }

    fn check_end(&mut self, version: Version) -> Result<(), Fault> {
        if !version.has_checksum() {
            return Ok(());
        }
        let expected = self.decoder.reader.checksum();
        let found = u64::from_le_bytes(self.decoder.reader.array()?);
        match expected {
            Some(_) if found == 0 => {
                sys::log::notice!("RDB file was saved with checksum disabled: no check performed.");
                Ok(())
            }
            Some(expected) if expected != found => Err(Fault::Checksum { expected, found }),
            _ => Ok(()),
        }
    }
}

/// Makes a record of what was read.
#[inline]
pub(super) fn record(key: &[u8], loaded: Loaded<'_>, expiry_ms: Option<i64>) -> Record<Value> {
    match loaded {
        Loaded::Text(text) => text_record(key, text, expiry_ms),
        Loaded::Value(value) => Record::with_value(key, value, expiry_ms),
    }
}

fn now_s(now_ms: i64) -> u64 {
    u64::try_from(now_ms / 1000).unwrap_or(0)
}
