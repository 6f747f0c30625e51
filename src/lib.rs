//! Pure: the crate map.

pub mod command;
