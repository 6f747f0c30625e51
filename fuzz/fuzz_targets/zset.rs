//! Tool: fuzzes sorted sets: whatever they are made of, they are refused or answer as a tree does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis::persist::rdb::format::ObjectType;
use redis_fuzz::{Family, Order, Source, examine, pack, string, ziplist};

const FAMILY: Family = Family {
    order: Order::Kept,
    elements: "ZRANGE key 0 -1",
    commands: &[
        "ZCARD key",
        "ZRANGE key %number %number WITHSCORES",
        "ZRANGE key %number %number REV",
        "ZRANGE key %score %score BYSCORE LIMIT %number %number",
        "ZRANGEBYSCORE key -inf %score WITHSCORES",
        "ZREVRANGEBYSCORE key +inf %score",
        "ZSCORE key %element",
        "ZMSCORE key %element %element",
        "ZRANK key %element WITHSCORE",
        "ZREVRANK key %element",
        "ZCOUNT key %score %score",
        "ZLEXCOUNT key - +",
        "ZADD key %score %element",
        "ZADD key NX CH %score %element %score %element",
        "ZADD key XX GT CH %score %element",
        "ZADD key LT INCR %score %element",
        "ZINCRBY key %score %element",
        "ZREM key %element",
        "ZREM key %element %element",
        "ZREMRANGEBYRANK key %number %number",
        "ZREMRANGEBYSCORE key %score %score",
        "ZREMRANGEBYLEX key - +",
        "ZPOPMIN key",
        "ZPOPMAX key %number",
        "ZMPOP 1 key MAX COUNT %number",
        "ZRANGESTORE other key %number %number",
        "ZUNIONSTORE other 2 key other WEIGHTS %score 1",
        "ZINTERSTORE other 2 key other AGGREGATE MAX",
        "ZDIFF 2 key other WITHSCORES",
        "ZINTERCARD 2 key other",
        "GEOPOS key %element",
        "GEOSEARCH key FROMLONLAT 15 37 BYRADIUS 20000 km ASC",
        "SORT key ALPHA",
        "COPY key other REPLACE",
        "DEBUG DIGEST-VALUE other",
    ],
    loose: &[
        // Of members whose scores differ nobody says what is between two names.
        "ZRANGE key [b + BYLEX",
        "ZREMRANGEBYLEX key (a [b",
        "ZSCAN key 0 COUNT %number",
        "ZRANDMEMBER key %few WITHSCORES",
        "OBJECT ENCODING key",
        "DEBUG OBJECT key",
        "MEMORY USAGE key",
    ],
};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let choice = source.byte();
    let mut script = Source(source.piece());
    let (form, body) = match choice % 4 {
        0 => (ObjectType::ZSET_LISTPACK, string(&pack(source.0))),
        1 => (ObjectType::ZSET_ZIPLIST, string(&ziplist(&mut source))),
        2 => (ObjectType::ZSET, source.0.to_vec()),
        _ => (ObjectType::ZSET_2, source.0.to_vec()),
    };
    examine(&FAMILY, &[&[form.0], &body[..]].concat(), &mut script);
});
