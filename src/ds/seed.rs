//! Tool: a generator for each model test, which says how to get the same numbers again.

use base::random::Random;

/// Makes a generator and prints its seed; `SEED=n` runs the test with it again.
pub(crate) fn for_test(test: &str) -> Random {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| Random::from_system().below(1 << 32));
    println!("{test}: SEED={seed}");
    Random::seeded(seed)
}
