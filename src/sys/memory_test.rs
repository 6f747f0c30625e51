//! Tool: tests of memory: of as much as is asked for (`--test-memory`), and of what a
//! crashed process holds, leaving it as it was.
//!
//! Values are written past the optimizer and read back after all of a region has been
//! written, so that they come from memory and not from a cache line just filled.

use std::{
    fs,
    io::{self, Write},
    ops::Range,
    ptr,
    time::Duration,
};

use nix::{
    libc::c_int,
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    unistd::{gettid, pause},
};

use crate::log::Out;

/// How often other threads are looked at, until they have stopped.
const STOP_TRIES: u32 = 200;
const WORD_BYTES: usize = size_of::<u64>();
const MEGABYTE_WORDS: usize = (1 << 20) / WORD_BYTES;
/// How much of live memory is kept aside while it is tested.
const CHUNK_WORDS: usize = 512;
/// Every bit both ways, neighbours equal and different, along words and across.
const PATTERNS: [u64; 6] = [
    0,
    u64::MAX,
    0x5555_5555_5555_5555,
    0xaaaa_aaaa_aaaa_aaaa,
    0x00ff_00ff_00ff_00ff,
    0xcccc_cccc_cccc_cccc,
];
/// How many megabytes are tested before a dot is printed.
const MEGABYTES_PER_DOT: usize = 64;

/// Tests new memory over and over, printing what goes on; returns the count of words
/// that did not hold what was written to them. `Err` if there is not so much memory.
pub fn test_memory(megabytes: usize, passes: u32, out: &mut impl Write) -> io::Result<u64> {
    let words = megabytes.checked_mul(MEGABYTE_WORDS).filter(|&words| words > 0);
    let words = words.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the amount of memory is out of range")
    })?;
    let mut memory: Vec<u64> = Vec::new();
    memory.try_reserve_exact(words).map_err(|_| {
        io::Error::new(io::ErrorKind::OutOfMemory, format!("no {megabytes} megabytes to test"))
    })?;
    memory.resize(words, 0);
    let mut error_count = 0;
    for pass in 1..=passes {
        write!(out, "Pass {pass} of {passes}: addresses")?;
        error_count += test_with(&mut memory, out, |at| at as u64)?;
        write!(out, " random")?;
        error_count +=
            test_with(&mut memory, out, |at| scramble(at as u64 ^ u64::from(pass) << 40))?;
        write!(out, " patterns")?;
        for pattern in PATTERNS {
            error_count += test_with(&mut memory, out, |at| pattern.rotate_left(at as u32 & 7))?;
        }
        writeln!(out, " {error_count} errors")?;
    }
    Ok(error_count)
}

fn test_with(
    memory: &mut [u64],
    out: &mut impl Write,
    value_at: impl Fn(usize) -> u64,
) -> io::Result<u64> {
    for (at, word) in memory.iter_mut().enumerate() {
        store(word, value_at(at));
    }
    let mut error_count = 0;
    for (at, word) in memory.iter().enumerate() {
        error_count += u64::from(load(word) != value_at(at));
        if at % (MEGABYTES_PER_DOT * MEGABYTE_WORDS) == 0 {
            write!(out, ".")?;
            out.flush()?;
        }
    }
    Ok(error_count)
}

/// The finalizer of splitmix64.
fn scramble(seed: u64) -> u64 {
    let seed = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ seed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ seed >> 31
}

#[expect(unsafe_code, reason = "the optimizer must not see through it")]
fn store(word: &mut u64, value: u64) {
    // SAFETY: a reference is valid, aligned and ours.
    unsafe { ptr::write_volatile(word, value) };
}

#[expect(unsafe_code, reason = "the optimizer must not see through it")]
fn load(word: &u64) -> u64 {
    // SAFETY: a reference is valid and aligned.
    unsafe { ptr::read_volatile(word) }
}

/// Tests the writable anonymous memory of this process, which is about to die: heaps,
/// mostly. Other threads are stopped for good before. `stack` is where the caller runs.
pub(crate) fn check_own_memory(out: &Out, stack: Option<Range<usize>>) -> u64 {
    if !stop_other_threads() {
        out.raw(b"(other threads do not stop: memory in use cannot be tested)\n");
        return 0;
    }
    // Read before the test: reading allocates, and the map then lies still.
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut error_count = 0;
    let here = (&raw const error_count).addr();
    for region in maps.lines().filter_map(anonymous_region) {
        let is_in_use =
            region.contains(&here) || stack.as_ref().is_some_and(|stack| overlap(stack, &region));
        if is_in_use {
            continue;
        }
        let bytes = region.len();
        out.text(format_args!("*** Testing memory region {:x} ({bytes} bytes)", region.start));
        let found = test_region(&region);
        out.raw(if found > 0 { b" ERROR\n" } else { b" OK\n" });
        error_count += found;
    }
    error_count
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// A line of `/proc/self/maps`, if it is memory without a file that can be written.
fn anonymous_region(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let (access, device) = (fields.next()?, fields.nth(1)?);
    let name = fields.nth(1).unwrap_or("");
    let is_special = ["stack", "vdso", "vvar", "vsyscall"].iter().any(|kind| name.contains(kind));
    if device != "00:00" || !access.starts_with("rw") || is_special {
        return None;
    }
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

/// Tests a region in chunks, each kept on the stack meanwhile.
fn test_region(region: &Range<usize>) -> u64 {
    let chunk_bytes = CHUNK_WORDS * WORD_BYTES;
    region.clone().step_by(chunk_bytes).map(test_chunk).sum()
}

/// Nothing is called here between the first write and the last: whatever is called
/// might need the memory under test.
#[expect(unsafe_code, reason = "memory that belongs to everybody")]
#[inline(never)]
fn test_chunk(address: usize) -> u64 {
    let start: *mut u64 = ptr::with_exposed_provenance_mut(address);
    let mut kept = [0_u64; CHUNK_WORDS];
    let mut error_count = 0;
    for (at, word) in kept.iter_mut().enumerate() {
        // SAFETY: inside a mapping that the kernel named as readable and writable; chunks
        // are a page long and mappings end with pages. No other thread runs.
        *word = unsafe { start.add(at).read_volatile() };
    }
    for pattern in PATTERNS {
        for at in 0..CHUNK_WORDS {
            // SAFETY: as above.
            unsafe { start.add(at).write_volatile(pattern) };
        }
        for at in 0..CHUNK_WORDS {
            // SAFETY: as above.
            error_count += u64::from(unsafe { start.add(at).read_volatile() } != pattern);
        }
    }
    for (at, word) in kept.iter().enumerate() {
        // SAFETY: as above.
        unsafe { start.add(at).write_volatile(*word) };
    }
    error_count
}

/// Makes every other thread wait for ever; says whether all do.
#[expect(unsafe_code, reason = "handlers must be async-signal-safe")]
fn stop_other_threads() -> bool {
    let action = SigAction::new(SigHandler::Handler(on_stop), SaFlags::empty(), SigSet::all());
    // SAFETY: the handler only waits.
    let _ = unsafe { sigaction(Signal::SIGUSR2, &action) };
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let threads = tasks.filter_map(|task| task.file_name().to_str()?.parse().ok());
    let own = gettid().as_raw();
    let others: Vec<c_int> = threads.filter(|&thread| thread != own).collect();
    for &thread in &others {
        let pid = c_int::try_from(std::process::id()).unwrap_or(0);
        // SAFETY: takes three numbers; a thread that has ended meanwhile is an error code.
        unsafe { libc::syscall(libc::SYS_tgkill, pid, thread, libc::SIGUSR2) };
    }
    // Whoever has to wait for a processor gets the signal late, and its handler would begin
    // on a stack under test.
    for _ in 0..STOP_TRIES {
        if others.iter().all(|&thread| waits_for_ever(thread)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// Whether a thread sleeps and has no signal to handle: it is in the handler, or gone.
fn waits_for_ever(thread: c_int) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/self/task/{thread}/status")) else {
        return true;
    };
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map_or("", str::trim)
    };
    let is_handled = u64::from_str_radix(field("SigPnd:"), 16) == Ok(0);
    is_handled && field("State:").starts_with('S')
}

extern "C" fn on_stop(_signal: c_int) {
    loop {
        pause();
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CHUNK_WORDS, MEGABYTE_WORDS, anonymous_region, test_memory, test_region, test_with,
    };

    #[test]
    fn good_memory_passes_and_progress_is_told() {
        let mut out = Vec::new();
        assert_eq!(test_memory(2, 2, &mut out).unwrap(), 0);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("Pass 1 of 2: addresses.") && text.ends_with(" 0 errors\n"));
        assert!(test_memory(0, 1, &mut Vec::new()).is_err());
        assert!(test_memory(usize::MAX, 1, &mut Vec::new()).is_err());
    }

    #[test]
    fn a_word_that_reads_otherwise_is_counted() {
        let mut memory = vec![0; MEGABYTE_WORDS];
        let calls = std::sync::atomic::AtomicU64::new(0);
        let unsteady = |_| calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let count = test_with(&mut memory, &mut Vec::new(), unsteady).unwrap();
        assert_eq!(count, MEGABYTE_WORDS as u64);
    }

    #[test]
    fn memory_in_use_is_left_as_it_was() {
        let page = 4096;
        let memory: Vec<u64> = (0..8 * CHUNK_WORDS as u64).collect();
        let start = memory.as_ptr().expose_provenance().next_multiple_of(page);
        assert_eq!(test_region(&(start..start + 4 * page)), 0);
        assert!(memory.iter().enumerate().all(|(at, &word)| word == at as u64));
    }

    #[test]
    fn only_anonymous_writable_regions_are_tested() {
        let heap = "55d0-66e0 rw-p 00000000 00:00 0                          [heap]";
        assert_eq!(anonymous_region(heap), Some(0x55d0..0x66e0));
        assert!(anonymous_region("1000-2000 rw-p 00000000 00:00 0").is_some());
        assert!(anonymous_region("1000-2000 rw-p 00000000 00:00 0 [stack]").is_none());
        assert!(anonymous_region("1000-2000 r--p 00000000 00:00 0").is_none());
        assert!(anonymous_region("1000-2000 rw-p 00000000 fe:01 7 /lib/x.so").is_none());
        assert!(anonymous_region("").is_none());
    }
}
