//! Pure: byte strings: the owned form, and what is asked of them everywhere.

use std::collections::TryReserveError;

/// An owned byte string: a key, an element, a value. It can go to another thread.
pub type Bytes = Box<[u8]>;

/// Tells whether two texts are the same but for the case of ASCII letters, as names of
/// commands, options and directives are compared.
#[inline]
pub fn eq_ignore_case(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Returns what follows `prefix`, which may be in any case.
pub fn strip_prefix_ignore_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    eq_ignore_case(start, prefix).then_some(rest)
}

/// Returns an empty buffer with room for `bytes`, or an error where memory is short: for
/// sizes that a peer announces, which must not end the process.
pub fn try_with_capacity(bytes: usize) -> Result<Vec<u8>, TryReserveError> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(bytes)?;
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_for_ascii_only() {
        assert!(eq_ignore_case(b"GeT", b"gEt") && !eq_ignore_case(b"get", b"gets"));
        assert!(!eq_ignore_case("É".as_bytes(), "é".as_bytes()));
        assert_eq!(strip_prefix_ignore_case(b"MaxLen=5", b"maxlen="), Some(&b"5"[..]));
        assert_eq!(strip_prefix_ignore_case(b"max", b"maxlen"), None);
    }

    #[test]
    fn too_large_a_buffer_is_an_error() {
        assert!(try_with_capacity(1000).unwrap().capacity() >= 1000);
        assert!(try_with_capacity(isize::MAX as usize).is_err());
    }

    #[test]
    fn bytes_can_go_to_another_thread() {
        fn check<T: Send + Sync>() {}
        check::<Bytes>();
    }
}
