//! Room: what a server counts about itself (INFO stats).

use std::collections::BTreeMap;

/// A client can provoke errors with prefixes of its own making; beyond so many kinds
/// they are no longer told apart.
const ERROR_KINDS_MAX: usize = 128;
/// The first word of an error is looked for in so many bytes.
const ERROR_KIND_BYTES_MAX: usize = 31;
/// Samples that an instantaneous figure is the mean of.
const SAMPLES: usize = 16;
/// For so long a large buffer is remembered.
const RECENT_SECONDS: usize = 8;

/// All counters; CONFIG RESETSTAT makes them new.
#[derive(Debug, Default)]
pub struct Stats {
    /// Connections accepted.
    pub connections: u64,
    /// Connections refused because there were too many.
    pub rejected_connections: u64,
    /// Commands run.
    pub commands: u64,
    /// Bytes read from sockets.
    pub input_bytes: u64,
    /// Bytes written to sockets.
    pub output_bytes: u64,
    /// Bytes of these that were snapshots and the stream.
    pub replica_output_bytes: u64,
    /// Replicas that had to get a snapshot.
    pub full_syncs: u64,
    /// Replicas that could go on where they were.
    pub partial_syncs: u64,
    /// Replicas that wanted to and could not.
    pub refused_partial_syncs: u64,
    /// File events that read from clients.
    pub reads: u64,
    /// Times that replies were sent to a client.
    pub writes: u64,
    /// Clients closed because too much waited for them.
    pub output_limit_disconnections: u64,
    /// Clients closed because they had sent too much at once.
    pub query_limit_disconnections: u64,
    /// Clients closed because all of them took too much memory.
    pub evicted_clients: u64,
    /// Packed values from elsewhere that were looked through.
    pub examined_payloads: u64,
    /// Error replies.
    pub error_replies: u64,
    /// AUTH and HELLO with a wrong name or password.
    pub access_denied_auth: u64,
    /// Turns of the loop.
    pub turns: u64,
    /// What turns took, sleep apart.
    pub turns_us: u64,
    /// The longest turn.
    pub turn_us_max: u64,
    /// The most commands of a turn.
    pub turn_commands_max: u64,
    /// What commands took.
    pub commands_us: u64,
    /// What the cron took.
    pub cron_us: u64,
    /// Times that the reply buffer of a client was made smaller.
    pub reply_buffer_shrinks: u64,
    /// Times that it was made larger.
    pub reply_buffer_expands: u64,
    errors: BTreeMap<Box<[u8]>, u64>,
    /// Commands a second.
    pub instantaneous_commands: Rate,
    /// Bytes read a second.
    pub instantaneous_input: Rate,
    /// Bytes written a second.
    pub instantaneous_output: Rate,
    /// Bytes of snapshots and the stream written a second.
    pub instantaneous_replica_output: Rate,
    /// Turns a second.
    pub instantaneous_turns: Rate,
    /// Microseconds of turns a second.
    instantaneous_turns_us: Rate,
    /// The largest query and output buffers met lately.
    recent_input: Recent,
    recent_output: Recent,
}

impl Stats {
    /// Counts an error reply by its first word; one that is too long is taken for `ERR`.
    pub fn count_error(&mut self, text: &[u8]) {
        self.error_replies += 1;
        let end = text.iter().take(ERROR_KIND_BYTES_MAX).position(|byte| *byte == b' ');
        let kind = end.map_or(&b"ERR"[..], |end| &text[..end]);
        if let Some(count) = self.errors.get_mut(kind) {
            *count += 1;
        } else if self.errors.len() < ERROR_KINDS_MAX {
            self.errors.insert(kind.into(), 1);
        }
    }

    /// Walks over the kinds of errors and how often each was answered.
    pub fn errors(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.errors.iter().map(|(kind, count)| (&**kind, *count))
    }

    /// Counts a turn of the loop, which took so long and began after so many commands.
    pub fn count_turn(&mut self, took_us: u64, commands_before: u64) {
        self.turns += 1;
        self.turns_us += took_us;
        self.turn_us_max = self.turn_us_max.max(took_us);
        // Statistics may have been reset meanwhile.
        let commands = self.commands.saturating_sub(commands_before);
        self.turn_commands_max = self.turn_commands_max.max(commands);
    }

    /// Notes how large the buffers of a client are.
    pub fn note_buffers(&mut self, input_bytes: usize, output_bytes: usize, now_s: u64) {
        self.recent_input.note(input_bytes, now_s);
        self.recent_output.note(output_bytes, now_s);
    }

    /// Returns the largest query and output buffers met lately.
    pub fn recent_buffers(&self) -> (usize, usize) {
        (self.recent_input.max(), self.recent_output.max())
    }

    /// Returns what a turn takes, on average of late, in microseconds.
    pub fn mean_turn_us(&self) -> u64 {
        let turns = self.instantaneous_turns.per_second();
        self.instantaneous_turns_us.per_second().checked_div(turns).unwrap_or(0)
    }

    /// Takes a sample of every instantaneous figure.
    pub fn sample(&mut self, now_ms: u64) {
        self.instantaneous_turns.sample(self.turns, now_ms);
        self.instantaneous_turns_us.sample(self.turns_us, now_ms);
        self.instantaneous_commands.sample(self.commands, now_ms);
        self.instantaneous_input.sample(self.input_bytes, now_ms);
        self.instantaneous_output.sample(self.output_bytes, now_ms);
        self.instantaneous_replica_output.sample(self.replica_output_bytes, now_ms);
    }

    /// Starts to count anew.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// How fast a counter grows: the mean of the last samples.
#[derive(Debug, Default)]
pub struct Rate {
    samples: [u64; SAMPLES],
    at: usize,
    last: Option<(u64, u64)>,
}

impl Rate {
    /// Returns how much the counter grows in a second.
    pub fn per_second(&self) -> u64 {
        self.samples.iter().sum::<u64>() / SAMPLES as u64
    }

    fn sample(&mut self, count: u64, now_ms: u64) {
        if let Some((before, at_ms)) = self.last {
            let passed_ms = now_ms.saturating_sub(at_ms);
            let grown = count.saturating_sub(before);
            self.samples[self.at] = (grown * 1000).checked_div(passed_ms).unwrap_or(0);
            self.at = (self.at + 1) % SAMPLES;
        }
        self.last = Some((count, now_ms));
    }
}

/// The largest of what was met in the last seconds, a place a second.
#[derive(Debug, Default)]
struct Recent {
    seconds: [(u64, usize); RECENT_SECONDS],
}

impl Recent {
    fn note(&mut self, bytes: usize, now_s: u64) {
        let place = &mut self.seconds[now_s as usize % RECENT_SECONDS];
        if place.0 != now_s {
            *place = (now_s, 0);
        }
        place.1 = place.1.max(bytes);
        let oldest_s = now_s.saturating_sub(RECENT_SECONDS as u64);
        for place in &mut self.seconds {
            if place.0 <= oldest_s {
                place.1 = 0;
            }
        }
    }

    fn max(&self) -> usize {
        self.seconds.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ERROR_KINDS_MAX, Stats};

    #[test]
    fn errors_are_counted_by_their_first_word_and_are_bounded() {
        let mut stats = Stats::default();
        stats.count_error(b"ERR one");
        stats.count_error(b"ERR two");
        stats.count_error(b"NOAUTH no");
        stats.count_error(&[b'x'; 100]);
        assert_eq!(stats.errors().collect::<Vec<_>>(), [(&b"ERR"[..], 3), (b"NOAUTH", 1)]);
        (0..1000).for_each(|n| stats.count_error(format!("E{n} x").as_bytes()));
        assert_eq!((stats.errors().count(), stats.error_replies), (ERROR_KINDS_MAX, 1004));
    }

    #[test]
    fn a_rate_is_a_mean_of_samples() {
        let mut stats = Stats::default();
        for second in 0..17 {
            stats.commands = 50 * second;
            stats.sample(1000 * second);
        }
        assert_eq!(stats.instantaneous_commands.per_second(), 50);
    }
}
