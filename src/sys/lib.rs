//! Tool: the system: processes, signals, files, limits and the log.
