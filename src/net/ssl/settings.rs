//! Pure: what the directives say about SSL, as plain data.

use std::path::PathBuf;

/// Whether clients must show a certificate (`tls-auth-clients`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AuthClients {
    /// They are not asked.
    #[default]
    No,
    /// They are asked; what they show must be good.
    Optional,
    /// None is let in without.
    Yes,
}

/// How data is cut into records (`ssl-performance-mode`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PerformanceMode {
    /// Small records first, which a peer can decrypt as each packet arrives.
    #[default]
    LowLatency,
    /// Records as large as TLS allows.
    HighThroughput,
}

impl PerformanceMode {
    /// Returns the directive's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::LowLatency => "low-latency",
            Self::HighThroughput => "high-throughput",
        }
    }
}

/// Everything that decides how a server speaks TLS. Paths are as the user wrote them, so
/// errors and `INFO` show them so; an empty text is a directive that was not given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Every socket speaks TLS (`enable-ssl`).
    pub enable_ssl: bool,
    /// Some port or link speaks TLS though `enable_ssl` is off (`tls-port`,
    /// `tls-replication`, `tls-cluster`). Without either nothing is loaded.
    pub is_used: bool,
    /// PEM: our certificate, and those that lead from it to the root.
    pub certificate_file: String,
    /// PEM: the key of that certificate.
    pub private_key_file: String,
    /// What the key is encrypted with.
    pub key_password: String,
    /// PEM: shown where we connect; ours as a server where empty.
    pub client_certificate_file: String,
    /// PEM: its key.
    pub client_key_file: String,
    /// What that key is encrypted with.
    pub client_key_password: String,
    /// PEM: parameters of DHE.
    pub dh_params_file: String,
    /// PEM: whom to trust (`tls-ca-cert-file`).
    pub ca_file: String,
    /// A directory of such files (`tls-ca-cert-dir`).
    pub ca_dir: String,
    /// A file or a directory (`root-ca-certs-path`).
    pub root_ca_certs_path: String,
    /// Who must show a certificate.
    pub auth_clients: AuthClients,
    /// As in `tls-protocols`: `TLSv1.2 TLSv1.3`.
    pub protocols: String,
    /// As in `tls-ciphers`: OpenSSL's names, for TLS 1.2 and older.
    pub ciphers: String,
    /// As in `tls-ciphersuites`: for TLS 1.3.
    pub ciphersuites: String,
    /// Choose by our order, not the client's. s2n always does.
    pub prefer_server_ciphers: bool,
    /// The name of an s2n policy; excludes `protocols`, `ciphers`, `ciphersuites`.
    pub cipher_policy: String,
    /// Tickets are given out, so that clients can resume.
    pub session_caching: bool,
    /// Kept for `CONFIG GET`: tickets lie with the clients, so there is nothing to limit.
    pub session_cache_size: u64,
    /// Seconds for which a session can be resumed.
    pub session_cache_timeout_s: u64,
    /// How data is cut into records.
    pub performance_mode: PerformanceMode,
    /// Seconds for a whole handshake; 0 means no end.
    pub handshake_timeout_s: u64,
    /// Handshakes under way at once; others wait.
    pub max_handshakes: usize,
    /// What a peer's certificate must be issued to (`tls-expected-peer-name`).
    pub expected_peer_name: String,
}

impl Default for Settings {
    fn default() -> Self {
        let none = String::new;
        Self {
            enable_ssl: false,
            is_used: false,
            certificate_file: none(),
            private_key_file: none(),
            key_password: none(),
            client_certificate_file: none(),
            client_key_file: none(),
            client_key_password: none(),
            dh_params_file: none(),
            ca_file: none(),
            ca_dir: none(),
            root_ca_certs_path: none(),
            auth_clients: AuthClients::No,
            protocols: none(),
            ciphers: none(),
            ciphersuites: none(),
            prefer_server_ciphers: false,
            cipher_policy: none(),
            session_caching: true,
            session_cache_size: 20 * 1024,
            session_cache_timeout_s: 300,
            performance_mode: PerformanceMode::LowLatency,
            handshake_timeout_s: 10,
            max_handshakes: 1024,
            expected_peer_name: none(),
        }
    }
}

impl Settings {
    /// Whether anything must be loaded.
    pub fn is_wanted(&self) -> bool {
        self.enable_ssl || self.is_used
    }

    /// Whether a change from `self` to `other` needs certificates to be read again.
    pub(super) fn differs_in_substance(&self, other: &Self) -> bool {
        let blank = |settings: &Self| Self {
            performance_mode: PerformanceMode::LowLatency,
            handshake_timeout_s: 0,
            max_handshakes: 0,
            session_cache_size: 0,
            prefer_server_ciphers: false,
            ..settings.clone()
        };
        blank(self) != blank(other)
    }
}

/// Whom a tool trusts, and who it says it is. Plain data: every build has it.
#[derive(Clone, Debug, Default)]
pub struct ClientTls {
    /// PEM: whom to trust; with `ca_dir` empty too, the system's bundle.
    pub ca_file: Option<PathBuf>,
    /// A directory of such files.
    pub ca_dir: Option<PathBuf>,
    /// PEM: our certificate.
    pub certificate: Option<PathBuf>,
    /// PEM: its key.
    pub private_key: Option<PathBuf>,
    /// The name sent, and expected; the host that was connected to where it is not given.
    pub server_name: Option<String>,
    /// Trust anybody.
    pub is_insecure: bool,
    /// As in `tls-ciphers`.
    pub ciphers: Option<String>,
    /// As in `tls-ciphersuites`.
    pub ciphersuites: Option<String>,
}
