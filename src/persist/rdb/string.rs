//! Pure: strings in snapshots.

use std::{borrow::Cow, io, sync::Arc};

use super::{Decoder, Encoder, Fault, Loaded};
use crate::value::{Text, Value};

/// A string that is as large and was read into a buffer of its own keeps that.
const SHARED_BYTES_MIN: usize = 16 * 1024;

/// Writes a string.
#[inline]
pub(super) fn save(encoder: &mut Encoder<'_>, text: &[u8]) -> io::Result<()> {
    encoder.string(text)
}

/// Reads a string.
#[inline]
pub(super) fn load<'d>(decoder: &'d mut Decoder<'_>) -> Result<Loaded<'d>, Fault> {
    Ok(match decoder.string()? {
        Cow::Borrowed(text) => Loaded::Text(text),
        Cow::Owned(text) if text.len() < SHARED_BYTES_MIN => {
            Loaded::Value(Value::Text(Text::Raw((&*text).into())))
        }
        Cow::Owned(text) => Loaded::Value(Value::Text(Text::Shared(Arc::new(text)))),
    })
}
