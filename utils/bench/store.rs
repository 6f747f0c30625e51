//! Tool: what a million keys cost: memory, a walk over them all, and the way to disk and back.

use std::time::Instant;

use crate::{
    Outcome,
    dial::Target,
    load::Request,
    plan::{Bench, Section, VALUE, fill, settled},
    report::{Compared, Row, Sample, Side, Table},
    server::Server,
};

/// What is asked for at once.
const SCAN_COUNT: u64 = 100;

impl Bench<'_> {
    /// Memory does not vary as time does, so it is measured once, and in fresh servers: what
    /// came before leaves holes that would hide it.
    pub(crate) fn million_keys(&self) -> Outcome<()> {
        let mut table = Table::new("bytes", "of them by used_memory");
        let set = |value| vec![&b"SET"[..], b"key:#", value];
        let with_ttl = [set(&VALUE[..32]), vec![&b"EX"[..], b"100000"]].concat();
        let kinds = [
            ("a key of 16 bytes with a value of 64, resident", set(&VALUE), None),
            ("the same with 32 and a time to live, resident", with_ttl, Some(0.65)),
            ("a key of 16 bytes with a value of 32, resident", set(&VALUE[..32]), Some(0.65)),
        ];
        for (name, words, aim) in kinds {
            if !self.is_wanted(Section::Keys, name) {
                continue;
            }
            let mut pair = self.start()?;
            let mut compared = Compared::default();
            for side in [Side::Ours, Side::Theirs] {
                compared.add(side, self.key_bytes(pair.of(side), &words)?);
            }
            table.add(Row { name: name.to_owned(), compared, aim });
        }
        table.print();
        self.walks()
    }

    fn key_bytes(&self, server: &mut Server, words: &[&[u8]]) -> Outcome<Sample> {
        let before = (server.resident_bytes()?, server.used_bytes()?);
        let set = Request::new(words, self.scale.stored_keys);
        fill(server.target(&self.identity, false), &set, self.scale.stored_keys)?;
        let after = settled(server, self.scale.idle_max)?;
        let each = |after: f64, before: f64| (after - before) / self.scale.stored_keys as f64;
        Ok(Sample { cost: each(after.0, before.0), rate: each(after.1, before.1) })
    }

    fn walks(&self) -> Outcome<()> {
        let names = ["SCAN over all keys", "SAVE of all keys", "load of all keys at start"];
        if !names.iter().any(|name| self.is_wanted(Section::Keys, name)) {
            return Ok(());
        }
        let mut table = Table::new("CPU ns a key", "keys/s");
        let mut pair = self.start()?;
        let set = Request::new(&[b"SET", b"key:#", &VALUE[..32]], self.scale.stored_keys);
        for side in [Side::Ours, Side::Theirs] {
            fill(pair.of(side).target(&self.identity, false), &set, self.scale.stored_keys)?;
        }
        let walks: [Walk; 3] = [
            |bench, server| scan(server.target(&bench.identity, false)),
            |_, server| server.order("SAVE"),
            |_, server| server.restart(),
        ];
        for ((name, walk), aim) in names.into_iter().zip(walks).zip([0.8, 0.5, 0.5]) {
            // Nothing can be loaded that was not saved.
            if !self.is_wanted(Section::Keys, name) && !name.starts_with("SAVE") {
                continue;
            }
            let is_restart = name.starts_with("load");
            let compared = self.rounds(&mut pair, |server, _| {
                let before_us = if is_restart { 0.0 } else { server.cpu_us()? };
                let started = Instant::now();
                walk(self, server)?;
                let took = started.elapsed();
                let cpu_us = server.cpu_us()? - before_us;
                let keys = server.key_count()? as f64;
                Ok(Sample { cost: cpu_us * 1000.0 / keys, rate: keys / took.as_secs_f64() })
            })?;
            table.add(Row { name: name.to_owned(), compared, aim: Some(aim) });
        }
        table.print();
        Ok(())
    }
}

type Walk = fn(&Bench<'_>, &mut Server) -> Outcome<()>;

/// Asks for all keys, as many at a time as tools do.
fn scan(target: Target<'_>) -> Outcome<()> {
    let mut channel = target.dial(None)?;
    let mut cursor = 0;
    loop {
        channel.send_all(format!("SCAN {cursor} COUNT {SCAN_COUNT}\r\n").as_bytes())?;
        cursor = channel.await_cursor()?;
        if cursor == 0 {
            return Ok(());
        }
    }
}
