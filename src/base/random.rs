//! Pure: random numbers, seeded for games of chance and from the system for secrets.
//!
//! `Random` picks keys, samples and skip-list levels: fast, and the same again from
//! the same seed. What a peer must not guess (run ids, hash seeds, ticket keys) comes
//! from `secure` and `hex_id`.

use fastrand::Rng;

const HEX: [u8; 16] = *b"0123456789abcdef";
/// The characters of a run id, a replication id, a node name.
pub const ID_CHARS: usize = 40;

/// A fast generator with a known seed.
#[derive(Debug, Clone)]
pub struct Random(Rng);

impl Random {
    /// Makes a generator that gives the same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// Makes a generator that the system's randomness seeds.
    pub fn from_system() -> Self {
        let mut seed = [0; 8];
        secure(&mut seed);
        Self::seeded(u64::from_ne_bytes(seed))
    }

    /// Makes a generator for a test and prints its seed; `SEED=n` runs the test with it again.
    #[cfg(test)]
    pub(crate) fn for_test(test: &str) -> Self {
        let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or_else(|| Self::from_system().below(1 << 32));
        println!("{test}: SEED={seed}");
        Self::seeded(seed)
    }

    /// Returns any number, all alike.
    #[inline]
    pub fn any_u64(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// Returns a number below `bound`, all alike.
    ///
    /// # Panics
    /// If nothing is below `bound`.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below zero");
        self.0.u64(..bound)
    }

    /// Returns a position in something that has `count` places.
    ///
    /// # Panics
    /// If there is no place.
    #[inline]
    pub fn index(&mut self, count: usize) -> usize {
        assert!(count > 0, "nothing has no position");
        self.0.usize(..count)
    }

    /// Returns a number from 0 up to, not including, 1.
    #[inline]
    pub fn unit_f64(&mut self) -> f64 {
        self.0.f64()
    }

    /// Fills `bytes` at random.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    /// Puts `items` in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }
}

/// Fills `bytes` with randomness of the system that nobody can guess.
///
/// # Panics
/// If the system has none: a server without secrets must not run.
pub fn secure(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system gives random bytes");
}

/// Returns a fresh id of 40 hexadecimal digits that nobody else has.
pub fn hex_id() -> [u8; ID_CHARS] {
    let mut bytes = [0; ID_CHARS / 2];
    secure(&mut bytes);
    hex(&bytes)
}

/// Returns bytes as lower-case hexadecimal; `CHARS` is twice `BYTES`.
pub fn hex<const BYTES: usize, const CHARS: usize>(bytes: &[u8; BYTES]) -> [u8; CHARS] {
    const { assert!(CHARS == 2 * BYTES) }
    let mut text = [0; CHARS];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_the_sequence() {
        let (mut a, mut b) = (Random::seeded(7), Random::seeded(7));
        let mut c = Random::seeded(8);
        let first: Vec<u64> = (0..100).map(|_| a.any_u64()).collect();
        assert_eq!(first, (0..100).map(|_| b.any_u64()).collect::<Vec<_>>());
        assert_ne!(first, (0..100).map(|_| c.any_u64()).collect::<Vec<_>>());
    }

    #[test]
    fn numbers_below_a_bound_are_all_alike() {
        let mut random = Random::seeded(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.index(7)] += 1;
        }
        assert!(counts.iter().all(|count| (9500..10_500).contains(count)), "{counts:?}");
        assert!((0..1000).all(|_| random.below(1) == 0));
        assert!((0..1000).all(|_| (0.0..1.0).contains(&random.unit_f64())));
        assert!((0..1000).any(|_| random.below(u64::MAX) > u64::MAX / 2));
    }

    #[test]
    fn fill_and_shuffle_touch_everything() {
        let mut random = Random::seeded(2);
        let mut bytes = [0; 1003];
        random.fill(&mut bytes);
        assert!(bytes.iter().filter(|byte| **byte == 0).count() < 20);
        let mut items: Vec<u32> = (0..100).collect();
        random.shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn ids_differ_and_are_hexadecimal() {
        let ids: Vec<_> = (0..100).map(|_| hex_id()).collect();
        assert!(ids.iter().flatten().all(|c| HEX.contains(c)));
        assert!(ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id)));
        assert_eq!(hex(&[0x00, 0x9f, 0xff]), *b"009fff");
    }
}
