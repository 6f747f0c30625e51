//! Pure: the numbers of the format: versions, opcodes, types, encodings.

use super::Fault;

/// The bytes of a file's head: a name and digits.
pub const MAGIC_BYTES: usize = 9;
const MAGIC: &[u8] = b"REDIS";
const MAGIC_OF_VALKEY: &[u8] = b"VALKEY";
/// What is written unless the operator wants another.
pub const VERSION_DEFAULT: u8 = 11;
/// The newest version of Redis's that is read: that of Redis 7.4.
pub const VERSION_MAX: u8 = 12;
/// The versions that are written.
pub const VERSIONS_WRITTEN: [u8; 3] = [10, 11, 12];
/// Valkey counts on from here, under a name of its own.
pub const VERSION_OF_VALKEY: u8 = 80;
/// Files end with a checksum since then.
const VERSION_WITH_CHECKSUM: u8 = 5;

/// A slot that is on its way to a node of Valkey's, in Valkey's files alone.
pub const SLOT_IMPORT: u8 = 243;
/// Where a key's slot begins, and how many keys it has.
pub const SLOT_INFO: u8 = 244;
/// A library of functions.
pub const FUNCTION: u8 = 245;
/// The same, as early versions of Redis 7 had it.
pub const FUNCTION_PRE_GA: u8 = 246;
/// What a module keeps besides keys.
pub const MODULE_AUX: u8 = 247;
/// How many seconds ago the next key was used.
pub const IDLE: u8 = 248;
/// How often the next key is used.
pub const FREQ: u8 = 249;
/// A field about the file.
pub const AUX: u8 = 250;
/// How many keys follow, and how many of them expire.
pub const RESIZEDB: u8 = 251;
/// When the next key expires, in milliseconds.
pub const EXPIRETIME_MS: u8 = 252;
/// When the next key expires, in seconds.
pub const EXPIRETIME: u8 = 253;
/// The database of the keys that follow.
pub const SELECTDB: u8 = 254;
/// The end, but for the checksum.
pub const EOF: u8 = 255;
/// No opcode is below, and no type above.
pub const OPCODE_MIN: u8 = 243;

/// Why a value of [`ObjectType::MODULE_PRE_GA`] is refused: nothing says where it ends.
pub const MODULE_PRE_GA_REFUSED: &str = "Pre-release module format not supported";
/// Why [`FUNCTION_PRE_GA`] is refused.
pub const FUNCTION_PRE_GA_REFUSED: &str = "Pre-release function format not supported.";

/// The two top bits of a length's first byte: it holds the length.
pub const LENGTH_6_BIT: u8 = 0;
/// It holds the upper bits, and one byte follows.
pub const LENGTH_14_BIT: u8 = 1;
/// It holds no length, but the form of a string.
pub const LENGTH_ENCODED: u8 = 3;
/// A first byte: four bytes follow, the most significant first.
pub const LENGTH_32_BIT: u8 = 0x80;
/// A first byte: eight bytes follow, the most significant first.
pub const LENGTH_64_BIT: u8 = 0x81;

/// A string in the form of an integer of 1, 2, or 4 bytes, the least significant first.
pub const STRING_INT8: u8 = 0;
/// See [`STRING_INT8`].
pub const STRING_INT16: u8 = 1;
/// See [`STRING_INT8`].
pub const STRING_INT32: u8 = 2;
/// A string that is compressed: both lengths, then the stream.
pub const STRING_LZF: u8 = 3;

/// Strings up to this length are looked at whether they are integers.
pub const INTEGER_CHARS_MAX: usize = 11;
/// Strings up to this length are not compressed.
pub const UNCOMPRESSED_BYTES_MAX: usize = 20;
/// Compression must save so many bytes.
pub const COMPRESSION_BYTES_MIN: usize = 4;

/// Which format a file has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// One of Redis's, up to the newest that is known.
    Redis(u8),
    /// Valkey's, in which some types mean other things.
    Valkey,
}

impl Version {
    /// Reads the head of a file.
    pub fn parse(magic: &[u8; MAGIC_BYTES]) -> Result<Self, Fault> {
        let (digits, is_valkey) = match magic.strip_prefix(MAGIC_OF_VALKEY) {
            Some(digits) => (digits, true),
            None => (magic.strip_prefix(MAGIC).ok_or(Fault::Signature)?, false),
        };
        let number = base::number::parse_u64(strip_zeros(digits)).ok_or(Fault::Signature)?;
        match u8::try_from(number) {
            Ok(VERSION_OF_VALKEY) if is_valkey => Ok(Self::Valkey),
            Ok(number @ 1..=VERSION_MAX) if !is_valkey => Ok(Self::Redis(number)),
            _ => Err(Fault::Version { number, is_valkey }),
        }
    }

    /// Whether a checksum stands at the end.
    pub fn has_checksum(self) -> bool {
        match self {
            Self::Redis(number) => VERSION_WITH_CHECKSUM <= number,
            Self::Valkey => true,
        }
    }
}

/// Returns the head of a file of this version.
pub fn magic(version: u8) -> [u8; MAGIC_BYTES] {
    let text = format!("REDIS{version:04}");
    text.into_bytes().try_into().expect("a version has four digits")
}

fn strip_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros.min(digits.len() - 1)..]
}

/// What a key holds, and in which form: a byte before the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectType(pub u8);

impl ObjectType {
    /// A string.
    pub const STRING: Self = Self(0);
    /// A list, string by string.
    pub const LIST: Self = Self(1);
    /// A set, string by string.
    pub const SET: Self = Self(2);
    /// A sorted set, whose scores are texts.
    pub const ZSET: Self = Self(3);
    /// A hash, string by string.
    pub const HASH: Self = Self(4);
    /// A sorted set, whose scores are binary.
    pub const ZSET_2: Self = Self(5);
    /// A module's value as early versions of Redis 4 had it: it cannot be read past.
    pub const MODULE_PRE_GA: Self = Self(6);
    /// A module's value.
    pub const MODULE_2: Self = Self(7);
    /// A hash in one string, as Redis 2.4 has it.
    pub const HASH_ZIPMAP: Self = Self(9);
    /// A list in one string.
    pub const LIST_ZIPLIST: Self = Self(10);
    /// A set of integers in one string.
    pub const SET_INTSET: Self = Self(11);
    /// A sorted set in one string.
    pub const ZSET_ZIPLIST: Self = Self(12);
    /// A hash in one string.
    pub const HASH_ZIPLIST: Self = Self(13);
    /// A list in several strings, each a ziplist.
    pub const LIST_QUICKLIST: Self = Self(14);
    /// A stream, as Redis 5 has it.
    pub const STREAM_LISTPACKS: Self = Self(15);
    /// A hash in one string.
    pub const HASH_LISTPACK: Self = Self(16);
    /// A sorted set in one string.
    pub const ZSET_LISTPACK: Self = Self(17);
    /// A list in several strings, each a listpack or one element.
    pub const LIST_QUICKLIST_2: Self = Self(18);
    /// A stream, as Redis 7.0 has it.
    pub const STREAM_LISTPACKS_2: Self = Self(19);
    /// A set in one string.
    pub const SET_LISTPACK: Self = Self(20);
    /// A stream, as Redis 7.2 has it.
    pub const STREAM_LISTPACKS_3: Self = Self(21);
    /// A hash whose fields may expire, as candidates of Redis 7.4 have it; a hash whose fields
    /// may expire in Valkey's format.
    pub const HASH_METADATA_PRE_GA: Self = Self(22);
    /// The same in one string.
    pub const HASH_LISTPACK_EX_PRE_GA: Self = Self(23);
    /// A hash whose fields may expire.
    pub const HASH_METADATA: Self = Self(24);
    /// The same in one string.
    pub const HASH_LISTPACK_EX: Self = Self(25);

    /// Whether it is a type that some version of the format has.
    pub fn is_known(self) -> bool {
        self.0 != 8 && self.0 <= Self::HASH_LISTPACK_EX.0
    }

    /// Returns what `redis-check-rdb` calls it.
    pub fn form(self) -> &'static str {
        FORMS.get(usize::from(self.0)).copied().unwrap_or("unknown")
    }

    /// Returns what a person calls it, with an article.
    pub fn noun(self) -> &'static str {
        match self {
            Self::STRING => "a string",
            Self::LIST | Self::LIST_ZIPLIST | Self::LIST_QUICKLIST | Self::LIST_QUICKLIST_2 => {
                "a list"
            }
            Self::SET | Self::SET_INTSET | Self::SET_LISTPACK => "a set",
            Self::ZSET | Self::ZSET_2 | Self::ZSET_ZIPLIST | Self::ZSET_LISTPACK => "a sorted set",
            Self::HASH | Self::HASH_ZIPMAP | Self::HASH_ZIPLIST | Self::HASH_LISTPACK => "a hash",
            Self::HASH_METADATA_PRE_GA
            | Self::HASH_LISTPACK_EX_PRE_GA
            | Self::HASH_METADATA
            | Self::HASH_LISTPACK_EX => "a hash whose fields expire",
            Self::STREAM_LISTPACKS | Self::STREAM_LISTPACKS_2 | Self::STREAM_LISTPACKS_3 => {
                "a stream"
            }
            Self::MODULE_PRE_GA | Self::MODULE_2 => "a value of a module",
            _ => "something unknown",
        }
    }
}

/// Returns the name in a module's number: nine letters of six bits, above ten of a version.
pub fn module_name(number: u64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letter = |at: u32| char::from(LETTERS[(number >> (10 + 6 * (8 - at)) & 63) as usize]);
    (0..9).map(letter).collect()
}

const FORMS: [&str; 26] = [
    "string",
    "list-linked",
    "set-hashtable",
    "zset-v1",
    "hash-hashtable",
    "zset-v2",
    "module-pre-release",
    "module-value",
    "",
    "hash-zipmap",
    "list-ziplist",
    "set-intset",
    "zset-ziplist",
    "hash-ziplist",
    "quicklist",
    "stream",
    "hash-listpack",
    "zset-listpack",
    "quicklist-v2",
    "stream-v2",
    "set-listpack",
    "stream-v3",
    "hash-hashtable-md-pre-release",
    "hash-listpack-md-pre-release",
    "hash-hashtable-md",
    "hash-listpack-md",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_are_known() {
        let parse = |text: &[u8; 9]| Version::parse(text);
        assert_eq!(parse(&magic(11)).unwrap(), Version::Redis(11));
        assert_eq!(parse(b"REDIS0001").unwrap(), Version::Redis(1));
        assert_eq!(parse(b"VALKEY080").unwrap(), Version::Valkey);
        assert!(Version::Redis(5).has_checksum() && !Version::Redis(4).has_checksum());
        for text in [b"REDIS0000", b"REDIS0013", b"REDIS0080", b"VALKEY011", b"VALKEY081"] {
            assert!(matches!(parse(text), Err(Fault::Version { .. })), "{}", text.escape_ascii());
        }
        for text in [b"REDISxxxx", b"redis0011", b"REDIS-001", b"*3\r\n$3\r\nS", b"REDIS\0\0\0\0"] {
            assert!(matches!(parse(text), Err(Fault::Signature)), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn every_type_has_words() {
        for byte in 0..=u8::MAX {
            let object_type = ObjectType(byte);
            assert_eq!(object_type.is_known(), object_type.noun() != "something unknown");
            assert_eq!(object_type.is_known(), !["", "unknown"].contains(&object_type.form()));
        }
    }
}
