//! Pure: the data structures.
