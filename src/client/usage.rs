//! Room: the memory that clients take, one by one and together (`maxmemory-clients`).
//!
//! Nothing is counted while there is no limit. With one, each client's figure is brought up
//! to date whenever it may have changed: after its requests have run, after something was
//! pushed or sent to it, and by the cron. Clients stand in buckets by the size of what they
//! take, doubling from bucket to bucket, so that the largest are found without a search.
//!
//! Invariants: `total_bytes` is the sum of what clients' `Place`s say; a client is in the
//! bucket that its place names, and in no other.

use std::collections::BTreeSet;

use resp::{Query, Reply};

use crate::{
    blocking::KeyWait,
    client::{Client, ClientId, Frame, Session, transaction::Transaction},
    replication::replica::Link,
};

/// What is in the first bucket takes less than two to the power of this.
const BUCKET_LOG_MIN: u32 = 15;
/// What is in the last one takes at least two to the power of one less.
const BUCKET_LOG_MAX: u32 = 33;
const BUCKETS: usize = (BUCKET_LOG_MAX - BUCKET_LOG_MIN + 1) as usize;

/// What is known of a client's talk, wherever its parts are at the moment.
#[derive(Debug)]
pub struct Talk<'a> {
    /// See there.
    pub session: &'a Session,
    /// Absent while its request runs.
    pub query: Option<&'a Query>,
    /// What it is to be sent.
    pub reply: &'a Reply,
    /// The arguments of the request that runs, or of one that has come in part.
    pub argument_bytes: usize,
}

impl<'a> From<&'a Frame> for Talk<'a> {
    fn from(frame: &'a Frame) -> Self {
        let Frame { session, query, reply } = frame;
        let argument_bytes = query.incomplete_argument_bytes();
        Self { session, query: Some(query), reply, argument_bytes }
    }
}

/// The memory of one client, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Arguments of requests that run, wait, or have not come whole.
    pub arguments: usize,
    /// What was queued since MULTI.
    pub queue: usize,
    /// Replies that have outgrown it.
    pub replies: usize,
    /// All of it.
    pub total: usize,
}

impl Memory {
    /// Counts what a client takes; what its connection takes is not its doing.
    pub fn of(client: &Client, talk: &Talk<'_>) -> Self {
        let output = talk.reply.output();
        let reply_buffer = output.tail_capacity();
        let replies = if output.chunk_count() == 0 {
            0
        } else {
            output.memory_bytes() + client.pushes.output().memory_bytes()
        };
        // Of the stream others wait for the same bytes; to Redis they are each one's own.
        let replies = replies + client.link().map_or(0, Link::waiting_bytes);
        let parked = client.parked.as_ref().map_or(0, |parked| parked.argv.as_argv().total_bytes());
        let arguments = talk.argument_bytes + parked;
        let queue = talk.session.transaction.as_deref().map_or(0, Transaction::memory_bytes);
        // What is announced counts: who takes too much with it need not send it all first.
        let query = talk.query.map_or(0, |query| query.memory_bytes() + query.announced_bytes());
        let tracker = client.tracker.as_ref().map_or(0, |tracker| tracker.memory_bytes());
        let wait = client.parked.as_ref().and_then(|parked| parked.wait.as_ref());
        let state = size_of::<Client>()
            + wait.map_or(0, KeyWait::memory_bytes)
            + client.watched.memory_bytes()
            + tracker
            + client.subscriptions.memory_bytes();
        let total = state + query + reply_buffer + replies + arguments + queue;
        Self { arguments, queue, replies, total }
    }
}

/// What a client was counted with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    bytes: usize,
    bucket: Option<usize>,
}

/// Clients of about the same size.
#[derive(Clone, Debug, Default)]
struct Bucket {
    bytes: usize,
    clients: BTreeSet<ClientId>,
}

/// What a bucket holds, for who looks at them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BucketFigures {
    /// The least that a client in it takes.
    pub bytes_min: usize,
    /// The most; `None` for the last one.
    pub bytes_max: Option<usize>,
    /// What all in it take.
    pub bytes: usize,
    /// How many are in it.
    pub clients: usize,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Usage {
    /// Empty while nothing is counted.
    buckets: Vec<Bucket>,
    total_bytes: usize,
}

impl Usage {
    /// Whether clients are counted.
    #[inline]
    pub fn is_counted(&self) -> bool {
        !self.buckets.is_empty()
    }

    /// Returns what all clients take that are closed if that is too much, and those that are
    /// spared.
    pub fn total_bytes(&self) -> usize {
        self.total_bytes
    }

    /// Returns a client of the largest.
    pub fn largest(&self) -> Option<ClientId> {
        self.buckets.iter().rev().find_map(|bucket| bucket.clients.first().copied())
    }

    /// Walks the buckets, from that of the smallest clients on.
    pub fn figures(&self) -> impl Iterator<Item = BucketFigures> {
        self.buckets.iter().enumerate().map(|(at, bucket)| BucketFigures {
            bytes_min: if at == 0 { 0 } else { 1 << (at - 1 + BUCKET_LOG_MIN as usize) },
            bytes_max: (at + 1 < BUCKETS).then(|| (1 << (at + BUCKET_LOG_MIN as usize)) - 1),
            bytes: bucket.bytes,
            clients: bucket.clients.len(),
        })
    }

    /// Begins to count, with nobody.
    pub(super) fn start(&mut self) {
        self.buckets = vec![Bucket::default(); BUCKETS];
        self.total_bytes = 0;
    }

    /// Counts nobody any more.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    /// Counts what a client takes now. One that runs a command is counted afterwards.
    pub(super) fn update(&mut self, id: ClientId, client: &mut Client) {
        let Some(frame) = client.frame.as_deref() else { return };
        let bytes = Memory::of(client, &Talk::from(frame)).total;
        if !client.kind().may_be_evicted() {
            return self.forget(id, client);
        }
        let bucket = (!client.no_evict).then(|| bucket_of(bytes));
        if bucket != client.place.bucket {
            self.forget(id, client);
            bucket.into_iter().for_each(|at| _ = self.buckets[at].clients.insert(id));
        }
        let before = std::mem::replace(&mut client.place, Place { bytes, bucket }).bytes;
        self.total_bytes = self.total_bytes - before + bytes;
        if let Some(at) = bucket {
            self.buckets[at].bytes = self.buckets[at].bytes - before + bytes;
        }
    }

    /// Counts a client no more.
    pub(super) fn forget(&mut self, id: ClientId, client: &mut Client) {
        let Place { bytes, bucket } = std::mem::take(&mut client.place);
        self.total_bytes -= bytes;
        if let Some(bucket) = bucket {
            let bucket = &mut self.buckets[bucket];
            bucket.bytes -= bytes;
            bucket.clients.remove(&id);
        }
    }
}

fn bucket_of(bytes: usize) -> usize {
    let log = usize::BITS - bytes.leading_zeros();
    (log.clamp(BUCKET_LOG_MIN, BUCKET_LOG_MAX) - BUCKET_LOG_MIN) as usize
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgv;

    use super::{BUCKETS, bucket_of};
    use crate::{
        blocking::{KeyWait, Wanted},
        client::{
            Clients,
            parked::{Cause, ParkedClients},
        },
    };

    #[test]
    fn buckets_double_in_size() {
        assert_eq!([0, 1, 32_767, 32_768, 65_535, 65_536].map(bucket_of), [0, 0, 0, 1, 1, 2]);
        assert_eq!((bucket_of(1 << 32), bucket_of(usize::MAX)), (BUCKETS - 1, BUCKETS - 1));
        let mut clients = Clients::default();
        clients.count_usage(true);
        for figures in clients.usage().figures() {
            assert_eq!(
                bucket_of(figures.bytes_min),
                bucket_of(figures.bytes_max.unwrap_or(1 << 40))
            );
            assert_ne!(
                figures.bytes_max.map(|max| bucket_of(max + 1)),
                Some(bucket_of(figures.bytes_min))
            );
        }
    }

    #[test]
    fn the_names_of_keys_that_are_waited_for_count() {
        let (mut clients, mut parked) = (Clients::default(), ParkedClients::default());
        let id = clients.add(0);
        clients.count_usage(true);
        let before = clients.usage().total_bytes();
        let client = clients.find(id).unwrap();
        parked.park(id, client, Cause::Keys, OwnedArgv::default());
        let keys = vec![vec![b'k'; 5_000].into(), vec![b'l'; 5_000].into()];
        let wait = KeyWait { db: 0, keys, wanted: Wanted::List, until_ms: None };
        client.parked.as_mut().unwrap().wait = Some(wait);
        clients.note_usage(id);
        assert!(before + 10_000 < clients.usage().total_bytes());
        parked.take(clients.find(id).unwrap());
        clients.note_usage(id);
        assert_eq!(clients.usage().total_bytes(), before);
    }

    #[test]
    fn the_largest_is_found_and_who_is_spared_counts_but_is_not() {
        let mut clients = Clients::default();
        let ids = [clients.add(0), clients.add(0), clients.add(0)];
        clients.push(ids[0], |reply| reply.bulk(&[b'x'; 1 << 20]));
        assert!(!clients.usage().is_counted() && clients.usage().total_bytes() == 0);
        clients.count_usage(true);
        let total = clients.usage().total_bytes();
        assert!(1 << 20 < total && clients.usage().largest() == Some(ids[0]));
        clients.push(ids[1], |reply| reply.bulk(&[b'x'; 1 << 22]));
        assert_eq!(clients.usage().largest(), Some(ids[1]));
        assert!(total + (1 << 22) < clients.usage().total_bytes());
        clients.find(ids[1]).unwrap().no_evict = true;
        clients.note_usage(ids[1]);
        assert_eq!(clients.usage().largest(), Some(ids[0]));
        clients.close(ids[0]);
        clients.close(ids[1]);
        assert_eq!(clients.usage().largest(), Some(ids[2]));
        assert!(clients.usage().total_bytes() < 1 << 15);
        clients.free(ids[2]);
        assert_eq!((clients.usage().largest(), clients.usage().total_bytes()), (None, 0));
        clients.count_usage(false);
        assert!(!clients.usage().is_counted());
    }
}
