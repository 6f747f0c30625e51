//! Tool: the prompt: lines in, commands out, messages in between.

use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use base::split::split_args;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use crate::connect::Link;
use crate::editor::LineEditor;
use crate::failure::Failure;
use crate::format::Form;
use crate::secret::is_secret;
use crate::session::{Session, is};

/// A command that takes this long has its time shown.
const SLOW: Duration = Duration::from_millis(500);
const CLEAR_SCREEN: &[u8] = b"\x1b[H\x1b[2J";
const CLEAR_LINE: &[u8] = b"\x1b[K";
const WAITING: &[u8] = b"Reading messages... (press Ctrl-C to quit or any key to type command)\r";

/// Reads commands until there are no more.
pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    session.is_interactive = true;
    session.interrupts.listen();
    // Without a server the prompt comes all the same; each command tries again.
    session.connect(false);
    let mut editor = None;
    if session.console.has_keyboard {
        let file = session.environment.history.clone();
        editor = Some(LineEditor::open(file).map_err(|error| unreadable(session, &error))?);
    }
    loop {
        let Some(line) = read_line(session, editor.as_mut())? else {
            if session.is_subscribed && session.connect(false) {
                continue;
            }
            return Ok(());
        };
        match obey(session, editor.as_mut(), &line) {
            Ok(Next::Line) => (),
            Ok(Next::Leave) => return Ok(()),
            Err(Failure::Exit(code)) => return Err(Failure::Exit(code)),
            // It has been said; there are other commands.
            Err(_) => (),
        }
        if session.is_subscribed {
            follow(session)?;
        }
    }
}

enum Next {
    Line,
    Leave,
}

fn read_line(
    session: &mut Session<'_>,
    editor: Option<&mut LineEditor>,
) -> Result<Option<Vec<u8>>, Failure> {
    if let Some(editor) = editor {
        let line = editor.read(&session.prompt()).map_err(|error| unreadable(session, &error))?;
        return Ok(line.map(String::into_bytes));
    }
    let mut line = Vec::new();
    let bytes = session.console.input.read_until(b'\n', &mut line);
    if bytes.map_err(|error| unreadable(session, &error))? == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") {
        line.pop();
    }
    Ok(Some(line))
}

fn unreadable(session: &mut Session<'_>, error: &dyn std::error::Error) -> Failure {
    session.console.complain(format_args!("Reading from standard input: {error}"));
    Failure::Exit(1)
}

fn obey(
    session: &mut Session<'_>,
    mut editor: Option<&mut LineEditor>,
    line: &[u8],
) -> Result<Next, Failure> {
    let mut remember = |line: &[u8]| {
        if let Some(editor) = &mut editor {
            editor.remember(&String::from_utf8_lossy(line));
        }
    };
    let Ok(words) = split_args(line) else {
        remember(line);
        session.console.print(b"Invalid argument(s)\n")?;
        return Ok(Next::Line);
    };
    let mut words: Vec<_> = words.into_iter().map(Vec::from).collect();
    let Some(first) = words.first() else { return Ok(Next::Line) };
    let mut repeat = 1;
    if let Some(count) = leading_count(first)
        && 1 < words.len()
    {
        let Ok(count @ 1..) = count.parse() else {
            session.console.print(b"Invalid redis-cli repeat command option value.\n")?;
            return Ok(Next::Line);
        };
        repeat = count;
        words.remove(0);
    } else if is(&words, 0, "quit") || is(&words, 0, "exit") {
        remember(line);
        return Ok(Next::Leave);
    }
    if !is_secret(&words) {
        remember(line);
    }
    if let [name, host, port] = words.as_slice()
        && name.eq_ignore_ascii_case(b"connect")
        && repeat == 1
    {
        let port = str::from_utf8(port).ok().and_then(|port| port.parse().ok());
        let Some(port) = port else {
            session.console.complain("Invalid server port.");
            return Ok(Next::Line);
        };
        session.args.address.host = String::from_utf8_lossy(host).into_owned();
        session.args.address.port = port;
        session.connect(false);
    } else if words.len() == 1 && is(&words, 0, "clear") {
        session.console.print(CLEAR_SCREEN)?;
    } else if is(&words, 0, "restart") {
        session.console.print(b"Use 'restart' only in Lua debugging mode.\n")?;
    } else if words[0].starts_with(b":") {
        prefer(session, &words)?;
    } else {
        timed(session, &words, repeat)?;
    }
    Ok(Next::Line)
}

/// Returns a word that means how often, if it is a number or nothing at all.
fn leading_count(word: &[u8]) -> Option<&str> {
    let digits = word.strip_prefix(b"-").or(word.strip_prefix(b"+")).unwrap_or(word);
    let is_count = digits.iter().all(u8::is_ascii_digit) && digits.is_empty() == word.is_empty();
    is_count.then(|| str::from_utf8(word).unwrap_or_default())
}

fn prefer(session: &mut Session<'_>, words: &[Vec<u8>]) -> Result<(), Failure> {
    let name = |at: usize| words.get(at).map(|word| String::from_utf8_lossy(word).into_owned());
    let text = match (is(words, 0, ":set"), name(1)) {
        (true, Some(_)) if is(words, 1, "nohints") => return Ok(()),
        (true, Some(_)) if is(words, 1, "hints") => "hints are not supported yet\n".to_owned(),
        (true, Some(other)) => format!("unknown redis-cli preference '{other}'\n"),
        _ => {
            format!("unknown redis-cli internal command '{}'\n", name(0).unwrap_or_default())
        }
    };
    session.console.print(text.as_bytes())
}

fn timed(session: &mut Session<'_>, words: &[Vec<u8>], repeat: i64) -> Result<(), Failure> {
    let start = Instant::now();
    let outcome = session.issue(words, repeat);
    let elapsed = start.elapsed();
    if SLOW <= elapsed && session.layout.form == Form::Tty {
        let text = format!("({:.2}s)\n", elapsed.as_secs_f64());
        session.console.print(text.as_bytes())?;
    }
    outcome
}

/// Shows messages until a key is pressed or Ctrl-C ends the subscriptions.
fn follow(session: &mut Session<'_>) -> Result<(), Failure> {
    let is_told = session.layout.form != Form::Raw && session.console.has_screen;
    let input_fd = session.console.input_fd;
    let _keys = input_fd.filter(|_| session.console.has_keyboard).map(AnyKey::new);
    while session.is_subscribed {
        while let Some(message) = session.link.as_mut().and_then(Link::buffered) {
            let text = session.layout.render(&message);
            session.console.print(&text)?;
        }
        if is_told {
            tell(session)?;
        }
        let (has_message, has_key) = wait(session);
        if is_told {
            session.console.print(CLEAR_LINE)?;
        }
        if has_message {
            match session.read_reply(false) {
                Ok(_) => (),
                Err(Failure::Interrupted) => return Ok(()),
                Err(Failure::Command) => {
                    session.complain_of_link();
                    return Err(Failure::Exit(1));
                }
                Err(failure) => return Err(failure),
            }
        } else if has_key {
            return Ok(());
        }
    }
    Ok(())
}

fn tell(session: &mut Session<'_>) -> Result<(), Failure> {
    let text = if session.environment.has_colours {
        [b"\x1b[1;90m".as_slice(), WAITING, b"\x1b[0m"].concat()
    } else {
        WAITING.to_vec()
    };
    session.console.print(&text)
}

/// Waits until the server or the user has something to say.
fn wait(session: &mut Session<'_>) -> (bool, bool) {
    // What TLS has read ahead does not show at the socket.
    if session.link.as_mut().is_some_and(Link::is_readable) {
        return (true, false);
    }
    let Some(link) = &session.link else { return (true, false) };
    let Some(input_fd) = session.console.input_fd.filter(|_| !session.console.has_typed()) else {
        return (false, true);
    };
    let mut fds =
        [PollFd::new(link.as_fd(), PollFlags::POLLIN), PollFd::new(input_fd, PollFlags::POLLIN)];
    if poll(&mut fds, PollTimeout::NONE).is_err() {
        return (false, false);
    }
    (fds[0].any().unwrap_or(true), fds[1].any().unwrap_or(true))
}

/// The terminal hands over keys as they are pressed, for as long as this lives.
struct AnyKey<'a> {
    terminal: BorrowedFd<'a>,
    before: Option<Termios>,
}

impl<'a> AnyKey<'a> {
    fn new(terminal: BorrowedFd<'a>) -> Self {
        let before = tcgetattr(terminal).ok();
        if let Some(mut mode) = before.clone() {
            mode.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON);
            // Without it a key and Enter do.
            let _ = tcsetattr(terminal, SetArg::TCSANOW, &mode);
        }
        Self { terminal, before }
    }
}

impl Drop for AnyKey<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(self.terminal, SetArg::TCSANOW, before);
        }
    }
}
