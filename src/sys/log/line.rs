//! Pure: the form of a log line: `pid:role dd Mon yyyy hh:mm:ss.mmm mark text`.
//!
//! The calendar is computed here, from an offset that the caller kept, because
//! `localtime_r` takes a lock: a child forked while a thread holds it would hang, and
//! a signal handler must not call it at all.

use std::fmt;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECONDS_A_DAY: i64 = 24 * 3600;

/// What stands before the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) pid: u32,
    pub(super) role: char,
    pub(super) now_ms: u64,
    /// How far the local zone is ahead of UTC.
    pub(super) zone_seconds: i32,
    pub(super) mark: char,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = i64::try_from(self.now_ms / 1000).unwrap_or(0);
        let local = utc + i64::from(self.zone_seconds);
        let (year, month, day) = date_of(local.div_euclid(SECONDS_A_DAY));
        let second = local.rem_euclid(SECONDS_A_DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (pid, role, mark, ms) = (self.pid, self.role, self.mark, self.now_ms % 1000);
        write!(
            f,
            "{pid}:{role} {day:02} {month} {year} {hour:02}:{minute:02}:{second:02}.{ms:03} {mark} "
        )
    }
}

/// The date of a day counted from 1970, in the Gregorian calendar. Years are taken to
/// begin in March, so that the leap day is a year's last and months have a fixed start.
fn date_of(days: i64) -> (i64, &'static str, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let is_next_year = 10 <= month_from_march;
    let year = era * 400 + year_of_era + i64::from(is_next_year);
    let month = (month_from_march + 2) % 12;
    (year, MONTHS[usize::try_from(month).expect("a remainder is not negative")], day)
}

#[cfg(test)]
mod tests {
    use super::{Head, date_of};

    fn head(now_ms: u64, zone_seconds: i32) -> String {
        Head { pid: 7, role: 'M', now_ms, zone_seconds, mark: '*' }.to_string()
    }

    #[test]
    fn a_head_has_the_form_that_tools_parse() {
        assert_eq!(head(0, 0), "7:M 01 Jan 1970 00:00:00.000 * ");
        assert_eq!(head(1_709_164_799_042, 0), "7:M 28 Feb 2024 23:59:59.042 * ");
        assert_eq!(head(1_709_164_799_042, 3600), "7:M 29 Feb 2024 00:59:59.042 * ");
        assert_eq!(head(1_000, -3600), "7:M 31 Dec 1969 23:00:01.000 * ");
    }

    #[test]
    fn dates_follow_each_other_over_four_centuries() {
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let mut days = 0;
        for year in 1970..2370 {
            let february = 28 + i64::from(is_leap(year));
            let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (name, length) in super::MONTHS.into_iter().zip(lengths) {
                for day in 1..=length {
                    assert_eq!(date_of(days), (year, name, day));
                    days += 1;
                }
            }
        }
    }
}
