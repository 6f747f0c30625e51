//! Tool: libcrypto's memory, which is jemalloc's as the server's own is.
//!
//! Left alone libcrypto calls the C library's `malloc`, which gives back to the system only what
//! is free at the end of its heap: after many handshakes there is much below that is kept.

#![expect(unsafe_code, reason = "libcrypto calls back with raw pointers")]

use std::{
    ffi::{c_char, c_int, c_void},
    sync::Once,
};

use base::memory;

type Allocate = unsafe extern "C" fn(usize, *const c_char, c_int) -> *mut c_void;
type Reallocate = unsafe extern "C" fn(*mut c_void, usize, *const c_char, c_int) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void, *const c_char, c_int);

// The crate `openssl` brings the library, and does not declare this.
unsafe extern "C" {
    /// Refuses, and returns 0, once libcrypto has allocated anything.
    fn CRYPTO_set_mem_functions(
        allocate: Option<Allocate>,
        reallocate: Option<Reallocate>,
        free: Option<Free>,
    ) -> c_int;
}

/// Has libcrypto take its memory from jemalloc, if nobody in this process has used it before.
pub(super) fn take_memory_from_jemalloc() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the three do what is asked of `malloc`, `realloc` and `free`, from any thread
        // and up to the end of the process. libcrypto sees that no block is another's.
        let outcome =
            unsafe { CRYPTO_set_mem_functions(Some(allocate), Some(reallocate), Some(free)) };
        if outcome == 0 {
            log::debug!("libcrypto was used before, and keeps to malloc");
        }
    });
}

unsafe extern "C" fn allocate(bytes: usize, _: *const c_char, _: c_int) -> *mut c_void {
    memory::allocate_for_c(bytes)
}

/// # Safety
/// As libcrypto calls it: with null or a block of `allocate`.
unsafe extern "C" fn reallocate(
    block: *mut c_void,
    bytes: usize,
    _: *const c_char,
    _: c_int,
) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { memory::reallocate_for_c(block, bytes) }
}

/// # Safety
/// As libcrypto calls it: with null or a block of `allocate` that it uses no more.
unsafe extern "C" fn free(block: *mut c_void, _: *const c_char, _: c_int) {
    // SAFETY: the caller's promise.
    unsafe { memory::free_for_c(block) };
}
