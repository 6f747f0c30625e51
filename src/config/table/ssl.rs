//! Room: TLS: this project's directives, and Redis's for the same engine. First the fields, then a
//! line for each.

use crate::config::{
    Change,
    choice::{SslPerformanceMode, TlsAuthClients},
    entry::{INT_MAX, Parameter, choice, field, integer, path, text, yes_no, yes_no_true_false},
    path::FilePath,
};

/// TLS: this project's directives, and Redis's for the same engine.
#[derive(Clone, Default)]
pub struct Ssl {
    /// `enable-ssl`: whether every TCP socket of this server speaks TLS: clients, replication, the
    /// cluster bus.
    pub enable_ssl: bool,
    /// `certificate-file`: the server's certificate and what stands between it and the root, as
    /// PEM.
    pub cert_file: FilePath,
    /// `private-key-file`: the key of that certificate, as PEM.
    pub key_file: FilePath,
    /// `dh-params-file`: parameters for finite-field Diffie-Hellman, as PEM.
    pub dh_params_file: FilePath,
    /// `root-ca-certs-path`: the certificates that are trusted: a file, or a directory of files.
    pub root_ca_certs_path: FilePath,
    /// `ssl-performance-mode`: what the sizes of TLS records are chosen for: `low-latency` or
    /// `high-throughput`.
    pub ssl_performance_mode: SslPerformanceMode,
    /// `ssl-cipher-policy`: the s2n security policy to offer.
    pub ssl_cipher_policy: Vec<u8>,
    /// `tls-key-file-pass`: the passphrase of the private key, if it is encrypted.
    pub tls_key_file_pass: Vec<u8>,
    /// `tls-client-cert-file`: the certificate that this server shows when it connects to others.
    pub tls_client_cert_file: FilePath,
    /// `tls-client-key-file`: the key of that certificate.
    pub tls_client_key_file: FilePath,
    /// `tls-client-key-file-pass`: the passphrase of that key.
    pub tls_client_key_file_pass: Vec<u8>,
    /// `tls-ca-cert-file`: a file of trusted certificates.
    pub tls_ca_cert_file: FilePath,
    /// `tls-ca-cert-dir`: a directory of trusted certificates.
    pub tls_ca_cert_dir: FilePath,
    /// `tls-auth-clients`: whether clients must show a certificate: `yes`, `no` or `optional`.
    pub tls_auth_clients: TlsAuthClients,
    /// `tls-replication`: whether the link to the primary speaks TLS.
    pub tls_replication: bool,
    /// `tls-cluster`: whether the cluster bus speaks TLS.
    pub tls_cluster: bool,
    /// `tls-protocols`: the protocol versions to offer, as in `TLSv1.2 TLSv1.3`.
    pub tls_protocols: Vec<u8>,
    /// `tls-ciphers`: the ciphers to offer up to TLS 1.2.
    pub tls_ciphers: Vec<u8>,
    /// `tls-ciphersuites`: the ciphers to offer in TLS 1.3, likewise.
    pub tls_ciphersuites: Vec<u8>,
    /// `tls-prefer-server-ciphers`: whether the server's order of ciphers counts rather than the
    /// client's.
    pub tls_prefer_server_ciphers: bool,
    /// `tls-session-caching`: whether clients may resume a session without a full handshake.
    pub tls_session_caching: bool,
    /// `tls-session-cache-size`: how many sessions are remembered; tickets, which are used, need no
    /// memory here.
    pub tls_session_cache_size: u32,
    /// `tls-session-cache-timeout`: seconds for which a session can be resumed.
    pub tls_session_cache_timeout_s: u32,
    /// `tls-handshake-timeout`: seconds that a whole handshake may take.
    pub tls_handshake_timeout_s: u32,
    /// `tls-max-handshakes`: how many handshakes may be under way; others wait.
    pub tls_max_handshakes: u32,
}

/// Two names of one value each: this project's, which only the start sets, and Redis's.
pub(in crate::config) const TWINS: [(&str, &str); 3] = [
    ("certificate-file", "tls-cert-file"),
    ("private-key-file", "tls-key-file"),
    ("dh-params-file", "tls-dh-params-file"),
];

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("enable-ssl", "no", yes_no_true_false(&field!(ssl.enable_ssl)))
        .alias("ssl-enabled")
        .immutable()
        .tls(),
    Parameter::new("certificate-file", "", path(&field!(ssl.cert_file))).immutable().tls(),
    Parameter::new("private-key-file", "", path(&field!(ssl.key_file))).immutable().tls(),
    Parameter::new("dh-params-file", "", path(&field!(ssl.dh_params_file))).immutable().tls(),
    Parameter::new("root-ca-certs-path", "", path(&field!(ssl.root_ca_certs_path)))
        .immutable()
        .tls(),
    Parameter::new(
        "ssl-performance-mode",
        "low-latency",
        choice(&field!(ssl.ssl_performance_mode)),
    )
    .tls()
    .change(Change::SslPerformance),
    Parameter::new("ssl-cipher-policy", "", text(&field!(ssl.ssl_cipher_policy)))
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-cert-file", "", path(&field!(ssl.cert_file)))
        .volatile()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-key-file", "", path(&field!(ssl.key_file)))
        .volatile()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-key-file-pass", "", text(&field!(ssl.tls_key_file_pass)))
        .sensitive()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-client-cert-file", "", path(&field!(ssl.tls_client_cert_file)))
        .volatile()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-client-key-file", "", path(&field!(ssl.tls_client_key_file)))
        .volatile()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-client-key-file-pass", "", text(&field!(ssl.tls_client_key_file_pass)))
        .sensitive()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-dh-params-file", "", path(&field!(ssl.dh_params_file)))
        .volatile()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-ca-cert-file", "", path(&field!(ssl.tls_ca_cert_file)))
        .volatile()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-ca-cert-dir", "", path(&field!(ssl.tls_ca_cert_dir)))
        .volatile()
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-auth-clients", "yes", choice(&field!(ssl.tls_auth_clients)))
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-replication", "no", yes_no(&field!(ssl.tls_replication)))
        .tls()
        .change(Change::Ssl),
    Parameter::new("tls-cluster", "no", yes_no(&field!(ssl.tls_cluster))).tls().change(Change::Ssl),
    Parameter::new("tls-protocols", "", text(&field!(ssl.tls_protocols))).tls().change(Change::Ssl),
    Parameter::new("tls-ciphers", "", text(&field!(ssl.tls_ciphers))).tls().change(Change::Ssl),
    Parameter::new("tls-ciphersuites", "", text(&field!(ssl.tls_ciphersuites)))
        .tls()
        .change(Change::Ssl),
    Parameter::new(
        "tls-prefer-server-ciphers",
        "no",
        yes_no(&field!(ssl.tls_prefer_server_ciphers)),
    )
    .tls()
    .change(Change::Ssl),
    Parameter::new("tls-session-caching", "yes", yes_no(&field!(ssl.tls_session_caching)))
        .tls()
        .change(Change::Ssl),
    Parameter::new(
        "tls-session-cache-size",
        "20480",
        integer(0, INT_MAX, &field!(ssl.tls_session_cache_size)),
    )
    .tls()
    .change(Change::Ssl),
    Parameter::new(
        "tls-session-cache-timeout",
        "300",
        integer(0, INT_MAX, &field!(ssl.tls_session_cache_timeout_s)),
    )
    .tls()
    .change(Change::Ssl),
    Parameter::new(
        "tls-handshake-timeout",
        "10",
        integer(0, INT_MAX, &field!(ssl.tls_handshake_timeout_s)),
    )
    .tls()
    .change(Change::Ssl),
    Parameter::new(
        "tls-max-handshakes",
        "1024",
        integer(1, INT_MAX, &field!(ssl.tls_max_handshakes)),
    )
    .tls()
    .change(Change::Ssl),
];
