//! Pure: small hashes whose fields expire, or did: a listpack, as of Redis 7.4 (`listpackex`).
//!
//! ```text
//! field · value · when it expires: ms, or 0 for never · the next field …
//! ```
//! Who expires first stands first, so that what is due next, and how much is due, takes no
//! search; those that never expire stand last. Of equal times, what came later stands first.

use ds::{
    Listpack,
    listpack::{At, Digits, Item},
};

/// How many elements belong together.
pub(super) const STRIDE: usize = 3;
/// The time of a field that does not expire.
const NEVER: i64 = 0;

/// See the head of the file.
#[derive(Clone, Debug)]
pub struct Expiring(Listpack);

/// A field, its value, and when it expires.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) name: Item<'a>,
    pub(super) value: Item<'a>,
    pub(super) expiry: Option<i64>,
}

/// Where a field is, and its value, and its time.
#[derive(Clone, Copy)]
struct Place {
    name: At,
    value: At,
    time: At,
}

impl Entry<'_> {
    /// Whether its time has come.
    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        self.expiry.is_some_and(|expiry_ms| expiry_ms <= now_ms)
    }
}

impl From<&Listpack> for Expiring {
    /// Takes fields and values that do not expire.
    fn from(pairs: &Listpack) -> Self {
        let mut list = Listpack::new();
        let never = Item::Int(NEVER);
        list.extend(pairs.pairs().flat_map(|(name, value)| [name, value, never]));
        Self(list)
    }
}

impl Expiring {
    /// Puts a field behind the others, whatever its time. Whoever does so calls `put_in_order`.
    pub fn push(&mut self, name: Item<'_>, value: Item<'_>, expiry: Option<i64>) {
        self.0.append_two(name, value);
        self.0.append(Item::Int(expiry.unwrap_or(NEVER)));
    }

    /// Sees to it that who expires first stands first.
    pub fn put_in_order(&mut self) {
        let time_of = |entry: &Entry<'_>| entry.expiry.unwrap_or(i64::MAX);
        if self.entries().is_sorted_by_key(|entry| time_of(&entry)) {
            return;
        }
        let mut entries: Vec<Entry<'_>> = self.entries().collect();
        entries.sort_by_key(time_of);
        let mut ordered = Self(Listpack::new());
        entries.iter().for_each(|entry| ordered.push(entry.name, entry.value, entry.expiry));
        *self = ordered;
    }

    /// Makes a list of the fields and values alone.
    pub fn to_pairs(&self) -> Listpack {
        Listpack::from_items(self.entries().flat_map(|entry| [entry.name, entry.value]))
    }

    /// Returns the list, as it goes into snapshots.
    pub fn list(&self) -> &Listpack {
        &self.0
    }

    /// Counts the fields.
    pub fn len(&self) -> usize {
        self.0.count() / STRIDE
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns when the first one expires.
    #[inline]
    pub fn next_expiry(&self) -> Option<i64> {
        let first = self.0.first()?;
        expiry_of(self.0.item(self.place(first).time))
    }

    /// Walks over all.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut items = self.0.iter();
        std::iter::from_fn(move || {
            let (name, value, time) = (items.next()?, items.next()?, items.next()?);
            Some(Entry { name, value, expiry: expiry_of(time) })
        })
    }

    /// Finds a field.
    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<Entry<'_>> {
        self.place_of(name).map(|place| self.entry(place))
    }

    /// Returns a field that stands at a place among the elements of the list.
    pub(super) fn entry_at(&self, at: At) -> Entry<'_> {
        self.entry(self.place(at))
    }

    /// Gives a field a value; tells whether it is new. What is not new expires as before, or not
    /// any more.
    pub(super) fn set(&mut self, name: &[u8], value: &[u8], keeps_expiry: bool) -> bool {
        let Some(place) = self.place_of(name) else {
            self.push(Item::Bytes(name), Item::Bytes(value), None);
            return true;
        };
        if keeps_expiry || expiry_of(self.0.item(place.time)).is_none() {
            self.0.replace(place.value, Item::Bytes(value));
        } else {
            self.0.delete_from(place.name, STRIDE);
            self.push(Item::Bytes(name), Item::Bytes(value), None);
        }
        false
    }

    /// Sets when a field expires, or that it does not; tells whether it is there.
    pub(super) fn set_expiry(&mut self, name: &[u8], expiry: Option<i64>) -> bool {
        let Some(place) = self.place_of(name) else { return false };
        // A time before all others is as much over as the first one that can be told.
        let expiry = expiry.map(|expiry_ms| expiry_ms.max(NEVER + 1));
        let entry = self.entry(place);
        if (entry.expiry, expiry) == (None, None) {
            return true;
        }
        let mut digits = Digits::default();
        let value = entry.value.text(&mut digits).to_vec();
        self.0.delete_from(place.name, STRIDE);
        match expiry {
            None => self.push(Item::Bytes(name), Item::Bytes(&value), None),
            Some(expiry_ms) => self.insert(name, &value, expiry_ms),
        }
        true
    }

    /// Takes a field out; tells whether it was there.
    pub(super) fn remove(&mut self, name: &[u8]) -> bool {
        let Some(place) = self.place_of(name) else { return false };
        self.0.delete_from(place.name, STRIDE);
        true
    }

    /// Takes up to `most` fields out that are due, the earliest first, and shows their names to
    /// `visit`; returns how many they were.
    pub(super) fn remove_due(
        &mut self,
        now_ms: i64,
        most: usize,
        mut visit: impl FnMut(&[u8]),
    ) -> usize {
        let mut digits = Digits::default();
        let due = self.entries().take(most).take_while(|entry| entry.is_due(now_ms));
        let count = due.map(|entry| visit(entry.name.text(&mut digits))).count();
        if let Some(first) = self.0.first().filter(|_| count != 0) {
            self.0.delete_from(first, count * STRIDE);
        }
        count
    }

    /// Puts a field before those that expire no earlier.
    fn insert(&mut self, name: &[u8], value: &[u8], expiry_ms: i64) {
        let (name, value) = (Item::Bytes(name), Item::Bytes(value));
        let mut at = self.0.first();
        while let Some(name_at) = at {
            let place = self.place(name_at);
            if expiry_of(self.0.item(place.time)).is_none_or(|other_ms| expiry_ms <= other_ms) {
                let place = self.0.insert_before(name_at, Item::Int(expiry_ms));
                return self.0.insert_two(place, name, value);
            }
            at = self.0.next(place.time);
        }
        self.push(name, value, Some(expiry_ms));
    }

    fn place_of(&self, name: &[u8]) -> Option<Place> {
        let found = self.0.find(self.0.first()?, name, STRIDE - 1)?;
        Some(self.place(found))
    }

    fn place(&self, name: At) -> Place {
        let next = |at| self.0.next(at).expect("a field has a value and a time");
        let value = next(name);
        Place { name, value, time: next(value) }
    }

    fn entry(&self, place: Place) -> Entry<'_> {
        let [name, value, time] = [place.name, place.value, place.time].map(|at| self.0.item(at));
        Entry { name, value, expiry: expiry_of(time) }
    }
}

/// Reads a time.
fn expiry_of(time: Item<'_>) -> Option<i64> {
    time.integer().filter(|time_ms| *time_ms != NEVER)
}
