//! Command: CLIENT LIST and CLIENT INFO.

use base::number::parse_i64;

use crate::{
    client::{Client, Kind, describe::describe, usage::Talk},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// CLIENT INFO
pub(in crate::commands) fn info(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let mut text = server.describe_caller(call);
    text.push(b'\n');
    call.reply.verbatim("txt", &text);
    Ok(())
}

/// CLIENT LIST [TYPE type] [ID id …]
pub(in crate::commands) fn list(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let wanted = Wanted::parse(call)?;
    let now_ms = server.now_ms();
    let mut lines: Vec<(u64, Vec<u8>)> = Vec::new();
    for (id, client) in server.clients.iter() {
        if client.is_negotiating || !wanted.matches(client) {
            continue;
        }
        let line = if id == call.client {
            server.describe_caller(call)
        } else {
            match &client.frame {
                Some(frame) => describe(client, &Talk::from(&**frame), now_ms),
                None => continue,
            }
        };
        lines.push((client.number, line));
    }
    // Oldest first, as they came.
    lines.sort_unstable_by_key(|(number, _)| *number);
    let text = wanted.in_order(&lines);
    call.reply.verbatim("txt", &text);
    Ok(())
}

enum Wanted {
    All,
    OfKind(Kind),
    /// As asked for: in this order, and as often.
    Numbered(Vec<i64>),
}

impl Wanted {
    fn parse(call: &Call<'_>) -> Result<Self, ReplyError> {
        let Some(option) = call.argv.get(2) else { return Ok(Self::All) };
        if option.eq_ignore_ascii_case(b"type") && call.argv.count() == 4 {
            return Ok(Self::OfKind(Kind::parse(call.arg(3))?));
        }
        if !option.eq_ignore_ascii_case(b"id") || call.argv.count() < 4 {
            return Err(ReplyError::Syntax);
        }
        let numbers = call.argv.from(3).map(parse_i64).collect::<Option<Vec<_>>>();
        numbers.map(Self::Numbered).ok_or(ReplyError::text("ERR Invalid client ID"))
    }

    fn matches(&self, client: &Client) -> bool {
        match self {
            Self::All => true,
            Self::OfKind(kind) => *kind == client.kind(),
            Self::Numbered(numbers) => {
                i64::try_from(client.number).is_ok_and(|number| numbers.contains(&number))
            }
        }
    }

    fn in_order(&self, lines: &[(u64, Vec<u8>)]) -> Vec<u8> {
        let mut text = Vec::new();
        let mut write = |line: &[u8]| {
            text.extend_from_slice(line);
            text.push(b'\n');
        };
        match self {
            Self::All | Self::OfKind(_) => lines.iter().for_each(|(_, line)| write(line)),
            Self::Numbered(numbers) => {
                for number in numbers.iter().filter_map(|number| u64::try_from(*number).ok()) {
                    let found = lines.binary_search_by_key(&number, |(number, _)| *number);
                    found.into_iter().for_each(|at| write(&lines[at].1));
                }
            }
        }
        text
    }
}
