//! Tool: stack traces, in two steps: addresses, which a signal handler may collect and
//! write, and names, for which memory is allocated and the program's file read.

use std::{fmt, sync::OnceLock};

use backtrace::{resolve_unsynchronized, trace_unsynchronized};

use crate::log::Out;

const FRAMES_MAX: usize = 100;

/// Says of a function, by where it starts, what it is to who reads traces.
pub(crate) type Describe = fn(usize) -> Option<String>;

static DESCRIBE: OnceLock<Describe> = OnceLock::new();

/// Has traces say more of some functions.
pub(crate) fn describe_functions(describe: Describe) {
    // Who was first stays: it is the same one.
    let _ = DESCRIBE.set(describe);
}

/// Where calls return to, innermost first.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    addresses: [usize; FRAMES_MAX],
    /// Where the functions start that they return to.
    functions: [usize; FRAMES_MAX],
    count: usize,
    /// Where a signal came in: not where a call returns to, but the very instruction.
    interrupted: usize,
}

impl Stack {
    /// Walks the calling thread's stack, from where a signal came in (0 for none), so that
    /// its handler is left out. Takes no lock, allocates nothing.
    #[expect(unsafe_code, reason = "the walk takes no lock")]
    pub(crate) fn capture(interrupted: usize) -> Self {
        let mut stack =
            Self { addresses: [0; FRAMES_MAX], functions: [0; FRAMES_MAX], count: 0, interrupted };
        // SAFETY: the lock left out guards a symbol library on Windows only.
        unsafe {
            trace_unsynchronized(|frame| {
                let address = frame.ip().addr();
                // 0 is what lies outside the first frame.
                if address != 0 {
                    if address == interrupted {
                        stack.count = 0;
                    }
                    stack.addresses[stack.count] = address;
                    stack.functions[stack.count] = frame.symbol_address().addr();
                    stack.count += 1;
                }
                stack.count < FRAMES_MAX
            });
        }
        stack
    }

    /// Writes addresses as `addr2line -e` takes them: relative to where the program
    /// was loaded, then as they are. Those in libraries are not the program's.
    pub(crate) fn write_raw(&self, out: &Out) {
        let program = loaded_at();
        for &address in &self.addresses[..self.count] {
            if program.contains(&address) {
                let offset = address - program.start;
                out.text(format_args!("(+{offset:#x}) [{address:#x}]\n"));
            } else {
                out.text(format_args!("[{address:#x}]\n"));
            }
        }
    }

    /// Writes functions with file and line, as far as they are known. Allocates.
    #[expect(unsafe_code, reason = "the lock may be held by the thread that crashed")]
    pub(crate) fn write_names(&self, out: &Out) {
        for (at, &address) in self.addresses[..self.count].iter().enumerate() {
            // The lookup takes one off, to find the call before the place it returns to.
            let sought = address + usize::from(address == self.interrupted);
            let mut is_known = false;
            // SAFETY: only the main thread writes traces, or the process is about to die
            // and the worst that a race can do is to kill it.
            unsafe {
                resolve_unsynchronized(std::ptr::without_provenance_mut(sought), |symbol| {
                    is_known = true;
                    write_symbol(out, at, symbol);
                });
            }
            if !is_known {
                out.text(format_args!("{at}: ?? [{address:#x}]\n"));
            }
            let describe = DESCRIBE.get();
            if let Some(text) = describe.and_then(|describe| describe(self.functions[at])) {
                out.text(format_args!("    which is {text}\n"));
            }
        }
    }
}

fn write_symbol(out: &Out, at: usize, symbol: &backtrace::Symbol) {
    struct Name<'a>(Option<backtrace::SymbolName<'a>>);
    impl fmt::Display for Name<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            // The short form leaves out the hash that ends each name.
            match &self.0 {
                Some(name) => write!(f, "{name:#}"),
                None => f.write_str("??"),
            }
        }
    }
    let name = Name(symbol.name());
    match (symbol.filename(), symbol.lineno()) {
        (Some(file), Some(line)) => {
            out.text(format_args!("{at}: {name} at {}:{line}\n", file.display()));
        }
        _ => out.text(format_args!("{at}: {name}\n")),
    }
}

/// Where the program's file lies in memory.
#[expect(unsafe_code, reason = "the linker defines both ends")]
fn loaded_at() -> std::ops::Range<usize> {
    unsafe extern "C" {
        static __ehdr_start: u8;
        static _end: u8;
    }
    (&raw const __ehdr_start).addr()..(&raw const _end).addr()
}
