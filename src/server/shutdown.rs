//! Flow: the end of the server: by SHUTDOWN, or by a signal.

use std::path::Path;

use sys::{
    log, process,
    signal::{self, Signal},
    supervised::{self, Supervisor},
};

use crate::{
    lifecycle::ShutdownOptions,
    server::{DoorKind, Server, bgsave, listen, save},
};

/// Something keeps the server from ending; the log says what.
#[derive(Debug)]
pub struct ShutdownRefused;

/// Takes back a shutdown that a signal has asked for and that has not begun; says whether
/// there was one.
pub fn abort() -> bool {
    let was_asked = signal::shutdown_asked().is_some();
    if was_asked {
        signal::forget_shutdown();
        log::notice!("Shutdown manually aborted.");
    }
    was_asked
}

/// Ends the server as `shutdown-on-sigint` or `shutdown-on-sigterm` says, if one came. It is
/// the cron's work, and waits while that is paused.
pub fn look_at_signals(server: &mut Server) {
    if server.lifecycle.is_cron_paused {
        return;
    }
    let words = match signal::shutdown_asked() {
        None => return,
        Some(Signal::SIGINT) => server.config.general.shutdown_on_sigint,
        Some(_) => server.config.general.shutdown_on_sigterm,
    };
    let save = if words.save { Some(true) } else { words.nosave.then_some(false) };
    let options = ShutdownOptions { save, now: words.now, force: words.force };
    if prepare(server, options).is_err() {
        log::warning!(
            "Errors trying to shut down the server. Check the logs for more information."
        );
        signal::forget_shutdown();
    }
}

/// Makes the loop end, unless that would lose data that was to be kept.
pub fn prepare(server: &mut Server, options: ShutdownOptions) -> Result<(), ShutdownRefused> {
    log::notice!("User requested shutdown...");
    tell_supervisor(server, "STOPPING=1\n");
    bgsave::stop_for_exit(server);
    if saves(server, options) {
        log::notice!("Saving the final RDB snapshot before exiting.");
        tell_supervisor(server, "STATUS=Saving the final RDB snapshot\n");
        if save::save_to_disk(server).is_err() {
            if !options.force {
                log::warning!("Error trying to save the DB, can't exit.");
                tell_supervisor(server, "STATUS=Error trying to save the DB, can't exit.\n");
                return Err(ShutdownRefused);
            }
            log::warning!("Error trying to save the DB. Exit anyway.");
        }
    }
    for kind in [DoorKind::Tcp, DoorKind::Tls, DoorKind::Unix] {
        listen::close(server, kind);
    }
    remove_pidfile(server);
    if !server.config.network.unixsocket.is_empty() {
        log::notice!("Removing the unix socket file.");
        let path = String::from_utf8_lossy(&server.config.network.unixsocket).into_owned();
        // Somebody else may have removed it.
        let _ = std::fs::remove_file(path);
    }
    log::warning!("Redis is now ready to exit, bye bye...");
    server.lifecycle.exit_code = Some(0);
    Ok(())
}

/// Data that is not all there yet must never take the place of the file that it comes from.
fn saves(server: &Server, options: ShutdownOptions) -> bool {
    let has_save_points = !server.config.persistence.save.is_empty();
    options.save.unwrap_or(has_save_points) && !server.is_loading()
}

fn remove_pidfile(server: &mut Server) {
    if !server.lifecycle.pidfile.is_empty() {
        log::notice!("Removing the pid file.");
        // It may be gone already.
        process::remove_pid_file(Path::new(&server.lifecycle.pidfile));
    }
}

fn tell_supervisor(server: &Server, lines: &str) {
    if server.lifecycle.supervisor == Some(Supervisor::Systemd) {
        // A failure is logged there, and no reason to go on.
        let _ = supervised::notify(lines);
    }
}
