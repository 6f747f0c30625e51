//! Pure: the 80-bit floating point of INCRBYFLOAT and HINCRBYFLOAT, in software.
//!
//! Redis adds in C's `long double`, which on its usual machines is x87's extended
//! format: a mantissa of 64 bits with no hidden one, an exponent of 15. Clients see
//! the digits that come of it (0.1 + 0.2 is 0.3, where doubles give
//! 0.30000000000000004), so the same format is computed here, on every machine. Three
//! steps, each exact but for one rounding, to nearest with ties to even:
//!
//! * text to number: digits times a power of ten. Up to 19 digits and small powers fit
//!   into 128 bits; the rest goes through `Natural`, a plain big number.
//! * sum: both mantissas in 128 bits, what falls out below kept as one sticky bit.
//! * number to text: 17 digits after the point. Times 10^17 all numbers with a fraction
//!   that shows fit into 128 bits; whole numbers are printed through `Natural`.
//!
//! Deliberately absent: NaN (no command takes it; infinities of different signs have
//! no sum) and every operation but the sum.

use std::cmp::Ordering;

use crate::float::{Magnitude, Number, is_decimal_zero, parse_exponent, round};

/// A text of this size or more is no number to Redis.
const TEXT_BYTES_END: usize = 5 * 1024;
const MANTISSA_BITS: u32 = 64;
/// The exponent of the least bit of the least number.
const EXPONENT_MIN: i32 = -16_445;
/// The exponent of the least bit of the greatest number.
const EXPONENT_MAX: i32 = 16_383 - 63;
/// From here on every decimal number is infinite: the greatest is 1.19e4932.
const DECIMAL_EXPONENT_END: i64 = 4_934;
/// Below this every decimal number rounds to zero: the least is 3.6e-4951.
const DECIMAL_EXPONENT_MIN: i64 = -4_952;
/// Digits after the point in a text.
const FRACTION_DIGITS: usize = 17;
const FRACTION_SCALE: u128 = 10_u128.pow(FRACTION_DIGITS as u32);
/// Ten to this power is the greatest in 64 bits; five to the power of 27 is, too.
const LIMB_DIGITS: usize = 19;
const FIVE_POWER_MAX: i64 = 27;

/// A number in x87's extended format.
///
/// ```
/// use base::float80::Float80;
///
/// let sum = Float80::parse(b"0.1").unwrap().plus(Float80::parse(b"0.2").unwrap());
/// let mut text = Vec::new();
/// sum.unwrap().write(&mut text);
/// assert_eq!(text, b"0.3");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Float80 {
    is_negative: bool,
    magnitude: Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// `mantissa * 2^exponent`; the top bit is set unless the exponent is the least or
    /// all is zero.
    Finite {
        mantissa: u64,
        exponent: i32,
    },
    Infinite,
}

impl Float80 {
    /// Zero, which a missing key counts as.
    pub const ZERO: Self = Self::zero(false);

    const fn zero(is_negative: bool) -> Self {
        let magnitude = Size::Finite { mantissa: 0, exponent: EXPONENT_MIN };
        Self { is_negative, magnitude }
    }

    /// Parses a number by Redis's rules, those of `float::parse_f64` and fewer than
    /// 5,120 characters.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() >= TEXT_BYTES_END {
            return None;
        }
        let number = Number::parse(text)?;
        let unsigned = match number.magnitude {
            Magnitude::Infinite => Self { is_negative: false, magnitude: Size::Infinite },
            Magnitude::Decimal(digits) => Decimal::read(digits).to_float()?,
            Magnitude::Hexadecimal(hex) => Self::rounded(hex.mantissa, hex.exponent, hex.has_more)?,
        };
        Some(Self { is_negative: number.is_negative, ..unsigned })
    }

    /// Tells whether it is a number that a key may hold.
    pub fn is_finite(self) -> bool {
        self.magnitude != Size::Infinite
    }

    /// Adds; the result may be infinite. Infinities of different signs have no sum.
    pub fn plus(self, other: Self) -> Option<Self> {
        use Size::{Finite, Infinite};
        match (self.magnitude, other.magnitude) {
            (Infinite, Infinite) => (self.is_negative == other.is_negative).then_some(self),
            (Infinite, Finite { .. }) => Some(self),
            (Finite { .. }, Infinite) => Some(other),
            (Finite { mantissa: a, exponent: x }, Finite { mantissa: b, exponent: y }) => {
                // The first is the greater one, so that the difference has its sign.
                let is_greater = (x, a) >= (y, b);
                let (great, small, is_negative) = if is_greater {
                    ((a, x), (b, y), self.is_negative)
                } else {
                    ((b, y), (a, x), other.is_negative)
                };
                let is_sum = self.is_negative == other.is_negative;
                Some(add_magnitudes(great, small, is_sum, is_negative))
            }
        }
    }

    /// Appends the number with up to 17 digits after the point and no zeros at the end;
    /// infinity as `inf`.
    pub fn write(self, out: &mut Vec<u8>) {
        let start = out.len();
        if self.is_negative {
            out.push(b'-');
        }
        match self.magnitude {
            Size::Infinite => out.extend_from_slice(b"inf"),
            Size::Finite { mantissa, exponent } if exponent > 0 => {
                write_whole(out, mantissa, exponent.unsigned_abs());
            }
            Size::Finite { mantissa, exponent } => {
                write_fraction(out, mantissa, exponent.unsigned_abs());
            }
        }
        // What rounds to nothing has no sign.
        if &out[start..] == b"-0" {
            out.remove(start);
        }
    }

    /// Rounds; none if the number leaves the range, as strtold tells by ERANGE.
    fn rounded(mantissa: u128, exponent: i64, has_more: bool) -> Option<Self> {
        if mantissa == 0 {
            return Some(Self::ZERO);
        }
        let least = i64::from(EXPONENT_MIN);
        let (mantissa, exponent) = round(mantissa, exponent, has_more, MANTISSA_BITS, least);
        if mantissa == 0 || exponent > i64::from(EXPONENT_MAX) {
            return None;
        }
        let exponent = i32::try_from(exponent).ok()?;
        Some(Self { is_negative: false, magnitude: Size::Finite { mantissa, exponent } })
    }
}

/// Adds or subtracts the smaller magnitude; a number is its mantissa and exponent.
fn add_magnitudes(
    great: (u64, i32),
    small: (u64, i32),
    is_sum: bool,
    is_negative: bool,
) -> Float80 {
    // One bit above for the carry and 63 below: a difference that loses more than one
    // bit at the top is of neighbours, and then nothing falls out below.
    let (a, b) = (u128::from(great.0) << 63, u128::from(small.0) << 63);
    let distance = great.1.abs_diff(small.1);
    let shifted = b.checked_shr(distance).unwrap_or(0);
    let has_more = if distance < 128 { shifted << distance != b } else { b != 0 };
    // What fell out makes a difference smaller: it lies between two steps.
    let total = if is_sum { a + shifted } else { a - shifted - u128::from(has_more) };
    if total == 0 {
        // Like signs keep theirs; a number less itself is plus zero.
        return Float80::zero(is_sum && is_negative);
    }
    let magnitude = Float80::rounded(total, i64::from(great.1) - 63, has_more)
        .map_or(Size::Infinite, |sum| sum.magnitude);
    Float80 { is_negative, magnitude }
}

fn write_whole(out: &mut Vec<u8>, mantissa: u64, exponent: u32) {
    if exponent <= 64 {
        let number = u128::from(mantissa) << exponent;
        return out.extend_from_slice(number.to_string().as_bytes());
    }
    let mut number = Natural::from(mantissa);
    number.shift_left(exponent as usize);
    number.write(out);
}

fn write_fraction(out: &mut Vec<u8>, mantissa: u64, shift: u32) {
    // At most 121 bits. Shifted by more than that nothing is left, not even a half.
    let scaled = u128::from(mantissa) * FRACTION_SCALE;
    let rounded = if shift > 122 {
        0
    } else {
        let rest = scaled & ((1 << shift) - 1);
        let half = (1_u128 << shift) >> 1;
        let kept = scaled >> shift;
        let is_up = half != 0 && (rest > half || rest == half && kept & 1 == 1);
        kept + u128::from(is_up)
    };
    let whole = rounded / FRACTION_SCALE;
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    let mut fraction = (rounded % FRACTION_SCALE) as u64;
    if fraction == 0 {
        return;
    }
    let mut digits = [b'0'; FRACTION_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += (fraction % 10) as u8;
        fraction /= 10;
    }
    let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1);
    out.push(b'.');
    out.extend_from_slice(&digits[..end]);
}

/// Decimal digits without the zeros around them, times ten to the power of `exponent`.
struct Decimal<'a> {
    /// The text from the first digit that counts to the last; a point may be within.
    digits: &'a [u8],
    digit_count: usize,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn read(text: &'a [u8]) -> Self {
        let e = text.iter().position(|c| c.eq_ignore_ascii_case(&b'e')).unwrap_or(text.len());
        let (digits, power) = text.split_at(e);
        let exponent = parse_exponent(power);
        if is_decimal_zero(digits) {
            return Self { digits: b"", digit_count: 0, exponent: 0 };
        }
        let counts = |c: &u8| matches!(c, b'1'..=b'9');
        let first = digits.iter().position(counts).expect("not zero");
        let last = digits.iter().rposition(counts).expect("not zero");
        let point = digits.iter().position(|c| *c == b'.').unwrap_or(digits.len());
        // Places from the last digit that counts to the point.
        let places =
            if last < point { (point - last - 1) as i64 } else { point as i64 - last as i64 };
        let has_point = first < point && point < last;
        let digit_count = last + 1 - first - usize::from(has_point);
        Self { digits: &digits[first..=last], digit_count, exponent: exponent + places }
    }

    fn to_float(&self) -> Option<Float80> {
        if self.digit_count == 0 {
            return Some(Float80::ZERO);
        }
        let end = self.exponent + self.digit_count as i64;
        if !(DECIMAL_EXPONENT_MIN..=DECIMAL_EXPONENT_END).contains(&end) {
            return None;
        }
        if self.digit_count <= LIMB_DIGITS && self.exponent.abs() <= FIVE_POWER_MAX {
            return self.to_float_quickly();
        }
        let mut numerator = self.natural();
        let power = usize::try_from(self.exponent.unsigned_abs()).ok()?;
        if self.exponent >= 0 {
            numerator.times_five(power);
            let (top, below, has_more) = numerator.top();
            return Float80::rounded(top, below + self.exponent, has_more);
        }
        let mut denominator = Natural::from(1);
        denominator.times_five(power);
        let (quotient, below, has_more) = numerator.divide(denominator);
        Float80::rounded(quotient, below + self.exponent, has_more)
    }

    /// Digits and power of five fit into 64 bits each.
    fn to_float_quickly(&self) -> Option<Float80> {
        let digits = self.digits().fold(0_u64, |n, digit| n * 10 + digit);
        let power = 5_u64.pow(u32::try_from(self.exponent.unsigned_abs()).ok()?);
        if self.exponent >= 0 {
            let product = u128::from(digits) * u128::from(power);
            return Float80::rounded(product, self.exponent, false);
        }
        // The top bit of the dividend is set, the divisor has 63 bits: the quotient has 65.
        let up = digits.leading_zeros();
        let (dividend, divisor) = (u128::from(digits << up) << 64, u128::from(power));
        let has_more = dividend % divisor != 0;
        Float80::rounded(dividend / divisor, self.exponent - 64 - i64::from(up), has_more)
    }

    fn digits(&self) -> impl Iterator<Item = u64> {
        self.digits.iter().filter(|c| **c != b'.').map(|c| u64::from(c - b'0'))
    }

    fn natural(&self) -> Natural {
        let mut number = Natural::from(0);
        let (mut chunk, mut scale) = (0, 1);
        for digit in self.digits() {
            chunk = chunk * 10 + digit;
            scale *= 10;
            if scale == 10_u64.pow(LIMB_DIGITS as u32) {
                number.multiply_add(scale, chunk);
                (chunk, scale) = (0, 1);
            }
        }
        number.multiply_add(scale, chunk);
        number
    }
}

/// A natural number of any size: limbs from the least, the last one not zero.
struct Natural(Vec<u64>);

impl From<u64> for Natural {
    fn from(limb: u64) -> Self {
        let mut number = Self(vec![limb]);
        number.trim();
        number
    }
}

impl Natural {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn bits(&self) -> usize {
        let zeros = self.0.last().map_or(0, |limb| limb.leading_zeros() as usize);
        self.0.len() * 64 - zeros
    }

    fn multiply_add(&mut self, factor: u64, addend: u64) {
        let mut carry = u128::from(addend);
        for limb in &mut self.0 {
            carry += u128::from(*limb) * u128::from(factor);
            *limb = carry as u64;
            carry >>= 64;
        }
        if carry != 0 {
            self.0.push(carry as u64);
        }
    }

    fn times_five(&mut self, mut power: usize) {
        while power > 0 {
            let step = power.min(FIVE_POWER_MAX as usize);
            self.multiply_add(5_u64.pow(step as u32), 0);
            power -= step;
        }
    }

    fn shift_left(&mut self, bits: usize) {
        let (limbs, bits) = (bits / 64, bits % 64);
        if bits > 0 {
            self.multiply_add(1 << bits, 0);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, limbs));
    }

    /// Divides by `divisor` and returns the rest.
    fn divide_small(&mut self, divisor: u64) -> u64 {
        let mut rest = 0_u128;
        for limb in self.0.iter_mut().rev() {
            let part = rest << 64 | u128::from(*limb);
            *limb = (part / u128::from(divisor)) as u64;
            rest = part % u128::from(divisor);
        }
        self.trim();
        rest as u64
    }

    /// Returns the top bits, how many bits lie below, and whether one of those is set.
    fn top(&self) -> (u128, i64, bool) {
        let below = self.0.len().saturating_sub(2);
        let high = u128::from(self.0.get(below + 1).copied().unwrap_or(0));
        let top = high << 64 | u128::from(self.0.get(below).copied().unwrap_or(0));
        // A short top limb leaves as few as 65 bits: the limb below has the missing ones.
        let room = top.leading_zeros();
        if below == 0 || room == 0 {
            return (top, below as i64 * 64, self.0[..below].iter().any(|limb| *limb != 0));
        }
        let next = self.0[below - 1];
        let has_more = next << room != 0 || self.0[..below - 1].iter().any(|limb| *limb != 0);
        let top = top << room | u128::from(next >> (64 - room));
        (top, below as i64 * 64 - i64::from(room), has_more)
    }

    /// Returns the first 66 bits of the quotient, the power of two that they are to be
    /// multiplied with, and whether there is a rest.
    fn divide(mut self, mut divisor: Self) -> (u128, i64, bool) {
        let (a, b) = (self.bits(), divisor.bits());
        let power = a as i64 - b as i64;
        if a < b {
            self.shift_left(b - a);
        } else {
            divisor.shift_left(a - b);
        }
        // Equally long now: the first bit of the quotient stands for one or a half.
        let mut quotient = 0_u128;
        let steps = 66;
        for _ in 0..steps {
            quotient <<= 1;
            if self.compare(&divisor) != Ordering::Less {
                self.subtract(&divisor);
                quotient |= 1;
            }
            self.multiply_add(2, 0);
        }
        (quotient, power - (steps - 1), !self.0.is_empty())
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Subtracts a number that is not greater.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (at, limb) in self.0.iter_mut().enumerate() {
            let subtrahend = other.0.get(at).copied().unwrap_or(0);
            let (difference, first) = limb.overflowing_sub(subtrahend);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            *limb = difference;
            borrow = first || second;
        }
        debug_assert!(!borrow, "what is subtracted is not greater");
        self.trim();
    }

    fn write(mut self, out: &mut Vec<u8>) {
        let mut chunks = Vec::with_capacity(self.bits() / 63 + 1);
        while !self.0.is_empty() {
            chunks.push(self.divide_small(10_u64.pow(LIMB_DIGITS as u32)));
        }
        let first = chunks.pop().unwrap_or(0);
        out.extend_from_slice(itoa::Buffer::new().format(first).as_bytes());
        for chunk in chunks.iter().rev() {
            out.extend_from_slice(format!("{chunk:0LIMB_DIGITS$}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn text(number: Float80) -> String {
        let mut out = Vec::new();
        number.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn sum(a: &str, b: &str) -> String {
        let (a, b) = (Float80::parse(a.as_bytes()), Float80::parse(b.as_bytes()));
        let (Some(a), Some(b)) = (a, b) else { return "bad".into() };
        match a.plus(b) {
            Some(sum) if sum.is_finite() => text(sum),
            _ => "inf".into(),
        }
    }

    #[test]
    fn sums_are_those_of_c() {
        let lines = include_str!("tests/float80.txt").lines().filter(|line| !line.starts_with('#'));
        let mut count = 0;
        for line in lines {
            let fields: Vec<&str> = line.split('|').collect();
            let [a, b, expected, _] = fields[..] else { panic!("{line:?} has four fields") };
            assert_eq!(sum(a, b), expected, "{line}");
            assert_eq!(sum(b, a), expected, "{line}, the other way round");
            count += 1;
        }
        assert!(count > 300, "{count} lines");
    }

    #[test]
    fn integers_add_exactly() {
        let mut random = Random::for_test("integers_add_exactly");
        for _ in 0..20_000 {
            let mut any = || (random.any_u64() >> random.below(64)).cast_signed() / 2;
            let (a, b) = (any(), any());
            assert_eq!(sum(&a.to_string(), &b.to_string()), (a + b).to_string());
        }
    }

    #[test]
    fn the_quick_way_and_the_long_way_agree() {
        let mut random = Random::for_test("the_quick_way_and_the_long_way_agree");
        for _ in 0..5_000 {
            let digits = (random.any_u64() >> random.below(64)).to_string();
            let (whole, fraction) = digits.split_at(random.index(digits.len() + 1));
            let exponent = random.below(24).cast_signed() - 12;
            let quick = format!("{whole}.{fraction}e{exponent}");
            // Zeros at the end, which are dropped, and a digit too many, which is a zero.
            let zeros = "0".repeat(random.index(40));
            let same = format!("00{whole}.{fraction}{zeros}e{exponent}");
            let more = format!("{whole}.{fraction}{}1e{exponent}", "0".repeat(200));
            let number = Float80::parse(quick.as_bytes()).unwrap();
            assert_eq!(Float80::parse(same.as_bytes()), Some(number), "{quick} {same}");
            let above = Float80::parse(more.as_bytes()).unwrap();
            let Size::Finite { mantissa, exponent } = number.magnitude else { panic!("{quick}") };
            let Size::Finite { mantissa: m, exponent: e } = above.magnitude else {
                panic!("{more}")
            };
            // A tie that is even before goes up by the digit, all else stays.
            if mantissa != 0 {
                assert!(e == exponent && m - mantissa <= 1, "{quick} {more}");
            }
        }
    }

    #[test]
    fn a_number_less_itself_is_zero() {
        let mut random = Random::for_test("a_number_less_itself_is_zero");
        for _ in 0..500 {
            let exponent = random.below(9_800).cast_signed() - 4_900;
            let a = format!("{}e{exponent}", random.any_u64());
            assert_eq!(sum(&a, &format!("-{a}")), if exponent > 4_912 { "inf" } else { "0" });
            assert_eq!(sum("0", &a), sum(&a, "0"));
        }
    }

    #[test]
    fn what_is_printed_of_a_large_number_reads_back() {
        let mut random = Random::for_test("what_is_printed_of_a_large_number_reads_back");
        for _ in 0..100 {
            let number = format!("{}e{}", random.any_u64() | 1, random.below(4_900));
            let number = Float80::parse(number.as_bytes()).unwrap();
            assert_eq!(Float80::parse(text(number).as_bytes()), Some(number));
        }
    }

    #[test]
    fn any_bytes_are_a_number_or_not_and_never_a_panic() {
        let mut random = Random::for_test("any_bytes_are_a_number_or_not_and_never_a_panic");
        let alphabet = b"0123456789999..eE+-xXpPinfaINF \0\xff";
        for _ in 0..50_000 {
            let length = random.index(14);
            let bytes: Vec<u8> =
                (0..length).map(|_| alphabet[random.index(alphabet.len())]).collect();
            if let Some(number) = Float80::parse(&bytes) {
                assert!(crate::float::Number::parse(&bytes).is_some());
                text(number);
            }
        }
    }

    #[test]
    fn texts_of_5120_characters_are_too_long() {
        let mut digits = "1".repeat(4_930) + "." + &"0".repeat(188);
        assert_eq!(digits.len(), 5_119);
        assert!(Float80::parse(digits.as_bytes()).is_some());
        digits.push('0');
        assert_eq!(Float80::parse(digits.as_bytes()), None);
    }
}
