//! Pure: payloads of DUMP: one value, the version of the format, and a checksum.

use std::io;

use base::checksum::crc64;
use ds::Record;

use super::{
    Decoder, Encoder, Fault,
    format::{ObjectType, VERSION_MAX},
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
    let is_known = u16::from_le_bytes(*version) <= VERSION_MAX.into();
    let is_whole = !checks_checksum || crc64(0, summed) == u64::from_le_bytes(*checksum);
    (is_known && is_whole).then_some(body)
}

/// Makes a record of what [`verify`] has returned.
pub fn restore(
    key: &[u8],
    body: &[u8],
    expiry_ms: Option<i64>,
    is_suspicious: bool,
    limits: Encoding,
) -> Result<Record<Value>, Fault> {
    let mut decoder = Decoder::new(Reader::of(body), is_suspicious, limits);
    let object_type = ObjectType(decoder.byte()?);
    let loaded = value::load(&mut decoder, object_type)?;
    Ok(load::record(key, loaded, expiry_ms))
}
