//! Tool: what others are given to repeat: each line of `CASES` is typed at a server that has
//! replicas, and what it puts into their stream is compared. What is expected was read off
//! the stream of Redis 7.2.6, typed the same.

use std::ffi::OsString;

use base::clock::Clock;
use conversation::{encode, split};
use redis::{
    client::ClientId,
    config::{CommandLine, Config},
    server::{Server, process, tune},
};

/// The time is this; what expires a second later does so at 1001.
const NOW_MS: u64 = 1_750_000_000_000;

/// What is typed, and what goes into the stream. `+100` moves the time by so many
/// milliseconds; `NOW+100` stands for a moment that is so far away.
const CASES: &str = "
SET k v                                     | SET k v
SET k v EX 1                                | SET k v PXAT NOW+1000
SET k v PX 1                                | SET k v PXAT NOW+1
SET k v EXAT 33177117420                    | SET k v PXAT 33177117420000
SET k v PXAT 33177117420000                 | SET k v PXAT 33177117420000
SET k v KEEPTTL                             | SET k v KEEPTTL
set k v get xx GET keepttl                  | set k v xx keepttl
SET k v GET XX EX 1                         | SET k v PXAT NOW+1000
SET k v NX                                  |
SET k v NX GET                              |
SETEX k 1 v                                 | SET k v PXAT NOW+1000
PSETEX k 1 v                                | SET k v PXAT NOW+1
GETSET k w                                  | SET k w
GETEX k                                     |
GETEX k EX 1                                | PEXPIREAT k NOW+1000
GETEX k PX 1                                | PEXPIREAT k NOW+1
GETEX k EXAT 33177117420                    | PEXPIREAT k 33177117420000
GETEX k PERSIST                             | PERSIST k
GETEX k PERSIST                             |
GETEX k PXAT 1                              | DEL k
GETDEL k                                    |
SET k 1                                     | SET k 1
GETDEL k                                    | DEL k
SET k 1                                     | SET k 1
INCRBYFLOAT k 1.5                           | SET k 2.5 KEEPTTL
EXPIRE k 1                                  | PEXPIREAT k NOW+1000
EXPIRE k 1 NX                               |
expire k 2 gt                               | PEXPIREAT k NOW+2000 gt
PEXPIRE k 1                                 | PEXPIREAT k NOW+1
EXPIREAT k 33177117420                      | PEXPIREAT k 33177117420000
pexpireat k 33177117420000                  | pexpireat k 33177117420000
PERSIST k                                   | PERSIST k
PERSIST k                                   |
EXPIRE k -1                                 | DEL k
SET k v                                     | SET k v
CONFIG SET lazyfree-lazy-expire yes         |
PEXPIREAT k 1                               | UNLINK k
SET k v                                     | SET k v
GETEX k EXAT 1                              | UNLINK k
CONFIG SET lazyfree-lazy-expire no          |
SET a 1                                     | SET a 1
RENAME a b                                  | RENAME a b
RENAME b b                                  |
RENAMENX none c                             |
COPY b c                                    | COPY b c
COPY b c                                    |
COPY b c REPLACE                            | COPY b c REPLACE
MOVE c 3                                    | MOVE c 3
MOVE none 3                                 |
SWAPDB 0 3                                  | SWAPDB 0 3
SORT none STORE d                           |
SET d v                                     | SET d v
SORT none STORE d                           | SORT none STORE d
FLUSHDB                                     | FLUSHDB
FLUSHDB async                               | FLUSHDB async
FLUSHALL SYNC                               | FLUSHALL SYNC
SET k v PX 1                                | SET k v PXAT NOW+1
+10                                         |
GET k                                       | DEL k
SET k v PX 1                                | SET k v PXAT NOW+1
+10                                         |
SET k w                                     | MULTI ; DEL k ; SET k w ; EXEC
EXPIRE k 0                                  | DEL k
SET k v PX 1                                | SET k v PXAT NOW+1
+10                                         |
EXPIRE k 1                                  | DEL k
SET k v PX 1                                | SET k v PXAT NOW+1
+10                                         |
INCR k                                      | MULTI ; DEL k ; INCR k ; EXEC
SET k v PX 1                                | SET k v PXAT NOW+1
SET l v PX 1                                | SET l v PXAT NOW+1
+10                                         |
MGET k l                                    | MULTI ; DEL k ; DEL l ; EXEC
SET k v PX 1                                | SET k v PXAT NOW+1
SET k:2 v PX 1                              | SET k:2 v PXAT NOW+1
+10                                         |
SCAN 0 COUNT 100 MATCH k                    | DEL k
SCAN 0 COUNT 100                            | DEL k:2
SADD s a b                                  | SADD s a b
SADD s a                                    |
SREM s none                                 |
SREM s a b none                             | SREM s a b none
SREM s a                                    |
SADD s a                                    | SADD s a
SPOP s                                      | SREM s a
SPOP s                                      |
SADD s a b                                  | SADD s a b
SPOP s 0                                    |
SPOP s 2                                    | DEL s
SPOP s 2                                    |
CONFIG SET lazyfree-lazy-server-del yes     |
SADD s a b                                  | SADD s a b
SPOP s 9                                    | UNLINK s
CONFIG SET lazyfree-lazy-server-del no      |
SADD s a b                                  | SADD s a b
SMOVE s t a                                 | SMOVE s t a
SMOVE s t none                              |
SMOVE s s b                                 |
SADD s a                                    | SADD s a
SMOVE s t a                                 | SMOVE s t a
SINTERSTORE d s t                           |
SUNIONSTORE d s t                           | SUNIONSTORE d s t
SDIFFSTORE d s t                            | SDIFFSTORE d s t
SINTERSTORE d s none                        | SINTERSTORE d s none
SINTERSTORE d s none                        |
SORT t ALPHA STORE l                        | SORT t ALPHA STORE l
SUNIONSTORE t none                          | SUNIONSTORE t none
SADD one 1                                  | SADD one 1
SPOP one 1                                  | DEL one
FLUSHALL                                    | FLUSHALL
SET k v                                     | SET k v
CONFIG SET maxmemory-policy allkeys-lru     |
CONFIG SET maxmemory 1                      |
PING                                        | DEL k
CONFIG SET maxmemory 0                      |
SET k v                                     | SET k v
CONFIG SET lazyfree-lazy-eviction yes       |
CONFIG SET maxmemory 1                      |
PING                                        | UNLINK k
CONFIG SET maxmemory 0                      |
MULTI                                       |
SET k v                                     |
GET k                                       |
EXPIRE k 1                                  |
EXEC                                        | MULTI ; SET k v ; PEXPIREAT k NOW+1000 ; EXEC
SELECT 5                                    |
SET k v                                     | SELECT 5 ; SET k v
";

struct Typist {
    server: Server,
    id: ClientId,
}

impl Typist {
    fn new() -> Self {
        let command_line = CommandLine::parse(["--port", "0", "--save", ""].map(OsString::from));
        let mut config = Config::new(false);
        config.load(&command_line, &mut std::io::empty()).unwrap();
        let mut server = Server::new(config, Clock::fake(NOW_MS)).unwrap();
        tune::set_access_policy(&mut server);
        server.propagation.has_replicas = true;
        let id = server.clients.add(0);
        let client = server.clients.find(id).unwrap();
        client.frame.as_mut().unwrap().session.is_authenticated = true;
        Self { server, id }
    }

    /// Types a line and says what went into the stream, in the form of `CASES`.
    fn type_in(&mut self, line: &str) -> String {
        let words = split(line.as_bytes()).unwrap();
        let client = self.server.clients.find(self.id).unwrap();
        let frame = client.frame.as_mut().unwrap();
        frame.query.borrow_buffer(|| self.server.arrivals.lend_buffer());
        frame.query.feed(&encode(&words));
        process::process_input(&mut self.server, self.id);
        let stream = self.server.propagation.stream().to_vec();
        self.server.propagation.clear_stream();
        commands(&stream).join(" ; ")
    }
}

fn commands(stream: &[u8]) -> Vec<String> {
    let text = String::from_utf8(stream.to_vec()).unwrap();
    let mut lines = text.split_terminator("\r\n");
    let mut commands = Vec::new();
    while let Some(head) = lines.next() {
        let count: usize = head.strip_prefix('*').unwrap().parse().unwrap();
        let words = (0..count).map(|_| lines.nth(1).unwrap());
        commands.push(words.collect::<Vec<_>>().join(" "));
    }
    commands
}

#[test]
fn others_repeat_what_makes_them_the_same() {
    let mut typist = Typist::new();
    // The database is selected where the stream begins.
    assert_eq!(typist.type_in("SET first v"), "SELECT 0 ; SET first v");
    typist.type_in("DEL first");
    let mut now_ms = NOW_MS;
    for case in CASES.lines().filter(|line| !line.is_empty()) {
        let (typed, expected) = case.split_once('|').unwrap();
        let (typed, expected) = (typed.trim(), expected.trim());
        if let Some(ms) = typed.strip_prefix('+') {
            let ms: u64 = ms.parse().unwrap();
            now_ms += ms;
            typist.server.clock.advance(ms);
            continue;
        }
        let moments = [1, 1000, 2000].map(|ms| (format!("NOW+{ms}"), (now_ms + ms).to_string()));
        // The longest first: one is the beginning of the other.
        let expected = moments
            .iter()
            .rev()
            .fold(expected.to_owned(), |text, (word, moment)| text.replace(word, moment));
        assert_eq!(typist.type_in(typed), expected, "{typed}");
    }
}
