//! Command: XREADGROUP.

use resp::Reply;

use crate::{
    blocking::Wanted,
    commands::stream::{
        no_group, parse_id,
        read::{Answer, Form, ReadArgs},
        repeat::Place,
        reply_entry, reply_id,
    },
    error::ReplyError,
    keyspace::Event,
    propagation::Propagation,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Stream,
        stream::{ConsumerId, Course, Group, Log, Nack, StreamId},
    },
};

/// Which entries are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// What nobody of the group has got yet.
    LastOfGroup,
    /// What the consumer has yet to acknowledge, behind this one.
    Acknowledged(StreamId),
}

impl After {
    fn parse(text: &[u8]) -> Result<Self, ReplyError> {
        if text == b"$" {
            return Err(ReplyError::text(
                "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the \
                 history of this consumer by specifying a proper ID, or use the > ID to get new \
                 messages. The $ ID would just return an empty result set.",
            ));
        }
        match text {
            b">" => Ok(Self::LastOfGroup),
            // Redis writes `>` as the greatest number.
            _ => Ok(match parse_id(text)? {
                StreamId::MAX => Self::LastOfGroup,
                id => Self::Acknowledged(id),
            }),
        }
    }
}

/// One who reads.
struct Reader<'a> {
    place: Place<'a>,
    consumer: ConsumerId,
    acknowledges: bool,
    /// 0 is no limit.
    count: usize,
    now_ms: i64,
}

/// XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key …]
/// id [id …]
pub(in crate::commands) fn xreadgroup(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = ReadArgs::parse(call, Form::Group, server.keyspace.now_ms)?;
    let (group_name, name) = args.reader.expect("it is parsed so");
    let db = call.db();
    for index in 0..args.key_count {
        let key = args.key(call, index);
        let stream = server.keyspace.read::<Stream>(db, key)?;
        if !stream.is_some_and(|stream| stream.groups.contains_key(group_name)) {
            return Err(no_group(key, group_name, " in XREADGROUP with GROUP option"));
        }
        After::parse(args.after(call, index))?;
    }
    call.propagate_in_place(server);
    let mut answer = Answer::default();
    for index in 0..args.key_count {
        let (key, after) = (args.key(call, index), After::parse(args.after(call, index))?);
        let place = Place { db, key, group: group_name };
        read(server, (call.reply, &mut answer), place, (name, &args, after));
    }
    if answer.close(call.reply) {
        return Ok(());
    }
    let keys = args.keys(call);
    let wanted = Wanted::StreamOrItsEnd;
    if !args.wait.is_some_and(|until_ms| call.wait_for(keys, wanted, until_ms)) {
        call.reply.null_array();
    }
    Ok(())
}

/// Reads one stream, whose group was seen before.
fn read(
    server: &mut Server,
    (reply, answer): (&mut Reply, &mut Answer),
    place: Place<'_>,
    (name, args, after): (&[u8], &ReadArgs<'_>, After),
) {
    let Server { keyspace, propagation, .. } = server;
    let (now_ms, Place { db, key, .. }) = (keyspace.now_ms, place);
    let stream = keyspace.again::<Stream>(db, key).expect("the stream was there just now");
    let Stream { log, groups } = stream;
    let group = groups.get_mut(place.group).expect("the group was there just now");
    let found = group.find_or_create(name, now_ms);
    let (consumer, is_made) = found.expect("consumers are fewer than there is memory for");
    let ReadArgs { acknowledges, count, .. } = *args;
    if is_made && !acknowledges {
        place.create_consumer(propagation, name);
    }
    let reader = Reader { place, consumer, acknowledges, count, now_ms };
    let mut is_served = true;
    match after {
        After::Acknowledged(id) => {
            answer.add(reply, key);
            reader.repeat_pending(reply, log, group, id);
        }
        After::LastOfGroup if log.last().is_some_and(|last| group.last_id < last.id) => {
            answer.add(reply, key);
            reader.deliver(reply, log, group, propagation);
        }
        After::LastOfGroup => is_served = false,
    }
    if is_made {
        keyspace.counted(db, key, Event::stream("xgroup-createconsumer"));
    }
    keyspace.dirty += u64::from(is_served);
}

impl Reader<'_> {
    /// Answers what the group has got nothing of yet.
    fn deliver(
        &self,
        reply: &mut Reply,
        log: &Log,
        group: &mut Group,
        propagation: &mut Propagation,
    ) {
        let limit = if self.count == 0 { usize::MAX } else { self.count };
        let min = group.last_id.next().unwrap_or(StreamId::MAX);
        let opened = reply.deferred();
        let (mut answered, mut has_moved) = (0, false);
        for entry in log.range(min, StreamId::MAX, Course::Forward).take(limit) {
            let id = entry.id;
            has_moved |= group.advance(log, id);
            reply_entry(reply, entry);
            answered += 1;
            if self.acknowledges {
                // It may wait already, if the group was set back since.
                let nack = Nack { consumer: self.consumer, delivered_ms: self.now_ms, count: 1 };
                group.assign(id, nack);
                group.consumer_mut(self.consumer).active_ms = self.now_ms;
                self.place.claim(propagation, group, &id.text(), nack);
            }
        }
        if has_moved && !self.acknowledges {
            self.place.set_id(propagation, group);
        }
        reply.close_array(opened, answered);
    }

    /// Answers what the consumer has yet to acknowledge; what is no more there, without fields.
    /// Others are not told of that.
    fn repeat_pending(&self, reply: &mut Reply, log: &Log, group: &mut Group, after: StreamId) {
        let pending = group.consumer(self.consumer).pending();
        let first = after.next().map_or(pending.len(), |min| pending.rank(min));
        let left = pending.len() - first;
        let count = if self.count == 0 { left } else { left.min(self.count) };
        reply.array(count);
        for rank in first..first + count {
            let found = group.consumer(self.consumer).pending().by_rank(rank);
            let (id, ()) = found.expect("it was counted just now");
            if let Some(entry) = log.get(id) {
                reply_entry(reply, entry);
                group.deliver_again(id, self.now_ms);
            } else {
                reply.array(2);
                reply_id(reply, id);
                reply.null_array();
            }
        }
    }
}
