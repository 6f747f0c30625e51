//! Command: strings as bitmaps. Single bits are here, ranges and combinations in `range.rs`,
//! integers of any width in `field.rs`.

mod field;
mod range;

use base::number::parse_i64;

use crate::{
    error::ReplyError,
    keyspace::{Event, Look, Text},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

pub(super) use self::{
    field::{bitfield, bitfield_ro},
    range::{bitcount, bitop, bitpos},
};

/// Where a bit stands: the first of a byte is its highest.
struct BitOffset {
    byte: usize,
    shift: u32,
}

impl BitOffset {
    fn parse(server: &Server, text: &[u8]) -> Result<Self, ReplyError> {
        let offset = check_offset(server, parse_i64(text))?;
        let byte = usize::try_from(offset >> 3).map_err(|_| ReplyError::BitOffset)?;
        Ok(Self { byte, shift: 7 - (offset & 7) as u32 })
    }
}

/// Takes an offset if a string could have a bit there.
fn check_offset(server: &Server, offset: Option<i64>) -> Result<u64, ReplyError> {
    let offset = offset.and_then(|offset| u64::try_from(offset).ok());
    let bytes_max = server.config.limits.proto_max_bulk_len as u64;
    offset.filter(|offset| offset >> 3 < bytes_max).ok_or(ReplyError::BitOffset)
}

/// SETBIT key offset value
pub(super) fn setbit(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let BitOffset { byte, shift } = BitOffset::parse(server, call.arg(2))?;
    let bit = match parse_i64(call.arg(3)) {
        Some(0) => 0,
        Some(1) => 1,
        _ => return Err(ReplyError::BitValue),
    };
    let mut entry = server.keyspace.text_entry(db, key, Look::Write)?;
    let length = entry.text().map_or(0, |text| text.bytes().len());
    let place = &mut entry.grow(byte + 1)[byte];
    let before = *place >> shift & 1;
    if before != bit || length <= byte {
        *place = *place & !(1 << shift) | bit << shift;
        server.keyspace.written(db, key, Event::string("setbit"));
    }
    call.reply.count(usize::from(before));
    Ok(())
}

/// GETBIT key offset
pub(super) fn getbit(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let BitOffset { byte, shift } = BitOffset::parse(server, call.arg(2))?;
    let text = server.keyspace.read_text(call.db(), call.arg(1))?;
    let bytes = text.map_or(&[][..], Text::bytes);
    let bit = bytes.get(byte).map_or(0, |byte| byte >> shift & 1);
    call.reply.count(usize::from(bit));
    Ok(())
}
