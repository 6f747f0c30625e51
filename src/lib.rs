//! Pure: the crate map.
