//! Command: places on earth: GEOADD, GEODIST, GEOHASH, GEOPOS, and what the searches share.
//!
//! A place is a score of a sorted set (`ds::geohash`), so all else can be done with it as with
//! any other.

mod search;

use std::io::Write as _;

use base::float::parse_f64;
use ds::geohash::{self, Position};
use resp::{OwnedArgv, Protocol, Reply};

use crate::{
    commands::zset::{AddArgs, add_members, added},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{
        Zset,
        zset::{Presence, Update},
    },
};

pub(super) use search::{
    georadius, georadius_ro, georadiusbymember, georadiusbymember_ro, geosearch, geosearchstore,
};

/// GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member …]
pub(super) fn geoadd(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (mut if_absent, mut if_present, mut counts_changes) = (false, false, false);
    let mut at = 2;
    while let Some(word) = call.argv.get(at) {
        let flag = match word {
            word if word.eq_ignore_ascii_case(b"nx") => &mut if_absent,
            word if word.eq_ignore_ascii_case(b"xx") => &mut if_present,
            word if word.eq_ignore_ascii_case(b"ch") => &mut counts_changes,
            _ => break,
        };
        *flag = true;
        at += 1;
    }
    let places = call.argv.tail(at);
    let is_whole = places.count() != 0 && places.count().is_multiple_of(3);
    if !is_whole || if_absent && if_present {
        return Err(ReplyError::Syntax);
    }
    let (mut scores, mut first) = (Vec::with_capacity(places.count() / 3), None);
    for at in (0..places.count()).step_by(3) {
        let position = parse_position(places.at(at), places.at(at + 1))?;
        let mut digits = Vec::new();
        let score = geohash::encode(&position);
        base::float::write_f64(&mut digits, score);
        first = first.or(Some(score));
        scores.push(digits);
    }
    // What others repeat, and what is done here, is a ZADD.
    let members = places.iter().skip(2).step_by(3);
    let pairs: Vec<&[u8]> =
        scores.iter().zip(members).flat_map(|(score, member)| [&score[..], member]).collect();
    let owned = OwnedArgv::new(pairs.iter().copied());
    let presence = match (if_absent, if_present) {
        (true, _) => Presence::Absent,
        (_, true) => Presence::Present,
        _ => Presence::Any,
    };
    let update = Update { presence, ..Update::default() };
    let first = first.expect("there is a place at least");
    let args = AddArgs { update, counts_changes, first, pairs: owned.as_argv() };
    let found = add_members(server, call.db(), call.arg(1), &args)?;
    if found.changed() == 0 {
        call.propagate_nothing();
    } else {
        let mut argv: Vec<&[u8]> = call.argv.iter().take(at).collect();
        argv[0] = b"zadd";
        argv.extend(&pairs);
        call.propagate_as(server, &argv);
    }
    added(server, call, &args, &found);
    Ok(())
}

/// GEODIST key member1 member2 [M | KM | FT | MI]
pub(super) fn geodist(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let unit_metres = match call.argv.count() {
        4 => 1.0,
        5 => parse_unit(call.arg(4))?,
        _ => return Err(ReplyError::Syntax),
    };
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    let place = |member| zset.and_then(|zset| zset.score(member)).map(geohash::decode);
    match place(call.arg(2)).zip(place(call.arg(3))) {
        Some((one, other)) => reply_distance(call.reply, one.distance(&other) / unit_metres),
        None => call.reply.null(),
    }
    Ok(())
}

/// GEOHASH key [member …]
pub(super) fn geohash(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    let members = call.argv.from(2);
    call.reply.array(members.len());
    for member in members {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => call.reply.bulk(&geohash::text(score)),
            None => call.reply.null(),
        }
    }
    Ok(())
}

/// GEOPOS key [member …]
pub(super) fn geopos(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    let members = call.argv.from(2);
    call.reply.array(members.len());
    for member in members {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => reply_position(call.reply, &geohash::decode(score)),
            None => call.reply.null_array(),
        }
    }
    Ok(())
}

/// Parses a longitude and a latitude.
fn parse_position(longitude: &[u8], latitude: &[u8]) -> Result<Position, ReplyError> {
    let longitude = parse_f64(longitude).ok_or(ReplyError::NotFloat)?;
    let latitude = parse_f64(latitude).ok_or(ReplyError::NotFloat)?;
    Position::new(longitude, latitude).ok_or_else(|| {
        let text = format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
        ReplyError::Text(text.into())
    })
}

/// Parses a unit, and returns its metres.
fn parse_unit(word: &[u8]) -> Result<f64, ReplyError> {
    match word {
        word if word.eq_ignore_ascii_case(b"m") => Ok(1.0),
        word if word.eq_ignore_ascii_case(b"km") => Ok(1000.0),
        word if word.eq_ignore_ascii_case(b"ft") => Ok(0.3048),
        word if word.eq_ignore_ascii_case(b"mi") => Ok(1609.34),
        _ => Err(ReplyError::text("ERR unsupported unit provided. please use M, KM, FT, MI")),
    }
}

fn reply_distance(reply: &mut Reply, distance: f64) {
    let mut text = Vec::with_capacity(32);
    geohash::write_distance(&mut text, distance);
    reply.bulk(&text);
}

fn reply_position(reply: &mut Reply, position: &Position) {
    reply.array(2);
    let mut text = Vec::with_capacity(32);
    for degrees in [position.longitude, position.latitude] {
        text.clear();
        write_degrees(&mut text, degrees);
        if reply.protocol == Protocol::Resp2 {
            reply.bulk(&text);
        } else {
            reply.raw(b",");
            reply.raw(&text);
            reply.raw(b"\r\n");
        }
    }
}

/// Writes up to 17 digits behind the point, and no zeros at the end.
fn write_degrees(out: &mut Vec<u8>, degrees: f64) {
    write!(out, "{degrees:.17}").expect("a Vec takes all");
    while let Some(b'0') = out.last() {
        out.pop();
    }
    if let Some(b'.') = out.last() {
        out.pop();
    }
    if out == b"-0" {
        out.remove(0);
    }
}
