//! Pure: the closed sets of words that some parameters choose from.

use super::{
    Config,
    field::{Field, Reason},
};

/// A closed set of words.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every word with its meaning, in the order of error messages. Of two words for one meaning
    /// the first is shown.
    const NAMES: &'static [(&'static str, Self)];

    /// The word for this value.
    fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(_, value)| *value == self);
        named.expect("every value has a word").0
    }
}

/// A field that holds a choice of any type.
pub(super) trait ChoiceField: Sync {
    /// The word of the value.
    fn name(&self, config: &Config) -> &'static str;
    /// Stores what a word means.
    fn choose(&self, config: &mut Config, word: &[u8]) -> Result<(), Reason>;
}

impl<T: Choice> ChoiceField for Field<T> {
    fn name(&self, config: &Config) -> &'static str {
        (self.read)(config).name()
    }

    fn choose(&self, config: &mut Config, word: &[u8]) -> Result<(), Reason> {
        // A later word of the same spelling cannot exist, so the first match is the match.
        let found = T::NAMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        let Some((_, value)) = found else {
            return Err(not_one_of(T::NAMES.iter().map(|(name, _)| *name)));
        };
        *(self.write)(config) = *value;
        Ok(())
    }
}

/// The error that lists the words one may choose from.
pub(super) fn not_one_of(names: impl Iterator<Item = &'static str>) -> Reason {
    let names = names.collect::<Vec<_>>().join(", ");
    format!("argument(s) must be one of the following: {names}").into()
}

/// Which keys may go when `maxmemory` is reached, and in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxmemoryPolicy {
    /// Keys with a time to live, least recently used first.
    VolatileLru,
    /// Keys with a time to live, least frequently used first.
    VolatileLfu,
    /// Keys with a time to live, at random.
    VolatileRandom,
    /// Keys with a time to live, shortest first.
    VolatileTtl,
    /// Any key, least recently used first.
    AllKeysLru,
    /// Any key, least frequently used first.
    AllKeysLfu,
    /// Any key, at random.
    AllKeysRandom,
    /// None: writes are refused.
    #[default]
    NoEviction,
}

impl Choice for MaxmemoryPolicy {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("volatile-lru", Self::VolatileLru),
        ("volatile-lfu", Self::VolatileLfu),
        ("volatile-random", Self::VolatileRandom),
        ("volatile-ttl", Self::VolatileTtl),
        ("allkeys-lru", Self::AllKeysLru),
        ("allkeys-lfu", Self::AllKeysLfu),
        ("allkeys-random", Self::AllKeysRandom),
        ("noeviction", Self::NoEviction),
    ];
}

/// The facility that lines sent to syslog carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyslogFacility {
    /// `LOG_USER`.
    User,
    /// `LOG_LOCAL0`.
    #[default]
    Local0,
    /// `LOG_LOCAL1`.
    Local1,
    /// `LOG_LOCAL2`.
    Local2,
    /// `LOG_LOCAL3`.
    Local3,
    /// `LOG_LOCAL4`.
    Local4,
    /// `LOG_LOCAL5`.
    Local5,
    /// `LOG_LOCAL6`.
    Local6,
    /// `LOG_LOCAL7`.
    Local7,
}

impl Choice for SyslogFacility {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("user", Self::User),
        ("local0", Self::Local0),
        ("local1", Self::Local1),
        ("local2", Self::Local2),
        ("local3", Self::Local3),
        ("local4", Self::Local4),
        ("local5", Self::Local5),
        ("local6", Self::Local6),
        ("local7", Self::Local7),
    ];
}

/// The least level of a line that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// Much that is rarely useful.
    Verbose,
    /// What production wants to know.
    #[default]
    Notice,
    /// Only what needs care.
    Warning,
    /// No line at all.
    Nothing,
}

impl Choice for LogLevel {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("debug", Self::Debug),
        ("verbose", Self::Verbose),
        ("notice", Self::Notice),
        ("warning", Self::Warning),
        ("nothing", Self::Nothing),
    ];
}

/// Who supervises the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supervised {
    /// upstart: told by stopping ourselves.
    Upstart,
    /// systemd: told over `$NOTIFY_SOCKET`.
    Systemd,
    /// Found out from the environment.
    Auto,
    /// Nobody.
    #[default]
    No,
}

impl Choice for Supervised {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("upstart", Self::Upstart),
        ("systemd", Self::Systemd),
        ("auto", Self::Auto),
        ("no", Self::No),
    ];
}

/// When the append-only file is flushed to disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppendFsync {
    /// Once a second.
    #[default]
    EverySec,
    /// After every batch of writes.
    Always,
    /// When the kernel likes.
    No,
}

impl Choice for AppendFsync {
    const NAMES: &'static [(&'static str, Self)] =
        &[("everysec", Self::EverySec), ("always", Self::Always), ("no", Self::No)];
}

/// Whether a replica loads straight from the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplDisklessLoad {
    /// No: the file is received first.
    #[default]
    Disabled,
    /// Only if it holds no keys.
    OnEmptyDb,
    /// Yes, and the old dataset is kept until it is done.
    SwapDb,
}

impl Choice for ReplDisklessLoad {
    const NAMES: &'static [(&'static str, Self)] =
        &[("disabled", Self::Disabled), ("on-empty-db", Self::OnEmptyDb), ("swapdb", Self::SwapDb)];
}

/// Whether TLS clients must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsAuthClients {
    /// None is asked for.
    No,
    /// A valid one is required.
    #[default]
    Yes,
    /// One is asked for, and must be valid if shown.
    Optional,
}

impl Choice for TlsAuthClients {
    const NAMES: &'static [(&'static str, Self)] =
        &[("no", Self::No), ("yes", Self::Yes), ("optional", Self::Optional)];
}

/// How `oom-score-adj-values` are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OomScoreAdj {
    /// Not at all.
    #[default]
    No,
    /// Relative to the value at start.
    Relative,
    /// As they are.
    Absolute,
}

impl Choice for OomScoreAdj {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("no", Self::No),
        ("yes", Self::Relative),
        ("relative", Self::Relative),
        ("absolute", Self::Absolute),
    ];
}

/// The channels that a fresh user may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AclPubsubDefault {
    /// All.
    AllChannels,
    /// None.
    #[default]
    ResetChannels,
}

impl Choice for AclPubsubDefault {
    const NAMES: &'static [(&'static str, Self)] =
        &[("allchannels", Self::AllChannels), ("resetchannels", Self::ResetChannels)];
}

/// Which foreign payloads are examined in depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SanitizeDumpPayload {
    /// None.
    #[default]
    No,
    /// All, files and replication too.
    Yes,
    /// What clients RESTORE.
    Clients,
}

impl Choice for SanitizeDumpPayload {
    const NAMES: &'static [(&'static str, Self)] =
        &[("no", Self::No), ("yes", Self::Yes), ("clients", Self::Clients)];
}

/// Who may do what is dangerous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProtectedAction {
    /// Nobody.
    #[default]
    No,
    /// Everybody.
    Yes,
    /// Connections from this machine.
    Local,
}

impl Choice for ProtectedAction {
    const NAMES: &'static [(&'static str, Self)] =
        &[("no", Self::No), ("yes", Self::Yes), ("local", Self::Local)];
}

/// How cluster nodes are named to clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointType {
    /// By address.
    #[default]
    Ip,
    /// By host name.
    Hostname,
    /// Not at all: clients reuse the address they know.
    Unknown,
}

impl Choice for EndpointType {
    const NAMES: &'static [(&'static str, Self)] =
        &[("ip", Self::Ip), ("hostname", Self::Hostname), ("unknown-endpoint", Self::Unknown)];
}

/// What an error in a propagated command does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PropagationErrorBehavior {
    /// It is counted.
    #[default]
    Ignore,
    /// It ends the process.
    Panic,
    /// It ends a replica's process.
    PanicOnReplicas,
}

impl Choice for PropagationErrorBehavior {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("ignore", Self::Ignore),
        ("panic", Self::Panic),
        ("panic-on-replicas", Self::PanicOnReplicas),
    ];
}

/// What the sizes of TLS records are chosen for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SslPerformanceMode {
    /// Small records, readable early.
    #[default]
    LowLatency,
    /// Full records, cheap in bulk.
    HighThroughput,
}

impl Choice for SslPerformanceMode {
    const NAMES: &'static [(&'static str, Self)] =
        &[("low-latency", Self::LowLatency), ("high-throughput", Self::HighThroughput)];
}
