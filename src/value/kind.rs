//! Pure: what the keyspace must know of a type to find, make and drop its values.

use super::{Hash, List, Set, Stream, Value, Zset};

/// A type of value besides the string. The keyspace's typed doors (`keyspace::typed`) are
/// generic over it.
pub trait Kind: Default {
    /// Returns the value as this type, if it is one.
    fn of(value: &Value) -> Option<&Self>;

    /// Returns the value as this type to change it, if it is one.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;

    /// Returns the value that a key holds.
    fn into_value(self) -> Value;

    /// Whether nothing is left in it: a key holds no empty value.
    fn is_empty(&self) -> bool;
}

/// A macro, because only the name of the variant differs, which no generic can take.
macro_rules! kind {
    ($kind:ident) => {
        impl Kind for $kind {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$kind(it) = value { Some(it) } else { None }
            }

            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$kind(it) = value { Some(it) } else { None }
            }

            fn into_value(self) -> Value {
                Value::$kind(self)
            }

            fn is_empty(&self) -> bool {
                Self::is_empty(self)
            }
        }
    };
}

kind!(List);
kind!(Set);
kind!(Hash);
kind!(Zset);

impl Kind for Stream {
    fn of(value: &Value) -> Option<&Self> {
        if let Value::Stream(stream) = value { Some(stream) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Self> {
        if let Value::Stream(stream) = value { Some(stream) } else { None }
    }

    fn into_value(self) -> Value {
        Value::Stream(Box::new(self))
    }

    /// A stream without entries stays: it remembers the last number, and has its groups.
    fn is_empty(&self) -> bool {
        false
    }
}
