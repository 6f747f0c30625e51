//! Pure: replies as values: the decoder for tools, tests and scripts.
//!
//! Bytes come in pieces of any size; each is looked at once. Aggregates that are still
//! open wait on a stack instead of in recursion, and a long string moves straight into
//! the value it will be. Nothing is allocated for what a peer has only announced: a
//! length is believed as its bytes come, within `Limits`. A `Decoder` that has returned
//! an error returns it for ever, for the stream has lost its frame.
//!
//! Deliberately absent: streamed strings and aggregates (`$?`, `*?`), which no server
//! sends.

use std::fmt;
use std::mem;

use base::number::parse_i64;

/// Room for elements that is made before they come.
const ELEMENTS_AHEAD: usize = 64;
/// Room for a string that is made before it comes.
const STRING_BYTES_AHEAD: usize = 64 * 1024;
/// What a double may take, its sign and digits in full.
const DOUBLE_BYTES_MAX: usize = 325;
/// The shortest element on the wire: a null.
const ELEMENT_BYTES_MIN: usize = 3;
/// Consumed bytes that may lie before the unread ones until they are cleared away.
const CONSUMED_BYTES_MAX: usize = 16 * 1024;

/// One reply.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A missing string, a missing array or RESP3's null.
    Null,
    /// A status.
    Simple(Vec<u8>),
    /// An error, prefix included; RESP3's bulk errors too.
    Error(Vec<u8>),
    /// An integer.
    Integer(i64),
    /// A string.
    Bulk(Vec<u8>),
    /// An array.
    Array(Vec<Self>),
    /// A boolean.
    Boolean(bool),
    /// A double and the text it came as.
    Double(f64, Box<[u8]>),
    /// The decimal digits of an integer of any size, with its sign.
    BigNumber(Vec<u8>),
    /// A string for people, and its format (`txt`, `mkd`).
    Verbatim([u8; 3], Box<[u8]>),
    /// A map in the order it came.
    Map(Vec<(Self, Self)>),
    /// A set in the order it came.
    Set(Vec<Self>),
    /// A message that answers no request.
    Push(Vec<Self>),
    /// A value and what is to be known about it beside.
    Attributed(Box<(Vec<(Self, Self)>, Self)>),
}

impl Value {
    /// Drops the attributes of the value itself; those of its elements stay.
    pub fn without_attributes(mut self) -> Self {
        while let Self::Attributed(pair) = self {
            self = pair.1;
        }
        self
    }

    /// Returns the bytes of a string, status, error or verbatim string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Error(text) | Self::Bulk(text) => Some(text),
            Self::Verbatim(_, text) => Some(text),
            _ => None,
        }
    }

    /// Returns the elements of an array, a set or a push.
    pub fn elements(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) | Self::Set(elements) | Self::Push(elements) => Some(elements),
            _ => None,
        }
    }
}

/// What one reply may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Aggregates inside each other.
    pub depth_max: usize,
    /// Bytes on the wire.
    pub bytes_max: usize,
}

impl Default for Limits {
    /// Enough for any reply of a server to a command of ordinary size.
    fn default() -> Self {
        Self { depth_max: 128, bytes_max: 1024 * 1024 * 1024 }
    }
}

/// What makes a peer's bytes no reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// A reply begins with this byte.
    UnknownType(u8),
    /// An integer is none, or out of range.
    Integer,
    /// A double is none.
    Double,
    /// A boolean is neither `t` nor `f`.
    Boolean,
    /// A null has contents.
    Null,
    /// A big number has something else than digits.
    BigNumber,
    /// A status or an error holds a line break.
    Simple,
    /// The length of a string is no number.
    BulkLength,
    /// The length of a string is below -1.
    BulkRange,
    /// A string does not end where it said.
    BulkEnd,
    /// A verbatim string without its format.
    Verbatim,
    /// The length of an aggregate is no number.
    AggregateLength,
    /// The length of an aggregate is below -1, or more than there can be.
    AggregateRange,
    /// More aggregates inside each other than `Limits` allows.
    TooDeep,
    /// More bytes than `Limits` allows.
    TooBig,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownType(byte) => {
                let shown = match byte {
                    b'\\' | b'"' => format!("\\{}", char::from(*byte)),
                    b'\n' => "\\n".to_owned(),
                    b'\r' => "\\r".to_owned(),
                    b'\t' => "\\t".to_owned(),
                    7 => "\\a".to_owned(),
                    8 => "\\b".to_owned(),
                    b' '..=b'~' => char::from(*byte).to_string(),
                    _ => format!("\\x{byte:02x}"),
                };
                return write!(f, "Protocol error, got \"{shown}\" as reply type byte");
            }
            Self::Integer => "Bad integer value",
            Self::Double => "Bad double value",
            Self::Boolean => "Bad bool value",
            Self::Null => "Bad nil value",
            Self::BigNumber => "Bad bignum value",
            Self::Simple => "Bad simple string value",
            Self::BulkLength => "Bad bulk string length",
            Self::BulkRange => "Bulk string length out of range",
            Self::BulkEnd => "Bulk string is longer than its length",
            Self::Verbatim => {
                "Verbatim string 4 bytes of content type are missing or incorrectly encoded."
            }
            Self::AggregateLength => "Bad multi-bulk length",
            Self::AggregateRange => "Multi-bulk length out of range",
            Self::TooDeep => "Reply is nested too deeply",
            Self::TooBig => "Reply is too big",
        })
    }
}

impl std::error::Error for DecodeError {}

/// Makes values of what a server sends.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    buffer: Vec<u8>,
    /// What of `buffer` is done with.
    at: usize,
    /// What of the unread line holds no line end.
    scanned: usize,
    /// Wire bytes of the present reply.
    reply_bytes: usize,
    /// Aggregates that miss elements, the outermost first.
    open: Vec<Aggregate>,
    string: Option<PartialString>,
    failure: Option<DecodeError>,
}

#[derive(Debug)]
struct Aggregate {
    kind: Kind,
    /// Never zero: who misses none is closed.
    missing: usize,
    elements: Vec<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Array,
    Map,
    Set,
    Push,
    Attribute,
}

#[derive(Debug)]
struct PartialString {
    sigil: u8,
    missing: usize,
    data: Vec<u8>,
}

impl Decoder {
    /// Makes a decoder with limits of its own.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes what has come.
    pub fn feed(&mut self, data: &[u8]) {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        } else if CONSUMED_BYTES_MAX < self.at {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(data);
    }

    /// Returns the next reply, or `None` if it has not come whole.
    pub fn advance(&mut self) -> Result<Option<Value>, DecodeError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let outcome = self.decode();
        match &outcome {
            Ok(Some(_)) => self.reply_bytes = 0,
            Ok(None) => (),
            Err(failure) => {
                *self = Self { limits: self.limits, failure: Some(*failure), ..Self::default() }
            }
        }
        outcome
    }

    /// Whether a reply has begun to come.
    pub fn is_within_reply(&self) -> bool {
        self.at < self.buffer.len() || 0 < self.reply_bytes
    }

    fn decode(&mut self) -> Result<Option<Value>, DecodeError> {
        loop {
            let Some(item) = self.item()? else { return Ok(None) };
            if let Some(value) = self.place(item)? {
                return Ok(Some(value));
            }
        }
    }

    /// Puts a value where it belongs; returns it if it is the whole reply.
    fn place(&mut self, mut value: Value) -> Result<Option<Value>, DecodeError> {
        loop {
            let Some(innermost) = self.open.last_mut() else { return Ok(Some(value)) };
            innermost.elements.push(value);
            innermost.missing -= 1;
            if 0 < innermost.missing {
                return Ok(None);
            }
            let closed = self.open.pop().expect("the innermost is there");
            value = closed.into_value();
        }
    }

    /// Returns the next value that is complete by itself. Aggregates are opened on the way.
    fn item(&mut self) -> Result<Option<Value>, DecodeError> {
        loop {
            if self.string.is_some() {
                return self.string();
            }
            let Some((start, end)) = self.line()? else { return Ok(None) };
            let (sigil, text) = match &self.buffer[start..end] {
                [sigil, text @ ..] => (*sigil, text),
                [] => return Err(DecodeError::UnknownType(b'\r')),
            };
            let kind = match sigil {
                b'*' => Kind::Array,
                b'%' => Kind::Map,
                b'~' => Kind::Set,
                b'>' => Kind::Push,
                b'|' => Kind::Attribute,
                b'$' | b'=' | b'!' => {
                    let bytes = parse_i64(text).ok_or(DecodeError::BulkLength)?;
                    if bytes == -1 {
                        return Ok(Some(Value::Null));
                    }
                    let bytes = usize::try_from(bytes).map_err(|_| DecodeError::BulkRange)?;
                    if self.limits.bytes_max - self.reply_bytes < bytes {
                        return Err(DecodeError::TooBig);
                    }
                    let data = Vec::with_capacity(bytes.min(STRING_BYTES_AHEAD));
                    self.string = Some(PartialString { sigil, missing: bytes, data });
                    continue;
                }
                _ => return line_value(sigil, text).map(Some),
            };
            let count = parse_i64(text).ok_or(DecodeError::AggregateLength)?;
            if count == -1 && kind != Kind::Attribute {
                return Ok(Some(Value::Null));
            }
            if let Some(value) = self.open_aggregate(kind, count)? {
                return Ok(Some(value));
            }
        }
    }

    fn open_aggregate(&mut self, kind: Kind, count: i64) -> Result<Option<Value>, DecodeError> {
        let count = usize::try_from(count).ok();
        let missing = count.and_then(|count| match kind {
            Kind::Map => count.checked_mul(2),
            // The value that the attributes belong to comes right behind them.
            Kind::Attribute => count.checked_mul(2)?.checked_add(1),
            _ => Some(count),
        });
        let missing = missing.ok_or(DecodeError::AggregateRange)?;
        if (self.limits.bytes_max - self.reply_bytes) / ELEMENT_BYTES_MIN < missing {
            return Err(DecodeError::TooBig);
        }
        let elements = Vec::with_capacity(missing.min(ELEMENTS_AHEAD));
        let aggregate = Aggregate { kind, missing, elements };
        if missing == 0 {
            return Ok(Some(aggregate.into_value()));
        }
        if self.open.len() == self.limits.depth_max {
            return Err(DecodeError::TooDeep);
        }
        self.open.push(aggregate);
        Ok(None)
    }

    /// Goes on with a string; what has come of it leaves the buffer at once.
    fn string(&mut self) -> Result<Option<Value>, DecodeError> {
        let Some(string) = &mut self.string else { return Ok(None) };
        let unread = &self.buffer[self.at..];
        let bytes = string.missing.min(unread.len());
        string.data.extend_from_slice(&unread[..bytes]);
        string.missing -= bytes;
        self.at += bytes;
        self.reply_bytes += bytes;
        let end = &self.buffer[self.at..];
        if 0 < string.missing || end.len() < 2 {
            return Ok(None);
        }
        if !end.starts_with(b"\r\n") {
            return Err(DecodeError::BulkEnd);
        }
        self.at += 2;
        let data = mem::take(&mut string.data);
        let value = match string.sigil {
            b'$' => Value::Bulk(data),
            b'!' => Value::Error(data),
            _ => match data.split_first_chunk::<3>() {
                Some((format, [b':', text @ ..])) => Value::Verbatim(*format, text.into()),
                _ => return Err(DecodeError::Verbatim),
            },
        };
        self.string = None;
        Ok(Some(value))
    }

    /// Returns where the next line is, without its end.
    fn line(&mut self) -> Result<Option<(usize, usize)>, DecodeError> {
        let unread = &self.buffer[self.at..];
        if let Some(sigil) = unread.first().filter(|sigil| !b"*%~>|$=!+-:,#_(".contains(sigil)) {
            return Err(DecodeError::UnknownType(*sigil));
        }
        let unseen = &unread[self.scanned..];
        let end = memchr::memmem::find(unseen, b"\r\n").map(|offset| self.scanned + offset);
        let used = self.reply_bytes + end.unwrap_or(unread.len());
        if self.limits.bytes_max < used {
            return Err(DecodeError::TooBig);
        }
        let Some(length) = end else {
            // A return at the very end may be half of the line's end.
            self.scanned = unread.len().saturating_sub(1);
            return Ok(None);
        };
        let start = self.at;
        self.at += length + 2;
        self.reply_bytes = used;
        self.scanned = 0;
        Ok(Some((start, start + length)))
    }
}

impl Aggregate {
    fn into_value(self) -> Value {
        let mut elements = self.elements;
        match self.kind {
            Kind::Array => Value::Array(elements),
            Kind::Set => Value::Set(elements),
            Kind::Push => Value::Push(elements),
            Kind::Map => Value::Map(into_pairs(elements)),
            Kind::Attribute => {
                let value = elements.pop().expect("an attribute's value ends it");
                Value::Attributed(Box::new((into_pairs(elements), value)))
            }
        }
    }
}

fn into_pairs(elements: Vec<Value>) -> Vec<(Value, Value)> {
    let mut pairs = Vec::with_capacity(elements.len() / 2);
    let mut elements = elements.into_iter();
    while let (Some(key), Some(value)) = (elements.next(), elements.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn line_value(sigil: u8, text: &[u8]) -> Result<Value, DecodeError> {
    match sigil {
        b'+' | b'-' => {
            if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                return Err(DecodeError::Simple);
            }
            Ok(if sigil == b'+' { Value::Simple(text.into()) } else { Value::Error(text.into()) })
        }
        b':' => parse_i64(text).map(Value::Integer).ok_or(DecodeError::Integer),
        b',' => parse_double(text).ok_or(DecodeError::Double),
        b'#' => match text {
            b"t" | b"T" => Ok(Value::Boolean(true)),
            b"f" | b"F" => Ok(Value::Boolean(false)),
            _ => Err(DecodeError::Boolean),
        },
        b'_' if text.is_empty() => Ok(Value::Null),
        b'_' => Err(DecodeError::Null),
        b'(' => {
            let digits = text.strip_prefix(b"-").unwrap_or(text);
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return Err(DecodeError::BigNumber);
            }
            Ok(Value::BigNumber(text.into()))
        }
        _ => Err(DecodeError::UnknownType(sigil)),
    }
}

fn parse_double(text: &[u8]) -> Option<Value> {
    if DOUBLE_BYTES_MAX < text.len() {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let number = match lower.as_slice() {
        b"inf" => f64::INFINITY,
        b"-inf" => f64::NEG_INFINITY,
        b"nan" | b"-nan" => f64::NAN,
        _ => std::str::from_utf8(text).ok()?.parse().ok().filter(|n: &f64| n.is_finite())?,
    };
    Some(Value::Double(number, text.into()))
}

#[cfg(test)]
mod tests;
