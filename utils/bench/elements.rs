//! Tool: what lists, hashes, sets and sorted sets cost in memory: small ones, and an element
//! of a large one.

use crate::{
    Outcome,
    load::Request,
    plan::{Bench, Section, VALUE, fill, settled},
    report::{Compared, Row, Sample, Side, Table},
    server::Server,
    types::of_eight,
};

/// A row: which request fills the server, and how often.
struct Filling {
    name: &'static str,
    request: Request,
    count: u64,
    aim: f64,
}

impl Bench<'_> {
    /// Once each and in fresh servers, as with keys.
    pub(crate) fn elements(&self) -> Outcome<()> {
        let mut table = Table::new("bytes", "of them by used_memory");
        for filling in
            small(self.scale.collections).into_iter().chain(large(self.scale.stored_keys))
        {
            if !self.is_wanted(Section::Elements, filling.name) {
                continue;
            }
            let mut pair = self.start()?;
            let mut compared = Compared::default();
            for side in [Side::Ours, Side::Theirs] {
                compared.add(side, self.filled(pair.of(side), &filling)?);
            }
            table.add(Row { name: filling.name.to_owned(), compared, aim: Some(filling.aim) });
        }
        table.print();
        Ok(())
    }

    fn filled(&self, server: &mut Server, filling: &Filling) -> Outcome<Sample> {
        let before = (server.resident_bytes()?, server.used_bytes()?);
        fill(server.target(&self.identity, false), &filling.request, filling.count)?;
        let after = settled(server, self.scale.idle_max)?;
        let each = |after: f64, before: f64| (after - before) / filling.count as f64;
        Ok(Sample { cost: each(after.0, before.0), rate: each(after.1, before.1) })
    }
}

fn small(count: u64) -> Vec<Filling> {
    let filling = |name, command: &[u8], element: &[&[u8]]| {
        let request = Request::new(&of_eight(command, element), count).drawing(1000);
        Filling { name, request, count, aim: 1.0 }
    };
    let value = &VALUE[..16];
    vec![
        filling("a list of 8 elements of 16 bytes, resident", b"RPUSH", &[value]),
        filling("a set of 8 members of 14 bytes, resident", b"SADD", &[b"m:%"]),
        filling("a set of 8 integers, resident", b"SADD", &[b"1@"]),
        filling("a hash of 8 fields with 16 bytes each, resident", b"HSET", &[b"f:%", value]),
        filling("a sorted set of 8 members, resident", b"ZADD", &[b"%", b"m:%"]),
    ]
}

fn large(count: u64) -> Vec<Filling> {
    let filling = |name, words: &[&[u8]], aim| {
        let request = Request::new(words, count).drawing(count);
        Filling { name, request, count, aim }
    };
    let zadd: &[&[u8]] = &[b"ZADD", b"zset", b"%", b"member:#"];
    let hset: &[&[u8]] = &[b"HSET", b"hash", b"field:#", &VALUE[..32]];
    vec![
        filling("a member of a large sorted set, resident", zadd, 0.6),
        filling("a field of a large hash with 32 bytes, resident", hset, 0.65),
        filling("a member of a large set, resident", &[b"SADD", b"set", b"member:#"], 0.5),
    ]
}
