//! Tool: fuzzes sets: whatever they are made of, they are refused or answer as a table does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis::persist::rdb::format::ObjectType;
use redis_fuzz::{Family, Order, Source, examine, intset, pack, string};

const FAMILY: Family = Family {
    order: Order::Any,
    elements: "SMEMBERS key",
    commands: &[
        "SCARD key",
        "SMEMBERS key",
        "SISMEMBER key %element",
        "SMISMEMBER key %element %element",
        "SADD key %element",
        "SADD key %number %number",
        "SADD other %element %element",
        "SREM key %element",
        "SREM key %element %element",
        "SMOVE key other %element",
        "SMOVE other key %element",
        "SINTER key other",
        "SUNION key other",
        "SDIFF key other",
        "SDIFF other key",
        "SINTERCARD 2 key other LIMIT %number",
        "SUNIONSTORE other key other",
        "SINTERSTORE other key other",
        "SDIFFSTORE other key key",
        "SORT key ALPHA",
        "COPY key other REPLACE",
        "DEBUG DIGEST-VALUE other",
    ],
    loose: &[
        "SSCAN key 0 COUNT %number MATCH *",
        "SRANDMEMBER key %few",
        "SPOP key",
        "SPOP key %number",
        "OBJECT ENCODING key",
        "DEBUG OBJECT key",
        "MEMORY USAGE key",
    ],
};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let choice = source.byte();
    let mut script = Source(source.piece());
    let body = match choice % 8 {
        0..3 => [&[ObjectType::SET_LISTPACK.0], &string(&pack(source.0))[..]].concat(),
        3 => [&[ObjectType::SET.0], source.0].concat(),
        width => {
            let width = [2, 4, 8, 1][usize::from(width) - 4];
            [&[ObjectType::SET_INTSET.0], &string(&intset(width, source.0))[..]].concat()
        }
    };
    examine(&FAMILY, &body, &mut script);
});
