//! Pure: places on earth as 52 bits, which a score holds exactly, and what is near them.
//!
//! Longitude and latitude are cut in half 26 times each; the bits that say in which half take
//! turns, longitude first. So a cell of fewer cuts, the first bits, is a range of scores, and
//! what is near a place lies in nine cells of the right size: its own and its neighbours.
//! Latitude ends where a square map of the world does.
//!
//! Numbers come out as in Redis to the last digit: so each formula here is evaluated in one
//! order and no other. Start with [`encode`] and [`Search`].

use std::ops::Range;

/// The westernmost and easternmost longitude, in degrees.
pub const LONGITUDES: Range<f64> = -180.0..180.0;
/// The southernmost and northernmost latitude that has a hash, in degrees.
pub const LATITUDES: Range<f64> = -85.051_128_78..85.051_128_78;
/// The characters of a geohash as others write it.
pub const TEXT_CHARS: usize = 11;

/// Cuts of each direction in a score.
const STEPS_MAX: u32 = 26;
/// The latitudes of geohashes as others write them.
const TEXT_LATITUDES: Range<f64> = -90.0..90.0;
const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
const EARTH_RADIUS_METRES: f64 = 6_372_797.560_856;
/// Half the width of a square map of the world.
const MERCATOR_MAX_METRES: f64 = 20_037_726.37;
const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;
/// The bits of a hash that tell its longitude.
const LONGITUDE_BITS: u64 = 0xaaaa_aaaa_aaaa_aaaa;
const LATITUDE_BITS: u64 = !LONGITUDE_BITS;
/// Digits of a distance behind the point.
const DISTANCE_DIGITS: usize = 4;

/// A place, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

impl Position {
    /// Makes a position, unless it is one that has no hash.
    pub fn new(longitude: f64, latitude: f64) -> Option<Self> {
        let is_valid = (LONGITUDES.start..=LONGITUDES.end).contains(&longitude)
            && (LATITUDES.start..=LATITUDES.end).contains(&latitude);
        is_valid.then_some(Self { longitude, latitude })
    }

    /// Returns the metres to another position on a sphere.
    pub fn distance(&self, other: &Self) -> f64 {
        distance(self, other)
    }
}

/// Returns the score of a position.
pub fn encode(position: &Position) -> f64 {
    Cell::of(position, STEPS_MAX, &LATITUDES).bits as f64
}

/// Returns the position in the middle of what has a score.
pub fn decode(score: f64) -> Position {
    let area = Cell { bits: to_bits(score), steps: STEPS_MAX }.area();
    let middle = |range: &Range<f64>, limits: &Range<f64>| {
        ((range.start + range.end) / 2.0).min(limits.end).max(limits.start)
    };
    Position {
        longitude: middle(&area.longitudes, &LONGITUDES),
        latitude: middle(&area.latitudes, &LATITUDES),
    }
}

/// Returns the geohash of a score as others write it. They begin from other latitudes, so it
/// is another hash; and its last character is always 0, since 52 bits do not reach so far.
pub fn text(score: f64) -> [u8; TEXT_CHARS] {
    let bits = Cell::of(&decode(score), STEPS_MAX, &TEXT_LATITUDES).bits;
    let mut text = [ALPHABET[0]; TEXT_CHARS];
    for (at, char) in text[..TEXT_CHARS - 1].iter_mut().enumerate() {
        *char = ALPHABET[(bits >> (2 * STEPS_MAX as usize - 5 * (at + 1)) & 0x1f) as usize];
    }
    text
}

/// Writes a distance with four digits behind the point.
pub fn write_distance(out: &mut Vec<u8>, distance: f64) {
    let scaled = (distance * 1e4).round_ties_even();
    // What C makes of a number that no 64 bits hold.
    let is_in_range = -(2_f64.powi(63)) <= scaled && scaled < 2_f64.powi(63);
    let scaled = if is_in_range { scaled as i64 } else { i64::MIN };
    if scaled < 0 {
        out.push(b'-');
    }
    let digits = format!("{:0width$}", scaled.unsigned_abs(), width = DISTANCE_DIGITS + 1);
    let (whole, fraction) = digits.split_at(digits.len() - DISTANCE_DIGITS);
    out.extend_from_slice(whole.as_bytes());
    out.push(b'.');
    out.extend_from_slice(fraction.as_bytes());
}

/// What is searched around a place. Lengths are in a unit of the user's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// All that is as near as this.
    Circle {
        /// How near.
        radius: f64,
    },
    /// All whose distance along its parallel, and along a meridian, is at most half of these.
    Box {
        /// From west to east.
        width: f64,
        /// From south to north.
        height: f64,
    },
}

/// A search for what is near a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The middle.
    pub center: Position,
    /// How far around.
    pub shape: Shape,
    /// Metres in a unit.
    pub unit_metres: f64,
}

impl Search {
    /// Returns the metres from the middle to what has a score, if the search finds it, and
    /// its position.
    pub fn distance_to(&self, score: f64) -> Option<(f64, Position)> {
        let position = decode(score);
        let center = &self.center;
        match self.shape {
            Shape::Circle { radius } => {
                let found = center.distance(&position);
                // Not `<=`: a distance that is no number is let in, as in Redis.
                let is_beyond = found > radius * self.unit_metres;
                (!is_beyond).then_some((found, position))
            }
            Shape::Box { width, height } => {
                let (width, height) = (width * self.unit_metres, height * self.unit_metres);
                let of_latitude = distance_along_meridian(position.latitude, center.latitude);
                if of_latitude > height / 2.0 {
                    return None;
                }
                let below = Position { longitude: center.longitude, latitude: position.latitude };
                if position.distance(&below) > width / 2.0 {
                    return None;
                }
                Some((center.distance(&position), position))
            }
        }
    }

    /// Returns the ranges of scores in which all lies that the search finds, and more. Ranges
    /// may be the same where they reach around the earth, in the order in which Redis looks
    /// through them; two that are neighbours in this order never are.
    pub fn ranges(&self) -> impl Iterator<Item = Range<f64>> + use<> {
        let cells = self.cells();
        let mut last = 0;
        let kept = move |(at, cell): (usize, Option<Cell>)| {
            let cell = cell?;
            if last != 0 && cells[last] == Some(cell) {
                return None;
            }
            last = at;
            Some(cell.scores())
        };
        cells.into_iter().enumerate().filter_map(kept)
    }

    /// The cell of the middle and those of its eight neighbours that matter.
    fn cells(&self) -> [Option<Cell>; 9] {
        let bounds = self.bounds();
        let mut steps = self.steps();
        let mut middle = Cell::of(&self.center, steps, &LATITUDES);
        let reach = |cell: Cell, north, east| cell.neighbour(north, east).area();
        let is_too_small = reach(middle, 1, 0).latitudes.end < bounds.latitudes.end
            || reach(middle, -1, 0).latitudes.start > bounds.latitudes.start
            || reach(middle, 0, 1).longitudes.end < bounds.longitudes.end
            || reach(middle, 0, -1).longitudes.start > bounds.longitudes.start;
        if 1 < steps && is_too_small {
            steps -= 1;
            middle = Cell::of(&self.center, steps, &LATITUDES);
        }
        let area = middle.area();
        // With so few cells the same may be in the west and in the east.
        let may_skip = 2 <= steps;
        let matters = |north: i8, east: i8| {
            !(may_skip
                && (north < 0 && area.latitudes.start < bounds.latitudes.start
                    || 0 < north && area.latitudes.end > bounds.latitudes.end
                    || east < 0 && area.longitudes.start < bounds.longitudes.start
                    || 0 < east && area.longitudes.end > bounds.longitudes.end))
        };
        const DIRECTIONS: [(i8, i8); 9] =
            [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)];
        DIRECTIONS.map(|(north, east)| matters(north, east).then(|| middle.neighbour(north, east)))
    }

    /// The box around all that is found, as many degrees wide as it is at its edge that is
    /// farther from the equator.
    fn bounds(&self) -> Area {
        let (width, height) = match self.shape {
            Shape::Circle { radius } => (radius, radius),
            Shape::Box { width, height } => (width / 2.0, height / 2.0),
        };
        let (width, height) = (self.unit_metres * width, self.unit_metres * height);
        let Position { longitude, latitude } = self.center;
        let of_latitude = degrees(height / EARTH_RADIUS_METRES);
        let edge = if latitude < 0.0 { latitude - of_latitude } else { latitude + of_latitude };
        let of_longitude = degrees(width / EARTH_RADIUS_METRES / radians(edge).cos());
        Area {
            longitudes: longitude - of_longitude..longitude + of_longitude,
            latitudes: latitude - of_latitude..latitude + of_latitude,
        }
    }

    /// How many cuts make cells of about the size of the search.
    fn steps(&self) -> u32 {
        let radius = match self.shape {
            Shape::Circle { radius } => radius,
            Shape::Box { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
        };
        let mut metres = radius * self.unit_metres;
        if metres == 0.0 {
            return STEPS_MAX;
        }
        let mut steps = 1;
        // Ends, since what is not zero doubles.
        while metres < MERCATOR_MAX_METRES {
            metres *= 2.0;
            steps += 1;
        }
        // So that the neighbours reach far enough in most cases.
        steps -= 2;
        // Towards the poles meridians draw together.
        let latitude = self.center.latitude.abs();
        steps -= i32::from(66.0 < latitude) + i32::from(80.0 < latitude);
        steps.clamp(1, STEPS_MAX as i32) as u32
    }
}

/// Some of the first cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    bits: u64,
    steps: u32,
}

struct Area {
    longitudes: Range<f64>,
    latitudes: Range<f64>,
}

impl Cell {
    fn of(position: &Position, steps: u32, latitudes: &Range<f64>) -> Self {
        let cell = |degrees: f64, range: &Range<f64>| {
            let share = (degrees - range.start) / (range.end - range.start);
            // The last degree of all is one cell beyond.
            (share * (1_u64 << steps) as f64) as u32
        };
        let longitude = cell(position.longitude, &LONGITUDES);
        let latitude = cell(position.latitude, latitudes);
        Self { bits: spread(latitude) | spread(longitude) << 1, steps }
    }

    fn area(self) -> Area {
        let edge = |number: u32, range: &Range<f64>| {
            let scale = range.end - range.start;
            range.start + (f64::from(number) / (1_u64 << self.steps) as f64) * scale
        };
        let area = |number: u32, range: &Range<f64>| {
            edge(number, range)..edge(number.wrapping_add(1), range)
        };
        Area {
            longitudes: area(gather(self.bits >> 1), &LONGITUDES),
            latitudes: area(gather(self.bits), &LATITUDES),
        }
    }

    /// Returns the cell that is one farther; at an end of the world, from the other end.
    fn neighbour(self, north: i8, east: i8) -> Self {
        let unused = u64::BITS - 2 * self.steps;
        let moved = |mine: u64, others: u64, by: i8| {
            let number = self.bits & mine;
            // Ones between the bits carry across.
            let gaps = others >> unused;
            let moved = match by {
                0 => return number,
                1.. => number.wrapping_add(gaps.wrapping_add(1)),
                _ => (number | gaps).wrapping_sub(gaps.wrapping_add(1)),
            };
            moved & mine >> unused
        };
        let longitude = moved(LONGITUDE_BITS, LATITUDE_BITS, east);
        let latitude = moved(LATITUDE_BITS, LONGITUDE_BITS, north);
        Self { bits: longitude | latitude, ..self }
    }

    fn scores(self) -> Range<f64> {
        let shift = 2 * (STEPS_MAX - self.steps);
        (self.bits << shift) as f64..((self.bits + 1) << shift) as f64
    }
}

/// Takes a score for bits, whatever it is, as C does on most machines.
fn to_bits(score: f64) -> u64 {
    let to_i64 = |score: f64| {
        let is_in_range = -(2_f64.powi(63)) <= score && score < 2_f64.powi(63);
        if is_in_range { score as i64 } else { i64::MIN }
    };
    if score < 2_f64.powi(63) {
        return to_i64(score).cast_unsigned();
    }
    to_i64(score - 2_f64.powi(63)).cast_unsigned() ^ 1 << 63
}

/// Puts a zero before each bit.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & LATITUDE_BITS
}

/// Takes every second bit, from the lowest on.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & LATITUDE_BITS;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

fn radians(degrees: f64) -> f64 {
    degrees * RADIANS_PER_DEGREE
}

fn degrees(radians: f64) -> f64 {
    radians / RADIANS_PER_DEGREE
}

fn distance_along_meridian(from: f64, to: f64) -> f64 {
    EARTH_RADIUS_METRES * (radians(to) - radians(from)).abs()
}

/// The metres between two positions, by the haversine formula.
fn distance(from: &Position, to: &Position) -> f64 {
    let half = |from: f64, to: f64| ((radians(to) - radians(from)) / 2.0).sin();
    let v = half(from.longitude, to.longitude);
    if v == 0.0 {
        return distance_along_meridian(from.latitude, to.latitude);
    }
    let u = half(from.latitude, to.latitude);
    let a = u * u + radians(from.latitude).cos() * radians(to.latitude).cos() * v * v;
    2.0 * EARTH_RADIUS_METRES * a.sqrt().asin()
}

#[cfg(test)]
mod tests;
