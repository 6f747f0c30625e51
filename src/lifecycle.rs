//! Room: who this process is, since when, and how it will end.

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

/// The process.
#[derive(Debug)]
pub struct Lifecycle {
    /// 40 hexadecimal digits, other ones at each start.
    pub run_id: String,
    /// The path of the program.
    pub executable: String,
    /// Its arguments, for a restart and for INFO.
    pub arguments: Vec<Vec<u8>>,
    /// When it was started.
    pub started_ms: i64,
    /// It was told to end; the loop ends it.
    pub shutdown: Option<ShutdownOptions>,
    /// The code it exits with once the loop has ended.
    pub exit_code: Option<i32>,
    /// DEBUG PAUSE-CRON.
    pub is_cron_paused: bool,
    /// How often the cron has run.
    pub cron_count: u64,
    /// Turns of the loop.
    pub turns: u64,
    /// Memory in use when the server had started.
    pub startup_memory_bytes: usize,
    /// Who supervises it, as INFO says it.
    pub supervised: &'static str,
}
