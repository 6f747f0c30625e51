//! Pure: words of a configuration line, quoted as Redis quotes them.

/// Splits a line into words. Double quotes know escapes (`\n`, `\xff`), single quotes only `\'`.
/// Returns `None` when quotes do not balance or text follows a closing one.
pub(super) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = skip_blanks(line);
    while !rest.is_empty() {
        let mut word = Vec::new();
        rest = take_word(rest, &mut word)?;
        words.push(word);
        rest = skip_blanks(rest);
    }
    Some(words)
}

/// Puts a text between double quotes, with escapes for all that is not printable.
pub(super) fn quote(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => quoted.extend_from_slice(&[b'\\', byte]),
            b'\n' => quoted.extend_from_slice(b"\\n"),
            b'\r' => quoted.extend_from_slice(b"\\r"),
            b'\t' => quoted.extend_from_slice(b"\\t"),
            0x07 => quoted.extend_from_slice(b"\\a"),
            0x08 => quoted.extend_from_slice(b"\\b"),
            b' '..=b'~' => quoted.push(byte),
            _ => quoted.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    quoted.push(b'"');
    quoted
}

/// Quotes only what would not come back as one word.
pub(super) fn quote_if_needed(text: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'\\".contains(byte);
    if !text.is_empty() && text.iter().all(is_plain) { text.to_vec() } else { quote(text) }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let at = text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len());
    &text[at..]
}

/// C's `isspace`.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn take_word<'a>(text: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b' ' | b'\n' | b'\r' | b'\t' => return Some(rest),
            b'"' => return at_word_end(take_double_quoted(after, word)?),
            b'\'' => return at_word_end(take_single_quoted(after, word)?),
            _ => {
                word.push(byte);
                after
            }
        };
    }
    Some(rest)
}

fn at_word_end(rest: &[u8]) -> Option<&[u8]> {
    rest.first().is_none_or(|&byte| is_blank(byte)).then_some(rest)
}

fn take_double_quoted<'a>(text: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return None,
            [b'"', after @ ..] => return Some(after),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex_digit(*high) << 4 | hex_digit(*low));
                after
            }
            [b'\\', escaped, after @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                after
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
        };
    }
}

fn take_single_quoted<'a>(text: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return None,
            [b'\'', after @ ..] => return Some(after),
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                after
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
        };
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_quoting() {
        let every_byte: Vec<u8> = (0..=255).collect();
        for text in [every_byte.as_slice(), b"", b"a b", b"a\nport 1", b"\\x41", b"'\""] {
            assert_eq!(split(&quote(text)), Some(vec![text.to_vec()]));
            assert_eq!(split(&quote_if_needed(text)), Some(vec![text.to_vec()]));
            assert!(!quote(text).contains(&b'\n'), "a value stays on its line");
        }
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in ["\"a", "'a", "\"a\"b", "'a'b", "a \"", "\"\\\""] {
            assert_eq!(split(line.as_bytes()), None, "{line}");
        }
        let words = split(b" save  \"\" 'it\\'s' a\"b c\" ").unwrap();
        assert_eq!(words, [&b"save"[..], b"", b"it's", b"ab c"]);
    }
}
