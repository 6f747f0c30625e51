//! Room: what falls out of the keyspace: freed at once, or on the thread that frees.
//!
//! Whoever takes a value out says how it came to go (`Gone`); the `lazyfree-lazy-*` switches
//! say for each way whether a big value may be freed elsewhere. A small one is freed here in
//! any case: sending it away would cost more.

use ds::{Record, Store};

use crate::{bio::Bio, config::Memory, value::Value};

/// Freeing no more allocations than this is cheaper than sending them away.
const FREED_AT_ONCE_MAX: u64 = 64;

/// How a value came to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// Its memory was needed.
    Evicted,
    /// Its time has come.
    Expired,
    /// A command has put something else in its place, or has taken out all that was in it.
    Overwritten,
    /// DEL has named it.
    Deleted,
    /// UNLINK has named it.
    Unlinked,
}

/// The switches, and the way to the thread.
#[derive(Debug, Default)]
pub struct Lazy {
    /// Without a thread everything is freed where it falls out.
    bio: Option<Bio>,
    of_evicted: bool,
    of_expired: bool,
    of_overwritten: bool,
    of_deleted: bool,
}

impl Lazy {
    /// Lets big values be freed on a thread.
    pub fn use_thread(&mut self, bio: Bio) {
        self.bio = Some(bio);
    }

    /// Takes the switches over.
    pub fn configure(&mut self, memory: &Memory) {
        self.of_evicted = memory.lazyfree_lazy_eviction;
        self.of_expired = memory.lazyfree_lazy_expire;
        self.of_overwritten = memory.lazyfree_lazy_server_del;
        self.of_deleted = memory.lazyfree_lazy_user_del;
    }

    /// Whether what goes in this way may be freed on the thread.
    pub fn is_lazy(&self, gone: Gone) -> bool {
        match gone {
            Gone::Evicted => self.of_evicted,
            Gone::Expired => self.of_expired,
            Gone::Overwritten => self.of_overwritten,
            Gone::Deleted => self.of_deleted,
            Gone::Unlinked => true,
        }
    }

    /// Frees a key that was taken out.
    #[inline]
    pub(super) fn free(&self, record: Record<Value>, gone: Gone) {
        let allocations = record.value().map_or(1, Value::allocations);
        self.free_counted(record, allocations, gone);
    }

    /// Frees a value whose key has another one.
    #[inline]
    pub(super) fn free_value(&self, value: Option<Value>, gone: Gone) {
        if let Some(value) = value {
            let allocations = value.allocations();
            self.free_counted(value, allocations, gone);
        }
    }

    /// Frees all keys of a database.
    pub(super) fn free_all(&self, all: Store<Value>, lazily: bool) {
        let count = all.len() as u64;
        if let Some(bio) = self.bio.as_ref().filter(|_| lazily && 0 < count) {
            bio.free(all, count);
        }
    }

    #[inline]
    fn free_counted(&self, garbage: impl Send + 'static, allocations: u64, gone: Gone) {
        if FREED_AT_ONCE_MAX < allocations && self.is_lazy(gone) {
            self.send(garbage);
        }
    }

    #[cold]
    fn send(&self, garbage: impl Send + 'static) {
        if let Some(bio) = &self.bio {
            bio.free(garbage, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use ds::{Record, Store};

    use super::{Gone, Lazy};
    use crate::{bio::Bio, config::Memory};

    struct Telltale(mpsc::Sender<bool>);

    impl Drop for Telltale {
        fn drop(&mut self) {
            self.0.send(thread::current().name() == Some("bio_lazy_free")).unwrap();
        }
    }

    /// Whether garbage of so many allocations is freed on the thread.
    fn is_sent(lazy: &Lazy, allocations: u64, gone: Gone) -> bool {
        let (tell, told) = mpsc::channel();
        lazy.free_counted(Telltale(tell), allocations, gone);
        told.recv().unwrap()
    }

    #[test]
    fn each_switch_is_of_its_own_way_to_go() {
        const WAYS: [Gone; 4] = [Gone::Evicted, Gone::Expired, Gone::Overwritten, Gone::Deleted];
        let mut lazy = Lazy::default();
        assert!(!is_sent(&lazy, 1000, Gone::Unlinked));
        lazy.use_thread(Bio::start());
        assert!(is_sent(&lazy, 1000, Gone::Unlinked));
        for (at, way) in WAYS.into_iter().enumerate() {
            let mut memory = Memory::default();
            let switches = [
                &mut memory.lazyfree_lazy_eviction,
                &mut memory.lazyfree_lazy_expire,
                &mut memory.lazyfree_lazy_server_del,
                &mut memory.lazyfree_lazy_user_del,
            ];
            switches.into_iter().enumerate().for_each(|(n, switch)| *switch = n == at);
            lazy.configure(&memory);
            for other in WAYS {
                assert_eq!(is_sent(&lazy, 1000, other), other == way, "{way:?}, {other:?}");
            }
        }
    }

    #[test]
    fn a_database_that_is_freed_counts_by_its_keys() {
        let (mut lazy, bio) = (Lazy::default(), Bio::start());
        lazy.use_thread(bio.clone());
        let all = |keys: &[&[u8]]| {
            let mut store = Store::new();
            keys.iter().for_each(|key| drop(store.insert(Record::with_string(key, b"v", None))));
            store
        };
        lazy.free_all(all(&[b"a", b"b"]), false);
        lazy.free_all(all(&[]), true);
        lazy.free_all(all(&[b"a", b"b", b"c"]), true);
        while bio.pending_count() != 0 {
            thread::yield_now();
        }
        assert_eq!(bio.freed_count(), 3);
    }

    #[test]
    fn what_is_small_is_freed_at_once() {
        let mut lazy = Lazy::default();
        lazy.use_thread(Bio::start());
        assert!(!is_sent(&lazy, 64, Gone::Unlinked));
        assert!(is_sent(&lazy, 65, Gone::Unlinked));
    }
}
