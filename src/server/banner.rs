//! Flow: the first lines of a log: which Redis starts, how, on which port, and that it serves.

use std::{io, path::Path};

use sys::{log, supervised};

use crate::{
    server::{DoorKind, Server, evict},
    version,
};

/// Says that a server starts, and which one.
pub fn log_beginning(executable: &Path, is_bare: bool) {
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

/// Shows the logo to who looks at a terminal or wants it always, to others one line.
pub fn log_banner(server: &Server) {
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

/// Says that clients are served from now on, as all data is there.
pub fn welcome(server: &Server) {
    for kind in [DoorKind::Tcp, DoorKind::Tls, DoorKind::Unix] {
        if server.doors.iter().flatten().any(|door| door.kind == kind) {
            log::notice!("Ready to accept connections {}", kind.name());
        }
    }
    evict::warn_of_small_limit(&server.config);
    if server.lifecycle.supervisor == Some(supervised::Supervisor::Systemd) {
        // A failure is logged there, and no reason not to serve.
        let _ = supervised::notify("STATUS=Ready to accept connections\n");
        let _ = supervised::notify("READY=1\n");
    }
}
