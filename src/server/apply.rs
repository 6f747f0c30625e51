//! Flow: carries out what a change of the configuration means for the running server.

use net::ssl::{AuthClients, Named, PerformanceMode, Settings};
use sys::log;

use crate::{
    config::{
        Change, Config, FilePath, LogLevel, SetError, SslPerformanceMode, TlsAuthClients, Undo,
    },
    server::{DoorKind, Server, evict, listen, output, replicas, tune},
};

/// Applies all changes of one CONFIG SET, or none: after a failure the former values are
/// in force again.
pub fn apply(server: &mut Server, undo: Undo) -> Result<(), SetError> {
    let mut done: Vec<Change> = Vec::new();
    let changes: Vec<Change> = undo.changes().collect();
    for change in changes {
        if let Err(reason) = carry_out(server, change) {
            log::warning!(
                "Failed applying new configuration. Possibly related to new {} setting. Restoring \
                 previous settings.",
                undo.name(change)
            );
            let error = undo.failure(change, reason.unwrap_or_else(|| change.failure().into()));
            server.config.restore(undo);
            if is_half_done_on_failure(change, &server.config) {
                done.push(change);
            }
            for change in done {
                // What could be applied before can be applied again.
                if carry_out(server, change).is_err() {
                    log::warning!("Failed applying restored failed CONFIG SET command");
                }
            }
            return Err(error);
        }
        done.push(change);
    }
    Ok(())
}

/// Those that change two things; the first may have been exchanged when the second failed.
fn is_half_done_on_failure(change: Change, config: &Config) -> bool {
    match change {
        Change::TlsPort => true,
        Change::Bind => 0 < config.network.tls_port,
        _ => false,
    }
}

/// Fails with a reason, or with none where Redis's words are enough.
fn carry_out(server: &mut Server, change: Change) -> Result<(), Option<String>> {
    match change {
        Change::Port => listen::reopen(server, DoorKind::Tcp).map_err(|_| None)?,
        Change::TlsPort => {
            apply_ssl(server).map_err(|_| None)?;
            let is_opened = listen::reopen(server, DoorKind::Tls);
            is_opened.map_err(|_| Change::Port.failure().to_owned())?;
        }
        Change::Bind => {
            listen::reopen(server, DoorKind::Tcp).map_err(|_| None)?;
            listen::reopen(server, DoorKind::Tls).map_err(|_| None)?;
        }
        Change::Ssl => apply_ssl(server).map_err(|_| None)?,
        Change::SslPerformance => {
            apply_ssl(server).map_err(|_| None)?;
            let mode = server.ssl.settings().performance_mode;
            server.clients.each_connection(|connection| connection.set_performance_mode(mode));
        }
        Change::LogLevel => set_log_level(&server.config),
        Change::MaxClients => tune::raise_file_limit(server).map_err(Some)?,
        Change::Locale => tune::set_collation(server).map_err(|_| None)?,
        Change::ProcTitle => tune::set_title(server),
        Change::OomScore => tune::set_oom_score(server).map_err(|_| None)?,
        Change::CrashLog => tune::set_crash_log(server),
        Change::Maxmemory => evict::limit_changed(server),
        Change::AccessPolicy => tune::set_access_policy(server),
        Change::OutputLimits => output::set_cuts(server),
        Change::LazyFree => server.keyspace.lazy.configure(&server.config.memory),
        Change::Watchdog => tune::set_watchdog(server),
        Change::SlowLog => server.slowlog.trim(server.config.logging.slowlog_max_len),
        Change::BacklogSize => replicas::resize_backlog(server),
        Change::JemallocThread => {
            base::memory::set_background_thread(server.config.memory.jemalloc_bg_thread);
        }
        // Read where they are used, or of rooms that are not there yet; `config::pending`
        // refuses the values that would ask these for something.
        Change::Nothing
        | Change::Hz
        | Change::Password
        | Change::Notify
        | Change::ClientsMemory
        | Change::Appendonly
        | Change::AppendFsync
        | Change::AofHistory
        | Change::GoodReplicas
        | Change::ClusterFlags
        | Change::ClusterAnnounce => {}
    }
    Ok(())
}

/// Tells the log how much to write.
pub fn set_log_level(config: &Config) {
    log::set_level(match config.logging.loglevel {
        LogLevel::Debug => log::Level::Debug,
        LogLevel::Verbose => log::Level::Verbose,
        LogLevel::Notice => log::Level::Notice,
        LogLevel::Warning => log::Level::Warning,
        LogLevel::Nothing => log::Level::Nothing,
    });
}

/// Loads what the TLS directives name, if they have changed; says what serves from now on.
pub fn apply_ssl(server: &mut Server) -> Result<(), String> {
    let settings = settings(server);
    let is_wanted = settings.is_wanted();
    server.ssl.apply(settings, server.clock.now_s()).map_err(|error| {
        log::warning!("Failed to configure TLS: {error}");
        error.to_string()
    })?;
    if let Some(summary) = server.ssl.summary().filter(|_| is_wanted) {
        log::notice!("TLS: {summary}");
    }
    Ok(())
}

fn settings(server: &Server) -> Settings {
    let ssl = &server.config.ssl;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let named = |path: &FilePath| Named::new(text(path.typed()), path.as_path());
    let is_tls_port = 0 < server.config.network.tls_port;
    // The servers of the SSL guide ask their clients for no certificate unless told to;
    // those that have a `tls-port` only follow Redis.
    let auth_clients = if ssl.enable_ssl && !server.config.is_given("tls-auth-clients") {
        AuthClients::No
    } else {
        match ssl.tls_auth_clients {
            TlsAuthClients::No => AuthClients::No,
            TlsAuthClients::Optional => AuthClients::Optional,
            TlsAuthClients::Yes => AuthClients::Yes,
        }
    };
    Settings {
        enable_ssl: ssl.enable_ssl,
        is_used: is_tls_port || ssl.tls_replication || ssl.tls_cluster,
        certificate_file: named(&ssl.cert_file),
        private_key_file: named(&ssl.key_file),
        key_password: text(&ssl.tls_key_file_pass),
        client_certificate_file: named(&ssl.tls_client_cert_file),
        client_key_file: named(&ssl.tls_client_key_file),
        client_key_password: text(&ssl.tls_client_key_file_pass),
        dh_params_file: named(&ssl.dh_params_file),
        ca_file: named(&ssl.tls_ca_cert_file),
        ca_dir: named(&ssl.tls_ca_cert_dir),
        root_ca_certs_path: named(&ssl.root_ca_certs_path),
        auth_clients,
        protocols: text(&ssl.tls_protocols),
        ciphers: text(&ssl.tls_ciphers),
        ciphersuites: text(&ssl.tls_ciphersuites),
        prefer_server_ciphers: ssl.tls_prefer_server_ciphers,
        cipher_policy: text(&ssl.ssl_cipher_policy),
        session_caching: ssl.tls_session_caching,
        session_cache_size: u64::from(ssl.tls_session_cache_size),
        session_cache_timeout_s: u64::from(ssl.tls_session_cache_timeout_s),
        performance_mode: match ssl.ssl_performance_mode {
            SslPerformanceMode::LowLatency => PerformanceMode::LowLatency,
            SslPerformanceMode::HighThroughput => PerformanceMode::HighThroughput,
        },
        handshake_timeout_s: u64::from(ssl.tls_handshake_timeout_s),
        max_handshakes: ssl.tls_max_handshakes as usize,
        expected_peer_name: String::new(),
    }
}
