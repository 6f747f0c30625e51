//! Flow: memory that is short: keys go until it is not, within a budget of time.
//!
//! Before each command, memory is held against `maxmemory`. If more is used, keys go, each in
//! a unit of its own, until enough is free. That may take long, after a big table has grown or
//! the limit was set lower; so when the time that `maxmemory-eviction-tenacity` grants is
//! over, the command runs although memory is still short, and each turn of the loop evicts
//! for as long again (`go_on`) until it is not. Only if nothing is left that may go, commands
//! that could need more memory are refused.
//!
//! What is written for replicas and to disk about the keys that go does not count as used:
//! else each key that goes would make the next one go.

use std::{
    thread,
    time::{Duration, Instant},
};

use sys::log;

use crate::{
    config::{Config, MaxmemoryPolicy},
    latency::Event,
    replication::Backlog,
    server::{Server, notify},
};

/// After so many keys the clock is looked at, and the memory that a thread has freed.
const KEYS_PER_LOOK: u32 = 16;
/// Tenacities up to this grant each the same; above, each more than the one before.
const LINEAR_TENACITY_MAX: u32 = 10;
const US_PER_TENACITY: u64 = 50;
const TENACITY_GROWTH: f64 = 1.15;
/// With this tenacity there is no limit.
const TENACITY_MAX: u32 = 100;
/// A limit below this is most often one whose unit was forgotten.
const SMALL_LIMIT: u64 = 1 << 20;
/// While memory is being freed on the thread, it is looked at so often.
const WAIT_MAX: Duration = Duration::from_millis(1);

/// How memory stands after keys have gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// No more is used than may be, or nothing may be done about it now.
    Enough,
    /// More is used; keys will go on to go.
    BeingMade,
    /// More is used, and nothing is left that may go.
    None,
}

/// Lets keys go if more memory is used than `maxmemory` says.
#[inline]
pub fn make_room(server: &mut Server) -> Room {
    if server.config.memory.maxmemory == 0 { Room::Enough } else { make_room_below_limit(server) }
}

fn make_room_below_limit(server: &mut Server) -> Room {
    if !may_evict(server) {
        return Room::Enough;
    }
    let excess = excess_bytes(server);
    if excess == 0 && server.keyspace.eviction.exceeded_since.is_none() {
        return Room::Enough;
    }
    let room = if excess == 0 { Room::Enough } else { evict_in_time(server, excess) };
    server.keyspace.eviction.note_exceeded(room != Room::Enough);
    room
}

/// Goes on where the last call has run out of time. Comes in each turn.
pub fn go_on(server: &mut Server) {
    if !server.keyspace.eviction.is_running {
        return;
    }
    if make_room(server) == Room::BeingMade {
        server.events.stay_awake();
    } else {
        server.keyspace.eviction.is_running = false;
    }
}

/// Lets tables know how much memory there is.
pub fn set_limit(config: &Config) {
    let maxmemory = usize::try_from(config.memory.maxmemory).unwrap_or(usize::MAX);
    ds::dict::set_memory_limit(if maxmemory == 0 { usize::MAX } else { maxmemory });
}

/// Warns if the limit was set lower than what is used, and begins to make room.
pub fn limit_changed(server: &mut Server) {
    set_limit(&server.config);
    let maxmemory = server.config.memory.maxmemory;
    if maxmemory == 0 {
        return server.keyspace.eviction.note_exceeded(false);
    }
    let used = counted_bytes(server);
    if maxmemory < used {
        log::warning!(
            "WARNING: the new maxmemory value set via CONFIG SET ({maxmemory}) is smaller than the \
             current memory usage ({used}). This will result in key eviction and/or the inability \
             to accept new write commands depending on the maxmemory-policy."
        );
    }
    server.keyspace.eviction.is_running = true;
}

/// Asks whether a limit below a MiB is meant, at the start.
pub fn warn_of_small_limit(config: &Config) {
    let maxmemory = config.memory.maxmemory;
    if 0 < maxmemory && maxmemory < SMALL_LIMIT {
        log::warning!(
            "WARNING: You specified a maxmemory value that is less than 1MB (current value is \
             {maxmemory} bytes). Are you sure this is what you really want?"
        );
    }
}

/// Counts the memory that the limit is not about. What is kept for replicas that come back is
/// not part of it: that does not grow for ever.
pub fn uncounted_bytes(server: &Server) -> usize {
    let (stream, backlog) = (stream_bytes(server), backlog_bytes(server));
    let waiting = if stream <= backlog { 0 } else { stream.saturating_sub(backlog + backlog / 64) };
    waiting + server.propagation.memory_bytes()
}

/// Counts the bytes that are kept of the stream for replicas.
pub fn stream_bytes(server: &Server) -> usize {
    server.replication.backlog.as_ref().map_or(0, Backlog::memory_bytes)
}

/// Returns how much of the stream is to be kept for replicas that come back.
pub fn backlog_bytes(server: &Server) -> usize {
    usize::try_from(server.config.replication.repl_backlog_size).unwrap_or(usize::MAX)
}

/// Whether keys may go at this moment.
fn may_evict(server: &Server) -> bool {
    !server.is_loading() && server.pause.scope().is_none()
}

fn counted_bytes(server: &Server) -> u64 {
    base::memory::used_bytes().saturating_sub(uncounted_bytes(server)) as u64
}

/// Counts the bytes by which more is used than may be.
fn excess_bytes(server: &Server) -> u64 {
    let maxmemory = server.config.memory.maxmemory;
    if base::memory::used_bytes() as u64 <= maxmemory {
        return 0;
    }
    counted_bytes(server).saturating_sub(maxmemory)
}

fn evict_in_time(server: &mut Server, excess: u64) -> Room {
    let memory = &server.config.memory;
    if memory.maxmemory_policy == MaxmemoryPolicy::NoEviction {
        return Room::None;
    }
    let budget = budget(memory.maxmemory_eviction_tenacity);
    let started = Instant::now();
    let room = evict(server, excess, started, budget);
    server.note_latency(Event::EVICTION_CYCLE, started.elapsed());
    room
}

fn evict(server: &mut Server, excess: u64, started: Instant, budget: Option<Duration>) -> Room {
    let memory = &server.config.memory;
    let (policy, samples) = (memory.maxmemory_policy, memory.maxmemory_samples);
    let is_lazy = memory.lazyfree_lazy_eviction;
    let is_timed = server.config.logging.latency_monitor_threshold_ms != 0;
    let (mut freed, mut count) = (0, 0_u32);
    server.keyspace.now_ms = server.now_ms();
    server.keyspace.events.interest = notify::interest(server);
    while freed < excess {
        let before = is_timed.then(Instant::now);
        let Some(bytes) = server.keyspace.evict(policy, samples) else {
            return wait_for_thread(server, started, budget);
        };
        if let Some(before) = before {
            server.note_latency(Event::EVICTION_DEL, before.elapsed());
        }
        notify::carry_out(server, None);
        server.propagation.end_unit();
        freed += bytes as u64;
        count += 1;
        if !count.is_multiple_of(KEYS_PER_LOOK) {
            continue;
        }
        // What a thread frees is not in what was counted here.
        if is_lazy && excess_bytes(server) == 0 {
            break;
        }
        if budget.is_some_and(|budget| budget < started.elapsed()) {
            server.keyspace.eviction.is_running = true;
            break;
        }
    }
    if server.keyspace.eviction.is_running { Room::BeingMade } else { Room::Enough }
}

/// Nothing is left that may go, but what has gone may not be freed yet.
fn wait_for_thread(server: &mut Server, started: Instant, budget: Option<Duration>) -> Room {
    let before = Instant::now();
    let room = loop {
        let may_wait = budget.is_none_or(|budget| started.elapsed() < budget);
        if !may_wait || server.bio.pending_count() == 0 {
            break Room::None;
        }
        if excess_bytes(server) == 0 {
            break Room::Enough;
        }
        thread::sleep(budget.map_or(WAIT_MAX, |budget| budget.min(WAIT_MAX)));
    };
    server.note_latency(Event::EVICTION_LAZYFREE, before.elapsed());
    room
}

/// Returns how long keys may go on to go at once; none means as long as it takes.
fn budget(tenacity: u32) -> Option<Duration> {
    if TENACITY_MAX <= tenacity {
        return None;
    }
    let linear =
        Duration::from_micros(US_PER_TENACITY * u64::from(tenacity.min(LINEAR_TENACITY_MAX)));
    if tenacity <= LINEAR_TENACITY_MAX {
        return Some(linear);
    }
    Some(linear.mul_f64(TENACITY_GROWTH.powf(f64::from(tenacity - LINEAR_TENACITY_MAX))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::budget;

    #[test]
    fn tenacity_grants_from_nothing_to_minutes_to_all_time() {
        assert_eq!(budget(0), Some(Duration::ZERO));
        assert_eq!(budget(10), Some(Duration::from_micros(500)));
        assert_eq!(budget(11), Some(Duration::from_micros(575)));
        let two_minutes = budget(99).unwrap();
        assert!((100..200).contains(&two_minutes.as_secs()), "{two_minutes:?}");
        assert_eq!(budget(100), None);
    }
}
