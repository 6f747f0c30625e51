//! Pure: what `help` says at the prompt.

/// Returns the help on a topic, or on help itself.
pub(crate) fn text(topic: &[Vec<u8>]) -> String {
    if !topic.is_empty() {
        return "Help on commands and groups is not supported yet.\n\
                The server knows: COMMAND DOCS <command>\n"
            .to_owned();
    }
    format!(
        "redis-cli {}\n\
         A line is a command of the server, or one of these:\n\
         \x20     <count> <command>     run a command several times\n\
         \x20     connect <host> <port> talk to another server\n\
         \x20     clear                 clear the screen\n\
         \x20     help                  show this\n\
         \x20     quit, exit            leave\n\
         Arguments stand between spaces; in quotes, \"\\x00\", \"\\n\" and the like are bytes.\n",
        env!("CARGO_PKG_VERSION")
    )
}
