//! Pure: sets in snapshots.

use std::io;

use ds::listpack::Digits;

use super::{Decoder, Encoder, Fault, Loaded, format::ObjectType};
use crate::value::{Set, Value};

/// Listpacks are sets since this version of the format, which is that of Redis 7.2.
const VERSION_WITH_LISTPACKS: u8 = 11;
/// Room for no more members is made before there are any.
const RESERVED_MAX: u64 = 1 << 20;

/// Returns the type that a set is written as in a version of the format.
pub(super) fn object_type(set: &Set, version: u8) -> ObjectType {
    match set {
        Set::Ints(_) => ObjectType::SET_INTSET,
        Set::Packed(_) if VERSION_WITH_LISTPACKS <= version => ObjectType::SET_LISTPACK,
        Set::Packed(_) | Set::Table(_) => ObjectType::SET,
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
        Set::Packed(list) if VERSION_WITH_LISTPACKS <= encoder.version => {
            encoder.string(list.bytes())
        }
        Set::Packed(list) => {
            encoder.length(list.count() as u64)?;
            let mut digits = Digits::default();
            list.iter().try_for_each(|member| encoder.string(member.text(&mut digits)))
        }
        Set::Table(set) => {
            encoder.length(set.len() as u64)?;
            set.iter().try_for_each(|member| encoder.string(member))
        }
    }
}

/// Reads a set. Whoever wrote it, what is packed is looked through: what is in it decides
/// whether anything can be read from it.
pub(super) fn load(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
) -> Result<Loaded<'static>, Fault> {
    let limits = decoder.limits;
    let set = match object_type {
        ObjectType::SET => load_members(decoder)?,
        ObjectType::SET_INTSET => {
            let set = Set::from_ints(&decoder.packed()?, limits);
            set.ok_or(Fault::corrupt("Intset integrity check failed."))?
        }
        _ => {
            let set = Set::from_packed(&decoder.packed()?, limits);
            set.ok_or(Fault::corrupt("Set listpack integrity check failed."))?
        }
    };
    if set.is_empty() { Err(Fault::Empty) } else { Ok(Loaded::Value(Value::Set(set))) }
}

fn load_members(decoder: &mut Decoder<'_>) -> Result<Set, Fault> {
    let (limits, count) = (decoder.limits, decoder.count()?);
    let mut set = Set::default();
    if (limits.set_max_intset_entries as u64) < count {
        // Even few members make a table then, as Redis loads them.
        set = Set::table(count.min(RESERVED_MAX) as usize);
    }
    for _ in 0..count {
        if !set.insert(&decoder.string()?, limits) {
            return Err(Fault::corrupt("Duplicate set members detected"));
        }
    }
    Ok(set)
}
