//! Tool: the software watchdog: tells where the server is when a turn takes too long.
//!
//! A timer is set anew in each turn; when it fires, the handler writes where the main
//! thread stands as bare addresses, for the thread may be inside the allocator. Names
//! follow from the next turn, if there is one.

use std::{io, sync::Mutex};

use nix::{
    errno::Errno,
    libc::{c_int, c_void, siginfo_t},
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
};

use crate::{
    log::{Level, Out, from_handler, is_wanted},
    registers,
    stack::Stack,
};

/// The trace that has no names yet.
static PENDING: Mutex<Option<Stack>> = Mutex::new(None);

/// The watchdog, off or with a period.
#[derive(Debug, Default)]
pub struct Watchdog {
    period_ms: u32,
}

impl Watchdog {
    /// Sets `watchdog-period`, 0 for off; returns the period that was really set: two
    /// turns of cron at least, or it would bark at each of them.
    #[expect(unsafe_code, reason = "handlers must be async-signal-safe")]
    pub fn set_period(&mut self, period_ms: u32, hz: u32) -> io::Result<u32> {
        let shortest = 2 * (1000 / hz.max(1));
        self.period_ms = if period_ms == 0 { 0 } else { period_ms.max(shortest) };
        let handler = if self.period_ms == 0 {
            SigHandler::SigIgn
        } else {
            SigHandler::SigAction(on_expired)
        };
        let action =
            SigAction::new(handler, SaFlags::SA_RESTART | SaFlags::SA_SIGINFO, SigSet::empty());
        // SAFETY: the handler takes no lock it would wait for and allocates nothing.
        unsafe { sigaction(Signal::SIGALRM, &action) }?;
        start_timer(self.period_ms)?;
        Ok(self.period_ms)
    }

    /// Tells that the loop is alive; in each turn of cron. Writes the names of a trace
    /// that was taken meanwhile.
    pub fn feed(&self) {
        if self.period_ms == 0 {
            return;
        }
        let stack = PENDING.lock().ok().and_then(|mut pending| pending.take());
        if let (Some(stack), Some(out)) = (stack, Out::open()) {
            out.text(format_args!("\n------ WATCHDOG STACK TRACE ------\n"));
            stack.write_names(&out);
        }
        // Last, so that looking names up is not taken for the next slow turn. A timer that
        // could be set once can be set again.
        let _ = start_timer(self.period_ms);
    }
}

#[expect(unsafe_code, reason = "nix has no interval timers of this kind")]
fn start_timer(period_ms: u32) -> io::Result<()> {
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let value = libc::timeval {
        tv_sec: libc::time_t::from(period_ms / 1000),
        tv_usec: libc::suseconds_t::from(period_ms % 1000 * 1000),
    };
    let timer = libc::itimerval { it_interval: zero, it_value: value };
    // SAFETY: a value that lives through the call; the old one is not asked for.
    let result =
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    Errno::result(result)?;
    Ok(())
}

extern "C" fn on_expired(_signal: c_int, _info: *mut siginfo_t, context: *mut c_void) {
    let errno = Errno::last_raw();
    from_handler(Level::Warning, "\n--- WATCHDOG TIMER EXPIRED ---");
    let stack = Stack::capture(registers::instruction(context));
    if let (true, Some(out)) = (is_wanted(Level::Warning), Out::open()) {
        out.raw(b"\n------ STACK TRACE ------\n\nBacktrace:\n");
        stack.write_raw(&out);
    }
    from_handler(Level::Warning, "--------\n");
    // The main thread may hold it, taking the last one: then that one is enough.
    if let Ok(mut pending) = PENDING.try_lock() {
        *pending = Some(stack);
    }
    Errno::set_raw(errno);
}
