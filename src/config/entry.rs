//! Room: what one parameter of the configuration is, and how its value is read and written as text.
//!
//! A `Parameter` is one line of a table in `table/`: name, default, kind, then what is special
//! about it. The kind knows where the value lives (`Field`) and which texts it accepts. Every
//! value has one text, the one that CONFIG GET shows; whether a value has changed and whether it
//! is the default are questions about that text, so a kind needs no equality of its own.

use base::split::repr;

pub(super) use super::field::{Field, Format, NumberField, field};
use super::{Change, Config, choice::ChoiceField, field::Reason, number, path::FilePath};

/// The largest C `int`, an upper bound of many parameters.
pub(super) const INT_MAX: i128 = i32::MAX as i128;
/// The smallest C `int`.
pub(super) const INT_MIN: i128 = i32::MIN as i128;
/// The largest C `unsigned int`.
pub(super) const UINT_MAX: i128 = u32::MAX as i128;
/// The largest C `long` and `long long`.
pub(super) const LONG_MAX: i128 = i64::MAX as i128;
/// The largest C `unsigned long long`.
pub(super) const ULONG_MAX: i128 = u64::MAX as i128;

/// One parameter of the configuration.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// The name in CONFIG GET, CONFIG SET and configuration files.
    pub name: &'static str,
    /// The older name; it answers CONFIG GET too, but CONFIG REWRITE writes `name`.
    pub alias: Option<&'static str>,
    /// The default as one would write it in a file.
    pub default: &'static str,
    /// What must be done when the value has changed.
    pub change: Change,
    /// What is special about it.
    pub flags: Flags,
    pub(super) kind: Kind,
}

/// What is special about a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// CONFIG SET refuses it: only the start sets it.
    pub immutable: bool,
    /// CONFIG SET needs the leave of `enable-protected-configs`.
    pub protected: bool,
    /// CONFIG GET shows it by its full name only, never through a pattern.
    pub hidden: bool,
    /// The value is a list of words.
    pub words: bool,
    /// The value is kept out of MONITOR, the slow log and error messages.
    pub sensitive: bool,
    /// CONFIG SET refuses it while a dataset is being loaded.
    pub denied_while_loading: bool,
    /// Setting it to the value it has is a change too: the file behind it may be another.
    pub volatile: bool,
    /// A build without SSL accepts the default only.
    pub tls: bool,
}

/// Stores the words of a value.
type SetWords = fn(&mut Config, &[&[u8]], Manner) -> Result<(), Reason>;

/// The functions of a parameter that fits no common kind.
#[derive(Clone, Copy)]
pub(super) struct Special {
    /// Takes the words of a value; `Config` is unchanged when it fails.
    pub(super) set: SetWords,
    /// The one text of the value.
    pub(super) text: fn(&Config) -> Vec<u8>,
    /// What CONFIG REWRITE writes behind the name.
    pub(super) lines: fn(&Config) -> Lines,
}

/// The lines that CONFIG REWRITE wants for one parameter.
pub(super) enum Lines {
    /// None at all; lines of a former value are removed.
    None,
    /// One line each, in order; those marked `must` are appended when the file had no place.
    Some(Vec<Line>),
}

/// One line for CONFIG REWRITE.
pub(super) struct Line {
    pub(super) value: Vec<u8>,
    pub(super) must: bool,
}

/// How a list takes new words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// They replace what is there.
    Replace,
    /// They join it: the second and later `save` lines of a file.
    Append,
}

/// The kinds of values.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Bool { field: &'static Field<bool>, takes_true: bool },
    Number { field: &'static dyn NumberField, min: i128, max: i128, format: Format },
    Choice(&'static dyn ChoiceField),
    Text { field: &'static Field<Vec<u8>>, empty: Empty, check: fn(&[u8]) -> Result<(), Reason> },
    Path(&'static Field<FilePath>),
    Special(Special),
}

/// What an empty text means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// A value like others.
    Value,
    /// Not set: CONFIG REWRITE removes the line.
    Unset,
}

pub(super) const fn yes_no(field: &'static Field<bool>) -> Kind {
    Kind::Bool { field, takes_true: false }
}

/// A yes or no that is also read as true or false.
pub(super) const fn yes_no_true_false(field: &'static Field<bool>) -> Kind {
    Kind::Bool { field, takes_true: true }
}

pub(super) const fn integer(min: i128, max: i128, field: &'static dyn NumberField) -> Kind {
    Kind::Number { field, min, max, format: Format::Plain }
}

pub(super) const fn memory(min: i128, max: i128, field: &'static dyn NumberField) -> Kind {
    Kind::Number { field, min, max, format: Format::Memory }
}

pub(super) const fn memory_or_percent(field: &'static dyn NumberField) -> Kind {
    Kind::Number { field, min: -100, max: LONG_MAX, format: Format::MemoryOrPercent }
}

pub(super) const fn octal(max: i128, field: &'static dyn NumberField) -> Kind {
    Kind::Number { field, min: 0, max, format: Format::Octal }
}

pub(super) const fn choice(field: &'static dyn ChoiceField) -> Kind {
    Kind::Choice(field)
}

/// A text whose empty value means that it is not set.
pub(super) const fn text(field: &'static Field<Vec<u8>>) -> Kind {
    Kind::Text { field, empty: Empty::Unset, check: no_nul }
}

/// A text that may well be empty.
pub(super) const fn any_text(field: &'static Field<Vec<u8>>) -> Kind {
    Kind::Text { field, empty: Empty::Value, check: no_nul }
}

/// A text of any bytes at all, as passwords are.
pub(super) const fn secret(field: &'static Field<Vec<u8>>) -> Kind {
    Kind::Text { field, empty: Empty::Unset, check: |_| Ok(()) }
}

/// A text that may be empty and must pass a check.
pub(super) const fn checked_text(
    field: &'static Field<Vec<u8>>,
    empty: Empty,
    check: fn(&[u8]) -> Result<(), Reason>,
) -> Kind {
    Kind::Text { field, empty, check }
}

/// A file or directory, found from the working directory of the moment the value is read.
pub(super) const fn path(field: &'static Field<FilePath>) -> Kind {
    Kind::Path(field)
}

/// A value with functions of its own.
pub(super) const fn special(special: Special) -> Kind {
    Kind::Special(special)
}

impl Parameter {
    pub(super) const fn new(name: &'static str, default: &'static str, kind: Kind) -> Self {
        let flags = Flags {
            immutable: false,
            protected: false,
            hidden: false,
            words: false,
            sensitive: false,
            denied_while_loading: false,
            volatile: false,
            tls: false,
        };
        Self { name, alias: None, default, change: Change::Nothing, flags, kind }
    }

    pub(super) const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    pub(super) const fn change(mut self, change: Change) -> Self {
        self.change = change;
        self
    }

    pub(super) const fn immutable(mut self) -> Self {
        self.flags.immutable = true;
        self
    }

    pub(super) const fn protected(mut self) -> Self {
        self.flags.protected = true;
        self
    }

    pub(super) const fn hidden(mut self) -> Self {
        self.flags.hidden = true;
        self
    }

    pub(super) const fn words(mut self) -> Self {
        self.flags.words = true;
        self
    }

    pub(super) const fn sensitive(mut self) -> Self {
        self.flags.sensitive = true;
        self
    }

    pub(super) const fn denied_while_loading(mut self) -> Self {
        self.flags.denied_while_loading = true;
        self
    }

    pub(super) const fn volatile(mut self) -> Self {
        self.flags.volatile = true;
        self
    }

    pub(super) const fn tls(mut self) -> Self {
        self.flags.tls = true;
        self
    }

    /// Which of its two names was typed, in the spelling of the table.
    pub fn called(&self, typed: &[u8]) -> &'static str {
        let is_alias = |alias: &&str| typed.eq_ignore_ascii_case(alias.as_bytes());
        self.alias.filter(is_alias).unwrap_or(self.name)
    }

    /// The value as CONFIG GET shows it.
    pub fn text(&self, config: &Config) -> Vec<u8> {
        match self.kind {
            Kind::Bool { field, .. } => yes_or_no(*(field.read)(config)).into(),
            Kind::Number { field, format, .. } => number::show(field.value(config), format),
            Kind::Choice(field) => field.name(config).into(),
            Kind::Text { field, .. } => (field.read)(config).clone(),
            Kind::Path(field) => (field.read)(config).typed().to_vec(),
            Kind::Special(special) => (special.text)(config),
        }
    }

    /// Stores a value given as words; `config` is unchanged when it fails.
    pub(super) fn store(
        &self,
        config: &mut Config,
        words: &[&[u8]],
        manner: Manner,
    ) -> Result<(), Reason> {
        // Only special kinds and choices take another number of words than one.
        let one = match words {
            [one] => *one,
            _ if matches!(self.kind, Kind::Special(_)) => &[],
            _ => return Err("wrong number of arguments".into()),
        };
        match self.kind {
            Kind::Bool { field, takes_true } => {
                let value = parse_yes_or_no(one, takes_true);
                *(field.write)(config) = value.ok_or("argument must be 'yes' or 'no'")?;
            }
            Kind::Number { field, min, max, format } => {
                field.store(config, number::parse(one, min, max, format)?);
            }
            Kind::Choice(field) => field.choose(config, one)?,
            Kind::Text { field, check, .. } => {
                check(one)?;
                *(field.write)(config) = one.to_vec();
            }
            Kind::Path(field) => {
                no_nul(one)?;
                *(field.write)(config) = FilePath::new(one);
            }
            Kind::Special(special) => (special.set)(config, words, manner)?,
        }
        Ok(())
    }

    /// Stores a path that has been read before, and keeps what it meant then.
    pub(super) fn keep_path(&self, config: &mut Config, path: FilePath) {
        if let Kind::Path(field) = self.kind {
            *(field.write)(config) = path;
        }
    }

    /// What CONFIG REWRITE writes behind the name; `default` holds every default.
    pub(super) fn lines(&self, config: &Config, default: &Config) -> Lines {
        let value = match self.kind {
            Kind::Special(special) => return (special.lines)(config),
            Kind::Text { field, empty: Empty::Unset, .. } if (field.read)(config).is_empty() => {
                return Lines::None;
            }
            Kind::Path(field) if (field.read)(config).typed().is_empty() => return Lines::None,
            Kind::Number { field, format, .. } => number::write(field.value(config), format),
            Kind::Text { field, .. } => repr((field.read)(config)),
            // The line may come to stand behind `dir`, which moves what a relative path means.
            Kind::Path(field) => repr((field.read)(config).resolved()),
            Kind::Bool { .. } | Kind::Choice(_) => self.text(config),
        };
        let must = self.text(config) != self.text(default);
        Lines::Some(vec![Line { value, must }])
    }
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parameter").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Refuses what no C string can hold.
pub(super) fn no_nul(value: &[u8]) -> Result<(), Reason> {
    if value.contains(&0) {
        return Err("argument must not contain a NUL byte".into());
    }
    Ok(())
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn parse_yes_or_no(value: &[u8], takes_true: bool) -> Option<bool> {
    let is = |word: &str| value.eq_ignore_ascii_case(word.as_bytes());
    if is("yes") || takes_true && is("true") {
        return Some(true);
    }
    (is("no") || takes_true && is("false")).then_some(false)
}
