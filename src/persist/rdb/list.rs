//! Pure: lists in snapshots.

use std::io;

use ds::{
    Depth, List, Listpack, Quicklist,
    legacy::Ziplist,
    listpack::{self, Digits},
    quicklist::{NodeData, NodeView, Side},
};

use super::{Decoder, Encoder, Fault, Loaded, format::ObjectType};
use crate::value::{Value, list_options};

/// A node is one element.
const NODE_PLAIN: u64 = 1;
/// A node is a listpack.
const NODE_PACKED: u64 = 2;

/// Writes a list: a bare one as if it were the only node.
pub(super) fn save(encoder: &mut Encoder<'_>, list: &List) -> io::Result<()> {
    match list {
        List::Packed(list) => {
            encoder.length(1)?;
            encoder.length(NODE_PACKED)?;
            encoder.string(list.bytes())
        }
        List::Nodes(list) => {
            encoder.length(list.node_count() as u64)?;
            list.nodes().try_for_each(|node| save_node(encoder, node))
        }
    }
}

/// Reads a list. Whoever wrote it, each node is looked through: what is in it decides whether
/// anything can be read from it.
pub(super) fn load(
    decoder: &mut Decoder<'_>,
    object_type: ObjectType,
) -> Result<Loaded<'static>, Fault> {
    let options = list_options(decoder.limits);
    let mut list = Quicklist::new(options);
    if object_type == ObjectType::LIST_ZIPLIST {
        load_elements(decoder, &mut list)?;
    } else {
        for _ in 0..decoder.count()? {
            match object_type {
                ObjectType::LIST => list.push(Side::Tail, &decoder.string()?),
                ObjectType::LIST_QUICKLIST_2 => load_node(decoder, &mut list)?,
                _ => load_ziplist(decoder, &mut list)?,
            }
        }
    }
    if list.is_empty() {
        return Err(Fault::Empty);
    }
    let mut list = List::Nodes(Box::new(list));
    if object_type != ObjectType::LIST_ZIPLIST {
        list.settle(options);
    }
    Ok(Loaded::Value(Value::List(list)))
}

fn load_node(decoder: &mut Decoder<'_>, list: &mut Quicklist) -> Result<(), Fault> {
    let container = decoder.length()?;
    let bytes = match container {
        NODE_PACKED => decoder.packed()?,
        _ => decoder.string()?,
    };
    match container {
        NODE_PLAIN if !bytes.is_empty() => list.push_plain_node(bytes.into_owned()),
        NODE_PACKED if !bytes.is_empty() => {
            let pack = Listpack::from_bytes(&bytes, Depth::Deep);
            list.push_packed_node(
                pack.map_err(|_| Fault::corrupt("Listpack integrity check failed."))?,
            );
        }
        _ => return Err(Fault::corrupt("Quicklist integrity check failed.")),
    }
    Ok(())
}

/// Reads a ziplist that is a node.
fn load_ziplist(decoder: &mut Decoder<'_>, list: &mut Quicklist) -> Result<(), Fault> {
    let bytes = decoder.string()?;
    let ziplist = check(&bytes)?;
    if listpack::BYTES_MAX < bytes.len() {
        // No listpack can be as large.
        push_each(list, ziplist);
    } else {
        let mut node = Listpack::new();
        node.append_all(&ziplist.iter().collect::<Vec<_>>());
        list.push_packed_node(node);
    }
    Ok(())
}

/// Reads a ziplist that is the whole list. Redis takes the elements out of it, and does not ask
/// afterwards whether a list with nodes is needed: encodings show it.
fn load_elements(decoder: &mut Decoder<'_>, list: &mut Quicklist) -> Result<(), Fault> {
    push_each(list, check(&decoder.string()?)?);
    Ok(())
}

fn check(bytes: &[u8]) -> Result<Ziplist<'_>, Fault> {
    Ziplist::check(bytes).map_err(|_| Fault::corrupt("Ziplist integrity check failed."))
}

fn push_each(list: &mut Quicklist, ziplist: Ziplist<'_>) {
    let mut digits = Digits::default();
    ziplist.iter().for_each(|item| list.push(Side::Tail, item.text(&mut digits)));
}

fn save_node(encoder: &mut Encoder<'_>, node: NodeView<'_>) -> io::Result<()> {
    encoder.length(if node.is_plain { NODE_PLAIN } else { NODE_PACKED })?;
    match node.data {
        NodeData::Raw(bytes) => encoder.string(bytes),
        NodeData::Made(list) => encoder.string(list.bytes()),
        NodeData::Lzf(packed) => encoder.packed_string(packed, node.bytes),
    }
}
