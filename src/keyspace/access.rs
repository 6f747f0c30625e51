//! Pure: how lately, or how often, a key was used: 24 bits a record (`lru`, `lfu`).
//!
//! LRU: seconds of a clock that wraps after 194 days. LFU: 16 bits of minutes, when the
//! counter was last taken down, and 8 bits of counter, which grows the more slowly the
//! larger it is, and loses one each `decay_minutes`.

use base::random::Random;

const LRU_MASK: i64 = 0xFF_FFFF;
const MINUTES_MASK: i64 = 0xFFFF;
/// A new key must not be the first to go.
const LFU_INITIAL: u32 = 5;
const LFU_MAX: u32 = 255;

/// What is remembered of accesses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessPolicy {
    /// When the last was.
    Lru,
    /// How many there were, by `lfu-log-factor` and `lfu-decay-time`.
    Lfu {
        /// The larger, the more accesses a step of the counter takes.
        log_factor: u32,
        /// The counter loses one in so many minutes; 0 means never.
        decay_minutes: u32,
    },
}

/// What is known of accesses to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Seconds since the last.
    IdleSeconds(i64),
    /// The counter, taken down by the time that has passed.
    Frequency(u32),
}

impl AccessPolicy {
    /// Returns the field of a new key.
    pub fn fresh(self, now_ms: i64) -> u32 {
        match self {
            Self::Lru => lru_clock(now_ms),
            Self::Lfu { .. } => minutes(now_ms) << 8 | LFU_INITIAL,
        }
    }

    /// Returns the field of a key that comes back with what was known of it, as far as that is
    /// what this policy asks for.
    pub fn restored(self, access: Option<Access>, now_ms: i64) -> u32 {
        match (self, access) {
            (Self::Lru, Some(Access::IdleSeconds(idle))) => {
                let clock = i64::from(lru_clock(now_ms));
                // Before the clock began: as idle as it can tell.
                let field = if idle <= clock { clock - idle } else { clock + LRU_MASK / 2 };
                u32::try_from(field & LRU_MASK).expect("masked")
            }
            (Self::Lfu { .. }, Some(Access::Frequency(counter))) => {
                minutes(now_ms) << 8 | counter.min(LFU_MAX)
            }
            _ => self.fresh(now_ms),
        }
    }

    /// Returns the field after an access.
    pub fn touched(self, field: u32, now_ms: i64, random: &mut Random) -> u32 {
        let Self::Lfu { log_factor, decay_minutes } = self else { return lru_clock(now_ms) };
        let counter = decayed(field, now_ms, decay_minutes);
        let above = f64::from(counter.saturating_sub(LFU_INITIAL));
        let grows = random.unit_f64() < 1.0 / (above * f64::from(log_factor) + 1.0);
        minutes(now_ms) << 8 | (counter + u32::from(grows)).min(LFU_MAX)
    }

    /// Returns what the field means.
    pub fn show(self, field: u32, now_ms: i64) -> Access {
        match self {
            Self::Lru => {
                let idle = (i64::from(lru_clock(now_ms)) - i64::from(field)) & LRU_MASK;
                Access::IdleSeconds(idle)
            }
            Self::Lfu { decay_minutes, .. } => {
                Access::Frequency(decayed(field, now_ms, decay_minutes))
            }
        }
    }
}

/// Returns the clock that LRU fields are set to.
pub fn lru_clock(now_ms: i64) -> u32 {
    u32::try_from((now_ms / 1000) & LRU_MASK).expect("masked")
}

fn minutes(now_ms: i64) -> u32 {
    u32::try_from((now_ms / 60_000) & MINUTES_MASK).expect("masked")
}

fn decayed(field: u32, now_ms: i64, decay_minutes: u32) -> u32 {
    let passed = (i64::from(minutes(now_ms)) - i64::from(field >> 8)) & MINUTES_MASK;
    let passed = u32::try_from(passed).expect("masked");
    let lost = passed.checked_div(decay_minutes).unwrap_or(0);
    (field & LFU_MAX).saturating_sub(lost)
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::{Access, AccessPolicy};

    #[test]
    fn idle_seconds_survive_the_wrap_of_the_clock() {
        let policy = AccessPolicy::Lru;
        let before_wrap_ms = 0xFF_FFFE * 1000;
        let field = policy.fresh(before_wrap_ms);
        assert_eq!(policy.show(field, before_wrap_ms + 5000), Access::IdleSeconds(5));
    }

    #[test]
    fn what_was_known_of_a_key_comes_back_if_it_is_asked_for() {
        let now_ms = 1_700_000_000_000;
        let (lru, lfu) =
            (AccessPolicy::Lru, AccessPolicy::Lfu { log_factor: 10, decay_minutes: 1 });
        for known in [Access::IdleSeconds(0), Access::IdleSeconds(1234), Access::Frequency(0)] {
            for policy in [lru, lfu] {
                let shown = policy.show(policy.restored(Some(known), now_ms), now_ms);
                match (policy, known) {
                    (AccessPolicy::Lru, Access::IdleSeconds(_))
                    | (AccessPolicy::Lfu { .. }, Access::Frequency(_)) => assert_eq!(shown, known),
                    _ => assert_eq!(shown, policy.show(policy.fresh(now_ms), now_ms)),
                }
            }
        }
        assert_eq!(lfu.restored(Some(Access::Frequency(999)), 0) & 255, 255);
        let field = lru.restored(Some(Access::IdleSeconds(i64::MAX)), now_ms);
        let Access::IdleSeconds(seconds) = lru.show(field, now_ms) else { panic!() };
        assert!(86_400 * 90 < seconds, "{seconds}");
    }

    #[test]
    fn a_frequency_grows_ever_more_slowly_and_fades() {
        let policy = AccessPolicy::Lfu { log_factor: 10, decay_minutes: 1 };
        let mut random = Random::seeded(1);
        let mut field = policy.fresh(0);
        for _ in 0..100 {
            field = policy.touched(field, 0, &mut random);
        }
        let Access::Frequency(after_100) = policy.show(field, 0) else { panic!() };
        assert!((6..20).contains(&after_100), "{after_100}");
        for _ in 0..1_000_000 {
            field = policy.touched(field, 0, &mut random);
        }
        assert_eq!(policy.show(field, 0), Access::Frequency(255));
        assert_eq!(policy.show(field, 60_000 * 55), Access::Frequency(200));
    }
}
