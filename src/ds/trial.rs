//! Tool: the random numbers of model tests.

use base::random::Random;

/// Makes a generator and prints its seed; `SEED=n` runs the test with it again.
pub(crate) fn random(test: &str) -> Random {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| Random::from_system().below(1 << 32));
    println!("{test}: SEED={seed}");
    Random::seeded(seed)
}
