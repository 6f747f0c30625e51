//! Tool: what a crash leaves in the log.

use super::Server;

const START: &str = "=== REDIS BUG REPORT START: Cut & paste starting from here ===";
const END: &str = "=== REDIS BUG REPORT END. Make sure to include from START to END. ===";

/// Crashes a server by a command; returns how it ended and what it has logged.
fn crash(how: &str, options: &[&str]) -> (i32, String) {
    let mut server = Server::start(&[&["--save", ""], options].concat());
    assert_eq!(server.ask(&["DEBUG", how]), "");
    (server.wait(), server.log())
}

fn holds_report(log: &str, texts: &[&str]) {
    for text in [&[START, END, "STACK TRACE", "INFO OUTPUT", "redis_version:7.2.6"], texts].concat()
    {
        assert!(log.contains(text), "{text:?} in\n{log}");
    }
    // The names of functions, and the lines where they stand.
    assert!(log.contains("/src/server/before_sleep.rs:"), "{log}");
}

#[test]
fn a_fatal_signal_leaves_a_report_and_ends_the_process_by_itself() {
    let (code, log) = crash("SEGFAULT", &["--crash-memcheck-enabled", "no"]);
    assert_eq!(code, -11);
    holds_report(&log, &["# Redis 7.2.6 crashed by signal: 11, si_code: ", "CLIENT LIST OUTPUT"]);
    assert!(log.contains("/src/commands/debug.rs:"), "{log}");
    // And whose code they are.
    assert!(log.contains("    which is debugCommand\n"), "{log}");

    let mut server = Server::start(&["--save", ""]);
    server.signal("ABRT");
    let code = server.wait();
    let log = server.log();
    assert_eq!(code, -6, "{log}");
    holds_report(&log, &["crashed by signal: 6", "# Killed by PID: ", "Fast memory test PASSED"]);
}

#[test]
fn a_panic_leaves_a_report() {
    let (code, log) = crash("PANIC", &["--crash-memcheck-enabled", "no"]);
    assert_eq!(code, -6);
    holds_report(&log, &["# Guru Meditation: called by DEBUG PANIC #src/commands/debug.rs:"]);
    let (code, log) = crash("ASSERT", &["--use-exit-on-panic", "yes"]);
    assert_eq!(code, 1);
    holds_report(&log, &["# === ASSERTION FAILED ===", "# ==> src/commands/debug.rs:"]);
    let (code, log) = crash("OOM", &["--crash-memcheck-enabled", "no"]);
    assert_eq!(code, -6);
    holds_report(&log, &["# Out Of Memory allocating ", "Redis aborting for OUT OF MEMORY. "]);
}

#[test]
fn reports_can_be_turned_off_at_run_time() {
    let mut server = Server::start(&["--save", ""]);
    assert_eq!(server.ask(&["CONFIG", "SET", "crash-log-enabled", "no"]), "+OK");
    server.signal("SEGV");
    assert_eq!(server.wait(), -11);
    assert!(!server.log().contains(START));
}
