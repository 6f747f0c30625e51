//! Room: the clients that watch commands go by (MONITOR).
//!
//! A handle here may be stale: who is gone is found out when it is told something, or was taken
//! out before. Until then it costs the making of one line.

use base::split::write_repr;

use crate::client::ClientId;

/// Where a command comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A client connected over TCP, by its address.
    Peer(&'a str),
    /// A client of the Unix socket at this path.
    Unix(&'a [u8]),
    /// A script.
    Script,
}

/// Who watches.
#[derive(Debug, Default)]
pub struct Monitors {
    clients: Vec<ClientId>,
}

impl Monitors {
    /// Whether anybody does.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Lets a client watch.
    pub fn add(&mut self, id: ClientId) {
        self.clients.push(id);
    }

    /// Lets it watch no more.
    pub fn remove(&mut self, id: ClientId) {
        self.clients.retain(|watcher| *watcher != id);
    }

    /// Lets `tell` tell each something, and forgets those who were not there to hear it.
    pub fn tell(&mut self, tell: impl FnMut(&ClientId) -> bool) {
        self.clients.retain(tell);
    }
}

/// Makes the line that watchers see of a command.
pub fn line<'a>(
    now_us: u64,
    db: usize,
    source: Source<'_>,
    arguments: impl Iterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let (seconds, microseconds) = (now_us / 1_000_000, now_us % 1_000_000);
    let mut line = format!("+{seconds}.{microseconds:06} [{db} ").into_bytes();
    match source {
        Source::Peer(peer) => line.extend_from_slice(peer.as_bytes()),
        Source::Unix(path) => {
            line.extend_from_slice(b"unix:");
            line.extend_from_slice(path);
        }
        Source::Script => line.extend_from_slice(b"lua"),
    }
    line.push(b']');
    for argument in arguments {
        line.push(b' ');
        write_repr(&mut line, argument);
    }
    line.extend_from_slice(b"\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::{Monitors, Source, line};
    use crate::client::Clients;

    #[test]
    fn a_line_says_when_where_who_and_what() {
        let words = [&b"SET"[..], b"a\"b", b"\r\n\0"];
        let text = line(1_700_000_000_000_123, 9, Source::Peer("1.2.3.4:5"), words.into_iter());
        let expected = "+1700000000.000123 [9 1.2.3.4:5] \"SET\" \"a\\\"b\" \"\\r\\n\\x00\"\r\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
        let text = line(0, 0, Source::Unix(b"/s"), std::iter::empty());
        assert_eq!(text, b"+0.000000 [0 unix:/s]\r\n");
        assert_eq!(line(0, 0, Source::Script, std::iter::empty()), b"+0.000000 [0 lua]\r\n");
    }

    #[test]
    fn who_hears_nothing_is_forgotten() {
        let mut clients = Clients::default();
        let (here, gone) = (clients.add(0), clients.add(0));
        let mut monitors = Monitors::default();
        monitors.add(here);
        monitors.add(gone);
        clients.close(gone);
        monitors.tell(|id| clients.push(*id, |reply| reply.ok()));
        let mut seen = Vec::new();
        monitors.tell(|id| {
            seen.push(*id);
            true
        });
        assert_eq!(seen, [here]);
        monitors.remove(here);
        assert!(monitors.is_empty());
    }
}
