//! Pure: where the value of a parameter lives, whatever its kind.

use std::borrow::Cow;

use super::Config;

/// What is wrong with a value: the tail of CONFIG SET's error and the reason in a file's.
pub type Reason = Cow<'static, str>;

/// Where a value lives in `Config`.
pub(super) struct Field<T: 'static> {
    pub(super) read: fn(&Config) -> &T,
    pub(super) write: fn(&mut Config) -> &mut T,
}

/// Names a field of `Config` for a table line. A macro, since a function cannot be handed a place
/// both to read through `&Config` and to write through `&mut Config`.
macro_rules! field {
    ($($part:ident).+) => {
        $crate::config::field::Field { read: |c| &c.$($part).+, write: |c| &mut c.$($part).+ }
    };
}
pub(super) use field;

/// A field that holds an integer of any width.
pub(super) trait NumberField: Sync {
    /// The value, wide enough for every type.
    fn value(&self, config: &Config) -> i128;
    /// Stores a value that has passed the bounds of its parameter.
    fn store(&self, config: &mut Config, value: i128);
}

/// Integers that fields have.
pub(super) trait Integer: Copy + 'static {
    fn widen(self) -> i128;
    fn narrow(wide: i128) -> Option<Self>;
}

impl<T: Integer> NumberField for Field<T> {
    fn value(&self, config: &Config) -> i128 {
        (self.read)(config).widen()
    }

    fn store(&self, config: &mut Config, value: i128) {
        *(self.write)(config) = T::narrow(value).expect("a parameter's bounds fit its field");
    }
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Plain,
    Memory,
    MemoryOrPercent,
    Octal,
}
