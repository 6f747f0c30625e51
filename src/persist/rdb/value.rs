//! Pure: who writes and reads which type of value. A type has a line in each function here.

use std::io;

use ds::{Content, Record};

use super::{
    Decoder, Encoder, Fault,
    format::{self, ObjectType},
    hash, list, set, skip, stream, string, zset,
};
use crate::value::Value;

/// A value that was read.
#[derive(Debug)]
pub enum Loaded<'a> {
    /// A string, to be copied to where it belongs.
    Text(&'a [u8]),
    /// A value as it is.
    Value(Value),
}

/// Returns the type that a value is written as in a version of the format.
#[inline]
pub(super) fn object_type(record: &Record<Value>, version: u8) -> ObjectType {
    match record.content() {
        Content::Embedded(_) | Content::Value(Value::Text(_)) => ObjectType::STRING,
        Content::Value(Value::List(_)) => ObjectType::LIST_QUICKLIST_2,
        Content::Value(Value::Set(set)) => set::object_type(set, version),
        Content::Value(Value::Hash(hash)) => hash::object_type(hash),
        Content::Value(Value::Zset(zset)) => zset::object_type(zset),
        Content::Value(Value::Stream(_)) => stream::object_type(version),
    }
}

/// Returns the version that a value is written in where `version` is asked for.
#[inline]
pub(super) fn version_for(record: &Record<Value>, version: u8) -> u8 {
    match record.value() {
        Some(Value::Hash(hash)) => hash::version_for(version, hash.next_expiry().is_some()),
        _ => version,
    }
}

/// Writes a value. Fails if the version of the format cannot hold it.
#[inline]
pub(super) fn save(encoder: &mut Encoder<'_>, record: &Record<Value>) -> io::Result<()> {
    match record.content() {
        Content::Embedded(text) => string::save(encoder, text),
        Content::Value(Value::Text(text)) => string::save(encoder, text.bytes()),
        Content::Value(Value::List(list)) => list::save(encoder, list),
        Content::Value(Value::Set(set)) => set::save(encoder, set),
        Content::Value(Value::Hash(hash)) => hash::save(encoder, hash),
        Content::Value(Value::Zset(zset)) => zset::save(encoder, zset),
        Content::Value(Value::Stream(stream)) => stream::save(encoder, stream),
    }
}

/// Reads a value of a type. One that has nothing in it is [`Fault::Empty`], and was read whole.
#[inline]
pub(super) fn load<'d>(
    decoder: &'d mut Decoder<'_>,
    object_type: ObjectType,
) -> Result<Loaded<'d>, Fault> {
    match object_type {
        ObjectType::STRING => string::load(decoder),
        ObjectType::LIST
        | ObjectType::LIST_ZIPLIST
        | ObjectType::LIST_QUICKLIST
        | ObjectType::LIST_QUICKLIST_2 => list::load(decoder, object_type),
        ObjectType::HASH
        | ObjectType::HASH_ZIPMAP
        | ObjectType::HASH_ZIPLIST
        | ObjectType::HASH_LISTPACK
        | ObjectType::HASH_METADATA_PRE_GA
        | ObjectType::HASH_LISTPACK_EX_PRE_GA
        | ObjectType::HASH_METADATA
        | ObjectType::HASH_LISTPACK_EX => hash::load(decoder, object_type),
        ObjectType::SET | ObjectType::SET_INTSET | ObjectType::SET_LISTPACK => {
            set::load(decoder, object_type)
        }
        ObjectType::ZSET
        | ObjectType::ZSET_2
        | ObjectType::ZSET_ZIPLIST
        | ObjectType::ZSET_LISTPACK => zset::load(decoder, object_type),
        ObjectType::STREAM_LISTPACKS
        | ObjectType::STREAM_LISTPACKS_2
        | ObjectType::STREAM_LISTPACKS_3 => stream::load(decoder, object_type),
        ObjectType::MODULE_2 => {
            Err(Fault::of_module("module data", "module type", decoder.length()?))
        }
        ObjectType::MODULE_PRE_GA => Err(Fault::corrupt(format::MODULE_PRE_GA_REFUSED)),
        ObjectType(byte) => Err(Fault::Corrupt(format!("Unknown RDB encoding type {byte}").into())),
    }
}

/// Reads a value of a type to see whether it is one. What a module has written has a frame at
/// least; a value that has nothing in it is no fault here.
pub fn check(decoder: &mut Decoder<'_>, object_type: ObjectType) -> Result<(), Fault> {
    if object_type == ObjectType::MODULE_2 {
        decoder.length()?;
        return skip::skip_module_value(decoder);
    }
    match load(decoder, object_type) {
        Ok(_) | Err(Fault::Empty) => Ok(()),
        Err(fault) => Err(fault),
    }
}
