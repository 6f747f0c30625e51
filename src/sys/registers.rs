//! Tool: the processor's registers at the moment of a signal, where we know their names.

use std::ffi::c_void;

use crate::log::Out;

/// Where the program stood; 0 where the processor is not known.
#[cfg(target_arch = "x86_64")]
pub(crate) fn instruction(context: *const c_void) -> usize {
    usize::try_from(register(context, libc::REG_RIP)).unwrap_or(0)
}

/// Writes the registers.
#[cfg(target_arch = "x86_64")]
pub(crate) fn write(out: &Out, context: *const c_void) {
    const NAMES: [(&str, i32); 19] = [
        ("RAX", libc::REG_RAX),
        ("RBX", libc::REG_RBX),
        ("RCX", libc::REG_RCX),
        ("RDX", libc::REG_RDX),
        ("RDI", libc::REG_RDI),
        ("RSI", libc::REG_RSI),
        ("RBP", libc::REG_RBP),
        ("RSP", libc::REG_RSP),
        ("R8 ", libc::REG_R8),
        ("R9 ", libc::REG_R9),
        ("R10", libc::REG_R10),
        ("R11", libc::REG_R11),
        ("R12", libc::REG_R12),
        ("R13", libc::REG_R13),
        ("R14", libc::REG_R14),
        ("R15", libc::REG_R15),
        ("RIP", libc::REG_RIP),
        ("EFL", libc::REG_EFL),
        ("CSGSFS", libc::REG_CSGSFS),
    ];
    out.raw(b"\n------ REGISTERS ------\n");
    for pair in NAMES.chunks(2) {
        for (name, number) in pair {
            out.text(format_args!("{name}:{:016x} ", register(context, *number)));
        }
        out.raw(b"\n");
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "a handler gets a bare pointer")]
fn register(context: *const c_void, number: i32) -> u64 {
    // SAFETY: the kernel hands a handler a filled context that lives as long as it runs.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    let at = usize::try_from(number).expect("register numbers are positive");
    context.uc_mcontext.gregs[at].cast_unsigned()
}

/// Where the program stood; 0 where the processor is not known.
#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "a handler gets a bare pointer")]
pub(crate) fn instruction(context: *const c_void) -> usize {
    // SAFETY: the kernel hands a handler a filled context that lives as long as it runs.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    usize::try_from(context.uc_mcontext.pc).unwrap_or(0)
}

/// Writes the registers.
#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "a handler gets a bare pointer")]
pub(crate) fn write(out: &Out, context: *const c_void) {
    // SAFETY: as in `instruction`.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    out.raw(b"\n------ REGISTERS ------\n");
    for (number, value) in machine.regs.iter().enumerate() {
        out.text(format_args!("X{number}:{value:016x}\n"));
    }
    let (pc, sp, pstate, fault) = (machine.pc, machine.sp, machine.pstate, machine.fault_address);
    out.text(format_args!(
        "pc:{pc:016x} sp:{sp:016x}\npstate:{pstate:016x} fault_address:{fault:016x}\n"
    ));
}

/// Where the program stood; 0 where the processor is not known.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn instruction(_context: *const c_void) -> usize {
    0
}

/// Writes the registers.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn write(out: &Out, _context: *const c_void) {
    out.raw(b"\n------ REGISTERS ------\n  Dumping of registers not supported for this OS/arch\n");
}
