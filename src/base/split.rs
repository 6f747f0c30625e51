//! Pure: arguments with quotes, as configuration files, inline commands and tools have
//! them, and the quoted form in which MONITOR, CONFIG REWRITE and the log show bytes.
//!
//! Whitespace parts arguments. In double quotes `\xHH`, `\n`, `\r`, `\t`, `\b`, `\a` stand
//! for bytes and any other escaped byte for itself; in single quotes only `\'` is special.
//! A closing quote ends the argument. A zero byte ends the line, as everything is a C
//! string to Redis here.

use std::{error::Error, fmt};

use crate::Bytes;

/// A quote was not closed, or something stood right behind a closing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnbalancedQuotes;

impl fmt::Display for UnbalancedQuotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unbalanced quotes")
    }
}

impl Error for UnbalancedQuotes {}

/// Splits a line into its arguments.
pub fn split_args(line: &[u8]) -> Result<Vec<Bytes>, UnbalancedQuotes> {
    let end = line.iter().position(|c| *c == 0).unwrap_or(line.len());
    let mut rest = &line[..end];
    let mut args = Vec::new();
    loop {
        let blank_count = rest.iter().take_while(|c| is_space(**c)).count();
        rest = &rest[blank_count..];
        if rest.is_empty() {
            return Ok(args);
        }
        let mut arg = Vec::new();
        rest = split_one(rest, &mut arg)?;
        args.push(arg.into_boxed_slice());
    }
}

/// Appends `bytes` in double quotes, with escapes for all that is not printable ASCII.
pub fn write_repr(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\x07' => out.extend_from_slice(b"\\a"),
            b'\x08' => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(*byte),
            _ => {
                out.extend_from_slice(b"\\x");
                out.extend_from_slice(&crate::random::hex::<1, 2>(&[*byte]));
            }
        }
    }
    out.push(b'"');
}

/// Returns `bytes` as `write_repr` appends them.
pub fn repr(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_repr(&mut out, bytes);
    out
}

/// Tells whether CONFIG REWRITE must quote a value for it to be read back as one argument.
pub fn needs_quotes(bytes: &[u8]) -> bool {
    bytes.is_empty()
        || bytes.iter().any(|c| !matches!(c, b'!'..=b'~') || matches!(c, b'\\' | b'"' | b'\''))
}

/// Reads the argument that `rest` starts with; returns what is behind it.
fn split_one<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        match rest {
            [] | [b' ' | b'\n' | b'\r' | b'\t', ..] => return Ok(rest),
            [b'"', quoted @ ..] => return behind_quote(double_quoted(quoted, arg)?),
            [b'\'', quoted @ ..] => return behind_quote(single_quoted(quoted, arg)?),
            [byte, behind @ ..] => {
                arg.push(*byte);
                rest = behind;
            }
        }
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        let (byte, behind) = match rest {
            [b'"', behind @ ..] => return Ok(behind),
            [b'\\', b'x', high @ (b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F'), low, behind @ ..]
                if low.is_ascii_hexdigit() =>
            {
                (hex_digit(*high) << 4 | hex_digit(*low), behind)
            }
            [b'\\', escaped, behind @ ..] => (unescaped(*escaped), behind),
            [byte, behind @ ..] => (*byte, behind),
            [] => return Err(UnbalancedQuotes),
        };
        arg.push(byte);
        rest = behind;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        let (byte, behind) = match rest {
            [b'\'', behind @ ..] => return Ok(behind),
            [b'\\', b'\'', behind @ ..] => (b'\'', behind),
            [byte, behind @ ..] => (*byte, behind),
            [] => return Err(UnbalancedQuotes),
        };
        arg.push(byte);
        rest = behind;
    }
}

fn behind_quote(rest: &[u8]) -> Result<&[u8], UnbalancedQuotes> {
    if rest.first().is_none_or(|c| is_space(*c)) { Ok(rest) } else { Err(UnbalancedQuotes) }
}

fn unescaped(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => b'\x08',
        b'a' => b'\x07',
        other => other,
    }
}

fn hex_digit(c: u8) -> u8 {
    match c {
        b'0'..=b'9' => c - b'0',
        _ => (c | 0x20) - b'a' + 10,
    }
}

/// C's `isspace`, which knows two more than what ends an argument without quotes.
fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn check(line: &[u8], expected: &[&[u8]]) {
        let args = split_args(line).unwrap();
        let args: Vec<&[u8]> = args.iter().map(|arg| &arg[..]).collect();
        assert_eq!(args, expected, "{}", line.escape_ascii());
    }

    #[test]
    fn arguments_are_parted_by_blanks() {
        check(b"", &[]);
        check(b" \t\r\n\x0b\x0c", &[]);
        check(b"set  key\tvalue\r\n", &[b"set", b"key", b"value"]);
        check(b"\x0bset a\x0bb", &[b"set", b"a\x0bb"]);
        check(b"get a\0 b", &[b"get", b"a"]);
        check(b"a\\n b\xff", &[b"a\\n", b"b\xff"]);
    }

    #[test]
    fn quotes_keep_blanks() {
        check(br#""a b" 'c d'"#, &[b"a b", b"c d"]);
        check(br#""" ''"#, &[b"", b""]);
        check(br#"a"b c" d'e f'"#, &[b"ab c", b"de f"]);
        check(br#""\x41\xfF\n\r\t\b\a\"\\\q\'""#, &[b"A\xff\n\r\t\x08\x07\"\\q'"]);
        check(br#""\x4\xg1\x""#, &[b"x4xg1x"]);
        check(br#"'a\n\'\\b'"#, &[br"a\n'\\b"]);
        check(b"\"a\"\x0b\"b\"", &[b"a", b"b"]);
    }

    #[test]
    fn unbalanced_quotes_are_an_error() {
        let lines: [&[u8]; 10] = [
            b"\"", b"'", b"\"a", b"'a\\'", b"\"a\"b", b"'a'b", b"'a''b'", b"\"\\\"", b"\"\\",
            b"\"a\0\"",
        ];
        for line in lines {
            assert_eq!(split_args(line), Err(UnbalancedQuotes), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn bytes_are_shown_quoted() {
        assert_eq!(
            repr(b"a \"b\"\\\n\r\t\x07\x08\0\x7f\xc3"),
            br#""a \"b\"\\\n\r\t\a\b\x00\x7f\xc3""#
        );
        assert_eq!(repr(b""), b"\"\"");
    }

    #[test]
    fn what_is_shown_reads_back() {
        let mut random = Random::for_test("what_is_shown_reads_back");
        for _ in 0..20_000 {
            let mut bytes = vec![0; random.index(20)];
            random.fill(&mut bytes);
            let line = [&b"x "[..], &repr(&bytes), b" y"].concat();
            check(&line, &[b"x", &bytes, b"y"]);
            if !needs_quotes(&bytes) {
                check(&bytes, &[&bytes]);
            }
            bytes.retain(|c| b"\"'\\x a\xe9".contains(c));
            let _ = split_args(&bytes);
        }
        assert!(needs_quotes(b"") && needs_quotes(b"a b") && !needs_quotes(b"a:1-b"));
    }
}
