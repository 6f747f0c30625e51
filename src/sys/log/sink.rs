//! Tool: where log bytes go: standard output or a file, and syslog besides.
//!
//! The file is opened for each line. That costs some microseconds a line, of which a
//! server at its usual level writes a few a minute, and is right in every case: the
//! file may be renamed, deleted, replaced or moved with its folder, and the next line
//! makes it anew. A kept descriptor would need a `stat` a line to notice half of that.

use std::{
    ffi::{CStr, CString},
    fmt::{self, Write as _},
    io::{self, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    sync::OnceLock,
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::stat::Mode,
    syslog::{Facility, LogFlags, Severity, openlog, syslog},
    unistd::write,
};

/// How long formatted text may be that is written past the facade.
const TEXT_BYTES_MAX: usize = 1024;

/// Unset is standard output. Kept as the system takes it, for signal handlers.
static FILE: OnceLock<CString> = OnceLock::new();
static SYSLOG: OnceLock<()> = OnceLock::new();

/// Writes what env_logger hands it, one whole line at a time.
#[derive(Debug)]
pub(super) struct Sink;

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(out) = Out::open() {
            out.raw(line);
        }
        // A full disk must not stop the server, and there is nobody to tell.
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log, open: for one line, or for the length of a crash report. Everything here
/// may be called by a signal handler: no lock is taken and nothing allocated.
#[derive(Debug)]
pub(crate) enum Out {
    Stdout,
    File(OwnedFd),
}

impl Out {
    pub(crate) fn open() -> Option<Self> {
        let Some(path) = FILE.get() else { return Some(Self::Stdout) };
        open_file(path).ok().map(Self::File)
    }

    /// Writes bytes as they are.
    pub(crate) fn raw(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let written = match self {
                Self::Stdout => write(io::stdout(), bytes),
                Self::File(file) => write(file, bytes),
            };
            match written {
                Ok(0) => return,
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }

    /// Writes formatted text in one piece; what is longer than a page is cut, and
    /// a page is small enough for a signal handler's stack.
    pub(crate) fn text(&self, text: fmt::Arguments<'_>) {
        let mut page = Page { bytes: [0; TEXT_BYTES_MAX], used: 0 };
        if page.write_fmt(text).is_err() {
            // Full: what fitted is written, still a line of its own.
            page.bytes[TEXT_BYTES_MAX - 1] = b'\n';
        }
        self.raw(&page.bytes[..page.used]);
    }
}

/// Sends the log to a file, once and for all; says whether it can be opened.
pub(super) fn set_file(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    drop(open_file(&path)?);
    FILE.set(path).map_err(|_| io::Error::new(io::ErrorKind::AlreadyExists, "logfile is set"))
}

/// Sends every line to syslog too, once and for all.
pub(super) fn set_syslog(ident: &str, facility: Facility) -> io::Result<()> {
    // syslog keeps the pointer for the life of the process.
    let ident: &'static CStr = Box::leak(CString::new(ident)?.into_boxed_c_str());
    let flags = LogFlags::LOG_PID | LogFlags::LOG_NDELAY;
    openlog(Some(ident), flags, facility)?;
    SYSLOG.set(()).map_err(|()| io::Error::new(io::ErrorKind::AlreadyExists, "syslog is set"))
}

/// Sends a text to syslog, if that was asked for.
pub(super) fn syslog_if_set(severity: Severity, text: fmt::Arguments<'_>) {
    if SYSLOG.get().is_some() {
        // Fails on a text with a NUL inside, which the log line itself still shows.
        let _ = syslog(severity, &text.to_string());
    }
}

fn open_file(path: &CStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_CLOEXEC;
    open(path, flags, Mode::from_bits_truncate(0o666))
}

/// A formatter's target on the stack.
struct Page {
    bytes: [u8; TEXT_BYTES_MAX],
    used: usize,
}

impl fmt::Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.used..];
        let count = text.len().min(room.len());
        room[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.used += count;
        if count < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write, io::Read};

    use super::{Out, Page, TEXT_BYTES_MAX};

    #[test]
    fn text_past_the_facade_is_cut_to_a_line() {
        let mut page = Page { bytes: [0; TEXT_BYTES_MAX], used: 0 };
        assert!(page.write_str(&"x".repeat(TEXT_BYTES_MAX)).is_ok());
        assert!(page.write_str("y").is_err());

        let (mut reader, writer) = std::io::pipe().unwrap();
        let out = Out::File(writer.into());
        out.text(format_args!("{}\n", "x".repeat(5000)));
        out.text(format_args!("short\n"));
        drop(out);
        let mut written = String::new();
        reader.read_to_string(&mut written).unwrap();
        let lines: Vec<_> = written.lines().map(str::len).collect();
        assert_eq!(lines, [TEXT_BYTES_MAX - 1, 5]);
    }
}
