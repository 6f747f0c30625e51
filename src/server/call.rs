//! Flow: the call frame: what a command sees of who called it. `execute` runs one.
//!
//! A frame stands on the stack *beside* `&mut Server`, never in it. The client's session,
//! query buffer and output were moved out of the client for the length of an outermost
//! call (`client::Frame`), so a handler may hold a value borrowed from the keyspace, an
//! argument borrowed from the query buffer, and write its reply, all at once and without
//! a copy. Nested calls run on the same session; there are no fake clients: who captures
//! a reply lends one of its own.

use resp::{Argv, OwnedArgv, Query, Reply};

use crate::{
    blocking::{KeyWait, Wanted},
    client::{ClientId, Session, parked::Parked},
    command::CommandId,
    error::ReplyError,
    server::{Server, notify},
};

/// What a handler returns; its error is answered instead of what it has written.
pub type CommandResult = Result<(), ReplyError>;
/// A command's code.
pub type CommandFn = fn(&mut Server, &mut Call<'_>) -> CommandResult;

/// On whose behalf a command runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A client's request.
    Client,
    /// A transaction.
    Exec,
}

/// Whether others must repeat a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeats {
    /// If it has changed something.
    IfChanged,
    /// Even if not.
    Always,
    /// What they must repeat has been said already.
    Said,
}

/// What is left of a command's first run, when it has waited and runs again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// When it waits no longer; nothing if never.
    pub until_ms: Option<i64>,
    /// How long it has run so far.
    pub took_us: u64,
}

impl Retry {
    /// Returns what a request that waited for keys is to go on with.
    pub fn of(parked: &Parked) -> Option<Self> {
        let wait = parked.wait.as_ref()?;
        Some(Self { until_ms: wait.until_ms, took_us: parked.took_us })
    }
}

/// One execution of one command.
pub struct Call<'a> {
    /// Who asked.
    pub client: ClientId,
    /// What for.
    pub command: CommandId,
    /// With what, the command's name included.
    pub argv: Argv<'a>,
    /// What its client has sent so far, with this request at its head.
    pub query: &'a Query,
    /// The one truth about the client's talk.
    pub session: &'a mut Session,
    /// Where the answer goes.
    pub reply: &'a mut Reply,
    /// See there.
    pub origin: Origin,
    /// See there.
    pub repeats: Repeats,
    /// It has run before.
    pub retry: Option<Retry>,
    /// It has found nothing, and waits for this.
    pub wait: Option<KeyWait>,
    /// What runs then, if that is not what was asked for.
    pub waits_as: Option<OwnedArgv>,
    /// How long it took, with its earlier runs.
    pub took_us: u64,
}

impl<'a> Call<'a> {
    /// Returns an argument. It borrows the query buffer, not the frame: the reply can be
    /// written and the frame lent while it is held.
    pub fn arg(&self, index: usize) -> &'a [u8] {
        self.argv.at(index)
    }

    /// Returns the selected database.
    pub fn db(&self) -> usize {
        self.session.db
    }

    /// Returns the error for a number of arguments that fits no form of the command.
    pub fn arity_error(&self) -> ReplyError {
        ReplyError::Arity(self.command.spec().full_name.into())
    }

    /// Lets the client wait until one of `keys` holds what is wanted: the command runs again
    /// then, and what it answers now is lost. Says whether it may wait: who calls from within a
    /// transaction must be answered at once.
    pub fn wait_for<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]>,
        wanted: Wanted,
        until_ms: Option<i64>,
    ) -> bool {
        if self.origin != Origin::Client {
            return false;
        }
        // However often it runs, its time is counted from the first.
        let until_ms = self.retry.map_or(until_ms, |retry| retry.until_ms);
        let keys = keys.map(Into::into).collect();
        self.wait = Some(KeyWait { db: self.db(), keys, wanted, until_ms });
        true
    }

    /// Lets others repeat something else than what the client has asked for. Several such
    /// commands are repeated in their order.
    pub fn propagate_as(&mut self, server: &mut Server, argv: &[&[u8]]) {
        self.repeats = Repeats::Said;
        if server.propagation.is_wanted() {
            // What has expired under this command goes before it.
            notify::carry_out(server, Some(self.client));
            server.propagation.command(self.db(), argv.iter().copied());
        }
    }

    /// Lets others repeat what was asked for, but for some arguments; those of each place.
    pub fn propagate_with(&mut self, server: &mut Server, changes: &[(usize, &[u8])]) {
        if server.propagation.is_wanted() {
            let mut argv: Vec<&[u8]> = self.argv.iter().collect();
            changes.iter().for_each(|(at, arg)| argv[*at] = arg);
            self.propagate_as(server, &argv);
        }
    }

    /// Lets others repeat what the handler puts into `server.propagation` itself, while it
    /// changes a value.
    pub fn propagate_in_place(&mut self, server: &mut Server) {
        self.propagate_nothing();
        if server.propagation.is_wanted() {
            // What has expired under this command goes before it.
            notify::carry_out(server, Some(self.client));
        }
    }

    /// Lets nobody repeat the command, whatever it has changed.
    pub fn propagate_nothing(&mut self) {
        self.repeats = Repeats::Said;
    }

    /// Lets others repeat the command even if it has changed no key.
    pub fn propagate_always(&mut self) {
        self.repeats = Repeats::Always;
    }
}
