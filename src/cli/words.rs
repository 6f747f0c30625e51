//! Pure: lines taken apart into words, quotes and escapes understood.
//!
//! `"…"` knows `\n`, `\r`, `\t`, `\a`, `\b` and `\xff`; `'…'` only `\'`. A closing quote
//! ends its word.

/// Splits a line; `None` if a quote is left open or runs on into a word.
pub(crate) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        // A zero ends a line, as it does for every C program.
        if rest.first().is_none_or(|byte| *byte == 0) {
            return Some(words);
        }
        let (word, after) = take_word(rest)?;
        words.push(word);
        rest = after;
    }
}

/// Returns what a single word says; `None` if it is none or several.
pub(crate) fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let mut words = split(text)?;
    if words.len() == 1 { words.pop() } else { None }
}

fn take_word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        match rest {
            [] | [0, ..] => return Some((word, rest)),
            [byte, ..] if byte.is_ascii_whitespace() => return Some((word, rest)),
            [quote @ (b'"' | b'\''), tail @ ..] => {
                rest = take_quoted(&mut word, *quote, tail)?;
                let is_end =
                    rest.first().is_none_or(|byte| *byte == 0 || byte.is_ascii_whitespace());
                return is_end.then_some((word, rest));
            }
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

/// Takes what stands in quotes; returns what comes behind them.
fn take_quoted<'a>(word: &mut Vec<u8>, quote: u8, mut rest: &'a [u8]) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return None,
            [byte, tail @ ..] if *byte == quote => return Some(tail),
            [b'\\', b'x', high, low, tail @ ..]
                if quote == b'"' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex(*high) << 4 | hex(*low));
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] if quote == b'"' => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 7,
                    b'b' => 8,
                    other => *other,
                });
                rest = tail;
            }
            [b'\\', b'\'', tail @ ..] if quote == b'\'' => {
                word.push(b'\'');
                rest = tail;
            }
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::{split, unquote};

    #[test]
    fn quotes_and_escapes_are_understood() {
        let table: [(&[u8], &[&[u8]]); 8] = [
            (b"", &[]),
            (b"  set  k v ", &[b"set", b"k", b"v"]),
            (b"a \"b c\" d", &[b"a", b"b c", b"d"]),
            (b"\"\\x00\\xfF\\n\\q\\\"\"", &[b"\x00\xff\nq\""]),
            (b"'a\\'b\\n'", &[b"a'b\\n"]),
            (b"\"\" ''", &[b"", b""]),
            (b"pre\"quoted\"", &[b"prequoted"]),
            (b"\"\\xg1\"", &[b"xg1"]),
        ];
        for (line, words) in table {
            assert_eq!(split(line).unwrap(), words, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn quotes_that_do_not_end_a_word_are_refused() {
        for line in ["\"a", "'a", "\"a\"b", "'a'\"b\"", "\"a\\"] {
            assert_eq!(split(line.as_bytes()), None, "{line}");
        }
        assert_eq!(unquote(b"a b"), None);
        assert_eq!(unquote(b""), None);
        assert_eq!(unquote(b"\"a b\""), Some(b"a b".to_vec()));
    }
}
