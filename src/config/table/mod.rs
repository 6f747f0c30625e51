//! Room: the tables of parameters by concern, and the search by name.

pub(in crate::config) mod cluster;
pub(in crate::config) mod encoding;
pub(in crate::config) mod general;
pub(in crate::config) mod limits;
pub(in crate::config) mod logging;
pub(in crate::config) mod memory;
pub(in crate::config) mod network;
pub(in crate::config) mod persistence;
pub(in crate::config) mod replication;
pub(in crate::config) mod security;
pub(in crate::config) mod ssl;

use super::entry::Parameter;

/// Every table, in the order of `redis.conf`.
static TABLES: &[&[Parameter]] = &[
    network::PARAMETERS,
    general::PARAMETERS,
    logging::PARAMETERS,
    security::PARAMETERS,
    limits::PARAMETERS,
    memory::PARAMETERS,
    encoding::PARAMETERS,
    persistence::PARAMETERS,
    replication::PARAMETERS,
    cluster::PARAMETERS,
    ssl::PARAMETERS,
];

/// Every parameter once.
pub fn all() -> impl Iterator<Item = &'static Parameter> {
    TABLES.iter().copied().flatten()
}

/// Finds a parameter by either of its names, in any case.
pub fn find(name: &[u8]) -> Option<&'static Parameter> {
    all().find(|parameter| {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        is(parameter.name) || parameter.alias.is_some_and(is)
    })
}
