//! Tool: the end of a process that runs nothing more.

/// Ends the process without running what was registered for its end, which in a child
/// is the parent's. A signal handler may call it.
#[expect(unsafe_code, reason = "std and nix only have the exit that runs handlers")]
pub fn exit_now(code: i32) -> ! {
    // SAFETY: always sound; nothing runs after it.
    unsafe { libc::_exit(code) }
}
