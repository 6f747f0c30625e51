//! Pure: fields of a hash at random.

use ds::{hash::Field, listpack::Item};

use super::{Hash, is_due};

/// So often a field that is not due is looked for, before those that are not are gathered.
const TRIES_MAX: usize = 20;

/// A field and its value.
pub type Pair<'a> = (Item<'a>, Item<'a>);

impl Hash {
    /// Returns any field that is not due, each as likely as the others.
    pub fn random(&self, now_ms: i64, draw: &mut impl FnMut(u64) -> u64) -> Option<Pair<'_>> {
        match self {
            Self::Packed(list) => {
                let at = list.random(2, draw)?;
                Some((list.item(at), list.item(list.next(at)?)))
            }
            Self::Table(hash) => {
                for _ in 0..TRIES_MAX {
                    let field = hash.random(&mut *draw)?;
                    if !is_due(field, now_ms) {
                        return Some(pair(field));
                    }
                }
                let alive = self.alive(now_ms);
                let index = (!alive.is_empty()).then(|| draw(alive.len() as u64))?;
                alive.get(usize::try_from(index).ok()?).copied().map(pair)
            }
        }
    }

    /// Visits any fields that are not due, `count` times, each as likely as the others every
    /// time, as long as `visit` asks for more.
    pub fn random_any(
        &self,
        count: u64,
        now_ms: i64,
        draw: &mut impl FnMut(u64) -> u64,
        mut visit: impl FnMut(Pair<'_>) -> bool,
    ) {
        let has_due = self.next_expiry().is_some_and(|expiry_ms| expiry_ms <= now_ms);
        if let Self::Packed(list) = self {
            // Found once: each step is as short as in a table then.
            let pairs: Vec<Pair<'_>> = list.pairs().collect();
            any_of(&pairs, count, draw, |pair| visit(*pair));
        } else if has_due {
            any_of(&self.alive(now_ms), count, draw, |field| visit(pair(field)));
        } else if let Self::Table(hash) = self {
            for _ in 0..count {
                let Some(field) = hash.random(&mut *draw) else { return };
                if !visit(pair(field)) {
                    return;
                }
            }
        }
    }

    /// Visits `count` fields that are not due, or all if there are not so many, none of them
    /// twice; every such choice is as likely as the others. Returns how many they were.
    pub fn random_distinct(
        &self,
        count: usize,
        now_ms: i64,
        draw: &mut impl FnMut(u64) -> u64,
        mut visit: impl FnMut(Pair<'_>),
    ) -> usize {
        let has_due = self.next_expiry().is_some_and(|expiry_ms| expiry_ms <= now_ms);
        match self {
            Self::Packed(list) => {
                let places = list.random_distinct(count, 2, draw);
                for at in &places {
                    let value_at = list.next(*at).expect("a field has a value");
                    visit((list.item(*at), list.item(value_at)));
                }
                places.len()
            }
            Self::Table(_) if has_due => {
                let mut alive = self.alive(now_ms);
                let count = count.min(alive.len());
                for at in 0..count {
                    let left = (alive.len() - at) as u64;
                    let other = at + usize::try_from(draw(left)).expect("below a length");
                    alive.swap(at, other);
                    visit(pair(alive[at]));
                }
                count
            }
            Self::Table(hash) => {
                hash.random_distinct(count, &mut *draw, |field| visit(pair(field)));
                count.min(hash.len())
            }
        }
    }

    /// Gathers the fields that are not due.
    fn alive(&self, now_ms: i64) -> Vec<&Field> {
        let Self::Table(hash) = self else { return Vec::new() };
        hash.iter().filter(|field| !is_due(field, now_ms)).collect()
    }
}

fn pair(field: &Field) -> Pair<'_> {
    (Item::Bytes(field.name()), Item::Bytes(field.value()))
}

fn any_of<T>(
    all: &[T],
    count: u64,
    draw: &mut impl FnMut(u64) -> u64,
    mut visit: impl FnMut(&T) -> bool,
) {
    if all.is_empty() {
        return;
    }
    for _ in 0..count {
        let index = usize::try_from(draw(all.len() as u64)).expect("below a length");
        if !visit(&all[index]) {
            return;
        }
    }
}
