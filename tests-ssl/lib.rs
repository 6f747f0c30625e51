//! Tool: what the tests of the SSL build share: certificates, and servers that are spoken to
//! over TLS.
//!
//! Start reading at [`Certificate`]; its `over_…` turn a program of a plain world into one of
//! TLS.

mod certificate;
pub mod client;
mod served;

pub use certificate::Certificate;
pub use client::Client;
pub use served::{Served, sized, wait_until};
