//! Pure: strings that do not stand in the record of their key.

use std::sync::Arc;

use ds::ThinBytes;
use resp::Shared;

/// Strings up to this length that nobody has appended to are "embstr" to Redis.
pub const EMBEDDED_BYTES_MAX: usize = 44;

/// A string by itself.
#[derive(Debug)]
pub enum Text {
    /// With room to grow.
    Raw(ThinBytes),
    /// A big one as it came from a socket; slow readers may hold it too.
    Shared(Shared),
}

impl Text {
    /// Makes a second one like it; a big one is shared until either is changed.
    #[must_use]
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::Raw(bytes) => Self::Raw(ThinBytes::from(&bytes[..])),
            Self::Shared(bytes) => Self::Shared(bytes.clone()),
        }
    }

    /// Counts the bytes of its allocations.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Raw(bytes) => base::memory::usable_bytes(bytes.capacity() + 16),
            Self::Shared(bytes) => ds::shared_allocation_bytes(bytes),
        }
    }

    /// Counts the bytes by which the string can grow where it is.
    pub fn spare(&self) -> usize {
        match self {
            Self::Raw(bytes) => bytes.capacity() - bytes.len(),
            Self::Shared(bytes) => bytes.capacity() - bytes.len(),
        }
    }

    /// Returns the string.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Raw(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }

    /// Returns the string to be changed in any way; one that others hold becomes a copy.
    pub fn as_raw(&mut self) -> &mut ThinBytes {
        if let Self::Shared(shared) = self {
            *self = Self::Raw(ThinBytes::from(&shared[..]));
        }
        let Self::Raw(bytes) = self else { unreachable!("it was made raw") };
        bytes
    }

    /// Makes the string at least `length` bytes long, with zeros at its end, and returns
    /// it. Whoever holds the old one keeps it as it was.
    pub fn grow(&mut self, length: usize) -> &mut [u8] {
        match self {
            Self::Raw(bytes) => {
                if bytes.capacity() < length {
                    bytes.reserve_exact(greedy(length) - bytes.len());
                }
                bytes.grow(length);
                bytes.as_mut_slice()
            }
            Self::Shared(shared) => {
                let bytes = Arc::make_mut(shared);
                if bytes.len() < length {
                    if bytes.capacity() < length {
                        bytes.reserve_exact(greedy(length) - bytes.len());
                    }
                    bytes.resize(length, 0);
                }
                bytes
            }
        }
    }
}

/// A string that grows will grow again: twice the room, or a MiB more, as Redis reserves.
pub fn greedy(length: usize) -> usize {
    const MORE_MAX: usize = 1024 * 1024;
    length + length.min(MORE_MAX)
}
