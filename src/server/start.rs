//! Flow: the start of a server: from its arguments to a running loop.
//!
//! The order matters. The title's memory is taken before any thread runs; a daemon forks
//! before threads, timers and descriptors come into being; doors open last, when all that
//! can fail has not.

use std::{ffi::OsString, io, path::Path, time::Duration};

use ae::Mask;
use base::clock::Clock;
use net::ssl::is_ssl_compiled;
use sys::{check, crash, limits, log, process, signal, supervised, title::Title};

use crate::{
    commands,
    config::{Choice, CommandLine, Config, LoadError, Supervised},
    server::{
        Datum, Server, apply, banner, before_sleep, cron, listen, load, reap, save, shutdown, tune,
        unsaved,
    },
};

/// Where a daemon writes its process id if nobody says otherwise.
const DEFAULT_PIDFILE: &str = "/var/run/redis.pid";

/// Runs a server with these arguments, the program's name first; returns the exit code.
pub fn run(arguments: Vec<OsString>) -> i32 {
    log::init();
    // Fails where the system shows no title; then there is none.
    let title = Title::take().ok();
    match start(arguments, title) {
        Ok(mut server) => serve(&mut server),
        Err(text) => {
            if !text.is_empty() {
                log::warning!("{text}");
            }
            1
        }
    }
}

fn serve(server: &mut Server) -> i32 {
    crash::lend(server, |server| match before_sleep::run(server) {
        Ok(code) => code,
        Err(error) => {
            log::warning!("The event loop failed: {error}");
            1
        }
    })
}

/// Makes a server that is ready; an error is for the log, an empty one has been told.
fn start(arguments: Vec<OsString>, title: Option<Title>) -> Result<Server, String> {
    let program = arguments.first().cloned().unwrap_or_default();
    // Before `dir` moves us: the path may be a relative one.
    let executable = process::executable(Path::new(&program));
    let config = load_config(arguments.get(1..).unwrap_or_default())?;
    let supervisor = supervised::supervise(supervision(&config));
    let is_daemon = config.general.daemonize && supervisor.is_none();
    if is_daemon {
        process::daemonize().map_err(|error| format!("Cannot daemonize: {error}"))?;
    }
    banner::log_beginning(&executable, arguments.len() < 2);
    check::warn_at_start(config.general.disable_thp);
    // Lines above are a child's, as nobody serves yet.
    log::adopt_pid();
    log::notice!("monotonic clock: POSIX clock_gettime");
    // Nobody can aim for collisions who does not know it.
    let mut seed = [0; 16];
    base::random::secure(&mut seed);
    ds::dict::set_hash_seed(seed);
    let mut server = Server::new(config, Clock::system())
        .map_err(|error| format!("Failed creating the event loop. Error message: '{error}'"))?;
    let lifecycle = &mut server.lifecycle;
    lifecycle.executable = executable.display().to_string();
    lifecycle.os = process::os_name();
    lifecycle.argument_zero = program.to_string_lossy().into_owned();
    lifecycle.arguments = arguments.into_iter().skip(1).collect();
    (lifecycle.is_daemon, lifecycle.supervisor) = (is_daemon, supervisor);
    server.title = title;
    begin(&mut server)?;
    Ok(server)
}

fn begin(server: &mut Server) -> Result<(), String> {
    rename_commands(server)?;
    crash::describe_functions(commands::describe_function);
    tune::apply_at_start(server)?;
    watch_signals(server).map_err(|error| format!("Cannot watch signals: {error}"))?;
    tune::set_title(server);
    banner::log_banner(server);
    limits::warn_of_backlog(server.config.network.tcp_backlog);
    unsaved::refuse_to_lose_data(&server.config)?;
    apply::apply_ssl(server)
        .map_err(|_| "Failed to configure TLS. Check logs for more info.".to_owned())?;
    listen::open_all(server)?;
    // Not before the port is ours: the file may be that of a server which has it.
    write_pidfile(server);
    server.events.after(Duration::from_millis(1), cron::cron);
    server.lifecycle.startup_memory_bytes = base::memory::used_bytes();
    for warning in crate::config::later(&server.config) {
        log::warning!("WARNING {warning}");
    }
    log::notice!("Server initialized");
    load::begin(server)
}

/// What is wrong with a line is said where Redis says it, on standard error.
fn load_config(arguments: &[OsString]) -> Result<Config, String> {
    let mut config = Config::new(is_ssl_compiled());
    let command_line = CommandLine::parse(arguments.iter().cloned());
    if command_line.is_sentinel {
        return Err("This server cannot run as a Sentinel yet.".to_owned());
    }
    config.load(&command_line, &mut io::stdin()).map_err(|error| match error {
        LoadError::Open(..) => error.to_string(),
        error => told(&error),
    })?;
    open_log(&config)?;
    Ok(config)
}

/// Says on standard error what is wrong with a line; nothing is left for the log.
fn told(error: &LoadError) -> String {
    eprintln!("{error}");
    String::new()
}

fn open_log(config: &Config) -> Result<(), String> {
    let logging = &config.logging;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    apply::set_log_level(config);
    if !logging.logfile.is_empty() {
        let path = text(&logging.logfile);
        log::set_file(Path::new(&path))
            .map_err(|error| format!("Can't open the log file: {error}"))?;
    }
    if logging.syslog_enabled {
        let facility = Choice::name(logging.syslog_facility);
        log::set_syslog(&text(&logging.syslog_ident), facility)
            .map_err(|error| format!("Cannot log to syslog: {error}"))?;
    }
    Ok(())
}

fn supervision(config: &Config) -> supervised::Supervision {
    match config.general.supervised {
        Supervised::No => supervised::Supervision::No,
        Supervised::Auto => supervised::Supervision::Auto,
        Supervised::Systemd => supervised::Supervision::Systemd,
        Supervised::Upstart => supervised::Supervision::Upstart,
    }
}

/// Gives commands the names of `rename-command`; what is wrong is said on standard error.
pub fn rename_commands(server: &mut Server) -> Result<(), String> {
    use crate::command::names::RenameError;
    for rename in server.config.start.rename_commands.clone() {
        let outcome = server.commands.names.rename(&rename.from, &rename.to);
        if let Err(error) = outcome {
            let reason = match error {
                RenameError::NoSuchCommand => "No such command in rename-command",
                RenameError::NameIsTaken => "Target command name already exists",
            };
            return Err(told(&LoadError::Line(rename.line, reason.to_owned())));
        }
    }
    Ok(())
}

fn watch_signals(server: &mut Server) -> io::Result<()> {
    let wake = signal::install()?;
    signal::set_last_words(save::remove_temporary);
    let mut source = ae::Waker::new(&wake);
    server.events.add(&mut source, on_wake, Datum::Signal, Mask::READ)?;
    server.wake = Some(wake);
    Ok(())
}

/// A signal ends the loop's sleep, and is looked at right away.
fn on_wake(server: &mut Server, fd: ae::Fd, _: Datum, _: Mask) {
    if let Some(wake) = &server.wake {
        wake.drain();
    }
    server.events.drained(fd, Mask::READ);
    reap::reap(server);
    shutdown::look_at_signals(server);
}

fn write_pidfile(server: &mut Server) {
    let general = &server.config.general;
    let path = String::from_utf8_lossy(&general.pidfile).into_owned();
    let path = if path.is_empty() && general.daemonize { DEFAULT_PIDFILE.to_owned() } else { path };
    if !path.is_empty() {
        process::write_pid_file(Path::new(&path));
        server.lifecycle.pidfile = path;
        // A crash report removes it.
        tune::set_crash_log(server);
    }
}
