//! Pure: how many nodes Redis's radix tree has for the nodes of a stream: a figure that XINFO
//! shows, worked out from the keys, as there is no such tree here.
//!
//! That tree has a node for each key's end, one wherever keys part, and one for each run of bytes
//! that is longer than the byte that led there. All that follows from how many bytes neighbours
//! have in common.

use ds::Tree;

use super::StreamId;

/// Of more nodes than these, the others are taken to be as the first.
const KEYS_MAX: usize = 1 << 16;

/// Counts the nodes of the radix tree.
pub(super) fn node_count<V>(nodes: &Tree<StreamId, V>) -> u64 {
    let keys = nodes.range(0..KEYS_MAX).map(|(id, _)| id.to_bytes());
    let count = count(keys);
    let (total, counted) = (nodes.len() as u64, nodes.len().min(KEYS_MAX) as u64);
    if total == counted { count } else { count.saturating_mul(total) / counted }
}

/// Counts for keys in their order.
fn count(keys: impl Iterator<Item = [u8; StreamId::BYTES]>) -> u64 {
    let mut count = 0;
    // Where keys part on the way from the root to the last one, as how many bytes they share.
    let mut depths: Vec<usize> = Vec::with_capacity(StreamId::BYTES);
    let mut last: Option<([u8; StreamId::BYTES], Option<usize>)> = None;
    for key in keys {
        let shared =
            last.map(|(last, _)| last.iter().zip(key).take_while(|(a, b)| **a == *b).count());
        if let (Some((_, before)), Some(shared)) = (last, shared) {
            count += node_below(before.max(Some(shared)), StreamId::BYTES);
            while let Some(depth) = depths.pop_if(|depth| shared < *depth) {
                count += node_below(depths.last().copied().max(Some(shared)), depth);
            }
            if depths.last().is_none_or(|depth| *depth < shared) {
                depths.push(shared);
            }
        }
        last = Some((key, shared));
    }
    // The root is there even if nothing else is.
    let Some((_, before)) = last else { return 1 };
    count += node_below(before, StreamId::BYTES);
    while let Some(depth) = depths.pop() {
        count += node_below(depths.last().copied(), depth);
    }
    count
}

/// Counts a node that stands below where keys part, or below the root, and what leads to it: a
/// node of its own, unless the byte there does.
fn node_below(parent: Option<usize>, depth: usize) -> u64 {
    1 + u64::from(parent.map_or(0, |parent| parent + 1) < depth)
}

#[cfg(test)]
mod tests {
    use super::{KEYS_MAX, StreamId, Tree, count, node_count};

    /// As Redis 7.2.6 shows for streams whose nodes have one entry each.
    #[test]
    fn counts_what_redis_counts() {
        let of = |ids: &[(u64, u64)]| {
            count(ids.iter().map(|(ms, seq)| StreamId::new(*ms, *seq).to_bytes()))
        };
        const MAX: u64 = u64::MAX;
        assert_eq!(of(&[]), 1);
        assert_eq!(of(&[(1, 1)]), 2);
        assert_eq!(of(&[(1, 1), (1, 2)]), 4);
        assert_eq!(of(&[(1, 1), (2, 1)]), 6);
        assert_eq!(of(&[(0, 1), (MAX, MAX)]), 5);
        assert_eq!(of(&[(1, 1), (1, 2), (1, 3), (1, 258), (1, 259), (2, 0)]), 13);
        let ids = [(1, 1), (1, 256), (1, 257), (256, 0), (65_536, 1), (65_536, 2)];
        assert_eq!(of(&ids), 16);
        assert_eq!(of(&[(5, 255), (5, 256), (5, 65_535), (5, 65_536)]), 11);
    }

    #[test]
    fn takes_what_is_beyond_for_what_was_counted() {
        let tree = |count: usize| -> Tree<StreamId, ()> {
            (0..count as u64).map(|seq| (StreamId::new(1, seq), ())).collect()
        };
        assert_eq!(node_count(&tree(2 * KEYS_MAX)), 2 * node_count(&tree(KEYS_MAX)));
    }
}
