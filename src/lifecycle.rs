//! Room: who this process is, since when, and how it will end.

use std::ffi::OsString;

use sys::supervised::Supervisor;

use crate::client::ClientId;

use crate::client::reply_buffer::ReplyBufferPolicy;

/// What SHUTDOWN or a signal has asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShutdownOptions {
    /// Write a snapshot even without save points (SAVE), or none (NOSAVE); by default if
    /// there are save points.
    pub save: Option<bool>,
    /// Do not wait for replicas.
    pub now: bool,
    /// Go even if something fails.
    pub force: bool,
}

/// An end that waits for replicas.
#[derive(Clone, Debug)]
pub struct PendingShutdown {
    /// How it was asked for.
    pub options: ShutdownOptions,
    /// When it comes in any case.
    pub until_ms: i64,
    /// Whose SHUTDOWN has no answer yet.
    pub callers: Vec<ClientId>,
}

/// The process.
#[derive(Debug, Default)]
pub struct Lifecycle {
    /// 40 hexadecimal digits, other ones at each start.
    pub run_id: String,
    /// The path of the program.
    pub executable: String,
    /// What it was started with, behind the program's name.
    pub arguments: Vec<OsString>,
    /// How it was called.
    pub argument_zero: String,
    /// The system it runs on, as `uname` tells.
    pub os: String,
    /// When it was started, in seconds since the epoch.
    pub started_s: u64,
    /// The file that holds its process id, if there is one.
    pub pidfile: String,
    /// It has gone to the background by itself.
    pub is_daemon: bool,
    /// Who supervises it.
    pub supervisor: Option<Supervisor>,
    /// Memory in use when the server had started.
    pub startup_memory_bytes: usize,
    /// It will end, as soon as replicas have all that was written.
    pub shutdown: Option<PendingShutdown>,
    /// The code it exits with once the loop has ended.
    pub exit_code: Option<i32>,
    /// DEBUG REPLYBUFFER.
    pub reply_buffers: ReplyBufferPolicy,
    /// DEBUG PAUSE-CRON.
    pub is_cron_paused: bool,
    /// Keys that are due go by themselves; DEBUG SET-ACTIVE-EXPIRE turns it off.
    pub expires_actively: bool,
    /// How often the cron has run.
    pub cron_count: u64,
    /// How often it runs in a second at present.
    pub hz: u32,
    /// When an attempt to speak HTTP was logged last, in seconds since the epoch.
    pub http_logged_s: Option<u64>,
    /// The place of the client that the cron looks at next.
    pub next_client: usize,
}
