//! Tool: a session with a server: what the connection is in the middle of, and the
//! commands that change it.
//!
//! Start at `issue`. A failed connection stays in `link` with its error, so that the
//! one who complains can say why; the next command makes another.

use std::thread;

use resp::value::Value;

use crate::args::{Args, ProtocolChoice};
use crate::connect::{Link, LinkError};
use crate::console::{Console, Environment};
use crate::failure::Failure;
use crate::format::{Form, Layout};
use crate::help;
use crate::interrupt::Interrupts;

/// What becomes of messages that answer nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pushes {
    Dropped,
    Shown,
    /// They are what is waited for.
    Replies,
}

/// A session with a server.
pub(crate) struct Session<'a> {
    pub(crate) args: Args,
    pub(crate) console: Console<'a>,
    pub(crate) environment: Environment,
    pub(crate) layout: Layout,
    pub(crate) link: Option<Link>,
    pub(crate) interrupts: Interrupts,
    /// Whether it goes on after an error.
    pub(crate) is_interactive: bool,
    /// Whether messages may come at any time.
    pub(crate) is_subscribed: bool,
    /// The database that the connection uses; `args.db` is the one it should.
    db: i32,
    /// The database before MULTI.
    transaction: Option<i32>,
    is_resp3: bool,
    /// Whether the server has been asked to go.
    is_shutting_down: bool,
    shows_pushes: bool,
    pushes: Pushes,
}

impl<'a> Session<'a> {
    pub(crate) fn new(args: Args, console: Console<'a>, environment: Environment) -> Self {
        let form = args.form.unwrap_or(if console.has_screen { Form::Tty } else { Form::Raw });
        let layout = Layout { form, between: args.between.clone(), after: args.after.clone() };
        let shows_pushes = args.shows_pushes.unwrap_or(console.has_screen);
        Self {
            args,
            console,
            environment,
            layout,
            link: None,
            interrupts: Interrupts::default(),
            is_interactive: false,
            is_subscribed: false,
            db: 0,
            transaction: None,
            is_resp3: false,
            is_shutting_down: false,
            shows_pushes,
            pushes: Pushes::Dropped,
        }
    }

    /// Returns what stands before the cursor.
    pub(crate) fn prompt(&self) -> String {
        if self.link.is_none() {
            return "not connected> ".to_owned();
        }
        let address = &self.args.address;
        let mut prompt = match &address.socket {
            Some(path) => format!("redis {}", path.display()),
            None if address.host.contains(':') => format!("[{}]:{}", address.host, address.port),
            None => format!("{}:{}", address.host, address.port),
        };
        if self.db != 0 {
            prompt += &format!("[{}]", self.db);
        }
        if self.transaction.is_some() {
            prompt += "(TX)";
        }
        if self.is_subscribed {
            prompt += "(subscribed mode)";
        }
        prompt + "> "
    }

    /// Makes a connection anew; returns whether it is as it should be. One that could
    /// be made, but not set up, stays.
    pub(crate) fn connect(&mut self, is_quiet: bool) -> bool {
        if self.link.take().is_some() {
            self.db = 0;
            self.transaction = None;
            self.is_subscribed = false;
            self.interrupts.unwatch();
        }
        let Args { address, tls, connect_timeout, .. } = &self.args;
        match Link::open(address, tls.as_ref(), *connect_timeout) {
            Ok(link) => self.link = Some(link),
            Err(reason) if !is_quiet => {
                let place = match &address.socket {
                    Some(path) => path.display().to_string(),
                    None => format!("{}:{}", address.host, address.port),
                };
                self.console
                    .complain(format_args!("Could not connect to Redis at {place}: {reason}"));
                return false;
            }
            Err(_) => return false,
        }
        self.is_resp3 = false;
        self.pushes = if self.shows_pushes { Pushes::Shown } else { Pushes::Dropped };
        self.authenticate() && self.select() && self.switch_protocol()
    }

    /// Runs a command `repeat` times, connecting first where that is needed.
    pub(crate) fn issue(&mut self, words: &[Vec<u8>], repeat: i64) -> Result<(), Failure> {
        if is(words, 0, "help") || is(words, 0, "?") {
            return self.console.print(help::text(&words[1..]).as_bytes());
        }
        if let Some(what) = absent_mode(words) {
            self.console.complain(format_args!("{what} is not supported yet"));
            return Err(Failure::Command);
        }
        let is_usable = self.link.as_ref().is_some_and(|link| link.error.is_none());
        if !is_usable && !self.connect(false) {
            self.complain_of_link();
            return Err(Failure::Command);
        }
        match self.repeat(words, repeat) {
            Err(Failure::Command) => {
                self.complain_of_link();
                self.link = None;
                Err(Failure::Command)
            }
            Err(Failure::ShutDown) => {
                self.link = None;
                Ok(())
            }
            Err(Failure::Interrupted) => Ok(()),
            outcome => outcome,
        }
    }

    /// Waits for a reply and prints it.
    pub(crate) fn read_reply(&mut self, is_verbatim: bool) -> Result<Value, Failure> {
        loop {
            let reply = self.link.as_mut().and_then(Link::receive);
            let reply = reply.ok_or_else(|| self.lost())?;
            if matches!(reply, Value::Push(_)) && self.pushes != Pushes::Replies {
                if self.pushes == Pushes::Shown {
                    self.console.print(&self.layout.render_push(&reply))?;
                }
                continue;
            }
            if let Value::Error(text) = &reply
                && self.args.fails_on_error
                && !self.is_interactive
            {
                self.console.complain(String::from_utf8_lossy(text));
                return Err(Failure::Exit(1));
            }
            let text = if is_verbatim {
                self.layout.render_verbatim(&reply)
            } else {
                self.layout.render(&reply)
            };
            self.console.print(&text)?;
            return Ok(reply);
        }
    }

    /// Says why the connection ended, if there is one.
    pub(crate) fn complain_of_link(&mut self) {
        let Some(link) = &self.link else { return };
        let reason = link.error.as_ref().map(LinkError::to_string).unwrap_or_default();
        self.console.complain(format_args!("Error: {reason}"));
    }

    /// Decides what a lost connection means.
    fn lost(&mut self) -> Failure {
        if self.interrupts.take() {
            self.is_subscribed = false;
            return if self.connect(false) { Failure::Interrupted } else { Failure::Exit(1) };
        }
        if self.is_shutting_down {
            return Failure::ShutDown;
        }
        let error = self.link.as_ref().and_then(|link| link.error.as_ref());
        if self.is_interactive && error.is_none_or(LinkError::is_gone) {
            return Failure::Command;
        }
        self.complain_of_link();
        Failure::Exit(1)
    }

    fn authenticate(&mut self) -> bool {
        let Some(password) = self.args.password.clone() else { return true };
        let reply = match self.args.user.clone() {
            Some(user) => self.ask(&[b"AUTH", &user, &password]),
            None => self.ask(&[b"AUTH", &password]),
        };
        match reply {
            Some(Value::Error(text)) => {
                let text = String::from_utf8_lossy(&text);
                self.console.complain(format_args!("AUTH failed: {text}"));
                false
            }
            reply => reply.is_some(),
        }
    }

    fn select(&mut self) -> bool {
        let db = self.args.db;
        if db == self.db {
            return true;
        }
        match self.ask(&[b"SELECT", db.to_string().as_bytes()]) {
            Some(Value::Error(text)) => {
                let text = String::from_utf8_lossy(&text);
                self.console.complain(format_args!("SELECT {db} failed: {text}"));
                false
            }
            Some(_) => {
                self.db = db;
                true
            }
            None => false,
        }
    }

    fn switch_protocol(&mut self) -> bool {
        let choice = self.args.protocol;
        if matches!(choice, ProtocolChoice::Default | ProtocolChoice::Resp2) {
            return true;
        }
        match self.ask(&[b"HELLO", b"3"]) {
            Some(Value::Error(text)) => {
                let text = String::from_utf8_lossy(&text);
                self.console.complain(format_args!("HELLO 3 failed: {text}"));
                choice == ProtocolChoice::Resp3IfKnown
            }
            Some(reply) => {
                self.is_resp3 = matches!(reply, Value::Map(_));
                true
            }
            None => false,
        }
    }

    fn ask(&mut self, words: &[&[u8]]) -> Option<Value> {
        let reply = self.link.as_mut().and_then(|link| link.ask(words));
        if reply.is_none() {
            self.console.complain("\nI/O error");
        }
        reply
    }

    fn repeat(&mut self, words: &[Vec<u8>], repeat: i64) -> Result<(), Failure> {
        let is_verbatim = is_laid_out_by_server(words);
        self.is_shutting_down = is(words, 0, "shutdown");
        let mut left = repeat;
        while left != 0 {
            // A negative count stays so: it runs for ever.
            left -= i64::from(0 < left);
            if let Some(link) = &mut self.link {
                // What goes wrong shows where the reply is waited for.
                link.send(words);
            }
            if is(words, 0, "monitor") {
                return self.monitor(is_verbatim);
            }
            self.answer(words, is_verbatim)?;
            if !self.args.interval.is_zero() {
                thread::sleep(self.args.interval);
            }
        }
        Ok(())
    }

    /// Prints what the server is asked by others, until it stops or Ctrl-C.
    fn monitor(&mut self, is_verbatim: bool) -> Result<(), Failure> {
        self.watch();
        let outcome = loop {
            match self.read_reply(is_verbatim) {
                Ok(Value::Error(_)) => break Ok(()),
                Ok(_) => (),
                Err(Failure::Command) => {
                    self.complain_of_link();
                    break Err(Failure::Exit(1));
                }
                Err(failure) => break Err(failure),
            }
        };
        self.interrupts.unwatch();
        outcome
    }

    fn watch(&self) {
        if let Some(link) = &self.link
            && self.is_interactive
        {
            self.interrupts.watch(link);
        }
    }

    /// Waits for the reply to a command among the messages of subscriptions.
    fn answer(&mut self, words: &[Vec<u8>], is_verbatim: bool) -> Result<(), Failure> {
        let subscribes = ["subscribe", "psubscribe", "ssubscribe"];
        let unsubscribes = ["unsubscribe", "punsubscribe", "sunsubscribe"];
        let is_subscribe = subscribes.iter().any(|name| is(words, 0, name));
        let is_either = is_subscribe || unsubscribes.iter().any(|name| is(words, 0, name));
        // Each channel is confirmed by a message of its own, no channel by one.
        let mut missing = if is_either { (words.len() - 1).max(1) } else { 0 };
        if is_either {
            self.pushes = Pushes::Replies;
        }
        let reply = loop {
            let reply = self.read_reply(is_verbatim)?;
            if !self.is_subscribed && missing == 0 {
                break reply;
            }
            let Some(kind) = self.pubsub_kind(&reply) else {
                if matches!(reply, Value::Push(_)) {
                    continue;
                }
                break reply;
            };
            if missing == 0 || !kind.eq_ignore_ascii_case(&words[0]) {
                continue;
            }
            if is_subscribe && !self.is_subscribed {
                self.is_subscribed = true;
                self.watch();
            }
            missing -= 1;
            if missing == 0 {
                break reply;
            }
        };
        self.track(words, &reply);
        if is_either && !self.is_subscribed && self.shows_pushes {
            self.pushes = Pushes::Shown;
        }
        Ok(())
    }

    /// Returns the kind of a message of a subscription.
    fn pubsub_kind<'v>(&self, reply: &'v Value) -> Option<&'v [u8]> {
        let elements = match reply {
            Value::Push(elements) if self.is_resp3 => elements,
            Value::Array(elements) if !self.is_resp3 => elements,
            _ => return None,
        };
        match elements.as_slice() {
            [Value::Bulk(kind), _, _, ..]
                if kind.ends_with(b"message") || kind.ends_with(b"subscribe") =>
            {
                Some(kind)
            }
            _ => None,
        }
    }

    /// Remembers what a command has made of the connection.
    fn track(&mut self, words: &[Vec<u8>], reply: &Value) {
        let is_error = matches!(reply, Value::Error(_));
        let is_alone = words.len() == 1;
        if is(words, 0, "select") && words.len() == 2 && !is_error {
            let db = str::from_utf8(&words[1]).ok().and_then(|db| db.parse().ok());
            self.use_db(db.unwrap_or(0));
        } else if is(words, 0, "auth") && matches!(words.len(), 2 | 3) {
            // The database asked for at the start may have been out of reach till now.
            self.select();
        } else if is(words, 0, "multi") && is_alone && !is_error {
            self.transaction = Some(self.db);
        } else if is(words, 0, "exec") && is_alone {
            if let Some(db) = self.transaction.take()
                && (is_error || *reply == Value::Null)
            {
                self.use_db(db);
            }
        } else if is(words, 0, "discard") && is_alone && !is_error {
            if let Some(db) = self.transaction.take() {
                self.use_db(db);
            }
        } else if is(words, 0, "reset") && is_alone && !is_error {
            self.transaction = None;
            self.use_db(0);
            self.is_resp3 = false;
            if self.is_subscribed && self.shows_pushes {
                self.pushes = Pushes::Shown;
            }
            self.is_subscribed = false;
            self.interrupts.unwatch();
        } else if is(words, 0, "hello") {
            match reply {
                Value::Map(_) => self.is_resp3 = true,
                Value::Array(_) => self.is_resp3 = false,
                _ => (),
            }
        }
    }

    fn use_db(&mut self, db: i32) {
        self.db = db;
        self.args.db = db;
    }
}

/// Whether a word is this one, in whatever case.
pub(crate) fn is(words: &[Vec<u8>], at: usize, name: &str) -> bool {
    words.get(at).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether a command's reply is a text that the server has laid out for people.
fn is_laid_out_by_server(words: &[Vec<u8>]) -> bool {
    let pair = |first, second| is(words, 0, first) && is(words, 1, second);
    is(words, 0, "info")
        || is(words, 0, "lolwut")
        || pair("debug", "htstats")
        || pair("debug", "htstats-key")
        || pair("debug", "client-eviction")
        || pair("memory", "malloc-stats")
        || pair("memory", "doctor")
        || pair("client", "list")
        || pair("client", "info")
        || pair("proxy", "info")
        || words.len() == 2 && (pair("cluster", "nodes") || pair("cluster", "info"))
        || words.len() == 2 && pair("latency", "doctor")
        || words.len() == 3 && pair("latency", "graph")
}

/// Commands after which the server speaks otherwise than this tool can follow.
fn absent_mode(words: &[Vec<u8>]) -> Option<&'static str> {
    let is_debug = words.len() == 3 && is(words, 0, "script") && is(words, 1, "debug");
    if is_debug && !is(words, 2, "no") {
        return Some("The debugger of scripts");
    }
    (is(words, 0, "sync") || is(words, 0, "psync")).then_some("The replica mode")
}
