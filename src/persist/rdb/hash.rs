//! Pure: hashes in snapshots.
//!
//! ```text
//! 4        fields: length · field, value …
//! 9 13 16  a zipmap, ziplist or listpack of field, value … in one string
//! 24       earliest expiry: ms · fields: length · when it expires: length, field, value …
//! 25       earliest expiry: ms · a listpack of field, value, expiry …
//! 22 23    the same of candidates of Redis 7.4, without the earliest
//! 22       of Valkey: fields: length · field, value, expiry: ms …
//! ```
//! In 24 the expiry counts from the earliest, which is 1; 0 is none. Elsewhere it is a time, and
//! 0 is none, but with Valkey, where that is -1.

#[cfg(test)]
mod tests;

use std::io;

use ds::{
    Depth, Listpack, Set,
    hash::Slot,
    legacy::{Ziplist, Zipmap},
    listpack::{Digits, Item},
};

use super::{Decoder, Encoder, Fault, Loaded, format::ObjectType};
use crate::{
    config::Encoding,
    value::{Expiring, Hash, Value},
};

/// Fields expire since this version of the format.
const VERSION_WITH_EXPIRY: u8 = 12;
/// No field expires later.
const EXPIRY_MS_MAX: u64 = 0xFFFF_FFFF_FFFF;
/// Stands for none in Valkey's format.
const NEVER_OF_VALKEY: i64 = -1;
/// What is wrong where a field comes twice, by what it comes in.
const TWICE: &str = "Hash with dup elements";
const TWICE_IN_ZIPMAP: &str = "Hash zipmap with dup elements";
const TWICE_IN_ZIPLIST: &str = "Hash ziplist integrity check failed: ziplist with dup elements";
const TWICE_IN_LISTPACK: &str = "Hash listpack integrity check failed: listpack with dup elements";
/// So many fields are made room for before there is one.
const RESERVED_FIELDS_MAX: u64 = 1 << 20;

/// Returns the type that a hash is written as.
pub(super) fn object_type(hash: &Hash) -> ObjectType {
    match hash {
        Hash::Packed(_) => ObjectType::HASH_LISTPACK,
        Hash::Expiring(hash) if hash.next_expiry().is_none() => ObjectType::HASH_LISTPACK,
        Hash::Expiring(_) => ObjectType::HASH_LISTPACK_EX,
        Hash::Table(hash) if hash.volatile_len() != 0 => ObjectType::HASH_METADATA,
        Hash::Table(_) => ObjectType::HASH,
    }
}

/// Writes a hash. Fails if a field of it expires and the version does not know of that.
pub(super) fn save(encoder: &mut Encoder<'_>, hash: &Hash) -> io::Result<()> {
    let earliest_ms = hash.next_expiry();
    if let Some(earliest_ms) = earliest_ms {
        if encoder.version < VERSION_WITH_EXPIRY {
            let version = encoder.version;
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("version {version} of the RDB format cannot hold fields that expire"),
            ));
        }
        encoder.time_ms(earliest_ms)?;
    }
    match hash {
        Hash::Packed(list) => encoder.string(list.bytes()),
        // Without a field that expires it is written so that any version can read it.
        Hash::Expiring(hash) if earliest_ms.is_none() => encoder.string(hash.to_pairs().bytes()),
        Hash::Expiring(hash) => encoder.string(hash.list().bytes()),
        Hash::Table(hash) => save_table(encoder, hash, earliest_ms),
    }
}

fn save_table(
    encoder: &mut Encoder<'_>,
    hash: &ds::hash::Hash,
    earliest_ms: Option<i64>,
) -> io::Result<()> {
    encoder.length(hash.len() as u64)?;
    for field in hash.iter() {
        if let Some(earliest_ms) = earliest_ms {
            let ttl = field.expiry().map_or(0, |expiry_ms| expiry_ms.abs_diff(earliest_ms) + 1);
            encoder.length(ttl)?;
        }
        encoder.string(field.name())?;
        encoder.string(field.value())?;
    }
    Ok(())
}

/// Returns the version that is written where `version` is asked for and some field expires:
/// what is written by default must not fail. Who asks for an older one wants it to be read there.
pub(super) fn version_for(version: u8, has_fields_that_expire: bool) -> u8 {
    let is_raised = has_fields_that_expire && version == super::format::VERSION_DEFAULT;
    if is_raised { VERSION_WITH_EXPIRY } else { version }
}

/// Reads a hash. Whoever wrote it, each listpack is looked through.
pub(super) fn load(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
) -> Result<Loaded<'static>, Fault> {
    let hash = match object_type {
        ObjectType::HASH_ZIPMAP => load_zipmap(decoder)?,
        ObjectType::HASH_ZIPLIST => load_ziplist(decoder)?,
        ObjectType::HASH_LISTPACK => load_listpack(decoder)?,
        ObjectType::HASH_LISTPACK_EX => {
            earliest(decoder)?;
            load_triples(decoder)?
        }
        ObjectType::HASH_LISTPACK_EX_PRE_GA => load_triples(decoder)?,
        ObjectType::HASH => load_fields(decoder, |_| Ok(None), |_| Ok(None))?,
        ObjectType::HASH_METADATA_PRE_GA if decoder.is_valkey => load_fields(
            decoder,
            |_| Ok(None),
            |decoder| match decoder.time_ms()? {
                NEVER_OF_VALKEY => Ok(None),
                // A time like others there, and long over.
                0 => Ok(Some(1)),
                time_ms => expiry(u64::try_from(time_ms).unwrap_or(u64::MAX)),
            },
        )?,
        ObjectType::HASH_METADATA_PRE_GA => {
            load_fields(decoder, |decoder| expiry(decoder.length()?), |_| Ok(None))?
        }
        _ => {
            let earliest_ms = earliest(decoder)?;
            let expiry = |decoder: &mut Decoder<'_>| match decoder.length()? {
                0 => Ok(None),
                ttl => expiry(earliest_ms.saturating_add(ttl - 1)),
            };
            load_fields(decoder, expiry, |_| Ok(None))?
        }
    };
    if hash.is_empty() {
        return Err(Fault::Empty);
    }
    Ok(Loaded::Value(Value::Hash(hash)))
}

/// Reads field by field; of each, what stands before it or behind it may say when it expires.
fn load_fields(
    decoder: &mut Decoder<'_>,
    before: impl Fn(&mut Decoder<'_>) -> Result<Option<i64>, Fault>,
    behind: impl Fn(&mut Decoder<'_>) -> Result<Option<i64>, Fault>,
) -> Result<Hash, Fault> {
    let count = decoder.count()?;
    let mut made = Making::new(decoder.limits, count, decoder.is_suspicious, TWICE);
    let (mut name, mut value) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let expiry_before = before(decoder)?;
        name.clear();
        name.extend_from_slice(&decoder.string()?);
        value.clear();
        value.extend_from_slice(&decoder.string()?);
        let expiry_ms = expiry_before.or(behind(decoder)?);
        made.make_table_if_long(&name, &value);
        made.add(&name, &value, expiry_ms)?;
    }
    Ok(made.finish())
}

fn load_zipmap(decoder: &mut Decoder<'_>) -> Result<Hash, Fault> {
    let (limits, bytes) = (decoder.limits, decoder.string()?);
    let zipmap = Zipmap::check(&bytes);
    let zipmap = zipmap.map_err(|_| Fault::corrupt("Zipmap integrity check failed."))?;
    let mut made = Making::new(limits, zipmap.count() as u64, true, TWICE_IN_ZIPMAP);
    for (name, value) in zipmap.iter() {
        made.make_table_if_long(name, value);
        made.add(name, value, None)?;
    }
    Ok(made.hash)
}

fn load_ziplist(decoder: &mut Decoder<'_>) -> Result<Hash, Fault> {
    let (limits, bytes) = (decoder.limits, decoder.string()?);
    let corrupt = || Fault::corrupt("Hash ziplist integrity check failed.");
    let ziplist = Ziplist::check(&bytes).map_err(|_| corrupt())?;
    if !ziplist.count().is_multiple_of(2) {
        return Err(corrupt());
    }
    let mut made = Making::new(limits, ziplist.count() as u64 / 2, true, TWICE_IN_ZIPLIST);
    let (mut digits, mut more) = (Digits::default(), Digits::default());
    let mut items = ziplist.iter();
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        made.add(name.text(&mut digits), value.text(&mut more), None)?;
    }
    Ok(made.hash)
}

fn load_listpack(decoder: &mut Decoder<'_>) -> Result<Hash, Fault> {
    let (limits, is_suspicious) = (decoder.limits, decoder.is_suspicious);
    let list = listpack_of(decoder, 2)?;
    let count = list.count() / 2;
    if count <= limits.hash_max_listpack_entries && !is_suspicious {
        return Ok(Hash::Packed(list));
    }
    let mut made = Making::new(limits, count as u64, is_suspicious, TWICE_IN_LISTPACK);
    let (mut digits, mut more) = (Digits::default(), Digits::default());
    if let Hash::Packed(_) = &made.hash {
        // Only to see that no field is there twice.
        list.pairs().try_for_each(|(name, _)| made.note(name.text(&mut digits)))?;
        return Ok(Hash::Packed(list));
    }
    for (name, value) in list.pairs() {
        made.add(name.text(&mut digits), value.text(&mut more), None)?;
    }
    Ok(made.hash)
}

/// Reads a listpack of fields, values and times.
fn load_triples(decoder: &mut Decoder<'_>) -> Result<Hash, Fault> {
    let (limits, is_suspicious) = (decoder.limits, decoder.is_suspicious);
    let list = listpack_of(decoder, 3)?;
    let mut made = Making::new(limits, list.count() as u64 / 3, is_suspicious, TWICE_IN_LISTPACK);
    let (mut digits, mut more) = (Digits::default(), Digits::default());
    let mut items = list.iter();
    while let (Some(name), Some(value), Some(time)) = (items.next(), items.next(), items.next()) {
        let time_ms = time.integer().and_then(|time_ms| u64::try_from(time_ms).ok());
        let expiry_ms = expiry(time_ms.unwrap_or(u64::MAX))?;
        made.add(name.text(&mut digits), value.text(&mut more), expiry_ms)?;
    }
    Ok(made.finish())
}

/// Reads a listpack, in which so many elements belong together.
fn listpack_of(decoder: &mut Decoder<'_>, stride: usize) -> Result<Listpack, Fault> {
    let list = Listpack::from_bytes(&decoder.packed()?, Depth::Deep).ok();
    list.filter(|list| list.count().is_multiple_of(stride))
        .ok_or(Fault::corrupt("Hash listpack integrity check failed."))
}

/// Reads the earliest time at which a field expires.
fn earliest(decoder: &mut Decoder<'_>) -> Result<u64, Fault> {
    let time_ms = u64::try_from(decoder.time_ms()?).ok();
    // One above says that there is none.
    let is_time = |time_ms: &u64| *time_ms <= EXPIRY_MS_MAX + 1;
    time_ms.filter(is_time).ok_or(Fault::corrupt("Hash read invalid minExpire value"))
}

/// Takes a time as one at which a field expires; 0 is none.
fn expiry(time_ms: u64) -> Result<Option<i64>, Fault> {
    match time_ms {
        0 => Ok(None),
        1..=EXPIRY_MS_MAX => Ok(i64::try_from(time_ms).ok()),
        _ => Err(Fault::corrupt("Hash with an invalid time of expiry")),
    }
}

/// A hash in the making.
struct Making {
    hash: Hash,
    limits: Encoding,
    /// The fields so far, where nothing else would tell that one comes twice.
    names: Option<Set>,
    /// What is wrong where one comes twice.
    twice: &'static str,
}

impl Making {
    fn new(limits: Encoding, count: u64, is_suspicious: bool, twice: &'static str) -> Self {
        let mut hash = Hash::default();
        if (limits.hash_max_listpack_entries as u64) < count {
            let fields = count.min(RESERVED_FIELDS_MAX);
            // Without room at once it grows step by step.
            let _ = hash.to_table().reserve(usize::try_from(fields).unwrap_or(0));
        }
        Self { hash, limits, names: is_suspicious.then(Set::new), twice }
    }

    /// Makes a table of it if a field is too long for a listpack.
    fn make_table_if_long(&mut self, name: &[u8], value: &[u8]) {
        let most = self.limits.hash_max_listpack_value;
        if most < name.len() || most < value.len() {
            self.hash.to_table();
        }
    }

    fn add(&mut self, name: &[u8], value: &[u8], expiry_ms: Option<i64>) -> Result<(), Fault> {
        self.note(name)?;
        let bytes = name.len().saturating_add(value.len());
        if !self.hash.list().is_some_and(|list| list.has_room_for(bytes)) {
            self.hash.to_table();
        }
        if let (Hash::Packed(list), Some(_)) = (&self.hash, expiry_ms) {
            self.hash = Hash::Expiring(Expiring::from(list));
        }
        match &mut self.hash {
            Hash::Packed(list) => list.append_two(Item::Bytes(name), Item::Bytes(value)),
            Hash::Expiring(hash) => hash.push(Item::Bytes(name), Item::Bytes(value), expiry_ms),
            Hash::Table(hash) => match hash.entry(name) {
                Slot::Vacant(slot) => {
                    slot.insert(value, expiry_ms);
                }
                Slot::Occupied(_) => return Err(Fault::corrupt(self.twice)),
            },
        }
        Ok(())
    }

    /// Notes a field of a listpack; in a table it is found to be there twice anyhow.
    fn note(&mut self, name: &[u8]) -> Result<(), Fault> {
        let is_list = self.hash.list().is_some();
        let names = self.names.as_mut().filter(|_| is_list);
        if names.is_some_and(|names| !names.insert(name)) {
            return Err(Fault::corrupt(self.twice));
        }
        Ok(())
    }

    fn finish(mut self) -> Hash {
        if let Hash::Expiring(hash) = &mut self.hash {
            hash.put_in_order();
        }
        self.hash
    }
}
