//! Tool: a value from elsewhere, twice: as it came, and in the form that large values have. What
//! commands answer of the one, they answer of the other, whatever the value is made of.

use std::{cell::RefCell, ffi::OsString, io};

use base::{checksum::crc64, clock::Clock};
use redis::{
    client::ClientId,
    config::{CommandLine, Config, Encoding},
    persist::rdb::format::VERSION_MAX,
    server::{Server, before_sleep, process, tune},
};
use resp::value::{Decoder, Value};

use crate::Source;

/// The time, in milliseconds since the epoch.
const NOW_MS: u64 = 1_700_000_000_000;
const DIRECTIVES: [&str; 6] = ["--port", "0", "--save", "", "--enable-debug-command", "yes"];
const KEY: &[u8] = b"key";
/// No input is made to run more commands.
const COMMANDS_MAX: usize = 48;
/// So many elements are known to commands.
const ELEMENTS_MAX: usize = 64;
/// An element that a command puts in is no longer.
const ELEMENT_BYTES_MAX: usize = 80;
const NUMBERS: [&str; 6] =
    ["-9223372036854775808", "9223372036854775807", "4294967296", "-2147483649", "65536", "1000"];
/// Without the zero below zero, whose sign is lost where scores are integers.
const SCORES: [&str; 7] = ["inf", "-inf", "1e308", "-1e308", "0.1", "1.5", "5e-324"];

/// Whether elements of replies have an order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// They have.
    Kept,
    /// The same ones in another order are the same.
    Any,
}

/// A type of value. Words of commands stand for something if they begin with a percent sign: an
/// element, a number, one that is not large, a score, the number of an entry.
pub struct Family {
    /// See there.
    pub order: Order,
    /// Shows the elements, some of which are used in commands.
    pub elements: &'static str,
    /// What is answered of one twin as of the other.
    pub commands: &'static [&'static str],
    /// What need not be.
    pub loose: &'static [&'static str],
}

/// Makes a payload of a type and a value.
pub fn payload(body: &[u8]) -> Vec<u8> {
    let mut payload = body.to_vec();
    payload.extend_from_slice(&u16::from(VERSION_MAX).to_le_bytes());
    let checksum = crc64(0, &payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// Restores a value of a type twice, if it is one, and runs commands on both.
pub fn examine(family: &Family, body: &[u8], script: &mut Source<'_>) {
    thread_local! {
        static HOUSE: RefCell<House> = RefCell::new(House::new());
    }
    HOUSE.with_borrow_mut(|house| {
        house.examine(family, body, script);
        house.leave();
    });
}

/// A server, and two who speak to it, each with a database.
struct House {
    server: Server,
    twins: [ClientId; 2],
    /// Up to which size values are compact, as configured.
    limits: Encoding,
}

impl House {
    fn new() -> Self {
        let command_line = CommandLine::parse(DIRECTIVES.into_iter().map(OsString::from));
        let mut config = Config::new(false);
        config.load(&command_line, &mut io::empty()).expect("directives are right");
        let limits = config.encoding;
        let mut server = Server::new(config, Clock::fake(NOW_MS)).expect("there is a loop");
        tune::set_access_policy(&mut server);
        let twins = [server.clients.add(0), server.clients.add(0)];
        for id in twins {
            let client = server.clients.find(id).expect("added just now");
            client.frame.as_mut().expect("nothing runs").session.is_authenticated = true;
        }
        let mut house = Self { server, twins, limits };
        for (at, db) in [(0, b"0"), (1, b"1")] {
            house.run(at, &[b"HELLO", b"3"]);
            house.run(at, &[b"SELECT", db]);
        }
        house
    }

    fn examine(&mut self, family: &Family, body: &[u8], script: &mut Source<'_>) {
        let payload = payload(body);
        if !self.restore(0, &payload) {
            return;
        }
        // What the second one is made of is what the first one holds: of what it has come with, the
        // sign of a zero is lost where scores are integers.
        let Value::Bulk(dumped) = self.run(0, &[b"DUMP", KEY]) else { return };
        self.server.config.encoding = everything_is_large();
        assert!(self.restore(1, &dumped), "what was dumped can be restored");
        self.server.config.encoding = self.limits;
        // Both are asked: what is due in a hash goes when somebody comes by.
        let [elements, _] = [0, 1].map(|at| self.elements(family, at));
        self.compare(family, &[b"DEBUG".into(), b"DIGEST-VALUE".into(), KEY.into()]);
        for _ in 0..COMMANDS_MAX {
            if script.is_empty() {
                break;
            }
            let command = family.commands[script.below(family.commands.len())];
            self.compare(family, &fill_in(command, &elements, script));
        }
        self.compare(family, &[b"DEBUG".into(), b"DIGEST-VALUE".into(), KEY.into()]);
        for at in 0..self.twins.len() {
            self.save_and_load(at);
        }
        for command in family.loose {
            for at in 0..self.twins.len() {
                self.run_owned(at, &fill_in(command, &elements, script));
            }
        }
        for at in 0..self.twins.len() {
            self.save_and_load(at);
        }
    }

    fn restore(&mut self, at: usize, payload: &[u8]) -> bool {
        match self.run(at, &[b"RESTORE", KEY, b"0", payload, b"REPLACE"]) {
            Value::Simple(_) => true,
            Value::Error(text) if text.starts_with(b"ERR Bad data format") => false,
            other => panic!("RESTORE answers {other:?}"),
        }
    }

    fn elements(&mut self, family: &Family, at: usize) -> Vec<Vec<u8>> {
        let words: Vec<&[u8]> = family.elements.split(' ').map(str::as_bytes).collect();
        let reply = self.run(at, &words);
        // A string has none.
        let elements = reply.elements().unwrap_or_default().iter();
        elements
            .take(ELEMENTS_MAX)
            .filter_map(|element| Some(element.as_bytes()?.to_vec()))
            .collect()
    }

    /// Runs a command on either twin, and is not content with different answers.
    fn compare(&mut self, family: &Family, command: &[Vec<u8>]) {
        let [mut one, mut other] = [0, 1].map(|at| self.run_owned(at, command));
        if family.order == Order::Any {
            one = sorted(one);
            other = sorted(other);
        }
        // Not a number of RESP3 would not be itself.
        if format!("{one:?}") != format!("{other:?}") {
            let command: Vec<String> =
                command.iter().map(|word| word.escape_ascii().to_string()).collect();
            panic!("{command:?} answers {one:?} and {other:?}");
        }
    }

    /// What is dumped can be restored, and is the same.
    fn save_and_load(&mut self, at: usize) {
        let Value::Bulk(payload) = self.run(at, &[b"DUMP", KEY]) else { return };
        let digest = [&b"DEBUG"[..], b"DIGEST-VALUE", KEY];
        let before = self.run(at, &digest);
        assert!(self.restore(at, &payload), "what was dumped can be restored");
        assert_eq!(before, self.run(at, &digest));
    }

    fn run_owned(&mut self, at: usize, argv: &[Vec<u8>]) -> Value {
        let argv: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
        self.run(at, &argv)
    }

    /// Runs a command, and returns its one reply.
    fn run(&mut self, at: usize, argv: &[&[u8]]) -> Value {
        let mut request = format!("*{}\r\n", argv.len()).into_bytes();
        for word in argv {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        let id = self.twins[at];
        let Server { clients, arrivals, .. } = &mut self.server;
        let frame = clients.find(id).and_then(|client| client.frame.as_mut());
        let frame = frame.expect("nothing runs");
        frame.query.borrow_buffer(|| arrivals.lend_buffer());
        frame.query.feed(&request);
        process::process_input(&mut self.server, id);
        let client = self.server.clients.find(id).expect("nobody closes it");
        let output = client.frame.as_mut().expect("nothing runs").reply.output_mut();
        let mut decoder = Decoder::default();
        while !output.is_empty() {
            let bytes = output.front().len();
            decoder.feed(output.front());
            output.consume(bytes);
        }
        let reply = decoder.advance().expect("a reply is one").expect("it is whole");
        assert!(matches!(decoder.advance(), Ok(None)), "a command has one reply");
        reply
    }

    /// Ends the turn; the next one finds nothing of this.
    fn leave(&mut self) {
        self.run(0, &[b"FLUSHALL", b"SYNC"]);
        before_sleep::before_sleep(&mut self.server);
        before_sleep::free_finished(&mut self.server);
        before_sleep::after_sleep(&mut self.server);
    }
}

/// Nothing is small enough to be compact.
fn everything_is_large() -> Encoding {
    Encoding { list_max_listpack_size: 1, ..Encoding::default() }
}

fn fill_in(command: &str, elements: &[Vec<u8>], script: &mut Source<'_>) -> Vec<Vec<u8>> {
    let number = |script: &mut Source<'_>| match script.byte() {
        special if usize::from(special) < NUMBERS.len() => NUMBERS[usize::from(special)].into(),
        other => other.cast_signed().to_string(),
    };
    let word = |word: &str| match word {
        "%element" => match script.below(elements.len() + 1) {
            0 => {
                let piece = script.piece();
                piece[..piece.len().min(ELEMENT_BYTES_MAX)].to_vec()
            }
            at => elements[at - 1].clone(),
        },
        "%number" => number(script).into_bytes(),
        // Who asks for as many as there are numbers waits for them.
        "%few" => script.byte().cast_signed().to_string().into_bytes(),
        "%id" => format!("{}-{}", script.byte(), script.byte()).into_bytes(),
        "(%id" => format!("({}-{}", script.byte(), script.byte()).into_bytes(),
        "%score" => match script.byte() {
            special if usize::from(special) < SCORES.len() => SCORES[usize::from(special)].into(),
            other => other.cast_signed().to_string().into_bytes(),
        },
        word => word.as_bytes().to_vec(),
    };
    command.split(' ').map(word).collect()
}

/// Brings elements into an order, so that the same ones are equal.
fn sorted(value: Value) -> Value {
    let in_order = |mut values: Vec<Value>| {
        values.sort_by_cached_key(|value| format!("{value:?}"));
        Value::Array(values)
    };
    match value {
        Value::Array(values) | Value::Set(values) => in_order(values),
        Value::Map(pairs) => {
            let pair = |(field, value)| Value::Array(vec![field, value]);
            in_order(pairs.into_iter().map(pair).collect())
        }
        other => other,
    }
}
