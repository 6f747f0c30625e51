//! Flow: snapshots that children write: when one begins, and what follows its end.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use ae::Waker;
use base::random::hex_id;
use sys::{log, pipe, process, signal::Signal};

use crate::{
    client::ClientId,
    keyspace::Keyspace,
    persist::{
        self,
        child::{Child, Reporter, Target},
        rdb::{self, Progress},
    },
    replication::{Relay, replica::Filter},
    server::{
        Datum, Server,
        children::{self, Outcome, Work},
        save, transfer,
    },
};

/// Looks whether a save point, or somebody who had to wait, asks for a snapshot.
pub fn look(server: &mut Server) {
    if server.children.running().is_some() || server.is_loading() {
        return;
    }
    let now_s = server.clock.now_s();
    let snapshots = &server.snapshots;
    let points = &server.config.persistence.save;
    let dirty = server.keyspace.dirty;
    if let Some(point) = snapshots.due(points, dirty, now_s) {
        log::notice!("{} changes in {} seconds. Saving...", point.changes, point.seconds);
        // A failure is logged, and the next one waits a while.
        let _ = start(server);
    } else if snapshots.background.is_scheduled
        && snapshots.may_retry(now_s)
        && start(server).is_ok()
    {
        server.snapshots.background.is_scheduled = false;
    }
}

/// Begins a snapshot on disk. What goes wrong is logged.
pub fn start(server: &mut Server) -> io::Result<()> {
    server.snapshots.saves += 1;
    server.snapshots.background.dirty_before = server.keyspace.dirty;
    server.snapshots.background.tried_s = server.clock.now_s();
    let work = Work {
        target: Target::Disk,
        title: "redis-rdb-bgsave",
        closes: Vec::new(),
        run: |server: &mut Server, reporter: &mut Reporter| {
            let server = &*server;
            let saved = save::write_file(server, &mut |now| report(server, reporter, now))?;
            log::notice!("DB saved on disk");
            Ok(saved.keys)
        },
    };
    children::start(server, work).inspect_err(|error| {
        server.snapshots.has_background_save_failed = true;
        log_failure(error);
    })?;
    log_beginning(server, "Background saving started");
    Ok(())
}

/// Begins a snapshot that goes to replicas without touching the disk. What goes wrong is
/// logged.
pub fn start_for_replicas(
    server: &mut Server,
    filter: Filter,
    readers: &[ClientId],
) -> io::Result<()> {
    let (snapshot, mut out) = pipe::pipe()?;
    let (mut stay, leave) = io::pipe()?;
    let closes =
        vec![std::os::fd::AsRawFd::as_raw_fd(&snapshot), std::os::fd::AsRawFd::as_raw_fd(&leave)];
    let work = Work {
        target: Target::Replicas,
        title: "redis-rdb-to-slaves",
        closes,
        run: move |server: &mut Server, reporter: &mut Reporter| {
            let keys = write_marked(server, filter, &mut out, reporter)?;
            // The parent reads up to here, and then lets us go: who is told of our end knows
            // that nothing is in the pipe any more.
            drop(out);
            let _ = io::Read::read(&mut stay, &mut [0]);
            Ok(keys)
        },
    };
    children::start(server, work).inspect_err(log_failure)?;
    log_beginning(server, "Background RDB transfer started");
    let mut source = Waker::new(&snapshot);
    let fd = server.events.add(&mut source, transfer::relay_ready, Datum::Relay, ae::Mask::READ);
    let fd = fd.inspect_err(|error| {
        log::warning!("Cannot watch the pipe of a child: {error}");
        server.children.stop();
    })?;
    server.replication.relay = Some(Relay::new(fd, snapshot, leave, readers.iter().copied()));
    Ok(())
}

/// In a child: writes a snapshot between a mark that it names first and the mark.
fn write_marked(
    server: &Server,
    filter: Filter,
    out: &mut dyn Write,
    reporter: &mut Reporter,
) -> io::Result<u64> {
    let mark = hex_id();
    let nothing = Keyspace::new(0);
    let keyspace = if filter.excludes_data { &nothing } else { &server.keyspace };
    let mut options = save::options(server);
    if filter.excludes_functions {
        options.functions.clear();
    }
    let delay_us = server.config.persistence.rdb_key_save_delay_us;
    let mut random = base::random::Random::from_system();
    let mut progress = |now: Progress| {
        persist::delay(delay_us, &mut random);
        report(server, reporter, now);
    };
    let mut write = || {
        out.write_all(b"$EOF:")?;
        out.write_all(&mark)?;
        out.write_all(b"\r\n")?;
        let summary = rdb::save(keyspace, out, &options, &mut progress)?;
        out.write_all(&mark)?;
        Ok(summary.keys)
    };
    write().inspect_err(|error: &io::Error| {
        log::warning!("Write error while sending DB to replicas: {}", process::describe(error));
    })
}

fn report(server: &Server, reporter: &mut Reporter, now: Progress) {
    let told = reporter.wrote(now.keys, || server.clock.read_monotonic_us());
    if let Err(error) = told {
        children::give_up(&error);
    }
}

fn log_beginning(server: &Server, what: &str) {
    if let Some(child) = server.children.running() {
        log::notice!("{what} by pid {}", child.pid);
    }
}

fn log_failure(error: &io::Error) {
    log::warning!("Can't save in background: fork: {}", process::describe(error));
}

/// Does what follows the end of a child.
pub fn ended(server: &mut Server, child: &Child, outcome: Outcome) {
    let now_s = server.clock.now_s();
    match child.target {
        Target::Disk => ended_on_disk(server, child, outcome, now_s),
        Target::Replicas => ended_for_replicas(outcome),
    }
    let peak_bytes = server.children.peak_bytes;
    let background = &mut server.snapshots.background;
    background.took_s = Some(now_s.saturating_sub(child.started_s));
    if outcome == Outcome::Success {
        background.cow_bytes = peak_bytes;
    }
    transfer::close_relay(server);
}

fn ended_on_disk(server: &mut Server, child: &Child, outcome: Outcome, now_s: u64) {
    match outcome {
        Outcome::Success => {
            log::notice!("Background saving terminated with success");
            let dirty = &mut server.keyspace.dirty;
            *dirty = dirty.saturating_sub(server.snapshots.background.dirty_before);
            server.snapshots.last_save_s = now_s;
            server.snapshots.has_background_save_failed = false;
        }
        Outcome::Failure => {
            log::warning!("Background saving error");
            server.snapshots.has_background_save_failed = true;
        }
        Outcome::Signal(signal) => {
            log::warning!("Background saving terminated by signal {signal}");
            remove_temporary(child);
            // Who ends a child on purpose has not failed.
            if signal != Signal::SIGUSR1 as i32 {
                server.snapshots.has_background_save_failed = true;
            }
        }
    }
}

fn ended_for_replicas(outcome: Outcome) {
    match outcome {
        Outcome::Success => log::notice!("Background RDB transfer terminated with success"),
        Outcome::Failure => log::warning!("Background transfer error"),
        Outcome::Signal(signal) => {
            log::warning!("Background transfer terminated by signal {signal}");
        }
    }
}

/// Ends a child that would write an old snapshot over a new one.
pub fn stop_for_exit(server: &mut Server) {
    if let Some(child) = server.children.running() {
        log::warning!("There is a child saving an .rdb. Killing it!");
        server.children.stop();
        remove_temporary(child);
    }
}

/// All data is gone: whatever is written of it would bring it back. With save points the file
/// becomes empty, too.
pub fn flushed(server: &mut Server) {
    server.children.stop();
    if !server.config.persistence.save.is_empty() {
        // What goes wrong is logged, and the next save point tries again.
        let _ = save::save_to_disk(server);
    }
}

/// Removes what a child leaves that was stopped.
fn remove_temporary(child: &Child) {
    let path: PathBuf = format!("temp-{}.rdb", child.pid).into();
    if child.target == Target::Disk {
        // It may have left nothing.
        let _ = fs::remove_file(path);
    }
}
