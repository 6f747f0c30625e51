//! Pure: sets in snapshots.

use std::io;

use super::{Encoder, format::ObjectType};
use crate::value::Set;

/// Returns the type that a set is written as.
pub(super) fn object_type(set: &Set) -> ObjectType {
    match set {
        Set::Ints(_) => ObjectType::SET_INTSET,
        Set::Packed(_) => ObjectType::SET_LISTPACK,
        Set::Table(_) => ObjectType::SET,
    }
}

/// Writes a set.
pub(super) fn save(encoder: &mut Encoder<'_>, set: &Set) -> io::Result<()> {
    match set {
        Set::Ints(set) => {
            let mut bytes = Vec::new();
            set.write(&mut bytes);
            encoder.string(&bytes)
        }
        Set::Packed(list) => encoder.string(list.bytes()),
        Set::Table(set) => {
            encoder.length(set.len() as u64)?;
            set.iter().try_for_each(|member| encoder.string(member))
        }
    }
}
