//! Room: the process as a whole, and how it looks from outside. First the fields, then a line for
//! each.

use crate::config::{
    Change, check,
    choice::{OomScoreAdj, Supervised},
    entry::{
        Empty, INT_MAX, Parameter, any_text, checked_text, choice, field, integer, special, text,
        yes_no,
    },
    special::{self, ShutdownOptions},
};

/// The process as a whole, and how it looks from outside.
#[derive(Clone, Default)]
pub struct General {
    /// `databases`: how many databases SELECT may choose from.
    pub databases: u32,
    /// `daemonize`: whether the process goes to the background and writes a pid file.
    pub daemonize: bool,
    /// `supervised`: which supervisor is told that the server is ready: `upstart`, `systemd`,
    /// `auto` (found out from the environment) or `no`.
    pub supervised: Supervised,
    /// `pidfile`: the file that holds the process id.
    pub pidfile: Vec<u8>,
    /// `always-show-logo`: whether the banner is shown at start even if the log goes elsewhere than
    /// to a terminal.
    pub always_show_logo: bool,
    /// `set-proc-title`: whether the process shows its role and address in process lists.
    pub set_proc_title: bool,
    /// `proc-title-template`: what process lists show.
    pub proc_title_template: Vec<u8>,
    /// `locale-collate`: the locale by which SORT ALPHA orders what it shows.
    pub locale_collate: Vec<u8>,
    /// `hz`: how often a second background work is done.
    pub hz: u32,
    /// `dynamic-hz`: whether background work is done more often when many clients are connected.
    pub dynamic_hz: bool,
    /// `io-threads`: how many threads serve sockets.
    pub io_threads: u32,
    /// `io-threads-do-reads`: whether the threads read and parse too, rather than only write.
    pub io_threads_do_reads: bool,
    /// `server_cpulist`: the processors that the main thread and its helpers may run on, as in
    /// `0-3,5` or `0-7:2`.
    pub server_cpulist: Vec<u8>,
    /// `bio_cpulist`: the processors that background threads may run on.
    pub bio_cpulist: Vec<u8>,
    /// `aof_rewrite_cpulist`: the processors that a child rewriting the append-only file may run
    /// on.
    pub aof_rewrite_cpulist: Vec<u8>,
    /// `bgsave_cpulist`: the processors that a child saving a snapshot may run on.
    pub bgsave_cpulist: Vec<u8>,
    /// `oom-score-adj`: whether the kernel is told whom to end first when memory runs out: `no`,
    /// `yes` or `relative` (added to the value at start), `absolute`.
    pub oom_score_adj: OomScoreAdj,
    /// `oom-score-adj-values`: the scores of a primary, a replica and a background child, each from
    /// -2000 to 2000.
    pub oom_score_adj_values: [i32; 3],
    /// `disable-thp`: whether transparent huge pages are switched off for this process.
    pub disable_thp: bool,
    /// `shutdown-timeout`: seconds that SHUTDOWN waits for replicas to catch up.
    pub shutdown_timeout_s: u32,
    /// `shutdown-on-sigint`: what SIGINT does.
    pub shutdown_on_sigint: ShutdownOptions,
    /// `shutdown-on-sigterm`: what SIGTERM does, with the same words.
    pub shutdown_on_sigterm: ShutdownOptions,
    /// `ignore-warnings`: the names of start-up warnings that do not stop the start, as in
    /// `ARM64-COW-BUG`.
    pub ignore_warnings: Vec<u8>,
    /// `crash-log-enabled`: whether a crash leaves a report in the log.
    pub crash_log_enabled: bool,
    /// `crash-memcheck-enabled`: whether a crash is followed by a quick test of memory.
    pub crash_memcheck_enabled: bool,
    /// `use-exit-on-panic`: whether a failed assertion exits rather than aborts; for tests.
    pub use_exit_on_panic: bool,
    /// `watchdog-period`: milliseconds after which a stuck event loop is reported in the log; for
    /// debugging.
    pub watchdog_period_ms: u32,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("databases", "16", integer(1, INT_MAX, &field!(general.databases))).immutable(),
    Parameter::new("daemonize", "no", yes_no(&field!(general.daemonize))).immutable(),
    Parameter::new("supervised", "no", choice(&field!(general.supervised))).immutable(),
    Parameter::new("pidfile", "", text(&field!(general.pidfile))).immutable(),
    Parameter::new("always-show-logo", "no", yes_no(&field!(general.always_show_logo))).immutable(),
    Parameter::new("set-proc-title", "yes", yes_no(&field!(general.set_proc_title))).immutable(),
    Parameter::new(
        "proc-title-template",
        "{title} {listen-addr} {server-mode}",
        checked_text(&field!(general.proc_title_template), Empty::Value, check::proc_title),
    )
    .change(Change::ProcTitle),
    Parameter::new("locale-collate", "", any_text(&field!(general.locale_collate)))
        .change(Change::Locale),
    Parameter::new("hz", "10", integer(0, INT_MAX, &field!(general.hz))).change(Change::Hz),
    Parameter::new("dynamic-hz", "yes", yes_no(&field!(general.dynamic_hz))),
    Parameter::new("io-threads", "1", integer(1, 128, &field!(general.io_threads))).immutable(),
    Parameter::new("io-threads-do-reads", "no", yes_no(&field!(general.io_threads_do_reads)))
        .immutable(),
    Parameter::new("server_cpulist", "", text(&field!(general.server_cpulist))).immutable(),
    Parameter::new("bio_cpulist", "", text(&field!(general.bio_cpulist))).immutable(),
    Parameter::new("aof_rewrite_cpulist", "", text(&field!(general.aof_rewrite_cpulist)))
        .immutable(),
    Parameter::new("bgsave_cpulist", "", text(&field!(general.bgsave_cpulist))).immutable(),
    Parameter::new("oom-score-adj", "no", choice(&field!(general.oom_score_adj)))
        .change(Change::OomScore),
    Parameter::new("oom-score-adj-values", "0 200 800", special(special::OOM_VALUES))
        .change(Change::OomScore)
        .words(),
    Parameter::new("disable-thp", "yes", yes_no(&field!(general.disable_thp))).immutable(),
    Parameter::new(
        "shutdown-timeout",
        "10",
        integer(0, INT_MAX, &field!(general.shutdown_timeout_s)),
    ),
    Parameter::new("shutdown-on-sigint", "default", special(special::ON_SIGINT)).words(),
    Parameter::new("shutdown-on-sigterm", "default", special(special::ON_SIGTERM)).words(),
    Parameter::new("ignore-warnings", "", any_text(&field!(general.ignore_warnings))),
    Parameter::new("crash-log-enabled", "yes", yes_no(&field!(general.crash_log_enabled)))
        .change(Change::CrashLog),
    Parameter::new(
        "crash-memcheck-enabled",
        "yes",
        yes_no(&field!(general.crash_memcheck_enabled)),
    ),
    Parameter::new("use-exit-on-panic", "no", yes_no(&field!(general.use_exit_on_panic))).hidden(),
    Parameter::new(
        "watchdog-period",
        "0",
        integer(0, INT_MAX, &field!(general.watchdog_period_ms)),
    )
    .hidden()
    .change(Change::Watchdog),
];
