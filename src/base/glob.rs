//! Pure: glob patterns of KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACLs.
//!
//! `*` any bytes, `?` any byte, `[abc]`, `[^a]`, `[a-z]` one of a class, `\x` the byte
//! itself. Every other token takes exactly one byte, so of all stars only the last one
//! passed can need to take more: one point to go back to is enough, there is no
//! recursion, and the time is at most pattern times text.
//!
//! Redis's odd cases are kept, since patterns are stored in ACLs and clients:
//! * an empty text matches an empty pattern only, not even `*`;
//! * a class without end goes to the end of the pattern; `[]` matches nothing, `[^]` all;
//! * `]` as the end of a range is no end of the class, and ends of a range may be swapped;
//! * bytes of a range compare signed; without case the ends are swapped signed, and then
//!   all but 0xff compare unsigned and in lower case;
//! * an escaped byte in a class keeps its case;
//! * a backslash at the end is a backslash;
//! * a pattern with more than a thousand stars to pass matches nothing.

use std::ops::ControlFlow;

/// More stars than this with something behind them match nothing.
const STARS_MAX: usize = 1000;

/// Tells letters of a different case apart, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `a` does not match `A`.
    Sensitive,
    /// `a` matches `A`; ASCII letters only.
    Ignored,
}

/// Tells whether all of `text` matches `pattern`.
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut at, mut text_at, mut star_count) = (0, 0, 0);
    // Behind the last star: where the pattern goes on, and where the text was tried.
    let mut star: Option<(usize, usize)> = None;
    while text_at < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += stars(&pattern[at..]);
            if at == pattern.len() {
                return true;
            }
            star_count += 1;
            if star_count > STARS_MAX {
                return false;
            }
            star = Some((at, text_at));
            continue;
        }
        if let Some(length) = match_one(&pattern[at..], text[text_at], case) {
            at += length;
            text_at += 1;
            // The text may end before the pattern; only stars may be left then.
            if text_at < text.len() || at + stars(&pattern[at..]) == pattern.len() {
                continue;
            }
        }
        let Some((behind, tried)) = &mut star else { return false };
        *tried += 1;
        (at, text_at) = (*behind, *tried);
        if text_at == text.len() {
            return false;
        }
    }
    true
}

/// Tells whether a pattern can match only the text that it is.
pub fn is_literal(pattern: &[u8]) -> bool {
    !pattern.iter().any(|c| matches!(c, b'*' | b'?' | b'[' | b'\\'))
}

fn stars(pattern: &[u8]) -> usize {
    pattern.iter().take_while(|c| **c == b'*').count()
}

/// Matches the first token, which is no star; returns its length if it takes `c`.
#[inline]
fn match_one(pattern: &[u8], c: u8, case: Case) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => match_class(class, c, case).map(|length| length + 1),
        [b'\\', literal, ..] => is_same(*literal, c, case).then_some(2),
        [literal, ..] => is_same(*literal, c, case).then_some(1),
    }
}

#[inline]
fn is_same(a: u8, b: u8, case: Case) -> bool {
    a == b || case == Case::Ignored && a.eq_ignore_ascii_case(&b)
}

/// Matches a class, given without its bracket; returns its length if it has `c`.
fn match_class(class: &[u8], c: u8, case: Case) -> Option<usize> {
    let is_inverted = class.first() == Some(&b'^');
    let mut at = usize::from(is_inverted);
    let mut has = false;
    while let ControlFlow::Continue(length) = next_member(&class[at..], c, case, &mut has) {
        at += length;
    }
    // A closing bracket belongs to the class, if there is one.
    (has != is_inverted).then_some(class.len().min(at + 1))
}

/// Looks at one member of a class and returns its length; breaks at the end.
fn next_member(class: &[u8], c: u8, case: Case, has: &mut bool) -> ControlFlow<(), usize> {
    match class {
        [] | [b']', ..] => ControlFlow::Break(()),
        [b'\\', literal, ..] => {
            *has |= *literal == c;
            ControlFlow::Continue(2)
        }
        [first, b'-', last, ..] => {
            *has |= is_within(*first, *last, c, case);
            ControlFlow::Continue(3)
        }
        [literal, ..] => {
            *has |= is_same(*literal, c, case);
            ControlFlow::Continue(1)
        }
    }
}

fn is_within(first: u8, last: u8, c: u8, case: Case) -> bool {
    // Signed, as C's char is where Redis usually runs.
    let (first, last) = (first.cast_signed(), last.cast_signed());
    let (least, most) = (first.min(last), first.max(last));
    let fold = |c: i8| match case {
        Case::Sensitive => i32::from(c),
        // C's tolower takes an unsigned byte or -1 (EOF), and makes one of a signed byte.
        Case::Ignored if c == -1 => -1,
        Case::Ignored => i32::from(c.cast_unsigned().to_ascii_lowercase()),
    };
    (fold(least)..=fold(most)).contains(&fold(c.cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn check(pattern: &[u8], text: &[u8]) -> bool {
        matches(pattern, text, Case::Sensitive)
    }

    #[test]
    fn plain_cases() {
        let yes: [(&str, &str); 24] = [
            ("", ""),
            ("*", "a"),
            ("***", "abc"),
            ("a*", "a"),
            ("a**", "a"),
            ("*c", "abc"),
            ("a*c", "abcabc"),
            ("*b*", "abc"),
            ("h?llo", "hello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hbllo"),
            ("\\*", "*"),
            ("a\\", "a\\"),
            ("*\\", "ab\\"),
            ("[a", "a"),
            ("[^a", "b"),
            ("[^]", "x"),
            ("[^", "x"),
            ("[a-]", "_"),
            ("[a-]]", "]"),
            ("[\\]]", "]"),
            ("[\\", "\\"),
        ];
        for (pattern, text) in yes {
            assert!(check(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        let no: [(&str, &str); 16] = [
            ("", "a"),
            ("*", ""),
            ("a", ""),
            ("a", "ab"),
            ("ab", "a"),
            ("a*b", "a"),
            ("*ab", "abc"),
            ("h[^a]llo", "hallo"),
            ("\\a", "\\a"),
            ("[]", "x"),
            ("[", "["),
            ("[]a]", "a"),
            ("[a", "b"),
            ("[a-c]", "-"),
            ("?", ""),
            ("??", "a"),
        ];
        for (pattern, text) in no {
            assert!(!check(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn case_is_ignored_as_far_as_redis_does() {
        let cases: [(&str, &str, bool); 8] = [
            ("HeL*o", "hEllO", true),
            ("[ABC]x", "bX", true),
            ("[A-C]", "b", true),
            ("[a-c]", "B", true),
            // Swapped before the case is dropped: from `z` to `a` there is nothing.
            ("[Z-a]", "b", false),
            ("[\\A]", "a", false),
            ("[\\A]", "A", true),
            ("\\A", "a", true),
        ];
        for (pattern, text, expected) in cases {
            let is_match = matches(pattern.as_bytes(), text.as_bytes(), Case::Ignored);
            assert_eq!(is_match, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn bytes_of_ranges_are_signed() {
        assert!(check(b"[\x80-a]", b"A") && check(b"[\x80-a]", b"\xff"));
        assert!(
            !check(b"[\x80-a]", b"z") && !check(b"[a-\xff]", b"z") && check(b"[a-\xff]", b"\xff")
        );
    }

    #[test]
    fn bytes_of_ranges_without_case_are_unsigned_but_the_last() {
        let cases: [(&[u8], &[u8], bool); 4] = [
            (b"[A-\x80]", b"\x80", false),
            (b"[\x80-\x90]", b"\x85", true),
            (b"[\xff-a]", b"B", false),
            (b"[\xff-a]", b"A", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text, Case::Ignored), expected, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn abusive_patterns_take_no_long() {
        let text = vec![b'a'; 20_000];
        let mut pattern = b"a*".repeat(900);
        pattern.push(b'b');
        let start = std::time::Instant::now();
        assert!(!check(&pattern, &text));
        assert!(start.elapsed().as_secs() < 10, "it would take longer than the universe");
    }

    #[test]
    fn a_thousand_stars_are_passed_and_no_more() {
        let text = vec![b'a'; 3_000];
        for (count, expected) in [(1000, true), (1001, false)] {
            assert_eq!(check(&[&b"*a".repeat(count)[..], b"*"].concat(), &text), expected);
        }
        assert!(check(&b"*".repeat(5_000), &text), "stars in a row are one");
    }

    /// The definition, by all ways to divide the text; exponential, so for short texts.
    fn by_definition(pattern: &[u8], text: &[u8], case: Case) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            ([b'*', rest @ ..], _) => {
                (0..=text.len()).any(|at| by_definition(rest, &text[at..], case))
            }
            (_, []) => false,
            (_, [c, rest @ ..]) => match_one(pattern, *c, case)
                .is_some_and(|length| by_definition(&pattern[length..], rest, case)),
        }
    }

    #[test]
    fn one_point_to_go_back_to_is_enough() {
        let mut random = Random::for_test("one_point_to_go_back_to_is_enough");
        let mut match_count = 0;
        for _ in 0..100_000 {
            let mut pick = |alphabet: &[u8], end: usize| -> Vec<u8> {
                let length = random.index(end);
                (0..length).map(|_| alphabet[random.index(alphabet.len())]).collect()
            };
            let (pattern, text) = (pick(b"aabbAB***?[]^-\\", 9), pick(b"aaabbAB]-", 9));
            for case in [Case::Sensitive, Case::Ignored] {
                let expected = if text.is_empty() {
                    pattern.is_empty()
                } else {
                    by_definition(&pattern, &text, case)
                };
                let context = format!("{} {}", pattern.escape_ascii(), text.escape_ascii());
                assert_eq!(matches(&pattern, &text, case), expected, "{context}");
                match_count += u32::from(expected);
            }
        }
        assert!(match_count > 1000);
    }

    #[test]
    fn literal_patterns_are_known() {
        assert!(is_literal(b"key:1]^-") && is_literal(b""));
        assert!([b"a*", b"?b", b"[c", b"\\d"].iter().all(|pattern| !is_literal(*pattern)));
    }
}
