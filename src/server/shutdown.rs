//! Flow: the end of the server: by SHUTDOWN, or by a signal.

use std::path::Path;

use sys::{
    log, process,
    signal::{self, Signal},
    supervised::{self, Supervisor},
};

use crate::{
    client::describe::replica_name,
    lifecycle::{PendingShutdown, ShutdownOptions},
    replication::replica::State,
    server::{DoorKind, Server, bgsave, listen, output, parked, replicas, save, waits},
};

/// What a client hears whose SHUTDOWN does not end the server.
pub const REFUSED: &str = "ERR Errors trying to SHUTDOWN. Check logs.";

/// Something keeps the server from ending; the log says what.
#[derive(Debug)]
pub struct ShutdownRefused;

/// Ends the server as `shutdown-on-sigint` or `shutdown-on-sigterm` says, if one came. It is
/// the cron's work, and waits while that is paused.
pub fn look_at_signals(server: &mut Server) {
    if server.lifecycle.is_cron_paused || server.lifecycle.shutdown.is_some() {
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
        signal::forget_shutdown();
    }
}

/// Makes the loop end: at once, or when replicas have all that was written; unless that would
/// lose data that was to be kept.
pub fn prepare(server: &mut Server, options: ShutdownOptions) -> Result<(), ShutdownRefused> {
    log::notice!("User requested shutdown...");
    tell_supervisor(server, "STOPPING=1\n");
    let timeout_s = server.config.general.shutdown_timeout_s;
    if !options.now && timeout_s != 0 && !is_everything_acknowledged(server) {
        log::notice!("Waiting for replicas before shutting down.");
        let until_ms = server.now_ms().saturating_add(i64::from(timeout_s) * 1000);
        let callers = Vec::new();
        server.lifecycle.shutdown = Some(PendingShutdown { options, until_ms, callers });
        waits::ask(server);
        parked::pause_for_end(server, true);
        return Ok(());
    }
    finish(server, options)
}

/// Ends the server if it only waits for replicas, and they have all that was written, or the
/// time is up.
pub fn go_on(server: &mut Server) {
    let Some(pending) = &server.lifecycle.shutdown else { return };
    let (options, until_ms) = (pending.options, pending.until_ms);
    if (until_ms <= server.now_ms() || is_everything_acknowledged(server))
        && finish(server, options).is_err()
    {
        cancel(server);
    }
}

/// Takes back that the server is about to end, or that a signal has asked for it; says whether
/// there was anything to be taken back.
pub fn abort(server: &mut Server) -> bool {
    let is_wanted = server.lifecycle.shutdown.is_some() || signal::shutdown_asked().is_some();
    if is_wanted {
        cancel(server);
        log::notice!("Shutdown manually aborted.");
    }
    is_wanted
}

fn cancel(server: &mut Server) {
    signal::forget_shutdown();
    let pending = server.lifecycle.shutdown.take();
    for id in pending.map_or_else(Vec::new, |pending| pending.callers) {
        let Server { parked, clients, .. } = server;
        clients.push(id, |reply| reply.error(REFUSED.as_bytes()));
        if let Some(client) = clients.find(id) {
            parked.wake(id, client);
        }
    }
    parked::pause_for_end(server, false);
}

fn is_everything_acknowledged(server: &Server) -> bool {
    let offset = server.history_bytes();
    replicas::links(server).all(|(_, _, link)| link.acknowledged == offset)
}

fn finish(server: &mut Server, options: ShutdownOptions) -> Result<(), ShutdownRefused> {
    log_replicas(server);
    bgsave::stop_for_exit(server);
    if saves(server, options) {
        log::notice!("Saving the final RDB snapshot before exiting.");
        tell_supervisor(server, "STATUS=Saving the final RDB snapshot\n");
        if save::save_to_disk(server).is_err() {
            if !options.force {
                log::warning!("Error trying to save the DB, can't exit.");
                tell_supervisor(server, "STATUS=Error trying to save the DB, can't exit.\n");
                log::warning!(
                    "Errors trying to shut down the server. Check the logs for more information."
                );
                return Err(ShutdownRefused);
            }
            log::warning!("Error trying to save the DB. Exit anyway.");
        }
    }
    // What replicas have not got yet they may get now.
    replicas::feed(server);
    output::send_all(server);
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

/// Says which replicas lack some of what was written.
fn log_replicas(server: &Server) {
    let (offset, now_s) = (server.history_bytes(), server.clock.now_s());
    let (mut count, mut lagging) = (0, 0);
    for (client, _, link) in replicas::links(server) {
        count += 1;
        if link.acknowledged == offset {
            continue;
        }
        lagging += 1;
        let lag_s = if link.state == State::Online { link.lag_s(now_s) } else { 0 };
        log::notice!(
            "Lagging replica {} reported offset {} behind master, lag={lag_s}, state={}.",
            replica_name(client),
            offset.saturating_sub(link.acknowledged),
            link.state.name().unwrap_or_default()
        );
    }
    if 0 < count {
        log::notice!("{} of {count} replicas are in sync when shutting down.", count - lagging);
    }
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
