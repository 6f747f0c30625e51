//! Tool: conversations with the server's parts in this process: no socket, and time that
//! moves only by hand, so that `sleep 3600000` takes no time at all.
//!
//! What a socket would bring is fed to the client's query buffer, and after each turn its
//! output is taken from its reply. Everything between is what a server runs.

use std::{collections::BTreeMap, ffi::OsString, io, path::Path};

use base::clock::Clock;
use conversation::{Heard, Place, Tags, World, hold_all};
use redis::{
    client::{ClientId, Clients},
    config::{CommandLine, Config},
    server::{Server, before_sleep, cron, process, start, tune},
};

/// When a world begins, in milliseconds since the epoch.
const BEGINNING_MS: u64 = 1_750_000_000_000;
const DIRECTIVES: [&str; 6] = ["--port", "0", "--save", "", "--enable-debug-command", "yes"];

#[test]
fn our_server_says_without_sockets_what_is_expected() {
    let count = hold_all(Path::new("tests/data"), &InProcess);
    println!("{count} conversations");
}

struct InProcess;

impl Place for InProcess {
    fn name(&self) -> &str {
        "our server in this process"
    }

    fn suits(&self, tags: &Tags) -> bool {
        !tags.needs_sockets && !tags.needs_process
    }

    fn is_reference(&self) -> bool {
        false
    }

    fn open(&self, directives: &[String]) -> io::Result<Box<dyn World>> {
        let arguments = DIRECTIVES.into_iter().chain(directives.iter().map(String::as_str));
        let command_line = CommandLine::parse(arguments.map(OsString::from));
        let mut config = Config::new(false);
        config.load(&command_line, &mut io::empty()).map_err(io::Error::other)?;
        let mut server = Server::new(config, Clock::fake(BEGINNING_MS))?;
        start::rename_commands(&mut server).map_err(io::Error::other)?;
        tune::set_access_policy(&mut server);
        Ok(Box::new(Parts { server, cron_due_ms: 1, clients: BTreeMap::new(), port: 40_000 }))
    }
}

/// A server in parts, and who speaks to it.
struct Parts {
    server: Server,
    /// Until the cron runs next.
    cron_due_ms: u64,
    clients: BTreeMap<String, Peer>,
    /// Of the client that came last.
    port: u16,
}

struct Peer {
    id: ClientId,
    heard: Heard,
}

impl Parts {
    fn peer(&mut self, who: &str) -> ClientId {
        if let Some(peer) = self.clients.get(who) {
            return peer.id;
        }
        let now_ms = self.server.now_ms();
        let is_authenticated = self.server.config.security.requirepass.is_empty();
        let id = self.server.clients.add(now_ms);
        let client = self.server.clients.find(id).expect("added just now");
        self.port += 1;
        client.peer = format!("127.0.0.1:{}", self.port).into();
        client.local = "127.0.0.1:6379".into();
        let frame = client.frame.as_mut().expect("nothing runs");
        frame.session.is_authenticated = is_authenticated;
        self.server.stats.connections += 1;
        self.clients.insert(who.to_owned(), Peer { id, heard: Heard::default() });
        id
    }

    /// Ends a turn of the loop, and takes what would have been sent in it.
    fn end_turn(&mut self) {
        before_sleep::before_sleep(&mut self.server);
        let has_exited = self.server.lifecycle.exit_code.is_some();
        for Peer { id, heard } in self.clients.values_mut() {
            take_output(&mut self.server.clients, *id, heard);
            heard.is_closed |= has_exited;
        }
        before_sleep::free_finished(&mut self.server);
        before_sleep::after_sleep(&mut self.server);
    }
}

/// Moves a client's output to what it has heard; lets it go if it was to hear that still.
fn take_output(clients: &mut Clients, id: ClientId, heard: &mut Heard) {
    let Some(client) = clients.find_even_closing(id) else {
        heard.is_closed = true;
        return;
    };
    let is_alive = client.is_alive();
    let frame = client.frame.as_mut().expect("nothing runs");
    let output = frame.reply.output_mut();
    while !output.is_empty() {
        let bytes = output.front().len();
        heard.bytes.extend_from_slice(output.front());
        output.consume(bytes);
    }
    if !is_alive {
        heard.is_closed = true;
        clients.give_up(id);
    }
}

impl World for Parts {
    fn open(&mut self, who: &str) -> io::Result<()> {
        self.peer(who);
        Ok(())
    }

    fn say(&mut self, who: &str, request: &[u8]) -> io::Result<()> {
        let id = self.peer(who);
        let now_ms = self.server.now_ms();
        if let Some(client) = self.server.clients.find(id) {
            client.active_ms = now_ms;
            let frame = client.frame.as_mut().expect("nothing runs");
            frame.query.borrow_buffer(|| self.server.arrivals.lend_buffer());
            frame.query.feed(request);
            process::process_input(&mut self.server, id);
        }
        self.end_turn();
        Ok(())
    }

    fn hear(&mut self, who: &str) -> io::Result<Heard> {
        self.peer(who);
        let peer = self.clients.get_mut(who).expect("it is there");
        let is_closed = peer.heard.is_closed;
        let heard = std::mem::take(&mut peer.heard);
        peer.heard.is_closed = is_closed;
        Ok(heard)
    }

    fn sleep(&mut self, ms: u64) -> io::Result<()> {
        let mut left_ms = ms;
        while 0 < left_ms {
            let step_ms = left_ms.min(self.cron_due_ms);
            self.server.clock.advance(step_ms);
            (left_ms, self.cron_due_ms) = (left_ms - step_ms, self.cron_due_ms - step_ms);
            if self.cron_due_ms == 0 {
                let period = cron::cron(&mut self.server).expect("the cron always comes again");
                self.cron_due_ms = u64::try_from(period.as_millis()).expect("a short time").max(1);
            }
            self.end_turn();
        }
        Ok(())
    }

    fn close(&mut self, who: &str) -> io::Result<()> {
        if let Some(peer) = self.clients.remove(who) {
            self.server.clients.close(peer.id);
        }
        self.end_turn();
        Ok(())
    }

    fn shut(&mut self, who: &str) -> io::Result<()> {
        let id = self.peer(who);
        self.server.clients.close_after_reply(id);
        self.end_turn();
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        Err(io::Error::other("nothing is kept here: [process] belongs into the title"))
    }

    /// Another one costs less than to make this one as new.
    fn reset(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}
