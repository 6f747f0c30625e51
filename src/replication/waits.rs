//! Room: clients that wait until replicas have what they wrote (WAIT).

use crate::client_id::ClientId;

/// One client's wait.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// Who waits.
    pub id: ClientId,
    /// Replicas must have acknowledged the stream up to here.
    pub offset: u64,
    /// So many of them.
    pub count: usize,
    /// When it is answered even so; nothing if never.
    pub until_ms: Option<i64>,
    /// It wants no reply (CLIENT REPLY).
    pub is_silent: bool,
}

/// All of them, in the order in which they began.
#[derive(Debug, Default)]
pub struct Waits {
    list: Vec<Wait>,
    /// Replicas are to be asked how far they are.
    pub asks: bool,
    /// A replica has said so, or is gone, since everybody was looked at.
    pub has_news: bool,
    /// When the first of them is answered in any case.
    first_ms: Option<i64>,
}

impl Waits {
    /// Adds one.
    pub fn add(&mut self, wait: Wait) {
        self.list.push(wait);
        (self.asks, self.first_ms) = (true, earlier(self.first_ms, wait.until_ms));
    }

    /// Whether somebody's wait may be over.
    #[inline]
    pub fn are_due(&self, now_ms: i64) -> bool {
        !self.list.is_empty()
            && (self.asks || self.has_news || self.first_ms.is_some_and(|at_ms| at_ms <= now_ms))
    }

    /// Takes out those that are over; `has` counts the replicas that have the stream up to a
    /// place.
    pub fn take_over(&mut self, now_ms: i64, has: impl Fn(u64) -> usize) -> Vec<(Wait, usize)> {
        let mut over = Vec::new();
        (self.has_news, self.first_ms) = (false, None);
        self.list.retain(|wait| {
            let count = has(wait.offset);
            let is_late = wait.until_ms.is_some_and(|at_ms| at_ms <= now_ms);
            let is_over = wait.count <= count || is_late;
            if is_over {
                over.push((*wait, count));
            } else {
                self.first_ms = earlier(self.first_ms, wait.until_ms);
            }
            !is_over
        });
        over
    }

    /// Takes one client's out, if it has one.
    pub fn take(&mut self, id: ClientId) -> Option<Wait> {
        let at = self.list.iter().position(|wait| wait.id == id)?;
        Some(self.list.remove(at))
    }
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::{Wait, Waits};
    use crate::client::Clients;

    #[test]
    fn a_wait_ends_with_enough_replicas_or_its_time() {
        let mut clients = Clients::default();
        let ids = [clients.add(0), clients.add(0), clients.add(0)];
        let mut waits = Waits::default();
        for (id, until_ms) in ids.into_iter().zip([Some(50), None, Some(20)]) {
            waits.add(Wait { id, offset: 7, count: 2, until_ms, is_silent: false });
        }
        waits.asks = false;
        assert!(!waits.are_due(19) && waits.are_due(20));
        let over = waits.take_over(20, |offset| usize::from(offset == 7));
        assert_eq!(
            over.iter().map(|(wait, has)| (wait.id, *has)).collect::<Vec<_>>(),
            [(ids[2], 1)]
        );
        assert!(!waits.are_due(49) && waits.are_due(50));
        waits.has_news = true;
        assert!(waits.are_due(21));
        assert_eq!(waits.take_over(21, |_| 2).len(), 2);
        assert!(!waits.are_due(i64::MAX) && waits.take(ids[0]).is_none());
    }
}
