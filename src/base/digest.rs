//! Pure: SHA-1 and SHA-256, most often as lower-case hexadecimal, as scripts and passwords are
//! named.

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::random::hex;

/// The characters of a script's name.
pub const SHA1_CHARS: usize = 40;
/// The characters of a password's hash.
pub const SHA256_CHARS: usize = 64;

/// The bytes of a SHA-1.
pub const SHA1_BYTES: usize = 20;

/// Returns the SHA-1 of `bytes`.
pub fn sha1(bytes: &[u8]) -> [u8; SHA1_BYTES] {
    Sha1::digest(bytes).into()
}

/// Returns the SHA-1 of `bytes` in hexadecimal: a script's name.
pub fn sha1_hex(bytes: &[u8]) -> [u8; SHA1_CHARS] {
    hex(&sha1(bytes))
}

/// Returns the SHA-256 of `bytes` in hexadecimal: how a password is stored.
pub fn sha256_hex(bytes: &[u8]) -> [u8; SHA256_CHARS] {
    let digest: [u8; SHA256_CHARS / 2] = Sha256::digest(bytes).into();
    hex(&digest)
}

/// Tells whether `text` is the hexadecimal form of a SHA-256, as ACL rules have it.
pub fn is_sha256_hex(text: &[u8]) -> bool {
    text.len() == SHA256_CHARS && text.iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

/// Compares two digests in a time that does not tell how much of them is alike.
pub fn is_equal(a: &[u8; SHA256_CHARS], b: &[u8; SHA256_CHARS]) -> bool {
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b));
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_published_ones() {
        assert_eq!(&sha1_hex(b"abc"), b"a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(&sha1_hex(b""), b"da39a3ee5e6b4b0d3255bfef95601890afd80709");
        let abc = b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(&sha256_hex(b"abc"), abc);
        assert!(is_sha256_hex(abc) && !is_sha256_hex(&abc[1..]));
        assert!(!is_sha256_hex(&abc.to_ascii_uppercase()));
    }

    #[test]
    fn digests_are_compared_whole() {
        let digest = sha256_hex(b"secret");
        assert!(is_equal(&digest, &sha256_hex(b"secret")));
        for at in 0..SHA256_CHARS {
            let mut other = digest;
            other[at] ^= 1;
            assert!(!is_equal(&digest, &other));
        }
    }
}
