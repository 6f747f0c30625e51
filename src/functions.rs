//! Room: libraries of functions: they come with a snapshot and go into each that is written.
//!
//! The code is opaque bytes here: nothing of it is compiled or run. What it says of itself in its
//! first line, `#!engine name=…`, is looked at as Redis does when it loads one.
//!
//! Invariant: no two libraries have the same name.

use std::{fmt, sync::Arc};

use base::{Bytes, split::split_args};

/// What the first line begins with.
const SHEBANG: &[u8] = b"#!";
/// What stands before a library's name.
const NAME_HEAD: &[u8] = b"name=";
/// The only language there is, in any case of letters.
const ENGINE: &[u8] = b"LUA";

/// The libraries, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Functions {
    libraries: Vec<Library>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Library {
    name: Bytes,
    code: Arc<[u8]>,
}

/// Why something is no library, as Redis words it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WrongLibrary {
    /// There is no first line that tells of it.
    NoMetadata,
    /// Its first line has no end, or quotes that are not closed.
    InvalidMetadata,
    /// It says more of itself than Redis knows.
    UnknownArgument(Bytes),
    /// It has two names.
    NamedTwice,
    /// It has none.
    NotNamed,
    /// Its name has other characters than letters, digits and underscores, or none at all.
    InvalidName,
    /// It is in another language.
    UnknownEngine(Bytes),
    /// There is one of this name.
    AlreadyThere(Bytes),
}

impl fmt::Display for WrongLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMetadata => f.write_str("Missing library metadata"),
            Self::InvalidMetadata => f.write_str("Invalid library metadata"),
            Self::UnknownArgument(word) => {
                write!(f, "Invalid metadata value given: {}", word.escape_ascii())
            }
            Self::NamedTwice => {
                f.write_str("Invalid metadata value, name argument was given multiple times")
            }
            Self::NotNamed => f.write_str("Library name was not given"),
            Self::InvalidName => f.write_str(
                "Library names can only contain letters, numbers, or underscores(_) and must be \
                 at least one character long",
            ),
            Self::UnknownEngine(engine) => {
                write!(f, "Engine '{}' not found", engine.escape_ascii())
            }
            Self::AlreadyThere(name) => {
                write!(f, "Library '{}' already exists", name.escape_ascii())
            }
        }
    }
}

impl Functions {
    /// Adds a library. Where `replaces`, it takes the place of one of the same name.
    pub fn add(&mut self, code: &[u8], replaces: bool) -> Result<(), WrongLibrary> {
        let name = name_of(code)?;
        let library = Library { name, code: code.into() };
        match self.libraries.iter_mut().find(|old| old.name == library.name) {
            Some(_) if !replaces => return Err(WrongLibrary::AlreadyThere(library.name)),
            Some(old) => *old = library,
            None => self.libraries.push(library),
        }
        Ok(())
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.libraries.clear();
    }

    /// Counts the libraries.
    pub fn count(&self) -> usize {
        self.libraries.len()
    }

    /// Counts the bytes that they take.
    pub fn bytes(&self) -> usize {
        self.libraries.iter().map(|library| library.name.len() + library.code.len()).sum()
    }

    /// Walks over the code of each.
    pub fn codes(&self) -> impl Iterator<Item = &[u8]> {
        self.libraries.iter().map(|library| &*library.code)
    }
}

/// Reads the name in the first line of a library, if all of that line is as it must be.
fn name_of(code: &[u8]) -> Result<Bytes, WrongLibrary> {
    if !code.starts_with(SHEBANG) {
        return Err(WrongLibrary::NoMetadata);
    }
    // Redis looks no further than to a zero.
    let end = code.iter().position(|byte| matches!(byte, b'\n' | 0));
    let line = end.filter(|end| code[*end] == b'\n').map(|end| &code[..end]);
    let line = line.ok_or(WrongLibrary::InvalidMetadata)?;
    let mut words = split_args(line).map_err(|_| WrongLibrary::InvalidMetadata)?.into_iter();
    let engine = words.next().ok_or(WrongLibrary::InvalidMetadata)?;
    let mut name = None;
    for word in words {
        let given = word.split_at_checked(NAME_HEAD.len());
        let given = given.filter(|(head, _)| head.eq_ignore_ascii_case(NAME_HEAD));
        let Some((_, given)) = given else { return Err(WrongLibrary::UnknownArgument(word)) };
        if name.replace(Bytes::from(given)).is_some() {
            return Err(WrongLibrary::NamedTwice);
        }
    }
    let name = name.ok_or(WrongLibrary::NotNamed)?;
    let is_meant = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if name.is_empty() || !name.iter().all(is_meant) {
        return Err(WrongLibrary::InvalidName);
    }
    match engine.get(SHEBANG.len()..) {
        Some(engine) if engine.eq_ignore_ascii_case(ENGINE) => Ok(name),
        engine => Err(WrongLibrary::UnknownEngine(engine.unwrap_or_default().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_stay_in_their_order() {
        let mut functions = Functions::default();
        let (first, second) = (&b"#!lua name=one\nbody"[..], &b"#!LUA NAME=\"Two_2\"\n"[..]);
        functions.add(first, false).unwrap();
        functions.add(second, false).unwrap();
        assert!(functions.codes().eq([first, second]));
        let again = &b"#!lua name=one\nanother"[..];
        let there = WrongLibrary::AlreadyThere(b"one"[..].into());
        assert_eq!(functions.add(again, false), Err(there));
        functions.add(again, true).unwrap();
        assert!(functions.codes().eq([again, second]));
        assert_eq!((functions.count(), functions.bytes()), (2, 3 + again.len() + 5 + second.len()));
        functions.clear();
        assert_eq!((functions.count(), functions.bytes()), (0, 0));
    }

    #[test]
    fn what_is_no_library_is_refused() {
        for (code, text) in [
            (&b"return 1"[..], "Missing library metadata"),
            (b"#", "Missing library metadata"),
            (b"#!lua name=a", "Invalid library metadata"),
            (b"#!lua name=a\0\n", "Invalid library metadata"),
            (b"#!lua name=\"a\n", "Invalid library metadata"),
            (b"#!lua\n", "Library name was not given"),
            (b"#!lua flags=x\n", "Invalid metadata value given: flags=x"),
            (b"#!lua nam\n", "Invalid metadata value given: nam"),
            (
                b"#!lua name=a name=b\n",
                "Invalid metadata value, name argument was given multiple times",
            ),
            (b"#! name=a\n", "Engine '' not found"),
            (b"#!tcl name=a\n", "Engine 'tcl' not found"),
        ] {
            let error = Functions::default().add(code, true).unwrap_err();
            assert_eq!(error.to_string(), text, "{}", code.escape_ascii());
        }
        for code in [&b"#!lua name=\n"[..], b"#!lua name=a-b\n", b"#!lua name=\"a b\"\n"] {
            let error = Functions::default().add(code, true);
            assert_eq!(error, Err(WrongLibrary::InvalidName), "{}", code.escape_ascii());
        }
    }
}
