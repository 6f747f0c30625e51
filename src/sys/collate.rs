//! Tool: the order of texts by a locale (`LC_COLLATE`), as libc knows it.
//!
//! A locale is an object here: `setlocale` would change what all threads of the process have in
//! common. Nobody promises that libc's order is a total one whatever bytes the texts consist of,
//! and the sorts of `std` may panic where it is none: so texts are merged here (`merged`). Keys of
//! `strxfrm` would be no way out: in some locales of GNU's libc their order is not that of
//! `strcoll`, which Redis has.

use std::{
    cmp::Ordering,
    ffi::{CStr, CString, c_char, c_int},
    mem, ptr,
};

#[expect(unsafe_code, reason = "POSIX has it, the crate `libc` has not")]
unsafe extern "C" {
    /// Compares two texts.
    fn strcoll_l(a: *const c_char, b: *const c_char, locale: libc::locale_t) -> c_int;
}

/// An order of texts. As libc has it, a text ends before its first zero.
#[derive(Debug, Default)]
pub struct Collation {
    /// None is that of bytes, as long as nobody has named one.
    locale: Option<Locale>,
}

impl Collation {
    /// Returns the order of a locale; an empty name is that of the environment. None if the
    /// system has no such locale.
    pub fn named(name: &[u8]) -> Option<Self> {
        let locale = Locale::new(&CString::new(name).ok()?)?;
        Some(Self { locale: Some(locale) })
    }

    /// Puts what goes by texts in their order: none goes before all. Those that are alike stay as
    /// they are, in either direction.
    pub fn sort<T>(&self, mut bearers: Vec<(Option<CString>, T)>, is_descending: bool) -> Vec<T> {
        let turned = |order: Ordering| if is_descending { order.reverse() } else { order };
        let Some(locale) = &self.locale else {
            bearers.sort_by(|(a, _), (b, _)| turned(a.cmp(b)));
            return bearers.into_iter().map(|(_, bearer)| bearer).collect();
        };
        let (texts, bearers): (Vec<_>, Vec<_>) = bearers.into_iter().unzip();
        let compare = |a: usize, b: usize| match (&texts[a], &texts[b]) {
            (Some(a), Some(b)) => turned(locale.compare(a, b)),
            (a, b) => turned(a.is_some().cmp(&b.is_some())),
        };
        let mut bearers: Vec<_> = bearers.into_iter().map(Some).collect();
        let taken = merged(texts.len(), compare).into_iter().map(|at| bearers[at].take());
        taken.map(|bearer| bearer.expect("each index is there once")).collect()
    }
}

/// Returns the indices below `count` in their order, by merging ever longer runs. It ends whatever
/// `compare` says.
fn merged(count: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let (mut from, mut to): (Vec<usize>, _) = ((0..count).collect(), vec![0; count]);
    let mut run = 1;
    while run < count {
        for start in (0..count).step_by(2 * run) {
            let (middle, end) = ((start + run).min(count), (start + 2 * run).min(count));
            let (mut left, mut right) = (start, middle);
            for place in &mut to[start..end] {
                let is_left = right == end
                    || left < middle && compare(from[left], from[right]) != Ordering::Greater;
                let next = if is_left { &mut left } else { &mut right };
                *place = from[*next];
                *next += 1;
            }
        }
        mem::swap(&mut from, &mut to);
        run *= 2;
    }
    from
}

/// Cuts a text where libc ends it.
pub fn terminated(text: &[u8]) -> CString {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    CString::new(&text[..end]).expect("it was cut there")
}

/// Owns a locale of libc.
#[derive(Debug)]
struct Locale(libc::locale_t);

impl Locale {
    #[expect(unsafe_code, reason = "locales are libc's")]
    fn new(name: &CString) -> Option<Self> {
        // SAFETY: the name is a string that ends, and no locale is given to be built upon.
        let locale =
            unsafe { libc::newlocale(libc::LC_COLLATE_MASK, name.as_ptr(), ptr::null_mut()) };
        if locale.is_null() { None } else { Some(Self(locale)) }
    }

    #[expect(unsafe_code, reason = "the order of a locale is libc's")]
    fn compare(&self, a: &CStr, b: &CStr) -> Ordering {
        // SAFETY: both are strings that end, and the locale lives as long as `self`.
        unsafe { strcoll_l(a.as_ptr(), b.as_ptr(), self.0) }.cmp(&0)
    }
}

impl Drop for Locale {
    #[expect(unsafe_code, reason = "locales are libc's")]
    fn drop(&mut self) {
        // SAFETY: `newlocale` gave it to this owner alone.
        unsafe { libc::freelocale(self.0) };
    }
}

// SAFETY: a locale is not changed after it was made, and belongs to no thread.
#[expect(unsafe_code, reason = "a raw pointer says nothing of threads")]
unsafe impl Send for Locale {}

#[cfg(test)]
mod tests {
    use super::{Collation, merged, terminated};

    #[test]
    fn without_a_locale_texts_have_the_order_of_their_bytes_up_to_a_zero() {
        // C.UTF-8 is not on all systems.
        let named = ["C", "POSIX", "C.UTF-8"].map(|name| Collation::named(name.as_bytes()));
        assert!(named[0].is_some() && named[1].is_some());
        for order in named.into_iter().flatten().chain([Collation::default()]) {
            let texts: [&[u8]; 7] = [b"b", b"a\xff", b"a\0z", b"a\0b", b"", b"\0", b"B"];
            let sorted = |is_descending| {
                let texts = texts.iter().map(|text| (Some(terminated(text)), *text));
                order.sort([(None, &b"none"[..])].into_iter().chain(texts).collect(), is_descending)
            };
            let up: [&[u8]; 8] = [b"none", b"", b"\0", b"B", b"a\0z", b"a\0b", b"a\xff", b"b"];
            assert_eq!(sorted(false), up);
            let down: [&[u8]; 8] = [b"b", b"a\xff", b"a\0z", b"a\0b", b"B", b"", b"\0", b"none"];
            assert_eq!(sorted(true), down);
        }
    }

    #[test]
    fn merging_sorts_and_leaves_what_is_alike() {
        for count in 0..70 {
            let weight = |at: usize| at * 7919 % 13;
            let mut expected: Vec<usize> = (0..count).collect();
            expected.sort_by_key(|at| weight(*at));
            assert_eq!(merged(count, |a, b| weight(a).cmp(&weight(b))), expected);
            // Also where there is no order, it ends, and all are there.
            let mut any = merged(count, |a, b| ((a * 31) ^ (b * 17)).cmp(&((b * 13) ^ (a * 29))));
            any.sort_unstable();
            assert!(any.into_iter().eq(0..count));
        }
    }

    #[test]
    fn an_unknown_name_is_none() {
        for name in [&b"no_SUCH.locale"[..], b"C\0D", b"../C"] {
            assert!(Collation::named(name).is_none(), "{name:?}");
        }
    }
}
