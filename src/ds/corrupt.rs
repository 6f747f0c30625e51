//! Pure: bytes that are not what they should be.

/// The bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the data structure is corrupt")
    }
}

impl std::error::Error for Corrupt {}

/// How closely foreign bytes are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The header, in constant time. Enough for bytes that are known to be ours: of others,
    /// whoever reads the elements may panic, though never read beyond the bytes.
    Header,
    /// Every element.
    Deep,
}
