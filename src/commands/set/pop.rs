//! Command: SPOP, which is repeated as what it has done.

use crate::{
    commands::pop::parse_count,
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Set,
};

/// So many members are repeated in one SREM.
const REPEATED_MAX: usize = 1024;

/// SPOP key [count]
pub(in crate::commands) fn spop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    match call.argv.count() {
        2 => pop_one(server, call),
        3 => pop_many(server, call),
        _ => Err(ReplyError::Syntax),
    }
}

fn pop_one(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let is_repeated = server.propagation.is_wanted();
    let Server { keyspace, random, .. } = server;
    let Some(set) = keyspace.change::<Set>(db, key)? else {
        call.reply.null();
        return Ok(());
    };
    let mut popped = Vec::new();
    set.pop(&mut |bound| random.below(bound), |member| {
        call.reply.bulk(member);
        if is_repeated {
            popped.extend_from_slice(member);
        }
    });
    let is_empty = set.is_empty();
    call.propagate_as(server, &[b"SREM", key, &popped]);
    server.keyspace.lost(db, key, Event::set("spop"), 1, is_empty);
    Ok(())
}

fn pop_many(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let count = parse_count(call.arg(2))?;
    let (limits, is_repeated) = (server.config.encoding, server.propagation.is_wanted());
    let Server { keyspace, random, .. } = server;
    let set = keyspace.change::<Set>(db, key)?.filter(|_| 0 < count);
    let Some(set) = set else {
        call.reply.set(0);
        return Ok(());
    };
    if set.len() <= count {
        return pop_all(server, call);
    }
    let mut popped = Popped::default();
    call.reply.set(count);
    let rest = set.pop_many(count, limits, &mut |bound| random.below(bound), |member| {
        call.reply.bulk(member);
        if is_repeated {
            popped.push(member);
        }
    });
    if let Some(rest) = rest {
        keyspace.free_rest(rest);
    }
    call.propagate_nothing();
    popped.repeat(server, call);
    server.keyspace.lost(db, key, Event::set("spop"), count, false);
    Ok(())
}

fn pop_all(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let set = server.keyspace.peek_kind::<Set>(db, key)?.expect("it was there just now");
    let count = set.len();
    call.reply.set(count);
    set.each(|member| call.reply.bulk(member));
    let is_lazy = server.config.memory.lazyfree_lazy_server_del;
    call.propagate_as(server, &[if is_lazy { b"UNLINK" } else { b"DEL" }, key]);
    server.keyspace.lost(db, key, Event::set("spop"), count, true);
    Ok(())
}

/// Members that were taken out, one behind the other.
#[derive(Default)]
struct Popped {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Popped {
    fn push(&mut self, member: &[u8]) {
        self.bytes.extend_from_slice(member);
        self.ends.push(self.bytes.len());
    }

    fn repeat(&self, server: &mut Server, call: &mut Call<'_>) {
        let mut start = 0;
        for ends in self.ends.chunks(REPEATED_MAX) {
            let mut argv = vec![&b"SREM"[..], call.arg(1)];
            for end in ends {
                argv.push(&self.bytes[start..*end]);
                start = *end;
            }
            call.propagate_as(server, &argv);
        }
    }
}
