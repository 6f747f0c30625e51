//! Room: the slow log: which commands took long, and what they were told.
//!
//! Newest first. Numbers of entries go on for ever, so that who reads it now and then sees
//! what is new. Long commands are cut: so many arguments, so many bytes of each.

use std::collections::VecDeque;

use base::Bytes;

/// Arguments that an entry holds at most; of more, the last place says how many are left out.
const ARGUMENTS_MAX: usize = 32;
/// Bytes of an argument that an entry holds at most.
const ARGUMENT_BYTES_MAX: usize = 128;

/// A command that took long.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// When it had run, in seconds since the epoch.
    pub at_s: u64,
    /// How long it ran, or was served in all if it had to wait.
    pub took_us: u64,
    /// What it was told, cut.
    pub arguments: Box<[Bytes]>,
    /// Where its client was connected from.
    pub peer: Box<str>,
    /// What its client was called, empty for a client without a name.
    pub name: Bytes,
}

/// The log.
#[derive(Debug, Default)]
pub struct SlowLog {
    entries: VecDeque<Entry>,
    next_id: u64,
}

impl SlowLog {
    /// Adds an entry, whose number is given here, and forgets what is beyond `entries_max`.
    pub fn add(&mut self, entry: Entry, entries_max: usize) {
        self.entries.push_front(Entry { id: self.next_id, ..entry });
        self.next_id += 1;
        self.entries.truncate(entries_max);
    }

    /// Forgets what is beyond `entries_max`.
    pub fn trim(&mut self, entries_max: usize) {
        self.entries.truncate(entries_max);
    }

    /// Counts the entries.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Walks the entries, newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Forgets all entries; numbers go on.
    pub fn reset(&mut self) {
        self.entries = VecDeque::new();
    }
}

/// Cuts what a command was told to what an entry holds.
pub fn cut<'a>(arguments: impl ExactSizeIterator<Item = &'a [u8]>) -> Box<[Bytes]> {
    let count = arguments.len();
    if count <= ARGUMENTS_MAX {
        return arguments.map(cut_argument).collect();
    }
    let kept = ARGUMENTS_MAX - 1;
    let rest = format!("... ({} more arguments)", count - kept).into_bytes();
    arguments.take(kept).map(cut_argument).chain([rest.into()]).collect()
}

fn cut_argument(argument: &[u8]) -> Bytes {
    match argument.split_at_checked(ARGUMENT_BYTES_MAX) {
        Some((head, rest)) if !rest.is_empty() => {
            let tail = format!("... ({} more bytes)", rest.len());
            [head, tail.as_bytes()].concat().into()
        }
        _ => argument.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, SlowLog, cut};

    fn entry(took_us: u64) -> Entry {
        let arguments = cut([&b"PING"[..]].into_iter());
        Entry { id: 0, at_s: 1, took_us, arguments, peer: "p".into(), name: Box::default() }
    }

    #[test]
    fn old_entries_go_and_numbers_go_on() {
        let mut log = SlowLog::default();
        (0..5).for_each(|took_us| log.add(entry(took_us), 3));
        let seen = |log: &SlowLog| log.entries().map(|e| (e.id, e.took_us)).collect::<Vec<_>>();
        assert_eq!(seen(&log), [(4, 4), (3, 3), (2, 2)]);
        log.trim(1);
        assert_eq!(seen(&log), [(4, 4)]);
        log.reset();
        log.add(entry(9), 3);
        assert_eq!((seen(&log), log.count()), (vec![(5, 9)], 1));
        log.add(entry(9), 0);
        assert_eq!(log.count(), 0);
    }

    #[test]
    fn long_commands_are_cut() {
        let told = |count: usize| vec![&b"x"[..]; count];
        assert_eq!(cut(told(32).into_iter())[31][..], *b"x");
        let arguments = cut(told(33).into_iter());
        assert_eq!((arguments.len(), &arguments[31][..]), (32, &b"... (2 more arguments)"[..]));
        let long = [&b"y"[..], &[b'a'; 128], &[b'a'; 130]];
        let arguments = cut(long.into_iter());
        assert_eq!(arguments[1].len(), 128);
        assert_eq!(arguments[2][..], [&[b'a'; 128][..], b"... (2 more bytes)"].concat());
    }
}
