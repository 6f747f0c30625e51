//! Command: MEMORY: what keys cost, and what the server needs besides.

use base::number::parse_i64;
use resp::Reply;

use crate::{
    commands::help,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
        info::memory::{DbTables, Excess, MemoryReport},
    },
};

/// Elements of a value that are looked at.
const SAMPLES_DEFAULT: usize = 5;
/// Too little for ratios to mean anything.
const DIAGNOSED_BYTES_MIN: usize = 5 << 20;
/// A ratio that is bad alone may be that of next to nothing.
const EXCESS_BYTES_MIN: i64 = 10 << 20;
const REPLICA_BYTES_MAX: usize = 10 << 20;
const CLIENT_BYTES_MAX: usize = 200 << 10;

/// MEMORY USAGE key [SAMPLES count]
pub(super) fn usage(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let mut samples = SAMPLES_DEFAULT;
    let mut words = call.argv.from(3);
    while let Some(word) = words.next() {
        if !word.eq_ignore_ascii_case(b"samples") {
            return Err(ReplyError::Syntax);
        }
        let count = parse_i64(words.next().ok_or(ReplyError::Syntax)?);
        samples = usize::try_from(count.ok_or(ReplyError::NotInteger)?)
            .map_err(|_| ReplyError::Syntax)?;
    }
    match server.keyspace.memory_usage(call.db(), call.arg(2), samples) {
        Some(bytes) => call.reply.count(bytes),
        None => call.reply.null(),
    }
    Ok(())
}

/// MEMORY STATS
pub(super) fn stats(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    const FIELDS: usize = 27;
    let report = MemoryReport::new(server);
    let reply = &mut *call.reply;
    reply.map(FIELDS + report.dbs.len());
    count(reply, "peak.allocated", report.peak);
    count(reply, "total.allocated", report.used);
    count(reply, "startup.allocated", report.startup);
    count(reply, "replication.backlog", report.backlog);
    count(reply, "clients.slaves", report.replicas);
    count(reply, "clients.normal", report.clients);
    count(reply, "cluster.links", 0);
    count(reply, "aof.buffer", 0);
    count(reply, "lua.caches", 0);
    count(reply, "functions.caches", report.functions);
    report.dbs.iter().for_each(|db| tables(reply, db));
    count(reply, "overhead.total", report.overhead());
    count(reply, "keys.count", report.keys());
    count(reply, "keys.bytes-per-key", report.bytes_per_key());
    count(reply, "dataset.bytes", report.dataset());
    double(reply, "dataset.percentage", report.dataset_percent());
    double(reply, "peak.percentage", report.peak_percent());
    count(reply, "allocator.allocated", report.allocator.allocated);
    count(reply, "allocator.active", report.allocator.active);
    count(reply, "allocator.resident", report.allocator.resident);
    for (ratio, bytes, excess) in [
        (
            "allocator-fragmentation.ratio",
            "allocator-fragmentation.bytes",
            report.allocator_fragmentation(),
        ),
        ("allocator-rss.ratio", "allocator-rss.bytes", report.allocator_rss()),
        ("rss-overhead.ratio", "rss-overhead.bytes", report.rss_overhead()),
        ("fragmentation", "fragmentation.bytes", report.fragmentation()),
    ] {
        double(reply, ratio, excess.ratio);
        reply.bulk(bytes.as_bytes());
        reply.integer(excess.bytes);
    }
    Ok(())
}

fn count(reply: &mut Reply, name: &str, value: usize) {
    reply.bulk(name.as_bytes());
    reply.count(value);
}

fn double(reply: &mut Reply, name: &str, value: f64) {
    reply.bulk(name.as_bytes());
    reply.double(value);
}

fn tables(reply: &mut Reply, db: &DbTables) {
    reply.bulk(format!("db.{}", db.db).as_bytes());
    reply.map(3);
    count(reply, "overhead.hashtable.main", db.main);
    count(reply, "overhead.hashtable.expires", db.expires);
    // Slots are found by the order of the table itself: there is no second one.
    count(reply, "overhead.hashtable.slot-to-keys", 0);
}

/// MEMORY DOCTOR
pub(super) fn doctor(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let text = diagnose(&MemoryReport::new(server));
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn diagnose(report: &MemoryReport) -> String {
    if report.used < DIAGNOSED_BYTES_MIN {
        return "Hi Sam, this instance is empty or is using very little memory, and my instruments \
                see nothing in so little. Fill it with some data first, then ask me again.\n"
            .into();
    }
    let findings = findings(report);
    if findings.is_empty() {
        return "Hi Sam, I can't find any memory issue in your instance. I can only speak of what I \
                can measure from here.\n"
            .into();
    }
    let mut text =
        String::from("Sam, I detected a few issues in this Redis instance memory implants:\n\n");
    for finding in findings {
        text += &format!(" * {finding}\n\n");
    }
    text + "I'm here to keep you safe, Sam. I want to help you.\n"
}

/// Says, in a paragraph each, what is worth a look.
fn findings(report: &MemoryReport) -> Vec<&'static str> {
    let mut findings = Vec::new();
    let mut tell = |is_so: bool, finding: &'static str| {
        if is_so {
            findings.push(finding);
        }
    };
    let is_more =
        |excess: Excess, ratio: f64| ratio < excess.ratio && EXCESS_BYTES_MIN < excess.bytes;
    tell(
        1.5 < report.peak as f64 / report.used as f64,
        "Peak memory: at some time this instance has used more than 150% of what it uses at \
         present. An allocator can seldom give everything back after that, so the resident memory \
         looks large beside the data; it does no harm, since data that comes will use it. If you \
         want it back, try MEMORY PURGE, or else a restart.",
    );
    tell(
        is_more(report.fragmentation(), 1.4),
        "High total RSS: the process takes more than 1.4 times the memory that was asked for. If \
         there is an entry about peak memory above, that is why, and there is nothing to do. If \
         not, the way in which values come, grow and go leaves holes in the allocator's pages.",
    );
    tell(
        is_more(report.allocator_fragmentation(), 1.1),
        "High allocator fragmentation: the allocator's pages are more than 1.1 times as large as \
         what is in them. After a peak, or where sizes of values vary much, that is to be \
         expected; it becomes less as values are written anew.",
    );
    tell(
        is_more(report.allocator_rss(), 1.1),
        "High allocator RSS overhead: the allocator holds more than 1.1 times the memory of the \
         pages that it uses, most often after a peak. MEMORY PURGE gives it back.",
    );
    tell(
        is_more(report.rss_overhead(), 1.1),
        "High process RSS overhead: the process takes more than 1.1 times the memory that the \
         allocator holds. What is not the allocator's is the program's own, its libraries' or its \
         threads'.",
    );
    tell(
        0 < report.replica_count && REPLICA_BYTES_MAX < report.replicas / report.replica_count,
        "Big replica buffers: more than 10MB wait for each replica on average. A replica, or the \
         way to it, is slower than the writes come. INFO replication shows how far each is behind, \
         CLIENT LIST what waits for it.",
    );
    tell(
        CLIENT_BYTES_MAX < report.clients / report.client_count.max(1),
        "Big client buffers: clients take more than 200K each on average. Some may read their \
         replies or messages too slowly, or send or ask for very much at once. CLIENT LIST shows \
         which.",
    );
    findings
}

/// MEMORY PURGE
pub(super) fn purge(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if !base::memory::purge() {
        return Err(ReplyError::text("ERR Error purging dirty pages"));
    }
    call.reply.ok();
    Ok(())
}

/// MEMORY MALLOC-STATS
pub(super) fn malloc_stats(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.verbatim("txt", &base::memory::malloc_stats());
    Ok(())
}

/// MEMORY HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "DOCTOR",
            "    Return what may be wrong with the use of memory.",
            "MALLOC-STATS",
            "    Return what the allocator has to tell of itself.",
            "PURGE",
            "    Ask the allocator to give back the pages that it does not use.",
            "STATS",
            "    Return what memory is used for.",
            "USAGE <key> [SAMPLES <count>]",
            "    Return the bytes that <key> and its value take. Nested values are sampled up to",
            "    <count> times (default: 5, 0 means all).",
        ],
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use base::memory::Figures;

    use super::diagnose;
    use crate::server::info::memory::MemoryReport;

    const MIB: usize = 1 << 20;

    /// A server of 100 MiB of which nothing bad can be said.
    fn sound() -> MemoryReport {
        let allocator =
            Figures { allocated: 100 * MIB, active: 101 * MIB, resident: 102 * MIB, retained: 0 };
        MemoryReport {
            functions: 0,
            used: 100 * MIB,
            peak: 100 * MIB,
            startup: MIB,
            rss: 104 * MIB,
            allocator,
            backlog: MIB,
            replicas: 0,
            replica_count: 0,
            clients: MIB,
            client_count: 10,
            dbs: Vec::new(),
        }
    }

    #[test]
    fn each_trouble_has_a_finding_of_its_own() {
        assert!(diagnose(&MemoryReport { used: MIB, ..sound() }).contains("is empty"));
        assert!(diagnose(&sound()).contains("can't find any memory issue"));
        type Spoil = fn(&mut MemoryReport);
        let troubles: [(&str, Spoil); 7] = [
            ("Peak memory:", |report| report.peak = 151 * MIB),
            ("High total RSS:", |report| report.rss = 141 * MIB),
            ("High allocator fragmentation:", |report| report.allocator.active = 120 * MIB),
            ("High allocator RSS overhead:", |report| report.allocator.resident = 120 * MIB),
            ("High process RSS overhead:", |report| report.rss = 120 * MIB),
            ("Big replica buffers:", |report| {
                (report.replicas, report.replica_count) = (21 * MIB, 2);
            }),
            ("Big client buffers:", |report| report.clients = 3 * MIB),
        ];
        for (finding, spoil) in troubles {
            let mut report = sound();
            spoil(&mut report);
            let text = diagnose(&report);
            assert!(text.starts_with("Sam, I detected a few issues"), "{finding}: {text}");
            assert!(text.contains(finding), "{finding}: {text}");
        }
    }
}
