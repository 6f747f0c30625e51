//! Pure: the keyed hash of the dictionaries: SipHash-1-3 under one seed for the process.

use std::{
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
};

use siphasher::sip::SipHasher13;

static HASHER: OnceLock<SipHasher13> = OnceLock::new();

/// The hash of a key. Computed once, it serves any number of calls on any dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(u64);

impl Hash {
    /// What a bucket keeps of it to tell its entries apart: bits that no index uses.
    pub(super) fn tag(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// Its place in the order of hashes, which is the order of buckets too.
    pub(super) fn position(self) -> u64 {
        self.0
    }
}

/// Hashes a key with the seed of the process.
pub fn hash(key: &[u8]) -> Hash {
    Hash(HASHER.get_or_init(|| SipHasher13::new_with_key(&random_seed())).hash(key))
}

/// Sets the seed of all dictionaries, before the first key is hashed. Whoever sets none gets
/// a random one. Returns false, and changes nothing, when it comes too late.
pub fn set_hash_seed(seed: [u8; 16]) -> bool {
    HASHER.set(SipHasher13::new_with_key(&seed)).is_ok()
}

/// `RandomState` is seeded by the system; hashing two numbers gives two words of it.
fn random_seed() -> [u8; 16] {
    let state = RandomState::new();
    let words = [state.hash_one(0_u64), state.hash_one(1_u64)];
    let mut seed = [0; 16];
    for (bytes, word) in seed.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    seed
}
