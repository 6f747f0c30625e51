//! Tool: where the tool reads and writes: the terminal, or a test's buffers.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use crate::failure::Failure;

/// What a shell reports of a process that wrote where nobody reads.
const BROKEN_PIPE_CODE: u8 = 128 + 13;

/// Standard input, output and error.
pub struct Console<'a> {
    /// Where commands and arguments come from.
    pub input: BufReader<&'a mut dyn Read>,
    /// What `input` reads, if it can be waited for.
    pub input_fd: Option<BorrowedFd<'a>>,
    /// Where replies go.
    pub out: &'a mut dyn Write,
    /// Where complaints go.
    pub err: &'a mut dyn Write,
    /// Whether a person types.
    pub has_keyboard: bool,
    /// Whether a person reads.
    pub has_screen: bool,
}

/// What the environment has to say.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `REDISCLI_AUTH`.
    pub password: Option<Vec<u8>>,
    /// Where the history is kept.
    pub history: Option<PathBuf>,
    /// Whether the terminal knows colours.
    pub has_colours: bool,
}

impl Console<'_> {
    /// Writes at once.
    pub(crate) fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush());
        written.map_err(|error| self.unwritable(&error))
    }

    /// Whether typed bytes wait in the process already, where `poll` sees nothing of them.
    pub(crate) fn has_typed(&self) -> bool {
        !self.input.buffer().is_empty()
    }

    /// Writes a line of complaint. Where it cannot be written there is nobody to tell.
    pub(crate) fn complain(&mut self, text: impl fmt::Display) {
        let _ = writeln!(self.err, "{text}");
    }

    fn unwritable(&mut self, error: &io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::Exit(BROKEN_PIPE_CODE);
        }
        self.complain(format_args!("Error writing the reply: {error}"));
        Failure::Exit(1)
    }
}
