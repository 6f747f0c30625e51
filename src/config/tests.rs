//! Tool: tests of the configuration as a whole, against what the reference was seen to do.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use base::split::split_args;

use super::{
    Change, CommandLine, Config, Gate, LoadError, LogLevel, MemoryLimit, NotifyClasses,
    ProtectedAction, SavePoint, SetError, TlsAuthClients, all, find, later, unsupported,
};

const DEFAULTS: &str = include_str!("../../tests/facts/config-defaults.txt");
const VALUES: &str = include_str!("../../tests/facts/config-values.txt");
const REDIS_CONF: &str = include_str!("../../redis.conf");

/// The lines of a data file, split at tabs.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn show(config: &Config, name: &str) -> String {
    let found = config.matching(&[name.as_bytes()]);
    let [(_, value)] = found.as_slice() else { panic!("{name} is one parameter") };
    String::from_utf8(value.clone()).unwrap()
}

fn set(config: &mut Config, pairs: &[(&str, &str)]) -> Result<Vec<Change>, String> {
    let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
    match config.set(&pairs, Gate::default()) {
        Ok(undo) => Ok(undo.changes().collect()),
        Err(error) => Err(error.to_string()),
    }
}

fn load(text: &str) -> Result<Config, String> {
    let mut config = Config::new(true);
    config.load_text(text.as_bytes()).map(|()| config).map_err(|error| error.to_string())
}

/// The last line of an error: the reason.
fn reason(text: &str) -> String {
    let error = load(text).expect_err("the text makes no sense");
    error.lines().last().unwrap().to_owned()
}

/// A folder of its own for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("config-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn names_defaults_and_leave_to_set_are_those_of_the_reference() {
    let config = Config::new(true);
    let shown: BTreeMap<_, _> = config.matching(&[b"*"]).into_iter().collect();
    let mut count = 0;
    for row in rows(DEFAULTS) {
        let [name, leave, default] = row[..] else { panic!("{row:?}") };
        let value = shown.get(name.as_bytes()).unwrap_or_else(|| panic!("{name} is known"));
        let value = String::from_utf8_lossy(value);
        if name == "dir" {
            assert_eq!(Path::new(&*value), std::env::current_dir().unwrap());
        } else {
            assert_eq!(value, default, "{name}");
        }
        let flags = find(name.as_bytes()).unwrap().flags;
        let our_leave = match (flags.immutable, flags.protected) {
            (true, _) => "immutable",
            (_, true) => "protected",
            _ => "settable",
        };
        assert_eq!(our_leave, leave, "{name}");
        count += 1;
    }
    assert_eq!(count, 206);
    assert_eq!(shown.len(), count, "no other name is shown");
}

#[test]
fn values_are_taken_and_refused_as_by_the_reference() {
    let mut config = Config::new(true);
    let mut count = 0;
    for row in rows(VALUES) {
        let [name, value, reply, shown] = row[..] else { panic!("{row:?}") };
        let unquote = |text: &str| split_args(text.as_bytes()).unwrap().remove(0);
        let value = unquote(value);
        match config.set(&[(name.as_bytes(), &value)], Gate::default()) {
            Ok(undo) => {
                assert_eq!(reply, "OK", "{row:?}");
                assert_eq!(show(&config, name).as_bytes(), &*unquote(shown), "{row:?}");
                config.restore(undo);
            }
            Err(error) => {
                let start = "CONFIG SET failed (possibly related to argument";
                assert_eq!(error.to_string(), format!("{start} '{name}') - {reply}"), "{row:?}");
            }
        }
        count += 1;
    }
    assert!(600 < count, "the file holds its rows");
}

#[test]
fn every_default_fits_its_kind_and_no_name_is_there_twice() {
    let mut names: Vec<_> = all().flat_map(|p| [Some(p.name), p.alias]).flatten().collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert_eq!(all().filter(|p| p.flags.hidden).count(), 9);
}

#[test]
fn get_shows_each_name_once_and_as_it_was_typed() {
    let config = Config::new(false);
    let names = |patterns: &[&[u8]]| {
        let found = config.matching(patterns).into_iter();
        found.map(|(name, _)| String::from_utf8(name).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[b"MaxMemory", b"maxmemory", b"timeout"]), ["MaxMemory", "timeout"]);
    assert_eq!(names(&[b"*priority"]), ["replica-priority", "slave-priority"]);
    assert_eq!(names(&[b"rdb-key-*"]), [""; 0], "hidden ones want their full name");
    assert_eq!(names(&[b"rdb-key-save-delay"]), ["rdb-key-save-delay"]);
    assert_eq!(names(&[b"nothing"]), [""; 0]);
}

#[test]
fn set_is_all_or_nothing() {
    let mut config = Config::new(false);
    let failed = "CONFIG SET failed (possibly related to argument";
    let refused: [(&[(&str, &str)], String); 7] = [
        (
            &[("timeout", "5"), ("hz", "x")],
            format!("{failed} 'hz') - argument couldn't be parsed into an integer"),
        ),
        (
            &[("timeout", "5"), ("nope", "1"), ("databases", "1")],
            "Unknown option or number of arguments for CONFIG SET - 'nope'".into(),
        ),
        (
            &[("timeout", "5"), ("DATABASES", "1"), ("nope", "1")],
            format!("{failed} 'DATABASES') - can't set immutable config"),
        ),
        (
            &[("timeout", "5"), ("Timeout", "6")],
            format!("{failed} 'Timeout') - duplicate parameter"),
        ),
        (
            &[("timeout", "5"), ("dir", "/")],
            format!("{failed} 'dir') - can't set protected config"),
        ),
        (
            &[("timeout", "5"), ("Slave-Priority", "x")],
            format!("{failed} 'slave-priority') - argument couldn't be parsed into an integer"),
        ),
        (
            &[("timeout", "5"), ("ssl-renew-certificate", "x")],
            format!(
                "{failed} 'ssl-renew-certificate') - it stands alone: certificate and key, and no \
                 other parameter"
            ),
        ),
    ];
    for (pairs, error) in refused {
        assert_eq!(set(&mut config, pairs), Err(error));
        assert_eq!(config.network.timeout_s, 0, "{pairs:?}");
    }
    assert_eq!(set(&mut config, &[("timeout", "5"), ("hz", "5000")]), Ok(vec![Change::Hz]));
    assert_eq!((config.network.timeout_s, config.general.hz), (5, 500));
}

#[test]
fn changes_are_told_once_and_only_when_there_is_one() {
    let mut config = Config::new(true);
    let mut changes = |pairs: &[(&str, &str)]| set(&mut config, pairs).unwrap();
    assert_eq!(changes(&[("maxclients", "10000"), ("timeout", "9")]), []);
    let pairs = [("tls-ciphers", "x"), ("loglevel", "debug"), ("tls-protocols", "y")];
    assert_eq!(changes(&pairs), [Change::Ssl, Change::LogLevel]);
    // The file may have another content than when it was read last.
    assert_eq!(changes(&[("tls-cert-file", "/a")]), [Change::Ssl]);
    assert_eq!(changes(&[("tls-cert-file", "/a")]), [Change::Ssl]);
}

#[test]
fn what_cannot_be_applied_is_taken_back() {
    let mut config = Config::new(false);
    let pairs: [(&[u8], &[u8]); 2] = [(b"timeout", b"5"), (b"Port", b"7000")];
    let undo = config.set(&pairs, Gate::default()).unwrap();
    assert_eq!((config.network.port, config.network.timeout_s), (7000, 5));
    let error = undo.failure(Change::Port, Change::Port.failure());
    config.restore(undo);
    assert_eq!((config.network.port, config.network.timeout_s), (6379, 0));
    assert_eq!(
        error.to_string(),
        "CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. \
         Check server logs."
    );
}

#[test]
fn circumstances_open_and_close_parameters() {
    let mut config = Config::new(false);
    let pair: [(&[u8], &[u8]); 1] = [(b"dbfilename", b"x.rdb")];
    let local = Gate { is_local_client: true, is_loading: false };
    for (action, from_here, from_afar) in [
        (ProtectedAction::No, false, false),
        (ProtectedAction::Local, true, false),
        (ProtectedAction::Yes, true, true),
    ] {
        config.security.enable_protected_configs = action;
        assert_eq!(config.set(&pair, local).is_ok(), from_here, "{action:?}");
        assert_eq!(config.set(&pair, Gate::default()).is_ok(), from_afar, "{action:?}");
    }
    let loading = Gate { is_local_client: true, is_loading: true };
    let denied = config.set(&[(b"repl-diskless-load", b"swapdb")], loading).unwrap_err();
    assert_eq!(denied, SetError::Loading);
    assert!(config.set(&[(b"timeout", b"1")], loading).is_ok());
}

/// The working directory belongs to the whole process, so this test has one of its own.
#[test]
fn dir_moves_the_process_and_comes_back() {
    const ALONE: &str = "CONFIG_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "config::tests::dir_moves_the_process_and_comes_back";
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let output = alone.args(["--exact", name]).env(ALONE, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
        return;
    }
    let folder = Folder::new("dir");
    let here = std::env::current_dir().unwrap();
    let mut config = Config::new(true);
    config.security.enable_protected_configs = ProtectedAction::Yes;
    let nowhere = set(&mut config, &[("dir", "/nowhere/at/all")]).unwrap_err();
    assert!(nowhere.ends_with("No such file or directory"), "{nowhere}");
    let dir = folder.0.canonicalize().unwrap();
    let pairs: [(&[u8], &[u8]); 2] =
        [(b"tls-ca-cert-file", b"ca.pem"), (b"dir", dir.as_os_str().as_encoded_bytes())];
    let undo = config.set(&pairs, Gate::default()).unwrap();
    assert_eq!(show(&config, "dir"), dir.to_str().unwrap());
    assert_eq!(std::env::current_dir().unwrap(), dir);
    assert_eq!(show(&config, "tls-ca-cert-file"), "ca.pem");
    assert_eq!(config.ssl.tls_ca_cert_file.as_path(), here.join("ca.pem"), "meant before dir");
    config.restore(undo);
    assert_eq!(std::env::current_dir().unwrap(), here);
}

#[test]
fn lines_that_make_no_sense_are_told_with_their_place() {
    assert_eq!(
        load("port 7000\n\n# remark\n  foo bar \n").unwrap_err(),
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\nReading the configuration file, at line \
         4\n>>> 'foo bar'\nBad directive or wrong number of arguments"
    );
    for (text, expected) in [
        ("port \"7", "Unbalanced quotes in configuration line"),
        ("port", "wrong number of arguments"),
        ("port 1 2", "wrong number of arguments"),
        ("PORT x\r", "argument couldn't be parsed into an integer"),
        ("unixsocketperm 9", "argument couldn't be parsed as an octal number"),
        ("save 900", "Invalid save parameters"),
        ("save \"900 1", "Unbalanced quotes in configuration line"),
        ("include a b", "Bad directive or wrong number of arguments"),
        ("user", "Bad directive or wrong number of arguments"),
        ("sentinel monitor x", "sentinel directive while not in sentinel mode"),
        ("x.y", "Module config specified without value"),
        ("x.y 1", "this is a module's parameter, and this server has no modules"),
        ("loadmodule x.so", "modules cannot be loaded: this server has none"),
        ("dir /nowhere/at/all", "No such file or directory"),
        ("logfile /nowhere/x.log", "Can't open the log file: No such file or directory"),
        ("replicaof a 70000", "Invalid master port"),
        ("lua-replicate-commands a b", "Bad directive or wrong number of arguments"),
        (
            "ssl-renew-certificate a",
            "ssl-renew-certificate is an action of CONFIG SET, not a directive",
        ),
        ("cluster-enabled yes\nreplicaof a 1", "replicaof directive not allowed in cluster mode"),
    ] {
        assert_eq!(reason(text), expected, "{text}");
    }
    load("lua-replicate-commands yes\nlist-max-ziplist-value 1\nsentinel\n").unwrap();
}

#[test]
fn later_lines_have_the_last_word() {
    let config = load("hz 20\nhz 30\nsave 900 1\nsave 300 10\nbind \"127.0.0.1 ::1\"\n").unwrap();
    assert_eq!(config.general.hz, 30);
    let point = |seconds, changes| SavePoint { seconds, changes };
    assert_eq!(config.persistence.save, [point(900, 1), point(300, 10)]);
    assert_eq!(config.network.bind, [&b"127.0.0.1"[..], b"::1"]);
    assert_eq!(load("save 1 2\nsave \"\"\nsave 3 4").unwrap().persistence.save, [point(3, 4)]);
    assert_eq!(load("save ''").unwrap().persistence.save, []);
    let limit = load("client-output-buffer-limit replica 1mb 2kb 3\n").unwrap();
    assert_eq!(limit.limits.client_output_buffer_limit.replica.hard_bytes, 1 << 20);
    assert_eq!(limit.limits.client_output_buffer_limit.pubsub.soft_s, 60);
}

#[test]
fn file_standard_input_and_options_are_read_in_this_order() {
    let folder = Folder::new("sources");
    let file = folder.file("a.conf", "timeout 1\nhz 11\nport 1");
    let load = |arguments: &[&str]| {
        let mut config = Config::new(false);
        let line = CommandLine::parse(arguments.iter().map(OsString::from));
        config.load(&line, &mut &b"\nhz 12\nport 2\n"[..]).map(|()| config)
    };
    let config = load(&[&file, "-", "--port", "3", "--save", "", "--loglevel", "debug"]);
    assert!(config.is_err(), "a dash between is a word that no name stands before");
    let config = load(&[&file, "--port", "3", "--loglevel", "debug", "-"]).unwrap();
    let (network, general) = (&config.network, &config.general);
    assert_eq!((network.timeout_s, general.hz, network.port), (1, 12, 3));
    assert_eq!(config.logging.loglevel, LogLevel::Debug);
    assert_eq!(config.start.file.unwrap().as_path(), Path::new(&file));
    let Err(error) = load(&[&file, "--port", "x"]) else { panic!("x is no port") };
    assert!(error.to_string().contains("at line 4\n>>> 'port \"x\"'\n"), "{error}");
    let Err(error) = load(&["/nowhere/a.conf"]) else { panic!("it is not there") };
    assert_eq!(
        error.to_string(),
        "Fatal error, can't open config file '/nowhere/a.conf': No such file or directory"
    );
}

#[test]
fn files_include_files() {
    let folder = Folder::new("include");
    let dir = folder.0.to_str().unwrap().to_owned();
    folder.file("1.conf", "hz 1\ntimeout 1\n");
    folder.file("2.conf", "hz 2");
    folder.file(".3.conf", "hz 3\n");
    let config = load(&format!("include {dir}/*.conf\ntimeout 9\ninclude {dir}/none*\n")).unwrap();
    assert_eq!((config.general.hz, config.network.timeout_s), (2, 9));
    folder.file("wrong.conf", "\nhz x\n");
    let error = load(&format!("hz 1\nhz 1\ninclude {dir}/wrong.conf")).unwrap_err();
    assert!(error.contains("at line 2\n>>> 'hz x'"), "{error}");
    let error = load(&format!("include {dir}/absent.conf")).unwrap_err();
    assert!(error.ends_with("absent.conf': No such file or directory"), "{error}");
    let me = folder.file("me.conf", &format!("include {dir}/me.conf\n"));
    assert_eq!(reason(&format!("include {me}")), "files include each other without end");
}

#[test]
fn renamed_commands_and_users_are_collected_with_their_place() {
    let config = load("hz 5\nrename-command CONFIG \"\"\nuser default on nopass ~* &* +@all\n");
    let config = config.unwrap();
    let rename = &config.start.rename_commands[0];
    assert_eq!((&*rename.from, &*rename.to, rename.line.number), (&b"CONFIG"[..], &b""[..], 2));
    assert_eq!(config.start.users[0].line.number, 3);
    let error = LoadError::Line(rename.line.clone(), "No such command".to_owned());
    assert!(error.to_string().contains(">>> 'rename-command CONFIG \"\"'\nNo such command"));
}

#[test]
fn two_names_of_one_certificate_must_agree() {
    let config = load("certificate-file /a\ntls-cert-file /a\ntls-key-file /k").unwrap();
    assert_eq!(show(&config, "certificate-file"), "/a");
    assert_eq!(show(&config, "private-key-file"), "/k");
    assert_eq!(
        reason("certificate-file /a\nhz 1\ntls-cert-file /b"),
        "certificate-file and tls-cert-file are two names of one value, but differ"
    );
    let one = load("certificate-file /a\ntls-cert-file \"\"").unwrap();
    assert_eq!(show(&one, "tls-cert-file"), "/a");
    assert!(reason("root-ca-certs-path /a\ntls-ca-cert-file /b").contains("different trust"));
    // The guide's servers ask clients for no certificate, Redis's do.
    let asks = |text| load(text).unwrap().ssl.tls_auth_clients;
    assert_eq!(asks("enable-ssl true"), TlsAuthClients::No);
    assert_eq!(asks("ssl-enabled yes\ntls-auth-clients optional"), TlsAuthClients::Optional);
    assert_eq!(asks("tls-port 7000"), TlsAuthClients::Yes);
}

#[test]
fn a_build_without_tls_refuses_what_asks_for_it() {
    let mut config = Config::new(false);
    let fine = "enable-ssl no\ntls-port 0\nssl-enabled false\ntls-cert-file ''\n";
    config.load_text(fine.as_bytes()).unwrap();
    for line in ["enable-ssl yes", "tls-port 1", "certificate-file a", "tls-protocols TLSv1.2"] {
        let error = Config::new(false).load_text(line.as_bytes()).unwrap_err().to_string();
        let told = "this build has no TLS: build with BUILD_SSL=yes";
        assert!(error.ends_with(told), "{line}: {error}");
    }
    assert!(set(&mut config, &[("tls-replication", "yes")]).unwrap_err().contains("has no TLS"));
    assert!(!config.ssl.tls_replication);
}

#[test]
fn what_would_lose_data_or_open_a_door_is_refused() {
    for (line, name) in [
        ("appendonly yes", "appendonly"),
        ("cluster-enabled yes", "cluster-enabled"),
        ("slaveof 127.0.0.1 6379", "replicaof"),
        ("aclfile users.acl", "aclfile"),
        ("user alice on >x ~* +@all", "user"),
        ("user default on nopass ~a* &* +@all", "user"),
        ("user default on nopass ~* +@all", "user"),
        ("requirepass x\nuser default on nopass ~* &* +@all", "user"),
    ] {
        assert!(reason(line).starts_with(&format!("{name}: ")), "{line}: {}", reason(line));
    }
    load("appendonly yes\nappendonly no\nreplicaof no one\n").unwrap();
    let hash = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    let rewritten = format!("user default on sanitize-payload #{hash} ~* &* +@all\nrequirepass x");
    load(&rewritten).unwrap();
    let mut config = Config::new(false);
    assert!(set(&mut config, &[("hz", "7"), ("appendonly", "yes")]).is_err());
    assert_eq!(unsupported(&config), None);
    assert_eq!(config.general.hz, 10);
}

#[test]
fn what_comes_later_is_warned_of_once() {
    let quiet = load("save ''\n").unwrap();
    assert_eq!(later(&quiet), [""; 0]);
    let config = load("io-threads 4\nio-threads-do-reads yes\n").unwrap();
    assert_eq!(later(&config), ["io-threads, io-threads-do-reads: one thread serves"]);
}

#[test]
fn rewriting_replaces_in_place_and_appends_the_rest() {
    let old = "# remark\nport 7000\n\ntimeout 0\ntimeout 5\n\nsave 900 1\nsave 300 10\nsave 60 1\n\
               Slave-Priority 7\ninclude none*\nlogfile \"\"\nunknown thing\nuser bob on\n";
    let mut config = load(&old.replace("unknown thing\nuser bob on\n", "")).unwrap();
    let pairs = [
        ("save", "100 1 50 2"),
        ("timeout", "9"),
        ("maxmemory-clients", "5%"),
        ("repl-backlog-size", "3mb"),
        ("proto-max-bulk-len", "1048577"),
        ("masterauth", "x\ny\"z"),
        ("shutdown-on-sigterm", "now save"),
        ("client-output-buffer-limit", "pubsub 1mb 1mb 30"),
        ("oom-score-adj-values", "1 2 3"),
        ("notify-keyspace-events", "KEA"),
    ];
    set(&mut config, &pairs).unwrap();
    assert_eq!(config.limits.maxmemory_clients, MemoryLimit::Percent(5));
    let dir = show(&config, "dir");
    let written = String::from_utf8(config.rewritten(old.as_bytes())).unwrap();
    let expected = format!(
        "# remark\nport 7000\n\ntimeout 9\n\nsave 100 1\nsave 50 2\n\nreplica-priority 7\n\
         include none*\nlogfile \"\"\n# ??? unknown thing\n\n# Generated by CONFIG REWRITE\n\
         oom-score-adj-values 1 2 3\nshutdown-on-sigterm save now\n\
         latency-tracking-info-percentiles 50 99 99.9\nnotify-keyspace-events \"AKE\"\n\
         maxmemory-clients 5%\nclient-output-buffer-limit pubsub 1mb 1mb 30\n\
         proto-max-bulk-len 1048577\ndir \"{dir}\"\nmasterauth \"x\\ny\\\"z\"\n\
         repl-backlog-size 3mb\n"
    );
    assert_eq!(written, expected);
    let again = load(&written).unwrap();
    assert_eq!(again.matching(&[b"*"]), config.matching(&[b"*"]));
    let twice = again.rewritten(written.as_bytes());
    assert_eq!(String::from_utf8(twice).unwrap(), written);
}

#[test]
fn no_value_can_smuggle_a_line_into_the_file() {
    let mut config = Config::new(true);
    let evil = "x\r\nport 1\n\"'";
    for parameter in all().filter(|parameter| !parameter.flags.immutable) {
        let _ = set(&mut config, &[(parameter.name, evil)]);
    }
    assert_eq!(show(&config, "masterauth"), evil);
    assert_eq!(show(&config, "requirepass"), evil);
    assert_eq!(show(&config, "tls-ca-cert-file"), evil);
    let written = config.rewritten(b"");
    assert!(!written.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"port")));
    let mut again = Config::new(true);
    // No such folder's file is opened: paths are only kept.
    again.load_text(&written).unwrap();
    assert_eq!(show(&again, "masterauth"), evil);
    assert_eq!(again.network.port, 6379);
}

#[test]
fn certificates_are_written_by_one_name() {
    let config = load("tls-cert-file /a\ntls-key-file /k\n").unwrap();
    let written = |old: &str| String::from_utf8(config.rewritten(old.as_bytes())).unwrap();
    assert!(written("").contains("\ntls-cert-file \"/a\"\n"));
    assert!(!written("").contains("certificate-file"));
    let both = written("certificate-file /old\ntls-cert-file /old\n");
    assert!(both.starts_with("certificate-file \"/a\"\n"), "{both}");
    assert!(!both.contains("tls-cert-file"), "{both}");
}

#[test]
fn the_file_is_replaced_whole_and_keeps_its_mode() {
    let folder = Folder::new("rewrite");
    let file = folder.file("r.conf", "hz 20\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let mut config = Config::new(false);
    assert_eq!(
        config.rewrite().unwrap_err().to_string(),
        "The server is running without a config file"
    );
    let line = CommandLine::parse([OsString::from(&file)]);
    config.load(&line, &mut std::io::empty()).unwrap();
    set(&mut config, &[("hz", "30")]).unwrap();
    config.rewrite().unwrap();
    assert!(fs::read_to_string(&file).unwrap().starts_with("hz 30\n"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing is left beside it");
    fs::remove_file(&file).unwrap();
    config.rewrite().unwrap();
    assert!(fs::read_to_string(&file).unwrap().contains("\nhz 30\n"));
    fs::remove_dir_all(&folder.0).unwrap();
    let error = config.rewrite().unwrap_err().to_string();
    assert_eq!(error, "No such file or directory");
}

/// Lines of `redis.conf` that show a default.
fn default_lines() -> impl Iterator<Item = &'static str> {
    let commented = REDIS_CONF.lines().filter_map(|line| line.strip_prefix('#'));
    commented.filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[test]
fn redis_conf_shows_every_parameter_with_its_default() {
    assert!(REDIS_CONF.lines().all(|line| line.is_empty() || line.starts_with('#')));
    let text: String = default_lines().flat_map(|line| [line, "\n"]).collect();
    for is_ssl_compiled in [false, true] {
        let mut config = Config::new(is_ssl_compiled);
        config.load_text(text.as_bytes()).unwrap();
        let defaults = Config::new(is_ssl_compiled);
        for parameter in all() {
            assert_eq!(parameter.text(&config), parameter.text(&defaults), "{}", parameter.name);
            assert_eq!(config.is_given(parameter.name), !parameter.flags.hidden, "{parameter:?}");
            if let Some(alias) = parameter.alias {
                assert!(REDIS_CONF.contains(alias), "{alias} is mentioned");
            }
        }
    }
}

#[test]
fn the_files_of_debian_and_of_the_test_suite_are_understood() {
    let debian = "bind 127.0.0.1 -::1\nprotected-mode yes\ndaemonize yes\n\
        pidfile /run/redis/redis-server.pid\nalways-show-logo no\nset-proc-title yes\n\
        proc-title-template \"{title} {listen-addr} {server-mode}\"\nrdb-del-sync-files no\n\
        replica-serve-stale-data yes\nrepl-diskless-load disabled\nacllog-max-len 128\n\
        oom-score-adj no\noom-score-adj-values 0 200 800\nappendonly no\n\
        appendfilename \"appendonly.aof\"\nauto-aof-rewrite-min-size 64mb\n \n\
        notify-keyspace-events \"\"\nclient-output-buffer-limit normal 0 0 0\n\
        client-output-buffer-limit replica 256mb 64mb 60\njemalloc-bg-thread yes\n";
    let config = load(debian).unwrap();
    assert!(config.general.daemonize);
    assert_eq!(config.network.bind[1], b"-::1");
    let suite = "always-show-logo yes\nnotify-keyspace-events KEA\nlogfile ''\nsave ''\ndir ./\n\
        slave-serve-stale-data yes\nenable-protected-configs yes\nenable-debug-command yes\n\
        enable-module-command yes\npropagation-error-behavior panic\n\
        shutdown-on-sigterm force\nlatency-monitor-threshold 1\nrepl-diskless-sync-delay 0\n";
    let config = load(suite).unwrap();
    assert!(config.general.shutdown_on_sigterm.force);
    assert!(config.logging.notify_keyspace_events.contains(NotifyClasses::KEYEVENT));
    assert!(!config.logging.notify_keyspace_events.contains(NotifyClasses::NEW));
}

#[test]
fn secrets_are_known_as_such() {
    for name in ["requirepass", "MASTERAUTH", "masteruser", "tls-key-file-pass"] {
        assert!(Config::is_sensitive(name.as_bytes()), "{name}");
    }
    assert!(!Config::is_sensitive(b"timeout"));
    let mut config = Config::new(false);
    set(&mut config, &[("requirepass", "hidden one")]).unwrap();
    assert!(!format!("{config:?}").contains("hidden one"));
}
