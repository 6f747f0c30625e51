//! Command: `FIELDS numfields field …`, with which the newer commands of hashes end, and times at
//! which fields expire.

use base::number::parse_i64;
use resp::Argv;

use crate::error::ReplyError;

/// No field can expire later.
const EXPIRY_MS_MAX: i64 = 0xFFFF_FFFF_FFFF >> 2;

const NO_FIELDS: ReplyError =
    ReplyError::text("ERR Mandatory argument FIELDS is missing or not at the right position");
const WRONG_COUNT: ReplyError =
    ReplyError::text("ERR The `numfields` parameter must match the number of arguments");
/// What most commands say of a number of fields that is none.
pub(super) const NOT_POSITIVE: ReplyError =
    ReplyError::text("ERR Number of fields must be a positive integer");

/// Returns what stands behind `FIELDS numfields`, which is at `at`: so many times `stride`
/// arguments, all there are. `wrong_number` is said of a number that is none.
pub(super) fn parse_fields<'a>(
    argv: Argv<'a>,
    at: usize,
    stride: usize,
    wrong_number: ReplyError,
) -> Result<Argv<'a>, ReplyError> {
    let is_there = |word: &&[u8]| word.eq_ignore_ascii_case(b"fields");
    argv.get(at).filter(is_there).ok_or(NO_FIELDS)?;
    let number = argv.get(at + 1).and_then(parse_i64).filter(|number| 0 < *number);
    let number = usize::try_from(number.ok_or(wrong_number)?).unwrap_or(usize::MAX);
    let fields = argv.tail(at + 2);
    if number.checked_mul(stride) == Some(fields.count()) { Ok(fields) } else { Err(WRONG_COUNT) }
}

/// What a number that says when fields expire counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// Reads when fields expire: `base_ms` is what the number counts from.
pub(super) fn parse_moment(
    text: &[u8],
    unit: Unit,
    base_ms: i64,
    command: &'static str,
) -> Result<i64, ReplyError> {
    let number = parse_i64(text).ok_or(ReplyError::NotInteger)?;
    if number < 0 {
        return Err(ReplyError::text("ERR invalid expire time, must be >= 0"));
    }
    let factor = if unit == Unit::Seconds { 1000 } else { 1 };
    let moment = number.checked_mul(factor).and_then(|ms| ms.checked_add(base_ms));
    moment.filter(|ms| *ms <= EXPIRY_MS_MAX).ok_or(ReplyError::InvalidExpire(command))
}

/// When fields expire, as HGETEX and HSETEX are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment<'a> {
    /// So much from now.
    In(Unit, &'a [u8]),
    /// At a time.
    At(Unit, &'a [u8]),
    /// Never (PERSIST), or as before (KEEPTTL).
    Named,
}

impl<'a> Moment<'a> {
    /// Takes a word, and the number that follows it, if it is one of these; `name` is the one
    /// without a number.
    pub(super) fn parse(
        word: &[u8],
        name: &[u8],
        words: &mut impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, ReplyError> {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let make = match () {
            () if is(name) => return Ok(Some(Self::Named)),
            () if is(b"ex") => |number| Self::In(Unit::Seconds, number),
            () if is(b"px") => |number| Self::In(Unit::Milliseconds, number),
            () if is(b"exat") => |number| Self::At(Unit::Seconds, number),
            () if is(b"pxat") => |number| Self::At(Unit::Milliseconds, number),
            () => return Ok(None),
        };
        words.next().map(make).map(Some).ok_or(ReplyError::Syntax)
    }

    /// Returns the time, if it is one.
    pub(super) fn at_ms(
        self,
        now_ms: i64,
        command: &'static str,
    ) -> Result<Option<i64>, ReplyError> {
        match self {
            Self::In(unit, number) => parse_moment(number, unit, now_ms, command).map(Some),
            Self::At(unit, number) => parse_moment(number, unit, 0, command).map(Some),
            Self::Named => Ok(None),
        }
    }
}
