//! Pure: reads past values of every type that there is, by their framing alone: for who wants to
//! know whether a file is whole, and not what is in it.

use super::{
    Decoder, Fault,
    format::{MODULE_PRE_GA_REFUSED, ObjectType, Version},
};

/// The bytes of an entry's number in a stream.
const STREAM_ID_BYTES: u64 = 16;
const TIME_BYTES: u64 = 8;
const DOUBLE_BYTES: u64 = 8;
const FLOAT_BYTES: u64 = 4;
/// Scores as texts: from this length on they are NaN and the infinities, and have no text.
const SCORE_SPECIAL: u8 = 253;

// What a module's value is made of.
const MODULE_END: u64 = 0;
const MODULE_SIGNED: u64 = 1;
const MODULE_UNSIGNED: u64 = 2;
const MODULE_FLOAT: u64 = 3;
const MODULE_DOUBLE: u64 = 4;
const MODULE_STRING: u64 = 5;

/// Reads past a value.
pub fn skip_value(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
    version: Version,
) -> Result<(), Fault> {
    match object_type {
        ObjectType::STRING
        | ObjectType::HASH_ZIPMAP
        | ObjectType::LIST_ZIPLIST
        | ObjectType::SET_INTSET
        | ObjectType::ZSET_ZIPLIST
        | ObjectType::HASH_ZIPLIST
        | ObjectType::HASH_LISTPACK
        | ObjectType::ZSET_LISTPACK
        | ObjectType::SET_LISTPACK
        | ObjectType::HASH_LISTPACK_EX_PRE_GA => decoder.skip_string(),
        ObjectType::HASH_LISTPACK_EX => {
            decoder.reader.pass(TIME_BYTES)?;
            decoder.skip_string()
        }
        ObjectType::LIST | ObjectType::SET | ObjectType::LIST_QUICKLIST => {
            each(decoder, Decoder::skip_string)
        }
        ObjectType::LIST_QUICKLIST_2 => each(decoder, |decoder| {
            decoder.length()?;
            decoder.skip_string()
        }),
        ObjectType::ZSET => each(decoder, |decoder| {
            decoder.skip_string()?;
            let length = decoder.byte()?;
            let text_bytes = if length < SCORE_SPECIAL { length.into() } else { 0 };
            Ok(decoder.reader.pass(text_bytes)?)
        }),
        ObjectType::ZSET_2 => each(decoder, |decoder| {
            decoder.skip_string()?;
            Ok(decoder.reader.pass(DOUBLE_BYTES)?)
        }),
        ObjectType::HASH => each(decoder, skip_two_strings),
        ObjectType::HASH_METADATA_PRE_GA if version == Version::Valkey => {
            each(decoder, |decoder| {
                skip_two_strings(decoder)?;
                Ok(decoder.reader.pass(TIME_BYTES)?)
            })
        }
        ObjectType::HASH_METADATA_PRE_GA => each(decoder, skip_field_with_expiry),
        ObjectType::HASH_METADATA => {
            decoder.reader.pass(TIME_BYTES)?;
            each(decoder, skip_field_with_expiry)
        }
        ObjectType::STREAM_LISTPACKS
        | ObjectType::STREAM_LISTPACKS_2
        | ObjectType::STREAM_LISTPACKS_3 => skip_stream(decoder, object_type),
        ObjectType::MODULE_2 => {
            decoder.length()?;
            skip_module_value(decoder)
        }
        ObjectType::MODULE_PRE_GA => Err(Fault::corrupt(MODULE_PRE_GA_REFUSED)),
        ObjectType(byte) => Err(Fault::Corrupt(format!("Invalid object type: {byte}").into())),
    }
}

/// Reads past a slot that is on its way: who sends it, and from where to where it and others go.
pub fn skip_slot_import(decoder: &mut Decoder<'_>) -> Result<(), Fault> {
    decoder.skip_string()?;
    each(decoder, |decoder| skip_lengths(decoder, 2))
}

/// Reads past what a module has written, its end included.
pub fn skip_module_value(decoder: &mut Decoder<'_>) -> Result<(), Fault> {
    loop {
        match decoder.length()? {
            MODULE_END => return Ok(()),
            MODULE_SIGNED | MODULE_UNSIGNED => {
                decoder.length()?;
            }
            MODULE_FLOAT => decoder.reader.pass(FLOAT_BYTES)?,
            MODULE_DOUBLE => decoder.reader.pass(DOUBLE_BYTES)?,
            MODULE_STRING => decoder.skip_string()?,
            opcode => {
                let text = format!("Unknown opcode {opcode} in a value of a module");
                return Err(Fault::Corrupt(text.into()));
            }
        }
    }
}

/// Reads how many elements follow, and past each. An element takes a byte at least, so that no
/// number makes this go on beyond the end of the file.
fn each<'a>(
    decoder: &mut Decoder<'a>,
    skip: fn(&mut Decoder<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for _ in 0..decoder.count()? {
        skip(decoder)?;
    }
    Ok(())
}

fn skip_two_strings(decoder: &mut Decoder<'_>) -> Result<(), Fault> {
    decoder.skip_string()?;
    decoder.skip_string()
}

fn skip_field_with_expiry(decoder: &mut Decoder<'_>) -> Result<(), Fault> {
    decoder.length()?;
    skip_two_strings(decoder)
}

fn skip_lengths(decoder: &mut Decoder<'_>, count: usize) -> Result<(), Fault> {
    for _ in 0..count {
        decoder.length()?;
    }
    Ok(())
}

fn skip_stream(decoder: &mut Decoder<'_>, object_type: ObjectType) -> Result<(), Fault> {
    let has_offsets = object_type != ObjectType::STREAM_LISTPACKS;
    each(decoder, skip_two_strings)?;
    // How many entries there are and the last number; then the first number, the last that was
    // deleted, and how many entries there ever were.
    skip_lengths(decoder, if has_offsets { 8 } else { 3 })?;
    for _ in 0..decoder.count()? {
        decoder.skip_string()?;
        skip_lengths(decoder, if has_offsets { 3 } else { 2 })?;
        // Entries that were delivered: number, time, and how often.
        each(decoder, |decoder| {
            decoder.reader.pass(STREAM_ID_BYTES + TIME_BYTES)?;
            decoder.length().map(drop)
        })?;
        for _ in 0..decoder.count()? {
            decoder.skip_string()?;
            let times = if object_type == ObjectType::STREAM_LISTPACKS_3 { 2 } else { 1 };
            decoder.reader.pass(times * TIME_BYTES)?;
            each(decoder, |decoder| Ok(decoder.reader.pass(STREAM_ID_BYTES)?))?;
        }
    }
    Ok(())
}
