//! Flow: the start of a server: from its arguments to a running loop.
//!
//! The order matters. The title's memory is taken before any thread runs; a daemon forks
//! before threads, timers and descriptors come into being; doors open last, when all that
//! can fail has not.

use std::{env, ffi::OsString, fs, io, path::Path, time::Duration};

use ae::Mask;
use base::clock::Clock;
use net::ssl::is_ssl_compiled;
use sys::{check, crash, limits, log, process, signal, supervised, title::Title};

use crate::{
    config::{Choice, CommandLine, Config, LoadError, Supervised},
    server::{Datum, DoorKind, Server, apply, before_sleep, cron, listen, shutdown, tune},
    version,
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

/// Makes a server that is ready; an error is for the log.
fn start(arguments: Vec<OsString>, title: Option<Title>) -> Result<Server, String> {
    let program = arguments.first().cloned().unwrap_or_default();
    let executable = process::executable(Path::new(&program));
    let config = load_config(&arguments[1.min(arguments.len())..])?;
    let supervisor = supervised::supervise(supervision(&config));
    if config.general.daemonize && supervisor.is_none() {
        process::daemonize().map_err(|error| format!("Cannot daemonize: {error}"))?;
    }
    log_beginning(&executable, arguments.len() == 1);
    check::warn_at_start(config.general.disable_thp);
    // Nobody can aim for collisions who does not know it.
    let mut seed = [0; 16];
    base::random::secure(&mut seed);
    ds::dict::set_hash_seed(seed);
    let mut server = Server::new(config, Clock::system())
        .map_err(|error| format!("Failed creating the event loop. Error message: '{error}'"))?;
    server.lifecycle.executable = executable.display().to_string();
    server.lifecycle.os = process::os_name();
    server.lifecycle.argument_zero = program.to_string_lossy().into_owned();
    server.lifecycle.supervised = Choice::name(server.config.general.supervised);
    server.title = title;
    begin(&mut server)?;
    if supervisor == Some(supervised::Supervisor::Systemd) {
        // A failure is logged there, and no reason not to serve.
        let _ = supervised::notify("STATUS=Ready to accept connections\n");
        let _ = supervised::notify("READY=1\n");
    }
    Ok(server)
}

fn begin(server: &mut Server) -> Result<(), String> {
    rename_commands(server)?;
    tune::apply_at_start(server)?;
    watch_signals(server).map_err(|error| format!("Cannot watch signals: {error}"))?;
    write_pidfile(server);
    tune::set_title(server);
    log_banner(server);
    limits::warn_of_backlog(server.config.network.tcp_backlog);
    refuse_to_lose_data(&server.config)?;
    apply::apply_ssl(server)
        .map_err(|_| "Failed to configure TLS. Check logs for more info.".to_owned())?;
    listen::open_all(server)?;
    server.events.after(Duration::from_millis(1), cron::cron);
    server.lifecycle.startup_memory_bytes = base::memory::used_bytes();
    for warning in crate::config::later(&server.config) {
        log::warning!("WARNING {warning}");
    }
    log::notice!("Server initialized");
    for kind in [DoorKind::Tcp, DoorKind::Tls, DoorKind::Unix] {
        if server.doors.iter().flatten().any(|door| door.kind == kind) {
            log::notice!("Ready to accept connections {}", kind.name());
        }
    }
    Ok(())
}

/// What is wrong with a line is said where Redis says it, on standard error.
fn load_config(arguments: &[OsString]) -> Result<Config, String> {
    let mut config = Config::new(is_ssl_compiled());
    let command_line = CommandLine::parse(arguments.iter().cloned());
    if command_line.is_sentinel {
        return Err("This server cannot run as a Sentinel yet.".to_owned());
    }
    match config.load(&command_line, &mut io::stdin()) {
        Ok(()) => Ok(config),
        Err(error @ LoadError::Open(..)) => Err(error.to_string()),
        Err(error) => {
            eprintln!("{error}");
            Err(String::new())
        }
    }
    .and_then(|config| open_log(&config).map(|()| config))
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

fn log_beginning(executable: &Path, is_bare: bool) {
    log::notice!("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
    log::notice!(
        "Redis version={}, bits={}, commit={}, modified={}, pid={}, just started",
        version::VERSION,
        usize::BITS,
        version::GIT_SHA1,
        version::GIT_DIRTY,
        std::process::id()
    );
    if is_bare {
        log::warning!(
            "Warning: no config file specified, using the default config. In order to specify a \
             config file use {} /path/to/redis.conf",
            executable.display()
        );
    } else {
        log::notice!("Configuration loaded");
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
            eprintln!("{}", LoadError::Line(rename.line, reason.to_owned()));
            return Err(String::new());
        }
    }
    Ok(())
}

fn watch_signals(server: &mut Server) -> io::Result<()> {
    let wake = signal::install()?;
    let mut source = ae::Waker::new(&wake);
    server.events.add(&mut source, on_wake, Datum::Signal, Mask::READ)?;
    server.wake = Some(wake);
    Ok(())
}

/// A signal is looked at in the cron; it only has to end the sleep.
fn on_wake(server: &mut Server, fd: ae::Fd, _: Datum, _: Mask) {
    if let Some(wake) = &server.wake {
        wake.drain();
    }
    server.events.drained(fd, Mask::READ);
    shutdown::look_at_signals(server);
}

fn write_pidfile(server: &mut Server) {
    let general = &server.config.general;
    let path = String::from_utf8_lossy(&general.pidfile).into_owned();
    let path = if path.is_empty() && general.daemonize { DEFAULT_PIDFILE.to_owned() } else { path };
    if !path.is_empty() {
        process::write_pid_file(Path::new(&path));
        server.lifecycle.pidfile = path;
    }
}

fn log_banner(server: &Server) {
    let general = &server.config.general;
    let network = &server.config.network;
    let port = if network.port != 0 { network.port } else { network.tls_port };
    let to_terminal = server.config.logging.logfile.is_empty()
        && !server.config.logging.syslog_enabled
        && io::IsTerminal::is_terminal(&io::stdout());
    if !general.always_show_logo && !to_terminal {
        log::notice!("Running mode=standalone, port={port}.");
        return;
    }
    let ssl = if server.config.ssl.enable_ssl { "TLS on every port" } else { "plain" };
    let text = format!(
        "\n    .-----.\n   /  .-.  \\\n   |  | |  |     Redis {} with SSL ({}/{}) {} bit\n  .+--+-+--+.\n  \
         |   .-.   |    Running in standalone mode, {ssl}\n  |   \\ /   |    Port: {port}\n  \
         |   |_|   |    PID: {}\n  '---------'\n\n",
        version::VERSION,
        version::GIT_SHA1,
        version::GIT_DIRTY,
        usize::BITS,
        std::process::id()
    );
    log::raw(log::Level::Notice, &text);
}

/// Files that this server cannot load hold somebody's data: it must not start beside
/// them as if there were none, and overwrite them one day.
fn refuse_to_lose_data(config: &Config) -> Result<(), String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let persistence = &config.persistence;
    let dir = Path::new(&text(&persistence.dir)).to_path_buf();
    let aof = dir.join(text(&persistence.appenddirname));
    let files = [dir.join(text(&persistence.dbfilename)), aof];
    for file in files {
        let is_there = match fs::metadata(&file) {
            Ok(metadata) if metadata.is_dir() => {
                fs::read_dir(&file).is_ok_and(|mut entries| entries.next().is_some())
            }
            Ok(metadata) => 0 < metadata.len(),
            Err(_) => false,
        };
        if is_there {
            return Err(format!(
                "{} holds data that this server cannot load yet. It is left as it is: move it \
                 away, or choose another dir, to start without it.",
                file.display()
            ));
        }
    }
    Ok(())
}

/// Returns the arguments of this process.
pub fn arguments() -> Vec<OsString> {
    env::args_os().collect()
}
