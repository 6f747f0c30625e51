//! Command: DEBUG LISTPACK, QUICKLIST and QUICKLIST-PACKED-THRESHOLD: values made of listpacks,
//! entry by entry. What they show goes to the server's own output: it is for who runs it by hand.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use base::number::parse_memory;
use ds::{
    Depth, Listpack, Quicklist,
    listpack::{Digits, Pack},
    quicklist::{NodeData, NodeView, set_packed_threshold},
};

use crate::{
    commands::debug::is_nonzero,
    error::ReplyError,
    keyspace::Look,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Hash, List, Set, Value, Zset},
};

/// Of a long string this much is shown.
const SHOWN_BYTES_MAX: usize = 40;

/// DEBUG LISTPACK key
pub(super) fn listpack(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let pack: &Pack = match find(server, call)? {
        Some(
            Value::List(List::Packed(pack))
            | Value::Set(Set::Packed(pack))
            | Value::Hash(Hash::Packed(pack))
            | Value::Zset(Zset::Packed(pack)),
        ) => pack,
        Some(Value::Hash(Hash::Expiring(hash))) => hash.list(),
        _ => return Err(ReplyError::text("ERR Not a listpack encoded object.")),
    };
    let mut text = String::new();
    describe_pack(&mut text, pack);
    print(&text);
    call.reply.simple("Listpack structure printed on stdout");
    Ok(())
}

/// DEBUG QUICKLIST key [0 | 1]
pub(super) fn quicklist(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let Some(Value::List(List::Nodes(list))) = find(server, call)? else {
        return Err(ReplyError::text("ERR Not a quicklist encoded object."));
    };
    let is_full = call.argv.get(3).is_some_and(is_nonzero);
    print(&describe_list(list, is_full));
    call.reply.simple("Quicklist structure printed on stdout");
    Ok(())
}

/// DEBUG QUICKLIST-PACKED-THRESHOLD size
pub(super) fn packed_threshold(call: &mut Call<'_>) -> CommandResult {
    if !parse_memory(call.arg(2)).is_some_and(set_packed_threshold) {
        return Err(ReplyError::text(
            "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
        ));
    }
    call.reply.ok();
    Ok(())
}

/// Returns what DEBUG OBJECT shows of a list with nodes, behind what it shows of all values.
pub(super) fn facts(value: Option<&Value>) -> String {
    let Some(Value::List(List::Nodes(list))) = value else { return String::new() };
    let options = list.options();
    format!(
        " ql_nodes:{} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{} \
         ql_uncompressed_size:{}",
        list.node_count(),
        list.len() as f64 / list.node_count() as f64,
        options.fill.number(),
        u8::from(options.compress_depth != 0),
        list.nodes().map(|node| node.bytes).sum::<usize>(),
    )
}

fn find<'a>(server: &'a mut Server, call: &Call<'_>) -> Result<Option<&'a Value>, ReplyError> {
    let record = server.keyspace.look(call.db(), call.arg(2), Look::Inspect);
    Ok(record.ok_or(ReplyError::NoSuchKey)?.value())
}

fn describe_list(list: &Quicklist, is_full: bool) -> String {
    let options = list.options();
    let mut text = String::new();
    let _ = writeln!(text, "quicklist of {} elements in {} nodes", list.len(), list.node_count());
    let _ =
        writeln!(text, "fill {}, compress depth {}", options.fill.number(), options.compress_depth);
    for (index, node) in list.nodes().enumerate() {
        let kind = if node.is_plain { "plain" } else { "packed" };
        let form = if matches!(node.data, NodeData::Lzf(_)) { "lzf" } else { "raw" };
        let (bytes, count) = (node.bytes, node.count);
        let _ = writeln!(text, "node {index}: {kind}, {form}, {bytes} bytes, {count} elements");
        if is_full {
            describe_node(&mut text, node);
        }
    }
    text
}

fn describe_node(text: &mut String, node: NodeView<'_>) {
    let unpacked;
    let bytes = match &node.data {
        NodeData::Raw(bytes) => bytes,
        NodeData::Made(list) => list.bytes(),
        NodeData::Lzf(data) => {
            unpacked = base::lzf::decompress(data, node.bytes).unwrap_or_default();
            &unpacked
        }
    };
    if node.is_plain {
        let _ = writeln!(text, "    \"{}\"", shown(bytes));
    } else if let Ok(pack) = Listpack::from_bytes(bytes, Depth::Header) {
        describe_pack(text, &pack);
    }
}

fn describe_pack(text: &mut String, pack: &Pack) {
    let bytes = pack.bytes();
    let _ = writeln!(text, "listpack of {} elements in {} bytes", pack.count(), bytes.len());
    let mut digits = Digits::default();
    for (index, item) in pack.iter().enumerate() {
        let element = item.text(&mut digits);
        let _ = writeln!(text, "{index:5}: {} bytes, \"{}\"", element.len(), shown(element));
    }
}

fn shown(element: &[u8]) -> String {
    let cut = &element[..element.len().min(SHOWN_BYTES_MAX)];
    format!("{}{}", cut.escape_ascii(), if cut.len() < element.len() { "..." } else { "" })
}

/// Nobody may read what a server prints, which is no reason to stop it.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
