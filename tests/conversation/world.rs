//! Tool: the seam between a conversation and where it is held.

use std::io;

use crate::script::Tags;

/// What has come to a client since it was last asked.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The bytes, in order.
    pub bytes: Vec<u8>,
    /// Whether the server has ended the connection behind them.
    pub is_closed: bool,
}

/// A server with its clients. An error ends the conversation, as one of the world's.
pub trait World {
    /// Connects a client; does nothing if it is connected.
    fn open(&mut self, who: &str) -> io::Result<()>;
    /// Sends bytes, and returns when the server has had the occasion to act on them.
    fn say(&mut self, who: &str, request: &[u8]) -> io::Result<()>;
    /// Returns what has come, without waiting for more than is due.
    fn hear(&mut self, who: &str) -> io::Result<Heard>;
    /// Lets time pass.
    fn sleep(&mut self, ms: u64) -> io::Result<()>;
    /// Disconnects a client.
    fn close(&mut self, who: &str) -> io::Result<()>;
    /// Ends what a client sends; it still hears.
    fn shut(&mut self, who: &str) -> io::Result<()>;
    /// Stops the server, and starts it again with the files that it left.
    fn restart(&mut self) -> io::Result<()>;
    /// Makes the world as new for the next conversation, or returns false if it cannot.
    fn reset(&mut self) -> io::Result<bool>;
}

/// A kind of world: one for each way of running a server.
pub trait Place: Sync {
    /// Names the place in what a failing test prints.
    fn name(&self) -> &str;
    /// Says whether a conversation with these tags can be held here.
    fn suits(&self, tags: &Tags) -> bool;
    /// Says whether this is the server that we imitate, rather than ours.
    fn is_reference(&self) -> bool;
    /// Makes a world whose server was started with these directives.
    fn open(&self, directives: &[String]) -> io::Result<Box<dyn World>>;
}
