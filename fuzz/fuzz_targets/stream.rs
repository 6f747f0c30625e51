//! Tool: fuzzes streams: whatever their nodes and groups say, they are refused or answer; and what
//! is dumped is the same when it is restored.

#![no_main]

use ds::{Listpack, listpack::Item};
use libfuzzer_sys::fuzz_target;
use redis::persist::rdb::format::ObjectType;
use redis_fuzz::{Family, Order, Source, examine, pack, string};

const FAMILY: Family = Family {
    order: Order::Kept,
    // Names of groups and consumers are what is looked for by name.
    elements: "XINFO GROUPS key",
    commands: &[
        "XLEN key",
        "XRANGE key - +",
        "XRANGE key (%id %id COUNT 3",
        "XREVRANGE key + - COUNT 2",
        "XREVRANGE key %id %id",
        "XREAD COUNT 2 STREAMS key %id",
        "XADD key %id f %element",
        "XADD key NOMKSTREAM %id f %element g h",
        "XADD key MAXLEN ~ %number LIMIT 10 %id f v",
        "XDEL key %id",
        "XDEL key %id %id",
        "XTRIM key MAXLEN %number",
        "XTRIM key MINID %id",
        "XTRIM key MAXLEN ~ 1",
        "XSETID key %id",
        "XSETID key %id ENTRIESADDED %number MAXDELETEDID %id",
        "XINFO STREAM key",
        "XINFO STREAM key FULL COUNT 0",
        "XINFO GROUPS key",
        "XINFO CONSUMERS key g",
        "XGROUP CREATE key g %id",
        "XGROUP CREATE key h $ ENTRIESREAD %number",
        "XGROUP SETID key g %id",
        "XGROUP DESTROY key h",
        "XGROUP CREATECONSUMER key g c",
        "XGROUP DELCONSUMER key g c",
        "XREADGROUP GROUP g c COUNT 2 STREAMS key >",
        "XREADGROUP GROUP g d NOACK STREAMS key >",
        "XREADGROUP GROUP g c STREAMS key %id",
        "XACK key g %id %id",
        "XPENDING key g",
        "XPENDING key g - + 10",
        "XPENDING key g IDLE 0 (%id %id 5 c",
        "XCLAIM key g d 0 %id %id",
        "XCLAIM key g c 0 %id FORCE JUSTID RETRYCOUNT 3",
        "XAUTOCLAIM key g d 0 %id COUNT 2",
        "COPY key other REPLACE",
    ],
    loose: &["OBJECT ENCODING key", "DEBUG OBJECT key", "MEMORY USAGE key"],
};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let choice = source.byte();
    let mut script = Source(source.piece());
    let form = [
        ObjectType::STREAM_LISTPACKS,
        ObjectType::STREAM_LISTPACKS_2,
        ObjectType::STREAM_LISTPACKS_3,
    ][usize::from(choice) % 3];
    let mut body = vec![form.0];
    let node_count = source.below(4);
    length(&mut body, node_count as u64);
    let mut live = 0;
    for _ in 0..node_count {
        body.extend_from_slice(&string(&raw_id(&mut source)));
        body.extend_from_slice(&string(&node(&mut source, &mut live)));
    }
    // Now and then it does not say how many there are.
    length(&mut body, if choice & 64 == 0 { live } else { u64::from(source.byte()) });
    let ids = if form == ObjectType::STREAM_LISTPACKS { 1 } else { 3 };
    (0..2 * ids).for_each(|_| length(&mut body, source.byte().into()));
    if form != ObjectType::STREAM_LISTPACKS {
        length(&mut body, wide(&mut source));
    }
    let group_count = source.below(3);
    length(&mut body, group_count as u64);
    for name in [b"g", b"h"].into_iter().take(group_count) {
        body.extend_from_slice(&string(name));
        group(&mut body, &mut source, form);
    }
    examine(&FAMILY, &body, &mut script);
});

/// Makes a node: most have the structure of one, with some numbers that are wrong.
fn node(source: &mut Source<'_>, live: &mut u64) -> Vec<u8> {
    let choice = source.byte();
    if choice == 255 {
        return pack(source.piece());
    }
    let names: Vec<&[u8]> = (0..source.below(4)).map(|_| source.piece()).collect();
    let (mut entries, mut live_here, mut deleted) = (Listpack::new(), 0, 0);
    for _ in 0..source.below(12) {
        let flags = i64::from(source.byte() % 4);
        let distance = [source.byte(), source.byte()].map(|byte| i64::from(byte.cast_signed()));
        let is_same = flags & 2 != 0;
        let words = if is_same { names.len() } else { 2 * source.below(3) };
        let mut item = |n: i64| entries.append(Item::Int(n));
        item(flags);
        distance.into_iter().for_each(&mut item);
        if !is_same {
            item(words as i64 / 2);
        }
        (0..words).for_each(|_| entries.append(Item::Bytes(source.piece())));
        entries.append(Item::Int((words + if is_same { 3 } else { 4 }) as i64));
        live_here += i64::from(flags & 1 == 0);
        deleted += i64::from(flags & 1);
    }
    if choice == 254 {
        live_here = i64::from(source.byte().cast_signed());
    }
    *live += live_here.unsigned_abs();
    let head = [live_here, deleted, names.len() as i64].map(Item::Int);
    let mut node = Listpack::from_items(head);
    node.extend(names.iter().map(|name| Item::Bytes(name)));
    node.append(Item::Int(0));
    node.append_pack(&entries);
    node.bytes().to_vec()
}

fn group(body: &mut Vec<u8>, source: &mut Source<'_>, form: ObjectType) {
    length(body, source.byte().into());
    length(body, source.byte().into());
    if form != ObjectType::STREAM_LISTPACKS {
        length(body, wide(source));
    }
    let pending: Vec<[u8; 16]> = (0..source.below(6)).map(|_| raw_id(source)).collect();
    length(body, pending.len() as u64);
    for id in &pending {
        body.extend_from_slice(id);
        body.extend_from_slice(&wide(source).to_le_bytes());
        length(body, wide(source));
    }
    let consumers = source.below(3);
    length(body, consumers as u64);
    // Each has a share of what waits.
    let shares = pending.chunks(pending.len().div_ceil(consumers.max(1)).max(1));
    let mut shares = shares.chain(std::iter::repeat(&[][..]));
    for name in [b"c", b"d"].into_iter().take(consumers) {
        body.extend_from_slice(&string(name));
        body.extend_from_slice(&wide(source).to_le_bytes());
        if form == ObjectType::STREAM_LISTPACKS_3 {
            body.extend_from_slice(&wide(source).to_le_bytes());
        }
        let share = shares.next().unwrap_or_default();
        length(body, share.len() as u64);
        share.iter().for_each(|id| body.extend_from_slice(id));
    }
}

/// Takes a number: a small one, or one of those that are as far off as can be.
fn wide(source: &mut Source<'_>) -> u64 {
    match source.byte() {
        255 => u64::MAX,
        254 => i64::MAX.cast_unsigned(),
        253 => i64::MIN.cast_unsigned(),
        small => small.into(),
    }
}

/// Takes a number of an entry, as it stands in a snapshot.
fn raw_id(source: &mut Source<'_>) -> [u8; 16] {
    let (ms, seq) = (wide(source), wide(source));
    (u128::from(ms) << 64 | u128::from(seq)).to_be_bytes()
}

/// Appends a length in its longest form.
fn length(body: &mut Vec<u8>, length: u64) {
    body.push(0x81);
    body.extend_from_slice(&length.to_be_bytes());
}
