//! Tool: the parser of a file of conversations.

use std::{collections::BTreeSet, fs, io, path::Path};

/// The words in brackets behind a title that are not directives.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tags {
    /// Only where there are real sockets.
    pub needs_sockets: bool,
    /// Only where the server is a process of its own.
    pub needs_process: bool,
    /// Not over TLS.
    pub needs_plain: bool,
    /// Not at the reference.
    pub is_ours: bool,
    /// Not at a reference older than this major and minor version.
    pub since: Option<(u32, u32)>,
    /// Wants a server that nobody has used, and that nobody uses afterwards.
    pub needs_own: bool,
    /// What the reference gives and we do not yet: it must fail with us.
    pub is_gap: bool,
}

/// A conversation, as it stands in its file.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) title: String,
    pub(crate) tags: Tags,
    pub(crate) directives: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

/// A line that is to be acted upon, or an expectation with the lines that go on with it.
#[derive(Debug)]
pub(crate) struct Step {
    /// Counted from 0.
    pub(crate) line: usize,
    pub(crate) line_count: usize,
    pub(crate) action: Action,
}

/// Which order of elements is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The very one.
    Given,
    /// Any, of elements, or of a map's pairs.
    Any,
    /// Any, of the pairs of an array that is a map.
    AnyOfPairs,
}

impl Order {
    /// What stands behind the name of who hears.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Given => "<",
            Self::Any => "<~",
            Self::AnyOfPairs => "<~~",
        }
    }
}

#[derive(Debug)]
pub(crate) enum Action {
    Say { who: String, text: String, is_raw: bool },
    Hear { who: String, expected: String, order: Order },
    Sleep(u64),
    Open(String),
    Close(String),
    Shut(String),
    Restart,
}

/// What leaves traces that FLUSHALL and CONFIG RESETSTAT do not wipe away.
const TRACES: [&str; 11] = [
    "acl ",
    "client pause",
    "config rewrite",
    "config set",
    "debug jmap",
    "debug pause-cron",
    "debug set-",
    "function ",
    "replicaof",
    "script ",
    "shutdown",
];
/// What writes into the server's folder.
const WRITERS: [&str; 4] = ["save", "bgsave", "debug reload", "shutdown save"];

impl Conversation {
    /// Says whether a server that has held other conversations will do, and may be kept after.
    pub(crate) fn can_share(&self) -> bool {
        !self.tags.needs_own
            && self.directives.is_empty()
            && self.steps.iter().all(|step| match &step.action {
                Action::Say { text, .. } => {
                    let text = text.to_ascii_lowercase();
                    !TRACES.iter().any(|trace| text.contains(trace))
                }
                Action::Restart => false,
                _ => true,
            })
    }

    /// Returns the line in which it has a snapshot written although it may be held in a process
    /// with others, whose folder is one.
    fn unfit_to_share_a_folder(&self) -> Option<usize> {
        let writes = |step: &&Step| match &step.action {
            Action::Say { text, .. } => {
                let text = text.to_ascii_lowercase();
                WRITERS.iter().any(|writer| text == *writer)
            }
            _ => false,
        };
        let is_apart = self.tags.needs_process || self.tags.needs_sockets;
        self.steps.iter().find(writes).filter(|_| !is_apart).map(|step| step.line)
    }

    /// How long it sleeps.
    pub(crate) fn sleep_ms(&self) -> u64 {
        let sleeps = self.steps.iter().map(|step| match step.action {
            Action::Sleep(ms) => ms,
            _ => 0,
        });
        sleeps.sum()
    }
}

/// Reads a file. An error names the place.
pub(crate) fn read(path: &Path) -> io::Result<(String, Vec<Conversation>)> {
    let text = fs::read_to_string(path)?;
    let parsed = parse(&text);
    let conversations = parsed.map_err(|(line, error)| {
        io::Error::other(format!("{}:{}: {error}", path.display(), line + 1))
    })?;
    Ok((text, conversations))
}

/// Parses a file's text; an error comes with the number of its line, counted from 0.
pub(crate) fn parse(text: &str) -> Result<Vec<Conversation>, (usize, String)> {
    let mut conversations: Vec<Conversation> = Vec::new();
    let mut titles = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with("//") {
            continue;
        }
        if let Some(title) = line.strip_prefix("# ") {
            let conversation = parse_title(title).map_err(|error| (at, error))?;
            if !titles.insert(conversation.title.clone()) {
                return Err((at, "another conversation has this title".into()));
            }
            conversations.push(conversation);
            continue;
        }
        let Some(conversation) = conversations.last_mut() else {
            return Err((at, "a conversation begins with `# title`".into()));
        };
        if line.starts_with(char::is_whitespace) {
            continue_expectation(conversation.steps.last_mut(), at, line)
                .map_err(|error| (at, error))?;
        } else {
            let action = parse_action(line).map_err(|error| (at, error))?;
            conversation.steps.push(Step { line: at, line_count: 1, action });
        }
    }
    match conversations.iter().find_map(Conversation::unfit_to_share_a_folder) {
        Some(at) => {
            Err((at, "who writes files is [process]: others may write the same ones".into()))
        }
        None => Ok(conversations),
    }
}

fn continue_expectation(step: Option<&mut Step>, at: usize, line: &str) -> Result<(), String> {
    let Some(Step { line: first, line_count, action: Action::Hear { expected, .. } }) = step else {
        return Err("an indented line goes on with an expectation".into());
    };
    if *first + *line_count != at {
        return Err("something stands between the expectation and this".into());
    }
    *line_count += 1;
    match line.trim_start().strip_prefix('|') {
        Some(glued) => *expected += glued.trim_end(),
        None => {
            *expected += " ";
            *expected += &single_spaced(line);
        }
    }
    Ok(())
}

fn parse_title(text: &str) -> Result<Conversation, String> {
    let (mut title, mut tags, mut directives) = (text.trim(), Tags::default(), Vec::new());
    while let Some((head, inner)) = title.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        title = head.trim_end();
        let words: Vec<&str> = inner.split_whitespace().collect();
        match words[..] {
            ["sockets"] => tags.needs_sockets = true,
            ["process"] => tags.needs_process = true,
            ["plain"] => (tags.needs_plain, tags.needs_sockets) = (true, true),
            ["ours"] => tags.is_ours = true,
            ["own"] => tags.needs_own = true,
            ["gap"] => tags.is_gap = true,
            ["since", version] => {
                let version = parse_version(version);
                tags.since = Some(version.ok_or_else(|| format!("what is [{inner}]?"))?);
            }
            [first, ..] if first.starts_with("--") => {
                let words = crate::words::split(inner.as_bytes())?;
                let words = words.iter().map(|word| String::from_utf8_lossy(word).into_owned());
                directives.splice(0..0, words);
            }
            _ => return Err(format!("what is [{inner}]?")),
        }
    }
    Ok(Conversation { title: title.to_string(), tags, directives, steps: Vec::new() })
}

/// Reads major and minor of `7.2` or `7.0.15`.
pub(crate) fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn parse_action(line: &str) -> Result<Action, String> {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let said = |who: &str, is_raw| Action::Say { who: who.into(), text: rest.into(), is_raw };
    let heard =
        |who: &str, order| Action::Hear { who: who.into(), expected: single_spaced(rest), order };
    let action = match first {
        "sleep" => Action::Sleep(rest.parse().map_err(|_| format!("what is {line:?}?"))?),
        "open" => Action::Open(rest.into()),
        "close" => Action::Close(rest.into()),
        "shut" => Action::Shut(rest.into()),
        "restart" => Action::Restart,
        _ => {
            // The longer marks first, for the shorter ones end them.
            let orders = [Order::AnyOfPairs, Order::Any, Order::Given];
            let hearer = |order: Order| Some((first.strip_suffix(order.mark())?, order));
            if let Some((who, order)) = orders.into_iter().find_map(hearer) {
                heard(who, order)
            } else if let Some(who) = first.strip_suffix(">>") {
                said(who, true)
            } else if let Some(who) = first.strip_suffix('>') {
                said(who, false)
            } else {
                return Err(format!("what is {line:?}?"));
            }
        }
    };
    Ok(action)
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "// prose\n\n# one [--save \"\"] [since 7.2] [gap]\na> GET k\na< $3 abc\n   +OK\n   \
                        |x\nb>> PING\\r\\n\nb<~ *0\nsleep 5\nclose a\n\n# two\na> CONFIG SET a b\n";

    #[test]
    fn who_writes_files_has_a_process_of_its_own() {
        let text = "a> BGSAVE x\na> GET save\n";
        assert!(parse(&format!("# t\n{text}")).is_ok());
        assert_eq!(parse(&format!("# t\n{text}a> SAVE\n")).unwrap_err().0, 3);
        assert!(parse(&format!("# t [process]\n{text}a> SAVE\n")).is_ok());
    }

    #[test]
    fn a_file_is_read() {
        let all = parse(TEXT).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].title, "one");
        assert_eq!(all[0].directives, ["--save", ""]);
        assert_eq!(all[0].tags.since, Some((7, 2)));
        assert!(all[0].tags.is_gap && !all[0].tags.is_ours);
        let Action::Hear { who, expected, .. } = &all[0].steps[1].action else { panic!() };
        assert_eq!((who.as_str(), expected.as_str()), ("a", "$3 abc +OKx"));
        assert_eq!((all[0].steps[1].line, all[0].steps[1].line_count), (4, 3));
        assert_eq!(all[0].steps.len(), 6);
    }

    #[test]
    fn who_leaves_traces_does_not_share() {
        let all = parse("# a\na> GET k\n# b\na> config  set x y\n# c [--port 1]\n").unwrap();
        assert!(all[0].can_share() && !all[2].can_share());
        assert!(!parse("# b\na> config set x y\n").unwrap()[0].can_share());
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, line) in [
            ("a> GET k\n", 0),
            ("# a\nfoo\n", 1),
            ("# a\n   +OK\n", 1),
            ("# a [what]\n", 0),
            ("# a\n\n# a\n", 2),
            ("# a\nsleep long\n", 1),
        ] {
            assert_eq!(parse(text).unwrap_err().0, line, "{text:?}");
        }
    }
}
