//! Command: SUBSCRIBE and the like, PUBLISH, SPUBLISH, PUBSUB.
//!
//! The answer to SUBSCRIBE and its like is no reply but a message for each topic, and comes
//! even to who has asked for no replies.

use base::{
    Bytes,
    glob::{self, Case},
};

use crate::{
    client::ReplyMode,
    commands::help,
    error::{REPEATED_BYTES_MAX, ReplyError},
    pubsub::{Message, Topic},
    server::{
        Server,
        call::{Call, CommandResult, Origin},
        publish,
    },
};

/// SUBSCRIBE channel [channel …]
pub(super) fn subscribe(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    subscribe_to(server, call, Topic::Channel);
    Ok(())
}

/// PSUBSCRIBE pattern [pattern …]
pub(super) fn psubscribe(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    subscribe_to(server, call, Topic::Pattern);
    Ok(())
}

/// SSUBSCRIBE shardchannel [shardchannel …]
pub(super) fn ssubscribe(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    // In a transaction each command has one reply; SUBSCRIBE may break that, as it always could.
    if call.origin == Origin::Exec {
        return Err(ReplyError::text("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"));
    }
    subscribe_to(server, call, Topic::ShardChannel);
    Ok(())
}

/// UNSUBSCRIBE [channel …]
pub(super) fn unsubscribe(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    unsubscribe_from(server, call, Topic::Channel);
    Ok(())
}

/// PUNSUBSCRIBE [pattern …]
pub(super) fn punsubscribe(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    unsubscribe_from(server, call, Topic::Pattern);
    Ok(())
}

/// SUNSUBSCRIBE [shardchannel …]
pub(super) fn sunsubscribe(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    unsubscribe_from(server, call, Topic::ShardChannel);
    Ok(())
}

fn subscribe_to(server: &mut Server, call: &mut Call<'_>, topic: Topic) {
    let word: &[u8] = match topic {
        Topic::Channel => b"subscribe",
        Topic::Pattern => b"psubscribe",
        Topic::ShardChannel => b"ssubscribe",
    };
    for name in call.argv.from(1) {
        let Server { pubsub, clients, .. } = server;
        if let Some(client) = clients.find_even_closing(call.client) {
            pubsub.subscribe(call.client, &mut client.subscriptions, topic, name);
        }
        answer(server, call, topic, word, Some(name));
    }
}

/// Ends listening to the topics that are named, or to all of this kind.
fn unsubscribe_from(server: &mut Server, call: &mut Call<'_>, topic: Topic) {
    let word: &[u8] = match topic {
        Topic::Channel => b"unsubscribe",
        Topic::Pattern => b"punsubscribe",
        Topic::ShardChannel => b"sunsubscribe",
    };
    let mut all: Vec<Bytes> = Vec::new();
    if call.argv.count() == 1 {
        let client = server.clients.peek(call.client);
        all = client.map_or_else(Vec::new, |client| client.subscriptions.names(topic));
        if all.is_empty() {
            // Something must be said even then.
            return answer(server, call, topic, word, None);
        }
    }
    for name in call.argv.from(1).chain(all.iter().map(|name| &**name)) {
        let Server { pubsub, clients, .. } = server;
        if let Some(client) = clients.find_even_closing(call.client) {
            pubsub.unsubscribe(call.client, &mut client.subscriptions, topic, name);
        }
        answer(server, call, topic, word, Some(name));
    }
}

/// Says what has become of one topic, and how many are left.
fn answer(
    server: &mut Server,
    call: &mut Call<'_>,
    topic: Topic,
    word: &[u8],
    name: Option<&[u8]>,
) {
    let client = server.clients.peek(call.client);
    let count = client.map_or(0, |client| client.subscriptions.count_in_replies(topic));
    let write = |reply: &mut resp::Reply| {
        reply.push(3);
        reply.bulk(word);
        match name {
            Some(name) => reply.bulk(name),
            None => reply.null(),
        }
        reply.count(count);
    };
    if call.session.reply_mode == ReplyMode::On {
        write(call.reply);
    } else {
        server.clients.push(call.client, write);
    }
}

/// PUBLISH channel message
pub(super) fn publish(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    publish_to(server, call, Topic::Channel);
    Ok(())
}

/// SPUBLISH shardchannel message
pub(super) fn spublish(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    publish_to(server, call, Topic::ShardChannel);
    Ok(())
}

fn publish_to(server: &mut Server, call: &mut Call<'_>, topic: Topic) {
    let message = Message { text: call.arg(2), shared: call.argv.shared(2) };
    let count = publish::publish(server, topic, call.arg(1), message);
    // Those who listen to a replica are told by it.
    call.propagate_always();
    call.reply.count(count);
}

/// PUBSUB CHANNELS [pattern]
pub(super) fn channels(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    list(server, call, Topic::Channel)
}

/// PUBSUB SHARDCHANNELS [pattern]
pub(super) fn shardchannels(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    list(server, call, Topic::ShardChannel)
}

/// PUBSUB NUMSUB [channel …]
pub(super) fn numsub(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    count_listeners(server, call, Topic::Channel);
    Ok(())
}

/// PUBSUB SHARDNUMSUB [shardchannel …]
pub(super) fn shardnumsub(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    count_listeners(server, call, Topic::ShardChannel);
    Ok(())
}

/// PUBSUB NUMPAT: counts patterns, each once, however many listen to it.
pub(super) fn numpat(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    publish::forget_finished(server);
    call.reply.count(server.pubsub.topic_count(Topic::Pattern));
    Ok(())
}

fn list(server: &mut Server, call: &mut Call<'_>, topic: Topic) -> CommandResult {
    if 3 < call.argv.count() {
        let text = "ERR unknown subcommand or wrong number of arguments for '";
        let asked = call.arg(1);
        let asked = &asked[..asked.len().min(REPEATED_BYTES_MAX)];
        return Err(ReplyError::quoting(text, asked, "'. Try PUBSUB HELP."));
    }
    publish::forget_finished(server);
    let pattern = call.argv.get(2);
    let is_wanted =
        |name: &&[u8]| pattern.is_none_or(|it| glob::matches(it, name, Case::Sensitive));
    let length = call.reply.deferred();
    let mut count = 0;
    for name in server.pubsub.names(topic).filter(is_wanted) {
        call.reply.bulk(name);
        count += 1;
    }
    call.reply.close_array(length, count);
    Ok(())
}

fn count_listeners(server: &mut Server, call: &mut Call<'_>, topic: Topic) {
    publish::forget_finished(server);
    let names = call.argv.from(2);
    call.reply.array(2 * names.len());
    for name in names {
        call.reply.bulk(name);
        call.reply.count(server.pubsub.listener_count(topic, name));
    }
}

/// PUBSUB HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "CHANNELS [<pattern>]",
            "    Return the channels that have subscribers, those matching <pattern> if given.",
            "NUMPAT",
            "    Return the number of patterns that have subscribers.",
            "NUMSUB [<channel> ...]",
            "    Return the number of subscribers of each channel, those to patterns apart.",
            "SHARDCHANNELS [<pattern>]",
            "    Return the shard channels that have subscribers, those matching <pattern> if given.",
            "SHARDNUMSUB [<shardchannel> ...]",
            "    Return the number of subscribers of each shard channel.",
        ],
    );
    Ok(())
}
