//! Room: the memory of TLS, counted apart from `used_memory`.
//!
//! Redis does not see what OpenSSL takes: `used_memory`, and with it `maxmemory`, is about data
//! and clients. A limit that was chosen for that must mean the same here, and no key may go
//! because connections are busy. So s2n gets its memory from here instead of from Rust's
//! allocator, and so does the ciphertext that waits below it (`Buffer`). All of it comes and
//! goes through `take` and `give_back`, whoever frees it, when and on which thread, so the count
//! cannot drift. What s2n calls in libcrypto is jemalloc's, too (`libcrypto`), and counted nowhere.

#![expect(unsafe_code, reason = "s2n calls back with raw pointers; a buffer that owns one")]

use std::{
    alloc::{Layout, handle_alloc_error},
    ffi::{c_int, c_void},
    ops::Deref,
    ptr::{self, NonNull},
    slice,
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use base::memory::{allocate_for_c, free_for_c, usable_for_c};
use s2n_tls_sys as sys;

use super::libcrypto;

/// The smallest buffer: a short reply is a record of less.
const BUFFER_BYTES_MIN: usize = 64;
const SUCCESS: c_int = 0;
const FAILURE: c_int = -1;

#[cfg(not(test))]
static USED_BYTES: AtomicUsize = AtomicUsize::new(0);
#[cfg(test)]
thread_local! {
    /// Tests run side by side, each in a thread, and each counts for itself.
    static USED_BYTES: AtomicUsize = const { AtomicUsize::new(0) };
}

/// Returns the usable bytes of all blocks that TLS holds: connections and configurations.
pub(crate) fn used_bytes() -> usize {
    count(|used| used.load(Relaxed))
}

/// Makes s2n ready, once; whatever calls it comes here before. Its bindings are built without
/// their own way to do that, which would give it memory of Rust's allocator.
pub(super) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It is the first to use libcrypto, unless certificates were read before.
        libcrypto::take_memory_from_jemalloc();
        // SAFETY: s2n is not initialised yet, as nobody else does it; the functions keep what
        // s2n asks of them.
        let outcome = unsafe {
            sys::s2n_mem_set_callbacks(Some(ready), Some(ready), Some(allocate), Some(free))
        };
        assert_eq!(outcome, SUCCESS, "s2n takes its memory from elsewhere");
        // SAFETY: called once in this process.
        let outcome = unsafe { sys::s2n_init() };
        assert_eq!(outcome, SUCCESS, "s2n does not start");
    });
}

/// A byte string whose memory is counted here.
#[derive(Debug)]
pub(super) struct Buffer {
    /// A block of `capacity` bytes, of which the first `len` are initialised; dangling without.
    start: NonNull<u8>,
    len: usize,
    capacity: usize,
}

// SAFETY: it owns its block alone, as a `Vec<u8>` does.
unsafe impl Send for Buffer {}
// SAFETY: shared, it can only be read.
unsafe impl Sync for Buffer {}

impl Buffer {
    pub(super) const fn new() -> Self {
        Self { start: NonNull::dangling(), len: 0, capacity: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn extend_from_slice(&mut self, more: &[u8]) {
        self.reserve(more.len());
        // SAFETY: `reserve` has made room for so many bytes behind `len`; `more` is borrowed
        // and so lies elsewhere.
        unsafe {
            ptr::copy_nonoverlapping(more.as_ptr(), self.start.as_ptr().add(self.len), more.len());
        }
        self.len += more.len();
    }

    /// Removes the first bytes.
    ///
    /// # Panics
    /// If there are fewer.
    pub(super) fn drop_front(&mut self, bytes: usize) {
        self.len = self.len.checked_sub(bytes).expect("what is dropped is there");
        // SAFETY: `bytes + len` bytes are initialised; copying allows for overlap.
        unsafe { ptr::copy(self.start.as_ptr().add(bytes), self.start.as_ptr(), self.len) };
    }

    fn reserve(&mut self, more: usize) {
        let needed = self.len.checked_add(more).expect("it is in memory");
        if needed <= self.capacity {
            return;
        }
        let capacity = needed.max(2 * self.capacity).max(BUFFER_BYTES_MIN);
        let layout = Layout::array::<u8>(capacity).expect("a buffer has far fewer bytes");
        let Some(start) = take(capacity) else { handle_alloc_error(layout) };
        // SAFETY: the block is fresh and larger than `len`, of which all are initialised.
        unsafe { ptr::copy_nonoverlapping(self.start.as_ptr(), start.as_ptr(), self.len) };
        self.release_block();
        (self.start, self.capacity) = (start, capacity);
    }

    fn release_block(&mut self) {
        if self.capacity != 0 {
            // SAFETY: the block is ours, was taken with this size, and is used no more.
            unsafe { give_back(self.start, self.capacity) };
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `len` bytes are initialised, and borrowed as long as the buffer.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release_block();
    }
}

/// Allocates; none if there is no memory.
fn take(bytes: usize) -> Option<NonNull<u8>> {
    let block = NonNull::new(allocate_for_c(bytes.max(1)).cast::<u8>())?;
    count(|used| used.fetch_add(usable_for_c(bytes), Relaxed));
    Some(block)
}

/// # Safety
/// The block came from `take` with the same size, and nobody uses it any more.
unsafe fn give_back(block: NonNull<u8>, bytes: usize) {
    count(|used| used.fetch_sub(usable_for_c(bytes), Relaxed));
    // SAFETY: `take` had it from there.
    unsafe { free_for_c(block.as_ptr().cast()) };
}

fn count<T>(act: impl FnOnce(&AtomicUsize) -> T) -> T {
    #[cfg(not(test))]
    return act(&USED_BYTES);
    #[cfg(test)]
    USED_BYTES.with(act)
}

unsafe extern "C" fn ready() -> c_int {
    SUCCESS
}

/// # Safety
/// As s2n calls it: `block` and `allocated` can be written.
unsafe extern "C" fn allocate(block: *mut *mut c_void, bytes: u32, allocated: *mut u32) -> c_int {
    let Some(taken) = take(bytes as usize) else { return FAILURE };
    // SAFETY: s2n lends a place for each.
    unsafe { *block = taken.as_ptr().cast() };
    // SAFETY: the same. It is the size that the block comes back with.
    unsafe { *allocated = bytes };
    SUCCESS
}

/// # Safety
/// As s2n calls it: with a block of `allocate` and what that said of its size.
unsafe extern "C" fn free(block: *mut c_void, bytes: u32) -> c_int {
    if let Some(block) = NonNull::new(block.cast::<u8>()) {
        // SAFETY: the caller's promise.
        unsafe { give_back(block, bytes as usize) };
    }
    SUCCESS
}

#[cfg(test)]
mod tests {
    use base::memory::usable_for_c;

    use super::{BUFFER_BYTES_MIN, Buffer, used_bytes};

    #[test]
    fn a_buffer_is_a_byte_string_and_its_memory_is_counted() {
        let (mut buffer, mut model) = (Buffer::new(), Vec::new());
        assert!(buffer.is_empty());
        assert_eq!(used_bytes(), 0);
        let mut state = 1_u32;
        let mut next = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for turn in 0..10_000 {
            match next(8) {
                0 => {
                    buffer.clear();
                    model.clear();
                }
                1 | 2 => {
                    let bytes = next(model.len() + 1);
                    buffer.drop_front(bytes);
                    model.drain(..bytes);
                }
                _ => {
                    let more = vec![turn as u8; next(300)];
                    buffer.extend_from_slice(&more);
                    model.extend_from_slice(&more);
                }
            }
            assert_eq!(*buffer, *model);
            assert_eq!(used_bytes(), usable_for_c(buffer.capacity));
            assert!(buffer.capacity == 0 || BUFFER_BYTES_MIN <= buffer.capacity);
        }
        drop(buffer);
        assert_eq!(used_bytes(), 0);
    }

    #[test]
    #[should_panic(expected = "what is dropped is there")]
    fn a_buffer_gives_no_more_than_it_has() {
        let mut buffer = Buffer::new();
        buffer.extend_from_slice(b"four");
        buffer.drop_front(5);
    }
}
