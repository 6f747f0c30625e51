//! Room: how much may wait for a client before it is given up (`client-output-buffer-limit`).

use crate::{
    client::Kind,
    config::{OutputLimit, OutputLimits},
};

/// Returns the limit for a kind of client; a primary is as good as any other.
pub fn limit_of(limits: &OutputLimits, kind: Kind) -> OutputLimit {
    match kind {
        Kind::Normal | Kind::Master => limits.normal,
        Kind::Replica => limits.replica,
        Kind::PubSub => limits.pubsub,
    }
}

/// Since when a client has been beyond its soft limit.
#[derive(Debug, Default)]
pub struct OutputState {
    soft_since_ms: Option<i64>,
}

impl OutputState {
    /// Says whether a client with `bytes` waiting is beyond what it may have.
    pub fn is_over(&mut self, bytes: usize, limit: &OutputLimit, now_ms: i64) -> bool {
        let bytes = bytes as u64;
        if 0 < limit.hard_bytes && limit.hard_bytes <= bytes {
            return true;
        }
        if limit.soft_bytes == 0 || bytes < limit.soft_bytes {
            self.soft_since_ms = None;
            return false;
        }
        let since_ms = *self.soft_since_ms.get_or_insert(now_ms);
        let over_s = u64::try_from((now_ms - since_ms) / 1000).unwrap_or(0);
        limit.soft_s < over_s
    }
}

#[cfg(test)]
mod tests {
    use super::OutputState;
    use crate::config::OutputLimit;

    #[test]
    fn a_soft_limit_must_be_passed_for_a_while() {
        let limit = OutputLimit { hard_bytes: 100, soft_bytes: 10, soft_s: 2 };
        let mut state = OutputState::default();
        assert!(state.is_over(100, &limit, 0));
        assert!(!state.is_over(10, &limit, 0) && !state.is_over(10, &limit, 2999));
        assert!(state.is_over(10, &limit, 3000));
        assert!(!state.is_over(9, &limit, 3000) && !state.is_over(10, &limit, 5000));
    }
}
