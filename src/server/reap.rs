//! Flow: what follows the end of a child: for the snapshot that it wrote, and for those who wait
//! for that or for another one.

use crate::server::{
    Server, bgsave,
    children::{self, Outcome},
    replicas,
};

/// Looks whether a child has ended, and does what follows.
pub fn reap(server: &mut Server) {
    while let Some((child, outcome)) = children::ended(server) {
        bgsave::ended(server, &child, outcome);
        replicas::snapshot_ended(server, child.target, outcome == Outcome::Success);
        replicas::start_pending(server);
    }
}
