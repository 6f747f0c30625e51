//! Room: up to which size values are stored in their compact form. First the fields, then a line
//! for each.

use crate::config::entry::{INT_MAX, INT_MIN, LONG_MAX, Parameter, field, integer, memory};

/// Up to which size values are stored in their compact form.
#[derive(Clone, Copy, Debug, Default)]
pub struct Encoding {
    /// `hash-max-listpack-entries`: the most fields of a compact hash.
    pub hash_max_listpack_entries: usize,
    /// `hash-max-listpack-value`: the largest field or value of a compact hash.
    pub hash_max_listpack_value: usize,
    /// `list-max-listpack-size`: the size of one node of a list: a positive number counts elements,
    /// -1 to -5 mean 4, 8, 16, 32 or 64 KiB.
    pub list_max_listpack_size: i32,
    /// `list-compress-depth`: how many nodes at either end of a list stay uncompressed.
    pub list_compress_depth: u32,
    /// `set-max-intset-entries`: the most members of a set of integers in its compact form.
    pub set_max_intset_entries: usize,
    /// `set-max-listpack-entries`: the most members of another compact set.
    pub set_max_listpack_entries: usize,
    /// `set-max-listpack-value`: the largest member of a compact set.
    pub set_max_listpack_value: usize,
    /// `zset-max-listpack-entries`: the most members of a compact sorted set.
    pub zset_max_listpack_entries: usize,
    /// `zset-max-listpack-value`: the largest member of a compact sorted set.
    pub zset_max_listpack_value: usize,
    /// `hll-sparse-max-bytes`: the size from which a HyperLogLog takes its dense form.
    pub hll_sparse_max_bytes: usize,
    /// `stream-node-max-bytes`: the size of one node of a stream.
    pub stream_node_max_bytes: usize,
    /// `stream-node-max-entries`: the most entries in one node of a stream.
    pub stream_node_max_entries: u64,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "hash-max-listpack-entries",
        "512",
        integer(0, LONG_MAX, &field!(encoding.hash_max_listpack_entries)),
    )
    .alias("hash-max-ziplist-entries"),
    Parameter::new(
        "hash-max-listpack-value",
        "64",
        memory(0, LONG_MAX, &field!(encoding.hash_max_listpack_value)),
    )
    .alias("hash-max-ziplist-value"),
    Parameter::new(
        "list-max-listpack-size",
        "-2",
        integer(INT_MIN, INT_MAX, &field!(encoding.list_max_listpack_size)),
    )
    .alias("list-max-ziplist-size"),
    Parameter::new(
        "list-compress-depth",
        "0",
        integer(0, INT_MAX, &field!(encoding.list_compress_depth)),
    ),
    Parameter::new(
        "set-max-intset-entries",
        "512",
        integer(0, LONG_MAX, &field!(encoding.set_max_intset_entries)),
    ),
    Parameter::new(
        "set-max-listpack-entries",
        "128",
        integer(0, LONG_MAX, &field!(encoding.set_max_listpack_entries)),
    ),
    Parameter::new(
        "set-max-listpack-value",
        "64",
        integer(0, LONG_MAX, &field!(encoding.set_max_listpack_value)),
    ),
    Parameter::new(
        "zset-max-listpack-entries",
        "128",
        integer(0, LONG_MAX, &field!(encoding.zset_max_listpack_entries)),
    )
    .alias("zset-max-ziplist-entries"),
    Parameter::new(
        "zset-max-listpack-value",
        "64",
        memory(0, LONG_MAX, &field!(encoding.zset_max_listpack_value)),
    )
    .alias("zset-max-ziplist-value"),
    Parameter::new(
        "hll-sparse-max-bytes",
        "3000",
        memory(0, LONG_MAX, &field!(encoding.hll_sparse_max_bytes)),
    ),
    Parameter::new(
        "stream-node-max-bytes",
        "4kb",
        memory(0, LONG_MAX, &field!(encoding.stream_node_max_bytes)),
    ),
    Parameter::new(
        "stream-node-max-entries",
        "100",
        integer(0, LONG_MAX, &field!(encoding.stream_node_max_entries)),
    ),
];
