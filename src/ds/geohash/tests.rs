//! Pure: places, distances and searches beside what Redis 7.2.6 answers.

use std::ops::Bound;

use super::{
    LATITUDES, Position, Search, Shape, decode, encode, gather, spread, text, write_distance,
};
use crate::{seed, zset::Zset};

/// What GEOADD, ZSCORE, GEOHASH and GEOPOS say of a place.
struct Known {
    longitude: f64,
    latitude: f64,
    score: f64,
    text: &'static str,
    /// Longitude and latitude.
    decoded: &'static str,
}

const KNOWN: [Known; 12] = [
    Known {
        longitude: 13.361389,
        latitude: 38.115556,
        score: 3479099956230698.0,
        text: "sqc8b49rny0",
        decoded: "13.36138933897018433 38.11555639549629859",
    },
    Known {
        longitude: 15.087269,
        latitude: 37.502669,
        score: 3479447370796909.0,
        text: "sqdtr74hyu0",
        decoded: "15.08726745843887329 37.50266842333162032",
    },
    Known {
        longitude: -122.27652,
        latitude: 37.805186,
        score: 1367952638197536.0,
        text: "9q9p1d0znt0",
        decoded: "-122.27652043104171753 37.80518485897756165",
    },
    Known {
        longitude: 2.349014,
        latitude: 48.864716,
        score: 3663832805879806.0,
        text: "u09tvrw3xg0",
        decoded: "2.34901160001754761 48.86471570750150306",
    },
    Known {
        longitude: 139.691706,
        latitude: 35.689487,
        score: 4171231230197027.0,
        text: "xn774c06kd0",
        decoded: "139.69170659780502319 35.68948605865241319",
    },
    Known {
        longitude: -180.0,
        latitude: -85.05112878,
        score: 0.0,
        text: "00bh0hbj200",
        decoded: "-179.99999731779098511 -85.05112751263942528",
    },
    Known {
        longitude: 180.0,
        latitude: 85.05112878,
        score: 13510798882111488.0,
        text: "bp05b5048p0",
        decoded: "180 85.0511287799999991",
    },
    Known {
        longitude: 0.0,
        latitude: 0.0,
        score: 3377699720527872.0,
        text: "s0000000000",
        decoded: "0.00000268220901489 0.00000126736058093",
    },
    Known {
        longitude: -0.0000001,
        latitude: 0.0000001,
        score: 1876499844737706.0,
        text: "ebpbpbpbpb0",
        decoded: "-0.00000268220901489 0.00000126736058093",
    },
    Known {
        longitude: 179.9999,
        latitude: -33.5,
        score: 3289458472106162.0,
        text: "rfpcrvxbme0",
        decoded: "179.99990075826644897 -33.499998990657744",
    },
    Known {
        longitude: -43.2,
        latitude: -22.9,
        score: 1008484203683461.0,
        text: "75cm8zntz40",
        decoded: "-43.19999903440475464 -22.90000041471615688",
    },
    Known {
        longitude: 100.0,
        latitude: 82.5,
        score: 4318471203763518.0,
        text: "ynxj7d9v2f0",
        decoded: "100.00000208616256714 82.499999103236064",
    },
];

/// What GEODIST says of two of them, in a unit of so many metres.
const DISTANCES: [(usize, usize, f64, &str); 7] = [
    (0, 1, 1.0, "166274.1516"),
    (0, 1, 1000.0, "166.2742"),
    (2, 4, 1609.34, "5146.0115"),
    (5, 6, 0.3048, "62072980.9353"),
    (7, 8, 1.0, "0.5967"),
    (3, 3, 1.0, "0.0000"),
    (9, 10, 1.0, "12256444.8511"),
];

/// What GEOSEARCH FROMLONLAT WITHDIST finds of them, in its order.
struct Sought {
    longitude: f64,
    latitude: f64,
    shape: Shape,
    unit_metres: f64,
    found: &'static [(usize, &'static str)],
}

const SOUGHT: [Sought; 8] = [
    Sought {
        longitude: 15.0,
        latitude: 37.0,
        shape: Shape::Circle { radius: 200.0 },
        unit_metres: 1000.0,
        found: &[(0, "190.4424"), (1, "56.4413")],
    },
    Sought {
        longitude: 15.0,
        latitude: 37.0,
        shape: Shape::Box { width: 400.0, height: 400.0 },
        unit_metres: 1000.0,
        found: &[(0, "190.4424"), (1, "56.4413")],
    },
    Sought {
        longitude: 15.0,
        latitude: 37.0,
        shape: Shape::Box { width: 250.0, height: 350.0 },
        unit_metres: 1000.0,
        found: &[(1, "56.4413")],
    },
    Sought {
        longitude: 0.0,
        latitude: 0.0,
        shape: Shape::Circle { radius: 0.1 },
        unit_metres: 1.0,
        found: &[],
    },
    Sought {
        longitude: 0.0,
        latitude: 0.0,
        shape: Shape::Circle { radius: 21000.0 },
        unit_metres: 1000.0,
        found: &[
            (7, "0.0003"),
            (0, "4454.7332"),
            (1, "4449.6961"),
            (3, "5439.7174"),
            (4, "14266.8998"),
            (11, "10154.8229"),
            (9, "16294.6531"),
            (2, "12786.1003"),
            (8, "0.0003"),
            (5, "10560.8118"),
            (10, "5318.3832"),
        ],
    },
    Sought {
        longitude: -179.9,
        latitude: -33.5,
        shape: Shape::Circle { radius: 100.0 },
        unit_metres: 1609.34,
        found: &[(9, "5.7690")],
    },
    Sought {
        longitude: 2.349014,
        latitude: 48.864716,
        shape: Shape::Box { width: 50000.0, height: 40000.0 },
        unit_metres: 1000.0,
        found: &[
            (7, "5439.7172"),
            (0, "1486.3913"),
            (1, "1627.7433"),
            (3, "0.0002"),
            (4, "9714.1881"),
            (11, "4745.8992"),
            (9, "18300.7205"),
            (2, "8945.3801"),
            (8, "5439.7173"),
            (5, "15995.3386"),
            (10, "9171.1736"),
        ],
    },
    Sought {
        longitude: 99.0,
        latitude: 82.0,
        shape: Shape::Circle { radius: 300000.0 },
        unit_metres: 0.3048,
        found: &[(11, "188970.2020")],
    },
];

fn distance_text(distance: f64) -> String {
    let mut out = Vec::new();
    write_distance(&mut out, distance);
    String::from_utf8(out).unwrap()
}

/// 17 digits behind the point, but for zeros at the end.
fn coordinate_text(degrees: f64) -> String {
    let text = format!("{degrees:.17}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn at(longitude: f64, latitude: f64) -> Position {
    Position::new(longitude, latitude).unwrap()
}

#[test]
fn places_are_where_redis_has_them() {
    for known in KNOWN {
        let score = encode(&at(known.longitude, known.latitude));
        assert_eq!(score, known.score, "{} {}", known.longitude, known.latitude);
        assert_eq!(text(score), known.text.as_bytes());
        let decoded = decode(score);
        let texts = [decoded.longitude, decoded.latitude].map(coordinate_text);
        assert_eq!(texts.join(" "), known.decoded);
    }
    assert_eq!(Position::new(180.1, 0.0), None);
    assert_eq!(Position::new(0.0, LATITUDES.start - 1e-9), None);
    assert_eq!(Position::new(f64::NAN, 0.0), None);
}

#[test]
fn distances_are_those_of_redis() {
    for (from, to, unit_metres, expected) in DISTANCES {
        let [from, to] = [from, to].map(|index| decode(KNOWN[index].score));
        assert_eq!(distance_text(from.distance(&to) / unit_metres), expected);
    }
    let texts = [
        (0.0, "0.0000"),
        (0.0001, "0.0001"),
        (0.00005, "0.0000"),
        (0.00025, "0.0002"),
        (12.34567, "12.3457"),
        (-1.5, "-1.5000"),
        (1e300, "-922337203685477.5808"),
        (f64::NAN, "-922337203685477.5808"),
    ];
    for (distance, expected) in texts {
        assert_eq!(distance_text(distance), expected);
    }
}

#[test]
fn searches_find_what_redis_finds() {
    let mut places = Zset::new();
    for (index, known) in KNOWN.iter().enumerate() {
        places.insert(index.to_string().as_bytes(), known.score);
    }
    for sought in SOUGHT {
        let Sought { longitude, latitude, shape, unit_metres, found } = sought;
        let search = Search { center: at(longitude, latitude), shape, unit_metres };
        let mut ours = Vec::new();
        for scores in search.ranges() {
            let (min, max) = (Bound::Included(scores.start), Bound::Excluded(scores.end));
            for (name, score) in places.range(places.ranks_by_score(min, max)) {
                let Some((metres, position)) = search.distance_to(score) else { continue };
                assert_eq!(position, decode(score));
                let index: usize = std::str::from_utf8(name).unwrap().parse().unwrap();
                ours.push((index, distance_text(metres / unit_metres)));
            }
        }
        let expected: Vec<_> =
            found.iter().map(|(index, distance)| (*index, (*distance).to_owned())).collect();
        assert_eq!(ours, expected, "{search:?}");
    }
}

#[test]
fn the_ranges_of_a_search_hold_all_that_it_finds() {
    let mut random = seed::for_test("geohash");
    let scores: Vec<f64> = (0..2_000)
        .map(|_| encode(&at(random.unit_f64() * 40.0 - 20.0, random.unit_f64() * 90.0 - 45.0)))
        .collect();
    let mut total = 0;
    for _ in 0..300 {
        let center = at(random.unit_f64() * 40.0 - 20.0, random.unit_f64() * 90.0 - 45.0);
        let size = 10_f64.powf(random.unit_f64() * 3.0);
        let shape = match random.below(2) {
            0 => Shape::Circle { radius: size },
            _ => Shape::Box { width: size, height: size / (1.0 + random.unit_f64()) },
        };
        let search = Search { center, shape, unit_metres: 1000.0 };
        for score in &scores {
            let count = search.ranges().filter(|range| range.contains(score)).count();
            let is_found = search.distance_to(*score).is_some();
            assert!(count <= 1 && (count == 1 || !is_found), "{search:?} {score}");
            total += usize::from(is_found);
        }
    }
    assert!(1_000 < total, "{total}");
}

#[test]
fn any_score_is_some_place() {
    // Scores that no place has, as members that ZADD put there may have.
    let odd = [
        (-1.0, "bp05b5048p0"),
        (-5e18, "bp05b5048p0"),
        (1e300, "00bh0hbj200"),
        (9_007_199_254_740_992.0, "00bh0hbj200"),
        (f64::INFINITY, "00bh0hbj200"),
        (f64::NEG_INFINITY, "00bh0hbj200"),
    ];
    for (score, expected) in odd {
        assert_eq!(text(score), expected.as_bytes(), "{score}");
        let position = decode(score);
        assert!(Position::new(position.longitude, position.latitude).is_some(), "{score}");
    }
}

#[test]
fn bits_are_spread_and_gathered() {
    let mut random = seed::for_test("bits");
    for _ in 0..1_000 {
        let number = random.any_u64() as u32;
        assert_eq!(gather(spread(number)), number);
        let bits = (0..32).map(|bit| u64::from(number >> bit & 1) << (2 * bit)).sum::<u64>();
        assert_eq!(spread(number), bits);
    }
}
