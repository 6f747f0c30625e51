//! Tool: the crash report: what a panic or a fatal signal leaves in the log.
//!
//! Order matters, as each part may be the last: first the signal and bare addresses,
//! which need no memory; then names; registers; what the server tells of itself; a test
//! of memory. A part that hangs (a lock that the crashed code held) is cut off by a
//! timer, a part that crashes ends the process by its signal's default. In the end the
//! process dies by the signal it got, so that a core is dumped where that is allowed.
//!
//! The server is reached through `lend`: a pointer that is set for the time that the
//! main loop runs. The report then reads what the crashed code may have left half
//! changed. That is no more than C does; a dying process has nothing to lose.
//!
//! The handler runs on a stack of its own, large enough for all of this; a thread that
//! has none (`protect_thread` gives it) gets only what fits on std's small one.

use std::{
    fs, io,
    num::NonZeroUsize,
    panic::PanicHookInfo,
    path::PathBuf,
    ptr,
    sync::{Mutex, MutexGuard, TryLockError},
    thread::{self, ThreadId},
};

use nix::{
    libc::{c_int, c_void, siginfo_t},
    sys::{
        mman::{MapFlags, ProtFlags, mmap_anonymous},
        signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction},
    },
    unistd::alarm,
};

use crate::{
    exit::exit_now,
    log::{Level, Out, is_child, is_wanted},
    memory_test, registers,
    stack::{self, Stack},
};

const STACK_BYTES: NonZeroUsize = NonZeroUsize::new(1 << 20).expect("not zero");
/// How long one part of a report may take.
const PART_SECONDS: u32 = 20;
const FATAL: [Signal; 5] =
    [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGABRT];
const START: &[u8] = b"\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===\n";
const END: &[u8] = b"\n=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n\n\
    \x20      Please report the crash to the maintainers of this server.\n\n\
    \x20 Suspect RAM error? Use redis-server --test-memory to verify it.\n\n\
    \x20 Some other issues could be detected by redis-server --check-system\n";

/// What the configuration says of crashes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The version that the report names.
    pub version: &'static str,
    /// `crash-log-enabled`: reports on signals; traces on panics.
    pub is_enabled: bool,
    /// `crash-memcheck-enabled`: tests memory.
    pub tests_memory: bool,
    /// `use-exit-on-panic`: a panic ends in exit code 1, not in SIGABRT.
    pub exits_on_panic: bool,
    /// A pid file to remove, of a daemon that nobody supervises.
    pub pid_file: Option<PathBuf>,
}

struct State {
    settings: Settings,
    subject: Option<Subject>,
}

/// What `lend` lends, with its type forgotten.
#[derive(Clone, Copy)]
struct Subject {
    address: usize,
    tell: fn(usize, &mut Report<'_>),
    thread: ThreadId,
}

static STATE: Mutex<State> = Mutex::new(State {
    settings: Settings {
        version: "unknown",
        is_enabled: false,
        tests_memory: false,
        exits_on_panic: false,
        pid_file: None,
    },
    subject: None,
});

/// What can tell of itself in a crash report.
pub trait Witness {
    /// Adds sections to a report. What `self` holds may be half changed.
    fn tell(&self, report: &mut Report<'_>);
}

/// A crash report under way.
#[derive(Debug)]
pub struct Report<'a>(&'a Out);

impl Report<'_> {
    /// Adds a section: `INFO OUTPUT`, `CLIENT LIST OUTPUT`, `CONFIG DEBUG OUTPUT` …
    pub fn section(&mut self, title: &str, text: &[u8]) {
        self.0.text(format_args!("\n------ {title} ------\n"));
        self.0.raw(text);
    }
}

/// Takes settings over, at the start and when the configuration changes: installs or
/// removes the handlers of fatal signals, and the hook of panics.
pub fn configure(settings: Settings) -> io::Result<()> {
    let is_enabled = settings.is_enabled;
    lock().settings = settings;
    std::panic::set_hook(Box::new(on_panic));
    if is_enabled {
        protect_thread()?;
    }
    set_handlers(if is_enabled { SigHandler::SigAction(on_fatal) } else { SigHandler::SigDfl })
}

/// Has traces say more of functions for which `describe` knows something, told where one
/// starts.
pub fn describe_functions(describe: fn(usize) -> Option<String>) {
    stack::describe_functions(describe);
}

/// Crashes the process as an access to memory that is not there would: DEBUG SEGFAULT.
pub fn fault() -> ! {
    // Blocked or not, what `die` does is left when it could not be raised.
    let _ = raise(Signal::SIGSEGV);
    die(Signal::SIGSEGV)
}

/// Gives the calling thread a stack on which a whole report can be made, also of the
/// overflow of its first one. It lasts as long as the process.
#[expect(unsafe_code, reason = "nix knows no alternate stacks")]
pub fn protect_thread() -> io::Result<()> {
    if own_stack().is_some() {
        return Ok(());
    }
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a mapping of its own, at a place that the kernel chooses.
    let start = unsafe { mmap_anonymous(None, STACK_BYTES, access, MapFlags::MAP_PRIVATE) }?;
    let stack = libc::stack_t { ss_sp: start.as_ptr(), ss_flags: 0, ss_size: STACK_BYTES.get() };
    // SAFETY: the mapping is as large as it says and is never given back.
    let result = unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
    nix::errno::Errno::result(result)?;
    Ok(())
}

/// Runs something, the main loop, with a subject that can be asked when it crashes.
pub fn lend<T: Witness, R>(subject: &mut T, run: impl FnOnce(&mut T) -> R) -> R {
    let address = (&raw mut *subject).expose_provenance();
    let thread = thread::current().id();
    lock().subject = Some(Subject { address, tell: tell::<T>, thread });
    let result = run(subject);
    lock().subject = None;
    result
}

#[expect(unsafe_code, reason = "the only way from a signal handler to the server")]
fn tell<T: Witness>(address: usize, report: &mut Report<'_>) {
    let subject: *const T = ptr::with_exposed_provenance(address);
    // SAFETY: `lend` has borrowed the subject and is still running, below on this very
    // thread's stack, so the value is there. The code that crashed never goes on.
    let subject = unsafe { &*subject };
    subject.tell(report);
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// For the dying, who must not wait.
fn try_lock() -> Option<MutexGuard<'static, State>> {
    match STATE.try_lock() {
        Ok(state) => Some(state),
        Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[expect(unsafe_code, reason = "handlers must be async-signal-safe")]
fn set_handlers(handler: SigHandler) -> io::Result<()> {
    let flags =
        SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK | SaFlags::SA_RESETHAND | SaFlags::SA_NODEFER;
    for signal in FATAL {
        let action = SigAction::new(handler, flags, SigSet::empty());
        // SAFETY: the handler does not return, and what it risks is said above.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

extern "C" fn on_fatal(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    hand_over(signal, info);
    if let (true, Some(out)) = (is_wanted(Level::Warning), Out::open()) {
        start_part();
        out.raw(START);
        say_signal(&out, signal, info);
        if own_stack().is_some() {
            say_stack(&out, context);
            tell_all(&out);
        } else {
            out.raw(b"(a thread without a stack of its own for reports: no more is known)\n");
        }
        end(&out);
    }
    die(Signal::try_from(signal).unwrap_or(Signal::SIGABRT))
}

/// A signal from outside may come to any thread, while the trace that is wanted is the main
/// thread's, and only that one can tell of the server: the signal is sent on to it. The main
/// thread's number is the process's.
#[expect(unsafe_code, reason = "no wrapper sends a signal to a thread")]
fn hand_over(signal: c_int, info: *const siginfo_t) {
    let (pid, thread) = (std::process::id(), nix::unistd::gettid());
    // SAFETY: the kernel hands a handler a filled siginfo that lives as long as it runs.
    let info = unsafe { &*info };
    let is_elsewhere = u32::try_from(thread.as_raw()) != Ok(pid);
    // The handler has been taken away when it was called.
    let handler = SigHandler::SigAction(on_fatal);
    if info.si_code == libc::SI_USER && is_elsewhere && set_handlers(handler).is_ok() {
        // What is sent on no longer carries it.
        if let (true, Some(out)) = (is_wanted(Level::Warning), Out::open()) {
            say_sender(&out, info);
        }
        // SAFETY: plain numbers; if it fails, this thread reports by itself.
        let sent = unsafe { libc::syscall(libc::SYS_tgkill, pid, pid, signal) };
        if sent == 0 {
            loop {
                nix::unistd::pause();
            }
        }
    }
}

fn say_stack(out: &Out, context: *const c_void) {
    let address = registers::instruction(context);
    out.line(Level::Warning, format_args!("Crashed running the instruction at: {address:#x}"));
    let stack = Stack::capture(address);
    out.raw(b"\n------ STACK TRACE ------\n\nBacktrace:\n");
    stack.write_raw(out);
    registers::write(out, context);
    out.raw(b"\nFunctions:\n");
    start_part();
    stack.write_names(out);
}

#[expect(unsafe_code, reason = "the fields of a C union")]
fn say_signal(out: &Out, signal: c_int, info: *mut siginfo_t) {
    let version = try_lock().map_or("unknown", |state| state.settings.version);
    // SAFETY: the kernel hands a handler a filled siginfo that lives as long as it runs.
    let info = unsafe { &*info };
    let code = info.si_code;
    let warn = |text: std::fmt::Arguments<'_>| out.line(Level::Warning, text);
    warn(format_args!("Redis {version} crashed by signal: {signal}, si_code: {code}"));
    if signal == libc::SIGSEGV || signal == libc::SIGBUS {
        // SAFETY: these two signals carry an address.
        let address = unsafe { info.si_addr() }.addr();
        warn(format_args!("Accessing address: {address:#x}"));
    }
    if code == libc::SI_USER {
        say_sender(out, info);
    }
}

#[expect(unsafe_code, reason = "the fields of a C union")]
fn say_sender(out: &Out, info: &siginfo_t) {
    // SAFETY: a signal that a process sent carries who it was.
    let (pid, uid) = unsafe { (info.si_pid(), info.si_uid()) };
    out.line(Level::Warning, format_args!("Killed by PID: {pid}, UID: {uid}"));
}

fn on_panic(info: &PanicHookInfo<'_>) {
    let out = Out::open().filter(|_| is_wanted(Level::Warning));
    let is_enabled = try_lock().is_some_and(|state| state.settings.is_enabled);
    let exits = try_lock().is_some_and(|state| state.settings.exits_on_panic);
    // What follows ends in SIGABRT, which is not to be reported once more.
    let _ = set_handlers(SigHandler::SigDfl);
    if let Some(out) = out {
        out.raw(START);
        say_panic(&out, info);
        if is_enabled {
            start_part();
            let stack = Stack::capture(0);
            out.raw(b"\n------ STACK TRACE ------\n\nBacktrace:\n");
            stack.write_raw(&out);
            out.raw(b"\nFunctions:\n");
            stack.write_names(&out);
            tell_all(&out);
        }
        end(&out);
    }
    if exits {
        exit_now(1);
    }
    die(Signal::SIGABRT)
}

fn say_panic(out: &Out, info: &PanicHookInfo<'_>) {
    let text = info.payload_as_str().unwrap_or("a panic without words");
    let (file, line) = info.location().map_or(("?", 0), |at| (at.file(), at.line()));
    let warn = |text: std::fmt::Arguments<'_>| out.line(Level::Warning, text);
    if text.starts_with("assertion") {
        warn(format_args!("=== ASSERTION FAILED ==="));
        warn(format_args!("==> {file}:{line} '{text}' is not true"));
        return;
    }
    warn(format_args!("------------------------------------------------"));
    warn(format_args!("!!! Software Failure. Press left mouse button to continue"));
    warn(format_args!("Guru Meditation: {text} #{file}:{line}"));
}

/// What the server says of itself, and what its memory is like.
fn tell_all(out: &Out) {
    // Taken, so that a panic while it tells does not ask it again; and only asked on its
    // own thread, since elsewhere it might be changing right now.
    let subject = try_lock().and_then(|mut state| state.subject.take());
    if let Some(subject) = subject.filter(|subject| subject.thread == thread::current().id()) {
        start_part();
        (subject.tell)(subject.address, &mut Report(out));
    }
    if try_lock().is_some_and(|state| state.settings.tests_memory) {
        alarm::cancel();
        out.raw(b"\n------ FAST MEMORY TEST ------\n");
        let error_count = memory_test::check_own_memory(out, own_stack());
        out.raw(if error_count > 0 {
            b"!!! MEMORY ERROR DETECTED! Check your memory ASAP !!!\n"
        } else {
            b"Fast memory test PASSED, which proves little: a test of several hours proves more.\n"
        });
    }
}

fn end(out: &Out) {
    alarm::cancel();
    out.raw(END);
    let pid_file = try_lock().and_then(|mut state| state.settings.pid_file.take());
    // A child that crashes leaves its parent's alone.
    if let Some(pid_file) = pid_file.filter(|_| !is_child()) {
        // It may never have been written.
        let _ = fs::remove_file(pid_file);
    }
}

/// Dies by a signal's default action.
#[expect(unsafe_code, reason = "the default action is no code at all")]
fn die(signal: Signal) -> ! {
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no code is installed.
    let _ = unsafe { sigaction(signal, &action) };
    let mut blocked = SigSet::empty();
    blocked.add(signal);
    let _ = blocked.thread_unblock();
    let _ = raise(signal);
    exit_now(1)
}

/// Starts the time of a part of the report.
#[expect(unsafe_code, reason = "handlers must be async-signal-safe")]
fn start_part() {
    let action = SigAction::new(SigHandler::Handler(on_hung), SaFlags::SA_ONSTACK, SigSet::empty());
    // SAFETY: the handler writes constants and ends the process.
    let _ = unsafe { sigaction(Signal::SIGALRM, &action) };
    alarm::set(PART_SECONDS);
}

extern "C" fn on_hung(_signal: c_int) {
    if let Some(out) = Out::open() {
        out.raw(b"\n(the report hung here)\n");
        out.raw(END);
    }
    die(Signal::SIGABRT)
}

/// The memory of the thread's alternate stack, if it is one of ours.
#[expect(unsafe_code, reason = "nix knows no alternate stacks")]
fn own_stack() -> Option<std::ops::Range<usize>> {
    let mut stack = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: only asks, into a value that lives through the call.
    unsafe { libc::sigaltstack(ptr::null(), &raw mut stack) };
    let is_ours = stack.ss_size >= STACK_BYTES.get();
    is_ours.then(|| stack.ss_sp.addr()..stack.ss_sp.addr() + stack.ss_size)
}
