//! Flow: closes clients that together take more memory than they may (`maxmemory-clients`),
//! the largest first.

use sys::log;

use crate::{config::MemoryLimit, server::Server};

/// With less nobody could talk to the server any more.
const LIMIT_BYTES_MIN: u64 = 128 * 1024;

/// Closes as many clients as have to go. Also begins and ends to count, as configured.
#[inline]
pub fn evict_clients(server: &mut Server) {
    let limit = limit_bytes(server);
    if limit.is_some() != server.clients.usage().is_counted() {
        server.clients.count_usage(limit.is_some());
    }
    if let Some(limit) = limit
        && limit <= server.clients.usage().total_bytes() as u64
    {
        evict(server, limit);
    }
}

#[cold]
fn evict(server: &mut Server, limit: u64) {
    while limit <= server.clients.usage().total_bytes() as u64 {
        let Some(id) = server.clients.usage().largest() else {
            log::warning!("Over client maxmemory after evicting all evictable clients");
            return;
        };
        log::notice!("Evicting client: {}", server.describe_client(id));
        server.clients.close(id);
        // Its memory is needed before this turn ends: else keys would go for it.
        if let Some(client) = server.clients.find_even_closing(id) {
            client.drop_output();
        }
        server.stats.evicted_clients += 1;
    }
}

fn limit_bytes(server: &Server) -> Option<u64> {
    let limit = match server.config.limits.maxmemory_clients {
        MemoryLimit::Bytes(0) | MemoryLimit::Percent(0) => return None,
        MemoryLimit::Bytes(bytes) => bytes,
        MemoryLimit::Percent(percent) => match server.config.memory.maxmemory {
            0 => return None,
            maxmemory => {
                maxmemory / 100 * u64::from(percent) + maxmemory % 100 * u64::from(percent) / 100
            }
        },
    };
    Some(limit.max(LIMIT_BYTES_MIN))
}
