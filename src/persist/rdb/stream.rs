//! Pure: streams in snapshots.
//!
//! ```text
//! nodes: length · number as 16 bytes, listpack …
//! entries: length · last number: ms, seq
//! first number · greatest deleted number · entries ever added                      not in 15
//! groups: length · name, last number, entries read (not in 15), …
//!     pending: length · number as 16 bytes, time, count …
//!     consumers: length · name, time seen, time active (only in 21), …
//!         pending: length · number as 16 bytes …
//! ```

#[cfg(test)]
mod tests;

use std::io;

use ds::{Depth, Listpack};

use super::{Decoder, Encoder, Fault, Loaded, format::ObjectType};
use crate::value::{
    Stream, Value,
    stream::{BadNode, BadOwner, Group, Log, RestoredGroup, StreamId},
};

/// Consumers have a time of their last success since this version of the format, which is that of
/// Redis 7.2.
const VERSION_WITH_ACTIVE_TIME: u8 = 11;
/// Stands for entries read that are not known.
const NOT_KNOWN: u64 = u64::MAX;

/// Returns the type that a stream is written as in a version of the format.
pub(super) fn object_type(version: u8) -> ObjectType {
    if VERSION_WITH_ACTIVE_TIME <= version {
        ObjectType::STREAM_LISTPACKS_3
    } else {
        ObjectType::STREAM_LISTPACKS_2
    }
}

/// Writes a stream.
pub(super) fn save(encoder: &mut Encoder<'_>, stream: &Stream) -> io::Result<()> {
    let Stream { log, groups } = stream;
    encoder.length(log.nodes().len() as u64)?;
    for (master, pack) in log.nodes() {
        encoder.string(&master.to_bytes())?;
        encoder.string(pack.bytes())?;
    }
    encoder.length(log.len())?;
    for id in [log.last_id, log.first_id, log.max_deleted_id] {
        save_id(encoder, id)?;
    }
    encoder.length(log.entries_added)?;
    encoder.length(groups.len() as u64)?;
    for (name, group) in groups {
        encoder.string(name)?;
        save_group(encoder, group)?;
    }
    Ok(())
}

fn save_group(encoder: &mut Encoder<'_>, group: &Group) -> io::Result<()> {
    save_id(encoder, group.last_id)?;
    encoder.length(group.entries_read.map_or(NOT_KNOWN, i64::cast_unsigned))?;
    encoder.length(group.pending().len() as u64)?;
    for (id, nack) in group.pending() {
        encoder.raw(&id.to_bytes())?;
        encoder.time_ms(nack.delivered_ms)?;
        encoder.length(nack.count)?;
    }
    let consumers = group.consumers();
    encoder.length(consumers.len() as u64)?;
    for consumer in consumers {
        encoder.string(consumer.name())?;
        encoder.time_ms(consumer.seen_ms)?;
        if VERSION_WITH_ACTIVE_TIME <= encoder.version {
            encoder.time_ms(consumer.active_ms)?;
        }
        encoder.length(consumer.pending().len() as u64)?;
        for (id, ()) in consumer.pending() {
            encoder.raw(&id.to_bytes())?;
        }
    }
    Ok(())
}

fn save_id(encoder: &mut Encoder<'_>, id: StreamId) -> io::Result<()> {
    encoder.length(id.ms)?;
    encoder.length(id.seq)
}

/// Reads a stream. Whoever wrote it, each node is looked through, and every entry that waits must
/// be somebody's.
pub(super) fn load(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
) -> Result<Loaded<'static>, Fault> {
    let mut stream = Box::new(Stream::default());
    load_log(decoder, object_type, &mut stream.log)?;
    for _ in 0..decoder.count()? {
        let name = decoder.string()?.into_owned();
        let group = load_group(decoder, object_type, &stream.log)?;
        if stream.groups.insert(name.clone().into(), group).is_some() {
            let text = format!("Duplicated consumer group name {}", name.escape_ascii());
            return Err(Fault::Corrupt(text.into()));
        }
    }
    Ok(Loaded::Value(Value::Stream(stream)))
}

fn load_log(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
    log: &mut Log,
) -> Result<(), Fault> {
    const WRONG_COUNT: Fault = Fault::corrupt("Stream length inconsistent with rax entries");
    for _ in 0..decoder.count()? {
        let master = <[u8; StreamId::BYTES]>::try_from(&*decoder.string()?)
            .map_err(|_| Fault::corrupt("Stream node key entry is not the size of a stream ID"))?;
        const WRONG: Fault = Fault::corrupt("Stream listpack integrity check failed.");
        let pack = Listpack::from_bytes(&decoder.packed()?, Depth::Deep).map_err(|_| WRONG)?;
        log.restore_node(StreamId::from_bytes(master), pack).map_err(|bad| match bad {
            BadNode::Empty => Fault::corrupt("Empty listpack inside stream"),
            BadNode::Corrupt => WRONG,
            BadNode::Duplicate => Fault::corrupt("Listpack re-added with existing key"),
        })?;
    }
    let count = decoder.length()?;
    log.last_id = load_id(decoder)?;
    if object_type == ObjectType::STREAM_LISTPACKS {
        log.restore_counts();
    } else {
        log.first_id = load_id(decoder)?;
        log.max_deleted_id = load_id(decoder)?;
        log.entries_added = decoder.length()?;
    }
    // From a file that was written in good faith, what is in the nodes is believed.
    let is_trusted = !decoder.is_suspicious && (count == 0 || !log.nodes().is_empty());
    if count == log.len() || is_trusted { Ok(()) } else { Err(WRONG_COUNT) }
}

fn load_group(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
    log: &Log,
) -> Result<Group, Fault> {
    let last_id = load_id(decoder)?;
    let entries_read = if object_type == ObjectType::STREAM_LISTPACKS {
        log.entries_through(last_id)
    } else {
        Some(decoder.length()?).filter(|count| *count != NOT_KNOWN)
    };
    let mut group = RestoredGroup::new(last_id, entries_read.map(u64::cast_signed));
    for _ in 0..decoder.count()? {
        let id = load_raw_id(decoder)?;
        let (delivered_ms, count) = (decoder.time_ms()?, decoder.length()?);
        if !group.add_pending(id, delivered_ms, count) {
            return Err(Fault::corrupt(
                "Duplicated global PEL entry loading stream consumer group",
            ));
        }
    }
    for _ in 0..decoder.count()? {
        load_consumer(decoder, object_type, &mut group)?;
    }
    group.finish().ok_or(Fault::corrupt("Stream CG PEL entry without consumer"))
}

fn load_consumer(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
    group: &mut RestoredGroup,
) -> Result<(), Fault> {
    let name = decoder.string()?.into_owned();
    let seen_ms = decoder.time_ms()?;
    let active_ms = match object_type {
        ObjectType::STREAM_LISTPACKS_3 => decoder.time_ms()?,
        // Nothing better is known.
        _ => seen_ms,
    };
    let consumer = group
        .add_consumer(&name, seen_ms, active_ms)
        .ok_or(Fault::corrupt("Duplicate stream consumer detected."))?;
    for _ in 0..decoder.count()? {
        let id = load_raw_id(decoder)?;
        group.own(consumer, id).map_err(|bad| match bad {
            BadOwner::NotPending => Fault::corrupt("Consumer entry not found in group global PEL"),
            BadOwner::Taken => {
                Fault::corrupt("Duplicated consumer PEL entry loading a stream consumer group")
            }
        })?;
    }
    Ok(())
}

fn load_id(decoder: &mut Decoder<'_>) -> Result<StreamId, Fault> {
    Ok(StreamId::new(decoder.length()?, decoder.length()?))
}

fn load_raw_id(decoder: &mut Decoder<'_>) -> Result<StreamId, Fault> {
    Ok(StreamId::from_bytes(decoder.reader.array()?))
}
