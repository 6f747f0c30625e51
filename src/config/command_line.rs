//! Pure: the server's arguments, turned into lines as a configuration file has them.
//!
//! The lines stand behind the file and standard input, so that the last word is the command
//! line's: `redis-server a.conf --port 7000 --bind 127.0.0.1 ::1` reads a.conf, then
//! `port "7000"`, then `bind "127.0.0.1" "::1"`.

use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use base::split;

use super::FilePath;

/// What the arguments ask to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The configuration file, absolute.
    pub file: Option<FilePath>,
    /// Whether standard input follows the file.
    pub reads_stdin: bool,
    /// The lines that follow both.
    pub options: Vec<u8>,
    /// Whether `--sentinel` was among them.
    pub is_sentinel: bool,
}

impl CommandLine {
    /// Reads the arguments behind the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let arguments: Vec<Vec<u8>> = arguments.into_iter().map(OsStringExt::into_vec).collect();
        let mut parsed = Self {
            is_sentinel: arguments.iter().any(|argument| argument == b"--sentinel"),
            ..Self::default()
        };
        let mut rest = arguments.as_slice();
        if let [file, after @ ..] = rest
            && !file.starts_with(b"-")
        {
            // INFO and errors show where it really lies.
            parsed.file = Some(FilePath::new(FilePath::new(file).resolved()));
            rest = after;
        }
        // A name wants a value before the next word with two dashes is a name again, so that
        // values may begin with dashes: `--requirepass --secret`.
        let mut wants_value = false;
        for (at, argument) in rest.iter().enumerate() {
            let is_first = at == 0 && parsed.file.is_none();
            let next = rest.get(at + 1);
            if argument == b"-" && (is_first || next.is_none()) {
                parsed.reads_stdin = true;
                continue;
            }
            match argument.strip_prefix(b"--") {
                Some(name) if !wants_value => wants_value = parsed.add_name(name, next),
                _ => {
                    parsed.options.extend_from_slice(&split::repr(argument));
                    parsed.options.push(b' ');
                    wants_value = false;
                }
            }
        }
        parsed
    }

    /// Begins a line, and says whether a value must come before the next name.
    fn add_name(&mut self, name: &[u8], next: Option<&Vec<u8>>) -> bool {
        if !self.options.is_empty() {
            self.options.push(b'\n');
        }
        self.options.extend_from_slice(name);
        self.options.push(b' ');
        // `"--port 7000"` brings its value along; a line break would bring another line.
        if split::split_args(name).map_or(true, |words| words.len() != 1) {
            return false;
        }
        let stands_alone = next.is_none_or(|next| next.starts_with(b"--"));
        // Scripts that leave out an empty value write `--save --port 7000`.
        if stands_alone && name.eq_ignore_ascii_case(b"save") {
            self.options.extend_from_slice(b"\"\"");
            return false;
        }
        !(stands_alone && name.eq_ignore_ascii_case(b"sentinel"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> String {
        let parsed = CommandLine::parse(arguments.iter().map(OsString::from));
        String::from_utf8(parsed.options).unwrap()
    }

    #[test]
    fn names_begin_lines_and_values_are_quoted() {
        let arguments = ["--port", "7000", "--bind", "127.0.0.1", "::1", "--save", ""];
        assert_eq!(options(&arguments), "port \"7000\" \nbind \"127.0.0.1\" \"::1\" \nsave \"\" ");
    }

    #[test]
    fn a_value_may_begin_with_dashes() {
        assert_eq!(options(&["--requirepass", "--x"]), "requirepass \"--x\" ");
        assert_eq!(options(&["--port 7000", "--hz 5"]), "port 7000 \nhz 5 ");
    }

    #[test]
    fn save_may_lack_its_empty_value() {
        assert_eq!(options(&["--save", "--port", "1"]), "save \"\"\nport \"1\" ");
        assert_eq!(options(&["--port", "1", "--save"]), "port \"1\" \nsave \"\"");
        assert_eq!(options(&["--sentinel", "--port", "1"]), "sentinel \nport \"1\" ");
    }

    #[test]
    fn a_dash_is_standard_input_at_either_end_only() {
        let parse = |arguments: &[&str]| CommandLine::parse(arguments.iter().map(OsString::from));
        assert!(parse(&["-", "--port", "1"]).reads_stdin);
        assert!(parse(&["/a.conf", "--port", "1", "-"]).reads_stdin);
        assert!(parse(&["/a.conf", "-"]).reads_stdin);
        let between = parse(&["--masterauth", "-", "--port", "1"]);
        assert!(!between.reads_stdin);
        assert_eq!(parse(&["/a.conf"]).file.unwrap().as_path().to_str(), Some("/a.conf"));
    }
}
