//! Tool: what MEMORY USAGE says of a key, beside what the allocator has given out for it.

use super::{Server, ask, say};

const GROUPS: usize = 3000;
const CONSUMERS: usize = 2000;
const ENTRIES: usize = 4000;

/// Says the commands in one go; each must be answered without an error.
fn fill(server: &Server, commands: impl Iterator<Item = String>) {
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let lines: Vec<String> = commands.collect();
    let script: Vec<u8> = lines
        .iter()
        .flat_map(|line| conversation::encode(&line.split(' ').collect::<Vec<_>>()))
        .collect();
    std::io::Write::write_all(&mut socket, &script).unwrap();
    let answer = say(&mut socket, &["PING"]);
    assert!(answer.ends_with("+PONG") && !answer.contains("\r\n-"), "{answer}");
}

fn used_bytes(server: &Server) -> f64 {
    let info = ask(server.port, &["INFO", "memory"]);
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.expect(&info).parse().unwrap()
}

fn usage_bytes(server: &Server) -> f64 {
    let answer = ask(server.port, &["MEMORY", "USAGE", "s", "SAMPLES", "0"]);
    answer.strip_prefix(':').expect(&answer).parse().unwrap()
}

#[test]
fn memory_usage_of_a_stream_is_what_its_groups_really_take() {
    let server = Server::start(&["--save", "", "--stream-node-max-entries", "100"]);
    fill(&server, ["XADD s 1-1 f v".to_owned()].into_iter());
    // What the server keeps for who talks to it is there by then.
    fill(
        &server,
        (0..ENTRIES).map(|n| format!("GET a-key-that-is-not-there-and-has-a-name-{n:06}")),
    );
    let (mut used, mut usage) = (used_bytes(&server), usage_bytes(&server));
    let mut grown_by_as_much = |what: &str| {
        let (used_before, usage_before) = (used, usage);
        (used, usage) = (used_bytes(&server), usage_bytes(&server));
        let share = (usage - usage_before) / (used - used_before);
        assert!((0.8..1.2).contains(&share), "{what}: {share} of {}", used - used_before);
    };
    fill(&server, (0..GROUPS).map(|n| format!("XGROUP CREATE s a-group-{n:05} 0")));
    grown_by_as_much("groups alone");
    let name = |n: usize| format!("a-consumer-with-a-longer-name-{}", n * 7919 % CONSUMERS);
    fill(
        &server,
        (0..CONSUMERS).map(|n| format!("XGROUP CREATECONSUMER s a-group-00000 {}", name(n))),
    );
    grown_by_as_much("consumers alone");
    fill(&server, (0..GROUPS).map(|n| format!("XGROUP CREATECONSUMER s a-group-{n:05} one")));
    grown_by_as_much("a consumer each");
    fill(&server, (0..ENTRIES).map(|n| format!("XADD s 2-{n} f v")));
    grown_by_as_much("entries");
    fill(&server, (1..9).map(|n| format!("XREADGROUP GROUP a-group-{n:05} one STREAMS s >")));
    grown_by_as_much("what waits");
}
