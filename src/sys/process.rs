//! Tool: processes: forking, waiting, daemons, pid files, and what one process costs.

use std::{
    fs, io,
    os::fd::{AsRawFd, IntoRawFd, RawFd},
    path::{Component, Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sched::{CpuSet, sched_setaffinity},
    sys::{
        resource::{UsageWho, getrusage},
        stat::Mode,
        time::TimeValLike,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, SysconfVar, dup2_stderr, dup2_stdin, dup2_stdout, setsid, sysconf},
};

pub use nix::unistd::Pid;

use crate::{signal, warning};

const OOM_SCORE: &str = "/proc/self/oom_score_adj";
const OOM_SCORE_MAX: i32 = 1000;

/// What a child does before anything else.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChildSetup<'a> {
    /// Its `oom_score_adj`, if it differs from its parent's: see `OomScore::target`.
    pub oom_score: Option<i32>,
    /// The processors it may run on: `bgsave_cpulist`, `aof_rewrite_cpulist`.
    pub cpus: Option<&'a CpuList>,
    /// Descriptors it must not keep open: listeners, the parent's ends of pipes.
    pub closes: &'a [RawFd],
}

/// Which of the two a caller of `fork` now is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forked {
    /// The parent, which learns how long it stood still.
    Parent {
        /// The child's.
        child: Pid,
        /// For `latest_fork_usec`.
        took: Duration,
    },
    /// The child, which leaves by `exit::exit_now`.
    Child,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// By itself.
    Code(i32),
    /// Killed by a signal.
    Signal(i32),
}

/// Splits the process in two. To be called by the main thread.
#[expect(unsafe_code, reason = "a forked child of a process with threads is half a process")]
pub fn fork(setup: &ChildSetup<'_>) -> io::Result<Forked> {
    let start = Instant::now();
    // A child that is stopped at once shall hear it where it can answer.
    let mask = signal::hold_stop()?;
    // SAFETY: the main thread forks, so what it owns is whole in the child; locks that
    // other threads may hold are the allocator's, which handles forks itself, and none of
    // ours: other threads neither log nor touch the server.
    let forked = unsafe { nix::unistd::fork() };
    if !matches!(forked, Ok(ForkResult::Child)) {
        mask.thread_set_mask()?;
    }
    if let ForkResult::Parent { child } = forked? {
        return Ok(Forked::Parent { child, took: start.elapsed() });
    }
    if let Err(error) = signal::enter_child(mask) {
        warning!("Unable to set the signal handler of a child: {error}");
    }
    if let Some(score) = setup.oom_score {
        // It is logged, and a child with its parent's score still does its work.
        let _ = write_oom_score(score);
    }
    for &fd in setup.closes {
        // A listener that the caller closed meanwhile is no trouble.
        let _ = nix::unistd::close(fd);
    }
    if let Some(cpus) = setup.cpus {
        cpus.apply();
    }
    Ok(Forked::Child)
}

/// Collects one child that has ended, whichever; never waits.
pub fn reap() -> io::Result<Option<(Pid, Exit)>> {
    reap_matching(None)
}

/// Collects one child, if it has ended; never waits.
pub fn reap_one(child: Pid) -> io::Result<Option<Exit>> {
    Ok(reap_matching(Some(child))?.map(|(_, exit)| exit))
}

fn reap_matching(child: Option<Pid>) -> io::Result<Option<(Pid, Exit)>> {
    loop {
        return match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => Ok(Some((pid, Exit::Code(code)))),
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                Ok(Some((pid, Exit::Signal(signal as i32))))
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => Ok(None),
            // Stopped or continued: not what is asked for.
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(errno) => Err(errno.into()),
        };
    }
}

/// Tells a child to end: it goes quietly, and `reap` then tells of `signal::CHILD_STOPPED`.
pub fn stop_child(child: Pid) -> io::Result<()> {
    Ok(nix::sys::signal::kill(child, nix::sys::signal::Signal::SIGUSR1)?)
}

/// Goes to the background: the caller ends, a child of it goes on, in a session of its
/// own and with the standard streams at `/dev/null`. No thread may have been started.
#[expect(unsafe_code, reason = "fork")]
pub fn daemonize() -> io::Result<()> {
    // SAFETY: no other thread is running, so the child is a whole process.
    if unsafe { nix::unistd::fork() }?.is_parent() {
        crate::exit::exit_now(0);
    }
    setsid()?;
    let null = open("/dev/null", OFlag::O_RDWR, Mode::empty())?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    if null.as_raw_fd() <= libc::STDERR_FILENO {
        // A stream was closed, and the number it left free is `/dev/null` now.
        let _ = null.into_raw_fd();
    }
    Ok(())
}

/// Writes the pid to a file; a failure is only logged, as the server can go on.
pub fn write_pid_file(path: &Path) {
    if let Err(error) = fs::write(path, format!("{}\n", std::process::id())) {
        warning!("Failed to write PID file: {}", describe(&error));
    }
}

/// Removes the pid file; says whether there was one.
pub fn remove_pid_file(path: &Path) -> bool {
    fs::remove_file(path).is_ok()
}

/// An error in the system's words alone, as Redis logs them (no `(os error 2)` behind).
pub fn describe(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |raw| Errno::from_raw(raw).desc().into())
}

/// Whose CPU time to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// This process's, all threads.
    Process,
    /// That of its children that were waited for.
    Children,
    /// The calling thread's.
    Thread,
}

/// CPU time used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuTime {
    /// In the program.
    pub user: Duration,
    /// In the kernel, for it.
    pub system: Duration,
}

/// Returns the CPU time used so far.
pub fn cpu_time(whose: Whose) -> CpuTime {
    let who = match whose {
        Whose::Process => UsageWho::RUSAGE_SELF,
        Whose::Children => UsageWho::RUSAGE_CHILDREN,
        Whose::Thread => UsageWho::RUSAGE_THREAD,
    };
    let micros = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or(0))
    };
    getrusage(who).map_or_else(
        |_| CpuTime::default(),
        |usage| CpuTime { user: micros(usage.user_time()), system: micros(usage.system_time()) },
    )
}

/// Returns the memory of this process that is in RAM, in bytes; 0 where `/proc` is shut.
pub fn resident_bytes() -> u64 {
    let pages = stat_field(24);
    pages.unwrap_or(0) * page_bytes()
}

/// Returns the memory that only this process has and has written to: of a child, what it or
/// its parent has changed since the fork. 0 where `/proc` is shut.
pub fn private_dirty_bytes() -> u64 {
    const FIELD: &str = "Private_Dirty:";
    // Older kernels have no sum ready.
    let maps = fs::read_to_string("/proc/self/smaps_rollup")
        .or_else(|_| fs::read_to_string("/proc/self/smaps"));
    let maps = maps.unwrap_or_default();
    let fields = maps.lines().filter_map(|line| line.strip_prefix(FIELD));
    let kilobytes = |field: &str| field.trim().strip_suffix("kB")?.trim().parse::<u64>().ok();
    fields.filter_map(kilobytes).sum::<u64>() * 1024
}

/// Returns the RAM of the machine in bytes.
pub fn machine_bytes() -> u64 {
    let pages = sysconf(SysconfVar::_PHYS_PAGES).ok().flatten().unwrap_or(0);
    u64::try_from(pages).unwrap_or(0) * page_bytes()
}

/// Returns the memory of this process that is in transparent huge pages, in bytes; 0 where the
/// kernel does not tell.
pub fn huge_page_bytes() -> u64 {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("AnonHugePages:"));
    let kib = line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Returns the size of a page of memory in bytes.
pub fn page_bytes() -> u64 {
    let bytes = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(4096)
}

/// Returns a field of `/proc/self/stat`, counted from 1 as proc(5) does.
pub(crate) fn stat_field(number: usize) -> Option<u64> {
    let stat = fs::read("/proc/self/stat").ok()?;
    // The second field, the name in parentheses, may hold anything, blanks too.
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 2..)?).ok()?;
    rest.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// Returns system, release and machine, as INFO's `os` has them.
pub fn os_name() -> String {
    nix::sys::utsname::uname().map_or_else(
        |_| std::env::consts::OS.into(),
        |name| {
            let parts = [name.sysname(), name.release(), name.machine()];
            parts.map(|part| part.to_string_lossy().into_owned()).join(" ")
        },
    )
}

/// Uptime, cut as INFO shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uptime {
    /// All of it in seconds.
    pub seconds: u64,
    /// The whole days in it.
    pub days: u64,
}

impl Uptime {
    /// Computes the time from start to now; 0 when the clock was set back.
    pub fn between(start_ms: u64, now_ms: u64) -> Self {
        let seconds = (now_ms / 1000).saturating_sub(start_ms / 1000);
        Self { seconds, days: seconds / (24 * 3600) }
    }
}

/// Returns the absolute path of the program that was called as `argv0`: looked for in
/// `PATH` when it is a bare name, for the shell did the same.
pub fn executable(argv0: &Path) -> PathBuf {
    let directory = std::env::current_dir().unwrap_or_default();
    if argv0.components().count() > 1 || argv0.is_absolute() {
        return absolute_path(&directory, argv0);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .map(|folder| absolute_path(&directory, &folder.join(argv0)))
        .find(|path| path.is_file());
    found.or_else(|| std::env::current_exe().ok()).unwrap_or_else(|| directory.join(argv0))
}

/// Returns a path seen from a directory as an absolute one, without `.` and `..`; links
/// are not followed, so the name stays the one that the user gave.
pub fn absolute_path(directory: &Path, path: &Path) -> PathBuf {
    let mut absolute = PathBuf::new();
    for component in directory.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                absolute.pop();
            }
            other => absolute.push(other),
        }
    }
    absolute
}

/// Processors to run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CpuList(CpuSet);

impl CpuList {
    /// Parses `0,2-3` or `0-20:2` (every second one); nothing for what is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut set = CpuSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once(':') {
                Some((range, step)) => (range, parse_number(step)?),
                None => (part, 1),
            };
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (parse_number(first)?, parse_number(last)?),
                None if range.len() < part.len() => return None,
                None => (parse_number(range)?, parse_number(range)?),
            };
            if last < first || step == 0 {
                return None;
            }
            for cpu in (first..=last).step_by(step) {
                set.set(cpu).ok()?;
            }
        }
        Some(Self(set))
    }

    /// Confines the calling thread to them; a refusal is only logged.
    pub fn apply(&self) {
        if let Err(errno) = sched_setaffinity(Pid::from_raw(0), &self.0) {
            warning!("Unable to set the CPU affinity: {}", errno.desc());
        }
    }
}

fn parse_number(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// How `oom-score-adj` is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OomMode {
    /// The score is left alone.
    No,
    /// Values are added to the score that the server was started with.
    Relative,
    /// Values are the score.
    Absolute,
}

/// The adjustment of the score by which the kernel chooses whom to kill when memory is
/// short; remembers the original while it is changed.
#[derive(Debug, Default)]
pub struct OomScore {
    original: Option<i32>,
}

impl OomScore {
    /// Sets the score, or restores the original. Logs and returns a failure.
    pub fn apply(&mut self, mode: OomMode, value: i32) -> io::Result<()> {
        if mode == OomMode::No {
            return match self.original.take() {
                Some(original) => write_oom_score(original),
                None => Ok(()),
            };
        }
        let target = self.target(mode, value)?;
        write_oom_score(target)
    }

    /// Computes the score for a value, for a child; reads the original the first time.
    pub fn target(&mut self, mode: OomMode, value: i32) -> io::Result<i32> {
        let original = match self.original {
            Some(original) => original,
            None => read_oom_score()?,
        };
        self.original = Some(original);
        let base = if mode == OomMode::Relative { original } else { 0 };
        Ok(base.saturating_add(value).clamp(-OOM_SCORE_MAX, OOM_SCORE_MAX))
    }
}

fn read_oom_score() -> io::Result<i32> {
    let text = fs::read_to_string(OOM_SCORE).inspect_err(|error| {
        warning!("Unable to read oom_score_adj: {}", describe(error));
    })?;
    text.trim().parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "oom_score_adj"))
}

fn write_oom_score(score: i32) -> io::Result<()> {
    fs::write(OOM_SCORE, format!("{score}\n")).inspect_err(|error| {
        warning!("Unable to write oom_score_adj: {}", describe(error));
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        CpuList, Uptime, Whose, absolute_path, cpu_time, executable, machine_bytes,
        private_dirty_bytes, resident_bytes,
    };

    #[test]
    fn processors_are_listed_with_ranges_and_steps() {
        let cpus = |text: &str| {
            let list = CpuList::parse(text)?;
            Some((0..100).filter(|&cpu| list.0.is_set(cpu).unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(cpus("0,2-3"), Some(vec![0, 2, 3]));
        assert_eq!(cpus("0-3,5"), Some(vec![0, 1, 2, 3, 5]));
        assert_eq!(cpus("1-8:3"), Some(vec![1, 4, 7]));
        for bad in ["", "a", "1,", "3-1", "1-4:0", "1:2", "-1", "1 ", "99999", "1-99999999"] {
            assert_eq!(cpus(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_own_cost_is_known() {
        assert!(resident_bytes() > 100_000 && resident_bytes() < machine_bytes());
        let written = vec![1_u8; 1_000_000];
        assert!(private_dirty_bytes() > written.len() as u64);
        let sum: u64 = (0..10_000_000_u64).fold(0, |sum, n| sum ^ n.wrapping_mul(sum | 1));
        assert!(sum != 1);
        let (process, thread) = (cpu_time(Whose::Process), cpu_time(Whose::Thread));
        assert!(process.user + process.system > thread.user);
    }

    #[test]
    fn paths_become_absolute_by_their_text_alone() {
        let from = |path| absolute_path(Path::new("/a/b"), Path::new(path));
        assert_eq!(from("../c/./d.conf"), Path::new("/a/c/d.conf"));
        assert_eq!(from("/x/../y"), Path::new("/y"));
        assert_eq!(from("../../../c"), Path::new("/c"));
        assert!(executable(Path::new("sh")).is_absolute());
        assert!(executable(Path::new("sh")).ends_with("sh"));
    }

    #[test]
    fn uptime_never_runs_below_zero() {
        let day = Uptime::between(1_999, 86_402_000);
        assert_eq!(day, Uptime { seconds: 86_401, days: 1 });
        assert_eq!(Uptime::between(5_000, 1_000).seconds, 0);
    }
}
