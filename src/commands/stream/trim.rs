//! Command: XTRIM, and how it and XADD are told what is to go.

use base::number::parse_i64;

use crate::{
    commands::stream::{INVALID_ID, parse_id},
    config::Encoding,
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Stream,
        stream::{Log, StreamId, Trim, parse_part},
    },
};

/// If nobody says how many entries may go, it is those of so many full nodes,
const DEFAULT_LIMIT_NODES: u64 = 100;
/// or so many if nodes have no limit,
const DEFAULT_LIMIT: u64 = 10_000;
/// and never more than this.
const DEFAULT_LIMIT_MAX: u64 = 1_000_000;

/// Who is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Add,
    Trim,
}

/// What number an entry gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NewId {
    /// That of now.
    Now,
    /// The next one of a millisecond.
    NextOf(u64),
    /// This one.
    Exactly(StreamId),
}

/// What is to go.
#[derive(Clone, Copy)]
pub(super) struct TrimArgs {
    trim: Trim,
    is_about: bool,
    limit: u64,
    /// Where the length or number stands that is to be left.
    at: usize,
}

impl TrimArgs {
    /// Trims, and counts what has gone.
    pub(super) fn apply(&self, log: &mut Log) -> u64 {
        log.trim(self.trim, self.is_about, self.limit)
    }

    /// Returns what others must be told instead, if they could do something else about it: what
    /// is left, and where that stands among the arguments.
    pub(super) fn outcome(&self, log: &Log) -> Option<(usize, Vec<u8>)> {
        let left = match self.trim {
            _ if !self.is_about => return None,
            Trim::MaxLen(_) => log.len().to_string().into_bytes(),
            // Entries that are marked as deleted count: they go with others of their node.
            Trim::MinId(_) => {
                log.nodes().first().map_or(StreamId::MAX, |(id, _)| id).text().to_vec()
            }
        };
        Some((self.at, left))
    }
}

/// What stands before the entry.
pub(super) struct Options {
    pub(super) trim: Option<TrimArgs>,
    pub(super) makes_stream: bool,
    pub(super) id: NewId,
    /// Where the number stands, or the arguments end.
    pub(super) end: usize,
}

impl Options {
    pub(super) fn parse(call: &Call<'_>, form: Form, limits: Encoding) -> Result<Self, ReplyError> {
        let (mut trim, mut makes_stream, mut id) = (None, true, NewId::Now);
        let (mut limit, mut at) = (None, 2);
        while let Some(word) = call.argv.get(at) {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let has_more = at + 1 < call.argv.count();
            match () {
                () if form == Form::Add && word == b"*" => break,
                () if has_more && (is("maxlen") || is("minid")) => {
                    if trim.is_some() {
                        return Err(ReplyError::text(
                            "ERR syntax error, MAXLEN and MINID options at the same time are not \
                             compatible",
                        ));
                    }
                    let is_about = has_operator(call, at + 1, b"~");
                    at += usize::from(is_about || has_operator(call, at + 1, b"=")) + 1;
                    let kept = if is("maxlen") {
                        Trim::MaxLen(not_negative(call.arg(at), "MAXLEN")?)
                    } else {
                        Trim::MinId(parse_id(call.arg(at))?)
                    };
                    trim = Some(TrimArgs { trim: kept, is_about, limit: 0, at });
                }
                () if has_more && is("limit") => {
                    at += 1;
                    limit = Some(not_negative(call.arg(at), "LIMIT")?);
                }
                () if form == Form::Add && is("nomkstream") => makes_stream = false,
                () if form == Form::Add => {
                    id = NewId::parse(word)?;
                    break;
                }
                () => return Err(ReplyError::Syntax),
            }
            at += 1;
        }
        if trim.is_none() && limit.unwrap_or(0) != 0 {
            return Err(ReplyError::text(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ));
        }
        if trim.is_none() && form == Form::Trim {
            return Err(ReplyError::text(
                "ERR syntax error, XTRIM must be called with a trimming strategy",
            ));
        }
        if limit.is_some() && !trim.is_some_and(|trim: TrimArgs| trim.is_about) {
            return Err(ReplyError::text(
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ));
        }
        if let Some(trim) = trim.as_mut().filter(|trim| trim.is_about) {
            trim.limit = limit.unwrap_or(default_limit(limits));
        }
        Ok(Self { trim, makes_stream, id, end: at })
    }
}

impl NewId {
    fn parse(text: &[u8]) -> Result<Self, ReplyError> {
        match StreamId::split(text) {
            Some((ms, Some(b"*"))) => parse_part(ms).map(Self::NextOf).ok_or(INVALID_ID),
            _ => parse_id(text).map(Self::Exactly),
        }
    }

    /// Returns the number, if it can stand behind the last one.
    pub(super) fn after(self, last: StreamId, now_ms: i64) -> Option<StreamId> {
        let id = match self {
            Self::Now => return last.after(u64::try_from(now_ms).unwrap_or(0)),
            Self::NextOf(ms) if ms == last.ms => StreamId::new(ms, last.seq.checked_add(1)?),
            Self::NextOf(ms) => StreamId::new(ms, 0),
            Self::Exactly(id) => id,
        };
        (last < id).then_some(id)
    }
}

/// XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count]
pub(in crate::commands) fn xtrim(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let options = Options::parse(call, Form::Trim, server.config.encoding)?;
    let (db, key) = (call.db(), call.arg(1));
    let (Some(args), Some(stream)) = (options.trim, server.keyspace.change::<Stream>(db, key)?)
    else {
        call.reply.integer(0);
        return Ok(());
    };
    let trimmed = args.apply(&mut stream.log);
    let outcome = args.outcome(&stream.log);
    call.reply.integer(trimmed.cast_signed());
    if trimmed == 0 {
        return Ok(());
    }
    let count = usize::try_from(trimmed).unwrap_or(usize::MAX);
    server.keyspace.written_as(db, key, Event::XTRIM, count);
    if let Some((at, left)) = outcome {
        call.propagate_with(server, &[(at - 1, b"="), (at, &left)]);
    }
    Ok(())
}

/// Whether an operator stands at a place, and something behind it.
fn has_operator(call: &Call<'_>, at: usize, operator: &[u8]) -> bool {
    call.argv.get(at) == Some(operator) && at + 1 < call.argv.count()
}

fn not_negative(text: &[u8], name: &str) -> Result<u64, ReplyError> {
    let number = parse_i64(text).ok_or(ReplyError::NotInteger)?;
    let negative = || format!("ERR The {name} argument must be >= 0.");
    u64::try_from(number).map_err(|_| ReplyError::Text(negative().into()))
}

fn default_limit(limits: Encoding) -> u64 {
    match limits.stream_node_max_entries.saturating_mul(DEFAULT_LIMIT_NODES) {
        0 => DEFAULT_LIMIT,
        limit => limit.min(DEFAULT_LIMIT_MAX),
    }
}
