//! Command: the HELP subcommand of commands that have subcommands.

use crate::server::call::Call;

/// Answers with the lines that every HELP has around the command's own.
pub(super) fn reply(call: &mut Call<'_>, lines: &[&str]) {
    let name = call.command.spec().container_name().to_ascii_uppercase();
    let first = format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    call.reply.array(lines.len() + 3);
    call.reply.simple(&first);
    lines.iter().for_each(|line| call.reply.simple(line));
    call.reply.simple("HELP");
    call.reply.simple("    Print this help.");
}
