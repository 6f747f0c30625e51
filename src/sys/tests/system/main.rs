//! Tool: what only a whole process can show: the log, titles, signals, crashes, daemons.
//!
//! The program plays both parts. Called with a scene's name behind `play`, it is the
//! process that the scene is about; otherwise it is the judge, who starts itself for
//! each scene and looks at what comes of it.

#![expect(clippy::unwrap_used, reason = "a test may fail by it")]

mod crashes;
mod judge;

use std::{
    fs,
    io::{Read, Write},
    os::fd::{AsFd, AsRawFd},
    path::Path,
    process::{Command, Stdio},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sys::{
    log::{self, Level, Role},
    process::{self, ChildSetup, Exit, Forked},
    signal,
    supervised::{self, Supervision, Supervisor},
    title::Title,
};

use judge::{
    PATIENCE, command, folder, has_form, read_until, run, send, text, to_text, wait_until,
};

/// What the judge looks at, and how the process plays it.
struct Scene {
    name: &'static str,
    judge: fn(&str),
    play: fn(&[String]),
}

const SCENES: &[Scene] = &[
    Scene { name: "lines_have_redis_form", judge: judge_lines, play: play_lines },
    Scene { name: "lines_tell_local_time", judge: judge_zone, play: play_lines },
    Scene { name: "a_file_may_be_renamed", judge: judge_rotation, play: play_rotation },
    Scene { name: "rust_log_shows_no_line_of_ours", judge: judge_rust_log, play: play_lines },
    Scene { name: "a_title_takes_the_arguments_place", judge: judge_title, play: play_title },
    Scene { name: "a_signal_wakes_the_loop", judge: judge_signal, play: play_signal },
    Scene { name: "a_second_interrupt_ends_at_once", judge: judge_insist, play: play_insist },
    Scene { name: "a_child_stops_when_told", judge: judge_child, play: play_child },
    Scene { name: "a_panic_is_reported", judge: crashes::judge_panic, play: crashes::play_panic },
    Scene {
        name: "an_assertion_is_reported",
        judge: crashes::judge_assertion,
        play: crashes::play_assertion,
    },
    Scene {
        name: "exit_on_panic_is_no_signal",
        judge: crashes::judge_exit,
        play: crashes::play_exit,
    },
    Scene {
        name: "a_bad_address_is_reported",
        judge: crashes::judge_segv,
        play: crashes::play_segv,
    },
    Scene {
        name: "an_endless_recursion_is_reported",
        judge: crashes::judge_overflow,
        play: crashes::play_overflow,
    },
    Scene {
        name: "an_abort_from_outside_is_reported",
        judge: crashes::judge_abort,
        play: crashes::play_sleep,
    },
    Scene {
        name: "a_crash_of_a_thread_is_brief",
        judge: crashes::judge_thread,
        play: crashes::play_thread,
    },
    Scene {
        name: "a_childs_crash_is_its_own",
        judge: crashes::judge_child,
        play: crashes::play_child,
    },
    Scene {
        name: "no_report_where_none_is_wanted",
        judge: crashes::judge_disabled,
        play: crashes::play_disabled,
    },
    Scene {
        name: "the_watchdog_tells_where",
        judge: crashes::judge_watchdog,
        play: crashes::play_watchdog,
    },
    Scene { name: "a_daemon_leaves_its_caller", judge: judge_daemon, play: play_daemon },
    Scene { name: "supervisors_are_found", judge: judge_supervised, play: play_supervised },
    Scene { name: "open_files_are_raised", judge: judge_limits, play: play_limits },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [play, name, rest @ ..] = arguments.as_slice()
        && play == "play"
    {
        let scene = SCENES.iter().find(|scene| scene.name == name).expect("a known scene");
        (scene.play)(rest);
        return;
    }
    // cargo's flags mean nothing here; a word is a filter, as elsewhere.
    let filters: Vec<_> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    for scene in SCENES {
        if filters.is_empty() || filters.iter().any(|filter| scene.name.contains(*filter)) {
            (scene.judge)(scene.name);
            println!("test {} ... ok", scene.name);
        }
    }
}

// --- The log ---

fn play_lines(_: &[String]) {
    log::init();
    log::adopt_pid();
    log::set_level(Level::Debug);
    log::debug!("a {}", 1);
    log::verbose!("b");
    log::set_role(Role::Replica);
    log::notice!("c");
    log::set_level(Level::Warning);
    log::notice!("not seen");
    log::warning!("d");
    log::raw(Level::Warning, "banner\n");
    log::set_role(Role::Primary);
    if process::fork(&ChildSetup::default()).unwrap() == Forked::Child {
        log::warning!("e");
        sys::exit::exit_now(0);
    }
    wait_until("the child ends", || process::reap().unwrap().is_some());
    log::set_role(Role::Sentinel);
    log::warning!("f");
    log::set_level(Level::Nothing);
    log::warning!("not seen");
    log::from_handler(Level::Warning, "not seen");
    log::set_level(Level::Warning);
    log::from_handler(Level::Warning, "g");
}

fn judge_lines(name: &str) {
    let text = text(&run(name));
    let lines: Vec<&str> = text.lines().collect();
    let forms = [
        "9+:M 99 aaa 9999 99:99:99.999 . a 1",
        "9+:M 99 aaa 9999 99:99:99.999 - b",
        "9+:S 99 aaa 9999 99:99:99.999 * c",
        "9+:S 99 aaa 9999 99:99:99.999 # d",
        "banner",
        "9+:C 99 aaa 9999 99:99:99.999 # e",
        "9+:X 99 aaa 9999 99:99:99.999 # f",
        "9+:signal-handler (9+) g",
    ];
    assert_eq!(lines.len(), forms.len(), "{text}");
    for (line, form) in lines.iter().zip(forms) {
        assert!(has_form(line, form), "{line:?} is not {form:?}");
    }
}

fn judge_zone(name: &str) {
    let name_of_scene = SCENES[0].name;
    assert_ne!(name, name_of_scene);
    let hour = |zone: &str| {
        let output = command(name, &[]).env("TZ", zone).output().unwrap();
        let minutes = text(&output).split(' ').nth(4).map(|time| {
            let mut parts = time.split(':').map(|part| part.parse::<i32>().unwrap_or(0));
            parts.next().unwrap() * 60 + parts.next().unwrap()
        });
        minutes.unwrap()
    };
    let (utc, ahead) = (hour("UTC"), hour("XXX-5:30"));
    let ahead_minutes = (ahead - utc).rem_euclid(24 * 60);
    assert!((330..=331).contains(&ahead_minutes), "{ahead_minutes}");
}

fn judge_rust_log(name: &str) {
    let count = |filters: &str| {
        text(&command(name, &[]).env("RUST_LOG", filters).output().unwrap()).lines().count()
    };
    assert_eq!(count("trace"), 8);
    assert_eq!(count("off,redis=off"), 8);
}

fn play_rotation(arguments: &[String]) {
    log::init();
    log::adopt_pid();
    let path = Path::new(&arguments[0]);
    assert!(log::set_file(&path.join("missing/x.log")).is_err());
    log::set_file(&path.join("x.log")).unwrap();
    assert!(log::set_file(&path.join("y.log")).is_err(), "once");
    log::notice!("before");
    fs::rename(path.join("x.log"), path.join("x.log.1")).unwrap();
    log::notice!("after");
    fs::remove_dir_all(path).unwrap();
    log::notice!("nowhere to go");
    fs::create_dir(path).unwrap();
    log::notice!("again");
}

fn judge_rotation(name: &str) {
    let folder = folder(name);
    let output = command(name, &[folder.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output), "");
    assert!(fs::read_to_string(folder.join("x.log")).unwrap().ends_with("* again\n"));
    fs::remove_dir_all(folder).unwrap();
}

// --- Titles ---

fn play_title(arguments: &[String]) {
    let mut title = Title::take().unwrap();
    assert!(Title::take().is_err(), "one owner");
    for shown in [arguments[0].as_str(), "short", &"long ".repeat(10_000)] {
        title.set(shown);
        assert_eq!(std::env::var("SYS_TITLE_TEST").unwrap(), "kept", "the environment moved");
        println!("set");
        std::io::stdin().read_exact(&mut [0]).unwrap();
    }
    // A program started from here gets the environment too.
    let echo = Command::new("/bin/sh").args(["-c", "echo $SYS_TITLE_TEST"]).output().unwrap();
    assert_eq!(echo.stdout, b"kept\n");
    assert!(std::env::args().count() > 0, "reading arguments is sound");
}

fn judge_title(name: &str) {
    let wanted = format!("redis-server *:21111 {}", "x".repeat(300));
    let mut command = command(name, &[&wanted]);
    let mut child = command.env("SYS_TITLE_TEST", "kept").stdin(Stdio::piped()).spawn().unwrap();
    for shown in [wanted.as_str(), "short", "long long long"] {
        read_until(&mut child, "set\n");
        let line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
        assert!(line.starts_with(shown.as_bytes()), "{:?}", to_text(&line));
        let end = line.iter().position(|&byte| byte == 0).unwrap_or(line.len());
        assert!(line[end..].iter().all(|&byte| byte == 0), "nothing of the old one is left");
        assert!(shown.starts_with("long") || end == shown.len(), "{:?}", to_text(&line));
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

// --- Signals ---

fn play_signal(_: &[String]) {
    log::init();
    log::adopt_pid();
    let wake = signal::install().unwrap();
    println!("ready");
    let mut turns = 0;
    while signal::shutdown_asked().is_none() {
        let mut files = [PollFd::new(wake.as_fd(), PollFlags::POLLIN)];
        // The handler may interrupt the sleep itself, or come before it.
        let _ = poll(&mut files, PollTimeout::try_from(PATIENCE).unwrap());
        turns += 1;
    }
    wake.drain();
    assert!(turns <= 2, "a wake a signal");
    println!("{}", signal::shutdown_asked().unwrap().as_str());
    signal::forget_shutdown();
    assert_eq!(signal::shutdown_asked(), None);
}

fn judge_signal(name: &str) {
    let mut child = command(name, &[]).spawn().unwrap();
    read_until(&mut child, "ready\n");
    send(&child, Signal::SIGHUP);
    send(&child, Signal::SIGPIPE);
    send(&child, Signal::SIGTERM);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = text(&output);
    assert!(text.contains(") Received SIGTERM scheduling shutdown...\n"), "{text}");
    assert!(text.ends_with("SIGTERM\n"));
}

fn play_insist(_: &[String]) {
    log::init();
    log::adopt_pid();
    let _wake = signal::install().unwrap();
    signal::set_last_words(|| log::from_handler(Level::Warning, "last words"));
    signal::set_loading(true);
    println!("ready");
    std::thread::sleep(PATIENCE);
}

fn judge_insist(name: &str) {
    let mut child = command(name, &[]).spawn().unwrap();
    read_until(&mut child, "ready\n");
    send(&child, Signal::SIGINT);
    read_until(&mut child, "Received shutdown signal during loading, scheduling shutdown.\n");
    send(&child, Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    let lines: Vec<_> = text.lines().map(|line| line.split(") ").last().unwrap()).collect();
    assert_eq!(lines, ["You insist... exiting now.", "last words"]);
}

fn play_child(_: &[String]) {
    log::init();
    log::adopt_pid();
    let wake = signal::install().unwrap();
    let (closed, kept) = nix::unistd::pipe().unwrap();
    let closes = [closed.as_raw_fd()];
    let cpus = process::CpuList::parse("0");
    let setup = ChildSetup { closes: &closes, cpus: cpus.as_ref(), oom_score: Some(500) };
    let Forked::Parent { child, .. } = process::fork(&setup).unwrap() else {
        assert!(fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim() == "500");
        assert!(nix::unistd::write(&kept, b"x").is_err(), "no reader is left here");
        std::thread::sleep(PATIENCE);
        sys::exit::exit_now(0);
    };
    assert_eq!(process::reap_one(child).unwrap(), None, "never waits");
    drop(closed);
    // The child has set itself up once the last reader is gone.
    wait_until("the child closes its copy", || nix::unistd::write(&kept, b"x").is_err());
    wait_until("the child adjusts its score", || {
        let score = fs::read_to_string(format!("/proc/{child}/oom_score_adj"));
        score.is_ok_and(|score| score.trim() == "500")
    });
    kill(child, Signal::SIGTERM).unwrap();
    kill(child, Signal::SIGUSR1).unwrap();
    let mut exit = None;
    wait_until("the child ends", || {
        exit = process::reap_one(child).unwrap();
        exit.is_some()
    });
    assert_eq!(exit, Some(Exit::Code(signal::CHILD_STOPPED)));
    let mut count = [0; 8];
    wait_until("its end wakes us", || nix::unistd::read(&wake, &mut count).is_ok());
    assert_eq!(u64::from_ne_bytes(count), 1, "what a child hears does not wake its parent");
    assert_eq!(process::reap().unwrap(), None);
    for _ in 0..50 {
        let nothing = ChildSetup { closes: &[], cpus: None, oom_score: None };
        let Forked::Parent { child, .. } = process::fork(&nothing).unwrap() else {
            std::thread::sleep(PATIENCE);
            sys::exit::exit_now(0);
        };
        process::stop_child(child).unwrap();
        let mut exit = None;
        wait_until("a child that is stopped at once ends", || {
            exit = process::reap_one(child).unwrap();
            exit.is_some()
        });
        assert_eq!(exit, Some(Exit::Code(signal::CHILD_STOPPED)));
    }
}

fn judge_child(name: &str) {
    let output = run(name);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output).contains(") Received SIGUSR1 in child, exiting now.\n"));
}

// --- Daemons and limits ---

fn play_daemon(arguments: &[String]) {
    log::init();
    process::daemonize().unwrap();
    log::adopt_pid();
    let folder = Path::new(&arguments[0]);
    log::set_file(&folder.join("log")).unwrap();
    log::notice!("in the background");
    process::write_pid_file(&folder.join("missing/pid"));
    process::write_pid_file(&folder.join("pid.part"));
    fs::rename(folder.join("pid.part"), folder.join("pid")).unwrap();
    std::thread::sleep(PATIENCE);
}

fn judge_daemon(name: &str) {
    let folder = folder(name);
    let output = command(name, &[folder.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "the caller ends, its streams too: {output:?}");
    wait_until("the pid file", || folder.join("pid").exists());
    let pid_text = fs::read_to_string(folder.join("pid")).unwrap();
    let pid = Pid::from_raw(pid_text.trim_end().parse().unwrap());
    assert_eq!(nix::unistd::getsid(Some(pid)), Ok(pid), "a session of its own");
    for fd in 0..3 {
        let at = fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap();
        assert_eq!(at, Path::new("/dev/null"));
    }
    let log = fs::read_to_string(folder.join("log")).unwrap();
    assert!(log.contains(&format!("{pid}:M ")), "not a child: {log}");
    assert!(log.ends_with(" # Failed to write PID file: No such file or directory\n"), "{log}");
    kill(pid, Signal::SIGKILL).unwrap();
    assert!(process::remove_pid_file(&folder.join("pid")));
    assert!(!process::remove_pid_file(&folder.join("pid")));
    fs::remove_dir_all(folder).unwrap();
}

fn play_supervised(_: &[String]) {
    log::init();
    log::adopt_pid();
    log::set_level(Level::Verbose);
    let supervisor = supervised::supervise(Supervision::Auto);
    println!("{supervisor:?}");
    if supervisor == Some(Supervisor::Systemd) {
        supervised::notify_main_pid().unwrap();
    }
    assert_eq!(supervised::supervise(Supervision::No), None);
    assert_eq!(supervised::supervise(Supervision::Upstart), None, "forgotten, or never there");
}

fn judge_supervised(name: &str) {
    assert!(text(&run(name)).starts_with("None\n"));

    let path = folder(name).join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let child = command(name, &[]).env("NOTIFY_SOCKET", &path).spawn().unwrap();
    let pid = child.id();
    let said = text(&child.wait_with_output().unwrap());
    assert!(said.contains(" * Supervised by systemd. Please make sure"), "{said}");
    for wanted in ["STATUS=Redis is loading...\n".to_owned(), format!("MAINPID={pid}\n")] {
        let mut buffer = [0; 64];
        let count = socket.recv(&mut buffer).unwrap();
        assert_eq!(to_text(&buffer[..count]), wanted);
    }

    fs::remove_dir_all(path.parent().unwrap()).unwrap();

    let mut child = command(name, &[]).env("UPSTART_JOB", "redis").spawn().unwrap();
    read_until(&mut child, "supervised by upstart, will stop to signal readiness.\n");
    wait_until("the server stops itself", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    });
    send(&child, Signal::SIGCONT);
    let said = text(&child.wait_with_output().unwrap());
    assert!(said.starts_with("Some(Upstart)\n"), "{said}");
}

fn play_limits(_: &[String]) {
    use nix::sys::resource::{Resource, setrlimit};
    log::init();
    log::adopt_pid();
    setrlimit(Resource::RLIMIT_NOFILE, 100, 200).unwrap();
    println!("{:?}", sys::limits::raise_open_files(50));
    println!("{:?}", sys::limits::raise_open_files(150));
    sys::limits::warn_of_backlog(u32::MAX);
    sys::check::warn_at_start(true);
}

fn judge_limits(name: &str) {
    let output = run(name);
    assert!(output.status.success(), "{output:?}");
    let text = text(&output);
    assert!(text.starts_with("Ok(50)\n"), "{text}");
    let raised = " * Increased maximum number of open files to 182 (it was originally set to 100).";
    assert!(text.contains(raised), "{text}");
    assert!(text.contains("Ok(150)\n"), "{text}");
    assert!(text.contains(" # WARNING: The TCP backlog setting of 4294967295 cannot"), "{text}");
}
