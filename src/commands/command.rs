//! Command: COMMAND: the table of commands, for clients that build their own from it.

use base::glob::{self, Case};
use resp::Reply;

use crate::{
    command::{
        CommandId, Lookup, describe,
        flags::{AclCategories, Flags},
        keyspec::{KeyAt, Keys, Search},
    },
    commands::help,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Where the words of a subcommand begin.
const FIRST_ARGUMENT: usize = 2;

/// COMMAND
pub(super) fn command(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.array(server.commands.names.commands().count());
    server.commands.names.commands().for_each(|id| describe::info(call.reply, id));
    Ok(())
}

/// COMMAND COUNT
pub(super) fn count(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.count(server.commands.names.commands().count());
    Ok(())
}

/// COMMAND INFO [name …]: a null for a name that means nothing.
pub(super) fn info(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if call.argv.count() == FIRST_ARGUMENT {
        return command(server, call);
    }
    let names = call.argv.from(FIRST_ARGUMENT);
    call.reply.array(names.len());
    for name in names {
        match server.commands.names.find_full(name) {
            Some(id) => describe::info(call.reply, id),
            None => call.reply.null(),
        }
    }
    Ok(())
}

/// COMMAND DOCS [name …]: nothing for a name that means nothing.
pub(super) fn docs(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let names = &server.commands.names;
    let map = call.reply.deferred();
    let mut count = 0;
    let mut write = |reply: &mut Reply, id: CommandId| {
        reply.bulk(id.spec().full_name.as_bytes());
        describe::docs(reply, id);
        count += 1;
    };
    if call.argv.count() == FIRST_ARGUMENT {
        names.commands().for_each(|id| write(call.reply, id));
    } else {
        let asked = call.argv.from(FIRST_ARGUMENT).filter_map(|name| names.find_full(name));
        asked.for_each(|id| write(call.reply, id));
    }
    call.reply.close_map(map, count);
    Ok(())
}

/// Which commands are listed.
enum Filter<'a> {
    All,
    /// There are no modules, so none of a module's.
    Module,
    Category(Option<AclCategories>),
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    fn parse(call: &Call<'a>) -> Result<Self, ReplyError> {
        if call.argv.count() == FIRST_ARGUMENT {
            return Ok(Self::All);
        }
        if call.argv.count() != 5 || !call.arg(2).eq_ignore_ascii_case(b"filterby") {
            return Err(ReplyError::Syntax);
        }
        match call.arg(3).to_ascii_lowercase().as_slice() {
            b"module" => Ok(Self::Module),
            b"aclcat" => Ok(Self::Category(AclCategories::from_word(call.arg(4)))),
            b"pattern" => Ok(Self::Pattern(call.arg(4))),
            _ => Err(ReplyError::Syntax),
        }
    }

    fn takes(&self, id: CommandId) -> bool {
        let spec = id.spec();
        match self {
            Self::All => true,
            Self::Module => spec.has(Flags::MODULE),
            Self::Category(category) => category.is_some_and(|one| spec.categories.has(one)),
            Self::Pattern(pattern) => {
                glob::matches(pattern, spec.full_name.as_bytes(), Case::Ignored)
            }
        }
    }
}

/// COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]: subcommands are
/// judged for themselves.
pub(super) fn list(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let filter = Filter::parse(call)?;
    let array = call.reply.deferred();
    let mut count = 0;
    for container in server.commands.names.commands() {
        let all = std::iter::once(container).chain(container.spec().subcommands());
        for id in all.filter(|id| filter.takes(*id)) {
            call.reply.bulk(id.spec().full_name.as_bytes());
            count += 1;
        }
    }
    call.reply.close_array(array, count);
    Ok(())
}

/// COMMAND GETKEYS name [argument …]
pub(super) fn getkeys(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_keys(server, call, |reply, name, _| reply.bulk(name))
}

/// COMMAND GETKEYSANDFLAGS name [argument …]
pub(super) fn getkeysandflags(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_keys(server, call, |reply, name, key| {
        reply.array(2);
        reply.bulk(name);
        describe::key_flags(reply, key.flags);
    })
}

fn reply_keys(
    server: &mut Server,
    call: &mut Call<'_>,
    write: fn(&mut Reply, &[u8], KeyAt),
) -> CommandResult {
    let argv = call.argv.tail(FIRST_ARGUMENT);
    let Lookup::Found(id) = server.commands.find(argv) else {
        return Err(ReplyError::text("ERR Invalid command specified"));
    };
    let spec = id.spec();
    if !spec.has_keys() {
        return Err(ReplyError::text("ERR The command has no key arguments"));
    }
    if !spec.takes(argv.count()) {
        return Err(ReplyError::text("ERR Invalid number of arguments specified for command"));
    }
    // No key and no idea are one to Redis.
    match Keys::find(spec, argv, Search::Keys).map(|keys| (keys.clone().count(), keys)) {
        Ok((count @ 1.., keys)) => {
            call.reply.array(count);
            keys.for_each(|key| write(call.reply, argv.at(key.index), key));
        }
        _ if spec.has(Flags::NO_MANDATORY_KEYS) => call.reply.array(0),
        _ => return Err(ReplyError::text("ERR Invalid arguments specified for command")),
    }
    Ok(())
}

/// COMMAND HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "(no subcommand)",
            "    Describe how every command is called.",
            "COUNT",
            "    Return how many commands there are.",
            "DOCS [<command-name> ...]",
            "    Return the documentation of the named commands, or of every command.",
            "GETKEYS <full-command>",
            "    Return the keys that a full command line names.",
            "GETKEYSANDFLAGS <full-command>",
            "    Return the keys that a full command line names and what is done to each.",
            "INFO [<command-name> ...]",
            "    Describe how the named commands are called, or every command.",
            "LIST [FILTERBY (MODULE <module-name>|ACLCAT <category>|PATTERN <pattern>)]",
            "    Return the names of the commands, of all or of those that a filter takes.",
        ],
    );
    Ok(())
}
