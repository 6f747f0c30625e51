//! Tool: the log, in Redis's line form, over the `log` facade and `env_logger`.
//!
//! Lines are written with `sys::log::notice!` and its sisters (or with the macros of
//! `log`, of which `warn info debug trace` are our `warning notice verbose debug`).
//! Only the main thread writes, and a child after its fork: a child forked while some
//! other thread holds env_logger's lock could never write a line.
//!
//! The level, changed at run time, is `log`'s own maximum, so a line that is not
//! wanted costs one load and formats nothing. What our dependencies have to say is
//! shown only where `RUST_LOG` asks for it; that variable changes nothing else.
//!
//! Signal handlers and crash reports write by `from_handler` and `Out`, past the
//! facade: it locks and allocates.

mod line;
mod sink;

use std::{
    fmt, io,
    io::Write as _,
    path::Path,
    sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, Ordering::Relaxed},
};

pub use crate::{debug, notice, verbose, warning};
use base::clock::Clock;
use env_logger::{Builder, Target, WriteStyle, fmt::Formatter};
#[doc(hidden)]
pub use log as facade;
use log::{LevelFilter, Record};
use nix::syslog::{Facility, Severity};

use line::Head;
pub(crate) use sink::Out;

/// Our crates, by the names their records carry: the log is theirs.
const HOUSE: [&str; 8] = ["redis", "sys", "base", "ds", "ae", "net", "resp", "sentinel"];
/// The target of text that goes out as it is.
#[doc(hidden)]
pub const RAW: &str = "redis::raw";
/// Zones change their offset on quarters of an hour, in the zones that there are.
const ZONE_PERIOD_S: i64 = 15 * 60;

static LEVEL: AtomicU8 = AtomicU8::new(Level::Notice as u8);
static ROLE: AtomicU8 = AtomicU8::new(b'M');
static MAIN_PID: AtomicU32 = AtomicU32::new(0);
static ZONE_SECONDS: AtomicI32 = AtomicI32::new(0);
static ZONE_PERIOD: AtomicI64 = AtomicI64::new(i64::MIN);

/// How much is logged, as `loglevel` has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// Everything, for whoever develops.
    Debug,
    /// Much that is rarely useful.
    Verbose,
    /// What an operator wants to see of a server in production.
    Notice,
    /// What is important or wrong.
    Warning,
    /// As a threshold: not even warnings.
    Nothing,
}

impl Level {
    /// Returns the level that the configuration calls so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }

    /// Returns its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Verbose => "verbose",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Nothing => "nothing",
        }
    }

    const ALL: [Self; 5] = [Self::Debug, Self::Verbose, Self::Notice, Self::Warning, Self::Nothing];

    fn filter(self) -> LevelFilter {
        match self {
            Self::Debug => LevelFilter::Trace,
            Self::Verbose => LevelFilter::Debug,
            Self::Notice => LevelFilter::Info,
            Self::Warning => LevelFilter::Warn,
            Self::Nothing => LevelFilter::Off,
        }
    }

    fn of(level: log::Level) -> Self {
        match level {
            log::Level::Error | log::Level::Warn => Self::Warning,
            log::Level::Info => Self::Notice,
            log::Level::Debug => Self::Verbose,
            log::Level::Trace => Self::Debug,
        }
    }

    fn mark(self) -> char {
        match self {
            Self::Debug => '.',
            Self::Verbose => '-',
            Self::Notice => '*',
            Self::Warning | Self::Nothing => '#',
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::Debug => Severity::LOG_DEBUG,
            Self::Verbose => Severity::LOG_INFO,
            Self::Notice => Severity::LOG_NOTICE,
            Self::Warning | Self::Nothing => Severity::LOG_WARNING,
        }
    }
}

/// What the process is, as one letter of each line. A child needs not be told: whoever
/// has another pid than the one that `adopt_pid` saw is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// `M`: a server that takes writes.
    Primary,
    /// `S`: a server that follows another.
    Replica,
    /// `X`: a Sentinel; its children too.
    Sentinel,
}

/// Logs something important or wrong.
#[macro_export]
macro_rules! warning {
    ($($text:tt)+) => { $crate::log::facade::warn!(target: "redis", $($text)+) };
}

/// Logs what an operator wants to see.
#[macro_export]
macro_rules! notice {
    ($($text:tt)+) => { $crate::log::facade::info!(target: "redis", $($text)+) };
}

/// Logs what is rarely useful.
#[macro_export]
macro_rules! verbose {
    ($($text:tt)+) => { $crate::log::facade::debug!(target: "redis", $($text)+) };
}

/// Logs what helps to develop.
#[macro_export]
macro_rules! debug {
    ($($text:tt)+) => { $crate::log::facade::trace!(target: "redis", $($text)+) };
}

/// Starts the log, on standard output at level `notice`. Further calls do nothing. Lines are a
/// child's until `adopt_pid`, as those are that Redis writes before it is a server.
pub fn init() {
    refresh_zone();
    let mut builder = Builder::new();
    let dependencies = std::env::var("RUST_LOG").unwrap_or_default();
    if dependencies.is_empty() {
        builder.filter_level(LevelFilter::Off);
    } else {
        builder.parse_filters(&dependencies);
    }
    for name in HOUSE {
        builder.filter_module(name, LevelFilter::Trace);
    }
    builder.format(format).write_style(WriteStyle::Never);
    builder.target(Target::Pipe(Box::new(sink::Sink)));
    // Fails where a logger is set already, which is then ours or a test's.
    let _ = builder.try_init();
    // The first use allocates its buffer; a signal handler's must not be the first.
    drop(io::stdout());
    set_level(level());
}

/// Changes how much is logged.
pub fn set_level(level: Level) {
    LEVEL.store(level as u8, Relaxed);
    // For the sake of dependencies all must come as far as `format`, which knows ours.
    let is_debugging = std::env::var_os("RUST_LOG").is_some_and(|filters| !filters.is_empty());
    log::set_max_level(if is_debugging { LevelFilter::Trace } else { level.filter() });
}

/// Returns how much is logged.
pub fn level() -> Level {
    let level = usize::from(LEVEL.load(Relaxed));
    Level::ALL.into_iter().nth(level).expect("only levels are stored")
}

/// Says what the process is from now on.
pub fn set_role(role: Role) {
    let letter = match role {
        Role::Primary => b'M',
        Role::Replica => b'S',
        Role::Sentinel => b'X',
    };
    ROLE.store(letter, Relaxed);
}

/// Sends the log to a file instead of standard output; once, since `logfile` cannot be
/// changed at run time. Fails if the file cannot be opened for appending.
pub fn set_file(path: &Path) -> io::Result<()> {
    sink::set_file(path)
}

/// Sends every line to syslog too; once. `facility` is `user` or one of `local0` to
/// `local7`, in any case.
pub fn set_syslog(ident: &str, facility: &str) -> io::Result<()> {
    let Some(facility) = facility_named(facility) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no such syslog facility"));
    };
    sink::set_syslog(ident, facility)
}

/// Takes the calling process for the main one, once it is a daemon or will be none.
pub fn adopt_pid() {
    MAIN_PID.store(std::process::id(), Relaxed);
}

/// Whether this process is another than the main one: a child after its fork.
pub fn is_child() -> bool {
    std::process::id() != MAIN_PID.load(Relaxed)
}

/// Writes text as it is, without head or line end: the banner.
pub fn raw(level: Level, text: &str) {
    match level {
        Level::Debug => log::trace!(target: RAW, "{text}"),
        Level::Verbose => log::debug!(target: RAW, "{text}"),
        Level::Notice => log::info!(target: RAW, "{text}"),
        Level::Warning => log::warn!(target: RAW, "{text}"),
        Level::Nothing => {}
    }
}

/// Writes a line from a signal handler: no lock, no allocation, a plainer head.
pub fn from_handler(at: Level, text: &str) {
    if is_wanted(at)
        && let Some(out) = Out::open()
    {
        let (pid, now_s) = (std::process::id(), Clock::system().now_ms() / 1000);
        out.text(format_args!("{pid}:signal-handler ({now_s}) {text}\n"));
    }
}

/// Whether lines of a level are written.
pub fn is_wanted(at: Level) -> bool {
    at as u8 >= LEVEL.load(Relaxed)
}

impl Out {
    /// Writes a whole line past the facade, for crash reports.
    pub(crate) fn line(&self, level: Level, text: fmt::Arguments<'_>) {
        self.text(format_args!("{}{text}\n", head(level)));
    }
}

/// What env_logger calls for each record.
fn format(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let level = Level::of(record.level());
    if is_of_house(record.target()) && !is_wanted(level) {
        return Ok(());
    }
    if record.target() == RAW {
        write!(line, "{}", record.args())?;
    } else {
        refresh_zone_if_due();
        writeln!(line, "{}{}", head(level), record.args())?;
    }
    sink::syslog_if_set(level.severity(), *record.args());
    Ok(())
}

fn is_of_house(target: &str) -> bool {
    HOUSE.contains(&target.split("::").next().unwrap_or(target))
}

fn head(level: Level) -> Head {
    let pid = std::process::id();
    let role = char::from(ROLE.load(Relaxed));
    Head {
        pid,
        role: if is_child() && role != 'X' { 'C' } else { role },
        now_ms: Clock::system().now_ms(),
        zone_seconds: ZONE_SECONDS.load(Relaxed),
        mark: level.mark(),
    }
}

fn refresh_zone_if_due() {
    // A child keeps what it knows: see `line`.
    if !is_child() && ZONE_PERIOD.load(Relaxed) != now_s() / ZONE_PERIOD_S {
        refresh_zone();
    }
}

fn refresh_zone() {
    let now = now_s();
    ZONE_PERIOD.store(now / ZONE_PERIOD_S, Relaxed);
    ZONE_SECONDS.store(zone_seconds_at(now), Relaxed);
}

#[expect(unsafe_code, reason = "neither std nor nix knows the local time zone")]
fn zone_seconds_at(now: libc::time_t) -> i32 {
    // SAFETY: plain numbers and a pointer, for all of which zero is a value.
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both point to values that live through the call.
    let result = unsafe { libc::localtime_r(&raw const now, &raw mut local) };
    if result.is_null() { 0 } else { i32::try_from(local.tm_gmtoff).unwrap_or(0) }
}

fn now_s() -> i64 {
    i64::try_from(Clock::system().now_ms() / 1000).unwrap_or(0)
}

fn facility_named(name: &str) -> Option<Facility> {
    Some(match name.to_ascii_lowercase().as_str() {
        "user" => Facility::LOG_USER,
        "local0" => Facility::LOG_LOCAL0,
        "local1" => Facility::LOG_LOCAL1,
        "local2" => Facility::LOG_LOCAL2,
        "local3" => Facility::LOG_LOCAL3,
        "local4" => Facility::LOG_LOCAL4,
        "local5" => Facility::LOG_LOCAL5,
        "local6" => Facility::LOG_LOCAL6,
        "local7" => Facility::LOG_LOCAL7,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Level, facility_named};

    #[test]
    fn levels_are_known_by_name_and_ordered() {
        for level in Level::ALL {
            assert_eq!(Level::named(&level.name().to_uppercase()), Some(level));
        }
        assert_eq!(Level::named("loud"), None);
        assert!(Level::Debug < Level::Warning && Level::Warning < Level::Nothing);
    }

    #[test]
    fn the_facilities_of_the_configuration_are_known() {
        assert!(facility_named("LOCAL7").is_some() && facility_named("user").is_some());
        assert!(facility_named("local8").is_none() && facility_named("mail").is_none());
    }
}
