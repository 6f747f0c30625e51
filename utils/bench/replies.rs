//! Pure: counts replies in a stream that comes in pieces.

use crate::Outcome;

/// The state between two pieces.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    /// Bytes of a string's body, and the end of line behind it, that are still to come.
    body_bytes: usize,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// How many elements are still to come, of each array that is open.
    open: Vec<u64>,
}

impl Replies {
    /// Counts the replies that end in these bytes. An error reply is an error: a server
    /// that refuses is not to look fast.
    pub(crate) fn count(&mut self, mut bytes: &[u8]) -> Outcome<usize> {
        let mut count = 0;
        while !bytes.is_empty() {
            if 0 < self.body_bytes {
                let skipped = self.body_bytes.min(bytes.len());
                self.body_bytes -= skipped;
                bytes = &bytes[skipped..];
                count += usize::from(self.body_bytes == 0 && self.value_ended());
                continue;
            }
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                self.line.extend_from_slice(bytes);
                break;
            };
            let (line, rest) = bytes.split_at(end + 1);
            bytes = rest;
            let ends = if self.line.is_empty() {
                self.line_came(line)?
            } else {
                self.line.extend_from_slice(line);
                let whole = std::mem::take(&mut self.line);
                self.line_came(&whole)?
            };
            count += usize::from(ends);
        }
        Ok(count)
    }

    /// Says whether a reply ends with this line.
    fn line_came(&mut self, line: &[u8]) -> Outcome<bool> {
        let text = line.trim_ascii_end();
        match text.first() {
            Some(b'+' | b':') => Ok(self.value_ended()),
            Some(b'$') if text == b"$-1" => Ok(self.value_ended()),
            Some(b'$') => {
                let digits = String::from_utf8_lossy(&text[1..]);
                self.body_bytes = digits.parse::<usize>()? + 2;
                Ok(false)
            }
            Some(b'*') => match String::from_utf8_lossy(&text[1..]).parse()? {
                0 => Ok(self.value_ended()),
                count => {
                    self.open.push(count);
                    Ok(false)
                }
            },
            _ => Err(format!("unexpected reply: {}", String::from_utf8_lossy(text)).into()),
        }
    }

    /// Says whether a whole reply ends with the value that has just ended.
    fn value_ended(&mut self) -> bool {
        while let Some(missing) = self.open.last_mut() {
            *missing -= 1;
            if 0 < *missing {
                return false;
            }
            self.open.pop();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Replies;

    #[test]
    fn replies_are_counted_in_pieces_of_any_size() {
        let stream = b"+OK\r\n:12\r\n$-1\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n*0\r\n+PONG\r\n";
        for size in 1..=stream.len() {
            let mut replies = Replies::default();
            let counted = stream.chunks(size).map(|piece| replies.count(piece).unwrap());
            assert_eq!(counted.sum::<usize>(), 8, "pieces of {size}");
        }
    }

    #[test]
    fn an_error_reply_is_no_reply() {
        let error = Replies::default().count(b"-ERR no\r\n").unwrap_err();
        assert_eq!(error.to_string(), "unexpected reply: -ERR no");
    }
}
