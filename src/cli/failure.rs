//! Pure: why a command came to nothing.

/// Why a command came to nothing; what there was to say has been said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command failed; at a prompt the next may work.
    Command,
    /// The user has ended what ran on.
    Interrupted,
    /// The server is down, as asked.
    ShutDown,
    /// The tool ends with this code.
    Exit(u8),
}
