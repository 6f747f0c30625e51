//! Pure: a bucket: one cache line of up to seven entries, and what overflows behind it.
//!
//! ```text
//! byte 0        bits 0-6: slot holds an entry; bit 7: slot 6 holds the child bucket
//! bytes 1-7     a tag (8 bits of the hash) for each slot
//! bytes 8-63    seven slots of 8 bytes
//! ```
//! The head stands in the table; an overflowing head chains a child, which may chain another.
//! Invariants of a chain: every bucket but the last is full (six entries and the child), and
//! a child holds at least two entries. So an insert looks for room in the last bucket only,
//! and no line is kept for a single entry that its parent could hold.
//!
//! All that is unsafe about the union below is in this file, behind accessors that look at
//! byte 0 first. Invariant: a slot whose bit is set holds an entry; with bit 7 set, bit 6 is
//! clear and slot 6 holds a child; in all other cases the slot's bytes mean nothing.

use std::mem::ManuallyDrop;

/// Slots of a bucket.
pub(super) const SLOTS: usize = 7;
/// Entries that a chain of `depth` buckets can hold.
pub(super) const fn chain_capacity(depth: usize) -> usize {
    (SLOTS - 1) * depth + 1
}

const LAST: usize = SLOTS - 1;
const CHAINED: u8 = 1 << SLOTS;
const PRESENT: u8 = CHAINED - 1;

/// See the head of the file. All zero bytes are an empty bucket.
#[repr(C, align(64))]
pub(super) struct Bucket<E> {
    /// Byte 0 and the tags, read as one word.
    meta: [u8; 1 + SLOTS],
    slots: [Slot<E>; SLOTS],
}

union Slot<E> {
    vacant: (),
    entry: ManuallyDrop<E>,
    child: ManuallyDrop<Box<Bucket<E>>>,
}

/// An entry that left its bucket.
pub(super) struct Taken<E> {
    pub(super) entry: E,
    /// A bucket of the chain was freed with it.
    pub(super) is_child_freed: bool,
}

impl<E> Bucket<E> {
    const LAYOUT_HOLDS: () = assert!(size_of::<Self>() == 64 && size_of::<E>() == 8);

    fn new() -> Self {
        const { Self::LAYOUT_HOLDS };
        Self { meta: [0; 1 + SLOTS], slots: [const { Slot { vacant: () } }; SLOTS] }
    }

    /// Counts the entries of this bucket alone.
    pub(super) fn count(&self) -> usize {
        (self.meta[0] & PRESENT).count_ones() as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.meta[0] == 0
    }

    #[inline]
    pub(super) fn entry(&self, at: usize) -> Option<&E> {
        if !self.is_present(at) {
            return None;
        }
        // SAFETY: the bit is set, so the slot holds an entry (invariant of the file).
        Some(unsafe { &self.slots[at].entry })
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, at: usize) -> Option<&mut E> {
        if !self.is_present(at) {
            return None;
        }
        // SAFETY: the bit is set, so the slot holds an entry (invariant of the file).
        Some(unsafe { &mut self.slots[at].entry })
    }

    pub(super) fn child(&self) -> Option<&Self> {
        if self.meta[0] & CHAINED == 0 {
            return None;
        }
        // SAFETY: bit 7 is set, so slot 6 holds a child (invariant of the file).
        Some(unsafe { &self.slots[LAST].child })
    }

    fn child_mut(&mut self) -> Option<&mut Self> {
        if self.meta[0] & CHAINED == 0 {
            return None;
        }
        // SAFETY: bit 7 is set, so slot 6 holds a child (invariant of the file).
        Some(unsafe { &mut self.slots[LAST].child })
    }

    /// Finds the entry that `is` accepts among those with this tag, in the whole chain.
    #[inline]
    pub(super) fn find(&self, tag: u8, mut is: impl FnMut(&E) -> bool) -> Option<Found<'_, E>> {
        let mut depth = 0;
        let mut bucket = self;
        loop {
            let mut candidates = bucket.candidates(tag);
            while candidates != 0 {
                let at = (candidates.trailing_zeros() / 8) as usize;
                if let Some(entry) = bucket.entry(at).filter(|entry| is(entry)) {
                    return Some(Found { entry, depth, at });
                }
                candidates &= candidates - 1;
            }
            bucket = bucket.child()?;
            depth += 1;
        }
    }

    /// Calls `visit` for each entry of the chain.
    pub(super) fn for_each<'a>(&'a self, mut visit: impl FnMut(&'a E)) {
        let mut next = Some(self);
        while let Some(bucket) = next {
            (0..SLOTS).filter_map(|at| bucket.entry(at)).for_each(&mut visit);
            next = bucket.child();
        }
    }

    /// Calls `visit` for each entry of the chain.
    pub(super) fn for_each_mut(&mut self, mut visit: impl FnMut(&mut E)) {
        let mut next = Some(self);
        while let Some(bucket) = next {
            for at in 0..SLOTS {
                if let Some(entry) = bucket.entry_mut(at) {
                    visit(entry);
                }
            }
            next = bucket.child_mut();
        }
    }

    /// Finds the entry that has so many before it in the chain.
    pub(super) fn seat(&self, number: usize) -> Option<(usize, usize)> {
        let (mut depth, mut left) = (0, number);
        let mut bucket = self;
        while bucket.count() <= left {
            left -= bucket.count();
            bucket = bucket.child()?;
            depth += 1;
        }
        let mut present = bucket.meta[0] & PRESENT;
        for _ in 0..left {
            present &= present - 1;
        }
        Some((depth, present.trailing_zeros() as usize))
    }

    /// Counts the entries of the chain.
    pub(super) fn chain_count(&self) -> usize {
        let mut count = 0;
        let mut next = Some(self);
        while let Some(bucket) = next {
            count += bucket.count();
            next = bucket.child();
        }
        count
    }

    /// Returns the bucket `depth` steps down the chain.
    ///
    /// # Panics
    /// If the chain is shorter.
    #[inline]
    pub(super) fn at_depth_mut(&mut self, depth: usize) -> &mut Self {
        let mut bucket = self;
        for _ in 0..depth {
            bucket = bucket.child_mut().expect("the chain was found to be that deep");
        }
        bucket
    }

    /// Puts an entry into the chain; tells where, and the depth shows whether it grew.
    pub(super) fn insert(&mut self, tag: u8, entry: E) -> Inserted {
        let mut depth = 0;
        let mut bucket = self;
        while bucket.meta[0] & CHAINED != 0 {
            bucket = bucket.child_mut().expect("bit 7 is set");
            depth += 1;
        }
        let free = (!bucket.meta[0] & PRESENT).trailing_zeros() as usize;
        if free < SLOTS {
            bucket.put(free, tag, entry);
            return Inserted { depth, at: free, is_child_new: false };
        }
        // The last slot's entry moves into the child to make room for the child.
        let (displaced_tag, displaced) = bucket.take(LAST).expect("the bucket is full");
        let mut child = Box::new(Self::new());
        child.put(0, displaced_tag, displaced);
        child.put(1, tag, entry);
        bucket.slots[LAST].child = ManuallyDrop::new(child);
        bucket.meta[0] |= CHAINED;
        Inserted { depth: depth + 1, at: 1, is_child_new: true }
    }

    /// Takes an entry out of the chain, which is then put in order.
    ///
    /// # Panics
    /// If there is no such entry.
    pub(super) fn remove(&mut self, depth: usize, at: usize) -> Taken<E> {
        let bucket = self.at_depth_mut(depth);
        let (_, entry) = bucket.take(at).expect("the entry was found there");
        let mut is_child_freed = false;
        if self.meta[0] & CHAINED != 0 {
            let below = self.last_depth() - depth;
            let bucket = self.at_depth_mut(depth);
            if 0 < below {
                let last = bucket.at_depth_mut(below);
                let (tag, entry) = last.take_any().expect("a child holds two entries");
                bucket.put(at, tag, entry);
            }
            is_child_freed = self.fold_last();
        }
        Taken { entry, is_child_freed }
    }

    /// Takes any entry out of the chain.
    pub(super) fn pop(&mut self) -> Option<Taken<E>> {
        let depth = self.last_depth();
        let (_, entry) = self.at_depth_mut(depth).take_any()?;
        Some(Taken { entry, is_child_freed: 0 < depth && self.fold_last() })
    }

    fn last_depth(&self) -> usize {
        let mut depth = 0;
        let mut bucket = self;
        while let Some(child) = bucket.child() {
            bucket = child;
            depth += 1;
        }
        depth
    }

    /// Frees the last bucket of a chain when its parent can hold all that it has.
    fn fold_last(&mut self) -> bool {
        let mut parent = self;
        while parent.child().is_some_and(|child| child.child().is_some()) {
            parent = parent.child_mut().expect("looked at just before");
        }
        if parent.child().is_none_or(|child| 1 < child.count()) {
            return false;
        }
        parent.meta[0] &= !CHAINED;
        // SAFETY: bit 7 was set, so slot 6 holds a child; with the bit clear nobody reads it
        // there again.
        let mut child = unsafe { ManuallyDrop::take(&mut parent.slots[LAST].child) };
        if let Some((tag, entry)) = child.take_any() {
            parent.put(LAST, tag, entry);
        }
        true
    }

    /// A word with bit 7 of byte `at` set for each slot whose tag is this one.
    #[inline]
    fn candidates(&self, tag: u8) -> u64 {
        const ONES: u64 = u64::from_le_bytes([1; 8]);
        const LOW: u64 = ONES * 0x7f;
        let difference = u64::from_le_bytes(self.meta) ^ (ONES * u64::from(tag));
        // A byte that is zero carries nothing into its top bit, and has none set: exact,
        // whatever the neighbours are. The shift takes byte 0 out.
        !(((difference & LOW) + LOW) | difference | LOW) >> 8
    }

    fn is_present(&self, at: usize) -> bool {
        at < SLOTS && self.meta[0] & (1 << at) != 0
    }

    /// Fills a vacant slot. What an occupied one held would be leaked.
    fn put(&mut self, at: usize, tag: u8, entry: E) {
        debug_assert!(!self.is_present(at) && (at < LAST || self.meta[0] & CHAINED == 0));
        self.slots[at].entry = ManuallyDrop::new(entry);
        self.meta[1 + at] = tag;
        self.meta[0] |= 1 << at;
    }

    fn take(&mut self, at: usize) -> Option<(u8, E)> {
        if !self.is_present(at) {
            return None;
        }
        self.meta[0] &= !(1 << at);
        // SAFETY: the bit was set, so the slot holds an entry; with the bit clear nobody
        // reads it there again.
        let entry = unsafe { ManuallyDrop::take(&mut self.slots[at].entry) };
        Some((self.meta[1 + at], entry))
    }

    fn take_any(&mut self) -> Option<(u8, E)> {
        self.take((self.meta[0] & PRESENT).trailing_zeros() as usize)
    }
}

/// An entry and where in its chain it stands.
pub(super) struct Found<'a, E> {
    pub(super) entry: &'a E,
    pub(super) depth: usize,
    pub(super) at: usize,
}

/// Where in its chain an entry was put.
pub(super) struct Inserted {
    pub(super) depth: usize,
    pub(super) at: usize,
    pub(super) is_child_new: bool,
}
