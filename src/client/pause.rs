//! Room: a pause: for a while no client is served, or nobody who would change something.
//!
//! So that a data set stands still for who wants to take it over: nothing expires and nothing
//! is evicted meanwhile either. A second pause can only make the first one longer and
//! stricter.

/// Who is not served.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// Who would change something.
    Writes,
    /// Nobody is.
    All,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Pause {
    in_force: Option<(Scope, i64)>,
    /// Writes wait besides, as the server is about to end.
    pub is_ending: bool,
}

impl Pause {
    /// Pauses, or goes on for longer, or more strictly. A time that has come pauses nothing.
    pub fn begin(&mut self, scope: Scope, until_ms: i64, now_ms: i64) {
        let (mut scope, mut until_ms) = (scope, until_ms);
        if let Some((former_scope, former_until_ms)) =
            self.in_force.filter(|_| !self.is_over(now_ms))
        {
            (scope, until_ms) = (scope.max(former_scope), until_ms.max(former_until_ms));
        }
        self.in_force = (now_ms < until_ms).then_some((scope, until_ms));
    }

    /// Ends it before its time.
    pub fn end(&mut self) {
        self.in_force = None;
    }

    /// Whether its time has come although nobody has ended it yet.
    pub fn is_over(&self, now_ms: i64) -> bool {
        self.in_force.is_some_and(|(_, until_ms)| until_ms <= now_ms)
    }

    /// Returns who is not served, if there is a pause.
    #[inline]
    pub fn scope(&self) -> Option<Scope> {
        let in_force = self.in_force.map(|(scope, _)| scope);
        in_force.max(self.is_ending.then_some(Scope::Writes))
    }
}

#[cfg(test)]
mod tests {
    use super::{Pause, Scope};

    #[test]
    fn a_second_pause_makes_the_first_longer_and_stricter_only() {
        let mut pause = Pause::default();
        pause.begin(Scope::Writes, 0, 10);
        assert_eq!(pause.scope(), None);
        pause.begin(Scope::Writes, 100, 10);
        pause.begin(Scope::All, 20, 10);
        assert_eq!((pause.scope(), pause.is_over(99)), (Some(Scope::All), false));
        pause.begin(Scope::Writes, 200, 10);
        assert_eq!((pause.scope(), pause.is_over(199)), (Some(Scope::All), false));
        assert!(pause.is_over(200));
        pause.begin(Scope::Writes, 300, 200);
        assert_eq!(pause.scope(), Some(Scope::Writes));
        pause.end();
        assert_eq!((pause.scope(), pause.is_over(1000)), (None, false));
    }
}
