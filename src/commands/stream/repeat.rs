//! Command: what others repeat of what consumers do: not that they have read, but what they have
//! got.

use itoa::Buffer;

use crate::{
    commands::stream::group::UNKNOWN,
    propagation::Propagation,
    value::stream::{Group, Nack},
};

/// A group, as others find it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) db: usize,
    pub(super) key: &'a [u8],
    pub(super) group: &'a [u8],
}

impl Place<'_> {
    /// A consumer has an entry, which `id` names, to be acknowledged.
    pub(super) fn claim(self, propagation: &mut Propagation, group: &Group, id: &[u8], nack: Nack) {
        if !propagation.is_wanted() {
            return;
        }
        let (mut time, mut count) = (Buffer::new(), Buffer::new());
        let argv: [&[u8]; 14] = [
            b"XCLAIM",
            self.key,
            self.group,
            group.consumer(nack.consumer).name(),
            b"0",
            id,
            b"TIME",
            time.format(nack.delivered_ms).as_bytes(),
            b"RETRYCOUNT",
            count.format(nack.count).as_bytes(),
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            &group.last_id.text(),
        ];
        propagation.command(self.db, argv.into_iter());
    }

    /// The group has moved on, and nobody has anything to acknowledge of that.
    pub(super) fn set_id(self, propagation: &mut Propagation, group: &Group) {
        if !propagation.is_wanted() {
            return;
        }
        let mut read = Buffer::new();
        let argv: [&[u8]; 7] = [
            b"XGROUP",
            b"SETID",
            self.key,
            self.group,
            &group.last_id.text(),
            b"ENTRIESREAD",
            read.format(group.entries_read.unwrap_or(UNKNOWN)).as_bytes(),
        ];
        propagation.command(self.db, argv.into_iter());
    }

    /// There is a consumer.
    pub(super) fn create_consumer(self, propagation: &mut Propagation, name: &[u8]) {
        if propagation.is_wanted() {
            let argv: [&[u8]; 5] = [b"XGROUP", b"CREATECONSUMER", self.key, self.group, name];
            propagation.command(self.db, argv.into_iter());
        }
    }
}
