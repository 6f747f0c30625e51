//! Pure: mountains at night: ridges one behind the other, stars, and a moon. No two are alike.

use base::random::Random;

/// From the last ridge to the first: what it is made of, where it stands, how rough it is.
const RIDGES: [Ridge; 3] = [
    Ridge { stuff: '.', height: 0.55, roughness: 0.25 },
    Ridge { stuff: ':', height: 0.38, roughness: 0.30 },
    Ridge { stuff: '#', height: 0.18, roughness: 0.22 },
];
/// One place of the sky in so many has a large star, and one a small one.
const STARS: u64 = 80;

struct Ridge {
    stuff: char,
    height: f64,
    roughness: f64,
}

/// Draws so many characters across and down.
pub(super) fn draw(columns: usize, rows: usize, random: &mut Random) -> String {
    let mut picture = vec![vec![' '; columns]; rows];
    for line in &mut picture {
        for place in line {
            match random.below(STARS) {
                0 => *place = '*',
                1 => *place = '\'',
                _ => {}
            }
        }
    }
    moon(&mut picture, columns, rows, random);
    for ridge in &RIDGES {
        for (column, share) in outline(columns, ridge, random).into_iter().enumerate() {
            let height = (share.clamp(0.0, 1.0) * rows as f64) as usize;
            for line in &mut picture[rows - height..] {
                line[column] = ridge.stuff;
            }
        }
    }
    let mut text = String::with_capacity((columns + 1) * rows);
    for line in picture {
        text.extend(line);
        text.push('\n');
    }
    text.push_str("\nMountains at night, for who is still awake. ");
    text
}

/// A disc in the upper part; a character is about twice as high as it is wide.
fn moon(picture: &mut [Vec<char>], columns: usize, rows: usize, random: &mut Random) {
    let radius = rows as f64 / 9.0;
    let x = random.unit_f64() * columns as f64;
    let y = rows as f64 / 5.0;
    for (row, line) in picture.iter_mut().enumerate() {
        for (column, place) in line.iter_mut().enumerate() {
            let across = (column as f64 + 0.5 - x) / 2.0;
            let down = row as f64 + 0.5 - y;
            if across * across + down * down < radius * radius {
                *place = '@';
            }
        }
    }
}

/// The height of a ridge at each column, as a share of the picture: ends are set, and middles
/// are moved up or down, by less the closer the ends are.
fn outline(columns: usize, ridge: &Ridge, random: &mut Random) -> Vec<f64> {
    let count = columns.next_power_of_two();
    let mut heights = vec![ridge.height; count + 1];
    let mut step = count;
    let mut reach = ridge.roughness;
    while 1 < step {
        for middle in (step / 2..count).step_by(step) {
            let mean = f64::midpoint(heights[middle - step / 2], heights[middle + step / 2]);
            heights[middle] = mean + (random.unit_f64() - 0.5) * reach;
        }
        step /= 2;
        reach /= 1.7;
    }
    heights.truncate(columns);
    heights
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::draw;

    #[test]
    fn every_size_is_drawn_and_no_two_are_alike() {
        let mut random = Random::seeded(7);
        for (columns, rows) in [(1, 1), (80, 20), (3, 1000), (1000, 2)] {
            let text = draw(columns, rows, &mut random);
            let lines: Vec<&str> = text.lines().take(rows).collect();
            assert!(lines.iter().all(|line| line.len() == columns), "{columns} {rows}");
            assert_eq!(text.lines().nth(rows), Some(""));
        }
        assert_ne!(draw(80, 20, &mut random), draw(80, 20, &mut random));
    }
}
