//! Flow: what the configuration says to the system: limits, scores, titles, crash reports.

use std::io;

use sys::{
    crash, limits, log,
    process::{CpuList, OomMode},
    title::{self, Variables},
    watchdog::Watchdog,
};

use crate::{
    config::{MaxmemoryPolicy, OomScoreAdj},
    keyspace::AccessPolicy,
    server::{Server, evict},
    version,
};

/// The places of scores among `oom-score-adj-values`: a primary's, and a child's.
const PRIMARY_SCORE: usize = 0;
const CHILD_SCORE: usize = 2;

/// Does all of it, at the start.
pub fn apply_at_start(server: &mut Server) -> Result<(), String> {
    set_access_policy(server);
    evict::set_limit(&server.config);
    let maxclients = server.config.limits.maxclients;
    server.config.limits.maxclients = limits::raise_open_files(maxclients)?;
    if server.config.general.crash_log_enabled {
        limits::allow_core_dumps();
    }
    set_crash_log(server);
    // A score that cannot be set is logged, and no reason not to serve.
    let _ = set_oom_score(server);
    pin(&server.config.general.server_cpulist);
    base::memory::assert_classes();
    base::memory::set_background_thread(server.config.memory.jemalloc_bg_thread);
    set_watchdog(server);
    Ok(())
}

/// Tells the keyspace how to remember accesses.
pub fn set_access_policy(server: &mut Server) {
    let memory = &server.config.memory;
    server.keyspace.access_policy = match memory.maxmemory_policy {
        MaxmemoryPolicy::AllKeysLfu | MaxmemoryPolicy::VolatileLfu => AccessPolicy::Lfu {
            log_factor: memory.lfu_log_factor,
            decay_minutes: memory.lfu_decay_time_min,
        },
        _ => AccessPolicy::Lru,
    };
}

/// Raises the limit of open files so far that `maxclients` fit; fails with the reason.
pub fn raise_file_limit(server: &mut Server) -> Result<(), String> {
    let wanted = server.config.limits.maxclients;
    let possible = limits::raise_open_files(wanted).unwrap_or(0);
    if possible < wanted {
        return Err(format!(
            "The operating system is not able to handle the specified number of clients, try \
             with {possible}"
        ));
    }
    Ok(())
}

/// Names the process anew, where it has a title at all.
pub fn set_title(server: &mut Server) {
    let name = server.lifecycle.argument_zero.clone();
    set_title_to(server, &name);
}

/// Names a child by what it does.
pub fn set_child_title(server: &mut Server, name: &str) {
    set_title_to(server, name);
}

fn set_title_to(server: &mut Server, name: &str) {
    if !server.config.general.set_proc_title {
        return;
    }
    let Server { config, title: Some(place), .. } = server else { return };
    let template = String::from_utf8_lossy(&config.general.proc_title_template);
    let bind = config.network.bind.first().map(|first| String::from_utf8_lossy(first));
    let file = config.start.file.as_ref().map(|file| file.as_path().display().to_string());
    let unixsocket = String::from_utf8_lossy(&config.network.unixsocket);
    let variables = Variables {
        title: name,
        bind: bind.as_deref().filter(|bind| *bind != "*"),
        port: config.network.port,
        tls_port: config.network.tls_port,
        unixsocket: &unixsocket,
        server_mode: "",
        config_file: file.as_deref(),
    };
    if let Some(text) = title::expand(&template, &variables) {
        place.set(&text);
    }
}

/// Tells the kernel how ready we are to be ended when memory runs out.
pub fn set_oom_score(server: &mut Server) -> io::Result<()> {
    let value = server.config.general.oom_score_adj_values[PRIMARY_SCORE];
    let mode = oom_mode(server);
    server.oom_score.apply(mode, value)
}

/// Returns the score of a child, if it has one of its own.
pub fn child_oom_score(server: &mut Server) -> Option<i32> {
    let value = server.config.general.oom_score_adj_values[CHILD_SCORE];
    let mode = oom_mode(server);
    // What goes wrong is logged, and the child has its parent's.
    (mode != OomMode::No).then(|| server.oom_score.target(mode, value).ok())?
}

fn oom_mode(server: &Server) -> OomMode {
    match server.config.general.oom_score_adj {
        OomScoreAdj::No => OomMode::No,
        OomScoreAdj::Relative => OomMode::Relative,
        OomScoreAdj::Absolute => OomMode::Absolute,
    }
}

/// Says what happens after a crash.
pub fn set_crash_log(server: &Server) {
    let general = &server.config.general;
    let settings = crash::Settings {
        version: version::VERSION,
        is_enabled: general.crash_log_enabled,
        tests_memory: general.crash_memcheck_enabled,
        exits_on_panic: general.use_exit_on_panic,
        // There is none before its name stands here.
        pid_file: Some(server.lifecycle.pidfile.clone().into())
            .filter(|_| server.lifecycle.is_daemon),
    };
    if let Err(error) = crash::configure(settings) {
        log::warning!("Crash reports cannot be made: {error}");
    }
}

/// Starts or stops the watchdog.
pub fn set_watchdog(server: &mut Server) {
    let (period_ms, hz) = (server.config.general.watchdog_period_ms, server.lifecycle.hz);
    let watchdog: &mut Watchdog = &mut server.watchdog;
    match watchdog.set_period(period_ms, hz) {
        Ok(period_ms) => server.config.general.watchdog_period_ms = period_ms,
        Err(error) => log::warning!("The watchdog cannot be set: {error}"),
    }
}

fn pin(cpus: &[u8]) {
    if cpus.is_empty() {
        return;
    }
    match CpuList::parse(&String::from_utf8_lossy(cpus)) {
        Some(cpus) => cpus.apply(),
        None => log::warning!("server_cpulist names no processors: it is ignored."),
    }
}
