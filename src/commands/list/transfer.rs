//! Command: from list to list: LMOVE, RPOPLPUSH.

use ds::{
    SharedBytes,
    listpack::Item,
    quicklist::{Options, Side},
};

use crate::{
    commands::list::{parse_side, pop_event, push_event, shrink},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{List, list_options},
};

/// From where to where.
#[derive(Clone, Copy)]
pub(super) struct Route<'a> {
    pub(super) db: usize,
    pub(super) from: (&'a [u8], Side),
    pub(super) to: (&'a [u8], Side),
}

impl<'a> Route<'a> {
    /// Reads source, destination and the ends of both.
    pub(super) fn parse(call: &Call<'a>) -> Result<Self, ReplyError> {
        let (from, to) = (parse_side(call.arg(3))?, parse_side(call.arg(4))?);
        Ok(Self { db: call.db(), from: (call.arg(1), from), to: (call.arg(2), to) })
    }

    /// Reads source and destination of the older form.
    pub(super) fn from_tail_to_head(call: &Call<'a>) -> Self {
        let (from, to) = (call.arg(1), call.arg(2));
        Self { db: call.db(), from: (from, Side::Tail), to: (to, Side::Head) }
    }
}

/// An element on its way.
enum Element {
    Copied(Vec<u8>),
    Shared(SharedBytes),
}

/// LMOVE source destination LEFT | RIGHT LEFT | RIGHT
pub(in crate::commands) fn lmove(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let route = Route::parse(call)?;
    if !transfer(server, call, route)? {
        call.reply.null();
    }
    Ok(())
}

/// RPOPLPUSH source destination
pub(in crate::commands) fn rpoplpush(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let route = Route::from_tail_to_head(call);
    if !transfer(server, call, route)? {
        call.reply.null();
    }
    Ok(())
}

/// Moves an element and answers it; says whether there was one.
pub(super) fn transfer(
    server: &mut Server,
    call: &mut Call<'_>,
    route: Route<'_>,
) -> Result<bool, ReplyError> {
    let Route { db, from: (from, from_side), to: (to, to_side) } = route;
    let options = list_options(server.config.encoding);
    let Some(list) = server.keyspace.change::<List>(db, from)? else { return Ok(false) };
    let element = list.end(from_side).expect("a key holds no empty list");
    // Redis counts no bytes of what it holds as an integer, and encodings show it.
    let counted_bytes = if let Item::Bytes(element) = element { element.len() } else { 0 };
    let element = match list.end_shared(from_side) {
        Some(element) => Element::Shared(element.clone()),
        None => Element::Copied(element.to_vec()),
    };
    let is_empty = if from == to {
        list.remove_end(from_side);
        put(list, to_side, &element, counted_bytes, options);
        shrink(list, options)
    } else {
        // Nothing has changed yet: it may be of the wrong type.
        let destination = server.keyspace.change_or_create::<List>(db, to)?;
        put(destination, to_side, &element, counted_bytes, options);
        let list = server.keyspace.again::<List>(db, from).expect("it was there just now");
        list.remove_end(from_side);
        shrink(list, options)
    };
    match &element {
        Element::Copied(element) => call.reply.bulk(element),
        Element::Shared(element) => call.reply.shared(element),
    }
    server.keyspace.written_as(db, to, push_event(to_side), 0);
    server.keyspace.lost(db, from, pop_event(from_side), 1, is_empty);
    Ok(true)
}

fn put(list: &mut List, side: Side, element: &Element, counted_bytes: usize, options: Options) {
    list.make_room(counted_bytes, 1, options);
    match element {
        Element::Copied(element) => list.push(side, element),
        Element::Shared(element) => list.push_shared(side, element),
    }
}
