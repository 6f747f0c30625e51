//! Pure: sorted sets in snapshots.

use std::io;

use super::{Encoder, format::ObjectType};
use crate::value::Zset;

/// Returns the type that a sorted set is written as.
pub(super) fn object_type(zset: &Zset) -> ObjectType {
    match zset {
        Zset::Packed(_) => ObjectType::ZSET_LISTPACK,
        Zset::Tree(_) => ObjectType::ZSET_2,
    }
}

/// Writes a sorted set: the last member first, so that who loads it inserts at the front.
pub(super) fn save(encoder: &mut Encoder<'_>, zset: &Zset) -> io::Result<()> {
    match zset {
        Zset::Packed(list) => encoder.string(list.bytes()),
        Zset::Tree(zset) => {
            encoder.length(zset.len() as u64)?;
            for (member, score) in zset.iter().rev() {
                encoder.string(member)?;
                encoder.raw(&score.to_le_bytes())?;
            }
            Ok(())
        }
    }
}
