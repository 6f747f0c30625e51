//! Pure: the big form of a hash (`hashtable`): fields with values, some of which expire.
//!
//! Each field is one allocation with its value (`field.rs`), found by name in a dictionary
//! that owns it. Fields that expire stand in a second index by their times, so that what is
//! due is found without looking at the rest; it costs nothing while no field expires.
//!
//! Whether a field is still there when its time has come is for the caller to say: nothing
//! here looks at a clock. Invariant: the index holds exactly the address and expiry of each
//! field that has one, whenever no method of this folder is running. That is why nobody
//! outside is given `&mut Field`.
//!
//! Start with [`Hash::entry`].

mod field;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt};

pub use self::field::{APART_BYTES_MIN, Field, NewValue};
use crate::{
    block::Block,
    dict::{self, Dict, OutOfMemory, Stats},
    record::Expiry,
};

/// What an entry of the index by time takes in the nodes of its tree, which are not full.
const DUE_BYTES: usize = size_of::<Due>() * 7 / 4;

/// Fields with values.
#[derive(Default)]
pub struct Hash {
    fields: Dict<Field>,
    volatile: BTreeSet<Due>,
    /// The allocations of all fields together.
    field_bytes: usize,
}

/// When a field expires, and where it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    expiry_ms: i64,
    address: Block,
}

impl Due {
    fn of(field: &Field) -> Option<Self> {
        field.expiry().map(|expiry_ms| Self { expiry_ms, address: field.address() })
    }
}

impl Hash {
    /// Makes an empty hash, which allocates nothing.
    pub const fn new() -> Self {
        Self { fields: Dict::new(), volatile: BTreeSet::new(), field_bytes: 0 }
    }

    /// Counts the fields.
    #[inline]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Tells whether there is no field.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Counts the fields that expire.
    pub fn volatile_len(&self) -> usize {
        self.volatile.len()
    }

    /// Tells whether a field is there.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.fields.contains(name)
    }

    /// Finds a field.
    pub fn find(&self, name: &[u8]) -> Option<&Field> {
        self.fields.find(name)
    }

    /// Finds a field whose hash is known.
    #[inline]
    pub fn find_hashed(&self, hash: dict::Hash, name: &[u8]) -> Option<&Field> {
        self.fields.find_hashed(hash, name)
    }

    /// Returns the value of a field.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.find(name).map(Field::value)
    }

    /// Counts the bytes of a field's value.
    pub fn value_bytes(&self, name: &[u8]) -> Option<usize> {
        self.get(name).map(<[u8]>::len)
    }

    /// Searches once for a field, to look at, change, remove or insert it.
    pub fn entry<'a>(&'a mut self, name: &'a [u8]) -> Slot<'a> {
        self.entry_hashed(dict::hash(name), name)
    }

    /// Searches once for a field whose hash is known.
    pub fn entry_hashed<'a>(&'a mut self, hash: dict::Hash, name: &'a [u8]) -> Slot<'a> {
        let Self { fields, volatile, field_bytes } = self;
        match fields.entry_hashed(hash, name) {
            dict::Slot::Occupied(field) => Slot::Occupied(Item { field, volatile, field_bytes }),
            dict::Slot::Vacant(slot) => Slot::Vacant(Vacant { slot, volatile, field_bytes, name }),
        }
    }

    /// Gives a field a value; tells whether it is new.
    pub fn set<'v>(&mut self, name: &[u8], value: impl Into<NewValue<'v>>, expiry: Expiry) -> bool {
        match self.entry(name) {
            Slot::Occupied(mut item) => {
                item.set(value, expiry);
                false
            }
            Slot::Vacant(slot) => {
                slot.insert(value, expiry.after(None));
                true
            }
        }
    }

    /// Sets when a field expires, or that it does not; tells whether it is there.
    pub fn set_expiry(&mut self, name: &[u8], expiry_ms: Option<i64>) -> bool {
        let Slot::Occupied(mut item) = self.entry(name) else { return false };
        item.set_expiry(expiry_ms);
        true
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &[u8]) -> Option<Field> {
        match self.entry(name) {
            Slot::Occupied(item) => Some(item.remove()),
            Slot::Vacant(_) => None,
        }
    }

    /// Returns the earliest time at which a field expires.
    pub fn next_expiry(&self) -> Option<i64> {
        self.volatile.first().map(|due| due.expiry_ms)
    }

    /// Takes out the field that expires first, if it does by then.
    pub fn pop_due(&mut self, until_ms: i64) -> Option<Field> {
        let due = *self.volatile.first().filter(|due| due.expiry_ms <= until_ms)?;
        self.volatile.pop_first();
        // SAFETY: an address in the index is that of a field of this hash (invariant), which
        // lives until it is taken out below.
        let hash = dict::hash(unsafe { Field::name_at(due.address) });
        let field = self.fields.remove_by(hash, |field| field.address() == due.address);
        let field = field.expect("what the index holds is a field");
        self.fields.rehash(1);
        self.field_bytes -= field.allocation_bytes();
        Some(field)
    }

    /// Lends the fields that expire, the earliest first.
    pub fn volatile(&self) -> impl Iterator<Item = (&[u8], i64)> {
        self.volatile.iter().map(|due| {
            // SAFETY: an address in the index is that of a field of this hash (invariant),
            // which lives while the hash is lent.
            (unsafe { Field::name_at(due.address) }, due.expiry_ms)
        })
    }

    /// Lends the fields, in no order that means anything.
    pub fn iter(&self) -> dict::Iter<'_, Field> {
        self.fields.iter()
    }

    /// Visits the fields of one chain, and returns the cursor of the next. See
    /// [`Dict::scan`].
    pub fn scan(&self, cursor: u64, visit: impl FnMut(&Field)) -> u64 {
        self.fields.scan(cursor, visit)
    }

    /// Returns a field, each with the same chance. `draw` gives a random number below its
    /// argument.
    pub fn random(&self, draw: impl FnMut(u64) -> u64) -> Option<&Field> {
        self.fields.random(draw)
    }

    /// Visits `count` fields, or all if there are not so many, none of them twice. Each such
    /// choice has the same chance; the order has no meaning.
    pub fn random_distinct<'a>(
        &'a self,
        count: usize,
        draw: impl FnMut(u64) -> u64,
        visit: impl FnMut(&'a Field),
    ) {
        self.fields.random_distinct(count, draw, visit);
    }

    /// Visits about `count` fields that stand together somewhere, and returns how many. See
    /// [`Dict::sample`].
    pub fn sample<'a>(
        &'a self,
        count: usize,
        draw: impl FnMut(u64) -> u64,
        visit: impl FnMut(&'a Field),
    ) -> usize {
        self.fields.sample(count, draw, visit)
    }

    /// Makes room for so many fields in all, before they come.
    pub fn reserve(&mut self, fields: usize) -> Result<(), OutOfMemory> {
        self.fields.expand(fields)
    }

    /// Drops all fields and all memory.
    pub fn clear(&mut self) {
        self.volatile.clear();
        self.fields.clear();
        self.field_bytes = 0;
    }

    /// Asks for the bucket of a field, to be searched soon.
    #[inline]
    pub fn prefetch(&self, hash: dict::Hash) {
        self.fields.prefetch(hash);
    }

    /// Asks for the field itself, once its bucket is there.
    #[inline]
    pub fn prefetch_field(&self, hash: dict::Hash) {
        self.fields.prefetch_entry(hash);
    }

    /// Returns the bytes of table and fields, and about those of the index by time.
    pub fn memory_bytes(&self) -> usize {
        self.fields.memory_bytes() + self.field_bytes + self.volatile.len() * DUE_BYTES
    }

    /// Makes a step of a rehash that is under way, as each change does by itself: before each
    /// read, it ends also where nothing changes.
    #[inline]
    pub fn rehash_step(&mut self) {
        self.fields.rehash_step();
    }

    /// Counts what is where in the table.
    pub fn stats(&self) -> Stats {
        self.fields.stats()
    }
}

impl<'a> IntoIterator for &'a Hash {
    type Item = &'a Field;
    type IntoIter = dict::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Clone for Hash {
    fn clone(&self) -> Self {
        let mut clone = Self::new();
        // Without the room the table grows as it must.
        let _refused = clone.reserve(self.len());
        for field in self {
            let expiry = field.expiry().map_or(Expiry::Never, Expiry::At);
            match field.shared() {
                Some(value) => clone.set(field.name(), &value, expiry),
                None => clone.set(field.name(), field.value(), expiry),
            };
        }
        clone
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

/// What a search found.
pub enum Slot<'a> {
    /// The field is there.
    Occupied(Item<'a>),
    /// It is not.
    Vacant(Vacant<'a>),
}

/// A field that was found, to change or remove.
pub struct Item<'a> {
    field: dict::Occupied<'a, Field>,
    volatile: &'a mut BTreeSet<Due>,
    field_bytes: &'a mut usize,
}

impl<'a> Item<'a> {
    /// Returns the field.
    pub fn field(&self) -> &Field {
        self.field.get()
    }

    /// Returns the field for as long as the hash is lent.
    pub fn into_field(self) -> &'a Field {
        self.field.into_mut()
    }

    /// Gives the field another value.
    pub fn set<'v>(&mut self, value: impl Into<NewValue<'v>>, expiry: Expiry) {
        let value = value.into();
        self.change(|field| field.set(value, expiry));
    }

    /// Sets when the field expires, or that it does not.
    pub fn set_expiry(&mut self, expiry_ms: Option<i64>) {
        self.change(|field| field.set_expiry(expiry_ms));
    }

    /// Takes the field out.
    pub fn remove(self) -> Field {
        let field = self.field.remove();
        *self.field_bytes -= field.allocation_bytes();
        if let Some(due) = Due::of(&field) {
            self.volatile.remove(&due);
        }
        field
    }

    /// Changes the field, and puts the index right.
    fn change(&mut self, change: impl FnOnce(&mut Field)) {
        let field = self.field.get_mut();
        let (old, old_bytes) = (Due::of(field), field.allocation_bytes());
        change(field);
        *self.field_bytes = *self.field_bytes - old_bytes + field.allocation_bytes();
        let new = Due::of(field);
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.volatile.remove(&old);
        }
        self.volatile.extend(new);
    }
}

/// The room for a field that was not found.
pub struct Vacant<'a> {
    slot: dict::Vacant<'a, Field>,
    volatile: &'a mut BTreeSet<Due>,
    field_bytes: &'a mut usize,
    name: &'a [u8],
}

impl<'a> Vacant<'a> {
    /// Puts the field in.
    pub fn insert<'v>(self, value: impl Into<NewValue<'v>>, expiry_ms: Option<i64>) -> &'a Field {
        let field = Field::new(self.name, value.into(), expiry_ms);
        *self.field_bytes += field.allocation_bytes();
        self.volatile.extend(Due::of(&field));
        self.slot.insert(field)
    }
}
