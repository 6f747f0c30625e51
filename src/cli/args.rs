//! Pure: the command line: what was typed, by clap, and what it means.
//!
//! As users of Redis know it: options come first, the first word that is none begins
//! the command, and from there on everything belongs to the command, `-1` and `--tls`
//! too. Of an option given twice the last counts, also between `-u` and the options
//! that say the same as a part of it.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use net::blocking::Tls;

use crate::format::Form;
use crate::uri::{self, Uri};

/// Where a server listens by default.
pub const PORT: u16 = 6379;
const NAME: &str = "redis-cli";

/// Options of Redis's tool that this one does not have yet, with what they would do.
const ABSENT: &[(&str, &str)] = &[
    ("-c", "cluster mode"),
    ("--cluster", "the cluster manager"),
    ("--stat", "rolling statistics"),
    ("--latency", "sampling of latency"),
    ("--latency-history", "sampling of latency"),
    ("--latency-dist", "sampling of latency"),
    ("--intrinsic-latency", "sampling of latency"),
    ("--lru-test", "the simulation of a cache"),
    ("--slave", "the replica mode"),
    ("--replica", "the replica mode"),
    ("--rdb", "the transfer of a dump"),
    ("--functions-rdb", "the transfer of a dump"),
    ("--pipe", "mass insertion"),
    ("--pipe-timeout", "mass insertion"),
    ("--bigkeys", "the search for big keys"),
    ("--memkeys", "the search for big keys"),
    ("--memkeys-samples", "the search for big keys"),
    ("--hotkeys", "the search for hot keys"),
    ("--scan", "the listing of keys"),
    ("--pattern", "the listing of keys"),
    ("--quoted-pattern", "the listing of keys"),
    ("--count", "the listing of keys"),
    ("--ldb", "the debugger of scripts"),
    ("--ldb-sync-mode", "the debugger of scripts"),
];

/// What the user asks for.
#[derive(Debug)]
pub struct Args {
    /// Which server.
    pub address: Address,
    /// Name for AUTH.
    pub user: Option<Vec<u8>>,
    /// Password for AUTH.
    pub password: Option<Vec<u8>>,
    /// Ask for the password on the terminal.
    pub asks_password: bool,
    /// Say nothing about passwords on command lines.
    pub is_silent_on_password: bool,
    /// The database to select.
    pub db: i32,
    /// How the connection is encrypted, if it is.
    pub tls: Option<Tls>,
    /// How long a connect may take.
    pub connect_timeout: Option<Duration>,
    /// How often to run the command; for ever if negative.
    pub repeat: i64,
    /// How long to wait after each run.
    pub interval: Duration,
    /// How replies look, if that is not left to the terminal.
    pub form: Option<Form>,
    /// What stands between the elements of a raw reply.
    pub between: Vec<u8>,
    /// What ends a raw reply.
    pub after: Vec<u8>,
    /// Which protocol to ask for.
    pub protocol: ProtocolChoice,
    /// Whether pushes are shown, if that is not left to the terminal.
    pub shows_pushes: Option<bool>,
    /// An error reply ends the tool with a code.
    pub fails_on_error: bool,
    /// The words of the command are quoted.
    pub is_quoted: bool,
    /// What standard input is for.
    pub stdin: StdinUse,
    /// A script to run.
    pub script: Option<PathBuf>,
    /// The command; interactive if empty.
    pub command: Vec<Vec<u8>>,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// A Unix socket, which then counts instead.
    pub socket: Option<PathBuf>,
}

/// Which protocol the session begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolChoice {
    /// What the server begins with.
    Default,
    /// RESP2, whatever the output format would like.
    Resp2,
    /// RESP3 or nothing.
    Resp3,
    /// RESP3 if the server knows it.
    Resp3IfKnown,
}

/// What standard input is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StdinUse {
    /// Commands, if there is none on the command line.
    Commands,
    /// The last argument.
    LastArgument,
    /// The argument that reads like this.
    Tag(Vec<u8>),
}

/// Why there is nothing to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// This was asked for, for standard output.
    Shown(String),
    /// This is wrong.
    Wrong(String),
}

/// Reads the command line, the tool's own name not included.
pub fn parse(words: Vec<OsString>) -> Result<Args, Stop> {
    let last = words.last().cloned().unwrap_or_default();
    // `-h` at the end has no host: it asks for help, as does `-h` alone.
    let words = [OsString::from(NAME)].into_iter().chain(words);
    let matches = match syntax().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::InvalidValue && last == "-h" => {
            return Err(help());
        }
        Err(error) => return Err(wrong(&error, &last)),
    };
    if matches.get_flag("help") {
        return Err(help());
    }
    if matches.get_flag("version") {
        return Err(Stop::Shown(format!("{NAME} {}\n", env!("CARGO_PKG_VERSION"))));
    }
    mean(&matches).map_err(|text| Stop::Wrong(text + "\n"))
}

fn help() -> Stop {
    Stop::Shown(syntax().render_help().to_string())
}

fn wrong(error: &clap::Error, last: &OsString) -> Stop {
    // Every option takes one value whatever it looks like, so only the last can lack it.
    let lacks_value = error.kind() == ErrorKind::InvalidValue && last.as_bytes().starts_with(b"-");
    if lacks_value && !error.to_string().contains("valid") {
        return Stop::Wrong(unrecognized(last.as_bytes()));
    }
    if error.to_string().contains("-p <port>") {
        return Stop::Wrong("Invalid server port.\n".to_owned());
    }
    let text = error.to_string();
    Stop::Wrong(text.lines().next().unwrap_or_default().replacen("error: ", "", 1) + "\n")
}

fn unrecognized(word: &[u8]) -> String {
    let word = String::from_utf8_lossy(word);
    match ABSENT.iter().find(|(option, _)| *option == word) {
        Some((_, what)) => format!("'{word}': {what} is not supported yet\n"),
        None => format!("Unrecognized option or bad number of args for: '{word}'\n"),
    }
}

fn flag(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id).action(ArgAction::SetTrue).help(help)
}

fn value(id: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(id).value_name(name).allow_hyphen_values(true).help(help)
}

fn bytes(id: &'static str, name: &'static str, help: &'static str) -> Arg {
    value(id, name, help).value_parser(OsStringValueParser::new())
}

fn path(id: &'static str, name: &'static str, help: &'static str) -> Arg {
    value(id, name, help).value_parser(ValueParser::path_buf())
}

fn syntax() -> Command {
    let forms = ["raw", "no-raw", "csv", "json", "quoted-json"];
    let form = |id: &'static str, help| flag(id, help).long(id).overrides_with_all(forms);
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .help_template("{name} {version}\n\nUsage: redis-cli [options] [command [argument ...]]\n\n{options}\n{after-help}")
        .after_help(
            "Without a command, redis-cli reads commands from a prompt. What follows the first word\n\
             that is no option belongs to the command.\n\n\
             Examples:\n  \
             redis-cli set counter -1\n  \
             redis-cli --tls --cacert ca.crt -h db.example.org -p 6380 info ssl\n  \
             redis-cli -x set page < page.html\n  \
             redis-cli -r 10 -i 0.5 incr ticks\n",
        )
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .args([
            value("host", "host", "Host name or address of the server [127.0.0.1]").short('h'),
            value("port", "port", "Its port [6379]").short('p').value_parser(value_parser!(u16)),
            path("socket", "path", "A Unix socket, instead of host and port").short('s'),
            value("connect-timeout", "seconds", "How long a connect may take; 0 is no limit")
                .short('t'),
            bytes("password", "password", "Password; safer in the environment, REDISCLI_AUTH")
                .short('a').long("pass"),
            bytes("user", "name", "User whom the password belongs to").long("user"),
            flag("askpass", "Ask for the password on the terminal").long("askpass"),
            flag("no-auth-warning", "Do not warn of a password on the command line")
                .long("no-auth-warning"),
            bytes("uri", "uri", "All in one: redis[s]://[[user:]password@]host[:port][/db]")
                .short('u'),
            value("db", "number", "Database to use").short('n').value_parser(value_parser!(i32)),
            value("repeat", "count", "Run the command so many times; for ever if negative")
                .short('r').value_parser(value_parser!(i64)),
            value("interval", "seconds", "Wait so long after each run, fractions too").short('i'),
            flag("resp2", "Speak RESP2").short('2'),
            flag("resp3", "Speak RESP3").short('3'),
            flag("stdin-last", "Read the last argument from standard input").short('x'),
            bytes("stdin-tag", "tag", "Read the argument that is this word from standard input")
                .short('X'),
            bytes("between", "text", "What stands between the elements of a raw reply [newline]")
                .short('d'),
            bytes("after", "text", "What ends a raw reply [newline]").short('D'),
            flag("fails", "Exit with a code when the reply is an error").short('e'),
        ])
        .args([
            flag("tls", "Encrypt the connection").long("tls").visible_alias("ssl"),
            path("cacert", "file", "Certificates to trust, instead of the system's").long("cacert"),
            path("cacertdir", "folder", "A folder of certificates to trust").long("cacertdir"),
            path("cert", "file", "Our own certificate").long("cert"),
            path("key", "file", "The key of our certificate").long("key"),
            value("sni", "host", "Host name to ask the server for").long("sni"),
            flag("insecure", "Believe whatever certificate the server shows").long("insecure"),
            value("tls-ciphers", "list", "Ciphers up to TLS 1.2, by colons").long("tls-ciphers"),
            value("tls-ciphersuites", "list", "Ciphers of TLS 1.3, by colons")
                .long("tls-ciphersuites"),
        ])
        .args([
            form("raw", "Replies as they are (when the output is no terminal)"),
            form("no-raw", "Replies for people (when it is one)"),
            form("csv", "Replies as comma-separated values"),
            form("json", "Replies as JSON, by RESP3 unless -2 is given"),
            form("quoted-json", "The same in ASCII"),
            value("show-pushes", "yes|no", "Whether to show messages that answer nothing")
                .long("show-pushes"),
            flag("quoted-input", "The words of the command are quoted strings")
                .long("quoted-input"),
            path("eval", "file", "Run the script in the file; keys , arguments follow")
                .long("eval"),
            flag("verbose", "Accepted, changes nothing").long("verbose").hide(true),
            flag("help", "Show this").long("help"),
            flag("version", "Show the version").short('v').long("version"),
            Arg::new("command")
                .action(ArgAction::Append)
                .value_parser(OsStringValueParser::new())
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .hide(true),
        ])
}

fn mean(matches: &ArgMatches) -> Result<Args, String> {
    let command: Vec<Vec<u8>> = matches
        .get_many::<OsString>("command")
        .map(|words| words.map(|word| word.as_bytes().to_vec()).collect())
        .unwrap_or_default();
    if let Some(word) = command.first().filter(|word| word.starts_with(b"-")) {
        return Err(unrecognized(word).trim_end().to_owned());
    }
    let bytes = |id| matches.get_one::<OsString>(id).map(|word| word.clone().into_vec());
    let form = ["raw", "no-raw", "csv", "json", "quoted-json"].into_iter();
    let form = form.filter(|id| matches.get_flag(id)).find_map(form_of);
    let is_json = matches!(form, Some(Form::Json | Form::QuotedJson));
    let protocol = match (matches.get_flag("resp2"), matches.get_flag("resp3")) {
        (true, true) => return Err("Options -2 and -3 are mutually exclusive.".to_owned()),
        (true, false) => ProtocolChoice::Resp2,
        (false, true) => ProtocolChoice::Resp3,
        (false, false) if is_json => ProtocolChoice::Resp3IfKnown,
        (false, false) => ProtocolChoice::Default,
    };
    let stdin = match (matches.get_flag("stdin-last"), bytes("stdin-tag")) {
        (true, Some(_)) => return Err("Options -x and -X are mutually exclusive.".to_owned()),
        (true, None) => StdinUse::LastArgument,
        (false, Some(tag)) => StdinUse::Tag(tag),
        (false, None) => StdinUse::Commands,
    };
    let newline = || b"\n".to_vec();
    let mut args = Args {
        address: Address { host: "127.0.0.1".to_owned(), port: PORT, socket: None },
        user: None,
        password: None,
        asks_password: matches.get_flag("askpass"),
        is_silent_on_password: matches.get_flag("no-auth-warning"),
        db: 0,
        tls: None,
        connect_timeout: seconds(matches, "connect-timeout", "-t")?.filter(|time| !time.is_zero()),
        repeat: matches.get_one("repeat").copied().unwrap_or(1),
        interval: seconds(matches, "interval", "-i")?.unwrap_or_default(),
        form,
        between: bytes("between").unwrap_or_else(newline),
        after: bytes("after").unwrap_or_else(newline),
        protocol,
        shows_pushes: shows_pushes(matches)?,
        fails_on_error: matches.get_flag("fails"),
        is_quoted: matches.get_flag("quoted-input"),
        stdin,
        script: matches.get_one("eval").cloned(),
        command,
    };
    place(matches, &mut args)?;
    Ok(args)
}

fn form_of(id: &str) -> Option<Form> {
    match id {
        "raw" => Some(Form::Raw),
        "no-raw" => Some(Form::Tty),
        "csv" => Some(Form::Csv),
        "json" => Some(Form::Json),
        "quoted-json" => Some(Form::QuotedJson),
        _ => None,
    }
}

fn seconds(matches: &ArgMatches, id: &str, option: &str) -> Result<Option<Duration>, String> {
    let Some(text) = matches.get_one::<String>(id) else { return Ok(None) };
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.map(Some).ok_or_else(|| format!("Invalid number of seconds for {option}: '{text}'"))
}

fn shows_pushes(matches: &ArgMatches) -> Result<Option<bool>, String> {
    let Some(text) = matches.get_one::<String>("show-pushes") else { return Ok(None) };
    match text.as_bytes().first() {
        Some(b'y' | b'Y') => Ok(Some(true)),
        Some(b'n' | b'N') => Ok(Some(false)),
        _ => Err(format!("Unknown --show-pushes value '{text}' (valid: '[y]es', '[n]o')")),
    }
}

/// Finds out which server is meant, going through the options as they were typed.
fn place(matches: &ArgMatches, args: &mut Args) -> Result<(), String> {
    let ids = ["host", "port", "socket", "user", "password", "db", "uri"];
    let mut typed: Vec<_> =
        ids.into_iter().filter_map(|id| Some((matches.index_of(id)?, id))).collect();
    typed.sort_unstable();
    let bytes = |id| matches.get_one::<OsString>(id).map(|word| word.clone().into_vec());
    let text = |id| matches.get_one::<String>(id).cloned();
    let path = |id| matches.get_one::<PathBuf>(id).cloned();
    let mut is_tls = matches.get_flag("tls");
    for (_, id) in typed {
        match id {
            "host" => args.address.host = text(id).unwrap_or_default(),
            "port" => args.address.port = matches.get_one(id).copied().unwrap_or(PORT),
            "socket" => args.address.socket = path(id),
            "user" => args.user = bytes(id),
            "password" => args.password = bytes(id),
            "db" => args.db = matches.get_one(id).copied().unwrap_or(0),
            _ => {
                let uri = uri::parse(&bytes(id).unwrap_or_default())?;
                is_tls |= uri.is_tls;
                apply(args, uri);
            }
        }
    }
    args.tls = is_tls.then(|| Tls {
        ca_file: path("cacert"),
        ca_dir: path("cacertdir"),
        certificate: path("cert"),
        private_key: path("key"),
        server_name: text("sni"),
        is_insecure: matches.get_flag("insecure"),
        ciphers: text("tls-ciphers"),
        ciphersuites: text("tls-ciphersuites"),
    });
    Ok(())
}

fn apply(args: &mut Args, uri: Uri) {
    args.address.host = uri.host.unwrap_or_else(|| args.address.host.clone());
    args.address.port = uri.port.unwrap_or(args.address.port);
    args.user = uri.user.or(args.user.take());
    args.password = uri.password.or(args.password.take());
    args.db = uri.db.unwrap_or(args.db);
}

#[cfg(test)]
mod tests;
