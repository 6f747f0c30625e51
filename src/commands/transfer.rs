//! Command: keys that change their names and places: RENAME, COPY, MOVE, SWAPDB.

use base::number::parse_i64;

use crate::{
    error::ReplyError,
    keyspace::{Event, Keyspace, Look},
    server::{
        Server,
        call::{Call, CommandResult},
        flush,
    },
};

const SAME_OBJECT: ReplyError = ReplyError::text("ERR source and destination objects are the same");

/// RENAME key newkey
pub(super) fn rename(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    rename_to(server, call, true)?;
    call.reply.ok();
    Ok(())
}

/// RENAMENX key newkey
pub(super) fn renamenx(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let is_renamed = rename_to(server, call, false)?;
    call.reply.count(usize::from(is_renamed));
    Ok(())
}

fn rename_to(server: &mut Server, call: &Call<'_>, replaces: bool) -> Result<bool, ReplyError> {
    let (db, from, to) = (call.db(), call.arg(1), call.arg(2));
    let keyspace = &mut server.keyspace;
    if !keyspace.touch(db, from, Look::Write) {
        return Err(ReplyError::NoSuchKey);
    }
    if from == to {
        return Ok(false);
    }
    if keyspace.touch(db, to, Look::Write) && !replaces {
        return Ok(false);
    }
    keyspace.transfer((db, from), (db, to));
    moved(keyspace, (db, from), (db, to), ["rename_from", "rename_to"]);
    Ok(true)
}

/// MOVE key db
pub(super) fn move_key(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let keyspace = &mut server.keyspace;
    let other = parse_db(keyspace, call.arg(2))?;
    if other == db {
        return Err(SAME_OBJECT);
    }
    let moves = keyspace.touch(db, key, Look::Write) && !keyspace.touch(other, key, Look::Write);
    if moves {
        keyspace.transfer((db, key), (other, key));
        moved(keyspace, (db, key), (other, key), ["move_from", "move_to"]);
    }
    call.reply.count(usize::from(moves));
    Ok(())
}

/// Two keys have changed, and it is one change.
fn moved(
    keyspace: &mut Keyspace,
    from: (usize, &[u8]),
    to: (usize, &[u8]),
    [gone, come]: [&'static str; 2],
) {
    keyspace.changed(from.0, from.1);
    keyspace.changed(to.0, to.1);
    keyspace.noted(from.0, from.1, Event::generic(gone));
    keyspace.noted(to.0, to.1, Event::generic(come));
    keyspace.dirty += 1;
}

/// COPY source destination [DB destination-db] [REPLACE]
pub(super) fn copy(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, from, to) = (call.db(), call.arg(1), call.arg(2));
    let keyspace = &mut server.keyspace;
    let (mut other, mut replaces) = (db, false);
    let mut words = call.argv.from(3);
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"replace") {
            replaces = true;
        } else if word.eq_ignore_ascii_case(b"db") {
            other = parse_db(keyspace, words.next().ok_or(ReplyError::Syntax)?)?;
        } else {
            return Err(ReplyError::Syntax);
        }
    }
    if (db, from) == (other, to) {
        return Err(SAME_OBJECT);
    }
    let copies = keyspace.touch(db, from, Look::Read)
        && (!keyspace.touch(other, to, Look::Write) || replaces);
    if copies {
        keyspace.copy((db, from), (other, to));
        keyspace.written(other, to, Event::generic("copy_to"));
    }
    call.reply.count(usize::from(copies));
    Ok(())
}

fn parse_db(keyspace: &Keyspace, text: &[u8]) -> Result<usize, ReplyError> {
    let number = parse_i64(text).ok_or(ReplyError::NotInteger)?;
    let number = i32::try_from(number).map_err(|_| ReplyError::NotInI32)?;
    db_of(keyspace, number)
}

fn db_of(keyspace: &Keyspace, number: i32) -> Result<usize, ReplyError> {
    let db = usize::try_from(number).ok().filter(|db| *db < keyspace.db_count());
    db.ok_or(ReplyError::DbOutOfRange)
}

/// SWAPDB index1 index2
pub(super) fn swapdb(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let parse = |at: usize, wrong: ReplyError| {
        let number = parse_i64(call.arg(at)).and_then(|number| i32::try_from(number).ok());
        number.ok_or(wrong)
    };
    let first = parse(1, ReplyError::text("ERR invalid first DB index"))?;
    let second = parse(2, ReplyError::text("ERR invalid second DB index"))?;
    let (first, second) = (db_of(&server.keyspace, first)?, db_of(&server.keyspace, second)?);
    flush::swap(server, first, second);
    server.keyspace.dirty += 1;
    call.reply.ok();
    Ok(())
}
