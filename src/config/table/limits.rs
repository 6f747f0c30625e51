//! Room: what one client, and all of them together, may ask of the server. First the fields, then a
//! line for each.

use crate::config::{
    Change,
    entry::{
        LONG_MAX, Parameter, UINT_MAX, field, integer, memory, memory_or_percent, special, text,
    },
    number::MemoryLimit,
    special::{self, OutputLimits},
};

/// What one client, and all of them together, may ask of the server.
#[derive(Clone, Default)]
pub struct Limits {
    /// `maxclients`: how many clients may be connected at once.
    pub maxclients: u32,
    /// `maxmemory-clients`: the memory that all clients may use together, in bytes or as a
    /// percentage of `maxmemory`.
    pub maxmemory_clients: MemoryLimit,
    /// `client-output-buffer-limit`: how much output may wait for a client, by class (`normal`,
    /// `replica`, `pubsub`): at once beyond the hard limit, or for so many seconds beyond the soft
    /// one, it is closed.
    pub client_output_buffer_limit: OutputLimits,
    /// `client-query-buffer-limit`: how much input one client may have waiting.
    pub client_query_buffer_limit: usize,
    /// `proto-max-bulk-len`: the largest single argument of a command.
    pub proto_max_bulk_len: usize,
    /// `tracking-table-max-keys`: how many keys are remembered for client-side caching.
    pub tracking_table_max_keys: usize,
    /// `busy-reply-threshold`: milliseconds after which a script lets other clients hear BUSY.
    pub busy_reply_threshold_ms: u64,
    /// `client-default-resp`: the protocol version that a connection begins with; for tests.
    pub client_default_resp: u32,
    /// `req-res-logfile`: a file that requests and replies are added to; for tests.
    pub req_res_logfile: Vec<u8>,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("maxclients", "10000", integer(1, UINT_MAX, &field!(limits.maxclients)))
        .change(Change::MaxClients),
    Parameter::new("maxmemory-clients", "0", memory_or_percent(&field!(limits.maxmemory_clients)))
        .change(Change::ClientsMemory),
    Parameter::new(
        "client-output-buffer-limit",
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        special(special::OUTPUT_LIMITS),
    )
    .change(Change::OutputLimits)
    .words(),
    Parameter::new(
        "client-query-buffer-limit",
        "1gb",
        memory(1 << 20, LONG_MAX, &field!(limits.client_query_buffer_limit)),
    ),
    Parameter::new(
        "proto-max-bulk-len",
        "512mb",
        memory(1 << 20, LONG_MAX, &field!(limits.proto_max_bulk_len)),
    ),
    Parameter::new(
        "tracking-table-max-keys",
        "1000000",
        integer(0, LONG_MAX, &field!(limits.tracking_table_max_keys)),
    ),
    Parameter::new(
        "busy-reply-threshold",
        "5000",
        integer(0, LONG_MAX, &field!(limits.busy_reply_threshold_ms)),
    )
    .alias("lua-time-limit"),
    Parameter::new("client-default-resp", "2", integer(2, 3, &field!(limits.client_default_resp)))
        .hidden()
        .immutable(),
    Parameter::new("req-res-logfile", "", text(&field!(limits.req_res_logfile)))
        .hidden()
        .immutable(),
];
