//! Tool: what a client says: words with quotes, and how they travel.
//!
//! The harness has its own splitter, so that a fault in the server's is seen.

use std::collections::BTreeMap;

/// Splits a line into words, which stand between spaces or in quotes, or says what is wrong.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii();
    while let Some(&first) = rest.first() {
        let (word, length) = match first {
            b'"' => quoted(rest)?,
            b'\'' => {
                let end = rest[1..].iter().position(|&byte| byte == b'\'');
                let end = end.ok_or("a single quote is not closed")?;
                (rest[1..=end].to_vec(), end + 2)
            }
            _ => {
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                (rest[..end].to_vec(), end)
            }
        };
        words.push(word);
        rest = rest[length..].trim_ascii_start();
    }
    Ok(words)
}

/// Reads a word in double quotes; returns it and how many bytes it took.
fn quoted(text: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let mut at = 1;
    let start = at;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return Ok((unescape(&text[start..at])?, at + 1)),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err("a double quote is not closed".into())
}

/// Replaces `\r`, `\n`, `\t`, `\a`, `\b`, `\xHH` by the bytes they mean.
pub(crate) fn unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let [escape, tail @ ..] = rest else { return Err("a backslash ends the text".into()) };
        rest = tail;
        bytes.push(match escape {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'a' => 7,
            b'b' => 8,
            b'x' => {
                let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                rest = rest.get(2..).unwrap_or_default();
                byte.ok_or("two hexadecimal digits follow \\x")?
            }
            other => *other,
        });
    }
    Ok(bytes)
}

/// Writes a request as an array of bulk strings.
pub fn encode<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    request
}

/// Replaces `{name}` by what was captured and `{text*count}` by repetition. Other braces stay.
pub(crate) fn substitute(text: &str, captured: &BTreeMap<String, String>) -> String {
    replace_braces(text, |inner| {
        let repeated = || {
            let (unit, count) = inner.rsplit_once('*')?;
            Some(unit.repeat(count.parse().ok()?)).filter(|_| !unit.is_empty())
        };
        captured.get(inner).cloned().or_else(repeated)
    })
}

/// Replaces `{name}` alone: in an expectation, repetition is how a reply is written.
pub(crate) fn recall(text: &str, captured: &BTreeMap<String, String>) -> String {
    replace_braces(text, |inner| captured.get(inner).cloned())
}

fn replace_braces(text: &str, meaning: impl Fn(&str) -> Option<String>) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        done += &rest[..start];
        rest = &rest[start..];
        let found = rest.find('}').and_then(|end| Some((meaning(&rest[1..end])?, end)));
        match found {
            Some((text, end)) => {
                done += &text;
                rest = &rest[end + 1..];
            }
            None => {
                done.push('{');
                rest = &rest[1..];
            }
        }
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_between_spaces_or_in_quotes() {
        let words = split(br#" SET  k "two words\x00\"" '' 'a\' b\ "#).unwrap();
        let expected: [&[u8]; 6] = [b"SET", b"k", b"two words\0\"", b"", b"a\\", b"b\\"];
        assert_eq!(words, expected);
        assert!(split(b"SET \"k").is_err());
        assert!(split(b"SET 'k").is_err());
        assert!(split(b"SET \"\\xzz\"").is_err());
    }

    #[test]
    fn braces_stand_for_captures_and_repetition() {
        let captured = BTreeMap::from([("id".to_string(), "7".to_string())]);
        assert_eq!(substitute("K {id} {ab*3} {tag}k {", &captured), "K 7 ababab {tag}k {");
        assert_eq!(recall("{id} {ab*3}", &captured), "7 {ab*3}");
    }
}
