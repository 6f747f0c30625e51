//! Pure: one message for many readers: encoded once, and written to each in its protocol.
//!
//! The two protocols differ in the first byte alone. What is big stands beside the encoded
//! bytes, shared, and is never copied.

use crate::{
    Shared,
    reply::{Protocol, Reply, SHARED_BYTES_MIN, write_bulk, write_length},
};

/// More memory than this is not kept for the next message.
const BYTES_KEPT: usize = 64 * 1024;

/// See the head of the file. Its memory serves one message after the other.
#[derive(Debug, Default)]
pub struct Push {
    bytes: Vec<u8>,
    big: Option<Shared>,
}

impl Push {
    /// Begins a message of `count` parts.
    pub fn begin(&mut self, count: usize) {
        self.clear();
        write_length(&mut self.bytes, b'>', count);
    }

    /// Adds a part.
    pub fn bulk(&mut self, data: &[u8]) {
        write_bulk(&mut self.bytes, data);
    }

    /// Adds the last part, which may be big; `shared` is the same in a form that is kept
    /// without a copy, if there is one.
    pub fn last(&mut self, data: &[u8], shared: Option<&Shared>) {
        if data.len() < SHARED_BYTES_MIN {
            return self.bulk(data);
        }
        write_length(&mut self.bytes, b'$', data.len());
        self.big = Some(shared.map_or_else(|| Shared::new(data.to_vec()), Shared::clone));
    }

    /// Writes the message to one of its readers.
    pub fn write_to(&self, reply: &mut Reply) {
        let sigil = if reply.protocol == Protocol::Resp3 { b'>' } else { b'*' };
        let output = reply.output_mut();
        let tail = output.tail();
        let start = tail.len();
        tail.extend_from_slice(&self.bytes);
        tail[start] = sigil;
        output.seal_if_long();
        if let Some(big) = &self.big {
            output.share(big);
            output.extend(b"\r\n");
        }
    }

    /// Forgets the message.
    pub fn clear(&mut self) {
        self.big = None;
        self.bytes.clear();
        if BYTES_KEPT < self.bytes.capacity() {
            self.bytes = Vec::new();
        }
    }

    /// Counts the memory that it keeps.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::Push;
    use crate::{Protocol, Reply, Shared};

    fn written(push: &Push, protocol: Protocol) -> Vec<u8> {
        let mut reply = Reply::default();
        reply.protocol = protocol;
        push.write_to(&mut reply);
        let mut slices = [std::io::IoSlice::new(&[]); 8];
        let count = reply.output().gather(&mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn each_reader_has_the_message_in_its_protocol() {
        let mut push = Push::default();
        for text in ["hello", "and again"] {
            push.begin(2);
            push.bulk(b"message");
            push.last(text.as_bytes(), None);
            let rest = format!("2\r\n$7\r\nmessage\r\n${}\r\n{text}\r\n", text.len());
            assert_eq!(written(&push, Protocol::Resp2), format!("*{rest}").as_bytes());
            assert_eq!(written(&push, Protocol::Resp3), format!(">{rest}").as_bytes());
        }
    }

    #[test]
    fn a_big_message_has_one_copy_for_all() {
        let big = Shared::new(vec![b'x'; 100_000]);
        let mut push = Push::default();
        push.begin(1);
        push.last(&big, Some(&big));
        let mut replies: Vec<Reply> = (0..50).map(|_| Reply::default()).collect();
        replies.iter_mut().for_each(|reply| push.write_to(reply));
        assert_eq!(Shared::strong_count(&big), 52);
        let expected = [&b"*1\r\n$100000\r\n"[..], &big, b"\r\n"].concat();
        assert_eq!(written(&push, Protocol::Resp2), expected);
        drop(replies);
        push.clear();
        assert_eq!(Shared::strong_count(&big), 1);
        // One that is not shared is copied once.
        push.begin(1);
        push.last(&big, None);
        assert_eq!(written(&push, Protocol::Resp2), expected);
        assert!(push.memory_bytes() < 1000);
    }
}
