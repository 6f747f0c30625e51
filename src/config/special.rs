//! Room: the parameters that are lists, sets or tables of their own.
//!
//! Each takes its words all or nothing: what is wrong is found before anything is stored.

use std::{borrow::Cow, ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use base::{
    number::parse_memory,
    split::{needs_quotes, repr},
};

use sys::process::describe;

use super::{
    Config,
    choice::not_one_of,
    entry::{Line, Lines, Manner, Special, no_nul},
    field::Reason,
    number,
};

const BIND_MAX: usize = 16;
/// The classes of clients, with the name that CONFIG GET shows and the one files use.
const CLASSES: [(&str, &str); 3] =
    [("normal", "normal"), ("slave", "replica"), ("pubsub", "pubsub")];
const SHUTDOWN_WORDS: [&str; 5] = ["default", "save", "nosave", "now", "force"];

/// A snapshot is made after so many seconds, if there were so many changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// The seconds since the last snapshot, at least 1.
    pub seconds: u64,
    /// The changes since then.
    pub changes: u64,
}

/// The primary to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaOf {
    /// Its address or host name.
    pub host: Vec<u8>,
    /// Its port.
    pub port: u16,
}

/// What may wait for one client to read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// More than this closes the client at once; 0 means no limit.
    pub hard_bytes: u64,
    /// More than this closes it after `soft_s`; 0 means no limit.
    pub soft_bytes: u64,
    /// For how long the soft limit may be passed.
    pub soft_s: u64,
}

/// The limits of each class of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimits {
    /// Clients that are nothing special, MONITOR's among them.
    pub normal: OutputLimit,
    /// Replicas.
    pub replica: OutputLimit,
    /// Clients subscribed to at least one channel or pattern.
    pub pubsub: OutputLimit,
}

/// What a signal to end adds to a plain SHUTDOWN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownOptions {
    /// A snapshot is made even without save points.
    pub save: bool,
    /// None is made.
    pub nosave: bool,
    /// Lagging replicas are not waited for.
    pub now: bool,
    /// Errors do not stop it.
    pub force: bool,
}

/// A set of classes of keyspace events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifyClasses(u16);

impl NotifyClasses {
    /// `K`: published as `__keyspace@<db>__:<key>`.
    pub const KEYSPACE: Self = Self(1);
    /// `E`: published as `__keyevent@<db>__:<event>`.
    pub const KEYEVENT: Self = Self(1 << 1);
    /// `g`: commands of any type, as DEL and EXPIRE.
    pub const GENERIC: Self = Self(1 << 2);
    /// `$`: strings.
    pub const STRING: Self = Self(1 << 3);
    /// `l`: lists.
    pub const LIST: Self = Self(1 << 4);
    /// `s`: sets.
    pub const SET: Self = Self(1 << 5);
    /// `h`: hashes.
    pub const HASH: Self = Self(1 << 6);
    /// `z`: sorted sets.
    pub const ZSET: Self = Self(1 << 7);
    /// `x`: a key's time to live has run out.
    pub const EXPIRED: Self = Self(1 << 8);
    /// `e`: a key went for want of memory.
    pub const EVICTED: Self = Self(1 << 9);
    /// `t`: streams.
    pub const STREAM: Self = Self(1 << 10);
    /// `m`: a key was looked for and not there. Not part of `A`.
    pub const KEY_MISS: Self = Self(1 << 11);
    /// `d`: types of modules.
    pub const MODULE: Self = Self(1 << 13);
    /// `n`: a key came into being. Not part of `A`.
    pub const NEW: Self = Self(1 << 14);
    /// `A`: every class but `m` and `n`.
    pub const ALL: Self = Self(0b10_0111_1111_1100);

    /// The letters, in the order in which they are shown.
    const LETTERS: [(u8, Self); 14] = [
        (b'g', Self::GENERIC),
        (b'$', Self::STRING),
        (b'l', Self::LIST),
        (b's', Self::SET),
        (b'h', Self::HASH),
        (b'z', Self::ZSET),
        (b'x', Self::EXPIRED),
        (b'e', Self::EVICTED),
        (b't', Self::STREAM),
        (b'd', Self::MODULE),
        (b'n', Self::NEW),
        (b'K', Self::KEYSPACE),
        (b'E', Self::KEYEVENT),
        (b'm', Self::KEY_MISS),
    ];

    /// Whether it holds every class of `other`.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it holds no class at all.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it holds any class of `other`.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Joins two sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn parse(letters: &[u8]) -> Option<Self> {
        let mut classes = Self::default();
        for letter in letters {
            let class = match letter {
                b'A' => Self::ALL,
                _ => Self::LETTERS.iter().find(|(known, _)| known == letter)?.1,
            };
            classes.0 |= class.0;
        }
        Some(classes)
    }

    fn letters(self) -> Vec<u8> {
        let mut letters = Vec::new();
        let has_all = self.contains(Self::ALL);
        if has_all {
            letters.push(b'A');
        }
        for (letter, class) in Self::LETTERS {
            // Redis shows `n` as one of those that `A` stands for, which it is not.
            let is_hidden = has_all && (Self::ALL.contains(class) || class == Self::NEW);
            if self.contains(class) && !is_hidden {
                letters.push(letter);
            }
        }
        letters
    }
}

pub(super) const NOTIFY: Special = Special {
    set: |config, words, _| {
        let [letters] = words else { return Err("wrong number of arguments".into()) };
        let classes = NotifyClasses::parse(letters)
            .ok_or("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")?;
        config.logging.notify_keyspace_events = classes;
        Ok(())
    },
    text: |config| config.logging.notify_keyspace_events.letters(),
    lines: |config| {
        let classes = config.logging.notify_keyspace_events;
        one_line(repr(&classes.letters()), !classes.is_empty())
    },
};

pub(super) const SAVE: Special = Special {
    set: set_save,
    text: |config| join(config.persistence.save.iter().map(save_point)),
    // Without a line the default would come back, so there is always one.
    lines: |config| match config.persistence.save.as_slice() {
        [] => one_line(b"\"\"".to_vec(), true),
        points => Lines::Some(
            points.iter().map(|p| Line { value: save_point(p).into(), must: true }).collect(),
        ),
    },
};

fn set_save(config: &mut Config, words: &[&[u8]], manner: Manner) -> Result<(), Reason> {
    let words = if words == [b""] { &[] } else { words };
    let (pairs, rest) = words.as_chunks::<2>();
    let mut points = Vec::with_capacity(pairs.len());
    for [seconds, changes] in pairs {
        let seconds = number::lenient(seconds).and_then(|n| u64::try_from(n).ok());
        // The reference keeps changes in a C int.
        let changes = number::lenient(changes).and_then(|n| u64::try_from(n).ok());
        match (seconds, changes) {
            (Some(seconds @ 1..), Some(changes)) => points.push(SavePoint { seconds, changes }),
            _ => return Err("Invalid save parameters".into()),
        }
    }
    if !rest.is_empty() {
        return Err("Invalid save parameters".into());
    }
    let save = &mut config.persistence.save;
    // An empty line takes back what stands above it.
    if manner == Manner::Replace || words.is_empty() {
        save.clear();
    }
    save.append(&mut points);
    Ok(())
}

fn save_point(point: &SavePoint) -> String {
    format!("{} {}", point.seconds, point.changes)
}

pub(super) const OUTPUT_LIMITS: Special = Special {
    set: set_output_limits,
    text: |config| {
        let limits = limits_by_class(&config.limits.client_output_buffer_limit);
        join(limits.iter().zip(CLASSES).map(|(limit, (shown, _))| {
            format!("{shown} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_s)
        }))
    },
    lines: |config| {
        let limits = limits_by_class(&config.limits.client_output_buffer_limit);
        let lines = limits.iter().zip(DEFAULT_LIMITS).zip(CLASSES).map(
            |((limit, default), (_, written))| {
                let hard = number::size(limit.hard_bytes.into());
                let soft = number::size(limit.soft_bytes.into());
                let value = format!("{written} {hard} {soft} {}", limit.soft_s).into_bytes();
                Line { value, must: *limit != default }
            },
        );
        Lines::Some(lines.collect())
    },
};

const DEFAULT_LIMITS: [OutputLimit; 3] = [
    OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_s: 0 },
    OutputLimit { hard_bytes: 256 << 20, soft_bytes: 64 << 20, soft_s: 60 },
    OutputLimit { hard_bytes: 32 << 20, soft_bytes: 8 << 20, soft_s: 60 },
];

fn limits_by_class(limits: &OutputLimits) -> [OutputLimit; 3] {
    [limits.normal, limits.replica, limits.pubsub]
}

fn set_output_limits(config: &mut Config, words: &[&[u8]], _: Manner) -> Result<(), Reason> {
    let (groups, rest) = words.as_chunks::<4>();
    if !rest.is_empty() {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut limits = config.limits.client_output_buffer_limit;
    for [class, hard, soft, seconds] in groups {
        let is = |name: &str| class.eq_ignore_ascii_case(name.as_bytes());
        let limit = match class {
            _ if is("normal") => &mut limits.normal,
            _ if is("slave") || is("replica") => &mut limits.replica,
            _ if is("pubsub") => &mut limits.pubsub,
            _ => return Err("Invalid client class specified in buffer limit configuration.".into()),
        };
        let bytes = |text: &[u8]| parse_memory(text);
        let seconds = number::lenient(seconds).and_then(|n| u64::try_from(n).ok());
        let (Some(hard_bytes), Some(soft_bytes), Some(soft_s)) =
            (bytes(hard), bytes(soft), seconds)
        else {
            let reason =
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
            return Err(reason.into());
        };
        *limit = OutputLimit { hard_bytes, soft_bytes, soft_s };
    }
    config.limits.client_output_buffer_limit = limits;
    Ok(())
}

pub(super) const OOM_VALUES: Special = Special {
    set: |config, words, _| {
        let Ok(words) = <[&[u8]; 3]>::try_from(words) else {
            return Err("wrong number of arguments".into());
        };
        let mut values = [0; 3];
        for (value, word) in values.iter_mut().zip(words) {
            let number = number::lenient(word).filter(|n| (-2000..=2000).contains(n));
            *value = number
                .and_then(|n| i32::try_from(n).ok())
                .ok_or("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")?;
        }
        config.general.oom_score_adj_values = values;
        Ok(())
    },
    text: |config| join(config.general.oom_score_adj_values.iter().map(i32::to_string)),
    lines: |config| {
        let values = config.general.oom_score_adj_values;
        one_line(join(values.iter().map(i32::to_string)), values != [0, 200, 800])
    },
};

pub(super) const PERCENTILES: Special = Special {
    set: |config, words, _| {
        let words = if words == [b""] { &[] } else { words };
        let mut percentiles = Vec::with_capacity(words.len());
        for word in words {
            let number: Option<f64> = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
            let number = number.filter(|n| !n.is_nan());
            let number = number.ok_or("Invalid latency-tracking-info-percentiles parameters")?;
            if !(0.0..=100.0).contains(&number) {
                return Err("latency-tracking-info-percentiles parameters should sit between \
                            [0.0,100.0]"
                    .into());
            }
            percentiles.push(number);
        }
        config.logging.latency_tracking_info_percentiles = percentiles;
        Ok(())
    },
    text: percentiles,
    // Redis always writes them.
    lines: |config| match percentiles(config) {
        text if text.is_empty() => one_line(b"\"\"".to_vec(), true),
        text => one_line(text, true),
    },
};

fn percentiles(config: &Config) -> Vec<u8> {
    let percentiles = &config.logging.latency_tracking_info_percentiles;
    join(percentiles.iter().map(|percentile| {
        format!("{percentile:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
    }))
}

pub(super) const BIND: Special = Special {
    set: |config, words, _| {
        let words = if words == [b""] { &[] } else { words };
        if BIND_MAX < words.len() {
            return Err("Too many bind addresses specified.".into());
        }
        words.iter().try_for_each(|word| no_nul(word))?;
        config.network.bind = words.iter().map(|word| word.to_vec()).collect();
        Ok(())
    },
    text: |config| config.network.bind.join(&b' '),
    lines: |config| match config.network.bind.as_slice() {
        [] => one_line(b"\"\"".to_vec(), true),
        [any, any6] if any == b"*" && any6 == b"-::*" => Lines::None,
        addresses => {
            let addresses: Vec<_> = addresses.iter().map(|a| quote_if_needed(a)).collect();
            one_line(addresses.join(&b' '), true)
        }
    },
};

pub(super) const REPLICA_OF: Special = Special {
    set: |config, words, _| {
        let [host, port] = words else { return Err("wrong number of arguments".into()) };
        let is_none = host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one");
        if is_none {
            config.replication.replicaof = None;
            return Ok(());
        }
        no_nul(host)?;
        let port = number::lenient(port).and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or("Invalid master port")?;
        config.replication.replicaof = Some(ReplicaOf { host: host.to_vec(), port });
        Ok(())
    },
    text: |config| match &config.replication.replicaof {
        Some(primary) => [&primary.host, format!(" {}", primary.port).as_bytes()].concat(),
        None => Vec::new(),
    },
    lines: |config| match &config.replication.replicaof {
        // A node of a cluster learns its primary from the cluster.
        Some(primary) if !config.cluster.cluster_enabled => {
            let mut value = quote_if_needed(&primary.host);
            value.extend_from_slice(format!(" {}", primary.port).as_bytes());
            one_line(value, true)
        }
        _ => Lines::None,
    },
};

pub(super) const ON_SIGINT: Special = Special {
    set: |config, words, _| {
        config.general.shutdown_on_sigint = ShutdownOptions::parse(words)?;
        Ok(())
    },
    text: |config| config.general.shutdown_on_sigint.words(),
    lines: |config| config.general.shutdown_on_sigint.line(),
};

pub(super) const ON_SIGTERM: Special = Special {
    set: |config, words, _| {
        config.general.shutdown_on_sigterm = ShutdownOptions::parse(words)?;
        Ok(())
    },
    text: |config| config.general.shutdown_on_sigterm.words(),
    lines: |config| config.general.shutdown_on_sigterm.line(),
};

impl ShutdownOptions {
    fn parse(words: &[&[u8]]) -> Result<Self, Reason> {
        let mut options = Self::default();
        if words.is_empty() {
            return Err(not_one_of(SHUTDOWN_WORDS.into_iter()));
        }
        for word in words {
            match word.to_ascii_lowercase().as_slice() {
                b"default" => {}
                b"save" => options.save = true,
                b"nosave" => options.nosave = true,
                b"now" => options.now = true,
                b"force" => options.force = true,
                _ => return Err(not_one_of(SHUTDOWN_WORDS.into_iter())),
            }
        }
        if options.save && options.nosave {
            return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
        }
        Ok(options)
    }

    fn words(self) -> Vec<u8> {
        let known = [
            (self.save, "save"),
            (self.nosave, "nosave"),
            (self.now, "now"),
            (self.force, "force"),
            (self == Self::default(), "default"),
        ];
        join(known.into_iter().filter_map(|(is_set, word)| is_set.then_some(word)))
    }

    fn line(self) -> Lines {
        one_line(self.words(), self != Self::default())
    }
}

/// The working directory of the process is the value, so that others who move it are seen.
pub(super) const DIR: Special = Special {
    set: |config, words, _| {
        let [dir] = words else { return Err("wrong number of arguments".into()) };
        no_nul(dir)?;
        let moved = std::env::set_current_dir(Path::new(OsStr::from_bytes(dir)));
        moved.map_err(|error| Cow::from(describe(&error)))?;
        config.persistence.dir = working_directory();
        Ok(())
    },
    text: |config| config.persistence.dir.clone(),
    lines: |config| one_line(repr(&config.persistence.dir), true),
};

/// The working directory, absolute; empty if it has been removed.
pub(super) fn working_directory() -> Vec<u8> {
    let dir = std::env::current_dir().unwrap_or_default();
    dir.as_os_str().as_bytes().to_vec()
}

pub(super) const ACTIVE_DEFRAG: Special = Special {
    set: |config, words, _| match words {
        [word] if word.eq_ignore_ascii_case(b"no") => {
            config.memory.activedefrag = false;
            Ok(())
        }
        [word] if word.eq_ignore_ascii_case(b"yes") => Err(
            "Active defragmentation cannot be enabled: it requires a Redis server compiled with a \
             modified Jemalloc like the one shipped by default with the Redis source distribution"
                .into(),
        ),
        [_] => Err("argument must be 'yes' or 'no'".into()),
        _ => Err("wrong number of arguments".into()),
    },
    text: |config| if config.memory.activedefrag { b"yes".to_vec() } else { b"no".to_vec() },
    lines: |_| one_line(b"no".to_vec(), false),
};

/// Quotes what would not come back as one word.
fn quote_if_needed(word: &[u8]) -> Vec<u8> {
    if needs_quotes(word) { repr(word) } else { word.to_vec() }
}

fn one_line(value: Vec<u8>, must: bool) -> Lines {
    Lines::Some(vec![Line { value, must }])
}

fn join<T: AsRef<str>>(words: impl Iterator<Item = T>) -> Vec<u8> {
    let words: Vec<_> = words.collect();
    words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ").into_bytes()
}
