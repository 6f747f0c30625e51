//! Command: the connection itself: PING, ECHO, AUTH, HELLO, SELECT, RESET, QUIT.

use base::number::parse_i64;
use resp::{Argv, Protocol};

use crate::{
    client::{ReplyMode, Session},
    commands::client::is_clean_name,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
        publish, tracking, transaction,
    },
};

/// The only user there is.
const DEFAULT_USER: &[u8] = b"default";

/// PING [message]
pub(super) fn ping(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let listens = || {
        let client = server.clients.peek(call.client);
        client.is_some_and(|client| !client.subscriptions.is_empty())
    };
    match call.argv.count() {
        // A reply must look like a message to who reads nothing else.
        1 | 2 if call.reply.protocol == Protocol::Resp2 && listens() => {
            call.reply.array(2);
            call.reply.bulk(b"pong");
            call.reply.bulk(call.argv.get(1).unwrap_or_default());
        }
        1 => call.reply.simple("PONG"),
        2 => call.reply.bulk(call.arg(1)),
        _ => return Err(call.arity_error()),
    }
    Ok(())
}

/// ECHO message
pub(super) fn echo(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.bulk(call.arg(1));
    Ok(())
}

/// SELECT index
pub(super) fn select(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let db = parse_i64(call.arg(1)).ok_or(ReplyError::NotInteger)?;
    let db = i32::try_from(db).map_err(|_| ReplyError::NotInI32)?;
    let db = usize::try_from(db).ok();
    let db = db.filter(|db| *db < server.keyspace.db_count());
    call.session.db = db.ok_or(ReplyError::DbOutOfRange)?;
    call.reply.ok();
    Ok(())
}

/// AUTH [username] password
pub(super) fn auth(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (user, password) = match call.argv.count() {
        2 => {
            if server.config.security.requirepass.is_empty() {
                return Err(ReplyError::text(
                    "ERR AUTH <password> called without any password configured for the default \
                     user. Are you sure your configuration is correct?",
                ));
            }
            (DEFAULT_USER, call.arg(1))
        }
        3 => (call.arg(1), call.arg(2)),
        _ => return Err(ReplyError::Syntax),
    };
    authenticate(server, call.session, user, password)?;
    call.reply.ok();
    Ok(())
}

fn authenticate(
    server: &mut Server,
    session: &mut Session,
    user: &[u8],
    password: &[u8],
) -> CommandResult {
    let wanted = &server.config.security.requirepass;
    if user == DEFAULT_USER && (wanted.is_empty() || is_equal_in_constant_time(password, wanted)) {
        session.is_authenticated = true;
        return Ok(());
    }
    server.stats.access_denied_auth += 1;
    Err(ReplyError::WrongPass)
}

/// Takes as long for a password that is nearly right as for one that is all wrong.
fn is_equal_in_constant_time(given: &[u8], wanted: &[u8]) -> bool {
    let [given, wanted] = [given, wanted].map(base::digest::sha256_hex);
    base::digest::is_equal(&given, &wanted)
}

/// HELLO [protover [AUTH username password] [SETNAME clientname]]
pub(super) fn hello(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = HelloArgs::parse(call.argv)?;
    if let Some((user, password)) = args.auth {
        authenticate(server, call.session, user, password)?;
    }
    if server.requires_auth(call.session) {
        return Err(ReplyError::text(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
             HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
             select the RESP protocol version at the same time",
        ));
    }
    if let Some(name) = args.name {
        super::client::rename(server, call, name)?;
    }
    if let Some(protocol) = args.protocol {
        call.reply.protocol = protocol;
        server.clients.speak(call.client, protocol);
    }
    describe_server(server, call);
    Ok(())
}

struct HelloArgs<'a> {
    protocol: Option<Protocol>,
    auth: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

impl<'a> HelloArgs<'a> {
    fn parse(argv: Argv<'a>) -> Result<Self, ReplyError> {
        let mut args = Self { protocol: None, auth: None, name: None };
        let Some(version) = argv.get(1) else { return Ok(args) };
        args.protocol = Some(match parse_i64(version) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            Some(_) => return Err(ReplyError::NoProto),
            None => {
                return Err(ReplyError::text(
                    "ERR Protocol version is not an integer or out of range",
                ));
            }
        });
        let mut words = argv.from(2);
        while let Some(word) = words.next() {
            let syntax_error =
                || ReplyError::quoting("ERR Syntax error in HELLO option '", word, "'");
            if word.eq_ignore_ascii_case(b"auth") && 2 <= words.len() {
                args.auth = words.next().zip(words.next());
            } else if word.eq_ignore_ascii_case(b"setname") && 1 <= words.len() {
                let name = words.next().unwrap_or_default();
                is_clean_name(name).then_some(()).ok_or_else(super::client::name_error)?;
                args.name = Some(name);
            } else {
                return Err(syntax_error());
            }
        }
        Ok(args)
    }
}

fn describe_server(server: &mut Server, call: &mut Call<'_>) {
    let number = server.clients.find(call.client).map_or(0, |client| client.number);
    call.reply.map(7);
    for (name, value) in [("server", "redis"), ("version", crate::version::VERSION)] {
        call.reply.bulk(name.as_bytes());
        call.reply.bulk(value.as_bytes());
    }
    call.reply.bulk(b"proto");
    call.reply.integer(if call.reply.protocol == Protocol::Resp3 { 3 } else { 2 });
    call.reply.bulk(b"id");
    call.reply.count(usize::try_from(number).unwrap_or(usize::MAX));
    for (name, value) in [("mode", "standalone"), ("role", "master")] {
        call.reply.bulk(name.as_bytes());
        call.reply.bulk(value.as_bytes());
    }
    call.reply.bulk(b"modules");
    call.reply.array(0);
}

/// RESET: as if the client had just connected.
pub(super) fn reset(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let is_authenticated = server.config.security.requirepass.is_empty();
    // CLIENT REPLY OFF ends here, but who asked for one reply less hears not even RESET.
    let reply_mode = match call.session.reply_mode {
        ReplyMode::Skip => ReplyMode::Skip,
        _ => ReplyMode::On,
    };
    transaction::discard(server, call.client, call.session);
    if call.session.is_monitor {
        server.monitors.remove(call.client);
    }
    tracking::end(server, call.client);
    *call.session = Session { is_authenticated, reply_mode, ..Session::default() };
    call.reply.protocol = Protocol::Resp2;
    server.clients.speak(call.client, Protocol::Resp2);
    publish::leave(server, call.client);
    if let Some(client) = server.clients.find(call.client) {
        client.name = None;
        client.no_evict = false;
    }
    call.reply.simple("RESET");
    Ok(())
}

/// QUIT: nobody can reach the client from here on, but its OK is sent.
pub(super) fn quit(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.ok();
    server.clients.close_after_reply(call.client);
    Ok(())
}
