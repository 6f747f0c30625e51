//! Pure: numbers of the configuration as text: plain, sizes of memory, percentages, octal.

use base::number::{parse_i64, parse_memory};

use super::field::{Format, Integer, Reason};

const KIB: i128 = 1 << 10;
const MIB: i128 = 1 << 20;
const GIB: i128 = 1 << 30;

/// Reads a number and holds it against its bounds. A percentage is the negative of itself.
pub(super) fn parse(value: &[u8], min: i128, max: i128, format: Format) -> Result<i128, Reason> {
    let number = match format {
        Format::Plain => {
            parse_i64(value).map(i128::from).ok_or("argument couldn't be parsed into an integer")?
        }
        Format::Memory => {
            parse_memory(value).map(i128::from).ok_or("argument must be a memory value")?
        }
        Format::MemoryOrPercent => parse_memory(value)
            .map(i128::from)
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

/// A number as C's `strtoll` reads it, the whole text: leading blanks, a sign, leading zeros.
pub(super) fn lenient(value: &[u8]) -> Option<i64> {
    let text = value.trim_ascii_start();
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn percent(value: &[u8]) -> Option<i128> {
    let number = parse_i64(value.strip_suffix(b"%")?)?;
    (0 <= number).then_some(-i128::from(number))
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
    fn bounds_are_told_as_numbers_are_written() {
        let wrong = |text: &[u8], min, max, format| parse(text, min, max, format).unwrap_err();
        let octal = wrong(b"1000", 0, 0o777, Format::Octal);
        assert_eq!(octal, "argument must be between 0 and 777 inclusive");
        let percent = wrong(b"101%", -100, 5, Format::MemoryOrPercent);
        assert_eq!(percent, "percentage argument must be less or equal to 100");
        let plain = wrong(b"01", 0, 5, Format::Plain);
        assert_eq!(plain, "argument couldn't be parsed into an integer");
        assert_eq!(parse(b"7%", -100, 5, Format::MemoryOrPercent), Ok(-7));
    }

    #[test]
    fn lenient_numbers_are_read_as_c_reads_them() {
        assert_eq!(lenient(b" +01"), Some(1));
        for text in ["1x", "1 ", "", "-", "9223372036854775808"] {
            assert_eq!(lenient(text.as_bytes()), None, "{text}");
        }
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
