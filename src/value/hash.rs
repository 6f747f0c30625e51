//! Pure: hashes as values: few and short fields, or any.
//!
//! A hash is `Packed` until a field of it expires, `Expiring` from then on; and a table, for good,
//! when it has too many fields or one that is too long. What is due (`now_ms`) is nobody's: whoever
//! reads does not see it.
//! Whoever changes a field has taken it out before if it was due (`keyspace::fields`), so nothing
//! that changes a hash asks for the time.

mod expiring;
mod random;
#[cfg(test)]
mod tests;

pub use self::{expiring::Expiring, random::Pair};

use ds::{
    Expiry, Listpack, SharedBytes,
    hash::{Field, NewValue, Slot},
    listpack::{self, At, Digits, Item},
};

use crate::config::Encoding;

/// For each field that a call of `scan` may look at, it looks at so many chains at most.
const CHAINS_PER_FIELD: u64 = 10;

/// Fields, each with a value, in no order.
#[derive(Debug)]
pub enum Hash {
    /// A field, its value, the next field …
    Packed(Listpack),
    /// A field, its value, when it expires, the next field …
    Expiring(Expiring),
    /// Any.
    Table(Box<ds::hash::Hash>),
}

impl Default for Hash {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl Hash {
    /// Counts the fields, those that are due among them.
    pub fn len(&self) -> usize {
        match self {
            Self::Packed(list) => list.count() / 2,
            Self::Expiring(hash) => hash.len(),
            Self::Table(hash) => hash.len(),
        }
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Packed(list) => list.is_empty(),
            Self::Expiring(hash) => hash.is_empty(),
            Self::Table(hash) => hash.is_empty(),
        }
    }

    /// Counts the fields that are not due.
    pub fn alive_len(&self, now_ms: i64) -> usize {
        let due = match self {
            Self::Packed(_) => 0,
            Self::Expiring(hash) => hash.entries().take_while(|entry| entry.is_due(now_ms)).count(),
            Self::Table(hash) => {
                hash.volatile().take_while(|(_, expiry_ms)| *expiry_ms <= now_ms).count()
            }
        };
        self.len() - due
    }

    /// Returns the earliest time at which a field expires.
    #[inline]
    pub fn next_expiry(&self) -> Option<i64> {
        match self {
            Self::Packed(_) => None,
            Self::Expiring(hash) => hash.next_expiry(),
            Self::Table(hash) => hash.next_expiry(),
        }
    }

    /// Returns the value of a field that is not due.
    #[inline]
    pub fn get(&self, name: &[u8], now_ms: i64) -> Option<Item<'_>> {
        match self {
            Self::Packed(list) => {
                let value = list.next(place_of(list, name)?)?;
                Some(list.item(value))
            }
            Self::Expiring(hash) => {
                let entry = hash.find(name).filter(|entry| !entry.is_due(now_ms))?;
                Some(entry.value)
            }
            Self::Table(hash) => {
                let field = hash.find(name).filter(|field| !is_due(field, now_ms))?;
                Some(Item::Bytes(field.value()))
            }
        }
    }

    /// Returns the value of a field, due or not, if it is a large one by itself.
    pub fn shared(&self, name: &[u8]) -> Option<SharedBytes> {
        if let Self::Table(hash) = self { hash.find(name)?.shared() } else { None }
    }

    /// Returns when a field that is not due expires, or that it does not.
    pub fn expiry(&self, name: &[u8], now_ms: i64) -> Option<Option<i64>> {
        match self {
            Self::Packed(list) => place_of(list, name).map(|_| None),
            Self::Expiring(hash) => {
                hash.find(name).filter(|entry| !entry.is_due(now_ms)).map(|entry| entry.expiry)
            }
            Self::Table(hash) => {
                hash.find(name).filter(|field| !is_due(field, now_ms)).map(Field::expiry)
            }
        }
    }

    /// Shows all fields and their values to `visit`, those that are due among them.
    pub fn each(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.each_alive(i64::MIN, &mut visit);
    }

    /// Shows all fields and their values to `visit`, and whether they expire.
    pub fn each_expiring(&self, mut visit: impl FnMut(&[u8], &[u8], bool)) {
        let (mut digits, mut more) = (Digits::default(), Digits::default());
        match self {
            Self::Packed(_) => self.each(|name, value| visit(name, value, false)),
            Self::Expiring(hash) => hash.entries().for_each(|entry| {
                let (name, value) = (entry.name.text(&mut digits), entry.value.text(&mut more));
                visit(name, value, entry.expiry.is_some());
            }),
            Self::Table(hash) => hash.iter().for_each(|field| {
                visit(field.name(), field.value(), field.expiry().is_some());
            }),
        }
    }

    /// Shows the fields that are not due and their values to `visit`.
    pub fn each_alive(&self, now_ms: i64, mut visit: impl FnMut(&[u8], &[u8])) {
        let (mut digits, mut more) = (Digits::default(), Digits::default());
        match self {
            Self::Packed(list) => list.pairs().for_each(|(field, value)| {
                visit(field.text(&mut digits), value.text(&mut more));
            }),
            Self::Expiring(hash) => {
                hash.entries().skip_while(|entry| entry.is_due(now_ms)).for_each(|entry| {
                    visit(entry.name.text(&mut digits), entry.value.text(&mut more));
                });
            }
            Self::Table(hash) => hash
                .iter()
                .filter(|field| !is_due(field, now_ms))
                .for_each(|field| visit(field.name(), field.value())),
        }
    }

    /// Shows some of the fields and their values to `visit`: about `count`, and at least one if
    /// there is any; returns the cursor of the next ones. A listpack shows all.
    pub fn scan(
        &self,
        mut cursor: u64,
        count: u64,
        now_ms: i64,
        mut visit: impl FnMut(&[u8], &[u8]),
    ) -> u64 {
        let Self::Table(hash) = self else {
            self.each_alive(now_ms, visit);
            return 0;
        };
        let mut looked_at = 0;
        let mut chains = count.saturating_mul(CHAINS_PER_FIELD);
        loop {
            cursor = hash.scan(cursor, |field| {
                looked_at += 1;
                if !is_due(field, now_ms) {
                    visit(field.name(), field.value());
                }
            });
            if cursor == 0 || count <= looked_at || chains == 0 {
                return cursor;
            }
            chains -= 1;
        }
    }

    /// Makes ready for fields and values that come, each of which may be new: a table if they are
    /// too many or one is too long.
    pub fn make_room<'a>(
        &mut self,
        texts: impl ExactSizeIterator<Item = &'a [u8]>,
        limits: Encoding,
    ) {
        let Some(list) = self.list() else { return };
        let fields = texts.len() / 2;
        let mut bytes = 0_usize;
        let mut is_long = limits.hash_max_listpack_entries < fields;
        for text in texts {
            is_long |= limits.hash_max_listpack_value < text.len();
            bytes = bytes.saturating_add(text.len());
        }
        if is_long || !list.has_room_for(bytes) {
            let hash = self.to_table();
            // Without room at once it grows step by step.
            let _ = hash.reserve(hash.len().max(fields));
        }
    }

    /// Gives a field a value; tells whether it is new. A new field does not expire; another one
    /// does as before, or not any more. A large value that others hold, too, is not copied.
    #[inline]
    pub fn set<'v>(
        &mut self,
        name: &[u8],
        value: impl Into<NewValue<'v>>,
        keeps_expiry: bool,
        limits: Encoding,
    ) -> bool {
        let value = value.into();
        let (most, bytes) = (limits.hash_max_listpack_value, value.bytes());
        let size = name.len().saturating_add(bytes.len());
        let may_fit = name.len() <= most && bytes.len() <= most;
        let is_new = match self {
            Self::Packed(list) if may_fit && list.has_room_for(size) => {
                set_packed(list, name, bytes)
            }
            Self::Expiring(hash) if may_fit && hash.list().has_room_for(size) => {
                hash.set(name, bytes, keeps_expiry)
            }
            _ => {
                let expiry = if keeps_expiry { Expiry::Keep } else { Expiry::Never };
                return self.to_table().set(name, value, expiry);
            }
        };
        self.settle(limits);
        is_new
    }

    /// Sets when a field expires, or that it does not; tells whether it is there.
    pub fn set_expiry(&mut self, name: &[u8], expiry_ms: Option<i64>) -> bool {
        if let Self::Packed(list) = self {
            let is_there = place_of(list, name).is_some();
            if !is_there || expiry_ms.is_none() {
                return is_there;
            }
            *self = Self::Expiring(Expiring::from(&*list));
        }
        match self {
            Self::Expiring(hash) if hash.list().has_room_for(0) => hash.set_expiry(name, expiry_ms),
            _ => self.to_table().set_expiry(name, expiry_ms),
        }
    }

    /// Takes a field out; tells whether it was there.
    #[inline]
    pub fn remove(&mut self, name: &[u8]) -> bool {
        match self {
            Self::Packed(list) => {
                let Some(at) = place_of(list, name) else { return false };
                list.delete_from(at, 2);
                true
            }
            Self::Expiring(hash) => hash.remove(name),
            Self::Table(hash) => hash.remove(name).is_some(),
        }
    }

    /// Takes up to `most` fields out that are due, the earliest first, and shows their names to
    /// `visit`; returns how many they were.
    pub fn remove_due(&mut self, now_ms: i64, most: usize, mut visit: impl FnMut(&[u8])) -> usize {
        let hash = match self {
            Self::Packed(_) => return 0,
            Self::Expiring(hash) => return hash.remove_due(now_ms, most, visit),
            Self::Table(hash) => hash,
        };
        let mut count = 0;
        while count < most
            && let Some(field) = hash.pop_due(now_ms)
        {
            visit(field.name());
            count += 1;
        }
        count
    }

    /// Takes a field out if it is due; tells whether it was.
    pub fn remove_if_due(&mut self, name: &[u8], now_ms: i64) -> bool {
        let hash = match self {
            Self::Packed(_) => return false,
            Self::Expiring(hash) => {
                let is_due = hash.find(name).is_some_and(|entry| entry.is_due(now_ms));
                return is_due && hash.remove(name);
            }
            Self::Table(hash) => hash,
        };
        match hash.entry(name) {
            Slot::Occupied(item) if is_due(item.field(), now_ms) => {
                item.remove();
                true
            }
            _ => false,
        }
    }

    /// Makes a table of it, for good.
    pub fn to_table(&mut self) -> &mut ds::hash::Hash {
        if let Some(list) = self.list() {
            let mut hash = Box::new(ds::hash::Hash::new());
            let _ = hash.reserve(self.len());
            let (mut digits, mut more) = (Digits::default(), Digits::default());
            let mut add = |name: Item<'_>, value: Item<'_>, expiry: Option<i64>| {
                let expiry = expiry.map_or(Expiry::Never, Expiry::At);
                hash.set(name.text(&mut digits), value.text(&mut more), expiry);
            };
            match self {
                Self::Expiring(hash) => {
                    hash.entries().for_each(|entry| add(entry.name, entry.value, entry.expiry))
                }
                _ => list.pairs().for_each(|(name, value)| add(name, value, None)),
            }
            *self = Self::Table(hash);
        }
        let Self::Table(hash) = self else { unreachable!("it was made one") };
        hash
    }

    /// Returns the name of the form that it is held in.
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::Packed(_) => "listpack",
            Self::Expiring(_) => "listpackex",
            Self::Table(_) => "hashtable",
        }
    }

    /// Makes a table of it if it has too many fields, as it may have had for long.
    #[inline]
    fn settle(&mut self, limits: Encoding) {
        if limits.hash_max_listpack_entries < self.len() {
            self.to_table();
        }
    }

    /// Returns the list that it is held in, if so.
    #[inline]
    pub(crate) fn list(&self) -> Option<&Listpack> {
        match self {
            Self::Packed(list) => Some(list),
            Self::Expiring(hash) => Some(hash.list()),
            Self::Table(_) => None,
        }
    }

    /// Makes a second one like it.
    #[must_use]
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::Packed(list) => Self::Packed(list.clone()),
            Self::Expiring(hash) => Self::Expiring(hash.clone()),
            Self::Table(hash) => Self::Table(hash.clone()),
        }
    }

    /// Counts the allocations that freeing it gives back.
    pub(super) fn allocations(&self) -> u64 {
        match self {
            Self::Packed(_) | Self::Expiring(_) => 1,
            Self::Table(hash) => hash.len() as u64,
        }
    }

    /// Counts the bytes of its allocations.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Packed(list) => list.allocation_bytes(),
            Self::Expiring(hash) => hash.list().allocation_bytes(),
            Self::Table(hash) => size_of::<ds::hash::Hash>() + hash.memory_bytes(),
        }
    }
}

/// Whether a field's time has come.
#[inline]
fn is_due(field: &Field, now_ms: i64) -> bool {
    field.expiry().is_some_and(|expiry_ms| expiry_ms <= now_ms)
}

/// Gives a field of a list of fields and values a value; tells whether it is new.
#[inline]
fn set_packed(list: &mut Listpack, name: &[u8], value: &[u8]) -> bool {
    let Some(at) = place_of(list, name) else {
        list.append_two(Item::Bytes(name), Item::Bytes(value));
        return true;
    };
    let value_at = list.next(at).expect("a field has a value");
    list.replace(value_at, Item::Bytes(value));
    false
}

/// Finds a field in a list of fields and values.
#[inline]
fn place_of(list: &listpack::Pack, name: &[u8]) -> Option<At> {
    list.find(list.first()?, name, 1)
}
