//! Tool: texts in the order of a locale, one that is made for the test.

use std::{fs, path::Path, process::Command};

use super::{Folder, Server, run};

/// Part of Debian's `libc-bin`, as of all that use libc of GNU.
const LOCALEDEF: &str = "/usr/bin/localedef";
/// Letters go before letters that come later, whatever their case.
const LETTERS: &str = "comment_char %\nescape_char /\nLC_COLLATE\norder_start forward\n\
    <U0061>\n<U0041>\n<U0062>\n<U0042>\n<U0063>\n<U0043>\norder_end\nEND LC_COLLATE\n";

/// Makes the locale `letters`; returns whether that could be done.
fn make_locale(folder: &Folder) -> bool {
    folder.write("source", LETTERS);
    // It warns of all that has nothing to do with the order, and makes the locale.
    let command = Command::new(LOCALEDEF)
        .args(["-c", "-i", "source", "-f", "ANSI_X3.4-1968", "./letters"])
        .current_dir(&folder.0)
        .output();
    assert_eq!(command.is_ok(), Path::new(LOCALEDEF).exists());
    fs::exists(folder.0.join("letters/LC_COLLATE")).unwrap()
}

fn sorted(server: &Server, words: &[&str]) -> String {
    let answer = server.ask(words);
    let texts: Vec<_> = answer.lines().skip(1).filter(|line| !line.starts_with('$')).collect();
    texts.join(" ")
}

#[test]
fn texts_are_shown_in_the_order_of_the_locale_and_stored_in_that_of_bytes() {
    let folder = Folder::new();
    if !make_locale(&folder) {
        assert!(!Path::new(LOCALEDEF).exists());
        return;
    }
    let path = folder.path("");
    let variables = [("LOCPATH", &path[..]), ("LC_ALL", "letters")];
    let server = Server::start_with(folder, &["--save", ""], &variables);
    let bytes = "A AB B C a ab b c";
    let letters = "a ab A AB b B c C";
    assert_eq!(server.ask(&["SADD", "s", "C", "c", "B", "b", "AB", "ab", "A", "a"]), ":8");
    assert_eq!(sorted(&server, &["SORT", "s", "ALPHA"]), letters);
    assert_eq!(sorted(&server, &["SORT_RO", "s", "ALPHA", "LIMIT", "0", "3"]), "a ab A");
    assert_eq!(sorted(&server, &["SORT", "s", "ALPHA", "DESC"]), "C c B b AB A ab a");
    assert_eq!(server.ask(&["SORT", "s", "ALPHA", "STORE", "d"]), ":8");
    assert_eq!(sorted(&server, &["LRANGE", "d", "0", "-1"]), bytes);
    assert_eq!(server.ask(&["MSET", "wa", "C", "wA", "c", "wb", "B", "wB", "b"]), "+OK");
    assert_eq!(server.ask(&["RPUSH", "l", "a", "A", "b", "B"]), ":4");
    assert_eq!(sorted(&server, &["SORT", "l", "BY", "w*", "ALPHA"]), "B b A a");
    assert_eq!(server.ask(&["SORT", "l", "BY", "w*", "ALPHA", "STORE", "d"]), ":4");
    assert_eq!(sorted(&server, &["LRANGE", "d", "0", "-1"]), "b a B A");

    let set = |name: &str| server.ask(&["CONFIG", "SET", "locale-collate", name]);
    assert_eq!(set("C"), "+OK");
    assert_eq!(sorted(&server, &["SORT", "s", "ALPHA"]), bytes);
    let refused = set("no_SUCH");
    assert!(refused.ends_with("'locale-collate') - Invalid locale name"), "{refused}");
    assert_eq!(sorted(&server, &["SORT", "s", "ALPHA"]), bytes, "nothing has changed");
    assert_eq!(set("letters"), "+OK");
    assert!(set("no_SUCH").starts_with('-'));
    assert_eq!(sorted(&server, &["SORT", "s", "ALPHA"]), letters, "nothing has changed");
    assert_eq!(set("C"), "+OK");
    assert_eq!(set(""), "+OK");
    assert_eq!(sorted(&server, &["SORT", "s", "ALPHA"]), letters, "the environment's");
}

#[test]
fn without_its_locale_a_server_does_not_start() {
    let (code, text) = run(&Folder::new(), &["--port", "0", "--locale-collate", "no_SUCH"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(" # Failed to configure LOCALE for invalid locale name.\n"), "{text}");
}
