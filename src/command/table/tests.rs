//! Tool: tests that the table of commands is read whole, and refused if anything is wrong.

use std::path::Path;

use super::{Emitted, emit, parse_family, read};

const SOUND: &str = r#"
group = "string"

[get]
summary = "Reads."
since = "1.0.0"
complexity = "O(1)"
arity = 2
flags = ["readonly", "fast"]
categories = ["string"]
key_specs = [{ flags = ["RO"], begin_search = { index = 1 } }]
arguments = [{ name = "key", type = "key", key_spec_index = 0 }]
handler = "string::get"

[box]
summary = "Holds."
since = "1.0.0"
complexity = "O(1)"
arity = -2

[box.subcommands.open]
summary = "Opens."
since = "1.0.0"
complexity = "O(1)"
arity = 2
handler = "boxes::open"
"#;

/// Asks for the error that a change of the sound family makes; it names file and command.
#[track_caller]
fn check(old: &str, new: &str, expected: &str) {
    assert!(SOUND.contains(old), "{old}");
    let error = parse_family("x.toml", &SOUND.replacen(old, new, 1)).unwrap_err();
    assert!(error.contains(expected), "{error}");
    let names_place = error.starts_with("x.toml: [get]") || error.starts_with("x.toml: [box]");
    assert!(names_place, "{error}");
}

#[test]
fn the_table_itself_is_sound() {
    let records = read(Path::new("src/commands")).unwrap();
    let Emitted { specs, handlers } = emit(&records).unwrap();
    let count = super::super::COMMAND_COUNT;
    assert!(specs.contains(&format!("COMMAND_COUNT: usize = {count};")));
    assert!(handlers.starts_with(&format!("static HANDLERS: [CommandFn; {count}]")));
    assert_eq!(parse_family("x.toml", SOUND).unwrap().len(), 2);
}

#[test]
fn unknown_words_are_refused() {
    check("\"fast\"", "\"quick\"", "`flags` has no word `quick`");
    check("[\"string\"]", "[\"strings\"]", "`categories` has no word `strings`");
    check("[\"RO\"]", "[\"READ\"]", "`flags` has no word `READ`");
    check("type = \"key\"", "type = \"word\"", "there is no type `word`");
    check("arity = 2", "arity = 2\ntips = [\"request_policy:none\"]", "there is no tip");
    check("arity = 2", "arity = 2\narty = 2", "there is no field `arty`");
    check("arity = 2", "arity = 2\ngroup = \"text\"", "there is no group `text`");
    check("arity = 2", "arity = 2\nkeys_function = \"x\"", "there is no keys function `x`");
    check("index = 1", "index = 1, from = 2", "there is no field `from`");
}

#[test]
fn missing_and_misshapen_fields_are_refused() {
    check("handler = \"string::get\"", "", "`handler` is missing");
    check("\"string::get\"", "\"get\"", "`handler` is `module::function`");
    check("\"string::get\"", "\"string::Get()\"", "`handler` is `module::function`");
    check("summary = \"Reads.\"", "", "`summary` is missing");
    check("\"Reads.\"", "\"Reads\"", "`summary` is a sentence");
    check("since = \"1.0.0\"", "since = \"1.0\"", "`since` is a version");
    check("arity = 2", "arity = 0", "never 0");
    check("arity = 2", "arity = 300", "`arity` wants an integer in range");
    check("arity = -2", "arity = -1", "a container without a handler wants arity -2");
    check("[\"readonly\", \"fast\"]", "[\"readonly\", \"write\"]", "not both");
    check("[\"readonly\", \"fast\"]", "[\"readonly\", \"readonly\"]", "is no word, or twice");
    check("[\"string\"]", "[\"string\", \"read\"]", "repeats what the flags imply");
    check("arity = 2", "arity = 2\ndoc_flags = [\"deprecated\"]", "come together");
}

#[test]
fn key_specs_and_arguments_that_cannot_work_are_refused() {
    check("index = 1", "index = 0", "`index` is from 1 on");
    check("[\"RO\"]", "[\"RO\", \"RW\"]", "wants one of RO, RW, OW and RM");
    check("[\"RO\"]", "[\"access\"]", "wants one of RO, RW, OW and RM");
    check("[\"RO\"]", "[\"RO\", \"variable_flags\"]", "wants a `keys_function`");
    check("begin_search = { index = 1 }", "notes = \"x\"", "`begin_search` is missing");
    let find = "index = 1 }, find_keys = { lastkey = -2, keystep = 1, limit = 2 }";
    check("index = 1 }", find, "wants `lastkey` -1");
    let find = "index = 1 }, find_keys = { lastkey = 0, keystep = 0, limit = 0 }";
    check("index = 1 }", find, "`keystep` is from 1 on");
    check("key_spec_index = 0", "key_spec_index = 1", "points at no key spec");
    check("type = \"key\"", "type = \"oneof\"", "have `arguments`");
    check("type = \"key\"", "type = \"pure-token\"", "has a `token`");
}

#[test]
fn names_are_sound_and_nest_once() {
    let error = |old, new| parse_family("x.toml", &SOUND.replacen(old, new, 1)).unwrap_err();
    assert!(error("[get]", "[GET]").contains("x.toml: [GET]: a name is of lower-case"));
    assert!(error("[get]", "[box]").starts_with("x.toml: TOML parse error"));
    let nested = format!("{SOUND}[box.subcommands.open.subcommands.lid]\nsummary = \"Is.\"\n");
    let error_of_nested = parse_family("x.toml", &nested).unwrap_err();
    assert!(error_of_nested.contains("[lid]: subcommands have no subcommands"));
    assert!(error("group = \"string\"", "").contains("x.toml: `group` is missing"));
}

#[test]
fn what_is_planned_is_checked_and_left_out() {
    let planned = SOUND.replacen("arity = 2", "arity = 2\nplanned = true", 1);
    assert_eq!(parse_family("x.toml", &planned).unwrap().len(), 1);
}
