//! Room: digests of keys and of all data, as DEBUG DIGEST shows them: the same data has the same
//! digest in every server and after every restart, whatever the order of its keys.
//!
//! What has an order is *mixed*: the digest of all that came before goes into the next. What has
//! none is *added*, which can be done in any order.

use base::{
    digest::{SHA1_BYTES, sha1},
    random::hex,
};
use ds::{Content, Record};

use crate::{keyspace::Keyspace, value::Value};

/// Redis's number of the type.
const STRING: u32 = 0;
/// Stands for the expiry, whose time does not count.
const EXPIRES: &[u8] = b"!!expire!!";

/// A digest in the making.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Digest([u8; SHA1_BYTES]);

impl Digest {
    /// Adds what has no place among others.
    fn add(&mut self, bytes: &[u8]) {
        self.0.iter_mut().zip(sha1(bytes)).for_each(|(byte, other)| *byte ^= other);
    }

    /// Adds what comes behind all else.
    fn mix(&mut self, bytes: &[u8]) {
        self.add(bytes);
        self.0 = sha1(&self.0);
    }

    /// Mixes in what a key holds, and that it expires.
    fn mix_record(&mut self, record: &Record<Value>) {
        match record.content() {
            Content::Embedded(text) => self.mix_text(text),
            Content::Value(value @ (Value::Raw(_) | Value::Shared(_))) => {
                self.mix_text(value.bytes());
            }
        }
        if record.expiry().is_some() {
            self.add(EXPIRES);
        }
    }

    fn mix_text(&mut self, text: &[u8]) {
        self.mix(&STRING.to_be_bytes());
        self.mix(text);
    }

    /// Returns the digest as people see it.
    pub fn to_hex(self) -> [u8; 2 * SHA1_BYTES] {
        hex(&self.0)
    }
}

impl Keyspace {
    /// Digests all data.
    pub fn digest(&self) -> Digest {
        let mut all = Digest::default();
        for db in (0..self.db_count()).filter(|db| self.len(*db) != 0) {
            let number = u32::try_from(db).expect("a database has a small number");
            all.mix(&number.to_be_bytes());
            for record in self.records(db) {
                let mut digest = Digest::default();
                digest.mix(record.key());
                digest.mix_record(record);
                all.add(&digest.0);
            }
        }
        all
    }

    /// Digests what a key holds; nothing if it is not there.
    pub fn digest_of(&self, db: usize, key: &[u8]) -> Option<Digest> {
        let mut digest = Digest::default();
        digest.mix_record(self.peek(db, key)?);
        Some(digest)
    }
}
