//! Pure: what can be wrong with a snapshot, and the words for it.

use std::{borrow::Cow, error::Error, fmt, io};

use super::format::{ObjectType, module_name};
use crate::functions::WrongLibrary;

/// What is wrong.
#[derive(Debug)]
pub enum Fault {
    /// It ends too early.
    Short,
    /// It could not be read, or there was no memory for it.
    Io(io::Error),
    /// It does not begin like a snapshot.
    Signature,
    /// It is of a version that is not known.
    Version {
        /// As it says.
        number: u64,
        /// It has Valkey's name.
        is_valkey: bool,
    },
    /// It makes no sense.
    Corrupt(Cow<'static, str>),
    /// What was read is not what was written.
    Checksum {
        /// Of what was read.
        expected: u64,
        /// As it says.
        found: u64,
    },
    /// Something that this server cannot load, in a whole sentence.
    Foreign(Cow<'static, str>),
    /// It needs more databases than there are.
    DbCount(usize),
    /// This key is there twice.
    Duplicate(Box<[u8]>),
    /// A value has nothing in it, as no key has.
    Empty,
}

impl Fault {
    /// Makes a fault of what makes no sense.
    pub const fn corrupt(what: &'static str) -> Self {
        Self::Corrupt(Cow::Borrowed(what))
    }

    /// Makes a fault of what only a module can read, by the module's number.
    pub fn of_module(what: &str, missing: &str, number: u64) -> Self {
        let name = module_name(number);
        let text = format!("The RDB file contains {what} I can't load: no matching {missing}");
        Self::Foreign(format!("{text} '{name}'").into())
    }

    /// Makes a fault of a library of functions.
    pub fn library(wrong: WrongLibrary) -> Self {
        Self::Foreign(format!("Failed loading library, {wrong}").into())
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Short } else { Self::Io(error) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => {
                f.write_str("Short read or OOM loading DB. Unrecoverable error, aborting now.")
            }
            Self::Io(error) => write!(f, "Error reading the RDB file: {error}"),
            Self::Signature => f.write_str("Wrong signature trying to load DB from file"),
            Self::Version { number, is_valkey: false } => {
                write!(f, "Can't handle RDB format version {number}")
            }
            Self::Version { number, is_valkey: true } => {
                write!(f, "Can't handle RDB format version {number} of Valkey")
            }
            Self::Corrupt(what) | Self::Foreign(what) => f.write_str(what),
            Self::Checksum { expected, found } => write!(
                f,
                "Wrong RDB checksum expected: ({expected:x}) but got ({found:x}). Aborting now."
            ),
            Self::DbCount(count) => write!(
                f,
                "FATAL: Data file was created with a Redis server configured to handle more than \
                 {count} databases. Exiting"
            ),
            Self::Duplicate(key) => write!(f, "RDB has duplicated key '{}'", key.escape_ascii()),
            Self::Empty => f.write_str("A key holds a value with nothing in it"),
        }
    }
}

/// What is wrong, and where.
#[derive(Debug)]
pub struct LoadError {
    /// What.
    pub fault: Fault,
    /// After so many bytes.
    pub offset: u64,
    /// The database.
    pub db: usize,
    /// In the value of this key, of this type.
    pub key: Option<(Box<[u8]>, ObjectType)>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (offset {}", self.fault, self.offset)?;
        if let Some((key, object_type)) = &self.key {
            let (key, form) = (key.escape_ascii(), object_type.form());
            write!(f, ", key '{key}' of DB {}, type {} ({form})", self.db, object_type.0)?;
        }
        f.write_str(")")
    }
}

impl Error for LoadError {}
