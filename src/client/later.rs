//! Room: clients that were told something that can wait for a moment: subscribers.
//!
//! A message to many takes a system call for each of them. Whoever asks for something next
//! need not wait for them all, and what comes for a subscriber meanwhile goes with the same
//! call. So they are sent to in pauses, turns in which no request has run, a few at a time.
//! Nobody waits for more than a few turns with requests: then all whose time has come are sent
//! to at once, so that whoever publishes does not run ahead of those who listen.
//!
//! An entry may be stale, as its client was sent to meanwhile or is gone: who takes entries out
//! looks at the client.

use std::collections::VecDeque;

use crate::client::ClientId;

/// In a pause so many are sent to; then it is looked whether somebody asks for something.
const CLIENTS_PER_PAUSE: usize = 16;
/// So many turns with requests one waits at most.
const TURNS_MAX: u64 = 4;

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Later {
    /// Who waits, and since which turn; the oldest first.
    queue: VecDeque<(ClientId, u64)>,
    /// Counts the turns with requests.
    turn: u64,
    /// What was counted when the last turn was looked at.
    commands: u64,
    /// So many may be sent to before their time.
    left: usize,
}

impl Later {
    /// Adds a client.
    pub(super) fn push(&mut self, id: ClientId) {
        self.queue.push_back((id, self.turn));
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Notes the end of a turn, and how many commands have run until then.
    pub(super) fn turn_ends(&mut self, commands: u64) {
        let is_pause = self.commands == commands;
        self.commands = commands;
        self.turn += u64::from(!is_pause);
        self.left = if is_pause { CLIENTS_PER_PAUSE } else { 0 };
    }

    /// Lets nobody wait any longer.
    pub(super) fn hurry(&mut self) {
        self.left = usize::MAX;
    }

    /// Returns the oldest if it is its turn.
    pub(super) fn pop(&mut self) -> Option<ClientId> {
        let (id, since) = self.queue.front()?;
        if 0 < self.left || TURNS_MAX <= self.turn - since {
            let id = *id;
            self.queue.pop_front();
            return Some(id);
        }
        None
    }

    /// Notes that the one that was returned was sent to.
    pub(super) fn sent(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::{CLIENTS_PER_PAUSE, Later, TURNS_MAX};
    use crate::client::{ClientId, Clients};

    fn taken(later: &mut Later) -> Vec<ClientId> {
        std::iter::from_fn(|| later.pop().inspect(|_| later.sent())).collect()
    }

    #[test]
    fn pauses_serve_a_few_and_nobody_waits_for_long() {
        let mut clients = Clients::default();
        let ids: Vec<ClientId> = (0..100).map(|_| clients.add(0)).collect();
        let mut later = Later::default();
        ids[..50].iter().for_each(|id| later.push(*id));
        later.turn_ends(1);
        assert_eq!(taken(&mut later), []);
        later.turn_ends(1);
        assert_eq!(taken(&mut later), ids[..CLIENTS_PER_PAUSE]);
        ids[50..].iter().for_each(|id| later.push(*id));
        for commands in 2..TURNS_MAX {
            later.turn_ends(commands);
            assert_eq!(taken(&mut later), []);
        }
        // The time of those who came first has come, not yet that of the others.
        later.turn_ends(TURNS_MAX);
        assert_eq!(taken(&mut later), ids[CLIENTS_PER_PAUSE..50]);
        later.turn_ends(1 + TURNS_MAX);
        assert_eq!(taken(&mut later), ids[50..]);
        assert!(later.is_empty());
        ids.iter().for_each(|id| later.push(*id));
        later.hurry();
        assert_eq!(taken(&mut later), ids);
    }
}
