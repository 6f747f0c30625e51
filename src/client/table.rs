//! Room: all clients, by handles that go stale instead of dangling.
//!
//! Invariants: a client marked to close is found by nobody but the flow that frees it;
//! a slot is given out again only under another generation; a frame is lent once.

use std::mem;

use net::Connection;
use resp::{Protocol, Reply};

use crate::{
    client::{
        Client, Frame, Life, Listed,
        later::Later,
        usage::{Place, Usage},
    },
    client_id::ClientId,
};

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    client: Option<Box<Client>>,
}

/// The table.
#[derive(Debug, Default)]
pub struct Clients {
    slots: Vec<Slot>,
    free: Vec<u32>,
    count: usize,
    last_number: u64,
    /// To be sent something before the loop sleeps.
    with_output: Vec<ClientId>,
    /// To be sent something soon.
    later: Later,
    /// Over, all said; freed before the loop sleeps.
    finished: Vec<ClientId>,
    usage: Usage,
}

impl Clients {
    /// Makes a client without a connection.
    pub fn add(&mut self, now_ms: i64) -> ClientId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("clients are fewer than 2^32")
        });
        self.last_number += 1;
        self.count += 1;
        let place = &mut self.slots[slot as usize];
        place.client = Some(Box::new(Client::new(self.last_number, now_ms)));
        ClientId { slot, generation: place.generation }
    }

    /// Counts all clients, those that negotiate or close among them.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Finds a living client.
    pub fn find(&mut self, id: ClientId) -> Option<&mut Client> {
        self.find_even_closing(id).filter(|client| client.is_alive())
    }

    /// Finds a client that may be about to be freed; for sending its last words.
    pub fn find_even_closing(&mut self, id: ClientId) -> Option<&mut Client> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        slot.client.as_deref_mut().filter(|_| slot.generation == id.generation)
    }

    /// Looks at a client that may be about to be freed.
    pub fn peek(&self, id: ClientId) -> Option<&Client> {
        let slot = self.slots.get(id.slot as usize)?;
        slot.client.as_deref().filter(|_| slot.generation == id.generation)
    }

    /// Walks over the living clients, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, &Client)> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| {
            let client = slot.client.as_deref().filter(|client| client.is_alive())?;
            let slot_index = u32::try_from(at).expect("clients are fewer than 2^32");
            Some((ClientId { slot: slot_index, generation: slot.generation }, client))
        })
    }

    /// Shows every connection to `act`, those that negotiate or close among them.
    pub fn each_connection(&mut self, mut act: impl FnMut(&mut Connection)) {
        let clients = self.slots.iter_mut().filter_map(|slot| slot.client.as_deref_mut());
        let wires = clients.filter_map(|client| client.wire.as_mut());
        wires.for_each(|(_, connection)| act(connection));
    }

    /// Counts the places that clients stand in, empty ones included.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Returns who stands in a place; a cron looks at a part of them at a time.
    pub fn at(&self, slot: usize) -> Option<ClientId> {
        let place = self.slots.get(slot)?;
        place.client.as_ref()?;
        let generation = place.generation;
        Some(ClientId { slot: u32::try_from(slot).expect("a slot of the table"), generation })
    }

    /// Takes a client's frame, unless it runs a command already or one of it waits.
    pub fn lend(&mut self, id: ClientId) -> Option<Box<Frame>> {
        self.find(id).filter(|client| client.parked.is_none())?.frame.take()
    }

    /// Moves behind the reply what was pushed meanwhile; says whether the client's next
    /// request may run.
    pub fn settle(&mut self, id: ClientId, reply: &mut Reply) -> bool {
        let client = self.find_even_closing(id).expect("freed only before sleep");
        if !client.pushes.is_empty() {
            reply.append(&mut client.pushes);
        }
        client.is_alive() && client.parked.is_none()
    }

    /// Takes a frame back.
    pub fn give_back(&mut self, id: ClientId, mut frame: Box<Frame>) {
        self.settle(id, &mut frame.reply);
        let client = self.find_even_closing(id).expect("settled just now");
        let is_due = !frame.reply.is_empty() || !client.is_alive();
        client.frame = Some(frame);
        self.note_usage(id);
        if is_due {
            self.list(id);
        }
    }

    /// Tells a client something at any time; says whether it was there to hear it.
    pub fn push(&mut self, id: ClientId, write: impl FnOnce(&mut Reply)) -> bool {
        let Some(client) = self.find(id) else { return false };
        match &mut client.frame {
            Some(frame) => write(&mut frame.reply),
            None => write(&mut client.pushes),
        }
        self.note_usage(id);
        self.list(id);
        true
    }

    /// The same, where what is told can wait for a moment.
    pub fn push_later(&mut self, id: ClientId, write: impl FnOnce(&mut Reply)) -> bool {
        let Some(client) = self.find(id) else { return false };
        match &mut client.frame {
            Some(frame) => write(&mut frame.reply),
            // Goes with the reply to the request that runs.
            None => {
                write(&mut client.pushes);
                return true;
            }
        }
        if client.listed == Listed::No {
            client.listed = Listed::Later;
            self.later.push(id);
        }
        self.note_usage(id);
        true
    }

    /// Has a client sent to before the loop sleeps, as there is something for it elsewhere.
    pub fn wake(&mut self, id: ClientId) {
        if self.find(id).is_some() {
            self.list(id);
        }
    }

    /// Lets what is pushed to a client be in its protocol, also while its frame is lent.
    pub fn speak(&mut self, id: ClientId, protocol: Protocol) {
        if let Some(client) = self.find(id) {
            client.pushes.protocol = protocol;
        }
    }

    /// Ends a client: dead at once, freed before the loop sleeps.
    pub fn close(&mut self, id: ClientId) {
        if self.find(id).is_some() {
            self.give_up(id);
        }
    }

    /// Ends a client: dead at once, freed when its last reply is sent.
    pub fn close_after_reply(&mut self, id: ClientId) {
        if let Some(client) = self.find(id) {
            client.life = Life::ClosesAfterReply;
            // The flow that sends finds out that nothing is left.
            self.list(id);
        }
    }

    /// Lets a client go even if its last reply was not sent.
    pub fn give_up(&mut self, id: ClientId) {
        let Some(client) = self.find_even_closing(id) else { return };
        if mem::replace(&mut client.life, Life::Closes) != Life::Closes {
            self.finished.push(id);
            self.forget_usage(id);
        }
    }

    /// Returns one of the clients that have something to be sent.
    pub fn pop_with_output(&mut self) -> Option<ClientId> {
        let id = self.with_output.pop()?;
        if let Some(client) = self.find_even_closing(id) {
            client.listed = Listed::No;
        }
        Some(id)
    }

    /// Notes the end of a turn, and how many commands have run until then: that says who can
    /// wait longer. Says whether anybody does.
    pub fn turn_ends(&mut self, commands: u64) -> bool {
        let is_anybody_waiting = !self.later.is_empty();
        if is_anybody_waiting {
            self.later.turn_ends(commands);
        }
        is_anybody_waiting
    }

    /// Lets nobody wait for what was told them.
    pub fn hurry(&mut self) {
        self.later.hurry();
    }

    /// Returns one of those who have waited for what was told them, if its time has come.
    pub fn pop_later(&mut self) -> Option<ClientId> {
        while let Some(id) = self.later.pop() {
            if let Some(client) = self.find_even_closing(id)
                && client.listed == Listed::Later
            {
                client.listed = Listed::No;
                self.later.sent();
                return Some(id);
            }
        }
        None
    }

    /// Whether anybody waits for what was told it.
    pub fn has_later(&self) -> bool {
        !self.later.is_empty()
    }

    /// Returns a client that is over, all said.
    pub fn pop_finished(&mut self) -> Option<ClientId> {
        self.finished.pop()
    }

    /// Looks at the memory that clients take, if that is counted.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Begins or ends to count what memory clients take.
    pub fn count_usage(&mut self, is_counted: bool) {
        if !is_counted {
            self.slots.iter_mut().flat_map(|slot| &mut slot.client).for_each(|client| {
                client.place = Place::default();
            });
            return self.usage.stop();
        }
        self.usage.start();
        for at in 0..self.slots.len() {
            if let Some(id) = self.at(at) {
                self.note_usage(id);
            }
        }
    }

    /// Counts anew what memory a client takes, after that may have changed.
    #[inline]
    pub fn note_usage(&mut self, id: ClientId) {
        if self.usage.is_counted() {
            self.update_usage(id);
        }
    }

    /// Shows to `act` those that are over and not freed yet.
    pub fn each_finished(&mut self, mut act: impl FnMut(ClientId, &mut Client)) {
        let finished = mem::take(&mut self.finished);
        for id in &finished {
            if let Some(client) = self.find_even_closing(*id) {
                act(*id, client);
            }
        }
        self.finished = finished;
    }

    /// Takes a client out; its handle is stale from here on.
    pub fn free(&mut self, id: ClientId) -> Option<Box<Client>> {
        self.find_even_closing(id)?;
        self.forget_usage(id);
        let slot = &mut self.slots[id.slot as usize];
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.slot);
        self.count -= 1;
        slot.client.take()
    }

    fn update_usage(&mut self, id: ClientId) {
        let Self { slots, usage, .. } = self;
        let slot = slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation);
        let client = slot.and_then(|slot| slot.client.as_deref_mut());
        if let Some(client) = client.filter(|client| !client.is_over() && !client.is_negotiating) {
            usage.update(id, client);
        }
    }

    fn forget_usage(&mut self, id: ClientId) {
        let Self { slots, usage, .. } = self;
        let slot = &mut slots[id.slot as usize];
        if let Some(client) = slot.client.as_deref_mut() {
            usage.forget(id, client);
        }
    }

    fn list(&mut self, id: ClientId) {
        let client = self.find_even_closing(id).expect("the caller has it");
        if mem::replace(&mut client.listed, Listed::Now) != Listed::Now {
            self.with_output.push(id);
        }
    }
}
