//! Pure: lists as values; what they can do stands in `ds::list`.

use ds::List;

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
