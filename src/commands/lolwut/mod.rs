//! Command: LOLWUT: something to look at, and the version.
//!
//! Versions 5 and 6 have a drawing each, whose sizes may be given; whoever asks for another,
//! or for none, is told the version alone. Sizes that make no sense become the nearest that
//! do, so that drawing costs little whatever is asked for.

mod figures;
mod night;

use base::{number::parse_i64, random::Random};

use crate::{
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    version,
};

/// LOLWUT [VERSION version] [argument …]
pub(super) fn lolwut(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let is_asked = 3 <= call.argv.count() && call.arg(1).eq_ignore_ascii_case(b"version");
    let (version, first) = if is_asked { (number(call.arg(2))? as u32, 3) } else { (7, 1) };
    // One is taken for the other where only the lower bits tell them apart, as in Redis.
    let mut sizes = Sizes { call, at: first };
    let mut text = match version {
        5 => figures::draw(sizes.next(66, 1000)?, sizes.next(8, 200)?, sizes.next(12, 200)?),
        6 => night::draw(sizes.next(80, 1000)?, sizes.next(20, 1000)?, &mut Random::from_system()),
        _ => String::new(),
    };
    text.push_str(&format!("Redis ver. {}\n", version::VERSION));
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// The arguments of a drawing, one after the other.
struct Sizes<'a, 'b> {
    call: &'a Call<'b>,
    at: usize,
}

impl Sizes<'_, '_> {
    fn next(&mut self, default: usize, max: usize) -> Result<usize, ReplyError> {
        let Some(text) = self.call.argv.get(self.at) else { return Ok(default) };
        self.at += 1;
        Ok(usize::try_from(number(text)?.max(1)).map_or(max, |size| size.min(max)))
    }
}

fn number(text: &[u8]) -> Result<i64, ReplyError> {
    parse_i64(text).ok_or(ReplyError::NotInteger)
}
