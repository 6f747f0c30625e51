//! Tool: the command-line client (`redis-cli`).
//!
//! `args` says what was asked for, `run` does it with a `session`; `format` writes the
//! replies down. `main` joins them to the process; tests call `run` with buffers.

pub mod args;
mod connect;
mod console;
mod editor;
mod failure;
pub mod format;
mod help;
mod interrupt;
mod repl;
mod run;
mod secret;
mod session;
mod uri;

use std::env;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

pub use console::{Console, Environment};
pub use run::run;

/// Runs the tool as a process.
pub fn main() -> ExitCode {
    let args = match args::parse(env::args_os().skip(1).collect()) {
        Ok(args) => args,
        Err(args::Stop::Shown(text)) => {
            let written = io::stdout().write_all(text.as_bytes());
            return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(args::Stop::Wrong(text)) => {
            // Where it cannot be written there is nobody to tell.
            let _ = io::stderr().write_all(text.as_bytes());
            return ExitCode::FAILURE;
        }
    };
    let stdin = io::stdin();
    // Not through the lock of `stdin`, whose buffer hides what `poll` cannot see.
    let mut input: Box<dyn Read> = match stdin.as_fd().try_clone_to_owned() {
        Ok(fd) => Box::new(File::from(fd)),
        Err(_) => Box::new(io::empty()),
    };
    let console = Console {
        input: BufReader::new(&mut *input),
        input_fd: Some(stdin.as_fd()),
        out: &mut io::stdout().lock(),
        err: &mut io::stderr().lock(),
        has_keyboard: stdin.is_terminal(),
        // Tests of scripts see what a person would with it.
        has_screen: io::stdout().is_terminal() || env::var_os("FAKETTY").is_some(),
    };
    ExitCode::from(run(args, console, environment()))
}

fn environment() -> Environment {
    let term = env::var("TERM").unwrap_or_default();
    Environment {
        password: env::var_os("REDISCLI_AUTH").map(OsStringExt::into_vec),
        history: editor::history_file(),
        has_colours: term.contains("xterm"),
    }
}
