//! Pure: how often the store asks for memory. A binary of its own: it counts for the process.

use base::memory;
use ds::{Expiry, Store, store::Slot};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

#[test]
fn a_key_is_one_allocation_and_a_set_over_it_none() {
    let before = memory::allocations();
    let mut store = Store::<u128>::new();
    assert!(store.find(b"key").is_none() && store.remove(b"key").is_none());
    assert_eq!(memory::allocations(), before, "what is empty allocates nothing");

    // Four keys fit the first bucket of either table.
    let keys = [&b"key:1"[..], b"key:2", b"key:3", b"key:4"];
    for (at, key) in keys.iter().enumerate() {
        let before = memory::allocations();
        let Slot::Vacant(slot) = store.entry(key) else { panic!("the key is absent") };
        slot.insert_string(b"value", None);
        let table = usize::from(at == 0);
        assert_eq!(memory::allocations() - before, 1 + table);
    }

    let before = memory::allocations();
    for key in keys {
        assert!(store.find(key).is_some());
        let Slot::Occupied(mut item) = store.entry(key) else { panic!("the key is there") };
        item.set_string(b"other", Expiry::Never);
        item.set_string(b"bit longer", Expiry::Keep);
    }
    assert_eq!(memory::allocations(), before, "the block has room");

    for (at, key) in keys.iter().enumerate() {
        let before = memory::allocations();
        store.set_expiry(key, Some(1));
        store.set_expiry(key, Some(2));
        store.set_expiry(key, None);
        store.set_expiry(key, Some(3));
        let table = usize::from(at == 0);
        assert_eq!(memory::allocations() - before, 1 + table, "room for an expiry is made once");
    }
    let before = memory::allocations();
    let Slot::Occupied(mut item) = store.entry(keys[0]) else { panic!("the key is there") };
    item.set_string(b"a string of another size class", Expiry::At(5));
    assert_eq!(memory::allocations() - before, 1);
}
