//! Pure: lists as values; what they can do stands in `ds::list`.

use ds::{
    List,
    quicklist::{Fill, Options},
};

use crate::config::Encoding;

/// Returns how lists are kept that are made now, or that grow or shrink.
pub fn list_options(limits: Encoding) -> Options {
    Options {
        fill: Fill::new(limits.list_max_listpack_size.into()),
        compress_depth: u16::try_from(limits.list_compress_depth).unwrap_or(u16::MAX),
    }
}

/// Returns the name of the form that a list is held in.
pub(super) fn encoding(list: &List) -> &'static str {
    match list {
        List::Packed(_) => "listpack",
        List::Nodes(_) => "quicklist",
    }
}

/// Counts the allocations that freeing it gives back.
pub(super) fn allocations(list: &List) -> u64 {
    match list {
        List::Packed(_) => 1,
        List::Nodes(list) => list.node_count() as u64,
    }
}
