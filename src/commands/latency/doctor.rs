//! Command: LATENCY DOCTOR: what the samples of the latency monitor say, in words.
//!
//! Each event has its line, and some have advice; an advice is given once, whoever asks for it.

use sys::process;

use crate::{
    config::AppendFsync,
    latency::{Latency, Row},
    server::Server,
};

/// From this on, more of `hz` would not spread expiry any better.
const HZ_ENOUGH: u32 = 100;
/// From so many GiB a second on, a child is made fast enough.
const FORK_RATE_GOOD: f64 = 25.0;

/// What may help, in the order in which it is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Advice {
    FasterMachine,
    EnableSlowLog,
    LowerSlowLog,
    ReadSlowLog,
    FreeProcessor,
    LocalDisk,
    Ssd,
    Writeback,
    LessDisk,
    NoFsyncOnRewrite,
    RelaxFsync,
    WriteLess,
    RaiseHz,
    SmallerValues,
    GentlerEviction,
    NoHugePages,
}

/// Describes what was observed.
pub(super) fn report(server: &Server) -> String {
    let Server { latency, config, .. } = server;
    if latency.rows().len() == 0 && config.logging.latency_monitor_threshold_ms == 0 {
        return "The latency monitor is off. Turn it on with 'CONFIG SET \
                latency-monitor-threshold <milliseconds>'; events that take as long or longer \
                are sampled from then on.\n"
            .to_owned();
    }
    let advices = advices(server);
    if latency.rows().len() == 0 && advices.is_empty() {
        return "No event has taken as long as the threshold. All is well.\n".to_owned();
    }
    let mut text = String::new();
    if latency.rows().len() != 0 {
        text.push_str("Some events have kept clients waiting:\n\n");
        text.push_str(&events(latency, server.clock.now_s()));
        if latency.find(b"fork").is_some() {
            let rate = latency.fork_rate;
            text.push_str(&format!(
                "\nThe last fork copied {rate:.2} GB/sec: {}.\n",
                quality(rate)
            ));
        }
    }
    if advices.is_empty() {
        text.push_str("\nNothing simple comes to mind that would help against these.\n");
        return text;
    }
    text.push_str("\nWhat may help:\n\n");
    for advice in advices {
        text.push_str(&format!("- {}\n", words(server, advice)));
    }
    text
}

fn events(latency: &Latency, now_s: u64) -> String {
    let line = |(at, row): (usize, &Row)| {
        let summary = row.summary(now_s);
        format!(
            "{}. {}: {} samples, {} ms on average, {} ms mean deviation, one every {:.2} s; the \
             worst ever was {} ms.\n",
            at + 1,
            row.event().name(),
            summary.count,
            summary.mean_ms,
            summary.deviation_ms,
            summary.period_s as f64 / summary.count.max(1) as f64,
            row.worst_ms()
        )
    };
    latency.rows().enumerate().map(line).collect()
}

/// What a rate of forks, in GiB a second, is worth.
fn quality(rate: f64) -> &'static str {
    match rate {
        ..10.0 => "terrible",
        ..FORK_RATE_GOOD => "poor",
        ..100.0 => "good",
        _ => "excellent",
    }
}

fn advices(server: &Server) -> Vec<Advice> {
    let mut advices: Vec<Advice> = Vec::new();
    for row in server.latency.rows() {
        match row.event().name() {
            "command" => {
                advices.extend(about_slow_log(server));
                advices.extend([Advice::ReadSlowLog, Advice::SmallerValues]);
            }
            "fork" if server.latency.fork_rate < FORK_RATE_GOOD => {
                advices.push(Advice::FasterMachine);
            }
            "fast-command" => advices.push(Advice::FreeProcessor),
            "aof-write-pending-fsync" => advices.extend([
                Advice::LocalDisk,
                Advice::LessDisk,
                Advice::Ssd,
                Advice::Writeback,
            ]),
            "aof-write-active-child" => {
                advices.extend([Advice::NoFsyncOnRewrite, Advice::Writeback, Advice::Ssd]);
            }
            "aof-write-alone" => {
                advices.extend([Advice::LocalDisk, Advice::Writeback, Advice::Ssd]);
            }
            "aof-fsync-always" if server.config.persistence.appendfsync == AppendFsync::Always => {
                advices.push(Advice::RelaxFsync);
            }
            "aof-fstat" | "rdb-unlink-temp-file" => {
                advices.extend([Advice::LessDisk, Advice::LocalDisk]);
            }
            "aof-rewrite-diff-write" | "aof-rename" => advices.extend([
                Advice::WriteLess,
                Advice::Writeback,
                Advice::Ssd,
                Advice::LocalDisk,
            ]),
            "expire-cycle" => {
                advices.push(Advice::SmallerValues);
                if server.lifecycle.hz < HZ_ENOUGH {
                    advices.push(Advice::RaiseHz);
                }
            }
            "eviction-del" => advices.push(Advice::SmallerValues),
            "eviction-cycle" => advices.push(Advice::GentlerEviction),
            _ => {}
        }
    }
    if 0 < process::huge_page_bytes() {
        advices.push(Advice::NoHugePages);
    }
    advices.sort_unstable();
    advices.dedup();
    advices
}

/// The slow log should hold what the monitor has seen.
fn about_slow_log(server: &Server) -> Option<Advice> {
    let logging = &server.config.logging;
    let threshold_ms = i64::try_from(logging.latency_monitor_threshold_ms).unwrap_or(i64::MAX);
    match logging.slowlog_log_slower_than_us {
        ..0 => Some(Advice::EnableSlowLog),
        us if threshold_ms < us / 1000 => Some(Advice::LowerSlowLog),
        _ => None,
    }
}

fn words(server: &Server, advice: Advice) -> String {
    let slower_than = server.config.logging.latency_monitor_threshold_ms.saturating_mul(1000);
    match advice {
        Advice::FasterMachine => {
            "Making a child takes long. If this is a virtual machine, another kind of it, or \
             another hypervisor, may copy tables of pages faster."
        }
        Advice::EnableSlowLog => {
            return format!(
                "The slow log is off, so nothing tells which commands took long. Turn it on: \
                 'CONFIG SET slowlog-log-slower-than {slower_than}'."
            );
        }
        Advice::LowerSlowLog => {
            return format!(
                "The slow log takes only commands that are slower than what this monitor looks \
                 for. Lower its threshold: 'CONFIG SET slowlog-log-slower-than {slower_than}'."
            );
        }
        Advice::ReadSlowLog => {
            "Look into the slow log (SLOWLOG GET) for the commands that take \
                                long, and for what could be asked in their place."
        }
        Advice::FreeProcessor => {
            "Commands that need next to no time took long: the system keeps this server from its \
             processor. Lower the load of the machine, give the server one of its own, see \
             whether other guests of the host disturb it, and measure what delays the machine has \
             by itself: 'redis-cli --intrinsic-latency 100'."
        }
        Advice::LocalDisk => {
            "Keep what is written on a local disk: those that are reached over a \
                              network are slow to confirm writes."
        }
        Advice::Ssd => {
            "A solid-state disk confirms writes sooner, and writes snapshots and \
                        rewritten logs faster."
        }
        Advice::Writeback => {
            "A file system that is mounted with data=writeback delays writes less than one with \
             data=ordered; after a crash of the machine the append-only file may then end in half \
             a command, and want repair."
        }
        Advice::LessDisk => {
            "See what else uses the disk, other servers of this kind included, \
                             and have it use it less."
        }
        Advice::NoFsyncOnRewrite => {
            "While a child writes to the disk, writes of the append-only file wait for it. With \
             'no-appendfsync-on-rewrite yes' they do not, and are less safe for that time."
        }
        Advice::RelaxFsync => {
            "'appendfsync always' waits for the disk before each reply. \
                               'appendfsync everysec' loses a second at worst, and does not wait."
        }
        Advice::WriteLess => {
            "The end of a rewrite of the append-only file takes long where many writes came in \
             meanwhile. Ask for the same with fewer commands, or with scripts."
        }
        Advice::RaiseHz => "Spread expiry over more and shorter rounds: 'CONFIG SET hz 100'.",
        Advice::SmallerValues => {
            "Large values take long to delete, whoever deletes them: a command, expiry or \
             eviction. Split them, or have them freed elsewhere (UNLINK, and the directives that \
             begin with 'lazyfree-')."
        }
        Advice::GentlerEviction => {
            "A lower 'maxmemory', or a command that stores much at once, asks for many evictions \
             at a time. Lower the one in small steps, and store less at once with the other."
        }
        Advice::NoHugePages => {
            "The process has transparent huge pages, which make writes slow while a child saves \
             the data. Turn them off ('echo never > /sys/kernel/mm/transparent_hugepage/enabled', \
             and the same where the machine starts), then restart the server."
        }
    }
    .to_owned()
}
