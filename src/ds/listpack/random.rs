//! Pure: elements picked at random.
//!
//! `stride` is how many elements belong together: 1 for a list of members, 2 for fields and
//! values. What is picked is the place of the first of them. `draw(bound)` gives a number
//! below `bound`, all alike.

use super::read::{At, Pack};

impl Pack {
    /// Picks one.
    pub fn random(&self, stride: usize, draw: &mut impl FnMut(u64) -> u64) -> Option<At> {
        let count = self.count() / stride;
        if count == 0 {
            return None;
        }
        let index = draw(count as u64) * stride as u64;
        self.seek(i64::try_from(index).ok()?)
    }

    /// Picks `count` times, any one as often as it comes, in the order in which they were
    /// picked; none if there is nothing to pick. The list is walked over once.
    pub fn random_any(
        &self,
        count: usize,
        stride: usize,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Vec<At> {
        let there = self.count() / stride;
        let Some(first) = self.first().filter(|_| there > 0) else { return Vec::new() };
        let mut picks: Vec<(u64, usize)> =
            (0..count).map(|order| (draw(there as u64), order)).collect();
        picks.sort_unstable();
        let mut places = vec![first; count];
        let (mut at, mut index) = (first.offset(), 0);
        for (pick, order) in picks {
            at = self.skip(at, (pick - index) as usize * stride);
            index = pick;
            places[order] = At::new(at);
        }
        places
    }

    /// Picks `count` different ones, or all if there are fewer, every choice alike. They come
    /// in the order of the list.
    pub fn random_distinct(
        &self,
        count: usize,
        stride: usize,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Vec<At> {
        let there = self.count() / stride;
        let mut left = count.min(there);
        let mut places = Vec::with_capacity(left);
        let Some(first) = self.first() else { return places };
        let mut at = first.offset();
        for unseen in (1..=there).rev() {
            if left == 0 {
                break;
            }
            // Of the ones not seen yet so many are still to be picked.
            if draw(unseen as u64) < left as u64 {
                places.push(At::new(at));
                left -= 1;
            }
            if unseen > 1 {
                at = self.skip(at, stride);
            }
        }
        places
    }

    fn skip(&self, offset: usize, count: usize) -> usize {
        (0..count).fold(offset, |at, _| self.behind(at))
    }
}
