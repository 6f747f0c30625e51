//! Room: snapshots and the append-only file. First the fields, then a line for each.

use crate::config::{
    Change, check,
    choice::AppendFsync,
    entry::{
        Empty, INT_MAX, INT_MIN, LONG_MAX, Parameter, checked_text, choice, field, integer, memory,
        special, yes_no,
    },
    special::{self, SavePoint},
};

/// Snapshots and the append-only file.
#[derive(Clone, Default)]
pub struct Persistence {
    /// `dir`: the working directory, in which files are written.
    pub dir: Vec<u8>,
    /// `save`: when a snapshot is made: after so many seconds, if there were so many changes.
    pub save: Vec<SavePoint>,
    /// `dbfilename`: the name of the snapshot within `dir`.
    pub dbfilename: Vec<u8>,
    /// `stop-writes-on-bgsave-error`: whether writes are refused as long as the last snapshot has
    /// failed.
    pub stop_writes_on_bgsave_error: bool,
    /// `rdb-version`: the version of the format that snapshots are written in; instead of 11, 12 is
    /// where a field of a hash expires. 10 cannot hold such fields, so the snapshot fails.
    pub rdb_version: u32,
    /// `rdbcompression`: whether strings in snapshots are compressed.
    pub rdbcompression: bool,
    /// `rdbchecksum`: whether snapshots end with a checksum.
    pub rdbchecksum: bool,
    /// `rdb-save-incremental-fsync`: whether a snapshot is flushed to disk bit by bit while it is
    /// written.
    pub rdb_save_incremental_fsync: bool,
    /// `rdb-del-sync-files`: whether snapshots made for replication are deleted when nothing else
    /// persists the data.
    pub rdb_del_sync_files: bool,
    /// `rdb-key-save-delay`: microseconds to wait after each saved key; for tests.
    pub rdb_key_save_delay_us: i32,
    /// `key-load-delay`: microseconds to wait after each loaded key; for tests.
    pub key_load_delay_us: i32,
    /// `loading-process-events-interval-bytes`: how much is loaded between two looks at the
    /// sockets.
    pub loading_process_events_interval_bytes: u32,
    /// `appendonly`: whether every write is added to an append-only file.
    pub appendonly: bool,
    /// `appendfilename`: the stem of the append-only files' names.
    pub appendfilename: Vec<u8>,
    /// `appenddirname`: the directory within `dir` that holds them.
    pub appenddirname: Vec<u8>,
    /// `appendfsync`: when the append-only file is flushed to disk: `always`, `everysec` or `no`
    /// (when the kernel likes).
    pub appendfsync: AppendFsync,
    /// `no-appendfsync-on-rewrite`: whether flushing pauses while a child writes much.
    pub no_appendfsync_on_rewrite: bool,
    /// `auto-aof-rewrite-percentage`: the growth at which the append-only file is rewritten.
    pub auto_aof_rewrite_percentage: u32,
    /// `auto-aof-rewrite-min-size`: the size below which it is not.
    pub auto_aof_rewrite_min_size: u64,
    /// `aof-load-truncated`: whether an append-only file that ends too early is loaded up to there.
    pub aof_load_truncated: bool,
    /// `aof-use-rdb-preamble`: whether a rewritten append-only file begins with a snapshot.
    pub aof_use_rdb_preamble: bool,
    /// `aof-timestamp-enabled`: whether the append-only file carries times, so that it can be cut
    /// at one.
    pub aof_timestamp_enabled: bool,
    /// `aof-rewrite-incremental-fsync`: whether a rewritten file is flushed to disk bit by bit.
    pub aof_rewrite_incremental_fsync: bool,
    /// `aof-disable-auto-gc`: whether superseded append-only files are kept; for tests.
    pub aof_disable_auto_gc: bool,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("dir", "./", special(special::DIR)).protected().denied_while_loading(),
    Parameter::new("save", "3600 1 300 100 60 10000", special(special::SAVE)).words(),
    Parameter::new(
        "dbfilename",
        "dump.rdb",
        checked_text(&field!(persistence.dbfilename), Empty::Value, check::db_filename),
    )
    .protected(),
    Parameter::new(
        "stop-writes-on-bgsave-error",
        "yes",
        yes_no(&field!(persistence.stop_writes_on_bgsave_error)),
    ),
    Parameter::new("rdb-version", "11", integer(10, 12, &field!(persistence.rdb_version))),
    Parameter::new("rdbcompression", "yes", yes_no(&field!(persistence.rdbcompression))),
    Parameter::new("rdbchecksum", "yes", yes_no(&field!(persistence.rdbchecksum))).immutable(),
    Parameter::new(
        "rdb-save-incremental-fsync",
        "yes",
        yes_no(&field!(persistence.rdb_save_incremental_fsync)),
    ),
    Parameter::new("rdb-del-sync-files", "no", yes_no(&field!(persistence.rdb_del_sync_files))),
    Parameter::new(
        "rdb-key-save-delay",
        "0",
        integer(INT_MIN, INT_MAX, &field!(persistence.rdb_key_save_delay_us)),
    )
    .hidden(),
    Parameter::new(
        "key-load-delay",
        "0",
        integer(INT_MIN, INT_MAX, &field!(persistence.key_load_delay_us)),
    )
    .hidden(),
    Parameter::new(
        "loading-process-events-interval-bytes",
        "2097152",
        integer(1024, INT_MAX, &field!(persistence.loading_process_events_interval_bytes)),
    )
    .hidden(),
    Parameter::new("appendonly", "no", yes_no(&field!(persistence.appendonly)))
        .denied_while_loading()
        .change(Change::Appendonly),
    Parameter::new(
        "appendfilename",
        "appendonly.aof",
        checked_text(&field!(persistence.appendfilename), Empty::Value, check::aof_filename),
    )
    .immutable(),
    Parameter::new(
        "appenddirname",
        "appendonlydir",
        checked_text(&field!(persistence.appenddirname), Empty::Value, check::aof_dirname),
    )
    .immutable(),
    Parameter::new("appendfsync", "everysec", choice(&field!(persistence.appendfsync)))
        .change(Change::AppendFsync),
    Parameter::new(
        "no-appendfsync-on-rewrite",
        "no",
        yes_no(&field!(persistence.no_appendfsync_on_rewrite)),
    ),
    Parameter::new(
        "auto-aof-rewrite-percentage",
        "100",
        integer(0, INT_MAX, &field!(persistence.auto_aof_rewrite_percentage)),
    ),
    Parameter::new(
        "auto-aof-rewrite-min-size",
        "64mb",
        memory(0, LONG_MAX, &field!(persistence.auto_aof_rewrite_min_size)),
    ),
    Parameter::new("aof-load-truncated", "yes", yes_no(&field!(persistence.aof_load_truncated))),
    Parameter::new(
        "aof-use-rdb-preamble",
        "yes",
        yes_no(&field!(persistence.aof_use_rdb_preamble)),
    ),
    Parameter::new(
        "aof-timestamp-enabled",
        "no",
        yes_no(&field!(persistence.aof_timestamp_enabled)),
    ),
    Parameter::new(
        "aof-rewrite-incremental-fsync",
        "yes",
        yes_no(&field!(persistence.aof_rewrite_incremental_fsync)),
    ),
    Parameter::new("aof-disable-auto-gc", "no", yes_no(&field!(persistence.aof_disable_auto_gc)))
        .hidden()
        .change(Change::AofHistory),
];
