//! Tool: medians of rounds, their ratios, and the tables in Markdown.

/// Whose figure it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

/// What one round gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The less the better.
    pub(crate) cost: f64,
    /// What the cost stands beside.
    pub(crate) rate: f64,
}

/// The rounds of both sides.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    ours: Vec<Sample>,
    theirs: Vec<Sample>,
}

/// One thing that was measured.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) compared: Compared,
    /// What the ratio of costs is to be at most.
    pub(crate) aim: Option<f64>,
}

/// Rows of one unit.
#[derive(Debug)]
pub(crate) struct Table {
    cost_unit: &'static str,
    rate_unit: &'static str,
    rows: Vec<Row>,
}

impl Compared {
    pub(crate) fn add(&mut self, side: Side, sample: Sample) {
        match side {
            Side::Ours => self.ours.push(sample),
            Side::Theirs => self.theirs.push(sample),
        }
    }

    /// Gives costs in another unit.
    pub(crate) fn scaled(mut self, factor: f64) -> Self {
        let all = self.ours.iter_mut().chain(&mut self.theirs);
        all.for_each(|sample| sample.cost *= factor);
        self
    }

    /// Returns the median of the ratios round by round: neighbours in time, they met the
    /// same disturbance.
    fn ratio(&self, figure: fn(&Sample) -> f64) -> f64 {
        let pairs = self.ours.iter().zip(&self.theirs);
        median(pairs.map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
    }
}

impl Table {
    pub(crate) fn new(cost_unit: &'static str, rate_unit: &'static str) -> Self {
        Self { cost_unit, rate_unit, rows: Vec::new() }
    }

    /// Adds a row, and says so to whoever waits.
    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("{}", text_of(&row));
        self.rows.push(row);
    }

    pub(crate) fn print(&self) {
        if self.rows.is_empty() {
            return;
        }
        let (cost, rate) = (self.cost_unit, self.rate_unit);
        println!("\n| | {cost}: ours | theirs | ratio | aim | {rate}: ours | theirs | ratio |");
        println!("|---|--:|--:|--:|--:|--:|--:|--:|");
        self.rows.iter().for_each(|row| println!("{}", text_of(row)));
    }
}

fn text_of(row: &Row) -> String {
    let Row { name, compared, aim } = row;
    let side = |samples: &[Sample], figure: fn(&Sample) -> f64| {
        figure_text(median(samples.iter().map(figure).collect()))
    };
    let cost = |sample: &Sample| sample.cost;
    let rate = |sample: &Sample| sample.rate;
    let aim = aim.map_or_else(String::new, |aim| format!("{aim:.2}"));
    format!(
        "| {name} | {} | {} | **{:.2}** | {aim} | {} | {} | {:.2} |",
        side(&compared.ours, cost),
        side(&compared.theirs, cost),
        compared.ratio(cost),
        side(&compared.ours, rate),
        side(&compared.theirs, rate),
        compared.ratio(rate),
    )
}

/// Three digits are more than the measurement is worth.
fn figure_text(figure: f64) -> String {
    match figure.abs() {
        size if size < 10.0 => format!("{figure:.2}"),
        size if size < 100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// # Panics
/// If there is nothing.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 {
        return figures[middle];
    }
    f64::midpoint(figures[middle - 1], figures[middle])
}

#[cfg(test)]
mod tests {
    use super::{Compared, Row, Sample, Side, median, text_of};

    #[test]
    fn one_wild_round_changes_no_median() {
        assert_eq!(median(vec![3.0, 900.0, 1.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn a_row_shows_medians_and_the_ratio_of_neighbours() {
        let mut compared = Compared::default();
        for (ours, theirs) in [(1.0, 2.0), (30.0, 60.0), (2.0, 4.0)] {
            compared.add(Side::Ours, Sample { cost: ours, rate: 1000.0 });
            compared.add(Side::Theirs, Sample { cost: theirs, rate: 500.0 });
        }
        let row = Row { name: "GET".to_owned(), compared, aim: Some(0.6) };
        let expected = "| GET | 2.00 | 4.00 | **0.50** | 0.60 | 1000 | 500 | 2.00 |";
        assert_eq!(text_of(&row), expected);
    }
}
