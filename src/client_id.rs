//! Pure: the names of clients, which rooms below the clients know them by.

/// Names a client for as long as it lives, and nobody after.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ClientId {
    /// Where it stands in the table of clients.
    pub slot: u32,
    /// How many have stood there before.
    pub generation: u32,
}
