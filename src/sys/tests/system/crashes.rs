//! Tool: the scenes of crashes, and of the watchdog.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use sys::{
    crash::{self, Report, Settings, Witness},
    log,
    process::{self, ChildSetup, Exit, Forked},
    watchdog::Watchdog,
};

use crate::judge::{
    PATIENCE, assert_crashed, command, folder, read_until, run, send, text, wait_until,
};

struct Server(&'static str);

impl Witness for Server {
    fn tell(&self, report: &mut Report<'_>) {
        report.section("INFO OUTPUT", self.0.as_bytes());
        report.section("CLIENT LIST OUTPUT", b"id=1\n");
    }
}

fn settings() -> Settings {
    Settings {
        version: "7.2.6",
        is_enabled: true,
        tests_memory: false,
        exits_on_panic: false,
        pid_file: None,
    }
}

fn play_with(settings: Settings, crash: fn(&mut Server)) {
    log::init();
    log::adopt_pid();
    crash::configure(settings).unwrap();
    crash::lend(&mut Server("used_memory:1\n"), crash);
}

pub(crate) fn play_panic(arguments: &[String]) {
    let pid_file = arguments.first().map(PathBuf::from);
    play_with(Settings { pid_file, ..settings() }, |_| blunder_in_a_command("lost"));
}

#[inline(never)]
fn blunder_in_a_command(what: &str) {
    panic!("the {what} is {what}");
}

pub(crate) fn judge_panic(name: &str) {
    let pid_file = folder(name).join("pid");
    fs::write(&pid_file, "1\n").unwrap();
    let output = command(name, &[pid_file.to_str().unwrap()]).output().unwrap();
    let text = assert_crashed(&output, Signal::SIGABRT);
    assert!(text.contains(" # Guru Meditation: the lost is lost #"), "{text}");
    assert!(text.contains("------ STACK TRACE ------"), "{text}");
    assert!(text.contains("blunder_in_a_command at "), "names are known: {text}");
    let sections = "------ INFO OUTPUT ------\nused_memory:1\n\n------ CLIENT LIST OUTPUT ------\n";
    assert!(text.contains(sections), "{text}");
    assert!(!pid_file.exists());
    fs::remove_dir_all(pid_file.parent().unwrap()).unwrap();
}

pub(crate) fn play_assertion(_: &[String]) {
    play_with(settings(), |server| assert!(server.0.is_empty()));
}

pub(crate) fn judge_assertion(name: &str) {
    let text = assert_crashed(&run(name), Signal::SIGABRT);
    assert_eq!(text.matches("=== ASSERTION FAILED ===").count(), 1, "{text}");
    assert!(text.contains("server.0.is_empty()"), "{text}");
}

pub(crate) fn play_exit(_: &[String]) {
    play_with(Settings { exits_on_panic: true, ..settings() }, |_| panic!("out"));
}

pub(crate) fn judge_exit(name: &str) {
    let output = run(name);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("=== REDIS BUG REPORT END."));
}

#[expect(unsafe_code, reason = "a crash is wanted")]
fn touch_page_zero() {
    let nowhere: *mut u8 = std::ptr::without_provenance_mut(0x10);
    // SAFETY: none at all, which is what the test is about.
    unsafe { nowhere.write_volatile(1) };
}

pub(crate) fn play_segv(_: &[String]) {
    let bystander = std::thread::spawn(|| {
        loop {
            std::hint::black_box(vec![1; 10_000]);
        }
    });
    play_with(Settings { tests_memory: true, ..settings() }, |_| touch_page_zero());
    bystander.join().unwrap();
}

pub(crate) fn judge_segv(name: &str) {
    let text = assert_crashed(&run(name), Signal::SIGSEGV);
    for wanted in [
        " # Redis 7.2.6 crashed by signal: 11, si_code: 1\n",
        " # Accessing address: 0x10\n",
        " # Crashed running the instruction at: 0x",
        "------ STACK TRACE ------",
        "touch_page_zero",
        "------ REGISTERS ------\n",
        "------ INFO OUTPUT ------\nused_memory:1\n",
        "------ FAST MEMORY TEST ------\n*** Testing memory region ",
        "Fast memory test PASSED",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[expect(unconditional_recursion, reason = "a crash is wanted")]
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + room[0]
}

pub(crate) fn play_overflow(_: &[String]) {
    play_with(settings(), |_| {
        recurse(0);
    });
}

pub(crate) fn judge_overflow(name: &str) {
    let text = assert_crashed(&run(name), Signal::SIGSEGV);
    assert!(text.contains("recurse") && text.contains("------ INFO OUTPUT ------"), "{text}");
}

pub(crate) fn play_sleep(_: &[String]) {
    play_with(settings(), |_| {
        println!("ready");
        std::thread::sleep(PATIENCE);
    });
}

pub(crate) fn judge_abort(name: &str) {
    let mut child = command(name, &[]).spawn().unwrap();
    read_until(&mut child, "ready\n");
    send(&child, Signal::SIGABRT);
    let text = assert_crashed(&child.wait_with_output().unwrap(), Signal::SIGABRT);
    assert!(text.contains("crashed by signal: 6, si_code: 0"), "{text}");
    assert!(text.contains(&format!("Killed by PID: {}, UID: ", std::process::id())), "{text}");
}

pub(crate) fn play_thread(arguments: &[String]) {
    fn bare() {
        touch_page_zero();
    }
    fn protected() {
        crash::protect_thread().unwrap();
        touch_page_zero();
    }
    let body = if arguments.is_empty() { bare } else { protected };
    log::init();
    log::adopt_pid();
    crash::configure(settings()).unwrap();
    crash::lend(&mut Server("used_memory:1\n"), |_| std::thread::spawn(body).join().unwrap());
}

pub(crate) fn judge_thread(name: &str) {
    let text = assert_crashed(&run(name), Signal::SIGSEGV);
    assert!(text.contains("Accessing address: 0x10") && !text.contains("INFO OUTPUT"), "{text}");
    let output = command(name, &["protected"]).output().unwrap();
    let text = assert_crashed(&output, Signal::SIGSEGV);
    assert!(text.contains("touch_page_zero") && !text.contains("INFO OUTPUT"), "{text}");
}

pub(crate) fn play_disabled(_: &[String]) {
    log::init();
    log::adopt_pid();
    crash::configure(settings()).unwrap();
    crash::configure(Settings { is_enabled: false, ..settings() }).unwrap();
    touch_page_zero();
}

pub(crate) fn judge_disabled(name: &str) {
    let output = run(name);
    assert_eq!(output.status.signal(), Some(Signal::SIGSEGV as i32));
    assert_eq!(text(&output), "");
}

#[inline(never)]
fn sleep_in_a_command(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::black_box(());
    }
}

pub(crate) fn play_watchdog(_: &[String]) {
    log::init();
    log::adopt_pid();
    let mut watchdog = Watchdog::default();
    assert_eq!(watchdog.set_period(1, 10).unwrap(), 200, "two turns at least");
    sleep_in_a_command(Duration::from_millis(500));
    watchdog.feed();
    assert_eq!(watchdog.set_period(0, 10).unwrap(), 0);
    sleep_in_a_command(Duration::from_millis(300));
}

pub(crate) fn judge_watchdog(name: &str) {
    let output = run(name);
    assert!(output.status.success(), "{output:?}");
    let text = text(&output);
    assert_eq!(text.matches("--- WATCHDOG TIMER EXPIRED ---").count(), 1, "{text}");
    assert!(text.contains("------ STACK TRACE ------"), "{text}");
    assert!(text.contains("sleep_in_a_command"), "{text}");
}

pub(crate) fn play_child(arguments: &[String]) {
    let pid_file = arguments.first().map(PathBuf::from);
    log::init();
    log::adopt_pid();
    crash::configure(Settings { pid_file, ..settings() }).unwrap();
    if process::fork(&ChildSetup::default()).unwrap() == Forked::Child {
        blunder_in_a_command("child");
    }
    let mut exit = None;
    wait_until("the child crashes", || {
        exit = process::reap().unwrap().map(|(_, exit)| exit);
        exit.is_some()
    });
    assert_eq!(exit, Some(Exit::Signal(libc::SIGABRT)));
}

pub(crate) fn judge_child(name: &str) {
    let pid_file = folder(name).join("pid");
    fs::write(&pid_file, "1\n").unwrap();
    let output = command(name, &[pid_file.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let (text, kept) = (text(&output), pid_file.exists());
    assert!(text.contains(":C ") && text.contains("the child is child"), "{text}");
    assert!(kept, "a child's crash is not its parent's");
    fs::remove_dir_all(pid_file.parent().unwrap()).unwrap();
}
