//! Command: LPUSH, RPUSH, LPUSHX, RPUSHX.

use ds::quicklist::{Options, Side};
use resp::Argv;

use crate::{
    commands::list::push_event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{List, list_options},
};

/// The first element among the arguments.
const ELEMENTS_AT: usize = 2;

/// LPUSH key element [element …]
pub(in crate::commands) fn lpush(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    push(server, call, Side::Head)
}

/// RPUSH key element [element …]
pub(in crate::commands) fn rpush(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    push(server, call, Side::Tail)
}

/// LPUSHX key element [element …]
pub(in crate::commands) fn lpushx(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    push_if_there(server, call, Side::Head)
}

/// RPUSHX key element [element …]
pub(in crate::commands) fn rpushx(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    push_if_there(server, call, Side::Tail)
}

fn push(server: &mut Server, call: &mut Call<'_>, side: Side) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let options = list_options(server.config.encoding);
    let list = server.keyspace.change_or_create::<List>(db, key)?;
    call.reply.count(push_all(list, side, call.argv, options));
    pushed(server, call, side);
    Ok(())
}

fn push_if_there(server: &mut Server, call: &mut Call<'_>, side: Side) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let options = list_options(server.config.encoding);
    let Some(list) = server.keyspace.change::<List>(db, key)? else {
        call.reply.count(0);
        return Ok(());
    };
    call.reply.count(push_all(list, side, call.argv, options));
    pushed(server, call, side);
    Ok(())
}

/// Puts each element at an end, one after the other, and says how long the list is then.
fn push_all(list: &mut List, side: Side, argv: Argv<'_>, options: Options) -> usize {
    let elements = argv.from(ELEMENTS_AT);
    if matches!(list, List::Packed(_)) {
        let bytes = elements.clone().fold(0, |bytes, element| bytes + element.len());
        list.make_room(bytes, elements.len(), options);
    }
    for (at, element) in elements.enumerate() {
        match argv.shared(ELEMENTS_AT + at) {
            Some(element) => list.push_shared(side, element),
            None => list.push(side, element),
        }
    }
    list.len()
}

fn pushed(server: &mut Server, call: &Call<'_>, side: Side) {
    let count = call.argv.count() - ELEMENTS_AT;
    server.keyspace.written_as(call.db(), call.arg(1), push_event(side), count);
}
