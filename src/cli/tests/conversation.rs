//! Tool: the client against a server that says what the test wants.

#![allow(clippy::unwrap_used, reason = "the whole file is a test")]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cli::{Console, Environment, args, run};

/// Nothing here takes long; a test that hangs fails instead.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a run has left behind.
#[derive(Debug, PartialEq)]
struct Outcome {
    code: u8,
    out: String,
    err: String,
}

/// What the server does on one connection: waits for each request and answers it. An
/// empty answer closes the connection.
type Script = &'static [(&'static str, &'static str)];

/// Serves connections one after the other.
fn serve(scripts: &'static [Script]) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serves = move || {
        for script in scripts {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(TIMEOUT)).unwrap();
            converse(stream, script);
        }
    };
    (port, thread::spawn(serves))
}

fn converse(stream: TcpStream, script: Script) {
    let mut answers = stream.try_clone().unwrap();
    let mut requests = BufReader::new(stream);
    for (request, answer) in script {
        assert_eq!(read_request(&mut requests), *request);
        if answer.is_empty() {
            return;
        }
        answers.write_all(answer.replace('\n', "\r\n").as_bytes()).unwrap();
    }
    // The client has no more to ask.
    assert_eq!(requests.read(&mut [0]).unwrap_or(0), 0, "an unexpected request");
}

fn read_request(requests: &mut impl BufRead) -> String {
    let mut number = |sigil: &str| -> usize {
        let mut line = String::new();
        requests.read_line(&mut line).unwrap();
        line.trim_end().strip_prefix(sigil).unwrap_or_else(|| panic!("{line}")).parse().unwrap()
    };
    let count = number("*");
    let mut words = Vec::new();
    for _ in 0..count {
        let mut line = String::new();
        requests.read_line(&mut line).unwrap();
        let bytes: usize = line.trim_end().strip_prefix('$').unwrap().parse().unwrap();
        let mut word = vec![0; bytes + 2];
        requests.read_exact(&mut word).unwrap();
        words.push(String::from_utf8_lossy(&word[..bytes]).into_owned());
    }
    words.join(" ")
}

fn call(port: u16, words: &[&str], input: &str, has_screen: bool) -> Outcome {
    let words = ["-p", &port.to_string()].iter().chain(words).map(OsString::from).collect();
    let args = args::parse(words).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut input = input.as_bytes();
    let console = Console {
        input: BufReader::new(&mut input),
        input_fd: None,
        out: &mut out,
        err: &mut err,
        has_keyboard: false,
        has_screen,
    };
    let code = run(args, console, Environment::default());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { code, out: text(out), err: text(err) }
}

/// Runs the tool against a server; both must end as expected.
fn check(
    scripts: &'static [Script],
    words: &[&str],
    input: &str,
    has_screen: bool,
    expected: (u8, &str, &str),
) {
    let (port, server) = serve(scripts);
    let outcome = call(port, words, input, has_screen);
    let (code, out, err) = expected;
    let err = err.replace("PORT", &port.to_string());
    assert_eq!(outcome, Outcome { code, out: out.to_owned(), err });
    server.join().unwrap();
}

#[test]
fn a_command_is_sent_as_it_was_typed() {
    let script: &[Script] = &[&[("set k -1 --tls -x", "+OK\n")]];
    check(script, &["set", "k", "-1", "--tls", "-x"], "", false, (0, "OK\n", ""));
}

#[test]
fn the_screen_decides_on_the_form() {
    let script: &[Script] = &[&[("keys *", "*2\n$1\na\n$-1\n")]];
    check(script, &["keys", "*"], "", false, (0, "a\n\n", ""));
    check(script, &["keys", "*"], "", true, (0, "1) \"a\"\n2) (nil)\n", ""));
    check(script, &["--csv", "keys", "*"], "", true, (0, "\"a\",NULL\n", ""));
}

#[test]
fn text_laid_out_by_the_server_stays_as_it_is() {
    let script: &[Script] = &[&[("info", "$8\n# A\na:1\n")]];
    check(script, &["info"], "", true, (0, "# A\r\na:1", ""));
}

#[test]
fn the_connection_is_set_up_in_order() {
    let script: &[Script] = &[&[
        ("AUTH me secret", "+OK\n"),
        ("SELECT 3", "+OK\n"),
        ("HELLO 3", "%1\n$5\nproto\n:3\n"),
        ("get k", "_\n"),
    ]];
    let words = ["-3", "-n", "3", "--user", "me", "-a", "secret", "--no-auth-warning", "get", "k"];
    check(script, &words, "", true, (0, "(nil)\n", ""));
}

#[test]
fn a_refused_password_is_told_and_the_command_still_sent() {
    let script: &[Script] = &[&[("AUTH x", "-WRONGPASS no\n"), ("ping", "-NOAUTH who\n")]];
    let warning = "Warning: Using a password with '-a' or '-u' option on the command line \
                   interface may not be safe.\nAUTH failed: WRONGPASS no\n";
    check(script, &["-a", "x", "ping"], "", false, (0, "NOAUTH who\n\n", warning));
}

#[test]
fn errors_count_only_with_e() {
    let script: &[Script] = &[&[("foo", "-ERR no\n")]];
    check(script, &["foo"], "", true, (0, "(error) ERR no\n", ""));
    check(script, &["-e", "foo"], "", true, (1, "", "ERR no\n"));
}

#[test]
fn arguments_come_from_standard_input() {
    let script: &[Script] = &[&[("set k a\nb\n", "+OK\n")]];
    check(script, &["-x", "set", "k"], "a\nb\n", false, (0, "OK\n", ""));
    check(script, &["-X", "T", "set", "k", "T"], "a\nb\n", false, (0, "OK\n", ""));
}

#[test]
fn a_command_is_repeated() {
    let script: &[Script] = &[&[("incr k", ":1\n"), ("incr k", ":2\n")]];
    check(script, &["-r", "2", "incr", "k"], "", false, (0, "1\n2\n", ""));
    check(script, &[], "2 incr k\n", true, (0, "(integer) 1\n(integer) 2\n", ""));
}

#[test]
fn a_script_gets_its_keys_before_the_comma() {
    let path = std::env::temp_dir().join(format!("redis-cli-test-{}.lua", std::process::id()));
    std::fs::write(&path, "return 1").unwrap();
    let script: &[Script] = &[&[("EVAL return 1 2 a b c", ":1\n")]];
    let words = ["--eval", path.to_str().unwrap(), "a", "b", ",", "c"];
    check(script, &words, "", false, (0, "1\n", ""));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn messages_come_between_confirmations() {
    const CONFIRMED: &str = "*3\n$9\nsubscribe\n$1\na\n:1\n*3\n$7\nmessage\n$1\na\n$2\nhi\n\
                     *3\n$9\nsubscribe\n$1\nb\n:2\n";
    // The end of input ends the subscriptions by a new connection first.
    let scripts: &[Script] = &[&[("subscribe a b", CONFIRMED)], &[]];
    let expected = "subscribe\na\n1\nmessage\na\nhi\nsubscribe\nb\n2\n";
    check(scripts, &[], "subscribe a b\n", false, (0, expected, ""));
}

#[test]
fn pushes_are_shown_on_a_screen_only() {
    let script: &[Script] =
        &[&[("HELLO 3", "%0\n"), ("get k", ">2\n$10\ninvalidate\n*1\n$1\nk\n$1\nv\n")]];
    check(script, &["-3", "get", "k"], "", true, (0, "-> invalidate: 'k'\n\"v\"\n", ""));
    check(script, &["-3", "get", "k"], "", false, (0, "v\n", ""));
}

#[test]
fn a_prompt_outlives_its_server() {
    let scripts: &[Script] = &[&[("ping", "+PONG\n"), ("get a", "")], &[("get a", "$1\nv\n")]];
    let input = "ping\nget a\nget a\n\"open\nquit\nping\n";
    let expected = "PONG\nv\nInvalid argument(s)\n";
    check(scripts, &[], input, false, (0, expected, "Error: Server closed the connection\n"));
}

#[test]
fn a_single_command_does_not() {
    let scripts: &[Script] = &[&[("get a", "")]];
    let expected = (1, "", "Error: Server closed the connection\n");
    check(scripts, &["get", "a"], "", false, expected);
}

#[test]
fn a_shutdown_closes_the_connection_without_complaint() {
    check(&[&[("shutdown", "")]], &["shutdown"], "", false, (0, "", ""));
}

#[test]
fn nobody_there_is_said_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let err = format!("Could not connect to Redis at 127.0.0.1:{port}: Connection refused\n");
    let expected = Outcome { code: 1, out: String::new(), err };
    assert_eq!(call(port, &["ping"], "", false), expected);
}

#[test]
fn what_is_absent_is_refused() {
    for option in ["-c", "--pipe", "--scan", "--cluster", "--ldb"] {
        let refused = args::parse(vec![option.into()]).unwrap_err();
        let args::Stop::Wrong(text) = refused else { panic!("{refused:?}") };
        assert!(text.contains("is not supported yet"), "{text}");
    }
    check(
        &[&[]],
        &[],
        "script debug yes\n",
        false,
        (0, "", "The debugger of scripts is not supported yet\n"),
    );
}
