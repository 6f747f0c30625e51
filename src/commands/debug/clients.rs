//! Command: DEBUG REPLYBUFFER and CLIENT-EVICTION: the memory of clients.

use base::number::parse_i64;

use super::is_nonzero;
use crate::{
    client::{reply_buffer::ReplyBufferPolicy, usage::BucketFigures},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

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
    let usage = server.clients.usage();
    if !usage.is_counted() {
        return Err(ReplyError::text("ERR maxmemory-clients is disabled."));
    }
    let line = |figures: BucketFigures| {
        let BucketFigures { bytes_min, bytes_max, bytes, clients } = figures;
        let end = match bytes_max {
            Some(bytes_max) => format!(" - {bytes_max:>10}"),
            None => "+            ".to_owned(),
        };
        format!("bucket {bytes_min:>10}{end}: tot-mem: {bytes:>10}, clients: {clients}\n")
    };
    let text: String = usage.figures().map(line).collect();
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}
