//! Room: the configuration read from a file, standard input and the command line.
//!
//! All three make one text, in this order, so that the last word is the command line's; lines are
//! counted through it. A file that is included is read in its place. The first line that makes no
//! sense ends the start.

use std::{
    ffi::OsStr,
    fmt, fs,
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use base::{Bytes, split::split_args};

use sys::process::describe;

use super::{
    CommandLine, Config, FilePath, RENEW_CERTIFICATE, TlsAuthClients,
    entry::{Manner, Parameter},
    pending,
    table::{self, ssl::TWINS},
};

/// How deep files may include each other; a file that includes itself ends here.
const INCLUDE_DEPTH_MAX: usize = 16;
const UNBALANCED: &str = "Unbalanced quotes in configuration line";
/// Directives of former versions, which say nothing any more.
const FORGOTTEN: [&str; 3] =
    ["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"];

/// Where a line stood, for errors that are found later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// Its text without the blanks around it.
    pub text: Vec<u8>,
}

/// A `rename-command` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The command's name.
    pub from: Bytes,
    /// Its name from now on; empty removes it.
    pub to: Bytes,
    /// Where it was said.
    pub line: Line,
}

/// A `user` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLine {
    /// The user's name, then the rules.
    pub words: Vec<Bytes>,
    /// Where it was said.
    pub line: Line,
}

/// Why the configuration cannot be read.
#[derive(Debug)]
pub enum LoadError {
    /// One line makes no sense.
    Line(Line, String),
    /// The whole makes none.
    Whole(String),
    /// A file cannot be read.
    Open(FilePath, io::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = env!("CARGO_PKG_VERSION");
        let title = format_args!("\n*** FATAL CONFIG FILE ERROR (Redis {version}) ***");
        match self {
            Self::Line(Line { number, text }, reason) => {
                let text = String::from_utf8_lossy(text);
                writeln!(f, "{title}\nReading the configuration file, at line {number}")?;
                write!(f, ">>> '{text}'\n{reason}")
            }
            Self::Whole(reason) => write!(f, "{title}\n{reason}"),
            Self::Open(path, error) => {
                let path = String::from_utf8_lossy(path.typed());
                write!(f, "Fatal error, can't open config file '{path}': {}", describe(error))
            }
        }
    }
}

impl std::error::Error for LoadError {}

impl Config {
    /// Reads what the command line names: its file, standard input if it is asked for, its options.
    /// After an error the configuration is of no use.
    pub fn load(
        &mut self,
        command_line: &CommandLine,
        stdin: &mut dyn Read,
    ) -> Result<(), LoadError> {
        let mut text = Vec::new();
        if let Some(file) = &command_line.file {
            text = fs::read(file.as_path()).map_err(|e| LoadError::Open(file.clone(), e))?;
        }
        if command_line.reads_stdin {
            let read = stdin.read_to_end(&mut text);
            read.map_err(|e| LoadError::Open(FilePath::new(b"-"), e))?;
        }
        if !command_line.options.is_empty() {
            text.push(b'\n');
            text.extend_from_slice(&command_line.options);
        }
        self.start.file = command_line.file.clone();
        self.load_text(&text)
    }

    /// Reads a whole configuration from a text.
    pub fn load_text(&mut self, text: &[u8]) -> Result<(), LoadError> {
        let mut loader = Loader { config: self, depth: 0, twins: Vec::new() };
        loader.read(text)?;
        loader.settle_twins()?;
        self.check_whole()
    }

    /// What only shows when all lines have been read.
    fn check_whole(&mut self) -> Result<(), LoadError> {
        let whole = |reason: &str| Err(LoadError::Whole(reason.to_owned()));
        if !self.logging.logfile.is_empty() {
            let path = os_path(&self.logging.logfile);
            let opened = fs::OpenOptions::new().append(true).create(true).open(path);
            if let Err(error) = opened {
                return whole(&format!("Can't open the log file: {}", describe(&error)));
            }
        }
        if self.cluster.cluster_enabled && self.replication.replicaof.is_some() {
            return whole("replicaof directive not allowed in cluster mode");
        }
        let roots = &self.ssl.root_ca_certs_path;
        let others = [&self.ssl.tls_ca_cert_file, &self.ssl.tls_ca_cert_dir];
        let names_other = |other: &&FilePath| other.is_set() && other.as_path() != roots.as_path();
        if roots.is_set() && others.iter().any(names_other) {
            return whole(
                "root-ca-certs-path and tls-ca-cert-file or tls-ca-cert-dir name different trust",
            );
        }
        // The guide's servers ask for no certificate, Redis's for one.
        if self.ssl.enable_ssl && !self.is_given("tls-auth-clients") {
            self.ssl.tls_auth_clients = TlsAuthClients::No;
        }
        if let Some(reason) = pending::unsupported(self) {
            return whole(&reason);
        }
        if self.cluster.cluster_enabled {
            self.general.databases = 1;
        }
        self.settle();
        Ok(())
    }
}

/// The reading of one start: what the lines above have said.
struct Loader<'a> {
    config: &'a mut Config,
    depth: usize,
    /// The last value of each name that shares its value with another.
    twins: Vec<(&'static str, FilePath)>,
}

impl Loader<'_> {
    fn read(&mut self, text: &[u8]) -> Result<(), LoadError> {
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = Line { number: index + 1, text: line.trim_ascii().to_vec() };
            if line.text.is_empty() || line.text.starts_with(b"#") {
                continue;
            }
            let Ok(words) = split_args(&line.text) else {
                return Err(LoadError::Line(line, UNBALANCED.to_owned()));
            };
            let Some((name, values)) = words.split_first() else { continue };
            let name = name.to_ascii_lowercase();
            match table::find(&name) {
                Some(parameter) => self.store(parameter, values),
                None => self.obey(&name, values, &line)?,
            }
            .map_err(|reason| LoadError::Line(line, reason))?;
        }
        Ok(())
    }

    fn store(&mut self, parameter: &'static Parameter, values: &[Bytes]) -> Result<(), String> {
        // `bind "a b"` is `bind a b`: a list may come as one quoted word.
        let split = match values {
            [one] if parameter.flags.words && !one.is_empty() => {
                split_args(one).map_err(|_| UNBALANCED)?
            }
            _ => values.to_vec(),
        };
        let words: Vec<&[u8]> = split.iter().map(|word| &**word).collect();
        // The first `save` of all sources takes the place of the defaults, the others join it.
        let manner =
            if self.config.is_given(parameter.name) { Manner::Append } else { Manner::Replace };
        parameter.store(self.config, &words, manner).map_err(|reason| reason.into_owned())?;
        self.config.refuse_tls(parameter).map_err(|reason| reason.into_owned())?;
        if manner == Manner::Replace {
            self.config.start.given.push(parameter.name);
        }
        if TWINS.iter().any(|(one, other)| [*one, *other].contains(&parameter.name)) {
            self.twins.retain(|(name, _)| *name != parameter.name);
            self.twins.push((parameter.name, FilePath::new(words[0])));
        }
        Ok(())
    }

    /// Directives that are no parameters. The outer error is that of another file.
    fn obey(
        &mut self,
        name: &[u8],
        values: &[Bytes],
        line: &Line,
    ) -> Result<Result<(), String>, LoadError> {
        let refuse = |reason: &str| Ok(Err(reason.to_owned()));
        match (name, values) {
            (b"include", [pattern]) => return self.include(pattern, line).map(Ok),
            (b"rename-command", [from, to]) => {
                let rename = Rename { from: from.clone(), to: to.clone(), line: line.clone() };
                self.config.start.rename_commands.push(rename);
            }
            (b"user", [_, ..]) => {
                let user = UserLine { words: values.to_vec(), line: line.clone() };
                self.config.start.users.push(user);
            }
            (b"loadmodule", [_, ..]) => {
                return refuse("modules cannot be loaded: this server has none");
            }
            (b"sentinel", []) => {}
            (b"sentinel", _) => return refuse("sentinel directive while not in sentinel mode"),
            (_, [_]) if FORGOTTEN.iter().any(|known| known.as_bytes() == name) => {}
            _ if name == RENEW_CERTIFICATE.as_bytes() => {
                return refuse("ssl-renew-certificate is an action of CONFIG SET, not a directive");
            }
            (_, []) if name.contains(&b'.') => {
                return refuse("Module config specified without value");
            }
            _ if name.contains(&b'.') => {
                return refuse("this is a module's parameter, and this server has no modules");
            }
            _ => return refuse("Bad directive or wrong number of arguments"),
        }
        Ok(Ok(()))
    }

    /// Reads the files that a pattern names. A plain name must exist, a pattern may find nothing.
    fn include(&mut self, pattern: &[u8], line: &Line) -> Result<(), LoadError> {
        let wrong = |reason: &str| LoadError::Line(line.clone(), reason.to_owned());
        if INCLUDE_DEPTH_MAX <= self.depth {
            return Err(wrong("files include each other without end"));
        }
        let mut text = Vec::new();
        let mut append = |path: &Path| {
            let file = FilePath::new(path.as_os_str().as_bytes());
            match fs::read(path) {
                Ok(more) => text.extend_from_slice(&more),
                Err(error) => return Err(LoadError::Open(file, error)),
            }
            Ok(())
        };
        if pattern.iter().any(|byte| b"*?[".contains(byte)) {
            let pattern = std::str::from_utf8(pattern);
            let pattern = pattern.map_err(|_| wrong("a pattern must be UTF-8"))?;
            let options = glob::MatchOptions {
                case_sensitive: true,
                require_literal_separator: true,
                require_literal_leading_dot: true,
            };
            let found = glob::glob_with(pattern, options);
            let found =
                found.map_err(|error| wrong(&format!("a pattern that means nothing: {error}")))?;
            for path in found {
                let path = path.map_err(|error| wrong(&error.to_string()))?;
                append(&path)?;
            }
        } else {
            append(os_path(pattern))?;
        }
        self.depth += 1;
        self.read(&text)?;
        self.depth -= 1;
        Ok(())
    }

    /// Two names of one value must not say two things.
    fn settle_twins(&mut self) -> Result<(), LoadError> {
        for (one, other) in TWINS {
            let last = |name: &str| {
                let said = self.twins.iter().find(|(known, _)| *known == name);
                said.map(|(_, path)| path.clone()).filter(FilePath::is_set)
            };
            let value = match (last(one), last(other)) {
                (Some(a), Some(b)) if a.as_path() != b.as_path() => {
                    let reason =
                        format!("{one} and {other} are two names of one value, but differ");
                    return Err(LoadError::Whole(reason));
                }
                (Some(value), _) | (None, Some(value)) => value,
                (None, None) => continue,
            };
            let parameter = table::find(one.as_bytes()).expect("a twin is a parameter");
            parameter.keep_path(self.config, value);
        }
        Ok(())
    }
}

/// A path of the configuration for the system.
pub(super) fn os_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
