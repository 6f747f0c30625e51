//! Tool: what lists, hashes, sets and sorted sets cost a request: small ones in great number,
//! a single one, and large ones as a whole.
//!
//! Requests that make a key larger or smaller are counted rather than timed, and each round
//! begins with the same data: else the faster side would work on other data than the slower.

use crate::{
    Outcome,
    load::{Length, Load, Request},
    plan::{Bench, CLIENTS, Pair, Section, VALUE, fill},
    report::{Compared, Row, Sample, Side, Table},
};

/// Elements of a small key: of so many that there may be, about half are there.
const SMALL: u64 = 16;
/// Members of a large set, a large hash.
const LARGE: u64 = 100_000;
/// Members of a huge sorted set.
const HUGE: u64 = 1_000_000;
const PIPELINE: usize = 16;
/// What redis-benchmark pushes.
const SHORT: &[u8] = b"VXK";

type Words<'a> = &'a [&'a [u8]];

/// A row: what is there, and what is asked of it.
struct Work {
    name: String,
    /// Requests, and for how many keys each is made.
    filling: Vec<(Request, u64)>,
    request: Request,
    /// Clients, and requests that each sends at once.
    load: (usize, usize),
    /// It changes what is there.
    is_change: bool,
    aim: f64,
}

/// Several requests on data of one kind.
struct Family<'a> {
    /// What the rows say of the data.
    of: &'a str,
    filling: Vec<(Request, u64)>,
    requests: &'a [(&'a str, Words<'a>)],
    keys: u64,
    /// Numbers of members, and scores, are below.
    drawn: u64,
    is_change: bool,
}

impl Bench<'_> {
    /// Measures single requests.
    pub(crate) fn types(&self, pair: &mut Pair) -> Outcome<()> {
        let mut table = Table::new("CPU µs a request", "requests/s");
        let (keys, drained) = (self.scale.collections, self.scale.drained);
        let works = [lists(keys, drained), sets(keys, drained), hashes(keys), zsets(keys, drained)];
        for work in works.into_iter().flatten().chain([stream()]) {
            self.work(pair, (Section::Types, work), &mut table)?;
        }
        table.print();
        Ok(())
    }

    /// Measures what large values cost.
    pub(crate) fn large(&self, pair: &mut Pair) -> Outcome<()> {
        let mut table = Table::new("CPU µs a request", "requests/s");
        let shrink = HUGE / self.scale.stored_keys.min(HUGE);
        for work in ranges().into_iter().chain(huge(shrink)).chain(whole(shrink)) {
            self.work(pair, (Section::Large, work), &mut table)?;
        }
        table.print();
        Ok(())
    }

    fn work(
        &self,
        pair: &mut Pair,
        (section, work): (Section, Work),
        table: &mut Table,
    ) -> Outcome<()> {
        let Work { name, filling, request, load: (clients, pipeline), is_change, aim } = work;
        if !self.is_wanted(section, &name) {
            return Ok(());
        }
        let mut open = |side| {
            let target = pair.of(side).target(&self.identity, false);
            Load::open(target, clients, request.clone(), pipeline)
        };
        let (mut ours, mut theirs) = (open(Side::Ours)?, open(Side::Theirs)?);
        let renew = |pair: &mut Pair, side| {
            pair.of(side).flush()?;
            let target = pair.of(side).target(&self.identity, false);
            filling.iter().try_for_each(|(request, count)| fill(target, request, *count))
        };
        renew(pair, Side::Ours)?;
        renew(pair, Side::Theirs)?;
        let mut compared = Compared::default();
        for _ in 0..self.scale.rounds {
            for side in [Side::Ours, Side::Theirs] {
                let length = if is_change {
                    renew(pair, side)?;
                    Length::Requests(self.scale.drained)
                } else {
                    Length::Time(self.scale.round)
                };
                let load = if side == Side::Ours { &mut ours } else { &mut theirs };
                let before_us = pair.of(side).cpu_us()?;
                let done = load.run(length)?;
                let cpu_us = pair.of(side).cpu_us()? - before_us;
                let count = done.requests as f64;
                let rate = count / done.took.as_secs_f64();
                compared.add(side, Sample { cost: cpu_us / count, rate });
            }
        }
        table.add(Row { name, compared, aim: Some(aim) });
        pair.ours.flush()?;
        pair.theirs.flush()
    }
}

impl Family<'_> {
    fn works(&self) -> impl Iterator<Item = Work> {
        self.requests.iter().map(|(command, words)| Work {
            name: format!("{command}, {}, pipeline {PIPELINE}", self.of),
            filling: self.filling.clone(),
            request: Request::new(words, self.keys).drawing(self.drawn),
            load: (CLIENTS, PIPELINE),
            is_change: self.is_change,
            aim: 0.65,
        })
    }
}

fn lists(keys: u64, drained: u64) -> Vec<Work> {
    let short = &VALUE[..SHORT.len() + 7];
    let many = Family {
        of: "many lists",
        filling: vec![(Request::new(&of_eight(b"RPUSH", &[short]), keys), keys)],
        requests: &[
            ("LPUSH", &[b"LPUSH", b"key:#", short]),
            ("RPUSH", &[b"RPUSH", b"key:#", short]),
            ("LPOP", &[b"LPOP", b"key:#"]),
            ("RPOP", &[b"RPOP", b"key:#"]),
        ],
        keys,
        drawn: 1,
        is_change: true,
    };
    let one = Family {
        of: "one list",
        filling: vec![(Request::new(&[b"LPUSH", b"list", SHORT], 1), drained)],
        requests: &[
            ("LPUSH", &[b"LPUSH", b"list", SHORT]),
            ("RPUSH", &[b"RPUSH", b"list", SHORT]),
            ("LPOP", &[b"LPOP", b"list"]),
            ("RPOP", &[b"RPOP", b"list"]),
        ],
        keys: 1,
        drawn: 1,
        is_change: true,
    };
    many.works().chain(one.works()).collect()
}

fn sets(keys: u64, drained: u64) -> Vec<Work> {
    let member: &[u8] = b"m:%";
    let filling = vec![(Request::new(&of_eight(b"SADD", &[member]), keys).drawing(SMALL), keys)];
    let changes = Family {
        of: "many sets",
        filling,
        requests: &[
            ("SADD", &[b"SADD", b"key:#", member]),
            ("SREM", &[b"SREM", b"key:#", member]),
            ("SPOP", &[b"SPOP", b"key:#"]),
        ],
        keys,
        drawn: SMALL,
        is_change: true,
    };
    let reads = Family {
        filling: changes.filling.clone(),
        requests: &[("SISMEMBER", &[b"SISMEMBER", b"key:#", member])],
        is_change: false,
        ..changes
    };
    let filling = vec![(Request::new(&[b"SADD", b"set", b"m:#"], drained), drained)];
    let one_changes = Family {
        of: "one set",
        filling,
        requests: &[
            ("SADD", &[b"SADD", b"set", b"n:%"]),
            ("SREM", &[b"SREM", b"set", member]),
            ("SPOP", &[b"SPOP", b"set"]),
        ],
        keys: 1,
        drawn: drained,
        is_change: true,
    };
    let one_reads = Family {
        filling: one_changes.filling.clone(),
        requests: &[("SISMEMBER", &[b"SISMEMBER", b"set", member])],
        is_change: false,
        ..one_changes
    };
    [changes, reads, one_changes, one_reads].iter().flat_map(Family::works).collect()
}

fn hashes(keys: u64) -> Vec<Work> {
    let (field, value): (&[u8], _) = (b"f:%", &VALUE[..16]);
    let request = Request::new(&of_eight(b"HSET", &[field, value]), keys).drawing(SMALL);
    let changes = Family {
        of: "many hashes",
        filling: vec![(request, keys)],
        requests: &[
            ("HSET", &[b"HSET", b"key:#", field, value]),
            ("HDEL", &[b"HDEL", b"key:#", field]),
        ],
        keys,
        drawn: SMALL,
        is_change: true,
    };
    let reads = Family {
        filling: changes.filling.clone(),
        requests: &[("HGET", &[b"HGET", b"key:#", field])],
        is_change: false,
        ..changes
    };
    let request = Request::new(&[b"HSET", b"hash", b"f:#", value], keys);
    let one_changes = Family {
        of: "one hash",
        filling: vec![(request, keys)],
        requests: &[
            ("HSET", &[b"HSET", b"hash", field, value]),
            ("HDEL", &[b"HDEL", b"hash", field]),
        ],
        keys: 1,
        // Half of the fields are new.
        drawn: 2 * keys,
        is_change: true,
    };
    let one_reads = Family {
        filling: one_changes.filling.clone(),
        requests: &[("HGET", &[b"HGET", b"hash", field])],
        is_change: false,
        drawn: keys,
        ..one_changes
    };
    [changes, reads, one_changes, one_reads].iter().flat_map(Family::works).collect()
}

fn zsets(keys: u64, drained: u64) -> Vec<Work> {
    let (score, member): (&[u8], &[u8]) = (b"%", b"m:%");
    let request = Request::new(&of_eight(b"ZADD", &[score, member]), keys).drawing(SMALL);
    let changes = Family {
        of: "many sorted sets",
        filling: vec![(request, keys)],
        requests: &[
            ("ZADD", &[b"ZADD", b"key:#", score, member]),
            ("ZREM", &[b"ZREM", b"key:#", member]),
            ("ZPOPMIN", &[b"ZPOPMIN", b"key:#"]),
        ],
        keys,
        drawn: SMALL,
        is_change: true,
    };
    let reads = Family {
        filling: changes.filling.clone(),
        requests: &[
            ("ZSCORE", &[b"ZSCORE", b"key:#", member]),
            ("ZRANGEBYSCORE", &[b"ZRANGEBYSCORE", b"key:#", b"4", b"12"]),
        ],
        is_change: false,
        ..changes
    };
    let request = Request::new(&[b"ZADD", b"zset", score, b"m:#"], drained).drawing(drained);
    let one_changes = Family {
        of: "one sorted set",
        filling: vec![(request, drained)],
        requests: &[
            ("ZADD", &[b"ZADD", b"zset", score, member]),
            ("ZREM", &[b"ZREM", b"zset", member]),
            ("ZPOPMIN", &[b"ZPOPMIN", b"zset"]),
        ],
        keys: 1,
        drawn: drained,
        is_change: true,
    };
    let ten: [&[u8]; 7] = [b"ZRANGEBYSCORE", b"zset", score, b"+inf", b"LIMIT", b"0", b"10"];
    let one_reads = Family {
        filling: one_changes.filling.clone(),
        requests: &[("ZSCORE", &[b"ZSCORE", b"zset", member]), ("ZRANGEBYSCORE", &ten)],
        is_change: false,
        ..one_changes
    };
    [changes, reads, one_changes, one_reads].iter().flat_map(Family::works).collect()
}

fn stream() -> Work {
    Work {
        name: format!("XADD, one stream, pipeline {PIPELINE}"),
        filling: Vec::new(),
        request: Request::new(&[b"XADD", b"stream", b"*", b"field", SHORT], 1),
        load: (CLIENTS, PIPELINE),
        is_change: true,
        aim: 0.65,
    }
}

/// As redis-benchmark does it.
fn ranges() -> Vec<Work> {
    let range = |last: &str| Work {
        name: format!("LRANGE 0 {last}"),
        filling: vec![(Request::new(&[b"LPUSH", b"list", SHORT], 1), LARGE)],
        request: Request::new(&[b"LRANGE", b"list", b"0", last.as_bytes()], 1),
        load: (CLIENTS, 1),
        is_change: false,
        aim: 0.8,
    };
    vec![range("99"), range("599")]
}

fn huge(shrink: u64) -> Vec<Work> {
    let members = HUGE / shrink;
    let request = Request::new(&[b"ZADD", b"zset", b"%", b"m:#"], members).drawing(members);
    let requests: [(&str, Words<'_>); 3] = [
        ("ZADD", &[b"ZADD", b"zset", b"%", b"m:%"]),
        ("ZRANK", &[b"ZRANK", b"zset", b"m:%"]),
        ("ZRANGE of 10", &[b"ZRANGE", b"zset", b"@0", b"@9"]),
    ];
    let works = requests.into_iter().map(|(command, words)| Work {
        name: format!("{command}, 1,000,000 members"),
        filling: vec![(request.clone(), members)],
        request: Request::new(words, 1).drawing(members),
        load: (CLIENTS, PIPELINE),
        is_change: false,
        aim: 0.8,
    });
    works.collect()
}

fn whole(shrink: u64) -> Vec<Work> {
    let count = LARGE / shrink;
    let member = |set: &'static [u8], member| Request::new(&[b"SADD", set, member], count);
    let sets =
        vec![(member(b"a", b"m:#"), count), (member(b"b", b"m:%").drawing(2 * count), count)];
    let hash = Request::new(&[b"HSET", b"hash", b"f:#", &VALUE[..16]], count);
    let requests: [(&str, Words<'_>, _); 3] = [
        ("HGETALL of 100,000 fields", &[b"HGETALL", b"hash"], vec![(hash, count)]),
        ("SINTER of 2 sets of 100,000", &[b"SINTER", b"a", b"b"], sets.clone()),
        ("SUNIONSTORE of 2 sets of 100,000", &[b"SUNIONSTORE", b"c", b"a", b"b"], sets),
    ];
    let works = requests.into_iter().map(|(name, words, filling)| Work {
        name: name.to_owned(),
        filling,
        request: Request::new(words, 1),
        load: (1, 1),
        is_change: false,
        aim: 0.8,
    });
    works.collect()
}

/// A command that puts eight elements into a key.
pub(crate) fn of_eight<'a>(command: &'a [u8], element: Words<'a>) -> Vec<&'a [u8]> {
    [&[command, b"key:#"], element.repeat(8).as_slice()].concat()
}
