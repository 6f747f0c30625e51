//! Command: integers of any width in strings: BITFIELD, BITFIELD_RO.
//!
//! All is parsed before anything is looked at: one bad word, and nothing has changed. The
//! string then grows once, to the last bit that any of the operations writes.

use base::number::parse_i64;
use ds::bits::{Integer, Overflow};
use resp::Reply;

use crate::{
    commands::bitmap::check_offset,
    error::ReplyError,
    keyspace::{Event, Look, Text},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

const BAD_TYPE: ReplyError = ReplyError::text(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but \
     i64 is.",
);
const BAD_OVERFLOW: ReplyError = ReplyError::text("ERR Invalid OVERFLOW type specified");
const ONLY_GET: ReplyError = ReplyError::text("ERR BITFIELD_RO only supports the GET subcommand");

/// One of the things that a command does.
struct Operation {
    kind: Integer,
    offset: u64,
    does: Does,
}

enum Does {
    Get,
    Set(i64, Overflow),
    IncreaseBy(i64, Overflow),
}

/// All that a command does.
struct Operations {
    list: Vec<Operation>,
    /// As long must the string be, if anything is written.
    bytes_written: Option<usize>,
}

impl Operations {
    fn parse(server: &Server, call: &Call<'_>) -> Result<Self, ReplyError> {
        let mut operations = Self { list: Vec::new(), bytes_written: None };
        let (mut at, mut overflow) = (2, Overflow::Wrap);
        while at < call.argv.count() {
            let arguments = call.argv.count() - at - 1;
            let is = |name: &str| call.arg(at).eq_ignore_ascii_case(name.as_bytes());
            if is("overflow") && 1 <= arguments {
                overflow = parse_overflow(call.arg(at + 1))?;
                at += 2;
                continue;
            }
            let writes = is("set") || is("incrby");
            if !(is("get") && 2 <= arguments || writes && 3 <= arguments) {
                return Err(ReplyError::Syntax);
            }
            let kind = parse_type(call.arg(at + 1))?;
            let offset = parse_offset(server, call.arg(at + 2), kind)?;
            let does = match writes {
                false => Does::Get,
                true => {
                    let value = parse_i64(call.arg(at + 3)).ok_or(ReplyError::NotInteger)?;
                    operations.reach(offset, kind);
                    match is("set") {
                        true => Does::Set(value, overflow),
                        false => Does::IncreaseBy(value, overflow),
                    }
                }
            };
            operations.list.push(Operation { kind, offset, does });
            at += if writes { 4 } else { 3 };
        }
        Ok(operations)
    }

    fn reach(&mut self, offset: u64, kind: Integer) {
        let end = (offset + u64::from(kind.bits())).div_ceil(8);
        let end = usize::try_from(end).expect("an offset that was checked");
        self.bytes_written = self.bytes_written.max(Some(end));
    }
}

/// BITFIELD key [GET encoding offset | [OVERFLOW WRAP|SAT|FAIL] SET encoding offset value |
/// [OVERFLOW WRAP|SAT|FAIL] INCRBY encoding offset increment …]
pub(in crate::commands) fn bitfield(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let operations = Operations::parse(server, call)?;
    let Some(length) = operations.bytes_written else {
        return only_get(server, call, &operations.list);
    };
    let (db, key) = (call.db(), call.arg(1));
    let mut entry = server.keyspace.text_entry(db, key, Look::Write)?;
    let has_grown = entry.text().is_none_or(|text| text.bytes().len() < length);
    let bytes = entry.grow(length);
    let mut changes = 0;
    call.reply.array(operations.list.len());
    for operation in &operations.list {
        let has_changed = operation.carry_out(bytes, call.reply);
        changes += u64::from(has_changed == Some(true) || has_changed.is_some() && has_grown);
    }
    if changes != 0 {
        server.keyspace.written(db, key, Event::string("setbit"));
        server.keyspace.dirty += changes - 1;
    } else if has_grown {
        // All has overflowed and failed, and yet there are zeros that were not there.
        server.keyspace.changed(db, key);
        server.keyspace.dirty += 1;
    }
    Ok(())
}

/// BITFIELD_RO key [GET encoding offset …]
pub(in crate::commands) fn bitfield_ro(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let operations = Operations::parse(server, call)?;
    if operations.bytes_written.is_some() {
        return Err(ONLY_GET);
    }
    only_get(server, call, &operations.list)
}

fn only_get(server: &mut Server, call: &mut Call<'_>, list: &[Operation]) -> CommandResult {
    let text = server.keyspace.read_text(call.db(), call.arg(1))?;
    let bytes = text.map_or(&[][..], Text::bytes);
    call.reply.array(list.len());
    for Operation { kind, offset, .. } in list {
        call.reply.integer(kind.read(bytes, *offset));
    }
    Ok(())
}

impl Operation {
    /// Replies, and says whether what was written is something else than what was there; none
    /// if nothing was written.
    fn carry_out(&self, bytes: &mut [u8], reply: &mut Reply) -> Option<bool> {
        let Self { kind, offset, does } = self;
        let before = kind.read(bytes, *offset);
        let after = match does {
            Does::Get => {
                reply.integer(before);
                return None;
            }
            Does::Set(value, overflow) => kind.convert(*value, *overflow),
            Does::IncreaseBy(more, overflow) => kind.add(before, *more, *overflow),
        };
        let Some(after) = after else {
            reply.null();
            return None;
        };
        kind.write(bytes, *offset, after);
        reply.integer(if let Does::Set(..) = does { before } else { after });
        Some(before != after)
    }
}

fn parse_overflow(text: &[u8]) -> Result<Overflow, ReplyError> {
    match text {
        _ if text.eq_ignore_ascii_case(b"wrap") => Ok(Overflow::Wrap),
        _ if text.eq_ignore_ascii_case(b"sat") => Ok(Overflow::Saturate),
        _ if text.eq_ignore_ascii_case(b"fail") => Ok(Overflow::Fail),
        _ => Err(BAD_OVERFLOW),
    }
}

fn parse_type(text: &[u8]) -> Result<Integer, ReplyError> {
    let (is_signed, bits) = match text {
        [b'i', bits @ ..] => (true, bits),
        [b'u', bits @ ..] => (false, bits),
        _ => return Err(BAD_TYPE),
    };
    parse_i64(bits).and_then(|bits| Integer::new(is_signed, bits)).ok_or(BAD_TYPE)
}

/// Reads where an integer begins: a bit, or after `#` how many of its type stand before it.
fn parse_offset(server: &Server, text: &[u8], kind: Integer) -> Result<u64, ReplyError> {
    let offset = match text {
        // What no number holds is no offset; Redis would take what is left of the product.
        [b'#', index @ ..] => {
            parse_i64(index).and_then(|index| index.checked_mul(i64::from(kind.bits())))
        }
        _ => parse_i64(text),
    };
    check_offset(server, offset)
}
