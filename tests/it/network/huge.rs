//! Tool: what a huge argument costs at its peak: a copy that comes back shows here.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::{MIB, Served, ask};

const HUGE_BYTES: usize = 32 * MIB;
/// What else the server needs.
const SLACK_BYTES: usize = 3 * MIB;
/// What a buffer has left in growing, in blocks that are kept for a while.
const LEFT_BYTES: usize = 8 * MIB;
/// An allocation may be a quarter larger than what was asked for.
const COPY_BYTES: usize = HUGE_BYTES / 4 * 5;

/// Sends words, the huge one where `None` stands.
fn send(client: &mut TcpStream, words: &[Option<&str>]) {
    let piece = vec![b'x'; MIB];
    client.write_all(format!("*{}\r\n", words.len()).as_bytes()).unwrap();
    for word in words {
        let Some(word) = word else {
            client.write_all(format!("${HUGE_BYTES}\r\n").as_bytes()).unwrap();
            (0..HUGE_BYTES / MIB).for_each(|_| client.write_all(&piece).unwrap());
            client.write_all(b"\r\n").unwrap();
            continue;
        };
        client.write_all(format!("${}\r\n{word}\r\n", word.len()).as_bytes()).unwrap();
    }
}

/// Says a request whose answer holds the huge string, and reads it.
fn fetch(client: &mut TcpStream, request: &str, head: &str) {
    let mut request = request.to_owned();
    request.push_str("\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let mut left = head.len() + format!("${HUGE_BYTES}\r\n").len() + HUGE_BYTES + 2;
    let mut space = vec![0; MIB];
    while left != 0 {
        let count = client.read(&mut space[..left.min(MIB)]).unwrap();
        assert_ne!(count, 0, "closed with {left} bytes to come");
        left -= count;
    }
}

/// What the server has taken at its peak beyond what it takes at first, and what is resident.
fn peak(words: &[Option<&str>], before: &[u8], fetched: Option<(&str, &str)>) -> [usize; 2] {
    let server = Served::start(&[]);
    let mut client = server.client();
    if !before.is_empty() {
        ask(&mut client, before);
    }
    let start = [server.field("used_memory"), server.resident_peak()];
    send(&mut client, words);
    let answer = ask(&mut client, b"");
    assert!(!answer.starts_with('-'), "{answer}");
    if let Some((request, head)) = fetched {
        fetch(&mut client, request, head);
    }
    [server.field("used_memory_peak") - start[0], server.resident_peak() - start[1]]
}

#[test]
fn a_huge_argument_becomes_the_value_without_a_copy() {
    let array = "*1\r\n";
    let pair = "*2\r\n$1\r\nf\r\n";
    for (words, before, fetched) in [
        (&[Some("SET"), Some("k"), None][..], &b""[..], Some(("GET k", ""))),
        (&[Some("APPEND"), Some("k"), None], b"", None),
        (&[Some("RPUSH"), Some("k"), None], b"", Some(("LRANGE k 0 -1", array))),
        (&[Some("LPUSH"), Some("k"), None], b"", Some(("LPOP k", ""))),
        (
            &[Some("LSET"), Some("k"), Some("0"), None],
            b"RPUSH k a\r\n",
            Some(("LMOVE k l LEFT LEFT", "")),
        ),
        (&[Some("HSET"), Some("k"), Some("f"), None], b"", Some(("HGET k f", ""))),
        (&[Some("HSETNX"), Some("k"), Some("f"), None], b"", Some(("HMGET k f", array))),
    ] {
        let [used, resident] = peak(words, before, fetched);
        assert!(used < HUGE_BYTES + SLACK_BYTES, "{words:?}: {used}");
        assert!(resident < HUGE_BYTES + LEFT_BYTES + 2 * SLACK_BYTES, "{words:?}: {resident}");
    }
    // The answer is a copy, the value is none.
    let words = [Some("HSET"), Some("k"), Some("f"), None];
    let [used, _] = peak(&words, b"", Some(("HGETALL k", pair)));
    assert!(used < HUGE_BYTES + COPY_BYTES + SLACK_BYTES, "{used}");
}

#[test]
fn a_huge_argument_is_copied_once_where_it_cannot_be_kept() {
    for (words, before) in [
        (&[Some("APPEND"), Some("k"), None][..], &b"SET k small\r\n"[..]),
        (&[Some("LSET"), Some("k"), Some("1"), None], b"RPUSH k a b c\r\n"),
        (&[Some("SADD"), Some("k"), None], b""),
        (&[Some("ZADD"), Some("k"), Some("1"), None], b""),
        (&[Some("XADD"), Some("k"), Some("*"), Some("f"), None], b""),
    ] {
        let [used, resident] = peak(words, before, None);
        assert!(used < HUGE_BYTES + COPY_BYTES + SLACK_BYTES, "{words:?}: {used}");
        let most = 2 * HUGE_BYTES + LEFT_BYTES + 2 * SLACK_BYTES;
        assert!(resident < most, "{words:?}: {resident}");
    }
}
