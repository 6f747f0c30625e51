//! Pure: the bit sets of a command's record, and the words that its data files use for them.
//!
//! `build.rs` includes this file too: a word that is not in these tables stops the build, and
//! a bit means the same on both sides. Replies list words in the order of their bits.

/// Makes a set of named bits: constants, tests, and the words in order.
///
/// A macro, because four sets need the same constants and `const` arithmetic, which a generic
/// type cannot give them.
macro_rules! bit_set {
    ($(#[$doc:meta])* $name:ident: $($(#[$bit_doc:meta])* $bit:ident = $at:literal $word:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name(u32);

        impl $name {
            $($(#[$bit_doc])* pub const $bit: Self = Self(1 << $at);)*

            /// Every bit with its word, in order.
            pub const WORDS: &'static [(Self, &'static str)] = &[$((Self::$bit, $word),)*];

            /// Makes a set of what `bits` says.
            pub const fn from_bits(bits: u32) -> Self {
                Self(bits)
            }

            /// Returns the bits.
            pub const fn bits(self) -> u32 {
                self.0
            }

            /// Whether all of `other` is in this set.
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any of `other` is in this set.
            pub const fn has_any(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// Joins two sets.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Finds the bit that a word names, in any case.
            pub fn from_word(word: &[u8]) -> Option<Self> {
                let mut words = Self::WORDS.iter();
                words.find(|(_, name)| name.as_bytes().eq_ignore_ascii_case(word)).map(|(bit, _)| *bit)
            }

            /// Walks the words of the bits that are set.
            pub fn words(self) -> impl Iterator<Item = &'static str> + Clone {
                Self::WORDS.iter().filter(move |(bit, _)| self.has(*bit)).map(|(_, word)| *word)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_set().entries(self.words()).finish()
            }
        }
    };
}

bit_set! {
    /// How a command behaves: what the server asks before, while and after it runs.
    Flags:
    /// May change the data set.
    WRITE = 0 "write",
    /// Only looks at the data set.
    READONLY = 1 "readonly",
    /// Is refused when memory is over its limit.
    DENYOOM = 2 "denyoom",
    /// Comes from a module.
    MODULE = 3 "module",
    /// Is for administrators.
    ADMIN = 4 "admin",
    /// Is about publishing and subscribing.
    PUBSUB = 5 "pubsub",
    /// No script may call it.
    NOSCRIPT = 6 "noscript",
    /// May park its client.
    BLOCKING = 7 "blocking",
    /// Is answered while the data set is being loaded.
    LOADING = 8 "loading",
    /// Is answered by a replica that has lost its primary.
    STALE = 9 "stale",
    /// Is not shown to monitors.
    SKIP_MONITOR = 10 "skip_monitor",
    /// Is not entered into the slow log.
    SKIP_SLOWLOG = 11 "skip_slowlog",
    /// Implies ASKING in a cluster.
    ASKING = 12 "asking",
    /// Never takes longer for more data.
    FAST = 13 "fast",
    /// Needs no authentication.
    NO_AUTH = 14 "no_auth",
    /// Is right without a key although it may take some.
    NO_MANDATORY_KEYS = 15 "no_mandatory_keys",
    /// Is refused while a replica loads beside its old data set.
    NO_ASYNC_LOADING = 16 "no_async_loading",
    /// Is refused between MULTI and EXEC.
    NO_MULTI = 17 "no_multi",
    /// First key, last key and step do not find all of its keys; computed, never written down.
    MOVABLEKEYS = 18 "movablekeys",
    /// Is answered while a script runs for too long.
    ALLOW_BUSY = 19 "allow_busy",
    /// May be repeated for replicas although it is no write. Not shown.
    MAY_REPLICATE = 20 "may_replicate",
    /// Exists in Sentinel too. Not shown.
    SENTINEL = 21 "sentinel",
    /// Exists in Sentinel alone. Not shown.
    ONLY_SENTINEL = 22 "only_sentinel",
    /// Is refused unless the configuration allows it. Not shown.
    PROTECTED = 23 "protected",
    /// Reads keys that its arguments do not name. Not shown.
    TOUCHES_ARBITRARY_KEYS = 24 "touches_arbitrary_keys",
}

impl Flags {
    /// What COMMAND INFO keeps to itself.
    pub const HIDDEN: Self = Self::MAY_REPLICATE
        .with(Self::SENTINEL)
        .with(Self::ONLY_SENTINEL)
        .with(Self::PROTECTED)
        .with(Self::TOUCHES_ARBITRARY_KEYS);

    /// Whether a client that has not logged in may call it.
    pub const fn is_allowed_without_auth(self) -> bool {
        self.has(Self::NO_AUTH)
    }

    /// Returns what COMMAND INFO shows.
    pub const fn shown(self) -> Self {
        Self(self.0 & !Self::HIDDEN.0)
    }
}

bit_set! {
    /// The groups of commands that access rules speak of (`+@read`).
    AclCategories:
    /// Keys of any type.
    KEYSPACE = 0 "keyspace",
    /// Looks at values or keys.
    READ = 1 "read",
    /// Changes values or keys.
    WRITE = 2 "write",
    /// Sets.
    SET = 3 "set",
    /// Sorted sets.
    SORTEDSET = 4 "sortedset",
    /// Lists.
    LIST = 5 "list",
    /// Hashes.
    HASH = 6 "hash",
    /// Strings.
    STRING = 7 "string",
    /// Bitmaps.
    BITMAP = 8 "bitmap",
    /// HyperLogLogs.
    HYPERLOGLOG = 9 "hyperloglog",
    /// Places on the globe.
    GEO = 10 "geo",
    /// Streams.
    STREAM = 11 "stream",
    /// Publishing and subscribing.
    PUBSUB = 12 "pubsub",
    /// For administrators.
    ADMIN = 13 "admin",
    /// Never takes longer for more data.
    FAST = 14 "fast",
    /// Everything that is not fast.
    SLOW = 15 "slow",
    /// May park its client.
    BLOCKING = 16 "blocking",
    /// To be kept from ordinary users.
    DANGEROUS = 17 "dangerous",
    /// Concerns one's own or others' connections.
    CONNECTION = 18 "connection",
    /// Transactions.
    TRANSACTION = 19 "transaction",
    /// Scripts and functions.
    SCRIPTING = 20 "scripting",
}

impl AclCategories {
    /// Adds what a command's flags imply; what is not fast is slow.
    #[must_use]
    pub const fn implied_by(self, flags: Flags) -> Self {
        let mut all = self;
        if flags.has(Flags::WRITE) {
            all = all.with(Self::WRITE);
        }
        // Scripts that promise to read are not readers: they run whatever else they like.
        if flags.has(Flags::READONLY) && !self.has(Self::SCRIPTING) {
            all = all.with(Self::READ);
        }
        if flags.has(Flags::ADMIN) {
            all = all.with(Self::ADMIN).with(Self::DANGEROUS);
        }
        if flags.has(Flags::PUBSUB) {
            all = all.with(Self::PUBSUB);
        }
        if flags.has(Flags::FAST) {
            all = all.with(Self::FAST);
        }
        if flags.has(Flags::BLOCKING) {
            all = all.with(Self::BLOCKING);
        }
        if all.has(Self::FAST) { all } else { all.with(Self::SLOW) }
    }

    /// Takes away what a command's flags imply: what a record has to say itself.
    #[must_use]
    pub const fn explicit(self, flags: Flags) -> Self {
        Self(self.0 & !Self::from_bits(0).implied_by(flags).0)
    }
}

bit_set! {
    /// What a command does to the keys of one of its key specs.
    KeyFlags:
    /// Reads the value.
    RO = 0 "RO",
    /// Changes the value, which stays in part.
    RW = 1 "RW",
    /// Replaces the value without looking at it.
    OW = 2 "OW",
    /// Deletes the key.
    RM = 3 "RM",
    /// Uses what the user has stored: returns, copies or compares it.
    ACCESS = 4 "access",
    /// Changes what the user has stored.
    UPDATE = 5 "update",
    /// Adds to what the user has stored.
    INSERT = 6 "insert",
    /// Removes some of what the user has stored.
    DELETE = 7 "delete",
    /// Is no key, but is sent where a key of that name would be.
    NOT_KEY = 8 "not_key",
    /// There may be more keys than the spec finds.
    INCOMPLETE = 9 "incomplete",
    /// Other arguments decide which of these flags hold.
    VARIABLE_FLAGS = 10 "variable_flags",
}

bit_set! {
    /// How an argument may appear.
    ArgumentFlags:
    /// May be left out.
    OPTIONAL = 0 "optional",
    /// May be given several times.
    MULTIPLE = 1 "multiple",
    /// Is repeated with its token.
    MULTIPLE_TOKEN = 2 "multiple_token",
}

bit_set! {
    /// What documentation says of a command.
    DocFlags:
    /// Something else should be used.
    DEPRECATED = 0 "deprecated",
    /// Is for the server's own use.
    SYSCMD = 1 "syscmd",
}
