//! Command: CLIENT KILL, by address or by filters that must all hold.

use base::number::parse_i64;

use crate::{
    client::{ClientId, Kind},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// CLIENT KILL ip:port | [ID id] [TYPE type] [USER name] [ADDR ip:port] [LADDR ip:port]
/// [SKIPME yes|no] …
pub(in crate::commands) fn kill(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let is_old_form = call.argv.count() == 3;
    let filter = if is_old_form {
        Filter { address: Some(call.arg(2)), ..Filter::default() }
    } else {
        Filter::parse(call)?
    };
    let victims = filter.victims(server, call.client);
    if is_old_form {
        victims.first().ok_or(ReplyError::text("ERR No such client"))?;
        call.reply.ok();
    } else {
        call.reply.count(victims.len());
    }
    for id in victims {
        if id == call.client {
            // It still learns that it has killed itself.
            server.clients.close_after_reply(id);
        } else {
            server.clients.close(id);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Filter<'a> {
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    number: Option<u64>,
    kind: Option<Kind>,
    skips_me: bool,
}

impl<'a> Filter<'a> {
    fn parse(call: &Call<'a>) -> Result<Self, ReplyError> {
        let mut filter = Self { skips_me: true, ..Self::default() };
        let mut words = call.argv.from(2);
        while let Some(word) = words.next() {
            let value = words.next().ok_or(ReplyError::Syntax)?;
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("id") {
                let number = parse_i64(value).filter(|number| 0 < *number);
                let number = number.and_then(|number| u64::try_from(number).ok());
                filter.number =
                    Some(number.ok_or(ReplyError::text("ERR client-id should be greater than 0"))?);
            } else if is("type") {
                filter.kind = Some(Kind::parse(value)?);
            } else if is("addr") {
                filter.address = Some(value);
            } else if is("laddr") {
                filter.local_address = Some(value);
            } else if is("user") {
                if value != b"default" {
                    return Err(ReplyError::quoting("ERR No such user '", value, "'"));
                }
            } else if is("skipme") {
                filter.skips_me = match value {
                    value if value.eq_ignore_ascii_case(b"yes") => true,
                    value if value.eq_ignore_ascii_case(b"no") => false,
                    _ => return Err(ReplyError::Syntax),
                };
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(filter)
    }

    fn victims(&self, server: &Server, me: ClientId) -> Vec<ClientId> {
        let matches =
            |address: &Option<&[u8]>, of: &[u8]| address.is_none_or(|wanted| wanted == of);
        let clients = server.clients.iter().filter(|(id, client)| {
            !client.is_negotiating
                && matches(&self.address, client.peer.as_bytes())
                && matches(&self.local_address, client.local.as_bytes())
                && self.number.is_none_or(|number| number == client.number)
                && self.kind.is_none_or(|kind| kind == client.kind())
                && !(self.skips_me && *id == me)
        });
        clients.map(|(id, _)| id).collect()
    }
}
