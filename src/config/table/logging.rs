//! Room: the log, and what is measured for it. First the fields, then a line for each.

use crate::config::{
    Change,
    choice::{LogLevel, SyslogFacility},
    entry::{LONG_MAX, Parameter, any_text, choice, field, integer, special, yes_no},
    special::{self, NotifyClasses},
};

/// The log, and what is measured for it.
#[derive(Clone, Default)]
pub struct Logging {
    /// `loglevel`: how much is logged: `debug`, `verbose`, `notice`, `warning` or `nothing`.
    pub loglevel: LogLevel,
    /// `logfile`: the file that log lines are added to.
    pub logfile: Vec<u8>,
    /// `syslog-enabled`: whether lines go to syslog as well.
    pub syslog_enabled: bool,
    /// `syslog-ident`: the name that lines carry in syslog.
    pub syslog_ident: Vec<u8>,
    /// `syslog-facility`: the facility that lines carry in syslog: `user`, or `local0` to `local7`.
    pub syslog_facility: SyslogFacility,
    /// `slowlog-log-slower-than`: microseconds from which a command enters the slow log.
    pub slowlog_log_slower_than_us: i64,
    /// `slowlog-max-len`: how many entries the slow log keeps.
    pub slowlog_max_len: usize,
    /// `latency-monitor-threshold`: milliseconds from which an event enters the latency monitor.
    pub latency_monitor_threshold_ms: u64,
    /// `latency-tracking`: whether a histogram of durations is kept for each command.
    pub latency_tracking: bool,
    /// `latency-tracking-info-percentiles`: the percentiles that INFO shows of those histograms,
    /// each from 0 to 100.
    pub latency_tracking_info_percentiles: Vec<f64>,
    /// `notify-keyspace-events`: which keyspace events are published.
    pub notify_keyspace_events: NotifyClasses,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("loglevel", "notice", choice(&field!(logging.loglevel)))
        .change(Change::LogLevel),
    Parameter::new("logfile", "", any_text(&field!(logging.logfile))).immutable(),
    Parameter::new("syslog-enabled", "no", yes_no(&field!(logging.syslog_enabled))).immutable(),
    Parameter::new("syslog-ident", "redis", any_text(&field!(logging.syslog_ident))).immutable(),
    Parameter::new("syslog-facility", "local0", choice(&field!(logging.syslog_facility)))
        .immutable(),
    Parameter::new(
        "slowlog-log-slower-than",
        "10000",
        integer(-1, LONG_MAX, &field!(logging.slowlog_log_slower_than_us)),
    ),
    Parameter::new(
        "slowlog-max-len",
        "128",
        integer(0, LONG_MAX, &field!(logging.slowlog_max_len)),
    )
    .change(Change::SlowLog),
    Parameter::new(
        "latency-monitor-threshold",
        "0",
        integer(0, LONG_MAX, &field!(logging.latency_monitor_threshold_ms)),
    ),
    Parameter::new("latency-tracking", "yes", yes_no(&field!(logging.latency_tracking))),
    Parameter::new(
        "latency-tracking-info-percentiles",
        "50 99 99.9",
        special(special::PERCENTILES),
    )
    .words(),
    Parameter::new("notify-keyspace-events", "", special(special::NOTIFY)).change(Change::Notify),
];
