//! Pure: what is written about a command: the part of its record that only people read.

use super::flags::{ArgumentFlags, DocFlags};

/// What COMMAND DOCS tells.
#[derive(Debug)]
pub struct Docs {
    /// One sentence.
    pub summary: &'static str,
    /// The version that had it first.
    pub since: &'static str,
    /// The family, as documentation sorts commands.
    pub group: &'static str,
    /// What its time depends on, if anybody has said.
    pub complexity: Option<&'static str>,
    /// Version and change, oldest first.
    pub history: &'static [(&'static str, &'static str)],
    /// Marks.
    pub doc_flags: DocFlags,
    /// From when on something else should be used.
    pub deprecated_since: Option<&'static str>,
    /// What that is.
    pub replaced_by: Option<&'static str>,
    /// What may follow the name.
    pub arguments: &'static [Argument],
}

/// One argument, or a choice or sequence of them.
#[derive(Debug)]
pub struct Argument {
    /// For programs.
    pub name: &'static str,
    /// What is expected.
    pub kind: ArgumentKind,
    /// For people.
    pub display_text: &'static str,
    /// The key spec that finds it.
    pub key_spec_index: Option<u8>,
    /// The word that comes before it, or is it.
    pub token: Option<&'static str>,
    /// One sentence.
    pub summary: Option<&'static str>,
    /// The version that had it first.
    pub since: Option<&'static str>,
    /// From when on something else should be used.
    pub deprecated_since: Option<&'static str>,
    /// How often it may come.
    pub flags: ArgumentFlags,
    /// What a choice or sequence is of.
    pub arguments: &'static [Self],
}

/// What is expected of an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgumentKind {
    /// Any bytes.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// The name of a key.
    Key,
    /// A pattern of names.
    Pattern,
    /// Seconds or milliseconds since 1970.
    UnixTime,
    /// The token alone.
    PureToken,
    /// One of its arguments.
    OneOf,
    /// All of its arguments in order.
    Block,
}

impl ArgumentKind {
    /// Returns the word that replies have for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Key => "key",
            Self::Pattern => "pattern",
            Self::UnixTime => "unix-time",
            Self::PureToken => "pure-token",
            Self::OneOf => "oneof",
            Self::Block => "block",
        }
    }

    /// Whether it is made of other arguments.
    pub fn is_composed(self) -> bool {
        matches!(self, Self::OneOf | Self::Block)
    }
}
