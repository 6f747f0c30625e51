//! Tool: many connections that each send a batch of requests and wait for its replies, all
//! from one thread.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::{
    Outcome,
    dial::{Channel, SILENCE_MAX, Target},
    replies::Replies,
};

const EVENTS_MAX: usize = 256;
const READ_BYTES: usize = 256 * 1024;
/// Digits of a number in a word.
const DIGITS: usize = 12;
/// Digits of a request's own number, of which the first is none: no command takes `012` for
/// a rank.
const RANK_DIGITS: usize = 5;
const RANKS: std::ops::Range<u64> = 10_000..100_000;

/// A kind of request, whose numbers are drawn anew each time: a command, or several that
/// belong together.
#[derive(Clone)]
pub(crate) struct Request {
    text: Vec<u8>,
    numbers: Vec<Number>,
    key_count: u64,
    drawn_count: u64,
    /// How many replies it has.
    replies: usize,
}

/// Digits in a request.
#[derive(Clone, Copy)]
struct Number {
    at: usize,
    kind: NumberKind,
}

/// Which number it is: each kind has its sign in a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NumberKind {
    /// `#`: a key's, below `key_count`.
    Key,
    /// `%`: any below `drawn_count`.
    Drawn,
    /// `@`: one that is the same throughout the request.
    Rank,
}

impl NumberKind {
    fn of_sign(sign: u8) -> Option<Self> {
        match sign {
            b'#' => Some(Self::Key),
            b'%' => Some(Self::Drawn),
            b'@' => Some(Self::Rank),
            _ => None,
        }
    }

    fn digits(self) -> usize {
        if self == Self::Rank { RANK_DIGITS } else { DIGITS }
    }
}

impl Request {
    /// Makes a request from its words; in each, one `#` stands for a key's number, below
    /// `key_count`.
    pub(crate) fn new(words: &[&[u8]], key_count: u64) -> Self {
        Self::sequence(&[words], key_count)
    }

    /// Makes a request of several commands.
    pub(crate) fn sequence(commands: &[&[&[u8]]], key_count: u64) -> Self {
        let (text, numbers, replies) = (Vec::new(), Vec::new(), commands.len());
        let mut request = Self { text, numbers, key_count, drawn_count: key_count, replies };
        commands.iter().for_each(|words| request.add(words));
        request
    }

    /// Lets `%` in a word stand for a number below `count`.
    pub(crate) fn drawing(self, count: u64) -> Self {
        Self { drawn_count: count, ..self }
    }

    fn add(&mut self, words: &[&[u8]]) {
        self.text.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            let signs = || word.iter().map(|sign| NumberKind::of_sign(*sign));
            let number = signs().position(|kind| kind.is_some());
            let Some((at, kind)) = number.zip(signs().flatten().next()) else {
                self.text.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                self.text.extend_from_slice(word);
                self.text.extend_from_slice(b"\r\n");
                continue;
            };
            let length = word.len() - 1 + kind.digits();
            self.text.extend_from_slice(format!("${length}\r\n").as_bytes());
            self.text.extend_from_slice(&word[..at]);
            self.numbers.push(Number { at: self.text.len(), kind });
            self.text.resize(self.text.len() + kind.digits(), b'0');
            self.text.extend_from_slice(&word[at + 1..]);
            self.text.extend_from_slice(b"\r\n");
        }
    }

    /// Appends the request with random keys.
    fn append_random(&self, out: &mut Vec<u8>) {
        self.append(out, || fastrand::u64(..self.key_count));
    }

    /// Appends the request for one key.
    pub(crate) fn append_nth(&self, out: &mut Vec<u8>, number: u64) {
        self.append(out, || number);
    }

    fn append(&self, out: &mut Vec<u8>, mut draw_key: impl FnMut() -> u64) {
        let start = out.len();
        out.extend_from_slice(&self.text);
        let rank = fastrand::u64(RANKS);
        for Number { at, kind } in &self.numbers {
            let mut number = match kind {
                NumberKind::Key => draw_key(),
                NumberKind::Drawn => fastrand::u64(..self.drawn_count),
                NumberKind::Rank => rank,
            };
            for digit in out[start + at..start + at + kind.digits()].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
                if number == 0 {
                    break;
                }
            }
        }
    }
}

/// How long load goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// For so long.
    Time(Duration),
    /// Until so many requests were sent, but for less than a batch.
    Requests(u64),
}

/// What a stretch of load was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) requests: u64,
    pub(crate) took: Duration,
}

struct Connection {
    channel: Channel,
    replies: Replies,
    out: Vec<u8>,
    sent: usize,
    missing: usize,
    waits_for_room: bool,
}

/// Connections that are open, and what their requests are.
pub(crate) struct Load {
    epoll: Epoll,
    connections: Vec<Connection>,
    /// Subscribers, which only hear.
    listeners: Vec<Channel>,
    space: Vec<u8>,
    request: Request,
    pipeline: usize,
}

impl Load {
    pub(crate) fn open(
        target: Target<'_>,
        count: usize,
        request: Request,
        pipeline: usize,
    ) -> Outcome<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let mut connections = Vec::new();
        for index in 0..count {
            let mut channel = target.dial(None)?;
            // What comes behind a handshake, tickets for one, is not to be measured.
            channel.ask(b"*1\r\n$4\r\nPING\r\n")?;
            channel.set_nonblocking()?;
            epoll.add(&channel, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
            connections.push(Connection {
                channel,
                replies: Replies::default(),
                out: Vec::new(),
                sent: 0,
                missing: 0,
                waits_for_room: false,
            });
        }
        let (listeners, space) = (Vec::new(), vec![0; READ_BYTES]);
        Ok(Self { epoll, connections, listeners, space, request, pipeline })
    }

    /// Adds clients that subscribe to a channel; what they hear is read and forgotten.
    pub(crate) fn listen(&mut self, target: Target<'_>, count: usize, name: &str) -> Outcome<()> {
        for _ in 0..count {
            let mut channel = target.dial(None)?;
            channel.ask(format!("SUBSCRIBE {name}\r\n").as_bytes())?;
            channel.set_nonblocking()?;
            let index = self.connections.len() + self.listeners.len();
            self.epoll.add(&channel, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
            self.listeners.push(channel);
        }
        Ok(())
    }

    /// Sends batches on all connections for so long, then awaits what is under way.
    pub(crate) fn run(&mut self, length: Length) -> Outcome<Done> {
        let started = Instant::now();
        let (mut requests, mut sent) = (0, 0);
        let mut active = 0;
        for index in 0..self.connections.len() {
            if !self.is_over(length, started, sent) {
                self.begin_batch(index)?;
                sent += self.pipeline as u64;
                active += 1;
            }
        }
        let mut events = [EpollEvent::empty(); EVENTS_MAX];
        let silence_ms = u16::try_from(SILENCE_MAX.as_millis()).unwrap_or(u16::MAX);
        while 0 < active {
            let count = self.epoll.wait(&mut events, EpollTimeout::from(silence_ms))?;
            if count == 0 {
                return Err("the server fell silent".into());
            }
            for event in &events[..count] {
                let index = usize::try_from(event.data())?;
                if let Some(at) = index.checked_sub(self.connections.len()) {
                    self.hear(at)?;
                    continue;
                }
                if event.events().contains(EpollFlags::EPOLLOUT) {
                    self.send(index)?;
                }
                if !self.receive(index)? {
                    continue;
                }
                requests += self.pipeline as u64;
                if self.is_over(length, started, sent) {
                    active -= 1;
                } else {
                    self.begin_batch(index)?;
                    sent += self.pipeline as u64;
                }
            }
        }
        Ok(Done { requests, took: started.elapsed() })
    }

    fn is_over(&self, length: Length, started: Instant, sent: u64) -> bool {
        match length {
            Length::Time(length) => length <= started.elapsed(),
            Length::Requests(count) => count < sent + self.pipeline as u64,
        }
    }

    fn begin_batch(&mut self, index: usize) -> Outcome<()> {
        let connection = &mut self.connections[index];
        (connection.sent, connection.missing) = (0, self.pipeline * self.request.replies);
        connection.out.clear();
        for _ in 0..self.pipeline {
            self.request.append_random(&mut connection.out);
        }
        self.send(index)
    }

    fn send(&mut self, index: usize) -> Outcome<()> {
        let connection = &mut self.connections[index];
        let is_stuck = loop {
            let left = &connection.out[connection.sent..];
            if left.is_empty() {
                break false;
            }
            match connection.channel.write(left) {
                Ok(bytes) => connection.sent += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break true,
                Err(error) => return Err(error.into()),
            }
        };
        if is_stuck != connection.waits_for_room {
            connection.waits_for_room = is_stuck;
            let both = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
            let flags = if is_stuck { both } else { EpollFlags::EPOLLIN };
            let mut event = EpollEvent::new(flags, index as u64);
            self.epoll.modify(&connection.channel, &mut event)?;
        }
        Ok(())
    }

    fn hear(&mut self, at: usize) -> Outcome<()> {
        let channel = &mut self.listeners[at];
        loop {
            match channel.read(&mut self.space) {
                Ok(0) => return Err("the server closed a subscriber".into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads what is there; says whether the batch's last reply has come with it.
    fn receive(&mut self, index: usize) -> Outcome<bool> {
        let connection = &mut self.connections[index];
        let missed = connection.missing;
        loop {
            match connection.channel.read(&mut self.space) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(bytes) => {
                    let count = connection.replies.count(&self.space[..bytes])?;
                    connection.missing = connection
                        .missing
                        .checked_sub(count)
                        .ok_or("more replies than requests")?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
            if !connection.channel.has_more() {
                break;
            }
        }
        Ok(0 < missed && connection.missing == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn a_request_is_resp_with_the_keys_number_in_it() {
        let request = Request::new(&[b"SET", b"key:#", b"v"], 10);
        let mut out = Vec::new();
        request.append_nth(&mut out, 123);
        let expected = b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000123\r\n$1\r\nv\r\n";
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(expected));
        out.clear();
        Request::sequence(&[&[b"MULTI"], &[b"GET", b"#"]], 10).append_nth(&mut out, 7);
        let expected = b"*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nGET\r\n$12\r\n000000000007\r\n";
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(expected));
    }

    #[test]
    fn each_kind_of_number_has_its_sign() {
        let words: [&[u8]; 4] = [b"ZRANGE", b"#", b"@0", b"@9"];
        let mut out = Vec::new();
        Request::new(&words, 10).append_nth(&mut out, 3);
        let text = String::from_utf8(out).unwrap();
        let words: Vec<_> = text.split("\r\n").collect();
        assert_eq!((words[3], words[4], words[5]), ("$12", "000000000003", "$6"));
        let (start, stop): (u32, u32) = (words[6].parse().unwrap(), words[8].parse().unwrap());
        assert!(100_000 <= start && start + 9 == stop, "{start} {stop}");
        for _ in 0..100 {
            let mut out = Vec::new();
            Request::new(&[b"%"], 1).drawing(7).append_nth(&mut out, 9);
            let text = String::from_utf8(out).unwrap();
            let drawn: u32 = text.split("\r\n").nth(2).unwrap().parse().unwrap();
            assert!(drawn < 7, "{drawn}");
        }
    }
}
