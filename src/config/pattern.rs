//! Pure: glob patterns over names, in any case.

/// Whether a pattern with `*`, `?`, `[…]` and `\` matches a whole name.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where to take up again when a star must swallow one byte more.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, n));
            p += 1;
            continue;
        }
        match one(&pattern[p..], name[n].to_ascii_lowercase()) {
            Some(used) => (p, n) = (p + used, n + 1),
            None => {
                let Some((after, swallowed)) = star else { return false };
                star = Some((after, swallowed + 1));
                (p, n) = (after, swallowed + 1);
            }
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Matches one lower-case byte, and says how much of the pattern that took.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', ..] => {
            let (does_match, used) = class(pattern, byte);
            does_match.then_some(used)
        }
        [b'\\', escaped, ..] => (escaped.to_ascii_lowercase() == byte).then_some(2),
        [literal, ..] => (literal.to_ascii_lowercase() == byte).then_some(1),
    }
}

fn class(pattern: &[u8], byte: u8) -> (bool, usize) {
    let is_negated = pattern.get(1) == Some(&b'^');
    let mut at = if is_negated { 2 } else { 1 };
    let mut is_in = false;
    loop {
        match &pattern[at.min(pattern.len())..] {
            // A class without an end reaches to the end of the pattern.
            [] => return (is_in != is_negated, pattern.len()),
            [b']', ..] => return (is_in != is_negated, at + 1),
            [b'\\', escaped, ..] => {
                is_in |= escaped.to_ascii_lowercase() == byte;
                at += 2;
            }
            [from, b'-', to, ..] => {
                let (from, to) = (from.to_ascii_lowercase(), to.to_ascii_lowercase());
                is_in |= (from.min(to)..=from.max(to)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                is_in |= literal.to_ascii_lowercase() == byte;
                at += 1;
            }
        }
    }
}
