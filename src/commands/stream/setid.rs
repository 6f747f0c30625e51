//! Command: XSETID.

use base::number::parse_i64;

use crate::{
    commands::stream::parse_id,
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Stream,
        stream::{Log, StreamId},
    },
};

struct SetIdArgs {
    last_id: StreamId,
    entries_added: Option<u64>,
    max_deleted_id: StreamId,
}

impl SetIdArgs {
    fn parse(call: &Call<'_>) -> Result<Self, ReplyError> {
        let last_id = parse_id(call.arg(2))?;
        let (mut entries_added, mut max_deleted_id) = (None, StreamId::MIN);
        let mut words = call.argv.from(3);
        while let Some(word) = words.next() {
            let value = words.next().ok_or(ReplyError::Syntax)?;
            if word.eq_ignore_ascii_case(b"entriesadded") {
                let number = parse_i64(value).ok_or(ReplyError::NotInteger)?;
                let negative = ReplyError::text("ERR entries_added must be positive");
                entries_added = Some(u64::try_from(number).map_err(|_| negative)?);
            } else if word.eq_ignore_ascii_case(b"maxdeletedid") {
                max_deleted_id = parse_id(value)?;
                if last_id < max_deleted_id {
                    return Err(ReplyError::text(
                        "ERR The ID specified in XSETID is smaller than the provided \
                         max_deleted_entry_id",
                    ));
                }
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(Self { last_id, entries_added, max_deleted_id })
    }

    /// Whether a stream can be so.
    fn check(&self, log: &Log) -> Result<(), ReplyError> {
        if self.last_id < log.max_deleted_id {
            return Err(ReplyError::text(
                "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
            ));
        }
        let Some(last) = log.last() else { return Ok(()) };
        if self.last_id < last.id {
            return Err(ReplyError::text(
                "ERR The ID specified in XSETID is smaller than the target stream top item",
            ));
        }
        if self.entries_added.is_some_and(|count| count < log.len()) {
            return Err(ReplyError::text(
                "ERR The entries_added specified in XSETID is smaller than the target stream length",
            ));
        }
        Ok(())
    }
}

/// XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]
pub(in crate::commands) fn xsetid(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = SetIdArgs::parse(call)?;
    let (db, key) = (call.db(), call.arg(1));
    let stream = server.keyspace.change::<Stream>(db, key)?.ok_or(ReplyError::NoSuchKey)?;
    let log = &mut stream.log;
    args.check(log)?;
    log.last_id = args.last_id;
    log.entries_added = args.entries_added.unwrap_or(log.entries_added);
    if args.max_deleted_id != StreamId::MIN {
        log.max_deleted_id = args.max_deleted_id;
    }
    call.reply.ok();
    server.keyspace.counted(db, key, Event::stream("xsetid"));
    Ok(())
}
