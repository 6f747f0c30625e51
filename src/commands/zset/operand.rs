//! Command: what sorted sets are combined of: sorted sets, sets, whose members all score 1, and
//! keys that are not there.

use crate::{
    error::ReplyError,
    keyspace::{Keyspace, Look},
    value::{Set, Value, Zset},
};

/// What each member of a set scores.
const SCORE_OF_SET: f64 = 1.0;

/// One of the sets that are combined.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    Nothing,
    Set(&'a Set),
    Zset(&'a Zset),
}

impl<'a> Operand<'a> {
    /// Looks at a key that was touched before.
    pub(super) fn peek(keyspace: &'a Keyspace, db: usize, key: &[u8]) -> Self {
        match keyspace.peek(db, key).and_then(|record| record.value()) {
            Some(Value::Set(set)) => Self::Set(set),
            Some(Value::Zset(zset)) => Self::Zset(zset),
            _ => Self::Nothing,
        }
    }

    /// Touches a key to read it, and says whether it can be an operand.
    pub(super) fn touch(keyspace: &mut Keyspace, db: usize, key: &[u8]) -> Result<(), ReplyError> {
        match keyspace.look(db, key, Look::Read) {
            None => Ok(()),
            Some(record) => match record.value() {
                Some(Value::Set(_) | Value::Zset(_)) => Ok(()),
                _ => Err(ReplyError::WrongType),
            },
        }
    }

    pub(super) fn len(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Set(set) => set.len(),
            Self::Zset(zset) => zset.len(),
        }
    }

    pub(super) fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Set(set) => set.contains(member).then_some(SCORE_OF_SET),
            Self::Zset(zset) => zset.score(member),
        }
    }

    /// Shows members and their scores to `visit` until it says that it is enough.
    pub(super) fn each(self, mut visit: impl FnMut(&[u8], f64) -> bool) {
        let mut goes_on = true;
        match self {
            Self::Nothing => {}
            Self::Set(set) => set.each(|member| {
                goes_on = goes_on && visit(member, SCORE_OF_SET);
            }),
            Self::Zset(zset) => zset.each(|member, score| {
                goes_on = goes_on && visit(member, score);
            }),
        }
    }
}
