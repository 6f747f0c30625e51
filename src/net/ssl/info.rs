//! Pure: the fields of `INFO ssl`.

use std::sync::atomic::Ordering::Relaxed;

use super::{Failure, Ssl, implementation::used_bytes, is_ssl_compiled};

/// What the certificates in force say of themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Facts {
    /// As OpenSSL prints it: `Nov 24 09:00:00 2026 GMT`.
    pub(crate) not_before: String,
    pub(crate) not_after: String,
    /// Lower-case hex.
    pub(crate) serial: String,
    /// Seconds since the epoch.
    pub(crate) server_expires_s: i64,
    pub(crate) client_expires_s: i64,
    /// The first of those trusted to go; nothing where the system's bundle is trusted.
    pub(crate) ca_expires_s: Option<i64>,
    /// The s2n policy.
    pub(crate) policy: String,
}

pub(super) fn info(ssl: &Ssl, now_s: u64) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
    add("ssl_compiled", yes_no(is_ssl_compiled()));
    add("ssl_enabled", yes_no(ssl.is_ssl_enabled()));
    let Some(generations) = &ssl.generations else { return fields };

    let facts = generations.current().context.facts();
    let settings = &ssl.settings;
    let previous = generations.previous_connections();
    add("ssl_connections_to_previous_certificate", previous.to_string());
    let current = generations.current_connections();
    add("ssl_connections_to_current_certificate", current.to_string());
    add("ssl_current_certificate_not_before_date", facts.not_before.clone());
    add("ssl_current_certificate_not_after_date", facts.not_after.clone());
    add("ssl_current_certificate_serial", facts.serial.clone());
    add("ssl_certificate_file", settings.certificate_file.shown().to_owned());
    add("ssl_certificate_private_key_file", settings.private_key_file.shown().to_owned());
    add("ssl_dh_params_file", settings.dh_params_file.shown().to_owned());
    let trusted = [&settings.root_ca_certs_path, &settings.ca_file, &settings.ca_dir];
    let trusted = trusted.into_iter().find(|path| !path.is_empty());
    add("ssl_root_ca_certs_path", trusted.map_or_else(String::new, |path| path.shown().to_owned()));
    add("ssl_cipher_prefs", facts.policy.clone());
    add("ssl_performance_mode", settings.performance_mode.name().to_owned());
    add("ssl_used_memory", used_bytes().to_string());
    let reads = &ssl.repeated_reads;
    add("ssl_total_repeated_reads", reads.total.load(Relaxed).to_string());
    add("ssl_cur_repeated_reads", reads.current.load(Relaxed).to_string());
    add("ssl_max_simultaneous_repeated_reads", reads.max.load(Relaxed).to_string());

    let now_s = i64::try_from(now_s).unwrap_or(i64::MAX);
    add("ssl_server_certificate_expires_in", (facts.server_expires_s - now_s).to_string());
    add("ssl_client_certificate_expires_in", (facts.client_expires_s - now_s).to_string());
    if let Some(expires_s) = facts.ca_expires_s {
        add("ssl_ca_certificate_expires_in", (expires_s - now_s).to_string());
    }
    let handshakes = &ssl.handshakes;
    let failed = |failure| handshakes.failed.get(&failure).copied().unwrap_or(0);
    add("ssl_handshakes_done", handshakes.done.to_string());
    add("ssl_handshakes_resumed", handshakes.resumed.to_string());
    add("ssl_handshakes_under_way", handshakes.under_way().to_string());
    add("ssl_handshakes_waiting", handshakes.waiting().to_string());
    let all: u64 = handshakes.failed.values().sum();
    add("ssl_handshakes_failed", all.to_string());
    for failure in Failure::ALL {
        add(&format!("ssl_handshakes_failed_{}", failure.name()), failed(failure).to_string());
    }
    add("ssl_handshakes_shed", failed(Failure::Shed).to_string());
    add("ssl_plaintext_refused", failed(Failure::Plaintext).to_string());
    for (protocol, count) in &handshakes.protocols {
        add(&format!("ssl_protocol_{protocol}"), count.to_string());
    }
    for (cipher, count) in &handshakes.ciphers {
        add(&format!("ssl_cipher_{cipher}"), count.to_string());
    }
    fields
}

fn yes_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}
