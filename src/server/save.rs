//! Flow: writes snapshots to disk, in the foreground. What a child does is the same but for who
//! is told of it.

use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use base::random::Random;
use sys::{
    file::{self, Replacement},
    log, process,
};

use crate::{
    persist::{
        self,
        rdb::{self, Progress, SaveOptions, SavedAux, SavedReplication, Summary},
    },
    server::Server,
};

/// Permissions of a snapshot, as far as the umask lets through.
const FILE_MODE: u32 = 0o666;
/// What stands around the process id in the name of a snapshot that is not whole yet.
const TEMPORARY_HEAD: &str = "temp-";
const TEMPORARY_TAIL: &str = ".rdb";
/// With `rdb-save-incremental-fsync`, the disk is given work after so many bytes.
const FLUSHED_BYTES: u64 = 4 * 1024 * 1024;

/// Writes a snapshot to `dbfilename` while everybody waits, and notes that it is good. What went
/// wrong has been logged.
pub fn save_to_disk(server: &mut Server) -> io::Result<Summary> {
    let summary = write_file(server, &mut |_| {})?;
    log::notice!("DB saved on disk");
    server.keyspace.dirty = 0;
    server.snapshots.last_save_s = server.clock.now_s();
    server.snapshots.has_background_save_failed = false;
    Ok(summary)
}

/// Writes a snapshot to `dbfilename`, and tells `progress` after each key; the file is whole or
/// stays as it was. What goes wrong is logged here.
pub fn write_file(server: &Server, progress: &mut dyn FnMut(Progress)) -> io::Result<Summary> {
    let persistence = &server.config.persistence;
    let target = file_name(server);
    let temporary = temporary_name();
    let mut file = Replacement::create_as(&temporary, &target, FILE_MODE).inspect_err(|error| {
        log::warning!(
            "Failed opening the temp RDB file {} (in server root dir {}) for saving: {}",
            temporary.display(),
            String::from_utf8_lossy(&persistence.dir),
            process::describe(error)
        );
    })?;
    if persistence.rdb_save_incremental_fsync {
        file.flush_every(FLUSHED_BYTES);
    }
    let delay_us = persistence.rdb_key_save_delay_us;
    let mut random = Random::from_system();
    let saved = rdb::save(&server.keyspace, &mut file, &options(server), &mut |now| {
        persist::delay(delay_us, &mut random);
        progress(now);
    });
    let failed = |error: &io::Error| {
        let error = process::describe(error);
        log::warning!("Write error while saving DB to the disk: {error}");
    };
    let summary = saved.inspect_err(failed)?;
    file.commit().inspect_err(|error| {
        log::warning!(
            "Error moving temp DB file {} on the final destination {} (in server root dir {}): {}",
            temporary.display(),
            target.display(),
            String::from_utf8_lossy(&persistence.dir),
            process::describe(error)
        );
    })?;
    Ok(summary)
}

/// Returns how snapshots are to be written just now.
pub fn options(server: &Server) -> SaveOptions {
    let persistence = &server.config.persistence;
    SaveOptions {
        version: version(server),
        compresses: persistence.rdbcompression,
        has_checksum: persistence.rdbchecksum,
        access: server.config.memory.maxmemory_policy.into(),
        aux: SavedAux {
            now_s: server.clock.now_s(),
            used_bytes: base::memory::used_bytes() as u64,
            replication: history(server),
            ..SavedAux::default()
        },
        functions: server.functions.clone(),
    }
}

/// Returns the version of the format that is to be written.
pub fn version(server: &Server) -> u8 {
    u8::try_from(server.config.persistence.rdb_version).expect("its bounds are 10 and 12")
}

/// Returns the name of the snapshot in the working directory.
pub fn file_name(server: &Server) -> PathBuf {
    Path::new(OsStr::from_bytes(&server.config.persistence.dbfilename)).into()
}

/// Removes what this process was writing: it ends before that is whole. Runs in a signal handler.
pub fn remove_temporary() {
    file::unlink_of_process(TEMPORARY_HEAD, TEMPORARY_TAIL);
}

/// Returns the name of the file that this process writes a snapshot to before it is whole.
pub fn temporary_name() -> PathBuf {
    format!("{TEMPORARY_HEAD}{}{TEMPORARY_TAIL}", std::process::id()).into()
}

/// Returns where a snapshot of now stands in the history, if there is one.
fn history(server: &Server) -> Option<SavedReplication> {
    server.replication.backlog.as_ref().map(|_| SavedReplication {
        stream_db: server.propagation.selected(),
        id: Some(server.replication.id.clone()),
        offset: i64::try_from(server.history_bytes()).ok(),
    })
}
