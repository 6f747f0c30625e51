//! Tool: signals: what asks for a shutdown, what is ignored, what ends a child, and that
//! one has ended.
//!
//! A handler only notes the signal and writes to an eventfd, which the loop watches, so
//! that it wakes at once. Everything a handler touches is atomic or a system call.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicI32, Ordering::Relaxed},
    },
};

use nix::{
    errno::Errno,
    libc::c_int,
    sys::{
        eventfd::{EfdFlags, EventFd},
        signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, sigaction},
    },
};

pub use nix::sys::signal::Signal;

use crate::log::{Level, from_handler};

/// The exit code of a child that was told to stop, which is no failure.
pub const CHILD_STOPPED: i32 = 255;

/// The signal that asked for a shutdown, 0 for none.
static SHUTDOWN: AtomicI32 = AtomicI32::new(0);
static IS_LOADING: AtomicBool = AtomicBool::new(false);
/// The eventfd's number, -1 before `install` and in a child.
static WAKE_FD: AtomicI32 = AtomicI32::new(-1);
static LAST_WORDS: OnceLock<fn()> = OnceLock::new();

/// Becomes readable when a signal came: to be watched by the loop.
#[derive(Debug)]
pub struct Wake(EventFd);

impl Wake {
    /// Takes back readability; the loop calls it before it looks at the flags.
    pub fn drain(&self) {
        // Nothing to read means that it was drained already.
        let _ = self.0.read();
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        WAKE_FD.store(-1, Relaxed);
    }
}

/// Handles SIGTERM and SIGINT, ignores SIGHUP and SIGPIPE; a child's end wakes the loop.
pub fn install() -> io::Result<Wake> {
    let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
    WAKE_FD.store(wake.as_fd().as_raw_fd(), Relaxed);
    set(Signal::SIGHUP, SigHandler::SigIgn)?;
    set(Signal::SIGPIPE, SigHandler::SigIgn)?;
    set(Signal::SIGTERM, SigHandler::Handler(on_shutdown))?;
    set(Signal::SIGINT, SigHandler::Handler(on_shutdown))?;
    set(Signal::SIGCHLD, SigHandler::Handler(on_child))?;
    Ok(Wake(wake))
}

/// Holds SIGUSR1 back from this thread, and from a child that it forks; returns what it held back
/// before.
pub(crate) fn hold_stop() -> io::Result<SigSet> {
    Ok(SigSet::from(Signal::SIGUSR1).thread_swap_mask(SigmaskHow::SIG_BLOCK)?)
}

/// Prepares a child: SIGUSR1 ends it, now if it has come already, and what it hears wakes nobody
/// else's loop.
pub(crate) fn enter_child(mask: SigSet) -> io::Result<()> {
    WAKE_FD.store(-1, Relaxed);
    let handled = set(Signal::SIGUSR1, SigHandler::Handler(on_stop_child));
    mask.thread_set_mask()?;
    handled
}

/// Returns the signal that asks for a shutdown, until `forget_shutdown`.
pub fn shutdown_asked() -> Option<Signal> {
    Signal::try_from(SHUTDOWN.load(Relaxed)).ok()
}

/// Takes the wish for a shutdown back, when it failed: another signal may ask again.
pub fn forget_shutdown() {
    SHUTDOWN.store(0, Relaxed);
}

/// Says whether a data set is being loaded, which the shutdown's log line tells.
pub fn set_loading(is_loading: bool) {
    IS_LOADING.store(is_loading, Relaxed);
}

/// Names what to do before a second SIGINT ends the process at once: removing the
/// temporary file of a save. Runs in a signal handler; only the first call counts.
pub fn set_last_words(last_words: fn()) {
    let _ = LAST_WORDS.set(last_words);
}

extern "C" fn on_shutdown(signal: c_int) {
    let errno = Errno::last_raw();
    if signal == libc::SIGINT && SHUTDOWN.load(Relaxed) != 0 {
        from_handler(Level::Warning, "You insist... exiting now.");
        if let Some(last_words) = LAST_WORDS.get() {
            last_words();
        }
        crate::exit::exit_now(1);
    }
    let text = if IS_LOADING.load(Relaxed) {
        "Received shutdown signal during loading, scheduling shutdown."
    } else if signal == libc::SIGINT {
        "Received SIGINT scheduling shutdown..."
    } else {
        "Received SIGTERM scheduling shutdown..."
    };
    from_handler(Level::Warning, text);
    SHUTDOWN.store(signal, Relaxed);
    wake();
    Errno::set_raw(errno);
}

extern "C" fn on_child(_signal: c_int) {
    let errno = Errno::last_raw();
    wake();
    Errno::set_raw(errno);
}

extern "C" fn on_stop_child(_signal: c_int) {
    from_handler(Level::Warning, "Received SIGUSR1 in child, exiting now.");
    crate::exit::exit_now(CHILD_STOPPED);
}

#[expect(unsafe_code, reason = "a handler holds no reference to the descriptor's owner")]
fn wake() {
    let fd = WAKE_FD.load(Relaxed);
    let one = 1_u64.to_ne_bytes();
    if fd >= 0 {
        // SAFETY: a buffer of the length named, alive through the call. `Wake` takes the
        // number back before it closes; a stale one would only fail.
        unsafe { libc::write(fd, one.as_ptr().cast(), one.len()) };
    }
}

/// Sets what a signal does. System calls go on after the handler: the loop is woken by
/// its descriptor.
#[expect(unsafe_code, reason = "handlers must be async-signal-safe")]
fn set(signal: Signal, handler: SigHandler) -> io::Result<()> {
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handlers of this file only use atomics and system calls.
    unsafe { sigaction(signal, &action) }?;
    Ok(())
}
