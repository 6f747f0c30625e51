//! Room: what the operator has chosen.
//!
//! `Config` holds plain fields in groups by concern, so that others read
//! `config.network.timeout_s`. A field is called as its directive, with the unit behind. The table
//! of each group (`table/`) has one line for each parameter: name, default, kind, what is special
//! about it. Everything else goes by the tables: defaults, CONFIG GET and SET (`set`), files and
//! the command line (`file`, `command_line`), CONFIG REWRITE (`rewrite`).
//!
//! A value that changes while the server runs may need work elsewhere: its line names a `Change`,
//! and the flow above carries it out or hands the former values back to `Config::restore`.
//! What the server cannot do yet stands in `pending`.

mod check;
mod choice;
mod command_line;
mod entry;
mod field;
mod file;
mod number;
mod path;
mod pending;
mod rewrite;
mod set;
mod special;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

pub use choice::{
    AclPubsubDefault, AppendFsync, Choice, EndpointType, LogLevel, MaxmemoryPolicy, OomScoreAdj,
    PropagationErrorBehavior, ProtectedAction, ReplDisklessLoad, SanitizeDumpPayload,
    SslPerformanceMode, Supervised, SyslogFacility, TlsAuthClients,
};
pub use command_line::CommandLine;
pub use entry::{Flags, Parameter};
pub use field::Reason;
pub use file::{Line, LoadError, Rename, UserLine};
pub use number::MemoryLimit;
pub use path::FilePath;
pub use pending::{later, unsupported};
pub use rewrite::RewriteError;
pub use set::{Gate, SetError, Undo};
pub use special::{
    NotifyClasses, OutputLimit, OutputLimits, ReplicaOf, SavePoint, ShutdownOptions,
};
pub use table::{
    all, cluster::Cluster, encoding::Encoding, find, general::General, limits::Limits,
    logging::Logging, memory::Memory, network::Network, persistence::Persistence,
    replication::Replication, security::Security, ssl::Ssl,
};

/// The action of CONFIG SET that renews certificates. It is no parameter: the flow above
/// recognises it before it counts arguments.
pub const RENEW_CERTIFICATE: &str = "ssl-renew-certificate";

const HZ_MIN: u32 = 1;
const HZ_MAX: u32 = 500;
const BACKLOG_BYTES_MIN: u64 = 16 << 10;

/// What the operator has chosen.
#[derive(Clone)]
pub struct Config {
    /// Where the server listens and how connections are kept.
    pub network: Network,
    /// The process as a whole.
    pub general: General,
    /// The log, and what is measured for it.
    pub logging: Logging,
    /// Who may come in.
    pub security: Security,
    /// What clients may ask for.
    pub limits: Limits,
    /// How much memory the dataset may take.
    pub memory: Memory,
    /// Up to which size values are compact.
    pub encoding: Encoding,
    /// Snapshots and the append-only file.
    pub persistence: Persistence,
    /// Replicas and their primary.
    pub replication: Replication,
    /// The cluster and its bus.
    pub cluster: Cluster,
    /// TLS.
    pub ssl: Ssl,
    /// What only a file or the command line can say.
    pub start: Start,
}

/// What only a file or the command line can say.
#[derive(Clone, Default)]
pub struct Start {
    /// Whether this build can do TLS; without it, TLS directives take their defaults only.
    pub is_ssl_compiled: bool,
    /// The configuration file, absolute; CONFIG REWRITE needs one.
    pub file: Option<FilePath>,
    /// `rename-command` lines in order.
    pub rename_commands: Vec<Rename>,
    /// `user` lines in order.
    pub users: Vec<UserLine>,
    /// The parameters that lines have set.
    given: Vec<&'static str>,
}

/// What must be done elsewhere when a value has changed. In brackets: the error when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the value is read where it is used.
    Nothing,
    /// Listen on `network.port` instead.
    Port,
    /// Listen on `network.tls_port` instead, after setting TLS up.
    TlsPort,
    /// Listen on other addresses, on both ports.
    Bind,
    /// Build the TLS contexts anew; on failure the former ones stay.
    Ssl,
    /// Set the performance mode of live connections.
    SslPerformance,
    /// Tell the logger its level.
    LogLevel,
    /// Take the timers' new pace.
    Hz,
    /// Raise the limit of open files and let the event loop grow.
    MaxClients,
    /// Look at the memory in use, warn if it is more, begin to evict.
    Maxmemory,
    /// Remember accesses to keys as the policy needs it.
    AccessPolicy,
    /// Tell the keyspace what it may free in the background.
    LazyFree,
    /// Begin or end to count the memory of each client.
    ClientsMemory,
    /// Tell clients how much may wait for them.
    OutputLimits,
    /// Tell the keyspace which events are wanted.
    Notify,
    /// Forget entries that are too many for the slow log.
    SlowLog,
    /// Give the default user its password.
    Password,
    /// Name the process anew.
    ProcTitle,
    /// Take the locale for comparisons.
    Locale,
    /// Tell the kernel the scores.
    OomScore,
    /// Install or remove the handlers of fatal signals.
    CrashLog,
    /// Start or stop the watchdog's timer.
    Watchdog,
    /// Tell the allocator about its thread.
    JemallocThread,
    /// Start or stop the append-only file.
    Appendonly,
    /// Wait for pending flushes before flushing on every write.
    AppendFsync,
    /// Delete superseded append-only files.
    AofHistory,
    /// Resize the replication backlog.
    BacklogSize,
    /// Count the good replicas anew.
    GoodReplicas,
    /// Show the node's flags to others.
    ClusterFlags,
    /// Show the node's addresses and names to others.
    ClusterAnnounce,
}

impl Change {
    /// The reason that Redis gives when this fails and there is no better one.
    pub fn failure(self) -> &'static str {
        match self {
            Self::Port => "Unable to listen on this port. Check server logs.",
            Self::Bind => "Failed to bind to specified addresses.",
            Self::TlsPort | Self::Ssl | Self::SslPerformance => {
                "Unable to update TLS configuration. Check server logs."
            }
            Self::MaxClients => {
                "The event loop API used by Redis is not able to handle the specified number of \
                 clients"
            }
            Self::ProcTitle => "failed to set process title",
            Self::Locale => "Invalid locale name",
            Self::OomScore => "Failed to set current oom_score_adj. Check server logs.",
            Self::Appendonly => "Unable to turn on AOF. Check server logs.",
            _ => "unknown error",
        }
    }
}

impl Config {
    /// Takes every default. `is_ssl_compiled` says whether this build can do TLS.
    pub fn new(is_ssl_compiled: bool) -> Self {
        let mut config = Self {
            network: Network::default(),
            general: General::default(),
            logging: Logging::default(),
            security: Security::default(),
            limits: Limits::default(),
            memory: Memory::default(),
            encoding: Encoding::default(),
            persistence: Persistence { dir: special::working_directory(), ..Default::default() },
            replication: Replication::default(),
            cluster: Cluster::default(),
            ssl: Ssl::default(),
            start: Start { is_ssl_compiled, ..Start::default() },
        };
        for parameter in all().filter(|parameter| parameter.name != "dir") {
            let words: Vec<&[u8]> = if parameter.flags.words {
                parameter.default.split_ascii_whitespace().map(str::as_bytes).collect()
            } else {
                vec![parameter.default.as_bytes()]
            };
            // A list without a default stays as empty as it is.
            if parameter.flags.words && words.is_empty() {
                continue;
            }
            let stored = parameter.store(&mut config, &words, entry::Manner::Replace);
            stored.expect("every default is a value");
        }
        config
    }

    /// Whether a line of a file or of the command line has set this parameter.
    pub fn is_given(&self, name: &str) -> bool {
        self.start.given.contains(&name)
    }

    /// Brings within bounds what is taken beyond them.
    fn settle(&mut self) {
        self.general.hz = self.general.hz.clamp(HZ_MIN, HZ_MAX);
        let backlog_size = &mut self.replication.repl_backlog_size;
        *backlog_size = (*backlog_size).max(BACKLOG_BYTES_MIN);
    }
}

/// Secrets are in here: it says no more than what it is.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}
