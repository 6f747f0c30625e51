//! Pure: who writes and reads which type of value. A type has a line in each function here.

use std::io;

use ds::{Content, Record};

use super::{Decoder, Encoder, Fault, format::ObjectType, string};
use crate::value::Value;

/// A value that was read.
#[derive(Debug)]
pub enum Loaded<'a> {
    /// A string, to be copied to where it belongs.
    Text(&'a [u8]),
    /// A value as it is.
    Value(Value),
}

/// Returns the type that a value is written as.
#[inline]
pub(super) fn object_type(record: &Record<Value>) -> ObjectType {
    match record.content() {
        Content::Embedded(_) | Content::Value(Value::Raw(_) | Value::Shared(_)) => {
            ObjectType::STRING
        }
    }
}

/// Writes a value. Fails if the version of the format cannot hold it.
#[inline]
pub(super) fn save(encoder: &mut Encoder<'_>, record: &Record<Value>) -> io::Result<()> {
    match record.content() {
        Content::Embedded(text) => string::save(encoder, text),
        Content::Value(value @ (Value::Raw(_) | Value::Shared(_))) => {
            string::save(encoder, value.bytes())
        }
    }
}

/// Reads a value of a type.
#[inline]
pub(super) fn load<'d>(
    decoder: &'d mut Decoder<'_>,
    object_type: ObjectType,
) -> Result<Loaded<'d>, Fault> {
    match object_type {
        ObjectType::STRING => string::load(decoder),
        known if known.is_known() => Err(Fault::Unsupported(known)),
        ObjectType(byte) => Err(Fault::Corrupt(format!("Unknown RDB encoding type {byte}").into())),
    }
}
