//! Command: XREAD, and how it and XREADGROUP are told what to read.

use resp::{DeferredLength, OwnedArgv, Reply};

use crate::{
    blocking::Wanted,
    commands::{
        stream::{parse_count, parse_id, reply_range},
        timeout,
    },
    error::ReplyError,
    keyspace::Keyspace,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Stream,
        stream::{Course, StreamId},
    },
};

/// Who is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Alone,
    Group,
}

/// What XREAD and XREADGROUP are told. The numbers behind the keys are yet to be read.
pub(super) struct ReadArgs<'a> {
    /// 0 is no limit.
    pub(super) count: usize,
    /// Until when it waits, if it does; nothing if for ever.
    pub(super) wait: Option<Option<i64>>,
    pub(super) acknowledges: bool,
    /// The names of the group and the consumer.
    pub(super) reader: Option<(&'a [u8], &'a [u8])>,
    keys_at: usize,
    pub(super) key_count: usize,
}

impl<'a> ReadArgs<'a> {
    pub(super) fn parse(call: &Call<'a>, form: Form, now_ms: i64) -> Result<Self, ReplyError> {
        let (mut count, mut wait, mut acknowledges, mut reader) = (0, None, true, None);
        let (mut at, last) = (1, call.argv.count() - 1);
        let keys_at = loop {
            let word = call.argv.get(at).ok_or(ReplyError::Syntax)?;
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            match () {
                () if is("block") && at < last => {
                    at += 1;
                    wait = Some(timeout::parse_milliseconds(call.arg(at), now_ms)?);
                }
                () if is("count") && at < last => {
                    at += 1;
                    count = parse_count(call.arg(at))?;
                }
                () if is("streams") && at < last => break at + 1,
                () if is("group") && at + 1 < last => {
                    for_group_alone(form, "GROUP")?;
                    reader = Some((call.arg(at + 1), call.arg(at + 2)));
                    at += 2;
                }
                () if is("noack") => {
                    for_group_alone(form, "NOACK")?;
                    acknowledges = false;
                }
                () => return Err(ReplyError::Syntax),
            }
            at += 1;
        };
        let rest = call.argv.count() - keys_at;
        if !rest.is_multiple_of(2) {
            let (name, sign) =
                if form == Form::Group { ("xreadgroup", '>') } else { ("xread", '$') };
            let text = format!(
                "ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{sign}' \
                 must be specified."
            );
            return Err(ReplyError::Text(text.into()));
        }
        if form == Form::Group && reader.is_none() {
            return Err(ReplyError::text("ERR Missing GROUP option for XREADGROUP"));
        }
        Ok(Self { count, wait, acknowledges, reader, keys_at, key_count: rest / 2 })
    }

    /// Returns the key of a stream.
    pub(super) fn key(&self, call: &Call<'a>, index: usize) -> &'a [u8] {
        call.arg(self.keys_at + index)
    }

    /// Returns what is said of the entries that are wanted of a stream.
    pub(super) fn after(&self, call: &Call<'a>, index: usize) -> &'a [u8] {
        call.arg(self.keys_at + self.key_count + index)
    }

    /// Returns the keys.
    pub(super) fn keys(&self, call: &Call<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        call.argv.from(self.keys_at).take(self.key_count)
    }
}

fn for_group_alone(form: Form, option: &str) -> Result<(), ReplyError> {
    if form == Form::Group {
        return Ok(());
    }
    let text = format!(
        "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
    );
    Err(ReplyError::Text(text.into()))
}

/// The reply of who reads: streams that have something, each with its entries. It is there once
/// one has.
#[derive(Default)]
pub(super) struct Answer {
    opened: Option<DeferredLength>,
    count: usize,
}

impl Answer {
    /// Begins what is answered of one stream.
    pub(super) fn add(&mut self, reply: &mut Reply, key: &[u8]) {
        self.opened.get_or_insert_with(|| reply.deferred());
        self.count += 1;
        if reply.protocol == resp::Protocol::Resp2 {
            reply.array(2);
        }
        reply.bulk(key);
    }

    /// Ends the reply; says whether there is one.
    pub(super) fn close(self, reply: &mut Reply) -> bool {
        let Some(opened) = self.opened else { return false };
        match reply.protocol {
            resp::Protocol::Resp2 => reply.close_array(opened, self.count),
            resp::Protocol::Resp3 => reply.close_map(opened, self.count),
        }
        true
    }
}

/// XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key …] id [id …]
pub(in crate::commands) fn xread(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = ReadArgs::parse(call, Form::Alone, server.keyspace.now_ms)?;
    let (db, keyspace) = (call.db(), &mut server.keyspace);
    for index in 0..args.key_count {
        keyspace.read::<Stream>(db, args.key(call, index))?;
        check_after(args.after(call, index))?;
    }
    let mut answer = Answer::default();
    for index in 0..args.key_count {
        let (key, after) = (args.key(call, index), args.after(call, index));
        let Some(stream) = keyspace.read::<Stream>(db, key)? else { continue };
        // Nothing stands behind the last one.
        if after == b"$" {
            continue;
        }
        let (log, after) = (&stream.log, parse_id(after)?);
        if let Some(min) = after.next()
            && log.last().is_some_and(|last| after < last.id)
        {
            answer.add(call.reply, key);
            reply_range(call.reply, log, (min, StreamId::MAX), Course::Forward, args.count);
        }
    }
    if !answer.close(call.reply) {
        wait(&server.keyspace, call, &args);
    }
    Ok(())
}

fn check_after(text: &[u8]) -> Result<(), ReplyError> {
    match text {
        b"$" => Ok(()),
        b">" => Err(ReplyError::text(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
             <consumer> option.",
        )),
        _ => parse_id(text).map(drop),
    }
}

/// Nothing is there: it waits for what stands behind what is the last entry now.
fn wait(keyspace: &Keyspace, call: &mut Call<'_>, args: &ReadArgs<'_>) {
    let keys = args.keys(call);
    let waits = args.wait.is_some_and(|until_ms| call.wait_for(keys, Wanted::Stream, until_ms));
    if !waits {
        return call.reply.null_array();
    }
    let is_last = |index| args.after(call, index) == b"$";
    if (0..args.key_count).any(is_last) {
        let last_id = |index| match keyspace.peek_kind::<Stream>(call.db(), args.key(call, index)) {
            Ok(Some(stream)) if is_last(index) => Some(stream.log.last_id),
            _ => is_last(index).then_some(StreamId::MIN),
        };
        let ids: Vec<_> = (0..args.key_count).map(|at| last_id(at).map(StreamId::text)).collect();
        let before = call.argv.iter().take(args.keys_at + args.key_count);
        let behind = ids.iter().enumerate().map(|(index, id)| match id {
            Some(id) => &id[..],
            None => args.after(call, index),
        });
        call.waits_as = Some(OwnedArgv::new(before.chain(behind)));
    }
}
