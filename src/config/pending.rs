//! Room: what the server cannot do yet.
//!
//! Nothing here may lose data or open a door in silence. A value that asks for what would (writes
//! that are not kept, a password that is not asked for) is refused; a value whose machinery only
//! makes things better is kept, shown, and warned of once. Whoever builds a part deletes its lines.

use base::{Bytes, digest::sha256_hex};

use super::{Config, entry::Parameter, field::Reason, table};

/// A parameter, whether its value asks for what is not built, and the clear word.
struct Refusal {
    name: &'static str,
    asks: fn(&Config) -> bool,
    reason: &'static str,
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        name: "appendonly",
        asks: |config| config.persistence.appendonly,
        reason: "the append-only file is not built yet: writes would not be kept",
    },
    Refusal {
        name: "cluster-enabled",
        asks: |config| config.cluster.cluster_enabled,
        reason: "the cluster is not built yet",
    },
    Refusal {
        name: "replicaof",
        asks: |config| config.replication.replicaof.is_some(),
        reason: "replication is not built yet: nothing would be copied",
    },
    Refusal {
        name: "aclfile",
        asks: |config| !config.security.aclfile.is_empty(),
        reason: "users are not built yet: everybody would be the default user",
    },
    Refusal {
        name: "user",
        asks: |config| config.start.users.iter().any(|user| !is_plain_default(config, &user.words)),
        reason: "users are not built yet, but for a default user who may do everything and whose \
                 password is that of requirepass",
    },
];

/// What a group of parameters waits for. Names end in `*` where a whole family is meant.
struct Later {
    names: &'static [&'static str],
    what: &'static str,
}

const LATER: &[Later] = &[
    Later { names: &["io-threads*"], what: "one thread serves" },
    Later { names: &["active-defrag-*"], what: "memory is not defragmented" },
    Later {
        names: &["append*", "no-appendfsync-on-rewrite", "auto-aof-*", "aof-*"],
        what: "there is no append-only file yet",
    },
    Later {
        names: &["master*", "replica-*", "repl-diskless-load", "propagation-*"],
        what: "this server cannot be a replica yet",
    },
    Later { names: &["cluster-*"], what: "there is no cluster yet" },
    Later { names: &["acllog-*", "acl-pubsub-default"], what: "there are no users yet" },
    Later { names: &["busy-reply-threshold"], what: "there are no scripts yet" },
    Later { names: &["bio_cpulist", "aof_rewrite_cpulist"], what: "threads run anywhere" },
    Later { names: &["enable-module-command"], what: "there are no modules" },
    Later { names: &["tls-replication", "tls-cluster"], what: "there are no such links yet" },
];

/// Says in a clear word that a value asks for what the server cannot do yet.
pub fn unsupported(config: &Config) -> Option<String> {
    let refusal = REFUSALS.iter().find(|refusal| (refusal.asks)(config))?;
    Some(format!("{}: {}", refusal.name, refusal.reason))
}

/// Lists, for one warning each, what is kept but not done yet.
pub fn later(config: &Config) -> Vec<String> {
    let defaults = Config::new(config.start.is_ssl_compiled);
    let mut warnings = Vec::new();
    for later in LATER {
        let differs = |parameter: &&Parameter| parameter.text(config) != parameter.text(&defaults);
        let names: Vec<&str> = table::all()
            .filter(|parameter| later.names.iter().any(|name| is_meant(name, parameter.name)))
            .filter(differs)
            .map(|parameter| parameter.name)
            .collect();
        if !names.is_empty() {
            warnings.push(format!("{}: {}", names.join(", "), later.what));
        }
    }
    warnings
}

/// Says why this parameter cannot have the value that it has just got.
pub(super) fn refusal(config: &Config, parameter: &Parameter) -> Option<Reason> {
    let refusal = REFUSALS.iter().find(|refusal| refusal.name == parameter.name)?;
    (refusal.asks)(config).then(|| refusal.reason.into())
}

/// Whether a `user` line says no more than what holds anyhow, as those do that Redis's CONFIG
/// REWRITE adds: the default user may do everything, with the password of `requirepass`.
pub(super) fn is_plain_default(config: &Config, words: &[Bytes]) -> bool {
    let [name, rules @ ..] = words else { return false };
    let password = &config.security.requirepass;
    let mut access = b"nopass".to_vec();
    if !password.is_empty() {
        access = [b"#", &sha256_hex(password)[..]].concat();
    }
    let alike: [&[&[u8]]; 6] = [
        &[b"on"],
        &[&access],
        &[b"~*", b"allkeys"],
        &[b"+@all", b"allcommands"],
        &[b"&*", b"allchannels"],
        &[b"sanitize-payload"],
    ];
    // A line begins from a user who may do nothing, so each must be said.
    let needed = &alike[..5];
    **name == *b"default"
        && rules.iter().all(|rule| alike.iter().any(|names| names.contains(&&**rule)))
        && needed.iter().all(|names| rules.iter().any(|rule| names.contains(&&**rule)))
}

fn is_meant(pattern: &str, name: &str) -> bool {
    if let Some(end) = pattern.strip_prefix('*') {
        return name.ends_with(end);
    }
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_a_parameter() {
        for later in LATER {
            for name in later.names {
                let is_known = table::all().any(|parameter| is_meant(name, parameter.name));
                assert!(is_known, "{name}");
            }
        }
        for refusal in REFUSALS.iter().filter(|refusal| refusal.name != "user") {
            assert!(table::find(refusal.name.as_bytes()).is_some(), "{}", refusal.name);
        }
    }
}
