//! Pure: sorted sets in snapshots.

#[cfg(test)]
mod tests;

use std::io;

use base::float::parse_f64;
use ds::{
    Depth, Listpack,
    legacy::Ziplist,
    listpack::{self, Digits, Item},
};

use super::{Decoder, Encoder, Fault, Loaded, format::ObjectType};
use crate::value::{Value, Zset, zset::is_score};

/// The lengths of scores as text that stand for numbers that have no digits.
const MINUS_INFINITY: u8 = 255;
const INFINITY: u8 = 254;
const NAN: u8 = 253;
/// Room for so many members is made before they come.
const RESERVED_MAX: u64 = 1 << 20;

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

/// Reads a sorted set. Whoever wrote it, every score is looked at: one that is none would have
/// no place.
pub(super) fn load(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
) -> Result<Loaded<'static>, Fault> {
    let zset = match object_type {
        ObjectType::ZSET | ObjectType::ZSET_2 => load_members(decoder, object_type)?,
        ObjectType::ZSET_ZIPLIST => load_ziplist(decoder)?,
        _ => load_pack(decoder)?,
    };
    if zset.is_empty() {
        return Err(Fault::Empty);
    }
    Ok(Loaded::Value(Value::Zset(zset)))
}

/// Reads members one by one. Only then is it known how large they are.
fn load_members(decoder: &mut Decoder<'_>, object_type: ObjectType) -> Result<Zset, Fault> {
    let count = decoder.count()?;
    let mut zset = Box::new(ds::zset::Zset::new());
    // Without room at once it grows step by step.
    let _ = zset.reserve(count.min(RESERVED_MAX) as usize);
    for _ in 0..count {
        let member = decoder.string()?.into_owned();
        let score = match object_type {
            ObjectType::ZSET => score_as_text(decoder)?,
            _ => f64::from_le_bytes(decoder.reader.array()?),
        };
        if score.is_nan() {
            return Err(Fault::corrupt("Zset with NAN score detected"));
        }
        if zset.insert(&member, score).is_some() {
            return Err(Fault::corrupt("Zset with dup fields detected"));
        }
    }
    let mut zset = Zset::Tree(zset);
    zset.settle(decoder.limits);
    Ok(zset)
}

/// Reads a score as it was written before there were binary ones.
fn score_as_text(decoder: &mut Decoder<'_>) -> Result<f64, Fault> {
    match decoder.byte()? {
        MINUS_INFINITY => Ok(f64::NEG_INFINITY),
        INFINITY => Ok(f64::INFINITY),
        NAN => Ok(f64::NAN),
        length => {
            let text = decoder.reader.take(length.into())?;
            parse_f64(&text).ok_or(Fault::corrupt("A score of a zset is no number"))
        }
    }
}

fn load_pack(decoder: &mut Decoder<'_>) -> Result<Zset, Fault> {
    const WRONG: Fault = Fault::corrupt("Zset listpack integrity check failed.");
    let (is_suspicious, limits) = (decoder.is_suspicious, decoder.limits);
    let list = Listpack::from_bytes(&decoder.packed()?, Depth::Deep).map_err(|_| WRONG)?;
    if !list.iter().count().is_multiple_of(2) || !list.pairs().all(|(_, score)| is_score(score)) {
        return Err(WRONG);
    }
    if is_suspicious && has_twice(list.pairs().map(|(member, _)| member)) {
        return Err(WRONG);
    }
    Ok(Zset::from_pack(list, limits))
}

fn load_ziplist(decoder: &mut Decoder<'_>) -> Result<Zset, Fault> {
    const WRONG: Fault = Fault::corrupt("Zset ziplist integrity check failed.");
    let limits = decoder.limits;
    let bytes = decoder.string()?;
    let ziplist = Ziplist::check(&bytes).map_err(|_| WRONG)?;
    let items: Vec<Item<'_>> = ziplist.iter().collect();
    let (pairs, rest) = items.as_chunks::<2>();
    let is_whole = rest.is_empty() && pairs.iter().all(|[_, score]| is_score(*score));
    if !is_whole || has_twice(pairs.iter().map(|[member, _]| *member)) {
        return Err(WRONG);
    }
    if bytes.len() <= listpack::BYTES_MAX {
        let mut list = Listpack::new();
        list.append_all(&items);
        return Ok(Zset::from_pack(list, limits));
    }
    let (mut zset, mut digits, mut more) = (Zset::tree(0), Digits::default(), Digits::default());
    for [member, score] in pairs {
        let score = parse_f64(score.text(&mut more)).ok_or(WRONG)?;
        zset.insert(member.text(&mut digits), score, limits);
    }
    Ok(zset)
}

/// Whether an element is there twice.
fn has_twice<'a>(items: impl Iterator<Item = Item<'a>>) -> bool {
    let mut texts: Vec<Vec<u8>> = items.map(Item::to_vec).collect();
    texts.sort_unstable();
    texts.windows(2).any(|two| two[0] == two[1])
}
