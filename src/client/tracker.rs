//! Room: how one client does client-side caching (CLIENT TRACKING).

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{self, Included, Unbounded},
};

use base::Bytes;

use crate::client::ClientId;

/// What a node of the set of prefixes takes besides the prefix.
const PREFIX_BYTES: usize = 32;

/// Which keys a client is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Those that it has read.
    Read,
    /// Those that it has read by a command after CLIENT CACHING YES.
    OptIn,
    /// Those that it has read, but not by a command after CLIENT CACHING NO.
    OptOut,
    /// All that begin with one of its prefixes, whether it has read them or not.
    Broadcast,
}

/// Who is told in a client's stead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// What CLIENT ID answered it.
    pub number: u64,
    /// The same, found as long as it lives.
    pub id: ClientId,
}

/// The state of a client that tracks keys.
#[derive(Debug)]
pub struct Tracker {
    /// See there.
    pub mode: Mode,
    /// What it has changed itself it is not told (NOLOOP).
    pub skips_own: bool,
    /// See there.
    pub redirect: Option<Redirect>,
    /// Who was to be told is gone, which was found out.
    pub is_redirect_broken: bool,
    /// CLIENT CACHING holds for the next command.
    pub is_caching_given: bool,
    prefixes: BTreeSet<Bytes>,
    prefix_bytes: usize,
}

impl Tracker {
    /// Makes one without prefixes.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            skips_own: false,
            redirect: None,
            is_redirect_broken: false,
            is_caching_given: false,
            prefixes: BTreeSet::new(),
            prefix_bytes: 0,
        }
    }

    /// Whether what it reads now is to be remembered.
    pub fn remembers(&self) -> bool {
        match self.mode {
            Mode::Read => true,
            Mode::OptIn => self.is_caching_given,
            Mode::OptOut => !self.is_caching_given,
            Mode::Broadcast => false,
        }
    }

    /// Finds the first of its prefixes that overlaps with another one.
    pub fn overlapping(&self, prefix: &[u8]) -> Option<&[u8]> {
        if let Some(empty) = self.prefixes.first().filter(|first| first.is_empty()) {
            return Some(empty);
        }
        // But for the empty one they do not overlap with each other.
        let up_to = |end: &[u8]| {
            let range = self.prefixes.range::<[u8], _>((Unbounded, Included(end)));
            range.map(|known| &**known).next_back()
        };
        let beginning = longest_beginning(prefix, up_to);
        beginning.or_else(|| {
            let next = self.prefixes.range::<[u8], _>((Included(prefix), Unbounded)).next();
            next.map(|known| &**known).filter(|known| known.starts_with(prefix))
        })
    }

    /// Adds to what the keys that it is told of begin with.
    pub fn add_prefix(&mut self, prefix: Bytes) {
        let bytes = prefix.len() + PREFIX_BYTES;
        if self.prefixes.insert(prefix) {
            self.prefix_bytes += bytes;
        }
    }

    /// Walks what the keys that it is told of begin with, in order.
    pub fn prefixes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.prefixes.iter().map(|prefix| &**prefix)
    }

    /// Counts the memory that its prefixes take.
    pub fn memory_bytes(&self) -> usize {
        self.prefix_bytes
    }
}

/// Finds the first of many prefixes that overlaps with a later one, and the first such one.
/// A stranger names them: it must not take the square of their number.
pub fn first_overlap<'a>(prefixes: &[&'a [u8]]) -> Option<(&'a [u8], &'a [u8])> {
    let mut later: BTreeMap<&[u8], usize> = BTreeMap::new();
    prefixes.iter().for_each(|prefix| *later.entry(prefix).or_insert(0) += 1);
    for (at, prefix) in prefixes.iter().enumerate() {
        match later.get_mut(prefix) {
            Some(count) if 1 < *count => *count -= 1,
            _ => _ = later.remove(prefix),
        }
        let known = |range: (Bound<&[u8]>, Bound<&[u8]>)| {
            later.range::<[u8], _>(range).map(|(known, _)| *known)
        };
        let has_beginning =
            longest_beginning(prefix, |end| known((Unbounded, Included(end))).next_back());
        let next = known((Included(prefix), Unbounded)).next();
        if has_beginning.is_some() || next.is_some_and(|next| next.starts_with(prefix)) {
            let mut later = prefixes[at + 1..].iter();
            return later.find(|other| overlap(prefix, other)).map(|other| (*prefix, *other));
        }
    }
    None
}

/// Finds the longest among some texts that `text` begins with; `up_to` returns the last of
/// them in order up to an end. Of what stands before `text` in order, the last one either
/// begins it, or shows how long those that begin it can be.
pub fn longest_beginning<'a>(
    text: &[u8],
    mut up_to: impl FnMut(&[u8]) -> Option<&'a [u8]>,
) -> Option<&'a [u8]> {
    let mut end = text;
    loop {
        let known = up_to(end)?;
        let shared = known.iter().zip(text).take_while(|(one, other)| one == other).count();
        if shared == known.len() {
            return Some(known);
        }
        end = &text[..shared];
    }
}

/// Whether there are keys that begin with both.
fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::{Mode, Tracker, first_overlap, overlap};

    #[test]
    fn overlaps_are_found_as_if_each_were_held_against_each() {
        let seed = 11;
        println!("seed {seed}");
        let mut random = Random::seeded(seed);
        let mut word = |bytes_max: usize| -> Vec<u8> {
            (0..random.index(bytes_max + 1)).map(|_| b'a' + random.index(3) as u8).collect()
        };
        for round in 0..2000 {
            let words: Vec<Vec<u8>> = (0..1 + round % 6).map(|_| word(6)).collect();
            let prefixes: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
            let expected = prefixes.iter().enumerate().find_map(|(at, one)| {
                let mut later = prefixes[at + 1..].iter();
                later.find(|other| overlap(one, other)).map(|other| (*one, *other))
            });
            assert_eq!(first_overlap(&prefixes), expected, "{words:?}");
            if expected.is_some() {
                continue;
            }
            let mut tracker = Tracker::new(Mode::Broadcast);
            prefixes.iter().for_each(|prefix| tracker.add_prefix((*prefix).into()));
            let asked = word(6);
            let expected = tracker.prefixes().find(|known| overlap(known, &asked));
            assert_eq!(tracker.overlapping(&asked), expected, "{asked:?} among {words:?}");
        }
    }
}
