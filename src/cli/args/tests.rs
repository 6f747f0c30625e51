//! Pure: the command line, as users of Redis know it.

use std::time::Duration;

use super::{Args, ProtocolChoice, StdinUse, Stop, parse};
use crate::format::Form;

fn meant(line: &str) -> Args {
    parse(line.split_whitespace().map(Into::into).collect()).unwrap()
}

fn check_wrong(line: &str, expected: &str) {
    let outcome = parse(line.split_whitespace().map(Into::into).collect()).unwrap_err();
    assert_eq!(outcome, Stop::Wrong(expected.to_owned() + "\n"), "{line}");
}

#[test]
fn the_first_word_begins_the_command() {
    let args = meant("-p 7000 config get -x --tls -- -p 1 --help -v");
    let words = ["config", "get", "-x", "--tls", "--", "-p", "1", "--help", "-v"];
    assert_eq!(args.command, words.map(|word| word.as_bytes().to_vec()));
    assert_eq!((args.address.port, args.stdin), (7000, StdinUse::Commands));
    assert!(args.tls.is_none());
    assert!(meant("").command.is_empty());
}

#[test]
fn values_may_look_like_options() {
    let args = meant("-a -secret --user --tls -r -1 -d -- get");
    assert_eq!(args.password.as_deref(), Some(&b"-secret"[..]));
    assert_eq!(args.user.as_deref(), Some(&b"--tls"[..]));
    assert_eq!((args.repeat, args.between.as_slice()), (-1, &b"--"[..]));
    assert_eq!(args.command, [b"get".to_vec()]);
}

#[test]
fn the_last_of_an_option_counts() {
    assert_eq!(meant("-h a -h b").address.host, "b");
    assert_eq!(meant("--raw --csv").form, Some(Form::Csv));
    assert_eq!(meant("--csv --raw --raw").form, Some(Form::Raw));
    assert_eq!(meant("-h a -u redis://b:1").address.host, "b");
    let args = meant("-u redis://me:pw@b:1/2 -h a -n 3 --tls");
    assert_eq!((args.address.host.as_str(), args.address.port, args.db), ("a", 1, 3));
    assert!(args.user.is_some() && args.password.is_some() && args.tls.is_some());
}

#[test]
fn tls_has_two_names_and_its_own_scheme() {
    for line in ["--tls", "--ssl", "-u rediss://h"] {
        assert!(meant(line).tls.is_some(), "{line}");
    }
    let tls = meant("--tls --cacert a --cert b --key c --sni d --insecure").tls.unwrap();
    assert_eq!(tls.ca_file.unwrap().to_str(), Some("a"));
    assert_eq!(tls.private_key.unwrap().to_str(), Some("c"));
    assert_eq!(tls.server_name.as_deref(), Some("d"));
    assert!(tls.is_insecure);
}

#[test]
fn json_would_like_resp3() {
    assert_eq!(meant("--json").protocol, ProtocolChoice::Resp3IfKnown);
    assert_eq!(meant("--json -2").protocol, ProtocolChoice::Resp2);
    assert_eq!(meant("--json -3").protocol, ProtocolChoice::Resp3);
    assert_eq!(meant("--raw").protocol, ProtocolChoice::Default);
}

#[test]
fn times_have_fractions() {
    assert_eq!(meant("-i .25").interval, Duration::from_millis(250));
    assert_eq!(meant("-t 0").connect_timeout, None);
    assert_eq!(meant("-t 1.5").connect_timeout, Some(Duration::from_millis(1500)));
    check_wrong("-i soon", "Invalid number of seconds for -i: 'soon'");
    check_wrong("-i -1", "Invalid number of seconds for -i: '-1'");
}

#[test]
fn what_is_wrong_is_said() {
    for word in ["--foo", "-", "-Z"] {
        check_wrong(word, &format!("Unrecognized option or bad number of args for: '{word}'"));
    }
    for word in ["-p", "-n", "--user", "-u", "--cacert", "-X"] {
        let expected = format!("Unrecognized option or bad number of args for: '{word}'");
        check_wrong(word, &expected);
        check_wrong(&format!("-3 {word}"), &expected);
    }
    for port in ["65536", "-1", "x"] {
        check_wrong(&format!("-p {port} ping"), "Invalid server port.");
    }
    check_wrong("-2 -3", "Options -2 and -3 are mutually exclusive.");
    check_wrong("-x -X a", "Options -x and -X are mutually exclusive.");
    check_wrong("-u x://", "Invalid URI scheme");
    check_wrong("--scan", "'--scan': the listing of keys is not supported yet");
    check_wrong("--rdb f", "'--rdb': the transfer of a dump is not supported yet");
}

#[test]
fn help_and_version_are_shown() {
    for line in ["--help", "-h", "-p 1 -h"] {
        let outcome = parse(line.split_whitespace().map(Into::into).collect()).unwrap_err();
        let Stop::Shown(text) = outcome else { panic!("{outcome:?}") };
        assert!(text.starts_with("redis-cli 7.2.6\n\nUsage: "), "{text}");
        assert!(text.contains("--cacert <file>"), "{text}");
    }
    for line in ["-v", "--version", "-p 1 -v"] {
        let outcome = parse(line.split_whitespace().map(Into::into).collect()).unwrap_err();
        assert_eq!(outcome, Stop::Shown("redis-cli 7.2.6\n".to_owned()));
    }
}
