//! Command: XGROUP.

use base::number::parse_i64;

use crate::{
    commands::{
        help,
        stream::{as_i64, misfit, no_group_of_key, parse_id, parse_included},
    },
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Stream,
        stream::{Group, Log, StreamId},
    },
};

const NO_STREAM: ReplyError = ReplyError::text(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to \
     use the MKSTREAM option to create an empty stream automatically.",
);
/// The most arguments that Redis takes of CREATE, whatever they are.
const CREATE_ARGS_MAX: usize = 8;
/// And of SETID; it has one option.
const SETID_ARGS_MAX: usize = 7;
/// How many entries were read, of who does not know.
pub(super) const UNKNOWN: i64 = -1;

/// What may stand behind the number.
#[derive(Default)]
struct Options {
    makes_stream: bool,
    entries_read: Option<i64>,
}

impl Options {
    fn parse(call: &Call<'_>, may_make: bool) -> Result<Self, ReplyError> {
        let mut options = Self::default();
        let mut words = call.argv.from(5);
        while let Some(word) = words.next() {
            if may_make && word.eq_ignore_ascii_case(b"mkstream") {
                options.makes_stream = true;
                continue;
            }
            let is_count = word.eq_ignore_ascii_case(b"entriesread");
            let value = words.next().filter(|_| is_count).ok_or_else(|| misfit(call))?;
            let count = parse_i64(value).ok_or(ReplyError::NotInteger)?;
            if count < UNKNOWN {
                return Err(ReplyError::text("ERR value for ENTRIESREAD must be positive or -1"));
            }
            options.entries_read = Some(count).filter(|count| *count != UNKNOWN);
        }
        Ok(options)
    }
}

/// XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read]
pub(in crate::commands) fn xgroup_create(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    let options = Options::parse(call, true)?;
    let (db, key, name) = (call.db(), call.arg(2), call.arg(3));
    let keyspace = &mut server.keyspace;
    let found = keyspace.change::<Stream>(db, key)?;
    if found.is_none() && !options.makes_stream {
        return Err(NO_STREAM);
    }
    if CREATE_ARGS_MAX < call.argv.count() {
        return Err(misfit(call));
    }
    let last_id = match call.arg(4) {
        b"$" => found.as_ref().map_or(StreamId::MIN, |stream| stream.log.last_id),
        text => parse_id(text)?,
    };
    let is_made = found.is_none();
    let stream = keyspace.change_or_create::<Stream>(db, key)?;
    if stream.groups.contains_key(name) {
        return Err(ReplyError::text("BUSYGROUP Consumer Group name already exists"));
    }
    stream.groups.insert(name.into(), Group::new(last_id, options.entries_read));
    call.reply.ok();
    if is_made {
        keyspace.changed(db, key);
    }
    keyspace.counted(db, key, Event::stream("xgroup-create"));
    Ok(())
}

/// XGROUP SETID key group id | $ [ENTRIESREAD entries-read]
pub(in crate::commands) fn xgroup_setid(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let options = Options::parse(call, false)?;
    let (log, group) = find(server, call)?;
    if SETID_ARGS_MAX < call.argv.count() {
        return Err(misfit(call));
    }
    group.last_id = match call.arg(4) {
        b"$" => log.last_id,
        text => parse_included(text, 0)?,
    };
    group.entries_read = options.entries_read;
    call.reply.ok();
    changed(server, call, "xgroup-setid");
    Ok(())
}

/// XGROUP DESTROY key group
pub(in crate::commands) fn xgroup_destroy(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    let (db, key) = (call.db(), call.arg(2));
    let stream = server.keyspace.change::<Stream>(db, key)?.ok_or(NO_STREAM)?;
    let is_gone = stream.groups.remove(call.arg(3)).is_some();
    call.reply.count(usize::from(is_gone));
    if is_gone {
        changed(server, call, "xgroup-destroy");
        // Who waits as a consumer is told.
        server.blocking.mark(db, key);
    }
    Ok(())
}

/// XGROUP CREATECONSUMER key group consumer
pub(in crate::commands) fn xgroup_createconsumer(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let (_, group) = find(server, call)?;
    let is_made = group.create(call.arg(4), now_ms).is_some();
    call.reply.count(usize::from(is_made));
    if is_made {
        changed(server, call, "xgroup-createconsumer");
    }
    Ok(())
}

/// XGROUP DELCONSUMER key group consumer
pub(in crate::commands) fn xgroup_delconsumer(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    let (_, group) = find(server, call)?;
    let deleted = group.delete(call.arg(4));
    call.reply.integer(as_i64(deleted.unwrap_or(0)));
    if deleted.is_some() {
        changed(server, call, "xgroup-delconsumer");
    }
    Ok(())
}

/// XGROUP HELP
pub(in crate::commands) fn xgroup_help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
            "    Make a group, which is delivered what stands behind an ID. MKSTREAM makes the",
            "    stream, too. ENTRIESREAD says how many entries there were up to that ID.",
            "CREATECONSUMER <key> <group> <consumer>",
            "    Make a consumer of a group.",
            "DELCONSUMER <key> <group> <consumer>",
            "    Delete a consumer with all that it has yet to acknowledge.",
            "DESTROY <key> <group>",
            "    Delete a group.",
            "SETID <key> <group> <id|$> [ENTRIESREAD <count>]",
            "    Have a group delivered what stands behind an ID.",
        ],
    );
    Ok(())
}

/// Finds the group that a call is about, which must be there.
fn find<'a>(
    server: &'a mut Server,
    call: &Call<'a>,
) -> Result<(&'a Log, &'a mut Group), ReplyError> {
    let (key, name) = (call.arg(2), call.arg(3));
    let stream = server.keyspace.change::<Stream>(call.db(), key)?.ok_or(NO_STREAM)?;
    let group = stream.groups.get_mut(name).ok_or_else(|| no_group_of_key(key, name))?;
    Ok((&stream.log, group))
}

/// Notes what has become of a group. To who watches a key, or caches it, that is no change.
fn changed(server: &mut Server, call: &Call<'_>, event: &'static str) {
    server.keyspace.counted(call.db(), call.arg(2), Event::stream(event));
}
