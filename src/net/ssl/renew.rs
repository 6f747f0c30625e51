//! Room: generations of certificates.
//!
//! A generation is what one load of the settings gave: server side, client side, trust,
//! expected name, all together. Each connection holds the one it was negotiated with, so
//! counting them is asking how many hold it, and a key leaves memory with its last user:
//! the room itself holds only the current one.
//!
//! `renew` keeps two generations alive, and says which clients are older; `swap` closes
//! nobody, as Redis does, so then more may live for a while, all counted as previous.

use std::{
    io::{self, ErrorKind},
    sync::{Arc, Weak},
};

use super::{Named, Settings, implementation::Context, secret::Secret};

/// What one load of the settings gave.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) context: Context,
}

#[derive(Debug)]
pub(super) struct Generations {
    current: Arc<Generation>,
    previous: Vec<Weak<Generation>>,
    ticket_key_due_s: u64,
}

/// What a renewal means for clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Renewal {
    /// The generation that new connections get.
    pub generation: u64,
    /// Clients whose `certificate_generation` is this or less must be closed, the one that
    /// asked for the renewal after its reply.
    pub closes_up_to: Option<u64>,
}

impl Generations {
    pub(super) fn load(settings: &Settings, now_s: u64) -> io::Result<Self> {
        let generation = Generation { number: 1, context: Context::load(settings, now_s)? };
        let current = Arc::new(generation);
        let ticket_key_due_s = now_s + current.context.ticket_half_life_s().unwrap_or(0);
        Ok(Self { current, previous: Vec::new(), ticket_key_due_s })
    }

    pub(super) fn swap(&mut self, settings: &Settings, now_s: u64) -> io::Result<()> {
        let number = self.current.number + 1;
        let generation = Generation { number, context: Context::load(settings, now_s)? };
        let old = std::mem::replace(&mut self.current, Arc::new(generation));
        self.ticket_key_due_s = now_s + self.current.context.ticket_half_life_s().unwrap_or(0);
        self.previous.retain(|generation| 0 < generation.strong_count());
        self.previous.push(Arc::downgrade(&old));
        Ok(())
    }

    pub(super) fn renew(&mut self, settings: &Settings, now_s: u64) -> io::Result<Renewal> {
        self.swap(settings, now_s)?;
        // All but the last: that one was current until now.
        let older = self.previous.len().saturating_sub(1);
        let closes = self.previous[..older].iter().filter_map(Weak::upgrade);
        let closes_up_to = closes.map(|generation| generation.number).max();
        Ok(Renewal { generation: self.current.number, closes_up_to })
    }

    pub(super) fn current(&self) -> &Arc<Generation> {
        &self.current
    }

    pub(super) fn tick(&mut self, now_s: u64) -> io::Result<()> {
        self.previous.retain(|generation| 0 < generation.strong_count());
        let context = &self.current.context;
        match context.ticket_half_life_s() {
            Some(half_life_s) if self.ticket_key_due_s <= now_s => {
                self.ticket_key_due_s = now_s + half_life_s;
                context.rotate_ticket_keys()
            }
            _ => Ok(()),
        }
    }

    #[cfg(test)]
    pub(super) fn ticket_key_due_s(&self) -> u64 {
        self.ticket_key_due_s
    }

    /// Connections that hold the current generation; the room is the one holder more.
    pub(super) fn current_connections(&self) -> usize {
        Arc::strong_count(&self.current) - 1
    }

    pub(super) fn previous_connections(&self) -> usize {
        self.previous.iter().map(Weak::strong_count).sum()
    }
}

/// Puts two PEM files in place of the present ones, whichever is which.
pub(super) fn with_files(
    settings: &Settings,
    first: &Named,
    second: &Named,
) -> io::Result<Settings> {
    let holds_key = |path: &Named| -> io::Result<bool> {
        let text = std::fs::read(path.at()).map(Secret::new).map_err(|error| {
            let reason = crate::listener::text_of(&error);
            io::Error::new(error.kind(), format!("{}: {reason}", path.shown()))
        })?;
        let holds = contains(&text, b"PRIVATE KEY-----");
        if !holds && !contains(&text, b"CERTIFICATE-----") {
            let path = path.shown();
            return Err(refused(&format!("{path}: neither a certificate nor a key in PEM form")));
        }
        Ok(holds)
    };
    let (key, certificate) = match (holds_key(first)?, holds_key(second)?) {
        (true, false) => (first, second),
        (false, true) => (second, first),
        // One file may hold both.
        (true, true) if first == second => (first, first),
        (true, true) => return Err(refused("both files hold a private key")),
        (false, false) => return Err(refused("neither file holds a private key")),
    };
    Ok(Settings {
        certificate_file: certificate.clone(),
        private_key_file: key.clone(),
        ..settings.clone()
    })
}

pub(super) fn refused(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, reason)
}

fn contains(text: &[u8], label: &[u8]) -> bool {
    text.windows(label.len()).any(|window| window == label)
}
