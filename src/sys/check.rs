//! Tool: what of the machine's set-up hurts a server: `--check-system`, and the
//! warnings at the start.

use std::{fs, path::Path, time::Duration};

use crate::{
    limits::disable_huge_pages,
    process::{Whose, cpu_time},
    warning,
};

const CLOCK_SOURCES: &str = "/sys/devices/system/clocksource/clocksource0";

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All is well.
    Passed,
    /// The system does not tell.
    Skipped,
    /// Something should be changed: what, why and how.
    Failed(String),
}

/// One check of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name, as `--check-system` prints it.
    pub name: &'static str,
    /// Looks at the machine.
    pub run: fn() -> Verdict,
}

/// All checks, in the order of their report.
pub const CHECKS: &[Check] = &[
    Check { name: "slow-clocksource", run: slow_clock },
    Check { name: "xen-clocksource", run: xen_clock },
    Check { name: "overcommit", run: overcommit },
    Check { name: "THP", run: huge_pages },
];

/// Runs all checks; returns the report and whether none failed.
pub fn check_system() -> (String, bool) {
    let mut report = String::new();
    let mut is_well = true;
    for check in CHECKS {
        report.push_str(&format!("[{}]...", check.name));
        match (check.run)() {
            Verdict::Passed => report.push_str("OK\n"),
            Verdict::Skipped => report.push_str("skipped\n"),
            Verdict::Failed(text) => {
                report.push_str(&format!("WARNING:\n{text}\n"));
                is_well = false;
            }
        }
    }
    (report, is_well)
}

/// Logs what an operator should know at the start. Huge pages are turned off for this
/// process if `disable-thp` allows, and are then no trouble. Returns whether they still
/// are on.
pub fn warn_at_start(may_disable_thp: bool) -> bool {
    if let Verdict::Failed(text) = overcommit() {
        warning!("WARNING {text}");
    }
    let mut has_huge_pages = false;
    if let Verdict::Failed(text) = huge_pages() {
        has_huge_pages = !(may_disable_thp && disable_huge_pages());
        if has_huge_pages {
            warning!("WARNING {text}");
        }
    }
    if let Verdict::Failed(text) = xen_clock() {
        warning!("WARNING {text}");
    }
    has_huge_pages
}

/// Asks the time over and over: done in user space, as it should be, that leaves no
/// trace in the kernel's account. The account is kept in ticks, so a few must pass.
fn slow_clock() -> Verdict {
    let before = cpu_time(Whose::Process);
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(50) {}
    let after = cpu_time(Whose::Process);
    let system = after.system.saturating_sub(before.system);
    let user = after.user.saturating_sub(before.user);
    if system * 10 <= system + user {
        return Verdict::Passed;
    }
    let source = |name| read_line(&Path::new(CLOCK_SOURCES).join(name)).unwrap_or_default();
    let (current, available) = (source("current_clocksource"), source("available_clocksource"));
    Verdict::Failed(format!(
        "Slow system clocksource detected: asking for the time takes a system call, which costs \
         performance. Current clocksource: {current}. Available clocksources: {available}. Change \
         it, for example: run the command 'echo tsc > {CLOCK_SOURCES}/current_clocksource' as \
         root; for good, with the kernel command line parameter 'clocksource='."
    ))
}

fn xen_clock() -> Verdict {
    let current = read_line(&Path::new(CLOCK_SOURCES).join("current_clocksource"));
    judge_xen(current.as_deref())
}

fn judge_xen(current: Option<&str>) -> Verdict {
    match current {
        None => Verdict::Skipped,
        Some("xen") => Verdict::Failed(
            "The system uses the 'xen' clocksource, which may be slow. Run 'redis-server \
             --check-system' and see whether [slow-clocksource] complains."
                .into(),
        ),
        Some(_) => Verdict::Passed,
    }
}

fn overcommit() -> Verdict {
    judge_overcommit(read_line(Path::new("/proc/sys/vm/overcommit_memory")).as_deref())
}

fn judge_overcommit(value: Option<&str>) -> Verdict {
    match value {
        None => Verdict::Skipped,
        Some("1") => Verdict::Passed,
        Some(_) => Verdict::Failed(
            "Memory overcommit must be enabled! Without it, a background save or replication may \
             fail when memory is low, and jemalloc may fail before it is. To fix this issue add \
             'vm.overcommit_memory = 1' to /etc/sysctl.conf and reboot, or run the command \
             'sysctl vm.overcommit_memory=1', which takes effect at once."
                .into(),
        ),
    }
}

fn huge_pages() -> Verdict {
    judge_huge_pages(read_line(Path::new("/sys/kernel/mm/transparent_hugepage/enabled")).as_deref())
}

fn judge_huge_pages(value: Option<&str>) -> Verdict {
    match value {
        None => Verdict::Skipped,
        Some(value) if value.contains("[always]") => Verdict::Failed(
            "You have Transparent Huge Pages (THP) support enabled in your kernel. A fork then \
             copies far more memory, which costs latency and space. To fix this issue run the \
             command 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' as root, add it \
             to what runs at boot, and restart Redis."
                .into(),
        ),
        Some(_) => Verdict::Passed,
    }
}

fn read_line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().next()?.trim().into())
}

#[cfg(test)]
mod tests {
    use super::{CHECKS, Verdict, check_system, judge_huge_pages, judge_overcommit, judge_xen};

    #[test]
    fn each_check_stands_in_the_report() {
        let (report, is_well) = check_system();
        for check in CHECKS {
            assert!(report.contains(&format!("[{}]...", check.name)), "{report}");
        }
        assert_eq!(is_well, !report.contains("WARNING:"));
    }

    #[test]
    fn verdicts_follow_what_the_kernel_says() {
        let fails = |verdict| matches!(verdict, Verdict::Failed(_));
        assert!(fails(judge_overcommit(Some("0"))) && fails(judge_overcommit(Some("2"))));
        assert_eq!(judge_overcommit(Some("1")), Verdict::Passed);
        assert!(fails(judge_huge_pages(Some("[always] madvise never"))));
        assert_eq!(judge_huge_pages(Some("always [madvise] never")), Verdict::Passed);
        assert!(fails(judge_xen(Some("xen"))));
        assert_eq!(judge_xen(None), Verdict::Skipped);
    }
}
