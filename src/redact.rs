//! Pure: which arguments of a command no view may show: passwords, and what stands with them.
//!
//! MONITOR and the slow log show commands as they came; both ask here first. It is looked up
//! only where something is shown, so a command that nobody looks at pays nothing for it.

use resp::Argv;

use crate::{command::CommandId, config::Config};

/// What is shown in place of an argument.
pub const REDACTED: &[u8] = b"(redacted)";

/// Walks the arguments as they may be shown.
pub fn shown(command: CommandId, argv: Argv<'_>) -> impl ExactSizeIterator<Item = &[u8]> {
    let mut secrets = secrets(command, argv).into_iter().peekable();
    argv.iter().enumerate().map(move |(index, argument)| {
        if secrets.next_if_eq(&index).is_some() { REDACTED } else { argument }
    })
}

/// Returns the places of secrets, lowest first.
fn secrets(command: CommandId, argv: Argv<'_>) -> Vec<usize> {
    let count = argv.count();
    match command.spec().full_name {
        // Also where there are too many: it may be a password with a space in it.
        "auth" => (1..count).collect(),
        "acl|setuser" => (2..count).collect(),
        "config|set" => {
            let names = (2..count).step_by(2);
            let sensitive = names.filter(|name| Config::is_sensitive(argv.at(*name)));
            sensitive.map(|name| name + 1).filter(|value| *value < count).collect()
        }
        "hello" => of_options(argv, 2, &[("auth", 2, true), ("setname", 1, false)]),
        "migrate" => of_options(argv, 6, &[("auth", 1, true), ("auth2", 2, true)]),
        _ => Vec::new(),
    }
}

/// Returns the places of what follows options: of each its name, how many arguments it takes,
/// and whether they are secret. What follows KEYS is keys alone.
fn of_options(argv: Argv<'_>, start: usize, options: &[(&str, usize, bool)]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = start;
    while let Some(word) = argv.get(at) {
        at += 1;
        if word.eq_ignore_ascii_case(b"keys") {
            break;
        }
        let option = options.iter().find(|(name, ..)| word.eq_ignore_ascii_case(name.as_bytes()));
        let Some((_, taken, is_secret)) = option else { continue };
        let end = (at + taken).min(argv.count());
        if *is_secret {
            places.extend(at..end);
        }
        at = end;
    }
    places
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgv;

    use super::shown;
    use crate::command::CommandId;

    fn check(command: &str, line: &str, expected: &str) {
        let argv = OwnedArgv::new(line.split(' ').map(str::as_bytes));
        let id = CommandId::find_full(command.as_bytes()).expect("a command");
        let words: Vec<&[u8]> = shown(id, argv.as_argv()).collect();
        assert_eq!(String::from_utf8(words.join(&b' ')).unwrap(), expected);
    }

    #[test]
    fn passwords_are_not_shown() {
        check("get", "GET auth", "GET auth");
        check("auth", "AUTH x", "AUTH (redacted)");
        check("auth", "AUTH u x y", "AUTH (redacted) (redacted) (redacted)");
        check(
            "hello",
            "HELLO 3 AUTH u p SETNAME n",
            "HELLO 3 AUTH (redacted) (redacted) SETNAME n",
        );
        check("hello", "HELLO 3 SETNAME auth x y", "HELLO 3 SETNAME auth x y");
        check("hello", "HELLO 3 AUTH u", "HELLO 3 AUTH (redacted)");
        check(
            "config|set",
            "CONFIG SET requirepass x timeout 1 masterauth",
            "CONFIG SET requirepass (redacted) timeout 1 masterauth",
        );
    }
}
