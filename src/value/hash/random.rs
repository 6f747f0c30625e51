//! Pure: fields of a hash at random.

use ds::{hash::Field, listpack::Item};

use super::{Hash, expiring::STRIDE, is_due};

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
            Self::Expiring(hash) => {
                let due = self.len() - self.alive_len(now_ms);
                let index = (due < self.len()).then(|| draw((self.len() - due) as u64))?;
                let entry = hash.entries().nth(due + usize::try_from(index).ok()?)?;
                Some((entry.name, entry.value))
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
                alive.get(usize::try_from(index).ok()?).copied()
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
        // What is in a list is found once: each step is as short as in a table then.
        if has_due || self.list().is_some() {
            any_of(&self.alive(now_ms), count, draw, |pair| visit(*pair));
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
            Self::Expiring(hash) if !has_due => {
                let places = hash.list().random_distinct(count, STRIDE, draw);
                for at in &places {
                    let entry = hash.entry_at(*at);
                    visit((entry.name, entry.value));
                }
                places.len()
            }
            Self::Table(hash) if !has_due => {
                hash.random_distinct(count, &mut *draw, |field| visit(pair(field)));
                count.min(hash.len())
            }
            Self::Expiring(_) | Self::Table(_) => {
                let mut alive = self.alive(now_ms);
                let count = count.min(alive.len());
                for at in 0..count {
                    let left = (alive.len() - at) as u64;
                    let other = at + usize::try_from(draw(left)).expect("below a length");
                    alive.swap(at, other);
                    visit(alive[at]);
                }
                count
            }
        }
    }

    /// Gathers the fields that are not due.
    fn alive(&self, now_ms: i64) -> Vec<Pair<'_>> {
        match self {
            Self::Packed(list) => list.pairs().collect(),
            Self::Expiring(hash) => {
                let alive = hash.entries().skip_while(|entry| entry.is_due(now_ms));
                alive.map(|entry| (entry.name, entry.value)).collect()
            }
            Self::Table(hash) => {
                hash.iter().filter(|field| !is_due(field, now_ms)).map(pair).collect()
            }
        }
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
