//! Tool: files that must not be half written, found, or lost: atomic replacement,
//! directory syncs, lock files.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    sys::stat::{Mode, umask},
};

/// The name of a file that goes with its process, and a zero behind.
const UNLINKED_NAME_BYTES: usize = 64;
/// The digits of a process id.
const PID_DIGITS_MAX: usize = 10;
/// How many names are tried before a folder is taken to be in a bad state.
const NAME_TRIES: u32 = 1000;

/// A file under way to replace another: written under a name of its own beside it, then
/// made durable and renamed. Dropped uncommitted, it leaves no trace.
#[derive(Debug)]
pub struct Replacement {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    is_committed: bool,
    /// After so many bytes the disk is given work; never if 0.
    flushed_every: u64,
    written: u64,
    flushed: u64,
}

impl Replacement {
    /// Starts a file that will replace `target`, with the permissions given (as far as
    /// the umask lets through).
    pub fn create(target: &Path, mode: u32) -> io::Result<Self> {
        let (temporary, file) = create_free(target, mode)?;
        Ok(Self::new(file, temporary, target))
    }

    /// Starts a file that will replace `target` and has a name of its own until then. A file
    /// that another process has left under that name goes.
    pub fn create_as(temporary: &Path, target: &Path, mode: u32) -> io::Result<Self> {
        match fs::remove_file(temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).read(true).create_new(true).mode(mode).open(temporary)?;
        Ok(Self::new(file, temporary.into(), target))
    }

    fn new(file: File, temporary: PathBuf, target: &Path) -> Self {
        let target = target.into();
        let (flushed_every, written, flushed) = (0, 0, 0);
        Self { file, temporary, target, is_committed: false, flushed_every, written, flushed }
    }

    /// Has the disk write after so many bytes, so that the end need not wait for all of them.
    pub fn flush_every(&mut self, bytes: u64) {
        self.flushed_every = bytes;
    }

    fn flush_if_due(&mut self) -> io::Result<()> {
        let due = self.written - self.flushed;
        if self.flushed_every == 0 || due < self.flushed_every {
            return Ok(());
        }
        // What was begun at the last time must be through, or nothing was gained.
        let waiting = self.flushed.saturating_sub(self.flushed_every);
        write_back(&self.file, waiting, self.flushed - waiting, true)?;
        write_back(&self.file, self.flushed, due, false)?;
        self.flushed = self.written;
        Ok(())
    }

    /// Puts the file in the place of the other, for good: whoever looks sees the old or
    /// the new one, after a power cut too.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.target)?;
        self.is_committed = true;
        sync_folder_of(&self.target)
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.written += count as u64;
        self.flush_if_due()?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_committed {
            // Somebody may have removed it; there is nothing better to do.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Has the disk write a part of a file, and waits until it has if asked to.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "nix has no sync_file_range")]
fn write_back(file: &File, offset: u64, bytes: u64, waits: bool) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let (Ok(offset), Ok(bytes)) = (offset.try_into(), bytes.try_into()) else { return Ok(()) };
    let before_and_after = libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let flags = libc::SYNC_FILE_RANGE_WRITE | if waits { before_and_after } else { 0 };
    // SAFETY: the descriptor is open, as `file` is borrowed; no memory is passed.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), offset, bytes, flags) } {
        0 => Ok(()),
        _ => match io::Error::last_os_error() {
            // Some file systems cannot; then the end waits for all.
            error if [Some(libc::ESPIPE), Some(libc::ENOSYS)].contains(&error.raw_os_error()) => {
                Ok(())
            }
            error => Err(error),
        },
    }
}

/// Has the disk write a file.
#[cfg(not(target_os = "linux"))]
fn write_back(file: &File, _: u64, _: u64, waits: bool) -> io::Result<()> {
    if waits { file.sync_data() } else { Ok(()) }
}

/// Replaces a file's content as one step.
pub fn replace(target: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = Replacement::create(target, mode)?;
    file.write_all(content)?;
    file.commit()
}

/// Makes a file's name durable: its folder's entry for it.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    match File::open(folder_of(path))?.sync_all() {
        // Some file systems cannot sync folders.
        Err(error) if [Some(libc::EINVAL), Some(libc::EBADF)].contains(&error.raw_os_error()) => {
            Ok(())
        }
        result => result,
    }
}

/// Creates a file that was not there before, named after `target` and beside it.
pub fn create_free(target: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let Some(name) = target.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"));
    };
    for number in 0..NAME_TRIES {
        let mut free = OsString::from(name);
        free.push(format!("-{}-{number}.tmp", std::process::id()));
        let path = folder_of(target).join(free);
        let mut options = OpenOptions::new();
        match options.write(true).read(true).create_new(true).mode(mode).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (path, file)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name for a temporary file"))
}

/// Removes the file of the working directory that is named by this process's id between `head`
/// and `tail`, if it is there. Makes system calls alone, so a signal handler may call it.
#[expect(unsafe_code, reason = "a signal handler may not allocate a path")]
pub fn unlink_of_process(head: &str, tail: &str) {
    let mut name = [0; UNLINKED_NAME_BYTES];
    let mut digits = [0; PID_DIGITS_MAX];
    let mut at = digits.len();
    let mut pid = std::process::id();
    while at == digits.len() || 0 < pid {
        at -= 1;
        digits[at] = b'0' + u8::try_from(pid % 10).expect("a digit is below ten");
        pid /= 10;
    }
    let parts = [head.as_bytes(), &digits[at..], tail.as_bytes()];
    // A zero must be left at the end.
    assert!(parts.iter().map(|part| part.len()).sum::<usize>() < name.len());
    for (place, byte) in name.iter_mut().zip(parts.into_iter().flatten()) {
        *place = *byte;
    }
    // SAFETY: the name ends with a zero, as it is shorter than its array, and lives through the
    // call.
    unsafe { libc::unlink(name.as_ptr().cast()) };
}

/// A file that one process at a time can hold, as a cluster node does with its
/// `nodes.conf`: by `flock`, which Redis uses too, so the two keep each other out. It
/// ends with its last descriptor: a child must close its copy, `fork` can see to that.
#[derive(Debug)]
pub struct LockFile(Flock<File>);

impl LockFile {
    /// Creates the file if need be and locks it; nothing if another process has it.
    pub fn acquire(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let file = options.append(true).read(true).create(true).mode(0o644).open(path)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Some(Self(lock))),
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, errno)) => Err(errno.into()),
        }
    }

    /// The locked file.
    pub fn file(&self) -> &File {
        &self.0
    }
}

/// Runs something under another umask, so that a file or socket has its permissions
/// before anybody can reach it. The umask is the process's: for the main thread only.
pub fn with_umask<T>(mask: u32, run: impl FnOnce() -> T) -> T {
    let before = umask(Mode::from_bits_truncate(mask));
    let result = run();
    umask(before);
    result
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write, os::unix::fs::PermissionsExt, path::PathBuf};

    use super::{LockFile, Replacement, replace};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sys-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_replacement_is_seen_whole_or_not_at_all() {
        let folder = folder("replace");
        let target = folder.join("x.conf");
        replace(&target, b"old", 0o600).unwrap();
        let mut file = Replacement::create(&target, 0o600).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        drop(file);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left over");
        replace(&target, b"new", 0o640).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(replace(&folder.join("missing/x"), b"", 0o600).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_large_replacement_is_flushed_on_its_way() {
        let folder = folder("flush");
        let (target, temporary) = (folder.join("x.rdb"), folder.join("temp-1.rdb"));
        fs::write(&temporary, b"left over, and longer than what comes").unwrap();
        let mut file = Replacement::create_as(&temporary, &target, 0o600).unwrap();
        file.flush_every(1000);
        for _ in 0..50 {
            file.write_all(&[7; 333]).unwrap();
            assert!(file.written - file.flushed < 1000);
        }
        assert!(!target.exists() && temporary.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), [7; 50 * 333]);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_lock_keeps_the_second_out_until_it_ends() {
        let folder = folder("lock");
        let path = folder.join("nodes.conf");
        let first = LockFile::acquire(&path).unwrap().unwrap();
        assert!(LockFile::acquire(&path).unwrap().is_none());
        assert!(first.file().metadata().unwrap().is_file());
        drop(first);
        assert!(LockFile::acquire(&path).unwrap().is_some());
        fs::remove_dir_all(folder).unwrap();
    }
}
