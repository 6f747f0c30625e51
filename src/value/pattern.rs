//! Pure: which of many names a client asks for.

use base::glob::{self, Case};

/// Which names are meant.
#[derive(Clone, Copy, Debug)]
pub enum Pattern<'a> {
    /// All, the empty one too.
    All,
    /// Those that match.
    Glob(&'a [u8]),
}

impl<'a> Pattern<'a> {
    /// Takes what a client has sent. A lone star means all, although it would not match the
    /// empty name.
    pub fn of(text: &'a [u8]) -> Self {
        if text == b"*" { Self::All } else { Self::Glob(text) }
    }

    /// Whether a name is meant.
    #[inline]
    pub fn matches(self, name: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Glob(pattern) => glob::matches(pattern, name, Case::Sensitive),
        }
    }
}
