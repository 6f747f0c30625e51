//! Tool: lines from a person: editing, history, passwords.
//!
//! The history is a file of plain lines, the one that Redis's own tool keeps, so that
//! either reads the other's.

use std::borrow::Cow;
use std::fs;
use std::io::{BufRead, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Editor, Helper};

use crate::console::Console;
use crate::failure::Failure;

/// Redis's own tool keeps as many.
const HISTORY_LINES_MAX: usize = 100;

/// The prompt of a terminal.
pub(crate) struct LineEditor {
    editor: Editor<(), MemHistory>,
    file: Option<PathBuf>,
}

impl LineEditor {
    /// Opens the terminal and what was typed in other sessions.
    pub(crate) fn open(file: Option<PathBuf>) -> Result<Self, ReadlineError> {
        let config = Config::builder().max_history_size(HISTORY_LINES_MAX)?.build();
        let mut editor = Editor::with_history(config.clone(), MemHistory::with_config(&config))?;
        let lines = file.as_ref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        for line in String::from_utf8_lossy(&lines).lines() {
            editor.add_history_entry(line)?;
        }
        Ok(Self { editor, file })
    }

    /// Reads a line; `None` if there is none to come, or Ctrl-C.
    pub(crate) fn read(&mut self, prompt: &str) -> Result<Option<String>, ReadlineError> {
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Some(line)),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a line. A history that cannot be written is no reason to stop.
    pub(crate) fn remember(&mut self, line: &str) {
        if self.editor.add_history_entry(line).is_err() {
            return;
        }
        let Some(path) = &self.file else { return };
        let options =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let Ok(mut file) = options else { return };
        // It may hold secrets, also where it was there before.
        let _ = file.set_permissions(fs::Permissions::from_mode(0o600));
        let mut text = String::new();
        for line in self.editor.history() {
            text += line;
            text.push('\n');
        }
        let _ = file.write_all(text.as_bytes());
    }
}

/// Returns the file of the history, if one is to be kept.
pub(crate) fn history_file() -> Option<PathBuf> {
    let given = std::env::var_os("REDISCLI_HISTFILE").filter(|path| !path.is_empty());
    if let Some(path) = given {
        return (path != "/dev/null").then(|| path.into());
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(PathBuf::from(home).join(".rediscli_history"))
}

/// Asks for a password, showing stars.
pub(crate) fn ask_password(console: &mut Console<'_>) -> Result<Option<Vec<u8>>, Failure> {
    if !console.has_keyboard {
        let mut line = Vec::new();
        let bytes = console.input.read_until(b'\n', &mut line).unwrap_or(0);
        if line.ends_with(b"\n") {
            line.pop();
        }
        return Ok((0 < bytes).then_some(line));
    }
    let config = Config::builder().build();
    let history = MemHistory::with_config(&config);
    let line = Editor::with_history(config, history).and_then(|mut editor| {
        editor.set_helper(Some(Mask));
        editor.readline("Please input password: ")
    });
    match line {
        Ok(line) => Ok(Some(std::ffi::OsString::from(line).into_vec())),
        Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(None),
        Err(error) => {
            console.complain(error);
            Err(Failure::Exit(1))
        }
    }
}

struct Mask;

impl Helper for Mask {}
impl Completer for Mask {
    type Candidate = String;
}
impl Hinter for Mask {
    type Hint = String;
}
impl Validator for Mask {}
impl Highlighter for Mask {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        "*".repeat(line.chars().count()).into()
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}
