//! Tool: fuzzes lists: whatever their nodes are made of, they are refused or answer as a list
//! does whose nodes have one element each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis::persist::rdb::format::ObjectType;
use redis_fuzz::{Family, Order, Source, examine, pack, string, ziplist};

const FAMILY: Family = Family {
    order: Order::Kept,
    elements: "LRANGE key 0 -1",
    commands: &[
        "LLEN key",
        "LRANGE key %number %number",
        "LINDEX key %number",
        "LPOS key %element",
        "LPOS key %element RANK %number COUNT %number MAXLEN %number",
        "LPUSH key %element",
        "RPUSH key %element %element",
        "LPUSHX key %element",
        "LPOP key",
        "RPOP key",
        "LPOP key %number",
        "RPOP key %number",
        "LSET key %number %element",
        "LINSERT key BEFORE %element %element",
        "LINSERT key AFTER %element %element",
        "LREM key %number %element",
        "LTRIM key %number %number",
        "LMOVE key key LEFT RIGHT",
        "RPOPLPUSH key key",
        "LMPOP 1 key RIGHT COUNT %number",
        "SORT key ALPHA",
        "SORT key",
        "COPY key other REPLACE",
    ],
    loose: &["OBJECT ENCODING key", "DEBUG OBJECT key", "MEMORY USAGE key", "DUMP key"],
};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let choice = source.byte();
    let mut script = Source(source.piece());
    let mut nodes = Vec::new();
    while !source.is_empty() && nodes.len() < 30 {
        let is_plain = source.byte() % 4 == 0;
        nodes.push((is_plain, source.piece()));
    }
    let body = match choice % 4 {
        0 => {
            let elements = nodes.iter().map(|(_, node)| string(node));
            counted(ObjectType::LIST, nodes.len(), elements)
        }
        1 => {
            let nodes: Vec<u8> = nodes.iter().flat_map(|(_, node)| *node).copied().collect();
            let node = string(&ziplist(&mut Source(&nodes)));
            [&[ObjectType::LIST_ZIPLIST.0], &node[..]].concat()
        }
        2 => {
            let each = nodes.iter().map(|(_, node)| string(&ziplist(&mut Source(node))));
            counted(ObjectType::LIST_QUICKLIST, nodes.len(), each)
        }
        _ => {
            let each = nodes.iter().map(|(is_plain, node)| match is_plain {
                true => [&[1], &string(node)[..]].concat(),
                false => [&[2], &string(&pack(node))[..]].concat(),
            });
            counted(ObjectType::LIST_QUICKLIST_2, nodes.len(), each)
        }
    };
    examine(&FAMILY, &body, &mut script);
});

fn counted(form: ObjectType, count: usize, each: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut body = vec![form.0, count as u8];
    each.for_each(|one| body.extend_from_slice(&one));
    body
}
