//! Tool: holding conversations: all files of a folder, at one place, on a few threads.
//!
//! A conversation without directives that leaves no traces shares its thread's server with
//! others. Between two of them the clients are closed, and the server is told FLUSHALL and
//! CONFIG RESETSTAT; one that says more than that wipes away (`script::TRACES`), or that went
//! wrong, has its server ended behind it.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{
    expect, script,
    script::{Action, Conversation, Order},
    wire, words,
    world::{Heard, Place, World},
};

/// How long a reply may be in coming that is expected and not there.
const PATIENCE: Duration = Duration::from_secs(2);
/// Two compute while two wait.
const THREADS: usize = 4;
const COLUMNS: usize = 100;

struct Job {
    path: PathBuf,
    conversation: Conversation,
}

/// What came of a conversation: what failed, and for each expectation what was heard.
#[derive(Default)]
struct Outcome {
    failures: Vec<String>,
    /// By line number: as many old lines, and the new text.
    updates: Vec<(usize, usize, String)>,
}

/// Holds every conversation below `folder` whose path contains `CONVERSATIONS` (an environment
/// variable, for one who works on some) at `place`, and returns how many were held. With
/// `UPDATE=1`, and at the reference, expectations that are not met are rewritten.
///
/// # Panics
/// If a file cannot be read or an expectation is not met; the message says what, and where.
pub fn hold_all(folder: &Path, place: &dyn Place) -> usize {
    let wanted = env::var("CONVERSATIONS").unwrap_or_default();
    let mut texts = BTreeMap::new();
    let mut jobs = Vec::new();
    for path in files(folder).expect("the folder of conversations can be read") {
        let (text, conversations) = script::read(&path).unwrap_or_else(|error| panic!("{error}"));
        for conversation in conversations {
            let name = format!("{}: {}", path.display(), conversation.title);
            if name.contains(&wanted) && place.suits(&conversation.tags) {
                jobs.push(Job { path: path.clone(), conversation });
            }
        }
        texts.insert(path, text);
    }
    let count = jobs.len();
    // They are taken from the end: who sleeps longest begins, lest everybody wait for it.
    jobs.sort_by_key(|job| job.conversation.sleep_ms());
    let jobs = Mutex::new(jobs);
    let outcomes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| work(place, &jobs, &outcomes));
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    finish(place, texts, outcomes);
    count
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn work(place: &dyn Place, jobs: &Mutex<Vec<Job>>, outcomes: &Mutex<Vec<(PathBuf, Outcome)>>) {
    let mut shared: Option<Box<dyn World>> = None;
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(Job { path, conversation }) = job else { return };
        let mut outcome = Outcome::default();
        if let Err(error) = hold_one(place, &mut shared, &conversation, &mut outcome) {
            outcome.failures.push(error.to_string());
        }
        if conversation.tags.is_gap && !place.is_reference() {
            let is_closed = outcome.failures.is_empty();
            outcome.failures.clear();
            if is_closed {
                outcome.failures.push("it is right now: take its [gap] away".into());
            }
        }
        for failure in &mut outcome.failures {
            *failure = format!("{}: {}\n{failure}", path.display(), conversation.title);
        }
        outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((path, outcome));
    }
}

fn hold_one(
    place: &dyn Place,
    shared: &mut Option<Box<dyn World>>,
    conversation: &Conversation,
    outcome: &mut Outcome,
) -> io::Result<()> {
    if !conversation.can_share() {
        let mut world = place.open(&conversation.directives)?;
        return play(&mut *world, conversation, outcome);
    }
    let mut world = match shared.take() {
        Some(world) => world,
        None => place.open(&[])?,
    };
    play(&mut *world, conversation, outcome)?;
    if outcome.failures.is_empty() && world.reset()? {
        *shared = Some(world);
    }
    Ok(())
}

/// Goes through a conversation to its end, also after an expectation that is not met.
fn play(
    world: &mut dyn World,
    conversation: &Conversation,
    outcome: &mut Outcome,
) -> io::Result<()> {
    let mut captured = BTreeMap::new();
    let mut last_said = "";
    for step in &conversation.steps {
        let place_in = |error: String| io::Error::other(format!("line {}: {error}", step.line + 1));
        match &step.action {
            Action::Say { who, text, is_raw } => {
                last_said = text;
                let text = words::substitute(text, &captured);
                let request = if *is_raw {
                    words::unescape(text.as_bytes())
                } else {
                    words::split(text.as_bytes()).map(|words| words::encode(&words))
                };
                world.say(who, &request.map_err(place_in)?)
            }
            Action::Hear { who, expected, order } => {
                let expected = words::recall(expected, &captured);
                let ear = Ear { who, expected: &expected, order: *order };
                let (replies, is_met) = ear.listen(world, &mut captured)?;
                if !is_met {
                    let heard = replies.join(" ");
                    let line = step.line + 1;
                    outcome.failures.push(format!(
                        "  line {line}, after {last_said}\n    expected {expected}\n       heard {heard}"
                    ));
                    let text = lay_out(&format!("{who}{}", order.mark()), &replies);
                    outcome.updates.push((step.line, step.line_count, text));
                }
                Ok(())
            }
            Action::Sleep(ms) => world.sleep(*ms),
            Action::Open(who) => world.open(who),
            Action::Close(who) => world.close(who),
            Action::Shut(who) => world.shut(who),
            Action::Restart => world.restart(),
        }
        .map_err(|error| place_in(error.to_string()))?;
    }
    Ok(())
}

struct Ear<'a> {
    who: &'a str,
    expected: &'a str,
    order: Order,
}

impl Ear<'_> {
    /// Waits for what is expected, but for no longer than more of it may still be coming.
    fn listen(
        &self,
        world: &mut dyn World,
        captured: &mut BTreeMap<String, String>,
    ) -> io::Result<(Vec<String>, bool)> {
        let start = Instant::now();
        let mut heard = Heard::default();
        loop {
            let more = world.hear(self.who)?;
            heard.bytes.extend_from_slice(&more.bytes);
            heard.is_closed |= more.is_closed;
            let rendered = wire::render(&heard.bytes, self.order);
            let mut replies = rendered.replies;
            if heard.is_closed {
                replies.push("(closed)".into());
            }
            let text = replies.join(" ");
            let is_met =
                expect::matches(self.expected, &text, captured).map_err(io::Error::other)?;
            let is_short = text.split(' ').count() < self.expected.split(' ').count();
            let may_come = rendered.is_partial || is_short || text.is_empty();
            let is_late = start.elapsed() > PATIENCE || heard.is_closed;
            if is_met || self.expected.is_empty() && !rendered.is_partial || !may_come || is_late {
                return Ok((replies, is_met));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Writes replies as a file has them: on one line if they fit.
fn lay_out(head: &str, replies: &[String]) -> String {
    let one_line = format!("{head} {}", replies.join(" "));
    if one_line.len() <= COLUMNS {
        return one_line.trim_end().to_string();
    }
    let mut lines = vec![head.to_string()];
    for (at, reply) in replies.iter().enumerate() {
        if at > 0 {
            lines.push("  ".into());
        }
        // Lines within a payload are lines in the file, too.
        for (part, text) in reply.split_inclusive("\\r\\n").enumerate() {
            if part > 0 {
                lines.push("   |".into());
            }
            for (word_at, word) in text.split(' ').enumerate() {
                let is_glued = part > 0 && word_at == 0;
                let line = lines.last_mut().expect("there is the first");
                if !is_glued && line.len() + 1 + word.len() > COLUMNS && line.trim() != "" {
                    lines.push(format!("   {word}"));
                } else {
                    line.push_str(if is_glued { "" } else { " " });
                    line.push_str(word);
                }
            }
        }
    }
    lines.join("\n")
}

fn finish(place: &dyn Place, texts: BTreeMap<PathBuf, String>, outcomes: Vec<(PathBuf, Outcome)>) {
    let may_update = place.is_reference() && env::var_os("UPDATE").is_some_and(|on| on == "1");
    let mut failures = Vec::new();
    for (path, text) in texts {
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        let of_file = outcomes.iter().filter(|(of, _)| *of == path).map(|(_, outcome)| outcome);
        for outcome in of_file.clone() {
            failures.extend(outcome.failures.iter().map(String::as_str));
        }
        let mut updates: Vec<_> = of_file.flat_map(|outcome| &outcome.updates).collect();
        if may_update && !updates.is_empty() {
            updates.sort_by(|a, b| b.cmp(a));
            for (line, count, text) in updates {
                lines.splice(*line..line + count, [text.clone()]);
            }
            fs::write(&path, lines.join("\n") + "\n").expect("the file can be rewritten");
        }
    }
    assert!(failures.is_empty() || may_update, "{}:\n{}", place.name(), failures.join("\n"));
    for failure in failures {
        println!("updated: {failure}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_laid_out_so_that_it_reads_back() {
        let replies = ["*3 $40 ".to_string() + &"a".repeat(40) + " $60 " + &"b".repeat(60) + " :1"];
        let payload =
            "$99 # Head\\r\\nname:two words\\r\\n".to_string() + &"long:1\\r\\n".repeat(9);
        for replies in [&replies[..], &["+OK".into()], &[payload, "+OK".into()]] {
            let text = format!("# t\n{}\n", lay_out("a<", replies));
            let all = script::parse(&text).unwrap();
            let Action::Hear { expected, .. } = &all[0].steps[0].action else { panic!() };
            assert_eq!(*expected, replies.join(" "));
        }
    }

    /// Says `+OK` to everything that is said.
    struct Yes {
        due: usize,
    }

    impl World for Yes {
        fn open(&mut self, _: &str) -> io::Result<()> {
            Ok(())
        }
        fn say(&mut self, _: &str, _: &[u8]) -> io::Result<()> {
            self.due += 1;
            Ok(())
        }
        fn hear(&mut self, _: &str) -> io::Result<Heard> {
            let bytes = b"+OK\r\n".repeat(std::mem::take(&mut self.due));
            Ok(Heard { bytes, is_closed: false })
        }
        fn sleep(&mut self, _: u64) -> io::Result<()> {
            Ok(())
        }
        fn close(&mut self, _: &str) -> io::Result<()> {
            Ok(())
        }
        fn shut(&mut self, _: &str) -> io::Result<()> {
            Ok(())
        }
        fn restart(&mut self) -> io::Result<()> {
            Ok(())
        }
        fn reset(&mut self) -> io::Result<bool> {
            Ok(true)
        }
    }

    fn failures(text: &str) -> usize {
        let mut outcome = Outcome::default();
        let conversation = &script::parse(text).unwrap()[0];
        play(&mut Yes { due: 0 }, conversation, &mut outcome).unwrap();
        outcome.failures.len()
    }

    #[test]
    fn what_is_heard_and_not_expected_is_a_failure() {
        assert_eq!(failures("# t\na> PING\na< +OK\n"), 0);
        assert_eq!(failures("# t\na> PING\na> PING\na< +OK +OK\na<\n"), 0);
        assert_eq!(failures("# t\na> PING\na< -NO\n"), 1);
        assert_eq!(failures("# t\na> PING\na<\n"), 1);
        assert_eq!(failures("# t\na> PING\na> PING\na< +OK\na< +OK\n"), 2);
    }
}
