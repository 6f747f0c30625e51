//! Pure: a path as it was typed and as it was meant when it was read.
//!
//! `dir` changes the working directory while a file is being read, and CONFIG SET does so later;
//! a certificate named before must still be the same file.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

/// A file or directory named by the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilePath {
    typed: Vec<u8>,
    resolved: Vec<u8>,
}

impl FilePath {
    /// Reads a path; a relative one counts from the working directory of this moment.
    pub fn new(typed: &[u8]) -> Self {
        if typed.is_empty() {
            return Self::default();
        }
        let path = Path::new(OsStr::from_bytes(typed));
        // Without a working directory the path stays as it is, and opening it says why.
        let resolved = std::path::absolute(path).unwrap_or_else(|_| path.into());
        Self { typed: typed.to_vec(), resolved: resolved.as_os_str().as_bytes().to_vec() }
    }

    /// Whether a path was given at all.
    pub fn is_set(&self) -> bool {
        !self.typed.is_empty()
    }

    /// The path as it was typed, which is what CONFIG GET shows.
    pub fn typed(&self) -> &[u8] {
        &self.typed
    }

    /// The absolute path that was meant.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.resolved))
    }

    pub(super) fn resolved(&self) -> &[u8] {
        &self.resolved
    }
}
