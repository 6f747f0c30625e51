//! Command: GEOSEARCH, GEOSEARCHSTORE, and GEORADIUS and its relatives, which they replaced.

use std::ops::{Bound, Range};

use base::{Bytes, float::parse_f64, number::parse_i64};
use ds::geohash::{self, Position, Search, Shape};

use crate::{
    commands::geo::{parse_position, parse_unit, reply_distance, reply_position},
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Zset, zset::End},
};

/// If any members will do, so many are looked at before it is asked whether they are enough.
const STEP: usize = 64;

/// What the name of a command says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// GEORADIUS: a place stands before the options.
    Place,
    /// GEORADIUSBYMEMBER: a member does.
    Member,
    /// GEOSEARCH: all is options.
    Search,
    /// GEOSEARCHSTORE: the same behind a destination.
    SearchStore,
}

impl Form {
    fn is_search(self) -> bool {
        matches!(self, Self::Search | Self::SearchStore)
    }

    /// Where the options begin.
    fn options_at(self) -> usize {
        match self {
            Self::Place => 6,
            Self::Member => 5,
            Self::Search => 2,
            Self::SearchStore => 3,
        }
    }

    /// Where the key that is searched stands.
    fn key_at(self) -> usize {
        if self == Self::SearchStore { 2 } else { 1 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

/// Which score a member that was found gets where it is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stored {
    Place,
    Distance,
}

#[derive(Default)]
struct SearchArgs<'a> {
    /// None if it is that of a member of a key that is not there.
    center: Option<Position>,
    has_member: bool,
    has_place: bool,
    shape: Option<(Shape, f64)>,
    order: Option<Order>,
    /// 0: all.
    count: usize,
    /// The first that are found will do.
    is_any: bool,
    shows_distance: bool,
    shows_hash: bool,
    shows_position: bool,
    destination: Option<(&'a [u8], Stored)>,
}

impl<'a> SearchArgs<'a> {
    fn parse(
        call: &Call<'a>,
        form: Form,
        may_store: bool,
        zset: Option<&Zset>,
    ) -> Result<Self, ReplyError> {
        let mut args = Self::default();
        match form {
            Form::Place => {
                args.center = Some(parse_position(call.arg(2), call.arg(3))?);
                args.shape = Some(parse_radius(call.arg(4), call.arg(5))?);
            }
            // Redis does not look at the radius if there is nothing to look for.
            Form::Member if zset.is_some() => {
                args.center = place_of(zset, call.arg(2))?;
                args.shape = Some(parse_radius(call.arg(3), call.arg(4))?);
            }
            Form::Member | Form::Search => {}
            Form::SearchStore => args.destination = Some((call.arg(1), Stored::Place)),
        }
        args.parse_options(call, form, may_store, zset)?;
        args.check(call, form)?;
        Ok(args)
    }

    fn parse_options(
        &mut self,
        call: &Call<'a>,
        form: Form,
        may_store: bool,
        zset: Option<&Zset>,
    ) -> Result<(), ReplyError> {
        let mut words = call.argv.from(form.options_at());
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let (is_search, left) = (form.is_search(), words.len());
            let mut next = || words.next().ok_or(ReplyError::Syntax);
            match () {
                () if is("withdist") => self.shows_distance = true,
                () if is("withhash") => self.shows_hash = true,
                () if is("withcoord") => self.shows_position = true,
                () if is("any") => self.is_any = true,
                () if is("asc") => self.order = Some(Order::Ascending),
                () if is("desc") => self.order = Some(Order::Descending),
                () if is("count") => {
                    let count = parse_i64(next()?).ok_or(ReplyError::NotInteger)?;
                    let count = usize::try_from(count).ok().filter(|count| *count != 0);
                    self.count = count.ok_or(ReplyError::text("ERR COUNT must be > 0"))?;
                }
                () if is("store") && may_store && !is_search => {
                    self.destination = Some((next()?, Stored::Place));
                }
                () if is("storedist") && may_store && !is_search => {
                    self.destination = Some((next()?, Stored::Distance));
                }
                () if is("storedist") && form == Form::SearchStore => {
                    self.destination = Some((call.arg(1), Stored::Distance));
                }
                () if is("frommember") && is_search && !self.has_place => {
                    self.center = place_of(zset, next()?)?;
                    self.has_member = true;
                }
                () if is("fromlonlat") && is_search && !self.has_member && 2 <= left => {
                    self.center = Some(parse_position(next()?, next()?)?);
                    self.has_place = true;
                }
                () if is("byradius") && is_search && !self.is_box() && 2 <= left => {
                    self.shape = Some(parse_radius(next()?, next()?)?);
                }
                () if is("bybox") && is_search && !self.is_circle() && 3 <= left => {
                    self.shape = Some(parse_box(next()?, next()?, next()?)?);
                }
                () => return Err(ReplyError::Syntax),
            }
        }
        Ok(())
    }

    /// Checks what goes together.
    fn check(&self, call: &Call<'_>, form: Form) -> Result<(), ReplyError> {
        if self.destination.is_some()
            && (self.shows_distance || self.shows_hash || self.shows_position)
        {
            return Err(ReplyError::text(if form == Form::SearchStore {
                "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            } else {
                "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and \
                 WITHCOORD options"
            }));
        }
        if form.is_search() && !self.has_member && !self.has_place {
            let head = "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ";
            return Err(ReplyError::quoting(head, call.arg(0), ""));
        }
        if form.is_search() && self.shape.is_none() {
            let head = "ERR exactly one of BYRADIUS and BYBOX can be specified for ";
            return Err(ReplyError::quoting(head, call.arg(0), ""));
        }
        if self.is_any && self.count == 0 {
            return Err(ReplyError::text("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    fn is_circle(&self) -> bool {
        matches!(self.shape, Some((Shape::Circle { .. }, _)))
    }

    fn is_box(&self) -> bool {
        matches!(self.shape, Some((Shape::Box { .. }, _)))
    }

    /// Returns the order that is wanted. Of those that are counted the nearest are meant.
    fn order(&self) -> Option<Order> {
        let is_nearest = self.count != 0 && !self.is_any;
        self.order.or(is_nearest.then_some(Order::Ascending))
    }
}

/// Returns where a member is; nothing if there is no key.
fn place_of(zset: Option<&Zset>, member: &[u8]) -> Result<Option<Position>, ReplyError> {
    let Some(zset) = zset else { return Ok(None) };
    let wrong = ReplyError::text("ERR could not decode requested zset member");
    zset.score(member).map(geohash::decode).map(Some).ok_or(wrong)
}

fn parse_radius(radius: &[u8], unit: &[u8]) -> Result<(Shape, f64), ReplyError> {
    let radius = parse_f64(radius).ok_or(ReplyError::text("ERR need numeric radius"))?;
    if radius < 0.0 {
        return Err(ReplyError::text("ERR radius cannot be negative"));
    }
    Ok((Shape::Circle { radius }, parse_unit(unit)?))
}

fn parse_box(width: &[u8], height: &[u8], unit: &[u8]) -> Result<(Shape, f64), ReplyError> {
    let width = parse_f64(width).ok_or(ReplyError::text("ERR need numeric width"))?;
    let height = parse_f64(height).ok_or(ReplyError::text("ERR need numeric height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(ReplyError::text("ERR height or width cannot be negative"));
    }
    Ok((Shape::Box { width, height }, parse_unit(unit)?))
}

/// GEORADIUS key longitude latitude radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH]
/// [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
pub(in crate::commands) fn georadius(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    search(server, call, Form::Place, true)
}

/// GEORADIUS_RO key longitude latitude radius M | KM | FT | MI [option …]
pub(in crate::commands) fn georadius_ro(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    search(server, call, Form::Place, false)
}

/// GEORADIUSBYMEMBER key member radius M | KM | FT | MI [option …]
pub(in crate::commands) fn georadiusbymember(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    search(server, call, Form::Member, true)
}

/// GEORADIUSBYMEMBER_RO key member radius M | KM | FT | MI [option …]
pub(in crate::commands) fn georadiusbymember_ro(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    search(server, call, Form::Member, false)
}

/// GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit | BYBOX
/// width height unit [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]
pub(in crate::commands) fn geosearch(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    search(server, call, Form::Search, false)
}

/// GEOSEARCHSTORE destination source [option of GEOSEARCH …] [STOREDIST]
pub(in crate::commands) fn geosearchstore(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    search(server, call, Form::SearchStore, true)
}

/// What was found.
struct Found {
    member: Bytes,
    metres: f64,
    score: f64,
    position: Position,
}

fn search(server: &mut Server, call: &mut Call<'_>, form: Form, may_store: bool) -> CommandResult {
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(form.key_at()))?;
    let args = SearchArgs::parse(call, form, may_store, zset)?;
    let (mut found, mut unit_metres) = (Vec::new(), 1.0);
    if let (Some(zset), Some(center), Some((shape, metres))) = (zset, args.center, args.shape) {
        unit_metres = metres;
        let limit = if args.is_any { args.count } else { usize::MAX };
        found = find(zset, &Search { center, shape, unit_metres }, limit);
    }
    match args.order() {
        Some(Order::Ascending) => found.sort_by(|a, b| a.metres.total_cmp(&b.metres)),
        Some(Order::Descending) => found.sort_by(|a, b| b.metres.total_cmp(&a.metres)),
        None => {}
    }
    if args.count != 0 {
        found.truncate(args.count);
    }
    match args.destination {
        Some((key, stored)) => {
            let event = if form.is_search() { "geosearchstore" } else { "georadiusstore" };
            let scored = found.iter().map(|found| {
                let distance = found.metres / unit_metres;
                let score = if stored == Stored::Distance { distance } else { found.score };
                (&*found.member, score)
            });
            store(server, call, key, scored, event);
        }
        None => show(call, &args, &found, unit_metres),
    }
    Ok(())
}

fn find(zset: &Zset, search: &Search, limit: usize) -> Vec<Found> {
    let mut found = Vec::new();
    for Range { start, end } in search.ranges() {
        let mut ranks = zset.ranks_by_score((Bound::Included(start), Bound::Excluded(end)));
        while !ranks.is_empty() && found.len() < limit {
            let step = if limit == usize::MAX { ranks.len() } else { STEP.min(ranks.len()) };
            zset.range(ranks.start..ranks.start + step, End::Min, |member, score| {
                let score = score.value();
                if let Some((metres, position)) = search.distance_to(score) {
                    found.push(Found { member: member.into(), metres, score, position });
                }
            });
            ranks.start += step;
        }
        found.truncate(limit);
    }
    found
}

fn show(call: &mut Call<'_>, args: &SearchArgs<'_>, found: &[Found], unit_metres: f64) {
    let reply = &mut *call.reply;
    let options = [args.shows_distance, args.shows_hash, args.shows_position];
    let option_count = options.iter().filter(|is_shown| **is_shown).count();
    reply.array(found.len());
    for Found { member, metres, score, position } in found {
        if option_count != 0 {
            reply.array(1 + option_count);
        }
        reply.bulk(member);
        if args.shows_distance {
            reply_distance(reply, metres / unit_metres);
        }
        if args.shows_hash {
            reply.integer(*score as i64);
        }
        if args.shows_position {
            reply_position(reply, position);
        }
    }
}

/// Puts what was found in the place of whatever the destination holds.
fn store<'f>(
    server: &mut Server,
    call: &mut Call<'_>,
    key: &[u8],
    found: impl ExactSizeIterator<Item = (&'f [u8], f64)>,
    event: &'static str,
) {
    let (limits, db, count) = (server.config.encoding, call.db(), found.len());
    let mut zset = Zset::tree(count);
    for (member, score) in found {
        // A distance that is no number has no place in the order.
        zset.insert(member, if score.is_nan() { 0.0 } else { score }, limits);
    }
    zset.settle(limits);
    server.keyspace.store(db, key, zset, Event::zset(event), count);
    call.reply.count(count);
}
