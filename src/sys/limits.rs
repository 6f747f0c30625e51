//! Tool: limits that the system sets: open files, the accept backlog, core dumps, huge
//! pages. The sentences are Redis's, as operators search for them.

use std::fs;

use nix::{
    errno::Errno,
    sys::resource::{Resource, getrlimit, setrlimit},
};

use crate::{notice, warning};

/// Descriptors beside clients: files, listeners, pipes, links to other servers.
pub const RESERVED_FILES: u64 = 32;
/// How far the next try is below a limit that was refused.
const STEP: u64 = 16;
/// What is assumed where the system does not say.
const ASSUMED_FILES: u64 = 1024;

/// What came of a wish for open files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OpenFiles {
    Enough,
    Raised { from: u64, to: u64 },
    Reduced { to: u64, because: Errno },
}

/// Raises the limit of open files until `maxclients` fit. Returns how many do fit; the
/// error is for an operator to read, and the server cannot start.
pub fn raise_open_files(maxclients: u32) -> Result<u32, String> {
    let wanted = u64::from(maxclients) + RESERVED_FILES;
    let (current, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(errno) => {
            warning!(
                "Unable to obtain the current NOFILE limit ({}), assuming 1024 and setting the \
                 max clients configuration accordingly.",
                errno.desc()
            );
            return Ok(clients_for(ASSUMED_FILES));
        }
    };
    // The hard limit is never lowered: what was granted once can be asked for again.
    let set = |limit: u64| setrlimit(Resource::RLIMIT_NOFILE, limit, limit.max(hard));
    match seek_open_files(current, wanted, set) {
        OpenFiles::Enough => Ok(maxclients),
        OpenFiles::Raised { from, to } => {
            notice!(
                "Increased maximum number of open files to {to} (it was originally set to {from})."
            );
            Ok(maxclients)
        }
        OpenFiles::Reduced { to, .. } if to <= RESERVED_FILES => Err(format!(
            "Your current 'ulimit -n' of {current} is not enough for the server to start. Please \
             increase your open file limit to at least {wanted}. Exiting."
        )),
        OpenFiles::Reduced { to, because } => {
            let fitting = clients_for(to);
            warning!(
                "You requested maxclients of {maxclients} requiring at least {wanted} max file \
                 descriptors."
            );
            warning!(
                "Server can't set maximum open files to {wanted} because of OS error: {}.",
                because.desc()
            );
            warning!(
                "Current maximum open files is {to}. maxclients has been reduced to {fitting} to \
                 compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."
            );
            Ok(fitting)
        }
    }
}

/// Tries the limit wanted, then seeks the highest below it, in steps, that the system grants. By
/// halves, for a wish of many millions must not stop the server for seconds.
fn seek_open_files(
    current: u64,
    wanted: u64,
    mut set: impl FnMut(u64) -> Result<(), Errno>,
) -> OpenFiles {
    if wanted <= current {
        return OpenFiles::Enough;
    }
    let Err(because) = set(wanted) else {
        return OpenFiles::Raised { from: current, to: wanted };
    };
    let limit = |steps: u64| wanted - steps * STEP;
    // Too few steps down are refused; as many as `enough` end at the current limit or below.
    let (mut too_few, mut enough) = (0, (wanted - current).div_ceil(STEP));
    let mut granted = current;
    while too_few + 1 < enough {
        let middle = too_few.midpoint(enough);
        if set(limit(middle)).is_ok() {
            (enough, granted) = (middle, limit(middle));
        } else {
            too_few = middle;
        }
    }
    OpenFiles::Reduced { to: granted, because }
}

fn clients_for(files: u64) -> u32 {
    u32::try_from(files.saturating_sub(RESERVED_FILES)).unwrap_or(u32::MAX)
}

/// Allows core dumps as large as the hard limit lets them be; says whether any are.
pub fn allow_core_dumps() -> bool {
    let Ok((_, most)) = getrlimit(Resource::RLIMIT_CORE) else { return false };
    most > 0 && setrlimit(Resource::RLIMIT_CORE, most, most).is_ok()
}

/// Warns when the kernel caps the accept queue below `tcp-backlog`.
pub fn warn_of_backlog(backlog: u32) {
    let somaxconn = fs::read_to_string("/proc/sys/net/core/somaxconn");
    let somaxconn = somaxconn.ok().and_then(|text| text.trim().parse().ok());
    if let Some(text) = somaxconn.and_then(|somaxconn| backlog_warning(backlog, somaxconn)) {
        warning!("{text}");
    }
}

fn backlog_warning(backlog: u32, somaxconn: u32) -> Option<String> {
    (somaxconn > 0 && somaxconn < backlog).then(|| {
        format!(
            "WARNING: The TCP backlog setting of {backlog} cannot be enforced because \
             /proc/sys/net/core/somaxconn is set to the lower value of {somaxconn}."
        )
    })
}

/// Turns huge pages off for this process and its children: `disable-thp`.
pub fn disable_huge_pages() -> bool {
    nix::sys::prctl::set_thp_disable(true).is_ok()
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::{OpenFiles, backlog_warning, seek_open_files};

    fn seek(current: u64, wanted: u64, most: u64) -> OpenFiles {
        seek_open_files(
            current,
            wanted,
            |limit| {
                if limit <= most { Ok(()) } else { Err(Errno::EPERM) }
            },
        )
    }

    #[test]
    fn open_files_are_raised_as_far_as_the_system_lets() {
        assert_eq!(seek(1024, 1000, 0), OpenFiles::Enough);
        assert_eq!(seek(1024, 10_032, 20_000), OpenFiles::Raised { from: 1024, to: 10_032 });
        let reduced = |to| OpenFiles::Reduced { to, because: Errno::EPERM };
        assert_eq!(seek(1024, 10_032, 4096), reduced(4096));
        assert_eq!(seek(1024, 10_032, 4100), reduced(4096), "steps of 16 from above");
        assert_eq!(seek(1024, 10_032, 0), reduced(1024));
        assert_eq!(seek(0, 33, 0), reduced(0), "ends below one step too");
    }

    #[test]
    fn a_backlog_above_the_kernels_is_told() {
        let text = backlog_warning(511, 128).unwrap();
        assert!(text.starts_with("WARNING: The TCP backlog setting of 511 cannot be enforced"));
        assert_eq!((backlog_warning(511, 4096), backlog_warning(511, 0)), (None, None));
    }
}
