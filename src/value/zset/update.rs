//! Pure: what becomes of a member to which a score is given.

/// Whether a member must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Presence {
    /// It may.
    #[default]
    Any,
    /// It must not (`NX`).
    Absent,
    /// It must (`XX`).
    Present,
}

/// Which way the score of a member that is there may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Course {
    /// Any.
    #[default]
    Any,
    /// Only up (`GT`).
    Up,
    /// Only down (`LT`).
    Down,
}

/// How a score is given to a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Update {
    /// See there.
    pub presence: Presence,
    /// See there.
    pub course: Course,
    /// The score is added to the one that is there.
    pub is_increment: bool,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outcome {
    /// The member is new, with this score.
    Added(f64),
    /// It has this score now.
    Updated(f64),
    /// It had this score before.
    Same(f64),
    /// It was not allowed.
    Refused,
}

/// The sum of two scores is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotANumber;

impl Update {
    /// Says what becomes of a member that has a score, or none.
    pub(super) fn outcome(self, present: Option<f64>, score: f64) -> Result<Outcome, NotANumber> {
        let Some(present) = present else {
            let is_allowed = self.presence != Presence::Present;
            return Ok(if is_allowed { Outcome::Added(score) } else { Outcome::Refused });
        };
        if self.presence == Presence::Absent {
            return Ok(Outcome::Refused);
        }
        let score = if self.is_increment { present + score } else { score };
        if score.is_nan() {
            return Err(NotANumber);
        }
        let is_allowed = match self.course {
            Course::Any => true,
            Course::Up => present < score,
            Course::Down => score < present,
        };
        Ok(match () {
            () if !is_allowed => Outcome::Refused,
            () if score == present => Outcome::Same(score),
            () => Outcome::Updated(score),
        })
    }
}
