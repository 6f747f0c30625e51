//! Command: how long a command waits, as all those read it that wait for keys.

use base::{float::parse_f64, number::parse_i64};

use crate::error::ReplyError;

const MS_PER_S: f64 = 1000.0;

/// Reads a number of seconds, which may have decimals, and returns when they are over; nothing
/// for 0, which is for ever.
pub(super) fn parse_seconds(text: &[u8], now_ms: i64) -> Result<Option<i64>, ReplyError> {
    let seconds =
        parse_f64(text).ok_or(ReplyError::text("ERR timeout is not a float or out of range"))?;
    let ms = (seconds * MS_PER_S).ceil();
    // The first float that no integer holds; what is below the least one is negative anyhow.
    if i64::MAX as f64 <= ms {
        return Err(out_of_range());
    }
    until(ms as i64, now_ms)
}

/// Reads a number of milliseconds, and returns when they are over; nothing for 0.
pub(super) fn parse_milliseconds(text: &[u8], now_ms: i64) -> Result<Option<i64>, ReplyError> {
    let wrong = ReplyError::text("ERR timeout is not an integer or out of range");
    until(parse_i64(text).ok_or(wrong)?, now_ms)
}

fn until(ms: i64, now_ms: i64) -> Result<Option<i64>, ReplyError> {
    match ms {
        ..0 => Err(ReplyError::text("ERR timeout is negative")),
        0 => Ok(None),
        _ => now_ms.checked_add(ms).map(Some).ok_or(out_of_range()),
    }
}

fn out_of_range() -> ReplyError {
    ReplyError::text("ERR timeout is out of range")
}

#[cfg(test)]
mod tests {
    use super::{parse_milliseconds, parse_seconds};

    #[test]
    fn a_timeout_is_a_number_from_0_on() {
        let seconds = |text: &str| parse_seconds(text.as_bytes(), 1_000).map_err(|e| e.to_bytes());
        assert_eq!((seconds("0"), seconds("0.0")), (Ok(None), Ok(None)));
        assert_eq!((seconds("1"), seconds("0.0001")), (Ok(Some(2_000)), Ok(Some(1_001))));
        for wrong in ["x", "", " 1", "nan", "1s"] {
            assert!(
                seconds(wrong).is_err_and(|text| text.ends_with(b"not a float or out of range"))
            );
        }
        for wrong in ["9223372036854775", "0x7FFFFFFFFFFFFF", "1e300", "inf"] {
            assert!(seconds(wrong).is_err_and(|text| text.ends_with(b"timeout is out of range")));
        }
        for wrong in ["-1", "-0.1", "-inf", "-1e300"] {
            assert!(seconds(wrong).is_err_and(|text| text.ends_with(b"negative")), "{wrong}");
        }
        let ms = |text: &str| parse_milliseconds(text.as_bytes(), 1_000);
        assert_eq!((ms("0"), ms("5")), (Ok(None), Ok(Some(1_005))));
        assert!(ms("1.5").is_err() && ms("-1").is_err() && ms("9223372036854775807").is_err());
    }
}
