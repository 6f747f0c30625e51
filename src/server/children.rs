//! Flow: children: makes one that writes a snapshot, hears of it, and notices its end.
//!
//! In the child the server is a copy that is looked at and written out. It never enters the
//! loop, sends nothing to a client, and ends without freeing anything: sockets, sessions of TLS
//! and the loop's own descriptors are its parent's as well.

use std::{
    io,
    os::fd::{AsRawFd, RawFd},
};

use ds::dict::{self, Resize};
use sys::{
    exit::exit_now,
    log, pipe,
    process::{self, ChildSetup, CpuList, Exit, Forked},
    signal::{CHILD_STOPPED, Signal},
};

use crate::{
    latency::Event,
    persist::child::{Child, Reporter, Target},
    server::{Server, tune},
};

/// What a child is to do, and what it is called meanwhile.
pub struct Work<F> {
    /// See there.
    pub target: Target,
    /// As `ps` shows it.
    pub title: &'static str,
    /// Descriptors that it must not keep open: its parent's ends of pipes.
    pub closes: Vec<RawFd>,
    /// Writes the snapshot; what goes wrong is logged there. Returns how many keys it wrote.
    pub run: F,
}

/// How a child has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It has done what it was made for.
    Success,
    /// It has not.
    Failure,
    /// A signal ended it; SIGUSR1 is our own.
    Signal(i32),
}

/// Makes a child.
pub fn start<F>(server: &mut Server, work: Work<F>) -> io::Result<()>
where
    F: FnOnce(&mut Server, &mut Reporter) -> io::Result<u64>,
{
    let (reports, pipe) = pipe::pipe()?;
    let mut closes = work.closes.clone();
    closes.push(reports.as_raw_fd());
    closes.extend(server.doors.iter().flatten().map(|door| door.listener.as_raw_fd()));
    let cpus = CpuList::parse(&String::from_utf8_lossy(&server.config.general.bgsave_cpulist));
    let setup = ChildSetup {
        oom_score: tune::child_oom_score(server),
        cpus: cpus.as_ref(),
        closes: &closes,
    };
    match process::fork(&setup)? {
        Forked::Child => {
            let reporter = Reporter::new(pipe, server.clock.read_monotonic_us());
            exit_now(live(server, work, reporter))
        }
        Forked::Parent { child, took } => {
            let keys = (0..server.keyspace.db_count()).map(|db| server.keyspace.figures(db).keys);
            let now_s = server.clock.now_s();
            let child = Child::new(child, work.target, reports, now_s, keys.sum::<usize>() as u64);
            let fork_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            server.children.began(child, fork_us);
            let used_gib = base::memory::used_bytes() as f64 / (1_u64 << 30) as f64;
            server.latency.fork_rate = used_gib / took.as_secs_f64().max(f64::EPSILON);
            server.note_latency(Event::FORK, took);
            // Tables that stay as they are cost no copies of pages.
            dict::set_may_resize(Resize::Avoid);
            Ok(())
        }
    }
}

/// The life of a child; returns its exit code.
fn live<F>(server: &mut Server, work: Work<F>, mut reporter: Reporter) -> i32
where
    F: FnOnce(&mut Server, &mut Reporter) -> io::Result<u64>,
{
    dict::set_may_resize(Resize::Forbid);
    tune::set_child_title(server, work.title);
    // The file stays the parent's if the child crashes.
    server.lifecycle.pidfile.clear();
    tune::set_crash_log(server);
    let Ok(keys) = (work.run)(server, &mut reporter) else { return 1 };
    let told = reporter.ended(keys, || server.clock.read_monotonic_us());
    match told {
        Ok(()) => 0,
        Err(error) => give_up(&error),
    }
}

/// Ends a child whose parent does not listen any more.
pub fn give_up(error: &io::Error) -> ! {
    log::warning!("Child failed reporting info to parent, exiting. {}", process::describe(error));
    exit_now(1)
}

/// Reads what the child has reported.
pub fn hear(server: &mut Server) {
    let now_us = server.clock.monotonic_us();
    server.children.hear(now_us);
}

/// Returns a child that has ended, and how; it is told of once.
pub fn ended(server: &mut Server) -> Option<(Child, Outcome)> {
    loop {
        let (pid, exit) = match process::reap() {
            Ok(ended) => ended?,
            Err(error) => {
                log::warning!("waitpid() returned an error: {}", process::describe(&error));
                return None;
            }
        };
        if server.children.running().is_none_or(|child| child.pid != pid) {
            log::warning!("Warning, detected child with unmatched pid: {pid}");
            continue;
        }
        // Its last report may still be in the pipe.
        hear(server);
        let child = server.children.ended()?;
        dict::set_may_resize(Resize::Allow);
        return Some((child, outcome(exit)));
    }
}

fn outcome(exit: Exit) -> Outcome {
    match exit {
        Exit::Code(0) => Outcome::Success,
        // It was told to stop, and did so in good order.
        Exit::Code(CHILD_STOPPED) => Outcome::Signal(Signal::SIGUSR1 as i32),
        Exit::Code(_) => Outcome::Failure,
        Exit::Signal(signal) => Outcome::Signal(signal),
    }
}
