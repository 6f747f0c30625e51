//! Command: several sets at once: SINTER, SUNION, SDIFF, their STORE forms, SINTERCARD.

use base::number::parse_i64;
use ds::listpack::{Digits, Item};
use resp::Reply;

use crate::{
    error::ReplyError,
    keyspace::{Event, Keyspace},
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Set, set},
};

/// What is made of several sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Intersection,
    Union,
    Difference,
}

/// SINTER key [key …]
pub(in crate::commands) fn sinter(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    answer(server, call, Operation::Intersection)
}

/// SUNION key [key …]
pub(in crate::commands) fn sunion(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    answer(server, call, Operation::Union)
}

/// SDIFF key [key …]
pub(in crate::commands) fn sdiff(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    answer(server, call, Operation::Difference)
}

/// SINTERSTORE destination key [key …]
pub(in crate::commands) fn sinterstore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    store(server, call, Operation::Intersection)
}

/// SUNIONSTORE destination key [key …]
pub(in crate::commands) fn sunionstore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    store(server, call, Operation::Union)
}

/// SDIFFSTORE destination key [key …]
pub(in crate::commands) fn sdiffstore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    store(server, call, Operation::Difference)
}

/// SINTERCARD numkeys key [key …] [LIMIT limit]
pub(in crate::commands) fn sintercard(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let key_count = parse_i64(call.arg(1)).filter(|count| 0 < *count);
    let key_count = key_count.ok_or(ReplyError::text("ERR numkeys should be greater than 0"))?;
    let key_count = usize::try_from(key_count).ok().filter(|n| *n <= call.argv.count() - 2);
    let key_count = key_count
        .ok_or(ReplyError::text("ERR Number of keys can't be greater than number of args"))?;
    let mut count_max = 0;
    let mut words = call.argv.from(2 + key_count);
    while let Some(word) = words.next() {
        let number = words.next().filter(|_| word.eq_ignore_ascii_case(b"limit"));
        let number = parse_i64(number.ok_or(ReplyError::Syntax)?);
        let number = number.and_then(|number| usize::try_from(number).ok());
        count_max = number.ok_or(ReplyError::text("ERR LIMIT can't be negative"))?;
    }
    let keys = call.argv.from(2).take(key_count);
    let sets = look_up(&mut server.keyspace, call.db(), keys)?;
    let mut count = 0;
    if let Some(sets) = all_there(&sets) {
        set::each_of_intersection(&sets, |_| {
            count += 1;
            // No limit is 0.
            count != count_max
        });
    }
    call.reply.count(count);
    Ok(())
}

fn answer(server: &mut Server, call: &mut Call<'_>, operation: Operation) -> CommandResult {
    let sets = look_up(&mut server.keyspace, call.db(), call.argv.from(1))?;
    let deferred = call.reply.deferred();
    let mut count = 0;
    let mut digits = Digits::default();
    let mut show = |reply: &mut Reply, member: Item<'_>| {
        reply.bulk(member.text(&mut digits));
        count += 1;
    };
    match operation {
        Operation::Intersection => {
            if let Some(sets) = all_there(&sets) {
                set::each_of_intersection(&sets, |member| {
                    show(call.reply, member);
                    true
                });
            }
        }
        Operation::Union => {
            let sets: Vec<&Set> = sets.into_iter().flatten().collect();
            set::each_of_union(&sets, |member| show(call.reply, member));
        }
        Operation::Difference => {
            if let Some(first) = sets[0] {
                let others: Vec<&Set> = sets[1..].iter().copied().flatten().collect();
                set::each_of_difference(first, &others, |member| show(call.reply, member));
            }
        }
    }
    call.reply.close_set(deferred, count);
    Ok(())
}

fn store(server: &mut Server, call: &mut Call<'_>, operation: Operation) -> CommandResult {
    let (db, destination, limits) = (call.db(), call.arg(1), server.config.encoding);
    let sets = look_up(&mut server.keyspace, db, call.argv.from(2))?;
    let (name, made) = match operation {
        Operation::Intersection => {
            let made = all_there(&sets).map(|sets| set::intersection(&sets, limits));
            ("sinterstore", made)
        }
        Operation::Union => {
            let sets: Vec<&Set> = sets.into_iter().flatten().collect();
            ("sunionstore", Some(set::union(&sets, limits)))
        }
        Operation::Difference => {
            let others: Vec<&Set> = sets[1..].iter().copied().flatten().collect();
            let made = sets[0].map(|first| set::difference(first, &others, limits));
            ("sdiffstore", made)
        }
    };
    let made = made.unwrap_or_default();
    call.reply.count(made.len());
    server.keyspace.store(db, destination, made, Event::set(name), 1);
    Ok(())
}

/// Touches keys, and returns the sets there. All must be sets, even where the first that is not
/// there decides.
fn look_up<'k, 'a>(
    keyspace: &'k mut Keyspace,
    db: usize,
    keys: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<Vec<Option<&'k Set>>, ReplyError> {
    for key in keys.clone() {
        keyspace.read::<Set>(db, key)?;
    }
    let keyspace = &*keyspace;
    keys.map(|key| keyspace.peek_kind::<Set>(db, key)).collect()
}

fn all_there<'k>(sets: &[Option<&'k Set>]) -> Option<Vec<&'k Set>> {
    sets.iter().copied().collect()
}
