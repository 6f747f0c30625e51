//! Pure: hashes in snapshots.

use std::io;

use super::{Encoder, format::ObjectType};
use crate::value::Hash;

/// Returns the type that a hash is written as.
pub(super) fn object_type(hash: &Hash) -> ObjectType {
    match hash {
        Hash::Packed(_) => ObjectType::HASH_LISTPACK,
        Hash::Table(_) => ObjectType::HASH,
    }
}

/// Writes a hash.
pub(super) fn save(encoder: &mut Encoder<'_>, hash: &Hash) -> io::Result<()> {
    match hash {
        Hash::Packed(list) => encoder.string(list.bytes()),
        Hash::Table(hash) => {
            encoder.length(hash.len() as u64)?;
            for field in hash.iter() {
                encoder.string(field.name())?;
                encoder.string(field.value())?;
            }
            Ok(())
        }
    }
}
