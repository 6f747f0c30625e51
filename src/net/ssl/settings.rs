//! Pure: what the directives say about SSL, as plain data.

use std::path::{Path, PathBuf};

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

/// A file or directory that a directive names; empty where none was given.
///
/// Errors and `INFO` show it as the user wrote it. A relative one is the file that it was
/// when it was written, wherever the server works by now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    shown: String,
    at: PathBuf,
}

impl Named {
    /// Names a file by how it is shown and where it is.
    pub fn new(shown: impl Into<String>, at: impl Into<PathBuf>) -> Self {
        Self { shown: shown.into(), at: at.into() }
    }

    /// Whether the directive was not given.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Returns it as it was written.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns where it is.
    pub fn at(&self) -> &Path {
        &self.at
    }
}

impl<T: Into<String>> From<T> for Named {
    fn from(path: T) -> Self {
        let shown = path.into();
        Self { at: PathBuf::from(&shown), shown }
    }
}

/// Everything that decides how a server speaks TLS. An empty text is a directive that was
/// not given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Every socket speaks TLS (`enable-ssl`).
    pub enable_ssl: bool,
    /// Some port or link speaks TLS though `enable_ssl` is off (`tls-port`,
    /// `tls-replication`, `tls-cluster`). Without either nothing is loaded.
    pub is_used: bool,
    /// PEM: our certificate, and those that lead from it to the root.
    pub certificate_file: Named,
    /// PEM: the key of that certificate.
    pub private_key_file: Named,
    /// What the key is encrypted with.
    pub key_password: String,
    /// PEM: shown where we connect; ours as a server where empty.
    pub client_certificate_file: Named,
    /// PEM: its key.
    pub client_key_file: Named,
    /// What that key is encrypted with.
    pub client_key_password: String,
    /// PEM: parameters of DHE.
    pub dh_params_file: Named,
    /// PEM: whom to trust (`tls-ca-cert-file`).
    pub ca_file: Named,
    /// A directory of such files (`tls-ca-cert-dir`).
    pub ca_dir: Named,
    /// A file or a directory (`root-ca-certs-path`).
    pub root_ca_certs_path: Named,
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
            certificate_file: Named::default(),
            private_key_file: Named::default(),
            key_password: none(),
            client_certificate_file: Named::default(),
            client_key_file: Named::default(),
            client_key_password: none(),
            dh_params_file: Named::default(),
            ca_file: Named::default(),
            ca_dir: Named::default(),
            root_ca_certs_path: Named::default(),
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
