//! Flow: loads the snapshot at the start, in steps, while clients are served; and all at once for
//! DEBUG RELOAD.
//!
//! A step is made in each turn of the loop, which then does not sleep: so doors are open, INFO
//! tells how far it is, and who asks for data is told that it is being loaded. A file that
//! cannot be loaded whole ends the server, as what is missing would be lost with the next save.

use std::{
    fs::File,
    io::{self, ErrorKind},
    time::Instant,
};

use sys::{log, process, signal};

use crate::{
    check,
    config::{Config, SanitizeDumpPayload},
    persist::{
        rdb::{Fault, LoadError, LoadOptions, Loader, Origin, Step},
        state::Loading,
    },
    server::{Server, banner, save},
};

/// Between two looks at the clients, at least so much is loaded.
const STEP_BYTES_MIN: u64 = 1024;

/// Whether keys that come may be there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duplicates {
    /// The file is broken then.
    Refuse,
    /// They give way.
    Replace,
}

/// The snapshot could not be loaded; the log says why.
#[derive(Debug)]
pub struct ReloadFailed;

/// Begins to load the snapshot, if there is one.
pub fn begin(server: &mut Server) -> Result<(), String> {
    let loading = open(server, Duplicates::Refuse).map_err(|error| {
        log::warning!(
            "Fatal error: can't open the RDB file {} for reading: {}",
            save::file_name(server).display(),
            process::describe(&error)
        );
        "Fatal error loading the DB, check server logs. Exiting.".to_owned()
    })?;
    if loading.is_some() {
        server.snapshots.loading = loading;
        signal::set_loading(true);
        server.events.stay_awake();
    } else {
        banner::welcome(server);
    }
    Ok(())
}

/// Makes a step of a load under way.
pub fn go_on(server: &mut Server) {
    let Some(mut loading) = server.snapshots.loading.take() else { return };
    let persistence = &server.config.persistence;
    loading.loader.key_delay_us = persistence.key_load_delay_us;
    let budget = u64::from(persistence.loading_process_events_interval_bytes).max(STEP_BYTES_MIN);
    let outcome = loading.loader.step(&mut server.keyspace, budget);
    match outcome {
        Ok(Step::More) => {
            server.snapshots.loading = Some(loading);
            server.events.stay_awake();
        }
        Ok(Step::Done) => {
            let seconds = loading.began.elapsed().as_secs_f64();
            finish(server, loading.loader);
            log::notice!("DB loaded from disk: {seconds:.3} seconds");
            signal::set_loading(false);
            banner::welcome(server);
        }
        Err(error) => {
            // While clients are still kept from it: nothing of it may be saved.
            server.snapshots.loading = Some(loading);
            explain(server, &error);
            server.lifecycle.exit_code = Some(1);
        }
    }
}

/// Loads the snapshot at once, over the present keys.
pub fn reload(server: &mut Server, duplicates: Duplicates) -> Result<(), ReloadFailed> {
    let mut loading = match open(server, duplicates) {
        Ok(Some(loading)) => loading,
        Ok(None) => return Err(ReloadFailed),
        Err(error) => {
            log::warning!(
                "Fatal error: can't open the RDB file {} for reading: {}",
                save::file_name(server).display(),
                process::describe(&error)
            );
            return Err(ReloadFailed);
        }
    };
    loop {
        match loading.loader.step(&mut server.keyspace, u64::MAX) {
            Ok(Step::More) => {}
            Ok(Step::Done) => break,
            Err(error) => {
                log_fault(&error);
                return Err(ReloadFailed);
            }
        }
    }
    finish(server, loading.loader);
    Ok(())
}

fn open(server: &Server, duplicates: Duplicates) -> io::Result<Option<Loading>> {
    let file = match File::open(save::file_name(server)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let metadata = file.metadata()?;
    // Of a pipe nobody knows how much is to come.
    let total_bytes = metadata.is_file().then_some(metadata.len());
    let options = LoadOptions {
        total_bytes,
        checks_checksum: checks_checksums(server),
        origin: Origin::Own,
        replaces: duplicates == Duplicates::Replace,
        is_suspicious: is_suspicious(&server.config),
        limits: server.config.encoding,
        now_ms: server.now_ms(),
    };
    let mut loader = Loader::new(Box::new(file), options);
    loader.functions = server.functions.clone();
    loader.key_delay_us = server.config.persistence.key_load_delay_us;
    Ok(Some(Loading {
        loader,
        started_s: server.clock.now_s(),
        began: Instant::now(),
        total_bytes: total_bytes.unwrap_or(0),
    }))
}

/// Whether checksums are looked at.
fn checks_checksums(server: &Server) -> bool {
    server.config.persistence.rdbchecksum && !server.snapshots.skips_checksums
}

/// Whether files are looked through. Clients' payloads are in any case.
fn is_suspicious(config: &Config) -> bool {
    config.security.sanitize_dump_payload == SanitizeDumpPayload::Yes
}

fn finish(server: &mut Server, loader: Loader<'_>) {
    let stats = loader.stats();
    let skipped = match stats.empty_keys_skipped {
        0 => String::new(),
        count => format!(", empty keys skipped: {count}"),
    };
    log::notice!(
        "Done loading RDB, keys loaded: {}, keys expired: {}{skipped}.",
        stats.keys_loaded,
        stats.keys_expired
    );
    server.stats.examined_payloads += stats.examined;
    server.snapshots.last_loaded = stats;
    server.snapshots.last_aux = loader.aux().clone();
    server.functions = loader.functions;
    if 0 < server.functions.count() {
        log::warning!(
            "Libraries of functions kept: {}. This server cannot run them; it writes them to each \
             snapshot.",
            server.functions.count()
        );
    }
}

/// Says why the server ends; where the file is broken, shows where.
fn explain(server: &Server, error: &LoadError) {
    log_fault(error);
    // Of a file that is not broken the checker would say so.
    if let Fault::Short | Fault::Corrupt(_) | Fault::Checksum { .. } = error.fault {
        check::rdb::check_and_tell(&save::file_name(server));
        log::warning!("Terminating server after rdb file reading failure.");
    }
    log::warning!("Fatal error loading the DB, check server logs. Exiting.");
}

fn log_fault(error: &LoadError) {
    let what = match &error.fault {
        Fault::Short => "Unexpected EOF reading RDB file".to_owned(),
        Fault::Checksum { .. } => "RDB CRC error".to_owned(),
        _ => {
            log::warning!("{error}");
            return;
        }
    };
    log::warning!("{}", error.fault);
    log::warning!("Internal error in RDB reading offset {} -> {what}", error.offset);
}
