//! Room: how large the buffer of a client's replies is kept between them.
//!
//! The buffer itself grows by need, and a long reply is a chain of others. What is kept of it
//! follows the replies of late: the cron makes it smaller where half of it would have done, and
//! larger where it was too small. The figures are Redis's, whose clients are seen to have them.

use std::cmp;

/// What a client begins with, and the most that is kept.
const BYTES_MAX: usize = 16 * 1024;
/// The least that is kept.
const BYTES_MIN: usize = 1024;
/// A peak is forgotten after so long.
const PEAK_RESET_MS: i64 = 5000;

/// How all buffers are treated (DEBUG REPLYBUFFER).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplyBufferPolicy {
    /// Their sizes follow the replies.
    pub is_resizing: bool,
    /// After how long a peak is forgotten; negative for never.
    pub peak_reset_ms: i64,
}

impl Default for ReplyBufferPolicy {
    fn default() -> Self {
        Self { is_resizing: true, peak_reset_ms: PEAK_RESET_MS }
    }
}

/// What a look at a buffer has led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resized {
    /// Nothing.
    Not,
    /// Less is kept.
    Shrunk,
    /// More is kept.
    Grown,
}

/// The state of one client's buffer.
#[derive(Clone, Copy, Debug)]
pub struct ReplyBuffer {
    bytes: usize,
    peak_bytes: usize,
    peak_reset_ms: i64,
}

impl Default for ReplyBuffer {
    /// Makes that of a new client. It has needed nothing yet: the first look forgets the peak.
    fn default() -> Self {
        Self { bytes: BYTES_MAX, peak_bytes: BYTES_MAX, peak_reset_ms: 0 }
    }
}

impl ReplyBuffer {
    /// Returns how much is kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns how much of it was needed of late.
    pub fn peak_bytes(&self) -> usize {
        self.peak_bytes
    }

    /// Notes that so much is to be sent.
    #[inline]
    pub fn note(&mut self, pending_bytes: usize) {
        self.peak_bytes = self.peak_bytes.max(pending_bytes.min(self.bytes));
    }

    /// Looks whether it has the right size, while so much is to be sent.
    pub fn settle(
        &mut self,
        policy: ReplyBufferPolicy,
        pending_bytes: usize,
        now_ms: i64,
    ) -> Resized {
        if !policy.is_resizing {
            return Resized::Not;
        }
        let (half, double) = (self.bytes / 2, self.bytes * 2);
        let (bytes, resized) = if BYTES_MIN <= half && self.peak_bytes < half {
            (cmp::max(BYTES_MIN, self.peak_bytes + 1), Resized::Shrunk)
        } else if double < BYTES_MAX * 2 && self.peak_bytes == self.bytes {
            (cmp::min(BYTES_MAX, double), Resized::Grown)
        } else {
            (self.bytes, Resized::Not)
        };
        if 0 <= policy.peak_reset_ms && policy.peak_reset_ms <= now_ms - self.peak_reset_ms {
            self.peak_bytes = pending_bytes.min(self.bytes);
            self.peak_reset_ms = now_ms;
        }
        self.bytes = bytes;
        resized
    }
}

#[cfg(test)]
mod tests {
    use super::{ReplyBuffer, ReplyBufferPolicy, Resized};

    #[test]
    fn it_follows_the_replies() {
        let policy = ReplyBufferPolicy::default();
        let mut buffer = ReplyBuffer::default();
        assert_eq!(buffer.settle(policy, 0, 4999), Resized::Not);
        // The peak is forgotten first, and acted upon when it is looked at next.
        assert_eq!(buffer.settle(policy, 100, 5000), Resized::Not);
        assert_eq!((buffer.settle(policy, 0, 5100), buffer.bytes()), (Resized::Shrunk, 1024));
        assert_eq!(buffer.settle(policy, 0, 5200), Resized::Not);
        for bytes in [2048, 4096, 8192, 16384] {
            buffer.note(1_000_000);
            assert_eq!((buffer.settle(policy, 0, 5300), buffer.bytes()), (Resized::Grown, bytes));
        }
        buffer.note(1_000_000);
        assert_eq!((buffer.settle(policy, 0, 5300), buffer.peak_bytes()), (Resized::Not, 16384));
    }

    #[test]
    fn it_can_be_told_to_stay() {
        let mut buffer = ReplyBuffer::default();
        let never = ReplyBufferPolicy { is_resizing: true, peak_reset_ms: -1 };
        assert_eq!(buffer.settle(never, 0, i64::MAX), Resized::Not);
        assert_eq!((buffer.settle(never, 0, i64::MAX), buffer.bytes()), (Resized::Not, 16384));
        let off = ReplyBufferPolicy { is_resizing: false, peak_reset_ms: 0 };
        assert_eq!(buffer.settle(off, 0, 1), Resized::Not);
        assert_eq!((buffer.settle(off, 0, 2), buffer.bytes()), (Resized::Not, 16384));
    }
}
