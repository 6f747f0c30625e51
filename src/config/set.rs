//! Room: CONFIG GET and CONFIG SET.
//!
//! A SET of several pairs is all or nothing. Names are judged first, all of them; then values are
//! stored; then the flow above applies what changed, and may hand everything back.

use std::fmt;

use base::glob::{self, Case};

use super::{
    Change, Config, ProtectedAction, RENEW_CERTIFICATE,
    entry::{Manner, Parameter},
    field::Reason,
    pending, table,
};

/// What the circumstances of a CONFIG SET allow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    /// The client is connected from this machine.
    pub is_local_client: bool,
    /// A dataset is being loaded.
    pub is_loading: bool,
}

/// Why CONFIG SET has changed nothing. `Display` gives the error without its `ERR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// There is no such parameter.
    Unknown(Vec<u8>),
    /// Not while a dataset is being loaded: answered with the LOADING error.
    Loading,
    /// The name and why it cannot be so.
    Failed(Vec<u8>, Reason),
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                let name = String::from_utf8_lossy(name);
                write!(f, "Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            Self::Loading => write!(f, "Redis is loading the dataset in memory"),
            Self::Failed(name, reason) => {
                let name = String::from_utf8_lossy(name);
                write!(f, "CONFIG SET failed (possibly related to argument '{name}') - {reason}")
            }
        }
    }
}

/// What a CONFIG SET has changed, and the way back.
#[must_use = "the changes must be applied, or the former values restored"]
#[derive(Debug)]
pub struct Undo {
    former: Box<Config>,
    changes: Vec<(Change, &'static str)>,
}

impl Undo {
    /// What must be applied, each once, in the order of the pairs.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        self.changes.iter().map(|(change, _)| *change)
    }

    /// The error for a change that could not be applied.
    pub fn failure(&self, change: Change, reason: impl Into<Reason>) -> SetError {
        SetError::Failed(self.name(change).into(), reason.into())
    }

    /// The parameter that asked for a change.
    pub fn name(&self, change: Change) -> &'static str {
        let named = self.changes.iter().find(|(known, _)| *known == change);
        named.map_or("", |(_, name)| *name)
    }
}

impl Config {
    /// Finds the parameters that CONFIG GET's patterns name: each name once, with its value.
    pub fn matching(&self, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut add = |name: &[u8], parameter: &Parameter| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name.to_vec(), parameter.text(self)));
            }
        };
        for pattern in patterns {
            if !pattern.iter().any(|byte| b"[*?".contains(byte)) {
                if let Some(parameter) = table::find(pattern) {
                    add(pattern, parameter);
                }
                continue;
            }
            // Hidden ones want their full name.
            for parameter in table::all().filter(|parameter| !parameter.flags.hidden) {
                for name in [Some(parameter.name), parameter.alias].into_iter().flatten() {
                    if glob::matches(pattern, name.as_bytes(), Case::Ignored) {
                        add(name.as_bytes(), parameter);
                    }
                }
            }
        }
        found
    }

    /// Whether the value behind this name must not show in MONITOR, the slow log or errors.
    pub fn is_sensitive(name: &[u8]) -> bool {
        table::find(name).is_some_and(|parameter| parameter.flags.sensitive)
    }

    /// Stores all pairs of a CONFIG SET or none. The caller applies the changes, then either drops
    /// the `Undo` or restores it.
    pub fn set(&mut self, pairs: &[(&[u8], &[u8])], gate: Gate) -> Result<Undo, SetError> {
        let parameters = self.judge(pairs, gate)?;
        let mut undo = Undo { former: Box::new(self.clone()), changes: Vec::new() };
        for (parameter, (name, value)) in parameters.iter().zip(pairs) {
            let stored = self.store_value(parameter, value);
            let refused = stored.err().or_else(|| pending::refusal(self, parameter));
            if let Some(reason) = refused {
                self.restore(undo);
                return Err(SetError::Failed(parameter.called(name).into(), reason));
            }
        }
        self.settle();
        for (parameter, (name, _)) in parameters.iter().zip(pairs) {
            let change = parameter.change;
            let is_listed = undo.changes().any(|known| known == change);
            let has_changed = || parameter.text(self) != parameter.text(&undo.former);
            if change != Change::Nothing
                && !is_listed
                && (parameter.flags.volatile || has_changed())
            {
                undo.changes.push((change, parameter.called(name)));
            }
        }
        Ok(undo)
    }

    /// Takes the former values back. What has been applied must be applied again by the caller.
    pub fn restore(&mut self, undo: Undo) {
        let has_moved = self.persistence.dir != undo.former.persistence.dir;
        *self = *undo.former;
        if has_moved {
            let dir = super::file::os_path(&self.persistence.dir);
            if let Err(error) = std::env::set_current_dir(dir) {
                let dir = dir.display();
                log::warn!("Failed restoring failed CONFIG SET command: dir {dir}: {error}");
            }
        }
    }

    /// Finds the parameter of each pair, or the first reason why one cannot be set.
    fn judge(
        &self,
        pairs: &[(&[u8], &[u8])],
        gate: Gate,
    ) -> Result<Vec<&'static Parameter>, SetError> {
        let mut parameters: Vec<&'static Parameter> = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            let failed = |reason: &'static str| SetError::Failed(name.to_vec(), reason.into());
            if name.eq_ignore_ascii_case(RENEW_CERTIFICATE.as_bytes()) {
                return Err(failed("it stands alone: certificate and key, and no other parameter"));
            }
            let parameter = table::find(name).ok_or_else(|| SetError::Unknown(name.to_vec()))?;
            let flags = parameter.flags;
            // Who sets every parameter to what it is means no harm by ours, which no list of
            // Redis's immutable ones leaves out.
            let is_same = flags.tls && !parameter.name.starts_with("tls-");
            let is_same = is_same && parameter.text(self) == *value;
            if flags.immutable && !is_same {
                return Err(failed("can't set immutable config"));
            }
            let may_set_protected = match self.security.enable_protected_configs {
                ProtectedAction::No => false,
                ProtectedAction::Yes => true,
                ProtectedAction::Local => gate.is_local_client,
            };
            if flags.protected && !may_set_protected {
                return Err(failed("can't set protected config"));
            }
            if gate.is_loading && flags.denied_while_loading {
                return Err(SetError::Loading);
            }
            // An alias is another parameter in this: as in Redis, the last one counts.
            let known = parameters.iter().zip(pairs).any(|(known, (other, _))| {
                known.name == parameter.name && known.called(other) == parameter.called(name)
            });
            if known {
                return Err(failed("duplicate parameter"));
            }
            parameters.push(parameter);
        }
        Ok(parameters)
    }

    fn store_value(&mut self, parameter: &Parameter, value: &[u8]) -> Result<(), Reason> {
        let words: Vec<&[u8]> = match parameter.flags.words {
            true if value.is_empty() => Vec::new(),
            // Each blank parts two words, so two in a row enclose an empty one.
            true => value.split(|&byte| byte == b' ').collect(),
            false => vec![value],
        };
        parameter.store(self, &words, Manner::Replace)?;
        self.refuse_tls(parameter)
    }

    /// Refuses TLS in a build without it.
    pub(super) fn refuse_tls(&self, parameter: &Parameter) -> Result<(), Reason> {
        let is_refused = parameter.flags.tls
            && !self.start.is_ssl_compiled
            && parameter.text(self) != parameter.default.as_bytes();
        if is_refused {
            return Err("this build has no TLS: build with BUILD_SSL=yes".into());
        }
        Ok(())
    }
}
