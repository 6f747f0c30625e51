//! Command: HGETEX and HGETDEL: values, and what becomes of their fields then.

use resp::Argv;

use crate::{
    commands::hash::{
        expire::{Changed, expire_or_delete, propagate_removal},
        fields::{Moment, NOT_POSITIVE, parse_fields},
        reply_value,
    },
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// HGETDEL key FIELDS numfields field [field …]
pub(in crate::commands) fn hgetdel(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, now_ms) = (call.db(), call.arg(1), server.keyspace.now_ms);
    let hash = server.keyspace.change_hash(db, key, call.argv.from(2))?;
    let names = parse_fields(call.argv, 2, 1, NOT_POSITIVE)?;
    call.reply.array(names.count());
    let Some(hash) = hash else {
        names.iter().for_each(|_| call.reply.null());
        return Ok(());
    };
    let mut deleted = Vec::new();
    for name in names.iter() {
        reply_value(call.reply, hash.get(name, now_ms));
        if hash.remove(name) {
            deleted.push(name);
        }
    }
    let is_empty = hash.is_empty();
    if !deleted.is_empty() {
        propagate_removal(server, call, &deleted);
        server.keyspace.lost(db, key, Event::hash("hdel"), deleted.len(), is_empty);
    }
    Ok(())
}

/// HGETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds |
/// PXAT unix-time-milliseconds | PERSIST] FIELDS numfields field [field …]
pub(in crate::commands) fn hgetex(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, now_ms) = (call.db(), call.arg(1), server.keyspace.now_ms);
    let hash = server.keyspace.change_hash(db, key, call.argv.from(2))?;
    let args = GetexArgs::parse(call.argv)?;
    let at_ms = args.moment.map(|moment| moment.at_ms(now_ms, "hgetex")).transpose()?;
    call.reply.array(args.names.count());
    let Some(hash) = hash else {
        args.names.iter().for_each(|_| call.reply.null());
        return Ok(());
    };
    let (mut updated, mut deleted, mut has_persisted) = (Vec::new(), Vec::new(), false);
    for name in args.names.iter() {
        reply_value(call.reply, hash.get(name, now_ms));
        let Some(before) = hash.expiry(name, now_ms) else { continue };
        match at_ms {
            None => {}
            Some(None) => has_persisted |= before.is_some() && hash.set_expiry(name, None),
            Some(Some(at_ms)) if expire_or_delete(hash, name, at_ms, now_ms) => deleted.push(name),
            Some(Some(_)) => updated.push(name),
        }
    }
    let is_empty = hash.is_empty();
    if has_persisted {
        propagate_persist(server, call, args.names);
        server.keyspace.note_fields(db, key);
        server.keyspace.written(db, key, Event::hash("hpersist"));
    }
    let at_ms = at_ms.flatten().unwrap_or(0);
    Changed { at_ms, updated, deleted, is_empty }.carry_out(server, call, "hexpire");
    Ok(())
}

fn propagate_persist(server: &mut Server, call: &mut Call<'_>, names: Argv<'_>) {
    let mut count = itoa::Buffer::new();
    let count = count.format(names.count()).as_bytes();
    let mut argv: Vec<&[u8]> = vec![b"HPERSIST", call.arg(1), b"FIELDS", count];
    argv.extend(names.iter());
    call.propagate_as(server, &argv);
}

struct GetexArgs<'a> {
    moment: Option<Moment<'a>>,
    names: Argv<'a>,
}

impl<'a> GetexArgs<'a> {
    fn parse(argv: Argv<'a>) -> Result<Self, ReplyError> {
        let (mut at, mut moment) = (2, None);
        let mut words = argv.from(at);
        while let Some(word) = words.next() {
            let Some(named) = Moment::parse(word, b"persist", &mut words)? else { break };
            if moment.replace(named).is_some() {
                return Err(ReplyError::text(
                    "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
                ));
            }
            at = argv.count() - words.len();
        }
        Ok(Self { moment, names: parse_fields(argv, at, 1, NOT_POSITIVE)? })
    }
}
