//! Room: which key goes when memory is short, and how it goes.
//!
//! Nothing keeps keys in the order of their use: that would cost every access. Instead a few
//! keys are sampled, and the best of all that were sampled lately wait in a *pool*, best last.
//! Each eviction samples a few more from each database, and takes the best of the pool that
//! still exists. With 5 samples that comes close to the true order, with 10 very close.
//!
//! A score says how good it is to let a key go: idle time, rarity of use, or nearness of its
//! end. Scores of two policies say nothing of each other: the pool is emptied when the policy
//! changes.

use std::time::{Duration, Instant};

use crate::{
    config::MaxmemoryPolicy,
    keyspace::{Access, AccessPolicy, Cause, Gone, Keyspace},
};

/// Keys that wait in the pool.
const POOL_SIZE: usize = 16;
/// Room for a longer name is not kept for the next one.
const SPARE_BYTES_MAX: usize = 256;
/// A counter that says how often a key is used has this at most.
const FREQUENCY_MAX: u32 = 255;

/// Keys that are good to go, and what was done so far.
#[derive(Debug, Default)]
pub struct Eviction {
    /// Keys that went because their memory was needed.
    pub evicted_keys: u64,
    /// More is to go in the next turn.
    pub is_running: bool,
    /// Since when more memory is used than may be, if it is.
    pub exceeded_since: Option<Instant>,
    exceeded_before: Duration,
    policy: MaxmemoryPolicy,
    pool: Pool,
    /// Where the next random key is taken from.
    next_db: usize,
}

impl Eviction {
    /// Notes whether more memory is used than may be.
    pub fn note_exceeded(&mut self, is_exceeded: bool) {
        if is_exceeded {
            self.exceeded_since.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.exceeded_since.take() {
            self.exceeded_before += since.elapsed();
        }
    }

    /// Returns for how long more memory was used than may be: since it is, and in all.
    pub fn exceeded(&self) -> (Duration, Duration) {
        let present = self.exceeded_since.map_or(Duration::ZERO, |since| since.elapsed());
        (present, self.exceeded_before + present)
    }

    /// Starts to count anew.
    pub fn reset(&mut self) {
        (self.evicted_keys, self.exceeded_since) = (0, None);
        self.exceeded_before = Duration::ZERO;
    }
}

/// The best of what was sampled, by rising scores.
#[derive(Debug, Default)]
struct Pool {
    waiting: Vec<Candidate>,
    /// Names that are out of use, kept for their memory.
    spare: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Candidate {
    score: u64,
    db: usize,
    key: Vec<u8>,
}

impl Pool {
    /// Whether a score is good enough to wait.
    fn wants(&self, score: u64) -> bool {
        self.waiting.len() < POOL_SIZE || self.waiting.first().is_some_and(|w| w.score < score)
    }

    fn add(&mut self, score: u64, db: usize, key: &[u8]) {
        if !self.wants(score) {
            return;
        }
        if self.waiting.len() == POOL_SIZE {
            let worst = self.waiting.remove(0);
            self.give_back(worst.key);
        }
        let mut name = self.spare.pop().unwrap_or_default();
        name.clear();
        name.extend_from_slice(key);
        let at = self.waiting.partition_point(|waiting| waiting.score < score);
        self.waiting.insert(at, Candidate { score, db, key: name });
    }

    fn take(&mut self) -> Option<Candidate> {
        self.waiting.pop()
    }

    fn give_back(&mut self, name: Vec<u8>) {
        if self.spare.len() < POOL_SIZE && name.capacity() <= SPARE_BYTES_MAX {
            self.spare.push(name);
        }
    }
}

/// Whether only keys that expire may go.
fn is_volatile(policy: MaxmemoryPolicy) -> bool {
    matches!(
        policy,
        MaxmemoryPolicy::VolatileLru
            | MaxmemoryPolicy::VolatileLfu
            | MaxmemoryPolicy::VolatileRandom
            | MaxmemoryPolicy::VolatileTtl
    )
}

impl Keyspace {
    /// Deletes one key, as the policy says, and returns the bytes that this has freed so far;
    /// none if there is no key that may go.
    pub fn evict(&mut self, policy: MaxmemoryPolicy, samples: u32) -> Option<usize> {
        if self.eviction.policy != policy {
            self.eviction.policy = policy;
            self.eviction.pool = Pool::default();
        }
        let (db, key) = match policy {
            MaxmemoryPolicy::NoEviction => return None,
            MaxmemoryPolicy::AllKeysRandom | MaxmemoryPolicy::VolatileRandom => self.any(policy)?,
            _ => self.best(policy, samples as usize)?,
        };
        let before = base::memory::used_bytes();
        let record = self.dbs[db].store.remove(&key).expect("found just now");
        self.lazy.free(record, Gone::Evicted);
        let freed = before.saturating_sub(base::memory::used_bytes());
        self.eviction.evicted_keys += 1;
        self.events.deleted(db, &key, Cause::Evicted);
        self.eviction.pool.give_back(key);
        Some(freed)
    }

    /// Finds the best key of the pool, which is filled anew before.
    fn best(&mut self, policy: MaxmemoryPolicy, samples: usize) -> Option<(usize, Vec<u8>)> {
        // What waits may be gone; a pool of nothing but such keys is filled once more.
        while self.fill_pool(policy, samples) {
            while let Some(Candidate { db, key, .. }) = self.eviction.pool.take() {
                let record = self.dbs[db].store.find(&key);
                if record.is_some_and(|r| !is_volatile(policy) || r.expiry().is_some()) {
                    return Some((db, key));
                }
                self.eviction.pool.give_back(key);
            }
        }
        None
    }

    /// Samples each database; says whether there is any key that may go.
    fn fill_pool(&mut self, policy: MaxmemoryPolicy, samples: usize) -> bool {
        let Self { dbs, eviction: Eviction { pool, .. }, random, access_policy, now_ms, .. } = self;
        let mut is_any = false;
        for (index, db) in dbs.iter().enumerate() {
            let store = &db.store;
            let draw = |bound| random.below(bound);
            // A sample is cut off, since the last chain of one may hold more than was asked for.
            let mut left = samples;
            let visit = |record: &ds::Record<_>| {
                if 0 < left {
                    left -= 1;
                    let score = score(policy, *access_policy, record, *now_ms);
                    pool.add(score, index, record.key());
                }
            };
            is_any |= 0 < match is_volatile(policy) {
                true => store.sample_volatile(samples, draw, visit),
                false => store.sample(samples, draw, visit),
            };
        }
        is_any
    }

    /// Finds any key, in another database than before if more than one has keys.
    fn any(&mut self, policy: MaxmemoryPolicy) -> Option<(usize, Vec<u8>)> {
        let random = &mut self.random;
        for _ in 0..self.dbs.len() {
            self.eviction.next_db = (self.eviction.next_db + 1) % self.dbs.len();
            let store = &self.dbs[self.eviction.next_db].store;
            let draw = |bound| random.below(bound);
            let record = match is_volatile(policy) {
                true => store.random_volatile(draw),
                false => store.random(draw),
            };
            if let Some(record) = record {
                return Some((self.eviction.next_db, record.key().to_vec()));
            }
        }
        None
    }
}

/// Says how good it is to let a key go.
fn score<V>(
    policy: MaxmemoryPolicy,
    access_policy: AccessPolicy,
    record: &ds::Record<V>,
    now_ms: i64,
) -> u64 {
    if policy == MaxmemoryPolicy::VolatileTtl {
        let at_ms = record.expiry().unwrap_or(i64::MAX);
        return u64::MAX - u64::try_from(at_ms).unwrap_or(0);
    }
    match access_policy.show(record.lru(), now_ms) {
        Access::IdleSeconds(seconds) => u64::try_from(seconds).unwrap_or(0),
        Access::Frequency(count) => u64::from(FREQUENCY_MAX - count),
    }
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use crate::{
        config::MaxmemoryPolicy,
        keyspace::{AccessPolicy, Gone, Happened, Interest, Keyspace, Look, NewText, Ttl},
    };

    fn name(n: u64) -> Vec<u8> {
        format!("key:{n}").into_bytes()
    }

    /// Makes `count` keys, each set a second after the one before.
    fn keyspace(count: u64, ttl: impl Fn(u64) -> Ttl) -> Keyspace {
        let mut keyspace = Keyspace::new(1);
        keyspace.random = Random::seeded(7);
        for n in 0..count {
            keyspace.now_ms = 1000 * i64::try_from(n).unwrap();
            keyspace.set_text(0, &name(n), NewText::Bytes(b"x"), ttl(n));
        }
        keyspace
    }

    /// Evicts `count` keys and says which share of those that went was among the first `half`.
    fn share_of_first(keyspace: &mut Keyspace, policy: MaxmemoryPolicy, half: u64) -> f64 {
        for _ in 0..half {
            keyspace.evict(policy, 10).unwrap();
        }
        let gone = (0..half).filter(|n| keyspace.peek(0, &name(*n)).is_none()).count();
        gone as f64 / half as f64
    }

    #[test]
    fn keys_that_were_used_longest_ago_go_first() {
        let mut idle = keyspace(10_000, |_| Ttl::Clear);
        let share = share_of_first(&mut idle, MaxmemoryPolicy::AllKeysLru, 5000);
        assert!(0.85 < share, "{share}");
        // An access saves a key.
        let mut touched = keyspace(10_000, |_| Ttl::Clear);
        touched.now_ms *= 2;
        (0..5000).for_each(|n| assert!(touched.touch(0, &name(n), Look::Read)));
        let share = share_of_first(&mut touched, MaxmemoryPolicy::AllKeysLru, 5000);
        assert!(share < 0.15, "{share}");
    }

    #[test]
    fn keys_that_are_used_least_often_go_first() {
        let mut keyspace = Keyspace::new(1);
        keyspace.random = Random::seeded(7);
        keyspace.access_policy = AccessPolicy::Lfu { log_factor: 1, decay_minutes: 0 };
        for n in 0..2000 {
            keyspace.set_text(0, &name(n), NewText::Bytes(b"y"), Ttl::Clear);
            let times = if n < 1000 { 0 } else { 50 };
            (0..times).for_each(|_| assert!(keyspace.touch(0, &name(n), Look::Read)));
        }
        let share = share_of_first(&mut keyspace, MaxmemoryPolicy::AllKeysLfu, 1000);
        assert!(0.85 < share, "{share}");
    }

    #[test]
    fn keys_that_expire_soonest_go_first() {
        let end = |n| Ttl::At(1_000_000_000 + i64::try_from(n).unwrap());
        let mut keyspace = keyspace(4000, end);
        let share = share_of_first(&mut keyspace, MaxmemoryPolicy::VolatileTtl, 2000);
        assert!(0.85 < share, "{share}");
    }

    #[test]
    fn a_volatile_policy_spares_keys_that_do_not_expire() {
        for policy in [
            MaxmemoryPolicy::VolatileLru,
            MaxmemoryPolicy::VolatileLfu,
            MaxmemoryPolicy::VolatileRandom,
            MaxmemoryPolicy::VolatileTtl,
        ] {
            let ttl = |n| if n % 2 == 0 { Ttl::At(i64::MAX) } else { Ttl::Clear };
            let mut keyspace = keyspace(1000, ttl);
            (0..500).for_each(|_| assert!(keyspace.evict(policy, 5).is_some()));
            assert_eq!(keyspace.evict(policy, 5), None, "{policy:?}");
            assert!((0..1000).all(|n| keyspace.peek(0, &name(n)).is_some() == (n % 2 == 1)));
        }
    }

    #[test]
    fn what_has_left_the_pool_in_another_way_is_passed_over() {
        let mut keyspace = keyspace(100, |_| Ttl::Clear);
        keyspace.evict(MaxmemoryPolicy::AllKeysLru, 50).unwrap();
        for n in 0..99 {
            // One of these is gone already.
            keyspace.delete(0, &name(n), Gone::Deleted);
        }
        keyspace.evict(MaxmemoryPolicy::AllKeysLru, 5).unwrap();
        assert_eq!(keyspace.len(0), 0);
        assert_eq!(keyspace.evict(MaxmemoryPolicy::AllKeysLru, 5), None);
        assert_eq!(keyspace.evict(MaxmemoryPolicy::AllKeysRandom, 5), None);
        assert_eq!(keyspace.evict(MaxmemoryPolicy::NoEviction, 5), None);
    }

    #[test]
    fn all_databases_give_and_each_key_is_told() {
        let mut keyspace = Keyspace::new(3);
        for db in 0..3 {
            keyspace.set_text(db, b"k", NewText::Bytes(&[b'v'; 5000]), Ttl::Clear);
        }
        keyspace.events.interest = Interest { deletions: true, ..Interest::default() };
        let mut dbs = Vec::new();
        for policy in [MaxmemoryPolicy::AllKeysRandom, MaxmemoryPolicy::AllKeysLru] {
            keyspace.evict(policy, 5).unwrap();
        }
        keyspace.evict(MaxmemoryPolicy::AllKeysRandom, 5).unwrap();
        while let Some(event) = keyspace.events.pop() {
            assert!(matches!(event.happened, Happened::Deleted(_)));
            dbs.push(event.db);
        }
        dbs.sort_unstable();
        assert_eq!((dbs, keyspace.eviction.evicted_keys), (vec![0, 1, 2], 3));
    }
}
