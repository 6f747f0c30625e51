//! Room: clients whose request waits for something, and those whose wait has just ended.
//!
//! A parked client keeps its request, in a copy of its own; what it sends meanwhile stays
//! unread in its query buffer. When the cause is gone the request goes through the gate
//! again as if it had just come, and may be parked again.
//!
//! Who is parked is written in one place, `Client::parked`; the lists here only say in which
//! order. Each wait has a ticket of its own, which is in one of the two lists exactly as long
//! as its client is parked: so nobody is in a list twice, and a client that is closed while
//! it waits (`forget`) is in none. A ticket whose client has died since is met by nobody.

use std::{collections::BTreeMap, mem};

use resp::OwnedArgv;

use crate::{
    blocking::{KeyWait, Ticket},
    client::{Client, ClientId, Clients},
};

/// What a client waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The end of a pause (CLIENT PAUSE).
    Paused,
    /// That replicas have what it wrote (WAIT): it is answered when its wait is over, so the
    /// request that it keeps is an empty one.
    Replicas,
    /// The end of the server (SHUTDOWN), which comes when replicas have all that was written.
    Shutdown,
    /// That a key holds what its command can take.
    Keys,
}

/// A request that waits.
#[derive(Debug)]
pub struct Parked {
    /// The request.
    pub argv: OwnedArgv,
    /// What it waits for, if for keys.
    pub wait: Option<KeyWait>,
    /// How long its command has run already.
    pub took_us: u64,
    ticket: Ticket,
    is_woken: bool,
}

impl Parked {
    /// Returns what names the wait.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Whether the wait is over, and only the request has not run yet.
    pub fn is_woken(&self) -> bool {
        self.is_woken
    }
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct ParkedClients {
    waiting: BTreeMap<Ticket, (ClientId, Cause)>,
    woken: BTreeMap<Ticket, ClientId>,
    last_ticket: Ticket,
}

impl ParkedClients {
    /// Parks a client, and returns the ticket of its wait.
    ///
    /// # Panics
    /// If it is parked already: then nothing of it runs, so nothing can park it.
    pub fn park(
        &mut self,
        id: ClientId,
        client: &mut Client,
        cause: Cause,
        argv: OwnedArgv,
    ) -> Ticket {
        assert!(client.parked.is_none(), "a client waits for one thing at a time");
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        let parked = Parked { argv, wait: None, took_us: 0, ticket, is_woken: false };
        client.parked = Some(Box::new(parked));
        self.waiting.insert(ticket, (id, cause));
        ticket
    }

    /// Ends the wait of all who wait for one cause, in the order in which they came.
    pub fn wake_all(&mut self, clients: &mut Clients, cause: Cause) {
        for (ticket, (id, its_cause)) in mem::take(&mut self.waiting) {
            if its_cause != cause {
                self.waiting.insert(ticket, (id, its_cause));
            } else if let Some(parked) = clients.find(id).and_then(|client| client.parked.as_mut())
            {
                parked.is_woken = true;
                self.woken.insert(ticket, id);
            }
        }
    }

    /// Ends the wait of one client.
    pub fn wake(&mut self, id: ClientId, client: &mut Client) {
        if let Some(parked) = &mut client.parked
            && self.waiting.remove(&parked.ticket).is_some()
        {
            parked.is_woken = true;
            self.woken.insert(parked.ticket, id);
        }
    }

    /// Takes a client's request out, as it runs now.
    pub fn take(&mut self, client: &mut Client) -> Option<Box<Parked>> {
        let parked = client.parked.take()?;
        self.waiting.remove(&parked.ticket);
        self.woken.remove(&parked.ticket);
        Some(parked)
    }

    /// Returns the ticket that was given out last.
    pub fn last_ticket(&self) -> Ticket {
        self.last_ticket
    }

    /// Returns who was woken first and has not been served since.
    pub fn pop_woken(&mut self) -> Option<ClientId> {
        self.woken.pop_first().map(|(_, id)| id)
    }

    /// Takes a client out of everything, as it goes.
    pub fn forget(&mut self, client: &mut Client) {
        self.take(client);
    }

    /// Counts those who wait.
    pub fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody was woken who has not been served.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.woken.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgv;

    use super::{Cause, ParkedClients};
    use crate::client::{ClientId, Clients};

    fn park(parked: &mut ParkedClients, clients: &mut Clients, id: ClientId) {
        parked.park(id, clients.find(id).unwrap(), Cause::Paused, OwnedArgv::default());
    }

    #[test]
    fn who_is_parked_is_woken_once_and_in_order() {
        let (mut clients, mut parked) = (Clients::default(), ParkedClients::default());
        let ids = [clients.add(0), clients.add(0), clients.add(0)];
        ids.iter().rev().for_each(|id| park(&mut parked, &mut clients, *id));
        assert_eq!((parked.waiting_count(), parked.pop_woken()), (3, None));
        parked.wake_all(&mut clients, Cause::Paused);
        parked.wake_all(&mut clients, Cause::Paused);
        assert_eq!((parked.waiting_count(), parked.is_settled()), (0, false));
        for id in ids.iter().rev() {
            assert_eq!(parked.pop_woken(), Some(*id));
            assert!(clients.find(*id).unwrap().parked.take().unwrap().is_woken());
        }
        assert_eq!(parked.pop_woken(), None);
    }

    #[test]
    fn who_goes_while_it_waits_is_in_no_list() {
        let (mut clients, mut parked) = (Clients::default(), ParkedClients::default());
        let (waits, woken, dead) = (clients.add(0), clients.add(0), clients.add(0));
        park(&mut parked, &mut clients, woken);
        parked.wake_all(&mut clients, Cause::Paused);
        park(&mut parked, &mut clients, waits);
        park(&mut parked, &mut clients, dead);
        // Freed, and its place is another's: neither is woken in its stead.
        clients.close(dead);
        parked.wake_all(&mut clients, Cause::Paused);
        parked.forget(&mut clients.free(dead).unwrap());
        let heir = clients.add(0);
        parked.forget(&mut clients.free(woken).unwrap());
        assert_eq!((parked.pop_woken(), parked.pop_woken()), (Some(waits), None));
        assert!(clients.find(heir).unwrap().parked.is_none());
    }

    #[test]
    #[should_panic(expected = "one thing at a time")]
    fn nobody_is_parked_twice() {
        let (mut clients, mut parked) = (Clients::default(), ParkedClients::default());
        let id = clients.add(0);
        park(&mut parked, &mut clients, id);
        park(&mut parked, &mut clients, id);
    }
}
