//! Pure: payloads of DUMP: one value, the version of the format, and a checksum.

use std::io;

use base::checksum::crc64;
use ds::Record;

use super::{
    Decoder, Encoder, Fault,
    format::{ObjectType, VERSION_MAX, VERSION_OF_VALKEY},
    load, value,
};
use crate::{
    config::Encoding,
    persist::rio::{Reader, Writer},
    value::Value,
};

const VERSION_BYTES: usize = 2;
const CHECKSUM_BYTES: usize = 8;

/// Returns a value as RESTORE takes it. Fails if the version cannot hold it.
pub fn dump(record: &Record<Value>, version: u8, compresses: bool) -> io::Result<Vec<u8>> {
    let version = value::version_for(record, version);
    let mut encoder = Encoder::new(Writer::in_memory(), version, compresses);
    encoder.byte(value::object_type(record, encoder.version).0)?;
    value::save(&mut encoder, record)?;
    encoder.raw(&u16::from(version).to_le_bytes())?;
    let mut payload = encoder.writer.into_bytes();
    let checksum = crc64(0, &payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    Ok(payload)
}

/// Returns what stands before the foot of a payload, if version and checksum are right.
pub fn verify(payload: &[u8], checks_checksum: bool) -> Option<&[u8]> {
    let (summed, checksum) = payload.split_last_chunk::<CHECKSUM_BYTES>()?;
    let (body, version) = summed.split_last_chunk::<VERSION_BYTES>()?;
    let version = u16::from_le_bytes(*version);
    let is_known = version <= VERSION_MAX.into() || version == VERSION_OF_VALKEY.into();
    let is_whole = !checks_checksum || crc64(0, summed) == u64::from_le_bytes(*checksum);
    (is_known && is_whole).then_some(body)
}

/// Whether a payload that [`verify`] has passed is Valkey's, to which a type means something else.
pub fn is_of_valkey(payload: &[u8]) -> bool {
    let summed = payload.split_last_chunk::<CHECKSUM_BYTES>().map_or(payload, |(summed, _)| summed);
    summed.ends_with(&u16::from(VERSION_OF_VALKEY).to_le_bytes())
}

/// Makes a record of what [`verify`] has returned.
pub fn restore(
    key: &[u8],
    body: &[u8],
    expiry_ms: Option<i64>,
    is_suspicious: bool,
    limits: Encoding,
) -> Result<Record<Value>, Fault> {
    restore_from(&mut Decoder::new(Reader::of(body), is_suspicious, limits), key, expiry_ms)
}

/// Makes a record of a value, its type before it, that a decoder is at.
pub fn restore_from(
    decoder: &mut Decoder<'_>,
    key: &[u8],
    expiry_ms: Option<i64>,
) -> Result<Record<Value>, Fault> {
    let object_type = ObjectType(decoder.byte()?);
    let loaded = value::load(decoder, object_type)?;
    Ok(load::record(key, loaded, expiry_ms))
}
