//! Tool: what the judge needs: processes to start, what they say, and patience.

use std::{
    fs,
    io::Read,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["play", name]).args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    command.env_remove("NOTIFY_SOCKET").env_remove("UPSTART_JOB").env("TZ", "UTC");
    command
}

pub(crate) fn run(name: &str) -> Output {
    command(name, &[]).output().unwrap()
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Reads what a process says until it has said something.
pub(crate) fn read_until(child: &mut Child, wanted: &str) -> String {
    let mut said = Vec::new();
    let mut byte = [0];
    let out = child.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&said).contains(wanted) {
        assert!(out.read(&mut byte).unwrap() == 1, "ended early: {:?}", to_text(&said));
        said.push(byte[0]);
    }
    to_text(&said)
}

pub(crate) fn to_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("sys-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Whether a line has a form: `9` stands for a digit, `a` for a letter, `+` for more of
/// the one before, anything else for itself; the text behind is free.
pub(crate) fn has_form(line: &str, form: &str) -> bool {
    let mut rest = line.chars().peekable();
    let mut last: fn(char) -> bool = |_| false;
    form.chars().all(|sign| {
        let is: fn(char) -> bool = match sign {
            '9' => |c| c.is_ascii_digit(),
            'a' => |c| c.is_ascii_alphabetic(),
            '+' => {
                while rest.next_if(|&c| last(c)).is_some() {}
                return true;
            }
            _ => return rest.next() == Some(sign),
        };
        last = is;
        rest.next().is_some_and(is)
    })
}

pub(crate) fn assert_crashed(output: &Output, signal: Signal) -> String {
    assert_eq!(output.status.signal(), Some(signal as i32), "{output:?}");
    let text = text(output);
    assert_eq!(text.matches("=== REDIS BUG REPORT START: Cut & paste").count(), 1, "{text}");
    assert_eq!(text.matches("=== REDIS BUG REPORT END.").count(), 1, "{text}");
    text
}
