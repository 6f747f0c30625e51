//! Command: what those share that take elements off an end of a list or a sorted set: how many
//! are wanted, of which of several keys, and what happens if there are none.

use base::number::{parse_i64, write_i64};

use crate::{
    blocking::Wanted,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Reads how many elements are wanted. More than there can be is as good as all.
pub(super) fn parse_count(text: &[u8]) -> Result<usize, ReplyError> {
    let count = parse_i64(text).filter(|count| 0 <= *count);
    let count = count.ok_or(ReplyError::NotPositive("value"))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// What LMPOP and ZMPOP take, and of which keys.
pub(super) struct ManyArgs<E> {
    /// Where the first key stands.
    keys_at: usize,
    key_count: usize,
    pub(super) end: E,
    pub(super) count: usize,
}

impl<E> ManyArgs<E> {
    /// Reads what stands from the number of keys on, which is at `at`.
    pub(super) fn parse(
        call: &Call<'_>,
        at: usize,
        parse_end: impl Fn(&[u8]) -> Result<E, ReplyError>,
    ) -> Result<Self, ReplyError> {
        let key_count = parse_from_one(call.arg(at));
        let key_count =
            key_count.ok_or(ReplyError::text("ERR numkeys should be greater than 0"))?;
        let end_at = key_count.checked_add(at + 1).ok_or(ReplyError::Syntax)?;
        let end = parse_end(call.argv.get(end_at).ok_or(ReplyError::Syntax)?)?;
        let mut count = None;
        let mut words = call.argv.from(end_at + 1);
        while let Some(word) = words.next() {
            if count.is_some() || !word.eq_ignore_ascii_case(b"count") {
                return Err(ReplyError::Syntax);
            }
            let number = parse_from_one(words.next().ok_or(ReplyError::Syntax)?);
            count = Some(number.ok_or(ReplyError::text("ERR count should be greater than 0"))?);
        }
        Ok(Self { keys_at: at + 1, key_count, end, count: count.unwrap_or(1) })
    }

    /// Returns the keys.
    pub(super) fn keys<'a>(
        &self,
        call: &Call<'a>,
    ) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a, E> {
        call.argv.from(self.keys_at).take(self.key_count)
    }
}

fn parse_from_one(text: &[u8]) -> Option<usize> {
    let number = parse_i64(text).filter(|number| 0 < *number)?;
    usize::try_from(number).ok()
}

/// Lets others repeat it as the command that takes so many elements of one key.
pub(super) fn propagate_as_pop(
    server: &mut Server,
    call: &mut Call<'_>,
    name: &[u8],
    key: &[u8],
    count: usize,
) {
    let mut digits = Vec::new();
    write_i64(&mut digits, i64::try_from(count).expect("elements take memory"));
    call.propagate_as(server, &[name, key, &digits]);
}

/// Lets the client wait for something to be in one of these keys, or answers that there is
/// nothing.
pub(super) fn wait_or_answer_none<'k>(
    call: &mut Call<'_>,
    keys: impl Iterator<Item = &'k [u8]>,
    wanted: Wanted,
    until_ms: Option<i64>,
) -> CommandResult {
    if !call.wait_for(keys, wanted, until_ms) {
        call.reply.null_array();
    }
    Ok(())
}
