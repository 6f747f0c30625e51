//! Tool: Ctrl-C at the prompt's commands: it ends what runs on (MONITOR, SUBSCRIBE),
//! and otherwise the tool.
//!
//! A thread waits for the signal, which is blocked everywhere else, so no code runs in
//! a signal handler. To end what runs on it cuts the connection below the reader, who
//! then asks `take`.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{process, thread};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::{Shutdown, shutdown};

/// What the thread and the session share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupts(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The connection to cut.
    running_on: Option<OwnedFd>,
    was_cut: bool,
}

impl Interrupts {
    /// Starts to wait for the signal. Call it before there is another thread.
    pub(crate) fn listen(&self) {
        let mut interrupt = SigSet::empty();
        interrupt.add(Signal::SIGINT);
        // Without either the signal simply ends the tool, as it does by default.
        if interrupt.thread_block().is_err() {
            return;
        }
        let shared = self.clone();
        let waits = move || {
            while interrupt.wait().is_ok() {
                shared.interrupt();
            }
        };
        if thread::Builder::new().spawn(waits).is_err() {
            let _ = interrupt.thread_unblock();
        }
    }

    /// From now on the signal cuts this connection.
    pub(crate) fn watch(&self, link: &impl AsFd) {
        self.state().running_on = link.as_fd().try_clone_to_owned().ok();
    }

    /// From now on the signal ends the tool.
    pub(crate) fn unwatch(&self) {
        self.state().running_on = None;
    }

    /// Whether the connection was cut; asks once.
    pub(crate) fn take(&self) -> bool {
        std::mem::take(&mut self.state().was_cut)
    }

    fn interrupt(&self) {
        let mut state = self.state();
        let Some(fd) = state.running_on.take() else { process::exit(1) };
        state.was_cut = true;
        // It fails only where the connection has ended by itself.
        let _ = shutdown(std::os::fd::AsRawFd::as_raw_fd(&fd), Shutdown::Both);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
