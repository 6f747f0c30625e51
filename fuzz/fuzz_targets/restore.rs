//! Tool: fuzzes RESTORE: whatever stands in a payload, it is refused, or is a value that all
//! commands of its type can be asked of.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis_fuzz::{Family, Order, Source, examine};

/// Of every type some: to those of other types the twins answer the same error.
const FAMILY: Family = Family {
    order: Order::Any,
    elements: "SORT key BY nosort",
    commands: &[
        "TYPE key",
        "STRLEN key",
        "GET key",
        "APPEND key %element",
        "SETRANGE key 3 %element",
        "GETBIT key %number",
        "BITCOUNT key",
        "INCR key",
        "PFCOUNT key",
        "PFADD key %element",
        "LRANGE key 0 -1",
        "LINSERT key BEFORE %element %element",
        "LREM key %number %element",
        "RPOP key",
        "LPUSH key %element",
        "SMEMBERS key",
        "SADD key %element",
        "SREM key %element",
        "HGETALL key",
        "HSET key %element %element",
        "HDEL key %element",
        "HPEXPIRE key %number FIELDS 1 %element",
        "ZRANGE key 0 -1 WITHSCORES",
        "ZADD key %score %element",
        "ZREM key %element",
        "ZREMRANGEBYRANK key %number %number",
        "ZUNION 1 key",
        "XLEN key",
        "XRANGE key - +",
        "XREVRANGE key + -",
        "XINFO STREAM key FULL",
        "XADD key * %element %element",
        "XTRIM key MAXLEN %number",
        "XREADGROUP GROUP g c STREAMS key >",
        "RENAME key other",
        "RENAME other key",
        "COPY key other REPLACE",
    ],
    loose: &[
        "HSCAN key 0",
        "SSCAN key 0",
        "ZSCAN key 0",
        "SPOP key",
        "HRANDFIELD key %few",
        "ZRANDMEMBER key %few",
        "OBJECT ENCODING key",
        "DEBUG OBJECT key",
        "MEMORY USAGE key",
    ],
};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let mut script = Source(source.piece());
    examine(&FAMILY, source.0, &mut script);
});
