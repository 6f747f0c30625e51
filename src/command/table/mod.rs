//! Tool: reads the table of commands, `src/commands/*.toml`, and refuses what is wrong in it.
//!
//! Part of the build, not of the crate: `build.rs` includes this folder. A file holds one
//! family: first `group`, which its records inherit, then one table for each command, with
//! its subcommands in tables of their own (`[client.subcommands.id]`). What a record may say
//! is what `record` asks for; every other word is an error that names file and command, for a
//! fact that is spelled wrongly must not become a fact that is left out.

mod emit;
mod fields;
mod legacy;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    flags::{AclCategories, ArgumentFlags, DocFlags, Flags, KeyFlags},
    hash::NAME_BYTES_MAX,
};
pub(crate) use emit::{Emitted, emit};
use fields::Fields;

const GROUPS: [&str; 17] = [
    "generic",
    "string",
    "list",
    "set",
    "sorted-set",
    "hash",
    "pubsub",
    "transactions",
    "connection",
    "server",
    "scripting",
    "hyperloglog",
    "cluster",
    "sentinel",
    "geo",
    "stream",
    "bitmap",
];
/// Types of arguments, and how the crate names them.
const ARGUMENT_TYPES: [(&str, &str); 9] = [
    ("string", "String"),
    ("integer", "Integer"),
    ("double", "Double"),
    ("key", "Key"),
    ("pattern", "Pattern"),
    ("unix-time", "UnixTime"),
    ("pure-token", "PureToken"),
    ("oneof", "OneOf"),
    ("block", "Block"),
];
/// Functions that find keys where specs cannot, and how the crate names them.
const KEYS_FUNCTIONS: [(&str, &str); 5] = [
    ("set", "Set"),
    ("sort", "Sort"),
    ("sort_ro", "SortRo"),
    ("bitfield", "Bitfield"),
    ("xread", "Xread"),
];
const TIPS: [&str; 2] = ["nondeterministic_output", "nondeterministic_output_order"];
const REQUEST_POLICIES: [&str; 4] = ["all_nodes", "all_shards", "multi_shard", "special"];
const RESPONSE_POLICIES: [&str; 8] = [
    "one_succeeded",
    "all_succeeded",
    "agg_logical_and",
    "agg_logical_or",
    "agg_min",
    "agg_max",
    "agg_sum",
    "special",
];

/// What is wrong, and where.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// One command or subcommand, checked.
#[derive(Debug)]
pub(crate) struct Record {
    /// Without its container.
    pub(crate) name: String,
    /// With its container.
    pub(crate) full_name: String,
    /// Of `commands`, as `module::function`; a container may have none.
    pub(crate) handler: Option<String>,
    summary: String,
    since: String,
    group: String,
    complexity: Option<String>,
    history: Vec<(String, String)>,
    doc_flags: DocFlags,
    deprecated_since: Option<String>,
    replaced_by: Option<String>,
    arity: i8,
    flags: Flags,
    categories: AclCategories,
    tips: Vec<String>,
    key_specs: Vec<KeySpec>,
    keys_function: Option<String>,
    arguments: Vec<Argument>,
    /// In the order of their names.
    pub(crate) subcommands: Vec<Self>,
}

#[derive(Debug)]
struct KeySpec {
    flags: KeyFlags,
    begin: BeginSearch,
    find: FindKeys,
    notes: Option<String>,
}

#[derive(Debug)]
enum BeginSearch {
    Index { index: i16 },
    Keyword { keyword: String, start_from: i16 },
    Unknown,
}

#[derive(Debug)]
enum FindKeys {
    Range { last_key: i16, key_step: i16, limit: i16 },
    KeyNum { index: i16, first_key: i16, key_step: i16 },
    Unknown,
}

#[derive(Debug)]
struct Argument {
    name: String,
    kind: &'static str,
    display_text: Option<String>,
    key_spec_index: Option<i16>,
    token: Option<String>,
    summary: Option<String>,
    since: Option<String>,
    deprecated_since: Option<String>,
    flags: ArgumentFlags,
    arguments: Vec<Self>,
}

/// Reads every family in a folder; returns the commands in the order of their names.
pub(crate) fn read(folder: &Path) -> Result<Vec<Record>> {
    let in_folder = |error| format!("{}: {error}", folder.display());
    let mut records = BTreeMap::new();
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(in_folder)? {
        let path = entry.map_err(in_folder)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    for path in files {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        for record in parse_family(&file, &text)? {
            let name = record.name.clone();
            if records.insert(name.clone(), record).is_some() {
                return Err(format!("{file}: [{name}]: another family has this command too"));
            }
        }
    }
    Ok(records.into_values().collect())
}

/// Parses one family.
pub(crate) fn parse_family(file: &str, text: &str) -> Result<Vec<Record>> {
    let table = text.parse::<toml::Table>().map_err(|error| format!("{file}: {error}"))?;
    let mut fields = Fields::new(file.to_owned(), table);
    let group = fields.required_text("group")?;
    let mut records = Vec::new();
    for (name, fields) in fields.into_named_tables()? {
        records.extend(record(&name, None, &group, fields)?);
    }
    Ok(records)
}

/// Reads one record; one that is only planned is checked and left out.
fn record(
    name: &str,
    container: Option<&str>,
    family_group: &str,
    mut fields: Fields,
) -> Result<Option<Record>> {
    let is_sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if name.is_empty() || NAME_BYTES_MAX < name.len() || !name.chars().all(is_sound) {
        return Err(fields.error("a name is of lower-case letters, digits, - and _"));
    }
    let full_name = container.map_or(name.to_owned(), |container| format!("{container}|{name}"));
    let is_planned = fields.claim("planned")?;
    let group = fields.text("group")?.unwrap_or(family_group.to_owned());
    if !GROUPS.contains(&group.as_str()) {
        return Err(fields.error(format!("there is no group `{group}`")));
    }
    let summary = fields.required_text("summary")?;
    if !summary.ends_with('.') {
        return Err(fields.error("`summary` is a sentence, with a full stop"));
    }
    let key_specs = key_specs(&mut fields)?;
    let arguments = arguments(&mut fields, "arguments", key_specs.len())?;
    let mut subcommands = Vec::new();
    for (sub_name, sub_fields) in fields.named_tables("subcommands")? {
        if container.is_some() {
            return Err(sub_fields.error("subcommands have no subcommands"));
        }
        subcommands.extend(record(&sub_name, Some(name), &group, sub_fields)?);
    }
    subcommands.sort_by(|a, b| a.name.cmp(&b.name));
    let record = Record {
        name: name.to_owned(),
        full_name,
        handler: fields.text("handler")?,
        summary,
        since: version(&mut fields, "since")?.ok_or_else(|| fields.error("`since` is missing"))?,
        group,
        complexity: fields.text("complexity")?,
        history: fields.pairs("history")?,
        doc_flags: fields.bits("doc_flags", DocFlags::from_word, DocFlags::with)?,
        deprecated_since: version(&mut fields, "deprecated_since")?,
        replaced_by: fields.text("replaced_by")?,
        arity: fields.required_integer("arity")?,
        flags: fields.bits("flags", Flags::from_word, Flags::with)?,
        categories: fields.bits("categories", AclCategories::from_word, AclCategories::with)?,
        tips: fields.words("tips")?,
        key_specs,
        keys_function: fields.text("keys_function")?,
        arguments,
        subcommands,
    };
    check(&record, &fields)?;
    fields.end()?;
    Ok((!is_planned).then_some(record))
}

/// Checks what fields say of each other.
fn check(record: &Record, fields: &Fields) -> Result<()> {
    let wrong = |what: &str| Err(fields.error(what));
    let is_container = !record.subcommands.is_empty();
    match &record.handler {
        // Nothing but a container's own arity keeps a bare call of it from being run.
        None if !is_container => return wrong("`handler` is missing"),
        None if -2 < record.arity => return wrong("a container without a handler wants arity -2"),
        None => {}
        Some(path) => {
            let words: Vec<&str> = path.split("::").collect();
            let is_word = |word: &&str| {
                let mut chars = word.chars();
                chars.next().is_some_and(|c| c.is_ascii_lowercase())
                    && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            };
            if words.len() < 2 || !words.iter().all(is_word) {
                return wrong("`handler` is `module::function`");
            }
        }
    }
    if record.arity == 0 {
        return wrong("`arity` counts the name, so it is never 0");
    }
    if record.flags.has(Flags::WRITE.with(Flags::READONLY)) {
        return wrong("a command is `write` or `readonly`, not both");
    }
    if record.flags.has_any(Flags::MOVABLEKEYS.with(Flags::MODULE)) {
        return wrong("`movablekeys` and `module` are computed, not written");
    }
    if record.categories != record.categories.explicit(record.flags) {
        return wrong("`categories` repeats what the flags imply");
    }
    if record.doc_flags.has(DocFlags::DEPRECATED) != record.deprecated_since.is_some()
        || record.deprecated_since.is_some() != record.replaced_by.is_some()
    {
        return wrong("`deprecated`, `deprecated_since` and `replaced_by` come together");
    }
    for tip in &record.tips {
        let is_known = match tip.split_once(':') {
            None => TIPS.contains(&tip.as_str()),
            Some(("request_policy", policy)) => REQUEST_POLICIES.contains(&policy),
            Some(("response_policy", policy)) => RESPONSE_POLICIES.contains(&policy),
            Some(_) => false,
        };
        if !is_known {
            return wrong(&format!("there is no tip `{tip}`"));
        }
    }
    for (since, change) in &record.history {
        if !is_version(since) || !change.ends_with('.') {
            return wrong("`history` is of [\"1.2.3\", \"A sentence.\"]");
        }
    }
    match &record.keys_function {
        Some(word) if !KEYS_FUNCTIONS.iter().any(|(name, _)| name == word) => {
            wrong(&format!("there is no keys function `{word}`"))
        }
        None if record.key_specs.iter().any(|spec| spec.flags.has(KeyFlags::VARIABLE_FLAGS)) => {
            wrong("`variable_flags` wants a `keys_function` that tells them")
        }
        _ => Ok(()),
    }
}

fn key_specs(fields: &mut Fields) -> Result<Vec<KeySpec>> {
    let mut specs = Vec::new();
    for mut fields in fields.tables("key_specs")? {
        let flags = fields.bits("flags", KeyFlags::from_word, KeyFlags::with)?;
        let accesses = [KeyFlags::RO, KeyFlags::RW, KeyFlags::OW, KeyFlags::RM];
        let count = accesses.iter().filter(|access| flags.has(**access)).count();
        if 1 < count || count == 0 && !flags.has(KeyFlags::NOT_KEY) {
            return Err(fields.error("`flags` wants one of RO, RW, OW and RM"));
        }
        let begin = match fields.table_or_unknown("begin_search")? {
            None => return Err(fields.error("`begin_search` is missing")),
            Some(None) => BeginSearch::Unknown,
            Some(Some(search)) => begin_search(search)?,
        };
        let find = match fields.table_or_unknown("find_keys")? {
            None => FindKeys::Range { last_key: 0, key_step: 1, limit: 0 },
            Some(None) => FindKeys::Unknown,
            Some(Some(find)) => find_keys(find)?,
        };
        specs.push(KeySpec { flags, begin, find, notes: fields.text("notes")? });
        fields.end()?;
    }
    Ok(specs)
}

fn begin_search(mut fields: Fields) -> Result<BeginSearch> {
    let search = if fields.has("keyword") {
        let keyword = fields.required_text("keyword")?;
        BeginSearch::Keyword { keyword, start_from: fields.required_integer("startfrom")? }
    } else {
        BeginSearch::Index { index: fields.required_integer("index")? }
    };
    match &search {
        BeginSearch::Index { index } if *index < 1 => Err(fields.error("`index` is from 1 on")),
        BeginSearch::Keyword { start_from: 0, .. } => Err(fields.error("`startfrom` is not 0")),
        _ => fields.end().map(|()| search),
    }
}

fn find_keys(mut fields: Fields) -> Result<FindKeys> {
    let (find, key_step) = if fields.has("keynumidx") {
        let index: i16 = fields.required_integer("keynumidx")?;
        let first_key: i16 = fields.required_integer("firstkey")?;
        let key_step = fields.required_integer("keystep")?;
        if index < 0 || first_key < 0 {
            return Err(fields.error("`keynumidx` and `firstkey` are from 0 on"));
        }
        (FindKeys::KeyNum { index, first_key, key_step }, key_step)
    } else {
        let last_key: i16 = fields.required_integer("lastkey")?;
        let key_step = fields.required_integer("keystep")?;
        let limit: i16 = fields.required_integer("limit")?;
        if limit < 0 || limit != 0 && last_key != -1 {
            return Err(fields.error("`limit` is from 0 on, and wants `lastkey` -1"));
        }
        (FindKeys::Range { last_key, key_step, limit }, key_step)
    };
    if key_step < 1 {
        return Err(fields.error("`keystep` is from 1 on"));
    }
    fields.end().map(|()| find)
}

fn arguments(fields: &mut Fields, name: &str, key_specs: usize) -> Result<Vec<Argument>> {
    let mut all = Vec::new();
    for mut fields in fields.tables(name)? {
        let word = fields.required_text("type")?;
        let kind = ARGUMENT_TYPES.iter().find(|(name, _)| *name == word);
        let (_, kind) = kind.ok_or_else(|| fields.error(format!("there is no type `{word}`")))?;
        let argument = Argument {
            name: fields.required_text("name")?,
            kind,
            display_text: fields.text("display_text")?,
            key_spec_index: fields.integer("key_spec_index")?,
            token: fields.text("token")?,
            summary: fields.text("summary")?,
            since: version(&mut fields, "since")?,
            deprecated_since: version(&mut fields, "deprecated_since")?,
            flags: fields.bits("flags", ArgumentFlags::from_word, ArgumentFlags::with)?,
            arguments: arguments(&mut fields, "arguments", key_specs)?,
        };
        let is_key_spec = |index: i16| usize::try_from(index).is_ok_and(|at| at < key_specs);
        if !argument.key_spec_index.is_none_or(is_key_spec) {
            return Err(fields.error("`key_spec_index` points at no key spec"));
        }
        if ["oneof", "block"].contains(&word.as_str()) == argument.arguments.is_empty() {
            return Err(fields.error("`oneof` and `block`, and no others, have `arguments`"));
        }
        if word == "pure-token" && argument.token.is_none() {
            return Err(fields.error("a `pure-token` has a `token`"));
        }
        fields.end()?;
        all.push(argument);
    }
    Ok(all)
}

fn version(fields: &mut Fields, name: &str) -> Result<Option<String>> {
    match fields.text(name)? {
        Some(text) if !is_version(&text) => {
            Err(fields.error(format!("`{name}` is a version such as 1.2.3, not {text}")))
        }
        text => Ok(text),
    }
}

fn is_version(text: &str) -> bool {
    text.split('.').count() == 3 && text.split('.').all(|part| part.parse::<u16>().is_ok())
}
