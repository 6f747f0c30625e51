//! Pure: a table of Lissajous figures, in dots of Braille: columns swing faster to the right,
//! rows further down.

use std::f64::consts::TAU;

/// Dots of a character, across and down.
const DOTS: (usize, usize) = (2, 4);
/// The drawing is no higher, in characters.
const LINES_MAX: usize = 1000;
/// The first of the 256 patterns.
const BLANK: u32 = 0x2800;
/// Which bit of a pattern a dot is: the lower four of the first column, then of the second.
const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
/// Points of a figure a dot of its width.
const DENSITY: usize = 4;

/// Draws so many figures side by side and one above the other, `columns` characters wide.
pub(super) fn draw(columns: usize, per_row: usize, per_column: usize) -> String {
    let width = columns * DOTS.0;
    let side = (width / per_row).min(LINES_MAX * DOTS.1 / per_column).max(1);
    let mut canvas = Canvas::new(columns, (side * per_column).div_ceil(DOTS.1));
    for row in 0..per_column {
        for column in 0..per_row {
            figure(&mut canvas, (column, row), side);
        }
    }
    let mut text = canvas.into_text();
    text.push_str("\nA table of figures after Jules Antoine Lissajous, 1857. ");
    text
}

fn figure(canvas: &mut Canvas, place: (usize, usize), side: usize) {
    let radius = (side.saturating_sub(2) as f64) / 2.0;
    let (column, row) = place;
    let middle = |at: usize| (at * side) as f64 + side as f64 / 2.0;
    // One who swings much is no more than a smudge if it is small, and costs no more.
    let points = side * DENSITY * (column.max(row) + 1).min(DENSITY);
    for point in 0..points {
        let time = TAU * point as f64 / points as f64;
        let x = middle(column) + radius * (time * (column + 1) as f64).cos();
        let y = middle(row) + radius * (time * (row + 1) as f64 + TAU / 8.0).sin();
        canvas.dot(x as usize, y as usize);
    }
}

struct Canvas {
    columns: usize,
    patterns: Vec<u32>,
}

impl Canvas {
    fn new(columns: usize, lines: usize) -> Self {
        Self { columns, patterns: vec![0; columns * lines] }
    }

    /// Sets a dot; one beyond the edge is left out.
    fn dot(&mut self, x: usize, y: usize) {
        if self.columns * DOTS.0 <= x {
            return;
        }
        let at = y / DOTS.1 * self.columns + x / DOTS.0;
        if let Some(pattern) = self.patterns.get_mut(at) {
            *pattern |= BITS[x % DOTS.0][y % DOTS.1];
        }
    }

    fn into_text(self) -> String {
        let mut text = String::with_capacity(self.patterns.len() * 3 + self.patterns.len() / 8);
        for line in self.patterns.chunks(self.columns) {
            let dots = line.iter().map(|pattern| BLANK + pattern);
            text.extend(dots.filter_map(char::from_u32));
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn the_smallest_and_the_largest_drawings_have_their_sizes() {
        let lines = |columns, per_row, per_column| {
            let text = draw(columns, per_row, per_column);
            let drawing: Vec<usize> = text
                .lines()
                .take_while(|line| !line.is_empty())
                .map(|l| l.chars().count())
                .collect();
            assert!(drawing.iter().all(|width| *width == columns));
            drawing.len()
        };
        assert_eq!(lines(66, 8, 12), 48);
        assert_eq!(lines(1, 1, 1), 1);
        assert_eq!(lines(1, 200, 200), 50);
        assert_eq!(lines(1000, 1, 200), 1000);
        assert_eq!(lines(1000, 1, 1), 500);
    }

    #[test]
    fn the_first_figure_is_round() {
        let text = draw(4, 1, 1);
        let drawing: String = text.lines().take(2).collect();
        assert_eq!(drawing.chars().filter(|c| *c != '\u{2800}').count(), 8);
    }
}
