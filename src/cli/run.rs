//! Tool: what one call of the tool does: one command, a script, or a prompt.

use std::fs;
use std::io::Read;

use base::split::split_args;

use crate::args::{Args, StdinUse};
use crate::connect::describe;
use crate::console::{Console, Environment};
use crate::failure::Failure;
use crate::session::Session;
use crate::{editor, repl};

/// Does what the command line asks for; returns the exit code.
pub fn run(mut args: Args, mut console: Console<'_>, environment: Environment) -> u8 {
    if args.password.is_some() && !args.is_silent_on_password {
        console.complain(
            "Warning: Using a password with '-a' or '-u' option on the command line interface \
             may not be safe.",
        );
    }
    args.password = args.password.or_else(|| environment.password.clone());
    let mut session = Session::new(args, console, environment);
    match dispatch(&mut session) {
        Ok(()) | Err(Failure::Interrupted | Failure::ShutDown) => 0,
        Err(Failure::Command) => 1,
        Err(Failure::Exit(code)) => code,
    }
}

fn dispatch(session: &mut Session<'_>) -> Result<(), Failure> {
    if session.args.asks_password {
        session.args.password = editor::ask_password(&mut session.console)?;
    }
    if let Some(path) = session.args.script.clone() {
        if !session.connect(false) {
            return Err(Failure::Exit(1));
        }
        let script = fs::read(&path).map_err(|error| {
            let (path, reason) = (path.display(), describe(&error));
            session.console.complain(format_args!("Can't open file '{path}': {reason}"));
            Failure::Exit(1)
        })?;
        let words = eval_words(script, &session.args.command);
        return session.issue(&words, session.args.repeat);
    }
    if session.args.command.is_empty() {
        return repl::run(session);
    }
    let words = command_words(session)?;
    // Complaints come from the command, which connects again.
    session.connect(true);
    session.issue(&words, session.args.repeat)?;
    while session.is_subscribed {
        session.read_reply(false)?;
    }
    Ok(())
}

/// Makes the words of EVAL; a comma ends the keys.
fn eval_words(script: Vec<u8>, given: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let comma = given.iter().position(|word| word == b",");
    let keys = comma.unwrap_or(given.len());
    let mut words = vec![b"EVAL".to_vec(), script, keys.to_string().into_bytes()];
    words.extend_from_slice(&given[..keys]);
    words.extend_from_slice(given.get(keys + 1..).unwrap_or_default());
    words
}

fn command_words(session: &mut Session<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    let Session { args, console, .. } = session;
    let mut words = args.command.clone();
    if args.is_quoted {
        let unquoted: Option<Vec<_>> = words.iter().map(|word| unquote(word)).collect();
        let Some(unquoted) = unquoted else {
            console.print(b"Invalid quoted string\n")?;
            return Err(Failure::Exit(1));
        };
        words = unquoted;
    }
    match &args.stdin {
        StdinUse::Commands => (),
        StdinUse::LastArgument => words.push(read_argument(console)?),
        StdinUse::Tag(tag) => {
            let Some(at) = words.iter().position(|word| word == tag) else {
                console.complain("Using -X option but stdin tag not match.");
                return Err(Failure::Exit(1));
            };
            words[at] = read_argument(console)?;
        }
    }
    Ok(words)
}

/// Returns what a single quoted word says; `None` if it is none or several.
fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let mut words = split_args(text).ok()?;
    if words.len() == 1 { words.pop().map(Vec::from) } else { None }
}

fn read_argument(console: &mut Console<'_>) -> Result<Vec<u8>, Failure> {
    let mut argument = Vec::new();
    console.input.read_to_end(&mut argument).map_err(|error| {
        console.complain(format_args!("Reading from standard input: {}", describe(&error)));
        Failure::Exit(1)
    })?;
    Ok(argument)
}
