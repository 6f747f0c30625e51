//! Pure: the exact text rules of doubles: scores, increments, RESP3 numbers.
//!
//! Redis reads doubles with strtod and then has rules of its own: no space before,
//! nothing behind, not NaN, and no value that left the range (too large, or too small
//! to be anything but zero), while `inf` itself is welcome. It writes the shortest
//! text that reads back the same, laid out by Redis's own rules.

use std::io::Write as _;

use crate::{
    number::write_i64,
    shortest::{self, DIGITS_MAX},
};

/// Between these every whole double is printed as an integer.
const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;
/// Room for the longest double that `{:e}` or 17 digits give.
const TEXT_BYTES_MAX: usize = 32;
/// Significant digits of `%.17g`, which always reads back the same.
const EXACT_DIGITS: i32 = 17;
/// Exponents beyond this are far outside every format, so that adding them up is safe.
const EXPONENT_MAX: i64 = 1 << 40;

/// Texts up to this length have digits that a double holds, if there is a point among them.
const SHORT_BYTES_MAX: usize = 16;
/// Powers of ten that a double holds, for the digits behind the point of a short text.
const POWERS: [f64; SHORT_BYTES_MAX] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Parses a double by Redis's rules.
#[inline]
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if let Some(magnitude) = parse_short(digits) {
        return Some(if is_negative { -magnitude } else { magnitude });
    }
    parse_any(text)
}

/// Parses a few digits, perhaps with a point. Both sides of the division are exact, so what it
/// is rounded to is the nearest; without a point nothing is divided.
#[inline]
fn parse_short(text: &[u8]) -> Option<f64> {
    if SHORT_BYTES_MAX < text.len() {
        return None;
    }
    let (mut mantissa, mut whole) = (0_u64, None);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if whole.is_none() => whole = Some(at),
            _ => return None,
        }
    }
    match whole {
        None if text.is_empty() => None,
        None => Some(mantissa as f64),
        Some(_) if text.len() == 1 => None,
        Some(whole) => Some(mantissa as f64 / POWERS[text.len() - 1 - whole]),
    }
}

fn parse_any(text: &[u8]) -> Option<f64> {
    let number = Number::parse(text)?;
    let magnitude = match number.magnitude {
        Magnitude::Infinite => f64::INFINITY,
        Magnitude::Hexadecimal(hex) => hex_to_f64(&hex)?,
        Magnitude::Decimal(digits) => {
            let value: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
            let left_the_range = value.is_infinite() || value == 0.0 && !is_decimal_zero(digits);
            (!left_the_range).then_some(value)?
        }
    };
    Some(if number.is_negative { -magnitude } else { magnitude })
}

/// Appends the shortest text that reads back as `value`, as replies and INFO show it.
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        return out.extend_from_slice(b"nan");
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    if value.is_infinite() {
        return out.extend_from_slice(b"inf");
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range, as was just seen")]
    if value <= INTEGER_MAX && value.trunc() == value {
        return write_i64(out, value as i64);
    }
    write_shortest_of(out, value);
}

/// Appends the shortest text that reads back as `value`, with an exponent for whole numbers too
/// if they are large, as digests of data have it.
pub fn write_f64_compact(out: &mut Vec<u8>, value: f64) {
    let magnitude = value.abs();
    if !magnitude.is_finite() || magnitude == 0.0 {
        return write_f64(out, value);
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    write_shortest_of(out, magnitude);
}

fn write_shortest_of(out: &mut Vec<u8>, value: f64) {
    let mut digits = [0; DIGITS_MAX];
    let (count, power) = shortest::digits(value, &mut digits);
    let exponent = power + i32::try_from(count).expect("few digits") - 1;
    write_shortest(out, &digits[..count], exponent);
}

/// Appends `value` as C's `%.17g` does.
pub fn write_f64_exact(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        return out.extend_from_slice(if value.is_sign_negative() { b"-nan" } else { b"nan" });
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    if value.is_infinite() {
        return out.extend_from_slice(b"inf");
    }
    if value == 0.0 {
        return out.push(b'0');
    }
    let (mut text, mut digits) = ([0; TEXT_BYTES_MAX], [0; TEXT_BYTES_MAX]);
    let (digits, exponent) = scientific(&mut text, &mut digits, format_args!("{value:.16e}"));
    let count = digits.iter().rposition(|digit| *digit != b'0').map_or(1, |at| at + 1);
    let digits = &digits[..count];
    if !(-4..EXACT_DIGITS).contains(&exponent) {
        write_scientific(out, digits, exponent, 2);
    } else {
        write_plain(out, digits, exponent);
    }
}

/// A number as strtod and strtold read it, before it is rounded to a format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number<'a> {
    pub(crate) is_negative: bool,
    pub(crate) magnitude: Magnitude<'a>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Magnitude<'a> {
    Infinite,
    /// Digits, perhaps with a point and an exponent; the grammar holds.
    Decimal(&'a [u8]),
    Hexadecimal(Hexadecimal),
}

/// `mantissa` times two to the power of `exponent`; `has_more` if digits follow that
/// the mantissa has no room for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hexadecimal {
    pub(crate) mantissa: u128,
    pub(crate) exponent: i64,
    pub(crate) has_more: bool,
}

impl<'a> Number<'a> {
    /// Reads all of `text` as one number. NaN, which no command takes, is none.
    #[inline]
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let (is_negative, text) = match text {
            [b'-', text @ ..] => (true, text),
            [b'+', text @ ..] => (false, text),
            text => (false, text),
        };
        let magnitude = match text {
            [b'0', b'x' | b'X', hex @ ..] => Magnitude::Hexadecimal(parse_hexadecimal(hex)?),
            [b'0'..=b'9' | b'.', ..] => is_decimal(text).then_some(Magnitude::Decimal(text))?,
            _ => is_infinity(text).then_some(Magnitude::Infinite)?,
        };
        Some(Self { is_negative, magnitude })
    }
}

fn is_infinity(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

#[inline]
fn is_decimal(text: &[u8]) -> bool {
    let whole = count_digits(text);
    let (mut at, mut digit_count) = (whole, whole);
    if text.get(at) == Some(&b'.') {
        let fraction = count_digits(&text[at + 1..]);
        at += 1 + fraction;
        digit_count += fraction;
    }
    digit_count > 0 && exponent_is_sound(&text[at..], b'e')
}

#[inline]
fn count_digits(text: &[u8]) -> usize {
    text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len())
}

#[inline]
fn exponent_is_sound(text: &[u8], letter: u8) -> bool {
    match text {
        [] => true,
        [e, b'+' | b'-', digits @ ..] | [e, digits @ ..] if e.eq_ignore_ascii_case(&letter) => {
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// Tells whether all digits before the exponent are zero.
pub(crate) fn is_decimal_zero(text: &[u8]) -> bool {
    let mut digits = text.iter().take_while(|c| !c.eq_ignore_ascii_case(&b'e'));
    digits.all(|c| matches!(c, b'0' | b'.'))
}

/// Reads what stands behind `0x`.
fn parse_hexadecimal(text: &[u8]) -> Option<Hexadecimal> {
    let (mut mantissa, mut exponent, mut has_more) = (0_u128, 0_i64, false);
    let (mut digit_count, mut is_fraction) = (0, false);
    let mut at = 0;
    while let Some(c) = text.get(at) {
        match char::from(*c).to_digit(16) {
            Some(digit) => {
                digit_count += 1;
                if mantissa >> 124 == 0 {
                    mantissa = mantissa << 4 | u128::from(digit);
                    exponent -= if is_fraction { 4 } else { 0 };
                } else {
                    has_more |= digit != 0;
                    exponent += if is_fraction { 0 } else { 4 };
                }
            }
            None if *c == b'.' && !is_fraction => is_fraction = true,
            None => break,
        }
        at += 1;
    }
    let power = &text[at..];
    if digit_count == 0 || !exponent_is_sound(power, b'p') {
        return None;
    }
    Some(Hexadecimal { mantissa, exponent: exponent + parse_exponent(power), has_more })
}

/// Reads an exponent with its letter, whose grammar holds; nothing stands for zero.
pub(crate) fn parse_exponent(text: &[u8]) -> i64 {
    let (is_negative, digits) = match text.get(1..).unwrap_or_default() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let exponent = digits
        .iter()
        .fold(0_i64, |exponent, digit| (exponent * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX));
    if is_negative { -exponent } else { exponent }
}

/// Rounds to a double; none if it leaves the range.
fn hex_to_f64(hex: &Hexadecimal) -> Option<f64> {
    if hex.mantissa == 0 {
        return Some(0.0);
    }
    let (mantissa, exponent) =
        round(hex.mantissa, hex.exponent, hex.has_more, f64::MANTISSA_DIGITS, -1074);
    // Bits are 1.52 with a bias of 1023; a mantissa below 2^52 is subnormal, exponent 0.
    let biased = exponent + 1075;
    if mantissa == 0 || biased > 2046 {
        return None;
    }
    let hidden = 1_u64 << 52;
    let biased = if mantissa < hidden { 0 } else { u64::try_from(biased).ok()? };
    Some(f64::from_bits(biased << 52 | mantissa & (hidden - 1)))
}

/// Rounds `mantissa * 2^exponent`, to which something less than one may be missing
/// (`has_more`), to `bits` bits, nearest and ties to even. Below `exponent_min` there are
/// no bits. Returns the rounded mantissa, normalized unless the exponent is the least.
pub(crate) fn round(
    mantissa: u128,
    exponent: i64,
    has_more: bool,
    bits: u32,
    exponent_min: i64,
) -> (u64, i64) {
    let length = i64::from(u128::BITS - mantissa.leading_zeros());
    let shift = (length - i64::from(bits)).max(exponent_min - exponent);
    if shift <= 0 {
        // Exact; something missing below a mantissa this short would be lost.
        debug_assert!(!has_more, "a mantissa with a remainder has bits to spare");
        return ((mantissa << -shift) as u64, exponent + shift);
    }
    let (kept, half, below) = match u32::try_from(shift) {
        Ok(shift) if shift < 128 => {
            let rest = mantissa & ((1 << shift) - 1);
            let half = 1_u128 << (shift - 1);
            (mantissa >> shift, rest & half != 0, rest & (half - 1) != 0 || has_more)
        }
        Ok(128) => (0, mantissa >> 127 != 0, mantissa << 1 != 0 || has_more),
        _ => (0, false, true),
    };
    let rounded = kept + u128::from(half && (below || kept & 1 == 1));
    if rounded >> bits != 0 {
        return ((rounded >> 1) as u64, exponent + shift + 1);
    }
    (rounded as u64, exponent + shift)
}

/// Splits `d.ddde±x` into its digits without the point, and the exponent.
fn scientific<'a>(
    text: &mut [u8; TEXT_BYTES_MAX],
    digits: &'a mut [u8; TEXT_BYTES_MAX],
    formatted: std::fmt::Arguments<'_>,
) -> (&'a [u8], i32) {
    let mut rest = &mut text[..];
    rest.write_fmt(formatted).expect("32 bytes hold 17 digits and an exponent");
    let left = rest.len();
    let text = &text[..TEXT_BYTES_MAX - left];
    let e = text.iter().position(|c| *c == b'e').expect("`e` formats have an exponent");
    let mut count = 0;
    for digit in text[..e].iter().filter(|c| c.is_ascii_digit()) {
        digits[count] = *digit;
        count += 1;
    }
    let exponent = parse_exponent(&text[e..]);
    (&digits[..count], i32::try_from(exponent).expect("a double's exponent has three digits"))
}

/// Lays out the shortest digits as Redis does: plain while few zeros are needed.
fn write_shortest(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let last = exponent - digits.len() as i32 + 1;
    let is_short = if last >= 0 {
        exponent < digits.len() as i32 + 7
    } else {
        last > -7 || exponent.abs() < 4
    };
    if is_short {
        write_plain(out, digits, exponent);
    } else {
        write_scientific(out, digits, exponent, 1);
    }
}

/// Appends without exponent; the first digit stands for ten to the power of `exponent`.
fn write_plain(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let Ok(point) = usize::try_from(exponent + 1) else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-1 - exponent) as usize, b'0');
        return out.extend_from_slice(digits);
    };
    if digits.len() <= point {
        out.extend_from_slice(digits);
        return out.resize(out.len() + point - digits.len(), b'0');
    }
    if point == 0 {
        out.push(b'0');
    }
    out.extend_from_slice(&digits[..point]);
    out.push(b'.');
    out.extend_from_slice(&digits[point..]);
}

fn write_scientific(out: &mut Vec<u8>, digits: &[u8], exponent: i32, exponent_digits: usize) {
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    write!(out, "e{}", if exponent < 0 { '-' } else { '+' }).expect("a Vec takes all");
    write!(out, "{:0exponent_digits$}", exponent.unsigned_abs()).expect("a Vec takes all");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn shortest(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    fn exact(value: f64) -> String {
        let mut out = Vec::new();
        write_f64_exact(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_are_read_and_printed_as_c_does() {
        let lines = include_str!("tests/float80.txt").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let fields: Vec<&str> = line.split('|').collect();
            let read = parse_f64(fields[0].as_bytes()).map(exact);
            assert_eq!(read.as_deref().unwrap_or("bad"), fields[3], "{line}");
        }
    }

    #[test]
    fn short_texts_are_read_as_long_ones() {
        let mut random = Random::seeded(11);
        let signs = [b"0123456789".as_slice(), b"0123456789..-e"];
        for step in 0..200_000 {
            let signs = signs[step % 2];
            let length = random.index(SHORT_BYTES_MAX + 3);
            let text: Vec<u8> = (0..length).map(|_| signs[random.index(signs.len())]).collect();
            let (short, long) = (parse_f64(&text), parse_any(&text));
            let bits = (short.map(f64::to_bits), long.map(f64::to_bits));
            assert_eq!(bits.0, bits.1, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn the_range_is_left_with_an_error() {
        let wrong =
            ["1e309", "-1e309", "1e-400", "0x1p1024", "0x1p-1075", "", ".", "-", "+-1", "1e"];
        let more =
            ["nan", "-nan", " 1", "1 ", "1\0", "0x", "0x.p1", "infx", "1_0", "0b1", "1e5.", "١"];
        for text in wrong.iter().chain(&more) {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
        let least = f64::from_bits(1);
        let right = [
            ("inf", f64::INFINITY),
            ("-InFiNiTy", f64::NEG_INFINITY),
            ("4.9e-324", least),
            ("0x1p-1074", least),
            ("0x1.8p-1075", least),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x.1P4", 1.0),
            ("0X1.00000000000008", 1.0),
            ("0x1.000000000000080000000000000000000000001", 1.0 + f64::EPSILON),
            ("+5.", 5.0),
            ("-.5E+1", -5.0),
            ("0e999999999999999999999", 0.0),
        ];
        for (text, expected) in right {
            assert_eq!(parse_f64(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn layouts_are_those_of_redis() {
        let cases = [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (3.0, "3", "3"),
            (-1e15, "-1000000000000000", "-1000000000000000"),
            (1e18, "1000000000000000000", "1e+18"),
            (1e19, "1e+19", "1e+19"),
            (1.5e19, "1.5e+19", "1.5e+19"),
            (123_456_789_012_345_680_000.0, "123456789012345680000", "1.2345678901234568e+20"),
            (0.1, "0.1", "0.10000000000000001"),
            (1.5e-5, "0.000015", "1.5e-05"),
            (1e-6, "0.000001", "9.9999999999999995e-07"),
            (1e-7, "1e-7", "9.9999999999999995e-08"),
            (1.234e-10, "1.234e-10", "1.2340000000000001e-10"),
            (5e-324, "5e-324", "4.9406564584124654e-324"),
            (f64::MAX, "1.7976931348623157e+308", "1.7976931348623157e+308"),
            (f64::INFINITY, "inf", "inf"),
            (f64::NEG_INFINITY, "-inf", "-inf"),
            (f64::NAN, "nan", "nan"),
        ];
        for (value, short, long) in cases {
            assert_eq!(shortest(value), short);
            assert_eq!(exact(value), long);
        }
    }

    #[test]
    fn large_whole_numbers_have_an_exponent_where_that_is_asked_for() {
        let cases = [(1e18, "1e+18"), (-1e3, "-1000"), (1e8, "1e+8"), (0.5, "0.5"), (-0.0, "-0")];
        for (value, text) in cases {
            let mut out = Vec::new();
            write_f64_compact(&mut out, value);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn what_is_printed_reads_back() {
        let mut random = Random::for_test("what_is_printed_reads_back");
        for _ in 0..20_000 {
            let value = f64::from_bits(random.any_u64());
            let short = (random.below(1 << 40) as f64) / 10_f64.powi(random.below(20) as i32);
            for value in [value, short].into_iter().filter(|value| !value.is_nan()) {
                assert_eq!(parse_f64(shortest(value).as_bytes()), Some(value));
                assert_eq!(parse_f64(exact(value).as_bytes()), Some(value));
                assert!(shortest(value).len() <= 25);
            }
        }
    }
}
