//! Pure: numbers of the configuration as text: plain, sizes of memory, percentages, octal.

use super::entry::{Format, Integer, Reason};

const KIB: i128 = 1 << 10;
const MIB: i128 = 1 << 20;
const GIB: i128 = 1 << 30;

/// Reads a number and holds it against its bounds. A percentage is the negative of itself.
pub(super) fn parse(value: &[u8], min: i128, max: i128, format: Format) -> Result<i128, Reason> {
    let number = match format {
        Format::Plain => plain(value).ok_or("argument couldn't be parsed into an integer")?,
        Format::Memory => memory(value).ok_or("argument must be a memory value")?,
        Format::MemoryOrPercent => memory(value)
            .or_else(|| percent(value))
            .ok_or("argument must be a memory or percent value")?,
        Format::Octal => octal(value).ok_or("argument couldn't be parsed as an octal number")?,
    };
    if format == Format::MemoryOrPercent && number < 0 {
        if number < min {
            let most = -min;
            return Err(format!("percentage argument must be less or equal to {most}").into());
        }
        return Ok(number);
    }
    if number < min || max < number {
        let (min, max) = match format {
            Format::Octal => (format!("{min:o}"), format!("{max:o}")),
            _ => (min.to_string(), max.to_string()),
        };
        return Err(format!("argument must be between {min} and {max} inclusive").into());
    }
    Ok(number)
}

/// A number as CONFIG GET shows it.
pub(super) fn show(number: i128, format: Format) -> Vec<u8> {
    match format {
        Format::MemoryOrPercent if number < 0 => format!("{}%", -number),
        Format::Octal => format!("{number:o}"),
        _ => number.to_string(),
    }
    .into_bytes()
}

/// A number as CONFIG REWRITE writes it: sizes with the largest unit that divides them.
pub(super) fn write(number: i128, format: Format) -> Vec<u8> {
    let is_size = matches!(format, Format::Memory | Format::MemoryOrPercent);
    if is_size && 0 <= number { size(number).into_bytes() } else { show(number, format) }
}

/// A size with the largest unit that divides it.
pub(super) fn size(bytes: i128) -> String {
    for (unit, name) in [(GIB, "gb"), (MIB, "mb"), (KIB, "kb")] {
        if bytes != 0 && bytes % unit == 0 {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}

/// Redis's strict decimal: no sign but `-`, no leading zero, within 64 bits.
pub(super) fn plain(value: &[u8]) -> Option<i128> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let is_canonical = digits.first().is_some_and(|&d| (b'1'..=b'9').contains(&d));
    if !(is_canonical || value == b"0") || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    Some(number.into())
}

/// A number as C's `strtoll` reads it, the whole text: leading blanks, a sign, leading zeros.
pub(super) fn lenient(value: &[u8]) -> Option<i64> {
    let text = value.trim_ascii_start();
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A size: digits, then `b`, `k`, `kb`, `m`, `mb`, `g` or `gb`; one letter counts in thousands.
pub(super) fn memory(value: &[u8]) -> Option<i128> {
    let at = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    let (digits, unit) = value.split_at(at);
    let unit: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    // As in Redis no digits are 0, and too many the largest number there is.
    let mut number: u64 = 0;
    for digit in digits {
        number = number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    }
    number.checked_mul(unit).map(i128::from)
}

fn percent(value: &[u8]) -> Option<i128> {
    let number = plain(value.strip_suffix(b"%")?)?;
    (0 <= number).then_some(-number)
}

fn octal(value: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(value).ok()?;
    i64::from_str_radix(text, 8).ok().map(i128::from)
}

/// A limit for all clients together: bytes, or a share of `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryLimit {
    /// So many bytes; 0 means no limit.
    Bytes(u64),
    /// So many per cent of `maxmemory`.
    Percent(u8),
}

impl Default for MemoryLimit {
    fn default() -> Self {
        Self::Bytes(0)
    }
}

impl Integer for MemoryLimit {
    fn widen(self) -> i128 {
        match self {
            Self::Bytes(bytes) => bytes.into(),
            Self::Percent(percent) => -i128::from(percent),
        }
    }

    fn narrow(wide: i128) -> Option<Self> {
        if wide < 0 {
            return u8::try_from(-wide).ok().map(Self::Percent);
        }
        u64::try_from(wide).ok().map(Self::Bytes)
    }
}

impl Integer for u16 {
    fn widen(self) -> i128 {
        self.into()
    }

    fn narrow(wide: i128) -> Option<Self> {
        wide.try_into().ok()
    }
}

impl Integer for u32 {
    fn widen(self) -> i128 {
        self.into()
    }

    fn narrow(wide: i128) -> Option<Self> {
        wide.try_into().ok()
    }
}

impl Integer for u64 {
    fn widen(self) -> i128 {
        self.into()
    }

    fn narrow(wide: i128) -> Option<Self> {
        wide.try_into().ok()
    }
}

impl Integer for usize {
    fn widen(self) -> i128 {
        self as i128
    }

    fn narrow(wide: i128) -> Option<Self> {
        wide.try_into().ok()
    }
}

impl Integer for i32 {
    fn widen(self) -> i128 {
        self.into()
    }

    fn narrow(wide: i128) -> Option<Self> {
        wide.try_into().ok()
    }
}

impl Integer for i64 {
    fn widen(self) -> i128 {
        self.into()
    }

    fn narrow(wide: i128) -> Option<Self> {
        wide.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_know_both_thousands_and_powers_of_two() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1b", Some(1)),
            ("1k", Some(1000)),
            ("1KB", Some(1024)),
            ("3m", Some(3_000_000)),
            ("64mb", Some(64 << 20)),
            ("1g", Some(1_000_000_000)),
            ("1Gb", Some(1 << 30)),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("18446744073709551616", Some(u64::MAX.into())),
            ("18446744073709551616kb", None),
            ("99999999999gb", None),
            ("-1", None),
            ("", Some(0)),
            ("gb", Some(0)),
            ("1tb", None),
            ("1 kb", None),
        ] {
            assert_eq!(memory(text.as_bytes()), bytes, "{text}");
        }
    }

    #[test]
    fn plain_numbers_are_strict_and_lenient_ones_are_not() {
        for text in ["01", "+1", " 1", "1 ", "", "-", "-0", "1.0", "9223372036854775808"] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
        assert_eq!(plain(b"-7"), Some(-7));
        assert_eq!(lenient(b" +01"), Some(1));
        assert_eq!(lenient(b"1x"), None);
    }

    #[test]
    fn rewriting_takes_the_largest_unit() {
        for (bytes, text) in [(0, "0"), (1, "1"), (1024, "1kb"), (3 << 20, "3mb"), (1 << 30, "1gb")]
        {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(write(-5, Format::MemoryOrPercent), b"5%");
        assert_eq!(write(0o700, Format::Octal), b"700");
    }
}
