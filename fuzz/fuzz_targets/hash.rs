//! Tool: fuzzes hashes, those among them whose fields expire: whatever they are made of, they are
//! refused or answer as a table does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis::persist::rdb::format::ObjectType;
use redis_fuzz::{Family, Order, Source, examine, pack, string, ziplist};

const FAMILY: Family = Family {
    order: Order::Any,
    elements: "HKEYS key",
    commands: &[
        "HLEN key",
        "HGETALL key",
        "HKEYS key",
        "HVALS key",
        "HGET key %element",
        "HMGET key %element %element",
        "HEXISTS key %element",
        "HSTRLEN key %element",
        "HSET key %element %element",
        "HSET key %element %element %element %element",
        "HSETNX key %element %element",
        "HDEL key %element",
        "HDEL key %element %element",
        "HINCRBY key %element %number",
        "HINCRBYFLOAT key %element %score",
        "HEXPIRE key %number FIELDS 1 %element",
        "HPEXPIRE key %number GT FIELDS 2 %element %element",
        "HPEXPIREAT key %number FIELDS 1 %element",
        "HPERSIST key FIELDS 1 %element",
        "HPTTL key FIELDS 2 %element %element",
        "HEXPIRETIME key FIELDS 1 %element",
        "HGETEX key PX %number FIELDS 1 %element",
        "HGETDEL key FIELDS 2 %element %element",
        "HSETEX key FXX KEEPTTL FIELDS 1 %element %element",
        "HSETEX key EX %number FIELDS 2 %element %element %element %element",
        "COPY key other REPLACE",
    ],
    loose: &[
        "HSCAN key 0 COUNT %number",
        "HRANDFIELD key %few WITHVALUES",
        "OBJECT ENCODING key",
        "DEBUG OBJECT key",
        "MEMORY USAGE key",
        "SORT key",
    ],
};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let choice = source.byte();
    let mut script = Source(source.piece());
    let earliest = source.take(8);
    let form = [
        ObjectType::HASH,
        ObjectType::HASH_ZIPMAP,
        ObjectType::HASH_ZIPLIST,
        ObjectType::HASH_LISTPACK,
        ObjectType::HASH_METADATA,
        ObjectType::HASH_LISTPACK_EX,
        ObjectType::HASH_METADATA_PRE_GA,
        ObjectType::HASH_LISTPACK_EX_PRE_GA,
    ][usize::from(choice) % 8];
    let mut body = vec![form.0];
    if matches!(form, ObjectType::HASH_METADATA | ObjectType::HASH_LISTPACK_EX) {
        body.extend_from_slice(earliest);
        body.resize(9, 0);
    }
    body.extend(match form {
        ObjectType::HASH_ZIPMAP => string(source.0),
        ObjectType::HASH_ZIPLIST => string(&ziplist(&mut source)),
        ObjectType::HASH_LISTPACK
        | ObjectType::HASH_LISTPACK_EX
        | ObjectType::HASH_LISTPACK_EX_PRE_GA => string(&pack(source.0)),
        // As it comes: strings are short, so their lengths are.
        _ => source.0.to_vec(),
    });
    examine(&FAMILY, &body, &mut script);
});
