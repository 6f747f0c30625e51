//! Room: digests of keys and of all data, as DEBUG DIGEST shows them: the same data has the same
//! digest in every server and after every restart, whatever the order of its keys.
//!
//! What has an order is *mixed*: the digest of all that came before goes into the next. What has
//! none is *added*, which can be done in any order.

use std::io::Write;

use base::{
    digest::{SHA1_BYTES, sha1},
    float::write_f64_compact,
    random::hex,
};
use ds::{Content, Record, listpack::Digits, quicklist::Side};

use crate::{keyspace::Keyspace, value::Value};

/// Redis's numbers of the types.
const STRING: u32 = 0;
const LIST: u32 = 1;
const SET: u32 = 2;
const ZSET: u32 = 3;
const HASH: u32 = 4;
const STREAM: u32 = 6;
/// Stands for the expiry, whose time does not count.
const EXPIRES: &[u8] = b"!!expire!!";
/// The same of a field of a hash, as of Redis 7.4.
const FIELD_EXPIRES: &[u8] = b"!!hexpire!!";

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
            Content::Value(value) => self.mix_value(value),
        }
        if record.expiry().is_some() {
            self.add(EXPIRES);
        }
    }

    fn mix_value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.mix_text(text.bytes()),
            Value::List(list) => {
                self.mix(&LIST.to_be_bytes());
                let (mut walk, mut digits) = (list.walk(0, Side::Tail), Digits::default());
                while let Some(element) = walk.next() {
                    self.mix(element.text(&mut digits));
                }
            }
            Value::Set(set) => {
                self.mix(&SET.to_be_bytes());
                set.each(|member| self.add(member));
            }
            Value::Zset(zset) => {
                self.mix(&ZSET.to_be_bytes());
                let mut text = Vec::new();
                zset.each(|member, score| {
                    text.clear();
                    write_f64_compact(&mut text, score);
                    self.add_pair(member, &text);
                });
            }
            Value::Stream(stream) => {
                self.mix(&STREAM.to_be_bytes());
                let (mut text, mut digits) = (Vec::new(), Digits::default());
                for entry in stream.log.iter() {
                    text.clear();
                    let _ = write!(text, "{}.{}", entry.id.ms, entry.id.seq);
                    self.mix(&text);
                    for (name, value) in entry {
                        self.mix(name.text(&mut digits));
                        self.mix(value.text(&mut digits));
                    }
                }
            }
            Value::Hash(hash) => {
                self.mix(&HASH.to_be_bytes());
                hash.each_expiring(|field, value, expires| {
                    let mut pair = Self::of_pair(field, value);
                    if expires {
                        pair.add(FIELD_EXPIRES);
                    }
                    self.add(&pair.0);
                });
            }
        }
    }

    fn mix_text(&mut self, text: &[u8]) {
        self.mix(&STRING.to_be_bytes());
        self.mix(text);
    }

    /// Adds two that belong together.
    fn add_pair(&mut self, first: &[u8], second: &[u8]) {
        self.add(&Self::of_pair(first, second).0);
    }

    fn of_pair(first: &[u8], second: &[u8]) -> Self {
        let mut pair = Self::default();
        pair.mix(first);
        pair.mix(second);
        pair
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
