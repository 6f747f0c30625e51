//! Pure: lists in snapshots.

use std::io;

use ds::{
    List,
    quicklist::{NodeData, NodeView},
};

use super::Encoder;

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

fn save_node(encoder: &mut Encoder<'_>, node: NodeView<'_>) -> io::Result<()> {
    encoder.length(if node.is_plain { NODE_PLAIN } else { NODE_PACKED })?;
    match node.data {
        NodeData::Raw(bytes) => encoder.string(bytes),
        NodeData::Lzf(packed) => encoder.packed_string(packed, node.bytes),
    }
}
