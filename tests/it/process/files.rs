//! Tool: the files of three servers: all that these have said of each key holds with us, and what
//! we write of it holds with Redis.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use base::digest::sha1_hex;
use conversation::{Process, Program, reference};
use resp::value::{Decoder, Limits, Value};
use toml::{Table, Value as Toml};

use super::{Folder, Server, ask, wait_until};

/// The servers, and whether they have chosen the encodings of Redis 7.2.
const MADE_BY: [(&str, bool); 3] =
    [("redis-7.0.15", false), ("redis-7.2.6", true), ("valkey-8.0.1", true)];
/// Behind the body of what DUMP returns stand the version and a checksum.
const DUMP_FOOT_BYTES: usize = 10;
/// What servers of Redis 7.0 say of scores in a digest differs from what later ones do.
const OF_7_0: &str = "redis-7.0.15";
const OF_7_2: &str = "redis-7.2.6";

/// A connection whose answers are bytes.
struct Client {
    socket: TcpStream,
    decoder: Decoder,
}

impl Client {
    fn connect(port: u16) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(super::PATIENCE)).unwrap();
        Self { socket, decoder: Decoder::new(Limits { depth_max: 32, bytes_max: 1 << 24 }) }
    }

    fn ask(&mut self, words: &[&[u8]]) -> Value {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.socket.write_all(&request).unwrap();
        let mut space = vec![0; 65536];
        loop {
            if let Some(value) = self.decoder.advance().unwrap() {
                return value;
            }
            let count = self.socket.read(&mut space).unwrap();
            assert_ne!(count, 0, "the server is there");
            self.decoder.feed(&space[..count]);
        }
    }

    fn bytes(&mut self, words: &[&[u8]]) -> Vec<u8> {
        bytes_of(&self.ask(words))
    }

    fn strings(&mut self, words: &[&[u8]]) -> Vec<Vec<u8>> {
        self.ask(words).elements().unwrap().iter().map(bytes_of).collect()
    }
}

fn bytes_of(value: &Value) -> Vec<u8> {
    match value {
        Value::Integer(number) => number.to_string().into_bytes(),
        value => value.as_bytes().unwrap_or_else(|| panic!("{value:?}")).to_vec(),
    }
}

/// What the servers have answered.
struct Answers {
    digests: Table,
    keys: Vec<Table>,
}

impl Answers {
    fn read() -> Self {
        let text = fs::read_to_string("tests/data/rdb/servers.toml").unwrap();
        let mut all: Table = text.parse().unwrap();
        let (Some(Toml::Table(digests)), Some(Toml::Array(keys))) =
            (all.remove("digest"), all.remove("key"))
        else {
            panic!("digests and keys")
        };
        let keys = keys.into_iter().map(|key| key.try_into().unwrap()).collect();
        Self { digests, keys }
    }

    fn digest(&self, server: &str) -> String {
        format!("+{}", text(&self.digests[server]))
    }
}

fn text(value: &Toml) -> &str {
    value.as_str().unwrap()
}

/// Reads `\xHH`, `{x*1000}`; all else stands for itself.
fn unescape(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (byte, behind) = match rest.strip_prefix('{') {
            Some(run) => {
                let (unit, behind) = run.split_once('*').unwrap();
                let (count, behind) = behind.split_once('}').unwrap();
                bytes.extend(unescape(unit).repeat(count.parse().unwrap()));
                (None, behind)
            }
            None => match rest.strip_prefix("\\x") {
                Some(digits) => (u8::from_str_radix(&digits[..2], 16).ok(), &digits[2..]),
                None => (Some(rest.as_bytes()[0]), &rest[1..]),
            },
        };
        bytes.extend(byte);
        rest = behind;
    }
    bytes
}

/// Reads a list, in which `{0..9}` stands for ten words.
fn words(list: &Toml) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    for item in list.as_array().unwrap().iter().map(text) {
        let range = item.split_once("{0..").map(|(_, range)| range.split_once('}').unwrap().0);
        let Some(last) = range else {
            words.push(unescape(item));
            continue;
        };
        for number in 0..=last.parse::<u32>().unwrap() {
            let pair = item.replace(&format!("{{0..{last}}}"), &number.to_string());
            words.extend(pair.split(' ').map(unescape));
        }
    }
    words
}

fn pairs(words: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
    let mut pairs: Vec<_> = words.chunks(2).map(<[_]>::to_vec).collect();
    pairs.sort();
    pairs
}

fn sorted(mut words: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    words.sort();
    words
}

/// Reads members and their scores.
fn scored(words: &[Vec<u8>]) -> Vec<(&[u8], f64)> {
    let (pairs, []) = words.as_chunks::<2>() else { panic!("a score each") };
    let score = |text: &[u8]| str::from_utf8(text).unwrap().parse().unwrap();
    pairs.iter().map(|[member, text]| (&member[..], score(text))).collect()
}

/// Sees that a key is what it was where the file comes from.
fn check(client: &mut Client, key: &Table, is_alike: bool) {
    let name = unescape(text(&key["name"]));
    let shown = name.escape_ascii().to_string();
    let db = key.get("db").map_or(0, |db| db.as_integer().unwrap()).to_string();
    assert_eq!(client.bytes(&[b"SELECT", db.as_bytes()]), b"OK");
    assert_eq!(client.bytes(&[b"TYPE", &name]), text(&key["type"]).as_bytes(), "{shown}");
    let expires_ms = key.get("expires_ms").map_or(-1, |at| at.as_integer().unwrap());
    assert_eq!(client.ask(&[b"PEXPIRETIME", &name]), Value::Integer(expires_ms), "{shown}");
    let encoding = client.bytes(&[b"OBJECT", b"ENCODING", &name]);
    assert_eq!(encoding, text(&key["encoding"]).as_bytes(), "{shown}");
    let digest = client.strings(&[b"DEBUG", b"DIGEST-VALUE", &name]);
    assert_eq!(digest, [text(&key["digest"]).as_bytes()], "{shown}");
    if let Some(body) = key.get("body").filter(|_| is_alike) {
        let dump = client.bytes(&[b"DUMP", &name]);
        let digits: String = dump.iter().map(|byte| format!("{byte:02x}")).collect();
        let digits = &digits[..2 * (dump.len() - DUMP_FOOT_BYTES)];
        assert_eq!(digits, text(body).replace('\n', ""), "{shown}");
    }
    match text(&key["type"]) {
        "string" => check_string(key, &client.bytes(&[b"GET", &name]), &shown),
        "list" => {
            let list = client.strings(&[b"LRANGE", &name, b"0", b"-1"]);
            assert!(list == words(&key["value"]), "{shown}");
        }
        "set" => {
            let set = client.strings(&[b"SMEMBERS", &name]);
            assert!(sorted(set) == sorted(words(&key["value"])), "{shown}");
        }
        "hash" => {
            let hash = client.strings(&[b"HGETALL", &name]);
            assert!(pairs(hash) == pairs(words(&key["value"])), "{shown}");
        }
        "zset" => {
            let zset = client.strings(&[b"ZRANGE", &name, b"0", b"-1", b"WITHSCORES"]);
            assert_eq!(scored(&zset), scored(&words(&key["value"])), "{shown}");
        }
        "stream" => {
            let full = client.ask(&[b"XINFO", b"STREAM", &name, b"FULL", b"COUNT", b"0"]);
            check_stream(key, &full, &shown);
        }
        other => panic!("{shown} is a {other}"),
    }
}

fn check_string(key: &Table, found: &[u8], shown: &str) {
    match key.get("value") {
        Some(parts) => assert!(found == words(parts).concat(), "{shown}"),
        None => {
            assert_eq!(Some(found.len() as i64), key["bytes"].as_integer(), "{shown}");
            assert_eq!(sha1_hex(found), text(&key["sha1"]).as_bytes(), "{shown}");
        }
    }
}

fn field<'a>(fields: &'a Value, name: &str) -> &'a Value {
    let fields = fields.elements().unwrap();
    let at = fields.iter().position(|field| field.as_bytes() == Some(name.as_bytes()));
    &fields[1 + at.unwrap_or_else(|| panic!("{name} in {fields:?}"))]
}

/// Shows what is in an array, of arrays too, as words in a row.
fn row(value: &Value) -> String {
    match value.elements() {
        Some(elements) => elements.iter().map(row).collect::<Vec<_>>().join(" "),
        None => String::from_utf8(bytes_of(value)).unwrap(),
    }
}

fn rows(value: &Value) -> Vec<String> {
    value.elements().unwrap().iter().map(row).collect()
}

fn check_stream(key: &Table, full: &Value, shown: &str) {
    let entries = words(&key["value"]).into_iter().map(|row| String::from_utf8(row).unwrap());
    assert_eq!(rows(field(full, "entries")), entries.collect::<Vec<_>>(), "{shown}");
    for name in ["length", "entries-added"] {
        let expected = key[&name.replace('-', "_")].as_integer().unwrap();
        assert_eq!(field(full, name), &Value::Integer(expected), "{shown} {name}");
    }
    for name in ["last-generated-id", "max-deleted-entry-id", "recorded-first-entry-id"] {
        let expected = text(&key[&name.replace('-', "_")]);
        assert_eq!(row(field(full, name)), expected, "{shown} {name}");
    }
    let no_group = Toml::Array(Vec::new());
    let expected = key.get("group").unwrap_or(&no_group).as_array().unwrap();
    let groups = field(full, "groups").elements().unwrap();
    assert_eq!(groups.len(), expected.len(), "{shown}");
    for (group, expected) in groups.iter().zip(expected) {
        check_group(expected.as_table().unwrap(), group, shown);
    }
}

fn check_group(expected: &Table, group: &Value, shown: &str) {
    for name in ["name", "last-delivered-id"] {
        assert_eq!(row(field(group, name)), text(&expected[&name.replace('-', "_")]), "{shown}");
    }
    for name in ["entries-read", "lag"] {
        let known = expected.get(&name.replace('-', "_")).and_then(Toml::as_integer);
        assert_eq!(field(group, name), &known.map_or(Value::Null, Value::Integer), "{shown}");
    }
    let list = |name: &str| -> Vec<String> {
        expected[name].as_array().unwrap().iter().map(|item| text(item).to_owned()).collect()
    };
    // A number, whose it is, since when (which is left out here), and how often.
    let without_time = |row: String| {
        let words: Vec<&str> = row.split(' ').collect();
        let [head @ .., _, count] = &words[..] else { panic!("{row}") };
        format!("{} {count}", head.join(" "))
    };
    let pending: Vec<_> = rows(field(group, "pending")).into_iter().map(without_time).collect();
    assert_eq!(pending, list("pending"), "{shown}");
    assert_eq!(field(group, "pel-count"), &Value::Integer(pending.len() as i64), "{shown}");
    let consumers = field(group, "consumers").elements().unwrap();
    let names: Vec<_> = consumers.iter().map(|consumer| row(field(consumer, "name"))).collect();
    assert_eq!(names, list("consumers"), "{shown}");
    for (consumer, name) in consumers.iter().zip(names) {
        let own = rows(field(consumer, "pending")).into_iter().map(without_time);
        let word = format!(" {name} ");
        let expected = pending.iter().filter(|row| row.contains(&word));
        let expected: Vec<_> = expected.map(|row| row.replace(&word, " ")).collect();
        assert_eq!(own.collect::<Vec<_>>(), expected, "{shown}");
    }
}

/// Starts a server of ours with a file of another.
fn start_with(made_by: &str, options: &[&str]) -> Server {
    Server::start_in(folder_with(made_by), &[&["--save", ""], options].concat())
}

fn folder_with(made_by: &str) -> Folder {
    let folder = Folder::new();
    let file = Path::new("tests/data/rdb").join(format!("{made_by}.rdb"));
    fs::copy(file, folder.0.join("dump.rdb")).unwrap();
    folder
}

/// Which of the digests a server of Redis's shows: the second version is its own.
fn alike(port: u16) -> &'static str {
    let info = ask(port, &["INFO", "server"]);
    if info.contains("redis_version:7.0.") { OF_7_0 } else { OF_7_2 }
}

#[test]
fn what_other_servers_have_saved_is_what_they_said_it_is() {
    let answers = Answers::read();
    assert!(30 < answers.keys.len());
    for (made_by, is_alike) in MADE_BY {
        let server = start_with(made_by, &[]);
        let mut client = Client::connect(server.port);
        for key in &answers.keys {
            check(&mut client, key, is_alike);
        }
        let digest = client.bytes(&[b"DEBUG", b"DIGEST"]);
        assert_eq!(format!("+{}", digest.escape_ascii()), answers.digest(OF_7_2), "{made_by}");
        assert_eq!(client.bytes(&[b"DEBUG", b"RELOAD"]), b"OK");
        for key in &answers.keys {
            check(&mut client, key, is_alike);
        }
    }
}

#[test]
fn redis_says_of_them_what_is_expected_of_us() {
    let Some(program) = reference().filter(knows_11) else { return };
    let answers = Answers::read();
    for (made_by, is_alike) in MADE_BY {
        let folder = folder_with(made_by);
        let directives = ["--dir", &folder.path(""), "--enable-debug-command", "yes"];
        let redis = Process::start(&program, &directives.map(str::to_owned)).unwrap();
        let mut client = Client::connect(redis.port());
        answers.keys.iter().for_each(|key| check(&mut client, key, is_alike));
    }
}

/// Starts Redis on what a server of ours has saved in this version.
fn redis_on_what_we_save(program: &Program, made_by: &str, version: &str) -> (Process, Folder) {
    let mut server = start_with(made_by, &["--rdb-version", version]);
    assert_eq!(server.ask(&["SAVE"]), "+OK");
    assert_eq!(server.ask(&["SHUTDOWN", "NOSAVE"]), "");
    assert_eq!(server.wait(), 0);
    let folder = std::mem::replace(&mut server.folder, Folder::new());
    let directives = ["--dir", &folder.path(""), "--enable-debug-command", "yes"];
    (Process::start(program, &directives.map(str::to_owned)).unwrap(), folder)
}

#[test]
fn what_we_save_of_them_is_loaded_by_redis() {
    let Some(program) = reference() else { return };
    let answers = Answers::read();
    for (made_by, _) in MADE_BY {
        for version in ["10", "11"] {
            if version == "11" && !knows_11(&program) {
                continue;
            }
            let (redis, _folder) = redis_on_what_we_save(&program, made_by, version);
            let expected = answers.digest(alike(redis.port()));
            assert_eq!(ask(redis.port(), &["DEBUG", "DIGEST"]), expected, "{made_by} {version}");
        }
    }
}

/// Whether a reference reads files of version 11: if not, it is said that a test needs that.
fn knows_11(program: &Program) -> bool {
    let redis = Process::start(program, &[]).unwrap();
    let knows_it = alike(redis.port()) == OF_7_2;
    if !knows_it {
        println!("skipped: version 11 wants a reference of Redis 7.2");
    }
    knows_it
}

#[test]
fn redis_copies_all_that_other_servers_have_saved() {
    let Some(program) = reference() else { return };
    let answers = Answers::read();
    for diskless in ["yes", "no"] {
        let options = ["--rdb-version", "10", "--repl-diskless-sync-delay", "0"];
        let options = [&options[..], &["--repl-diskless-sync", diskless]].concat();
        let server = start_with("valkey-8.0.1", &options);
        let port = server.port.to_string();
        let directives = ["--replicaof", "127.0.0.1", &port, "--enable-debug-command", "yes"];
        let redis = Process::start(&program, &directives.map(str::to_owned)).unwrap();
        wait_until("the link", || {
            ask(redis.port(), &["INFO", "replication"]).contains("master_link_status:up")
        });
        let expected = answers.digest(alike(redis.port()));
        assert_eq!(ask(redis.port(), &["DEBUG", "DIGEST"]), expected);
        let mut client = Client::connect(redis.port());
        assert_eq!(client.bytes(&[b"SELECT", b"9"]), b"OK");
        assert_eq!(client.bytes(&[b"GET", b"other-db"]), b"nine");
    }
}
