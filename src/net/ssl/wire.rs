//! Room: the socket below s2n, and the callbacks that s2n reaches it through.
//!
//! Receive: s2n asks for as much as its read-ahead buffer holds, so a small request costs
//! one `recv`. A short one has emptied the socket: until the next event it is not asked
//! again, which saves the call that would only bring EAGAIN.
//!
//! Send: small pieces are appended to `out`, so a handshake's six writes, or a batch of
//! replies, leave in one `send`. A large piece with nothing before it goes straight to the
//! socket, and only what the socket does not take is kept. Either way s2n believes that
//! everything was sent: it never has to be called again with the same bytes.

#![expect(unsafe_code, reason = "s2n calls back with raw pointers")]

use std::{
    ffi::{c_int, c_void},
    io::{self, ErrorKind, Write},
    os::fd::AsRawFd,
    slice,
};

use socket2::SockRef;

use super::{HANDSHAKE_RECORD, memory::Buffer};
use crate::Stream;

/// Ciphertext held for a slow peer; beyond it `write` blocks and plaintext waits instead.
pub(super) const OUT_BYTES_MAX: usize = 128 * 1024;
/// From here on a system call is cheaper than copying.
const DIRECT_BYTES_MIN: usize = 8 * 1024;
/// Plaintext in a record.
const RECORD_BYTES_MAX: usize = 16 * 1024;
/// Begins an alert, which a peer may send instead of its hello.
const ALERT_RECORD: u8 = 0x15;

#[derive(Debug)]
pub(super) struct Wire {
    pub(super) stream: Stream,
    out: Buffer,
    /// How much of `out` the kernel has.
    sent: usize,
    /// The socket is empty, or was when last asked.
    pub(super) is_dry: bool,
    /// The first byte was looked at, and is TLS.
    pub(super) is_greeted: bool,
    /// The first byte was looked at, and is not.
    pub(super) is_plaintext: bool,
    /// The peer may end its direction by a FIN alone, which s2n is not told: it would close
    /// ours, too.
    pub(super) may_end: bool,
    /// It did.
    pub(super) is_ended: bool,
    /// Something of ours is on its way.
    pub(super) has_sent: bool,
    /// Plaintext that the running write has yet to send.
    pub(super) left_bytes: usize,
    /// The socket did not take all of the last `send`: what is encrypted now would only be
    /// copied.
    pub(super) is_blocked: bool,
    /// A direct `send` failed; told by the next flush.
    failure: Option<io::Error>,
    #[cfg(test)]
    pub(super) receives: u64,
    #[cfg(test)]
    pub(super) sends: u64,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            out: Buffer::new(),
            sent: 0,
            is_dry: false,
            is_greeted: false,
            is_plaintext: false,
            may_end: false,
            is_ended: false,
            has_sent: false,
            left_bytes: 0,
            is_blocked: false,
            failure: None,
            #[cfg(test)]
            receives: 0,
            #[cfg(test)]
            sends: 0,
        }
    }

    pub(super) fn pending_bytes(&self) -> usize {
        self.out.len() - self.sent
    }

    pub(super) fn release(&mut self) {
        if self.out.is_empty() {
            self.out = Buffer::new();
        }
    }

    /// Sends what is held; `WouldBlock` if some of it stays.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        while self.sent < self.out.len() {
            #[cfg(test)]
            {
                self.sends += 1;
            }
            match self.stream.write(&self.out[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_blocked = error.kind() == ErrorKind::WouldBlock;
                    return Err(error);
                }
            }
        }
        self.sent = 0;
        self.out.clear();
        self.is_blocked = false;
        Ok(())
    }

    fn receive(&mut self, space: *mut u8, bytes: usize) -> c_int {
        if self.is_dry {
            return failed(libc::EAGAIN);
        }
        #[cfg(test)]
        {
            self.receives += 1;
        }
        // SAFETY: s2n lends `bytes` writable bytes at `space`. It looks at the errno that
        // recv leaves, which is why std's `read` will not do.
        let received = unsafe { libc::recv(self.stream.as_raw_fd(), space.cast(), bytes, 0) };
        if received == 0 && bytes != 0 && self.may_end {
            self.is_ended = true;
            return failed(libc::EAGAIN);
        }
        self.is_dry = received < 0 || (received != 0 && received.unsigned_abs() < bytes);
        if 0 < received && !self.is_greeted {
            // SAFETY: the kernel has just written at least one byte there.
            let first = unsafe { *space };
            self.is_greeted = matches!(first, HANDSHAKE_RECORD | ALERT_RECORD);
            self.is_plaintext = !self.is_greeted;
            if self.is_plaintext {
                // s2n would take the text for the length of a record, and wait for it.
                return failed(libc::EIO);
            }
        }
        c_int::try_from(received).unwrap_or(-1)
    }

    fn send(&mut self, mut data: &[u8]) {
        self.has_sent = true;
        let has_more = RECORD_BYTES_MAX < self.left_bytes;
        self.left_bytes = self.left_bytes.saturating_sub(RECORD_BYTES_MAX);
        let is_tried =
            DIRECT_BYTES_MIN <= data.len() && self.out.is_empty() && self.failure.is_none();
        if is_tried {
            #[cfg(test)]
            {
                self.sends += 1;
            }
            // With more to come the kernel makes full segments, and wakes the peer for each
            // of these only.
            let flags = if has_more { libc::MSG_MORE } else { 0 };
            match SockRef::from(&self.stream).send_with_flags(data, flags) {
                Ok(bytes) => data = &data[bytes..],
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => {
                    self.failure = Some(error);
                    return;
                }
            }
        }
        if data.is_empty() {
            return;
        }
        self.is_blocked |= is_tried;
        // What the kernel has makes room at the front, if that is most of it.
        if self.out.len() / 2 < self.sent {
            self.out.drop_front(self.sent);
            self.sent = 0;
        }
        self.out.extend_from_slice(data);
    }
}

fn failed(errno: c_int) -> c_int {
    nix::errno::Errno::from_raw(errno).set();
    -1
}

/// # Safety
/// `wire` is the `Wire` that the running call of s2n was lent, `space` has `bytes` bytes.
pub(super) unsafe extern "C" fn receive(wire: *mut c_void, space: *mut u8, bytes: u32) -> c_int {
    // SAFETY: `lend_wire` set the context to a `Wire` that is ours for this call.
    let wire = unsafe { &mut *wire.cast::<Wire>() };
    wire.receive(space, bytes as usize)
}

/// # Safety
/// `wire` is the `Wire` that the running call of s2n was lent, `data` has `bytes` bytes.
pub(super) unsafe extern "C" fn send(wire: *mut c_void, data: *const u8, bytes: u32) -> c_int {
    // SAFETY: as in `receive`.
    let wire = unsafe { &mut *wire.cast::<Wire>() };
    // SAFETY: s2n lends `bytes` initialised bytes at `data` for this call.
    wire.send(unsafe { slice::from_raw_parts(data, bytes as usize) });
    c_int::try_from(bytes).unwrap_or(c_int::MAX)
}
