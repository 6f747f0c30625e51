//! Pure: what a client can do wrong, and the words for it: one place for all texts.
//!
//! Texts, prefixes included, are those of Redis 7.2: clients and their libraries parse
//! them. A text may repeat bytes that a client has sent; the writer of replies keeps them
//! on their line.

use std::borrow::Cow;

/// Of a name that means nothing, this much is repeated.
pub const REPEATED_BYTES_MAX: usize = 128;

/// An error reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReplyError {
    /// The key holds another type.
    WrongType,
    /// Not an integer where one is needed.
    NotInteger,
    /// An integer that Redis keeps in 32 bits, and that does not fit.
    NotInI32,
    /// Not a float where one is needed.
    NotFloat,
    /// A sum that no integer holds.
    Overflow,
    /// A decrement that cannot be negated.
    DecrementOverflow,
    /// A float that is none.
    NanOrInfinity,
    /// An option that is none, or stands with another that excludes it.
    Syntax,
    /// There is no such key, and the command wants one.
    NoSuchKey,
    /// An integer that must not be negative is.
    NotPositive(&'static str),
    /// A time to live that is zero, negative or too far away. Names the command.
    InvalidExpire(&'static str),
    /// A place before the start of a string.
    OffsetOutOfRange,
    /// A place in a bitmap that is none.
    BitOffset,
    /// A bit that is neither 0 nor 1.
    BitValue,
    /// A string that would be longer than `proto-max-bulk-len`.
    StringTooLong,
    /// A database that there is not.
    DbOutOfRange,
    /// A database that is no number.
    InvalidDb,
    /// The command may need memory, and there is none.
    OutOfMemory,
    /// The data is not all there yet.
    Loading,
    /// The client must authenticate first.
    NoAuth,
    /// A name or password that is wrong.
    WrongPass,
    /// A protocol that is neither 2 nor 3.
    NoProto,
    /// An unknown subcommand. Names the command and what was asked for.
    UnknownSubcommand(&'static str, Box<[u8]>),
    /// Arguments that are too few or too many. Names the command.
    Arity(Cow<'static, str>),
    /// Any other text, prefix included; one that is said in one place only.
    Text(Cow<'static, str>),
    /// The same, with bytes that a client has sent.
    Bytes(Vec<u8>),
}

impl ReplyError {
    /// Makes an error that is said in one place only.
    pub const fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Makes an error that repeats what a client has sent, between two texts of ours.
    pub fn quoting(head: &str, asked: &[u8], tail: &str) -> Self {
        let mut text = [head.as_bytes(), printed(asked), tail.as_bytes()].concat();
        // Line ends within become spaces where the reply is written; at the end they go.
        while let Some(b'\r' | b'\n') = text.last() {
            text.pop();
        }
        Self::Bytes(text)
    }

    /// Returns the text, prefix included.
    pub fn to_bytes(&self) -> Cow<'static, [u8]> {
        let text = match self {
            Self::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
            Self::NotInteger => "ERR value is not an integer or out of range",
            Self::NotInI32 => {
                "ERR value is out of range, value must between -2147483648 and 2147483647"
            }
            Self::NotFloat => "ERR value is not a valid float",
            Self::Overflow => "ERR increment or decrement would overflow",
            Self::DecrementOverflow => "ERR decrement would overflow",
            Self::NanOrInfinity => "ERR increment would produce NaN or Infinity",
            Self::Syntax => "ERR syntax error",
            Self::NoSuchKey => "ERR no such key",
            Self::OffsetOutOfRange => "ERR offset is out of range",
            Self::BitOffset => "ERR bit offset is not an integer or out of range",
            Self::BitValue => "ERR bit is not an integer or out of range",
            Self::StringTooLong => "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
            Self::DbOutOfRange => "ERR DB index is out of range",
            Self::InvalidDb => "ERR invalid DB index",
            Self::OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.",
            Self::Loading => "LOADING Redis is loading the dataset in memory",
            Self::NoAuth => "NOAUTH Authentication required.",
            Self::WrongPass => "WRONGPASS invalid username-password pair or user is disabled.",
            Self::NoProto => "NOPROTO unsupported protocol version",
            Self::Text(Cow::Borrowed(text)) => text,
            Self::Text(Cow::Owned(text)) => return Cow::Owned(text.clone().into_bytes()),
            Self::Bytes(bytes) => return Cow::Owned(bytes.clone()),
            Self::NotPositive(what) => {
                let text = format!("ERR {what} is out of range, must be positive");
                return Cow::Owned(text.into_bytes());
            }
            Self::InvalidExpire(command) => {
                let text = format!("ERR invalid expire time in '{command}' command");
                return Cow::Owned(text.into_bytes());
            }
            Self::Arity(command) => {
                let text = format!("ERR wrong number of arguments for '{command}' command");
                return Cow::Owned(text.into_bytes());
            }
            Self::UnknownSubcommand(command, asked) => {
                let head = b"ERR unknown subcommand '";
                let tail = format!("'. Try {} HELP.", command.to_ascii_uppercase());
                let asked = printed(&asked[..asked.len().min(REPEATED_BYTES_MAX)]);
                return Cow::Owned([&head[..], asked, tail.as_bytes()].concat());
            }
        };
        Cow::Borrowed(text.as_bytes())
    }
}

/// Cuts a text where C, which Redis writes its errors with, would end it.
pub fn printed(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::ReplyError;

    #[test]
    fn what_is_repeated_is_what_redis_would_print() {
        let text = |asked| ReplyError::quoting("ERR no ", asked, "").to_bytes().into_owned();
        assert_eq!(text(b"a\0b"), b"ERR no a");
        assert_eq!(text(b"a\r\nb\r\n"), b"ERR no a\r\nb");
        assert_eq!(text(b""), b"ERR no ");
    }
}
