//! Pure: a command's record as replies tell it: COMMAND INFO and COMMAND DOCS.
//!
//! Clients build their tables from these, so types (map, set, status, string) and the order
//! of fields are those of Redis; a field without a value is left out.

use resp::Reply;

use super::{
    CommandId,
    docs::{Argument, Docs},
    flags::KeyFlags,
    keyspec::{BeginSearch, FindKeys, KeySpec},
};

const INFO_FIELDS: usize = 10;

/// Writes how a command is called, subcommands included.
pub fn info(reply: &mut Reply, id: CommandId) {
    let spec = id.spec();
    reply.array(INFO_FIELDS);
    reply.bulk(spec.full_name.as_bytes());
    reply.integer(spec.arity.into());
    words(reply, spec.flags.shown().words());
    reply.integer(spec.legacy_keys.first.into());
    reply.integer(spec.legacy_keys.last.into());
    reply.integer(spec.legacy_keys.step.into());
    reply.set(spec.categories.words().count());
    spec.categories.words().for_each(|word| reply.simple(&format!("@{word}")));
    reply.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| text(reply, tip));
    reply.set(spec.key_specs.len());
    spec.key_specs.iter().for_each(|spec| key_spec(reply, spec));
    if spec.is_container() {
        reply.array(spec.subcommands().len());
        spec.subcommands().for_each(|id| info(reply, id));
    } else {
        reply.set(0);
    }
}

/// Writes the words of a key's flags.
pub fn key_flags(reply: &mut Reply, flags: KeyFlags) {
    words(reply, flags.words());
}

/// Writes what is written about a command, subcommands included.
pub fn docs(reply: &mut Reply, id: CommandId) {
    let (spec, docs) = (id.spec(), id.docs());
    let mut map = Map::open(reply);
    map.text("summary", docs.summary);
    map.text("since", docs.since);
    map.text("group", docs.group);
    map.text_if("complexity", docs.complexity);
    if docs.doc_flags.words().next().is_some() {
        words(map.field("doc_flags"), docs.doc_flags.words());
    }
    map.text_if("deprecated_since", docs.deprecated_since);
    map.text_if("replaced_by", docs.replaced_by);
    history(&mut map, docs);
    if !docs.arguments.is_empty() {
        arguments(map.field("arguments"), docs.arguments);
    }
    if spec.is_container() {
        let reply = map.field("subcommands");
        reply.map(spec.subcommands().len());
        for subcommand in spec.subcommands() {
            text(reply, subcommand.spec().full_name);
            self::docs(reply, subcommand);
        }
    }
    map.close();
}

fn history(map: &mut Map<'_>, docs: &Docs) {
    if docs.history.is_empty() {
        return;
    }
    let reply = map.field("history");
    reply.set(docs.history.len());
    for (since, change) in docs.history {
        reply.array(2);
        text(reply, since);
        text(reply, change);
    }
}

fn arguments(reply: &mut Reply, all: &[Argument]) {
    reply.array(all.len());
    for argument in all {
        let mut map = Map::open(reply);
        map.text("name", argument.name);
        map.text("type", argument.kind.word());
        if !argument.kind.is_composed() {
            map.text("display_text", argument.display_text);
        }
        if let Some(index) = argument.key_spec_index {
            map.field("key_spec_index").integer(index.into());
        }
        map.text_if("token", argument.token);
        map.text_if("summary", argument.summary);
        map.text_if("since", argument.since);
        map.text_if("deprecated_since", argument.deprecated_since);
        if argument.flags.words().next().is_some() {
            words(map.field("flags"), argument.flags.words());
        }
        if argument.kind.is_composed() {
            arguments(map.field("arguments"), argument.arguments);
        }
        map.close();
    }
}

fn key_spec(reply: &mut Reply, spec: &KeySpec) {
    let mut map = Map::open(reply);
    map.text_if("notes", spec.notes);
    words(map.field("flags"), spec.flags.words());
    let mut begin = Map::open(map.field("begin_search"));
    match spec.begin {
        BeginSearch::Index { index } => {
            begin.text("type", "index");
            numbers(begin.field("spec"), &[("index", index)]);
        }
        BeginSearch::Keyword { keyword, start_from } => {
            begin.text("type", "keyword");
            let mut keyword_map = Map::open(begin.field("spec"));
            keyword_map.text("keyword", keyword);
            keyword_map.field("startfrom").integer(start_from.into());
            keyword_map.close();
        }
        BeginSearch::Unknown => {
            begin.text("type", "unknown");
            numbers(begin.field("spec"), &[]);
        }
    }
    begin.close();
    let mut find = Map::open(map.field("find_keys"));
    match spec.find {
        FindKeys::Range { last_key, key_step, limit } => {
            find.text("type", "range");
            let fields = [("lastkey", last_key), ("keystep", key_step), ("limit", limit)];
            numbers(find.field("spec"), &fields);
        }
        FindKeys::KeyNum { index, first_key, key_step } => {
            find.text("type", "keynum");
            let fields = [("keynumidx", index), ("firstkey", first_key), ("keystep", key_step)];
            numbers(find.field("spec"), &fields);
        }
        FindKeys::Unknown => {
            find.text("type", "unknown");
            numbers(find.field("spec"), &[]);
        }
    }
    find.close();
    map.close();
}

fn numbers(reply: &mut Reply, fields: &[(&str, i16)]) {
    reply.map(fields.len());
    for (name, number) in fields {
        text(reply, name);
        reply.integer((*number).into());
    }
}

fn words(reply: &mut Reply, words: impl Iterator<Item = &'static str> + Clone) {
    reply.set(words.clone().count());
    words.for_each(|word| reply.simple(word));
}

fn text(reply: &mut Reply, text: &str) {
    reply.bulk(text.as_bytes());
}

/// A map whose fields are counted as they are written.
struct Map<'a> {
    reply: &'a mut Reply,
    length: resp::DeferredLength,
    count: usize,
}

impl<'a> Map<'a> {
    fn open(reply: &'a mut Reply) -> Self {
        let length = reply.deferred();
        Self { reply, length, count: 0 }
    }

    /// Writes a field's name; its value comes next.
    fn field(&mut self, name: &str) -> &mut Reply {
        self.count += 1;
        text(self.reply, name);
        self.reply
    }

    fn text(&mut self, name: &str, value: &str) {
        text(self.field(name), value);
    }

    fn text_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn close(self) {
        self.reply.close_map(self.length, self.count);
    }
}
