//! Command: DEBUG REPLYBUFFER and CLIENT-EVICTION: the memory of clients.

use base::number::parse_i64;

use super::is_nonzero;
use crate::{
    client::reply_buffer::ReplyBufferPolicy,
    config::MemoryLimit,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Clients with less memory than this power of two are counted together.
const LOG2_MIN: u32 = 15;
/// And those with as much as this one, or more.
const LOG2_MAX: u32 = 32;
const BUCKETS: usize = (LOG2_MAX - LOG2_MIN + 2) as usize;

/// DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER|RESET|milliseconds, or RESIZING 0|1
pub(super) fn reply_buffer(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let policy = &mut server.lifecycle.reply_buffers;
    let (what, value) = (call.arg(2), call.arg(3));
    if what.eq_ignore_ascii_case(b"peak-reset-time") {
        policy.peak_reset_ms = if value.eq_ignore_ascii_case(b"never") {
            -1
        } else if value.eq_ignore_ascii_case(b"reset") {
            ReplyBufferPolicy::default().peak_reset_ms
        } else {
            parse_i64(value).ok_or(ReplyError::NotInteger)?
        };
    } else if what.eq_ignore_ascii_case(b"resizing") {
        policy.is_resizing = is_nonzero(value);
    } else {
        return Err(super::unknown(call));
    }
    call.reply.ok();
    Ok(())
}

/// DEBUG CLIENT-EVICTION: how many clients take how much, of those that may be evicted.
pub(super) fn eviction(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if server.config.limits.maxmemory_clients == MemoryLimit::default() {
        return Err(ReplyError::text("ERR maxmemory-clients is disabled."));
    }
    let mut buckets = [(0_usize, 0_usize); BUCKETS];
    for (_, client) in server.clients.iter().filter(|(_, client)| !client.no_evict) {
        let bytes = client.memory_bytes();
        let (sum_bytes, count) = &mut buckets[bucket(bytes)];
        *sum_bytes += bytes;
        *count += 1;
    }
    let line = |(at, (bytes, count)): (usize, &(usize, usize))| {
        let low = if at == 0 { 0 } else { 1_usize << (LOG2_MIN + at as u32 - 1) };
        let end = if at + 1 == BUCKETS {
            "+            ".to_owned()
        } else {
            format!(" - {:>10}", (1_usize << (LOG2_MIN + at as u32)) - 1)
        };
        format!("bucket {low:>10}{end}: tot-mem: {bytes:>10}, clients: {count}\n")
    };
    let text: String = buckets.iter().enumerate().map(line).collect();
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn bucket(bytes: usize) -> usize {
    let log2 = bytes.checked_ilog2().unwrap_or(0);
    (log2 + 1).clamp(LOG2_MIN, LOG2_MAX + 1) as usize - LOG2_MIN as usize
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, bucket};

    #[test]
    fn buckets_double() {
        let kb = 1024;
        let sizes = [0, 32 * kb - 1, 32 * kb, 64 * kb - 1, 64 * kb, 1 << 32, usize::MAX];
        assert_eq!(sizes.map(bucket), [0, 0, 1, 1, 2, BUCKETS - 1, BUCKETS - 1]);
    }
}
