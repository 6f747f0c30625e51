//! Flow: the server begun again in its own place: the same process runs its program anew.
//!
//! Descriptors close by themselves when the program begins, as every one is made so. What
//! fails before that leaves a server that goes on.

use std::{io, os::unix::process::CommandExt, process::Command, thread, time::Duration};

use crate::{
    lifecycle::ShutdownOptions,
    server::{Server, shutdown},
};

/// With how much care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// The configuration is written, and the data as at any shutdown.
    Graceful,
    /// At once, as after a crash.
    Crash,
}

/// Runs the program anew, after a while; returns only if that fails.
pub fn restart(server: &mut Server, how: Restart, delay: Duration) -> io::Result<()> {
    // What cannot be looked at cannot be run.
    std::fs::metadata(&server.lifecycle.executable)?;
    if how == Restart::Graceful {
        if server.config.start.file.is_some() {
            server.config.rewrite().map_err(|error| {
                io::Error::other(format!("configuration rewrite process failed: {error}"))
            })?;
        }
        let options = ShutdownOptions { now: true, ..ShutdownOptions::default() };
        shutdown::prepare(server, options)
            .map_err(|_| io::Error::other("error preparing for shutdown"))?;
    }
    thread::sleep(delay);
    let mut arguments = server.lifecycle.arguments.clone();
    // `dir` may have moved us since the file was named.
    if let (Some(file), Some(first)) = (&server.config.start.file, arguments.first_mut())
        && !first.as_encoded_bytes().starts_with(b"-")
    {
        *first = file.as_path().into();
    }
    let mut command = Command::new(&server.lifecycle.executable);
    Err(command.arg0(&server.lifecycle.argument_zero).args(arguments).exec())
}
