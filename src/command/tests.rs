//! Tool: holds the table against what Redis 7.2.6 says of its commands.

use std::fmt::Write;

use resp::{OwnedArgv, Protocol, Reply};

use super::{
    Argument, BeginSearch, CommandId, FindKeys, Flags, KeySpec, Names, describe,
    docs::Docs,
    keyspec::{KeyAt, Keys, Misfit, Search},
    names::{Lookup, RenameError},
    stats::Stats,
};

const FACTS: &str = include_str!("../../tests/facts/commands.txt");
/// Fewer would mean that the table has lost a family.
const COMMANDS_MIN: usize = 240;
/// Commands that Redis 7.2 does not have: those of its later versions.
const NEWER: [&str; 12] = [
    "hexpire",
    "hexpireat",
    "hexpiretime",
    "hgetdel",
    "hgetex",
    "hpersist",
    "hpexpire",
    "hpexpireat",
    "hpexpiretime",
    "hpttl",
    "hsetex",
    "httl",
];
/// Arguments that they have in later versions only.
const NEWER_ARGUMENTS: [(&str, &str); 1] = [(
    "hscan",
    "argument novalues pure-token display_text=novalues token=NOVALUES since=7.4.0 flags=optional",
)];

#[test]
fn every_command_is_as_redis_has_it() {
    let mut differences = Vec::new();
    for id in CommandId::all() {
        let name = id.spec().full_name;
        if NEWER.contains(&name) {
            assert!(fact(name).is_none(), "{name} is one of Redis 7.2 as well");
            continue;
        }
        let Some(fact) = fact(name) else {
            differences.push(format!("{name}: Redis 7.2.6 has no such command"));
            continue;
        };
        let mut ours = describe(id);
        for (_, line) in NEWER_ARGUMENTS.iter().filter(|(command, _)| *command == name) {
            assert!(!fact.contains(line), "{name} has it in Redis 7.2 as well: {line}");
            ours = ours.replace(&format!("  {line}\n"), "");
        }
        for (ours, fact) in ours.lines().zip(fact.lines()).filter(|(ours, fact)| ours != fact) {
            differences.push(format!("{name}:\n  ours: {ours}\n  fact: {fact}"));
        }
        if ours.lines().count() != fact.lines().count() {
            differences.push(format!("{name}: not as many lines"));
        }
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    assert!(COMMANDS_MIN <= CommandId::all().len(), "{}", CommandId::all().len());
}

/// Returns the block that begins with a name.
fn fact(name: &str) -> Option<&'static str> {
    let head = format!("\n{name}\n");
    let start = FACTS.find(&head)? + head.len();
    let block = &FACTS[start..];
    let is_next = |(at, _): &(usize, &str)| !block[at + 1..].starts_with(' ');
    let end = block.match_indices('\n').find(is_next).map_or(block.len(), |(at, _)| at + 1);
    Some(&block[..end])
}

/// Writes a record in the form of the facts.
fn describe(id: CommandId) -> String {
    let (spec, docs) = (id.spec(), id.docs());
    let keys = spec.legacy_keys;
    let mut lines = vec![
        format!("arity {}", spec.arity),
        format!("flags {}", join(spec.flags.shown().words())),
        format!("keys {} {} {}", keys.first, keys.last, keys.step),
        format!("categories {}", join(spec.categories.words())),
        format!("tips {}", spec.tips.join(" ")),
    ];
    lines.extend(spec.key_specs.iter().map(describe_key_spec));
    let Docs { since, group, history, doc_flags, deprecated_since, arguments, .. } = docs;
    lines.extend([
        format!("since {since}"),
        format!("group {group}"),
        format!("history {}", join(history.iter().map(|(since, _)| *since))),
        format!("doc_flags {}", join(doc_flags.words())),
        format!("deprecated_since {}", deprecated_since.unwrap_or_default()),
    ]);
    describe_arguments(&mut lines, arguments, "");
    lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "  {}", line.trim_end()).unwrap();
        text
    })
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

fn describe_key_spec(spec: &KeySpec) -> String {
    let begin = match spec.begin {
        BeginSearch::Index { index } => format!("index {index}"),
        BeginSearch::Keyword { keyword, start_from } => format!("keyword {keyword} {start_from}"),
        BeginSearch::Unknown => "unknown ".to_owned(),
    };
    let find = match spec.find {
        FindKeys::Range { last_key, key_step, limit } => {
            format!("range {last_key} {key_step} {limit}")
        }
        FindKeys::KeyNum { index, first_key, key_step } => {
            format!("keynum {index} {first_key} {key_step}")
        }
        FindKeys::Unknown => "unknown ".to_owned(),
    };
    let notes = if spec.notes.is_some() { " | notes" } else { "" };
    format!("key_spec {} | {begin} | {find}{notes}", join(spec.flags.words()))
}

fn describe_arguments(lines: &mut Vec<String>, arguments: &[Argument], indent: &str) {
    for argument in arguments {
        let mut line = format!("{indent}argument {} {}", argument.name, argument.kind.word());
        if !argument.kind.is_composed() {
            write!(line, " display_text={}", argument.display_text).unwrap();
        }
        if let Some(index) = argument.key_spec_index {
            write!(line, " key_spec_index={index}").unwrap();
        }
        let texts = [
            ("token", argument.token),
            ("since", argument.since),
            ("deprecated_since", argument.deprecated_since),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                write!(line, " {name}={text}").unwrap();
            }
        }
        let flags: Vec<&str> = argument.flags.words().collect();
        if !flags.is_empty() {
            write!(line, " flags={}", flags.join(",")).unwrap();
        }
        lines.push(line);
        describe_arguments(lines, argument.arguments, &format!("{indent}  "));
    }
}

#[test]
fn names_are_found_in_any_case_and_nothing_else_is() {
    for id in CommandId::all() {
        let spec = id.spec();
        let upper = spec.name.to_ascii_uppercase();
        let find = |name: &[u8]| match spec.container {
            None => CommandId::find(name),
            Some(container) => container.find_subcommand(name),
        };
        assert_eq!(find(spec.name.as_bytes()), Some(id));
        assert_eq!(find(upper.as_bytes()), Some(id));
        assert_eq!(CommandId::find_full(spec.full_name.to_uppercase().as_bytes()), Some(id));
        // Every byte counts, none more is allowed, none less.
        for at in 0..spec.name.len() {
            let mut other = spec.name.as_bytes().to_vec();
            other[at] ^= 0x80;
            assert_eq!(find(&other), None);
            other[at] = b'*';
            assert_eq!(find(&other), None);
        }
        assert_eq!(find(&[spec.name.as_bytes(), b"\0"].concat()), None);
        assert_ne!(find(&spec.name.as_bytes()[1..]), Some(id));
    }
    for name in [&b""[..], b"g", b"id", b"client|id", &[b'a'; 300], b"@et", b"GE\x14"] {
        assert_eq!(CommandId::find(name), None, "{name:?}");
    }
    assert_eq!(CommandId::find_full(b"get|"), None);
    assert_eq!(CommandId::find_full(b"client|id|"), None);
}

#[test]
fn subcommands_stand_behind_their_container() {
    for id in CommandId::all() {
        for subcommand in id.spec().subcommands() {
            let spec = subcommand.spec();
            assert_eq!(spec.container, Some(id));
            assert_eq!(spec.full_name, format!("{}|{}", id.spec().name, spec.name));
            assert_eq!(spec.container_name(), id.spec().name);
        }
    }
    let client = CommandId::find(b"client").unwrap();
    assert!(client.spec().is_container() && 10 <= client.spec().subcommands().len());
}

#[test]
fn arity_is_exact_or_a_minimum() {
    let takes = |name: &[u8], count| CommandId::find(name).unwrap().spec().takes(count);
    assert!(takes(b"get", 2) && !takes(b"get", 1) && !takes(b"get", 3));
    assert!(!takes(b"set", 2) && takes(b"set", 3) && takes(b"set", 9));
    let set = CommandId::find(b"set").unwrap().spec();
    assert!(set.is_write() && !set.is_read() && set.has(Flags::DENYOOM));
}

fn argv(line: &str) -> OwnedArgv {
    OwnedArgv::new(line.split(' ').map(str::as_bytes))
}

/// Writes the keys of a call as `index:flags`.
fn keys(line: &str) -> Result<String, Misfit> {
    let argv = argv(line);
    let Lookup::Found(id) = Names::default().find(argv.as_argv()) else { panic!("{line}") };
    let keys = Keys::find(id.spec(), argv.as_argv(), Search::Keys)?;
    let write = |key: KeyAt| {
        let flags: Vec<&str> = key.flags.words().collect();
        format!("{}:{}", key.index, flags.join(","))
    };
    Ok(keys.map(write).collect::<Vec<_>>().join(" "))
}

#[test]
fn sort_tells_its_source_and_its_last_destination() {
    let found = |line| keys(line).unwrap();
    assert_eq!(found("SORT k"), "1:RO,access");
    assert_eq!(found("SORT k BY store GET store STORE d"), "1:RO,access 7:OW,update");
    assert_eq!(found("SORT k STORE a limit 0 STORE store b"), "1:RO,access 8:OW,update");
    assert_eq!(found("SORT k STORE a STORE b ALPHA"), "1:RO,access 5:OW,update");
    assert_eq!(found("SORT k STORE"), "1:RO,access");
    assert_eq!(found("SORT_RO k GET x STORE d"), "1:RO,access");
}

#[test]
fn key_specs_find_keys() {
    let found = |line| keys(line).unwrap();
    assert_eq!(found("GET k"), "1:RO,access");
    assert_eq!(found("mset a 1 b 2"), "1:OW,update 3:OW,update");
    // A last value is missing, yet Redis names the key: the command itself will complain.
    assert_eq!(found("mset a 1 b"), "1:OW,update 3:OW,update");
    assert_eq!(found("del a b c"), "1:RM,delete 2:RM,delete 3:RM,delete");
    assert_eq!(found("object encoding k"), "2:RO");
    assert_eq!(found("lcs a b IDX"), "1:RO,access 2:RO,access");
}

#[test]
fn what_set_does_to_its_key_depends_on_get() {
    assert_eq!(keys("set k v").unwrap(), "1:OW,update");
    assert_eq!(keys("set k v EX 10 Get").unwrap(), "1:RW,access,update");
    // The value is no option.
    assert_eq!(keys("set k get").unwrap(), "1:OW,update");
    assert_eq!(keys("ping"), Err(Misfit));
}

/// Searches by specs that no command of the table has yet, or never will.
fn find_by(specs: &'static [KeySpec], line: &str) -> Result<Vec<usize>, Misfit> {
    let argv = argv(line);
    let keys = Keys::of_specs(specs, argv.as_argv(), Search::Keys)?;
    let indexes: Vec<usize> = keys.map(|key| key.index).collect();
    assert!(indexes.iter().all(|index| *index < argv.as_argv().count()));
    Ok(indexes)
}

const fn spec(begin: BeginSearch, find: FindKeys) -> KeySpec {
    KeySpec { flags: super::KeyFlags::RO, begin, find, notes: None }
}

#[test]
fn counted_keys_must_be_there() {
    const EVAL: &[KeySpec] = &[spec(
        BeginSearch::Index { index: 2 },
        FindKeys::KeyNum { index: 0, first_key: 1, key_step: 1 },
    )];
    assert_eq!(find_by(EVAL, "eval s 2 a b c"), Ok(vec![3, 4]));
    for count in ["0", "-1", "4", "x", "2147483648", "9223372036854775807", "4294967297", "01"] {
        assert_eq!(find_by(EVAL, &format!("eval s {count} a b c")), Err(Misfit), "{count}");
    }
    assert_eq!(find_by(EVAL, "eval s"), Err(Misfit));
    assert_eq!(find_by(EVAL, "eval s 1"), Err(Misfit));
}

#[test]
fn keywords_are_searched_forwards_and_backwards() {
    const STREAMS: &[KeySpec] = &[spec(
        BeginSearch::Keyword { keyword: "STREAMS", start_from: 1 },
        FindKeys::Range { last_key: -1, key_step: 1, limit: 2 },
    )];
    assert_eq!(find_by(STREAMS, "xread COUNT 2 streams a b 0 0"), Ok(vec![4, 5]));
    assert_eq!(find_by(STREAMS, "xread COUNT 2"), Ok(vec![]));
    // The last word has nothing behind it, so it is not looked at.
    assert_eq!(find_by(STREAMS, "xread COUNT 2 streams"), Ok(vec![]));
    assert_eq!(find_by(STREAMS, "xread streams a"), Err(Misfit));
    const KEYS: &[KeySpec] = &[spec(
        BeginSearch::Keyword { keyword: "KEYS", start_from: -2 },
        FindKeys::Range { last_key: -1, key_step: 1, limit: 0 },
    )];
    assert_eq!(find_by(KEYS, "migrate h 1 KEYS 0 9 keys a b"), Ok(vec![7, 8]));
    assert_eq!(find_by(KEYS, "migrate keys"), Ok(vec![]));
    assert_eq!(find_by(KEYS, "migrate"), Ok(vec![]));
}

#[test]
fn what_cannot_be_told_is_a_misfit() {
    const RANGE: FindKeys = FindKeys::Range { last_key: 0, key_step: 1, limit: 0 };
    const UNKNOWN: &[KeySpec] = &[spec(BeginSearch::Unknown, RANGE)];
    const UNKNOWN_COUNT: &[KeySpec] = &[spec(BeginSearch::Index { index: 1 }, FindKeys::Unknown)];
    const INCOMPLETE: &[KeySpec] = &[KeySpec {
        flags: super::KeyFlags::RO.with(super::KeyFlags::INCOMPLETE),
        ..spec(BeginSearch::Index { index: 1 }, RANGE)
    }];
    const FAR: &[KeySpec] = &[spec(BeginSearch::Index { index: i16::MAX }, RANGE)];
    for specs in [UNKNOWN, UNKNOWN_COUNT, INCOMPLETE, FAR] {
        assert_eq!(find_by(specs, "x a b"), Err(Misfit));
    }
}

#[test]
fn routed_names_are_keys_only_for_who_asks() {
    const CHANNEL: &[KeySpec] = &[KeySpec {
        flags: super::KeyFlags::NOT_KEY,
        ..spec(
            BeginSearch::Index { index: 1 },
            FindKeys::Range { last_key: -1, key_step: 1, limit: 0 },
        )
    }];
    let argv = argv("ssubscribe a b");
    let count = |search| Keys::of_specs(CHANNEL, argv.as_argv(), search).unwrap().count();
    assert_eq!((count(Search::Keys), count(Search::RoutedNames)), (0, 2));
}

/// Every command of the table with arguments that nobody would send.
#[test]
fn hostile_arguments_never_lead_outside() {
    let words =
        ["0", "1", "-1", "99999999999", "9223372036854775807", "", "KEYS", "GET", "STREAMS"];
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for round in 0..20_000 {
        let id = CommandId::all().nth(random(super::COMMAND_COUNT)).unwrap();
        let count = random(8);
        let mut line = vec![id.spec().name];
        line.extend((0..count).map(|_| words[random(words.len())]));
        let argv = OwnedArgv::new(line.iter().map(|word| word.as_bytes()));
        if let Ok(keys) = Keys::find(id.spec(), argv.as_argv(), Search::RoutedNames) {
            let are_inside = keys.clone().all(|key| key.index <= count);
            assert!(are_inside && keys.count() <= count, "round {round}: {line:?}");
        }
    }
}

#[test]
fn a_request_means_a_command_or_its_subcommand() {
    let names = Names::default();
    let find = |line| names.find(argv(line).as_argv());
    let id = |name: &[u8]| CommandId::find_full(name).unwrap();
    assert_eq!(find("GET k"), Lookup::Found(id(b"get")));
    assert_eq!(find("Client Id x"), Lookup::Found(id(b"client|id")));
    assert_eq!(find("client"), Lookup::Found(id(b"client")));
    assert_eq!(find("client nothing"), Lookup::UnknownSubcommand(id(b"client")));
    assert_eq!(find("nothing client"), Lookup::Unknown);
    assert_eq!(names.find(OwnedArgv::default().as_argv()), Lookup::Unknown);
}

#[test]
fn renamed_commands_answer_to_their_new_name_alone() {
    let mut names = Names::default();
    let (get, set) = (CommandId::find(b"get").unwrap(), CommandId::find(b"set").unwrap());
    let count = names.commands().count();
    assert_eq!(names.rename(b"nothing", b"x"), Err(RenameError::NoSuchCommand));
    assert_eq!(names.rename(b"GET", b"Set"), Err(RenameError::NameIsTaken));
    names.rename(b"GET", b"Fetch").unwrap();
    assert_eq!((names.find_name(b"get"), names.find_name(b"FETCH")), (None, Some(get)));
    // A name that has become free may be given away.
    names.rename(b"set", b"get").unwrap();
    assert_eq!((names.find_name(b"GET"), names.find_name(b"set")), (Some(set), None));
    assert_eq!(names.commands().count(), count);
    names.rename(b"client", b"").unwrap();
    assert_eq!(names.find(argv("client id").as_argv()), Lookup::Unknown);
    let original = names.find_or_original(argv("client id").as_argv());
    assert_eq!(original, Lookup::Found(CommandId::find_full(b"client|id").unwrap()));
    assert_eq!(names.commands().count(), count - 1);
    // Back again.
    names.rename(b"get", b"set").unwrap();
    names.rename(b"fetch", b"get").unwrap();
    assert_eq!((names.find_name(b"get"), names.find_name(b"set")), (Some(get), Some(set)));
}

#[test]
fn calls_are_counted_by_command() {
    let mut stats = Stats::default();
    let get = CommandId::find(b"get").unwrap();
    stats.ran(get, 3, false);
    stats.ran(get, 4, true);
    stats.rejected(get);
    let (id, counted) = stats.used().next().unwrap();
    assert_eq!((id, stats.used().count()), (get, 1));
    assert_eq!((counted.calls, counted.usec, counted.rejected, counted.failed), (2, 7, 1, 1));
    assert!((counted.usec_per_call() - 3.5).abs() < f64::EPSILON);
    stats.reset();
    assert_eq!(stats.used().count(), 0);
}

/// Describes a command in a protocol's words, line ends shown as spaces.
fn described(write: fn(&mut Reply, CommandId), name: &[u8], protocol: Protocol) -> String {
    let mut reply = Reply::default();
    reply.protocol = protocol;
    write(&mut reply, CommandId::find_full(name).unwrap());
    String::from_utf8(reply.output().front().to_vec()).unwrap().replace("\r\n", " ")
}

#[test]
fn info_has_the_types_of_its_protocol() {
    let resp3 = "*10 $3 get :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast ~0 ~1 %3 \
                 $5 flags ~2 +RO +access $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index \
                 :1 $9 find_keys %2 $4 type $5 range $4 spec %3 $7 lastkey :0 $7 keystep :1 $5 \
                 limit :0 ~0 ";
    assert_eq!(described(describe::info, b"get", Protocol::Resp3), resp3);
    let resp2 = "*10 $3 get :2 *2 +readonly +fast :1 :1 :1 *3 +@read +@string +@fast *0 *1 *6 \
                 $5 flags *2 +RO +access $12 begin_search *4 $4 type $5 index $4 spec *2 $5 index \
                 :1 $9 find_keys *4 $4 type $5 range $4 spec *6 $7 lastkey :0 $7 keystep :1 $5 \
                 limit :0 *0 ";
    assert_eq!(described(describe::info, b"get", Protocol::Resp2), resp2);
    // What is for ourselves alone is not shown.
    assert!(!described(describe::info, b"debug", Protocol::Resp2).contains("protected"));
    assert!(
        described(describe::info, b"client", Protocol::Resp3).contains(" *10 $9 client|id :2 ")
    );
}

#[test]
fn docs_leave_out_what_is_not_said() {
    let time = format!(
        "%4 $7 summary ${} {} $5 since $5 2.6.0 $5 group $6 server $10 complexity $4 O(1) ",
        super::ids::TIME.docs().summary.len(),
        super::ids::TIME.docs().summary,
    );
    assert_eq!(described(describe::docs, b"time", Protocol::Resp3), time);
    let setnx = described(describe::docs, b"setnx", Protocol::Resp2);
    assert!(setnx.starts_with("*16 ") && setnx.contains(" $9 doc_flags *1 +deprecated "));
    let set = described(describe::docs, b"set", Protocol::Resp3);
    assert!(set.contains(" $7 history ~4 *2 $6 2.6.12 ") && set.contains(" $9 arguments *5 %4 "));
    let client = described(describe::docs, b"client", Protocol::Resp3);
    let count = super::ids::CLIENT.spec().subcommands().len();
    assert!(client.contains(&format!(" $11 subcommands %{count} ")));
    assert!(client.contains(" $14 client|getname %4 "));
}
