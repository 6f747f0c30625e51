//! Tool: what is measured, in which order, and what each ratio is to be.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use openssl::ssl::SslSession;

use crate::{
    Outcome,
    dial::{Channel, Target},
    load::{Length, Load, Request},
    report::{Compared, Row, Sample, Side, Table},
    server::{Identity, Server},
};

pub(crate) const CLIENTS: usize = 50;
const KEYS: u64 = 100_000;
pub(crate) const VALUE: [u8; 64] = [b'v'; 64];
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Megabytes are those of the issue of a disk: what moves is counted in millions.
const MEGABYTE: f64 = 1e6;
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
/// Requests that a server is filled by at once.
const FILL_BATCH: u64 = 1000;
/// A reading of memory stands when it has not fallen for so long: jemalloc keeps what was
/// freed for ten seconds before the system has it again.
const SETTLED: Duration = Duration::from_secs(13);

/// How much of everything.
#[derive(Debug)]
pub(crate) struct Scale {
    pub(crate) rounds: u32,
    pub(crate) round: Duration,
    warm_up: Duration,
    connections: usize,
    idle: usize,
    pub(crate) idle_max: Duration,
    pub(crate) stored_keys: u64,
    /// Small lists, hashes …
    pub(crate) collections: u64,
    /// Requests in a round that are counted rather than timed.
    pub(crate) drained: u64,
}

/// Rows that are measured together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Section {
    /// Strings, plain and TLS, alone and in a pipeline.
    Strings,
    /// Transactions, PUBLISH, commands of many keys.
    Units,
    /// Big values over TLS.
    Big,
    /// Connecting, with handshakes.
    Connections,
    /// Memory of idle connections.
    Idle,
    /// A million keys: memory, SCAN, SAVE, load.
    Keys,
    /// Lists, hashes, sets, sorted sets, streams: single requests.
    Types,
    /// The same: large ones.
    Large,
    /// The same: memory.
    Elements,
}

/// Which rows are measured.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    /// Sections; all if there is none.
    pub(crate) sections: &'a [Section],
    /// Parts of names; all if there is none.
    pub(crate) names: &'a [String],
}

impl Choice<'_> {
    fn has_section(&self, section: Section) -> bool {
        self.sections.is_empty() || self.sections.contains(&section)
    }

    fn has(&self, section: Section, name: &str) -> bool {
        let is_named = self.names.is_empty() || self.names.iter().any(|part| name.contains(part));
        is_named && self.has_section(section)
    }
}

impl Scale {
    pub(crate) fn full(rounds: u32, round: Duration) -> Self {
        Self {
            rounds,
            round,
            warm_up: round / 4,
            connections: 200,
            idle: 1000,
            idle_max: Duration::from_secs(40),
            stored_keys: 1_000_000,
            collections: 100_000,
            drained: 400_000,
        }
    }

    pub(crate) fn quick() -> Self {
        Self {
            rounds: 1,
            round: Duration::from_millis(20),
            warm_up: Duration::from_millis(5),
            connections: 5,
            idle: 20,
            idle_max: Duration::ZERO,
            stored_keys: 10_000,
            collections: 1000,
            drained: 4000,
        }
    }
}

/// Both servers of a comparison.
pub(crate) struct Pair {
    pub(crate) ours: Server,
    pub(crate) theirs: Server,
}

impl Pair {
    pub(crate) fn of(&mut self, side: Side) -> &mut Server {
        match side {
            Side::Ours => &mut self.ours,
            Side::Theirs => &mut self.theirs,
        }
    }
}

pub(crate) struct Bench<'a> {
    programs: [&'a Path; 2],
    pub(crate) scale: &'a Scale,
    choice: &'a Choice<'a>,
    pub(crate) identity: Identity,
}

/// Measures what is chosen, and prints the tables as they come.
pub(crate) fn run(ours: &Path, theirs: &Path, scale: &Scale, choice: &Choice<'_>) -> Outcome<()> {
    let bench = Bench { programs: [ours, theirs], scale, choice, identity: Identity::new()? };
    let mut pair = bench.start()?;
    println!(
        "ours: {} (answers as {}); reference: {} {}; {} rounds of {} ms.",
        ours.display(),
        pair.ours.version()?,
        theirs.display(),
        pair.theirs.version()?,
        scale.rounds,
        scale.round.as_millis(),
    );
    bench.strings(&mut pair)?;
    bench.big_values(&mut pair)?;
    bench.connections(&mut pair)?;
    bench.types(&mut pair)?;
    bench.large(&mut pair)?;
    drop(pair);
    bench.memory()?;
    bench.million_keys()?;
    bench.elements()
}

impl Bench<'_> {
    pub(crate) fn start(&self) -> Outcome<Pair> {
        let [ours, theirs] = self.programs;
        let ours = Server::start(ours, &self.identity)?;
        Ok(Pair { ours, theirs: Server::start(theirs, &self.identity)? })
    }

    pub(crate) fn is_wanted(&self, section: Section, name: &str) -> bool {
        self.choice.has(section, name)
    }

    /// Shows each side to `measure` in turn, as often as there are rounds.
    pub(crate) fn rounds(
        &self,
        pair: &mut Pair,
        mut measure: impl FnMut(&mut Server, Side) -> Outcome<Sample>,
    ) -> Outcome<Compared> {
        let mut compared = Compared::default();
        for _ in 0..self.scale.rounds {
            for side in [Side::Ours, Side::Theirs] {
                compared.add(side, measure(pair.of(side), side)?);
            }
        }
        Ok(compared)
    }

    /// Puts load on both sides; what a request counts for is `weight`.
    fn under_load(
        &self,
        pair: &mut Pair,
        is_tls: bool,
        (clients, pipeline): (usize, usize),
        (request, weight): (&Request, f64),
        listeners: usize,
    ) -> Outcome<Compared> {
        let mut open = |side| {
            let target = pair.of(side).target(&self.identity, is_tls);
            let mut load = Load::open(target, clients, request.clone(), pipeline)?;
            load.listen(target, listeners, "news")?;
            load.run(Length::Time(self.scale.warm_up))?;
            Outcome::Ok(load)
        };
        let (mut ours, mut theirs) = (open(Side::Ours)?, open(Side::Theirs)?);
        self.rounds(pair, |server, side| {
            let load = if side == Side::Ours { &mut ours } else { &mut theirs };
            let before_us = server.cpu_us()?;
            let done = load.run(Length::Time(self.scale.round))?;
            let cpu_us = server.cpu_us()? - before_us;
            let units = done.requests as f64 * weight;
            Ok(Sample { cost: cpu_us / units, rate: units / done.took.as_secs_f64() })
        })
    }

    fn strings(&self, pair: &mut Pair) -> Outcome<()> {
        let mut table = Table::new("CPU µs a request", "requests/s");
        let words = [b"MSET", &b"key:#"[..], &VALUE].into_iter();
        let mset: Vec<_> = words.chain([&b"key:#"[..], &VALUE].repeat(9)).collect();
        let set = Request::new(&[b"SET", b"key:#", &VALUE], KEYS);
        let requests = [
            ("GET", Request::new(&[b"GET", b"key:#"], KEYS)),
            ("SET", set.clone()),
            ("INCR", Request::new(&[b"INCR", b"number:#"], KEYS)),
            ("MSET of 10", Request::new(&mset, KEYS)),
        ];
        let kinds = [
            (false, 1, 0.85), //
            (false, 16, 0.6),
            (true, 1, 0.75),
            (true, 16, 0.6),
        ];
        if [Section::Strings, Section::Units].iter().any(|it| self.choice.has_section(*it)) {
            for side in [Side::Ours, Side::Theirs] {
                fill(pair.of(side).target(&self.identity, false), &set, KEYS)?;
            }
        }
        for (is_tls, pipeline, aim) in kinds {
            for (command, request) in &requests {
                let transport = if is_tls { "TLS" } else { "plain" };
                let name = format!("{command}, {transport}, pipeline {pipeline}");
                if !self.is_wanted(Section::Strings, &name) {
                    continue;
                }
                let clients = (CLIENTS, pipeline);
                let compared = self.under_load(pair, is_tls, clients, (request, 1.0), 0)?;
                table.add(Row { name, compared, aim: Some(aim) });
            }
        }
        table.print();
        self.small_units(pair)?;
        pair.ours.flush()?;
        pair.theirs.flush()
    }

    /// Commands that do more than look up a key.
    fn small_units(&self, pair: &mut Pair) -> Outcome<()> {
        let mut table = Table::new("CPU µs a unit", "units/s");
        let set: &[&[u8]] = &[b"SET", b"key:#", &VALUE];
        let get: &[&[u8]] = &[b"GET", b"key:#"];
        let transaction: [&[&[u8]]; 6] = [&[b"MULTI"], set, get, set, get, &[b"EXEC"]];
        let keys: Vec<&[u8]> =
            [b"MGET".as_slice()].into_iter().chain([&b"key:#"[..]; 100]).collect();
        let publish = Request::new(&[b"PUBLISH", b"news", &VALUE], 1);
        let units = [
            ("MULTI, 4 commands, EXEC", Request::sequence(&transaction, KEYS), 0),
            ("EXPIRE, pipeline 16", Request::new(&[b"EXPIRE", b"key:#", b"100000"], KEYS), 0),
            ("MGET of 100", Request::new(&keys, KEYS), 0),
            ("PUBLISH to 1", publish.clone(), 1),
            ("PUBLISH to 50", publish, 50),
        ];
        for (name, request, listeners) in &units {
            if self.is_wanted(Section::Units, name) {
                let pipeline = if name.ends_with("16") { 16 } else { 1 };
                // One that publishes to many is alone: else those who hear lag behind.
                let clients = if 1 < *listeners { 1 } else { CLIENTS };
                let unit = (request, 1.0);
                let heard = *listeners;
                let compared = self.under_load(pair, false, (clients, pipeline), unit, heard)?;
                table.add(Row { name: (*name).to_owned(), compared, aim: Some(0.8) });
            }
        }
        table.print();
        Ok(())
    }

    fn big_values(&self, pair: &mut Pair) -> Outcome<()> {
        let mut table = Table::new("CPU ms a MB", "MB/s");
        for (size_name, bytes, clients) in [("16 KiB", 16 * KIB, 8), ("1 MiB", MIB, 2)] {
            let value = vec![b'v'; bytes];
            let set = Request::new(&[b"SET", b"big:#", &value], 8);
            let get = Request::new(&[b"GET", b"big:#"], 8);
            for side in [Side::Ours, Side::Theirs] {
                fill(pair.of(side).target(&self.identity, false), &set, 8)?;
            }
            for (command, request) in [("GET", &get), ("SET", &set)] {
                let name = format!("{command} of {size_name}, TLS");
                if !self.is_wanted(Section::Big, &name) {
                    continue;
                }
                let weight = bytes as f64 / MEGABYTE;
                let compared = self.under_load(pair, true, (clients, 1), (request, weight), 0)?;
                table.add(Row { name, compared: compared.scaled(1e-3), aim: Some(0.6) });
            }
        }
        table.print();
        Ok(())
    }

    fn connections(&self, pair: &mut Pair) -> Outcome<()> {
        let mut table = Table::new("CPU µs a connection", "connections/s");
        let kinds = [
            ("connect and PING, plain", Kind::Plain, None),
            ("connect and PING, full TLS handshake", Kind::Full, Some(1.0)),
            ("connect and PING, resumed TLS session", Kind::Resumed, Some(0.7)),
        ];
        for (name, kind, aim) in kinds {
            if !self.is_wanted(Section::Connections, name) {
                continue;
            }
            let compared = self.rounds(pair, |server, _| {
                let target = server.target(&self.identity, kind != Kind::Plain);
                let mut session =
                    if kind == Kind::Resumed { dial_once(&target, None)? } else { None };
                let count = self.scale.connections;
                let (before_us, started) = (server.cpu_us()?, Instant::now());
                for _ in 0..count {
                    let next = dial_once(&target, session.as_ref())?;
                    if kind == Kind::Resumed {
                        session = next;
                    }
                }
                let took = started.elapsed();
                let cpu_us = server.cpu_us()? - before_us;
                let count = count as f64;
                Ok(Sample { cost: cpu_us / count, rate: count / took.as_secs_f64() })
            })?;
            table.add(Row { name: name.to_owned(), compared, aim });
        }
        table.print();
        Ok(())
    }

    /// Once each and in fresh servers: memory does not vary as time does, but what came
    /// before leaves holes that would hide it.
    fn memory(&self) -> Outcome<()> {
        let mut table = Table::new("bytes", "of them by used_memory");
        let name = "an idle TLS connection, resident";
        if self.is_wanted(Section::Idle, name) {
            let mut pair = self.start()?;
            let mut compared = Compared::default();
            for side in [Side::Ours, Side::Theirs] {
                compared.add(side, self.idle_bytes(pair.of(side))?);
            }
            table.add(Row { name: name.to_owned(), compared, aim: Some(10_240.0 / 26_800.0) });
        }
        table.print();
        Ok(())
    }

    fn idle_bytes(&self, server: &mut Server) -> Outcome<Sample> {
        let target = server.target(&self.identity, true);
        // What is loaded at the first handshake is no connection's.
        (0..20).try_for_each(|_| dial_once(&target, None).map(drop))?;
        thread::sleep(self.scale.idle_max.min(Duration::from_secs(1)));
        let before = (server.resident_bytes()?, server.used_bytes()?);
        let mut idle: Vec<Channel> = Vec::new();
        for _ in 0..self.scale.idle {
            let mut channel = target.dial(None)?;
            channel.ask(PING)?;
            idle.push(channel);
        }
        let after = settled(server, self.scale.idle_max)?;
        let each = |after: f64, before: f64| (after - before) / self.scale.idle as f64;
        Ok(Sample { cost: each(after.0, before.0), rate: each(after.1, before.1) })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Full,
    Resumed,
}

/// Connects, has a PING answered, says goodbye; returns what can be resumed.
fn dial_once(target: &Target<'_>, session: Option<&SslSession>) -> Outcome<Option<SslSession>> {
    let mut channel = target.dial(session)?;
    if session.is_some() && !channel.is_resumed() {
        return Err("the server did not resume a session".into());
    }
    channel.ask(PING)?;
    // Tickets come behind the handshake, so only now.
    let session = channel.session();
    channel.close();
    Ok(session)
}

/// Runs a request once for each key.
pub(crate) fn fill(target: Target<'_>, request: &Request, keys: u64) -> Outcome<()> {
    let mut channel = target.dial(None)?;
    for first in (0..keys).step_by(usize::try_from(FILL_BATCH)?) {
        let batch = first..keys.min(first + FILL_BATCH);
        let (count, mut out) = (usize::try_from(batch.end - batch.start)?, Vec::new());
        batch.for_each(|number| request.append_nth(&mut out, number));
        channel.send_all(&out)?;
        channel.await_replies(count)?;
    }
    Ok(())
}

/// Reads the memory until it falls no more: crons give back what is idle.
pub(crate) fn settled(server: &mut Server, max: Duration) -> Outcome<(f64, f64)> {
    let started = Instant::now();
    let mut lowest = (server.resident_bytes()?, server.used_bytes()?);
    let mut fell_at = started;
    while started.elapsed() < max && fell_at.elapsed() < SETTLED {
        thread::sleep(Duration::from_millis(250));
        let now = (server.resident_bytes()?, server.used_bytes()?);
        if now.0 < lowest.0 {
            fell_at = Instant::now();
        }
        lowest = (lowest.0.min(now.0), lowest.1.min(now.1));
    }
    Ok(lowest)
}
