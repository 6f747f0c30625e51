//! Flow: the end of the server: by SHUTDOWN, or by a signal.

use std::path::Path;

use sys::{
    log, process,
    signal::{self, Signal},
};

use crate::{
    lifecycle::ShutdownOptions,
    server::{DoorKind, Server, listen},
};

/// Something keeps the server from ending; the log says what.
#[derive(Debug)]
pub struct ShutdownRefused;

/// Ends the server as `shutdown-on-sigint` or `shutdown-on-sigterm` says, if one came.
pub fn look_at_signals(server: &mut Server) {
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
    if options.save == Some(true) && !options.force {
        log::warning!("This server cannot write snapshots yet: SHUTDOWN SAVE would lose the data.");
        return Err(ShutdownRefused);
    }
    for kind in [DoorKind::Tcp, DoorKind::Tls, DoorKind::Unix] {
        listen::close(server, kind);
    }
    if !server.lifecycle.pidfile.is_empty() {
        log::notice!("Removing the pid file.");
        process::remove_pid_file(Path::new(&server.lifecycle.pidfile));
    }
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
