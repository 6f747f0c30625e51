//! Pure: a row of samples as a drawing of characters (LATENCY GRAPH).
//!
//! Columns are samples, oldest first. A column is filled from below: each line of the drawing
//! has three steps, `_`, `o` and `#`, and what lies under the top is `|`. How long ago a sample
//! was stands under its column, a character a line.

use super::Row;

const COLUMNS: usize = 80;
const LINES: usize = 4;
const STEPS: [u8; 3] = *b"_o#";
const SECONDS_OF: [(u64, char); 3] = [(24 * 3600, 'd'), (3600, 'h'), (60, 'm')];

/// Draws a row, with a head that names its event, and ends each line.
pub fn draw(row: &Row, now_s: u64) -> Vec<u8> {
    let values: Vec<u32> = row.samples().map(|sample| sample.took_ms).collect();
    let ages: Vec<String> = row.samples().map(|s| age(now_s.saturating_sub(s.at_s))).collect();
    let low = values.iter().min().copied().unwrap_or(0);
    let high = values.iter().max().copied().unwrap_or(0);
    let mut text = format!(
        "{} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        row.event().name(),
        row.worst_ms(),
        "-".repeat(COLUMNS)
    )
    .into_bytes();
    let heights: Vec<usize> = values.iter().map(|value| height(*value, low, high)).collect();
    for (at, (heights, ages)) in heights.chunks(COLUMNS).zip(ages.chunks(COLUMNS)).enumerate() {
        if at != 0 {
            text.push(b'\n');
        }
        draw_columns(&mut text, heights, ages);
    }
    text
}

/// How long ago something was, in the largest unit that it has one of.
fn age(seconds: u64) -> String {
    let unit = SECONDS_OF.iter().find(|(of_unit, _)| *of_unit <= seconds);
    unit.map_or_else(
        || format!("{seconds}s"),
        |(of_unit, name)| format!("{}{name}", seconds / of_unit),
    )
}

/// Which step of all lines a value reaches.
fn height(value: u32, low: u32, high: u32) -> usize {
    let steps = STEPS.len() * LINES;
    let share = f64::from(value - low) * steps as f64 / f64::from((high - low).max(1));
    (share as usize).min(steps - 1)
}

fn draw_columns(text: &mut Vec<u8>, heights: &[usize], ages: &[String]) {
    for line in (0..LINES).rev() {
        let floor = line * STEPS.len();
        text.extend(heights.iter().map(|height| match height.checked_sub(floor) {
            None => b' ',
            Some(step) => STEPS.get(step).copied().unwrap_or(b'|'),
        }));
        text.push(b'\n');
    }
    // A line of its own keeps drawing and words apart.
    text.extend(std::iter::repeat_n(b' ', heights.len()));
    text.push(b'\n');
    let longest = ages.iter().map(String::len).max().unwrap_or(0);
    for at in 0..longest {
        text.extend(ages.iter().map(|age| age.as_bytes().get(at).copied().unwrap_or(b' ')));
        text.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{age, draw};
    use crate::latency::{Event, Latency};

    #[test]
    fn columns_are_filled_from_below() {
        let mut latency = Latency::default();
        for (at_s, took_ms) in [(1000, 10), (1001, 11), (1002, 16), (1060, 22)] {
            latency.note(Event::COMMAND, took_ms * 1000, 1, at_s);
        }
        let text = String::from_utf8(draw(latency.find(b"command").unwrap(), 1062)).unwrap();
        let head = "command - high 22 ms, low 10 ms (all time high 22 ms)\n";
        let expected = ["   #", "  _|", "  ||", "_o||", "    ", "1112", "mmms"].join("\n");
        assert_eq!(text, format!("{head}{}\n{expected}\n", "-".repeat(80)));
    }

    #[test]
    fn more_samples_than_columns_are_drawn_below() {
        let mut latency = Latency::default();
        (1..=81).for_each(|at_s| latency.note(Event::COMMAND, 5000, 1, at_s));
        let text = String::from_utf8(draw(latency.find(b"command").unwrap(), 81)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[5], "_".repeat(80));
        assert_eq!((lines[10], lines[14]), ("", "_"));
    }

    #[test]
    fn ages_have_one_unit() {
        let all = [0, 59, 60, 3599, 3600, 86_399, 86_400, 900_000].map(age).join(" ");
        assert_eq!(all, "0s 59s 1m 59m 1h 23h 1d 10d");
    }
}
