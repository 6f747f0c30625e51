//! Command: HyperLogLogs: PFADD, PFCOUNT, PFMERGE, and PFDEBUG and PFSELFTEST to look inside.
//!
//! A HyperLogLog is a string that everybody can read and write, so each time it is looked at
//! whether it is one (`ds::hyperloglog`).

use base::random::Random;
use ds::{
    Corrupt, ThinBytes,
    hyperloglog::{self, Encoding, Registers},
};

use crate::{
    error::ReplyError,
    keyspace::{Event, Look, TextEntry},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

const NOT_ONE: ReplyError =
    ReplyError::text("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPTED: ReplyError = ReplyError::text("INVALIDOBJ Corrupted HLL object detected");
const NO_KEY: ReplyError = ReplyError::text("ERR The specified key does not exist");
const NOT_SPARSE: ReplyError = ReplyError::text("ERR HLL encoding is not sparse");
const PFADD: Event = Event::string("pfadd");

/// PFADD key [element …]
pub(super) fn pfadd(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let sparse_bytes_max = server.config.encoding.hll_sparse_max_bytes;
    let mut entry = server.keyspace.text_entry(db, key, Look::Write)?;
    let is_new = entry.text().is_none();
    let string = find_or_create(&mut entry)?;
    let mut updates = u64::from(is_new);
    let mut outcome = Ok(());
    for element in call.argv.from(2) {
        match hyperloglog::add(string, element, sparse_bytes_max) {
            Ok(is_changed) => updates += u64::from(is_changed),
            Err(Corrupt) => {
                outcome = Err(CORRUPTED);
                break;
            }
        }
    }
    if updates != 0 {
        // Redis calls the count of a new one out of date even if nothing was added.
        hyperloglog::invalidate(string.as_mut_slice());
        server.keyspace.written(db, key, PFADD);
        server.keyspace.dirty += updates - 1;
    }
    call.reply.count(usize::from(updates != 0));
    outcome
}

/// PFCOUNT key [key …]
pub(super) fn pfcount(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let count = if call.argv.count() == 2 {
        count_one(server, call)?
    } else {
        let mut union = Registers::new();
        for key in call.argv.from(1) {
            merge(server, call.db(), key, &mut union)?;
        }
        union.count()
    };
    call.reply.integer(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(())
}

/// Counts one, and keeps the count in the string: a change that others must repeat, although
/// the command is one that reads.
fn count_one(server: &mut Server, call: &mut Call<'_>) -> Result<u64, ReplyError> {
    let (db, key) = (call.db(), call.arg(1));
    let mut entry = server.keyspace.text_entry(db, key, Look::Read)?;
    let Some(string) = find(&mut entry)? else { return Ok(0) };
    if let Some(count) = hyperloglog::cached_count(string) {
        return Ok(count);
    }
    let count = hyperloglog::count(string).map_err(|Corrupt| CORRUPTED)?;
    hyperloglog::cache_count(string.as_mut_slice(), count);
    server.keyspace.changed(db, key);
    server.keyspace.dirty += 1;
    call.propagate_always();
    Ok(count)
}

/// PFMERGE destkey [sourcekey …]
pub(super) fn pfmerge(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, destination) = (call.db(), call.arg(1));
    let sparse_bytes_max = server.config.encoding.hll_sparse_max_bytes;
    let (mut union, mut is_any_dense) = (Registers::new(), false);
    for key in call.argv.from(1) {
        is_any_dense |= merge(server, db, key, &mut union)? == Some(Encoding::Dense);
    }
    let mut entry = server.keyspace.text_entry(db, destination, Look::Write)?;
    let string = find_or_create(&mut entry)?;
    if is_any_dense {
        hyperloglog::to_dense(string).map_err(|Corrupt| CORRUPTED)?;
    }
    union.raise(string, sparse_bytes_max).map_err(|Corrupt| CORRUPTED)?;
    server.keyspace.written(db, destination, PFADD);
    call.reply.ok();
    Ok(())
}

/// PFDEBUG GETREG|DECODE|ENCODING|TODENSE key
pub(super) fn pfdebug(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, word) = (call.db(), call.arg(2), call.arg(1));
    let mut entry = server.keyspace.text_entry(db, key, Look::Write)?;
    let string = find(&mut entry)?.ok_or(NO_KEY)?;
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let mut has_changed = false;
    match () {
        () if is("getreg") => {
            has_changed = hyperloglog::to_dense(string).map_err(|Corrupt| CORRUPTED)?;
            let registers = Registers::of(string).map_err(|Corrupt| CORRUPTED)?;
            call.reply.array(hyperloglog::REGISTERS);
            registers.as_slice().iter().for_each(|value| call.reply.integer((*value).into()));
        }
        () if is("decode") => {
            let runs = hyperloglog::decode(string).ok_or(NOT_SPARSE)?;
            call.reply.bulk(runs.as_bytes());
        }
        () if is("encoding") => call.reply.simple(check(string)?.name()),
        () if is("todense") => {
            has_changed = hyperloglog::to_dense(string).map_err(|Corrupt| CORRUPTED)?;
            call.reply.count(usize::from(has_changed));
        }
        () => return Err(ReplyError::quoting("ERR Unknown PFDEBUG subcommand '", word, "'")),
    }
    if has_changed {
        server.keyspace.changed(db, key);
        server.keyspace.dirty += 1;
    }
    Ok(())
}

/// PFSELFTEST
pub(super) fn pfselftest(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let sparse_bytes_max = server.config.encoding.hll_sparse_max_bytes;
    hyperloglog::self_test(&mut Random::from_system(), sparse_bytes_max)
        .map_err(|failure| ReplyError::Text(failure.to_string().into()))?;
    call.reply.ok();
    Ok(())
}

/// Says what a string is, if it is a HyperLogLog.
fn check(string: &[u8]) -> Result<Encoding, ReplyError> {
    hyperloglog::encoding(string).ok_or(NOT_ONE)
}

/// Returns the HyperLogLog of a key, to be changed.
fn find<'e>(entry: &'e mut TextEntry<'_>) -> Result<Option<&'e mut ThinBytes>, ReplyError> {
    let Some(text) = entry.text() else { return Ok(None) };
    check(text.bytes())?;
    Ok(entry.raw())
}

/// The same, of a key that is made if it is not there.
fn find_or_create<'e>(entry: &'e mut TextEntry<'_>) -> Result<&'e mut ThinBytes, ReplyError> {
    if entry.text().is_none() {
        entry.set_raw(hyperloglog::empty());
    }
    Ok(find(entry)?.expect("it was made if it was not there"))
}

/// Raises registers to those of a key, if there is one; says how it keeps them.
fn merge(
    server: &mut Server,
    db: usize,
    key: &[u8],
    union: &mut Registers,
) -> Result<Option<Encoding>, ReplyError> {
    let Some(text) = server.keyspace.read_text(db, key)? else { return Ok(None) };
    let encoding = check(text.bytes())?;
    union.merge(text.bytes()).map_err(|Corrupt| CORRUPTED)?;
    Ok(Some(encoding))
}
