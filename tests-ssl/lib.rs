//! Tool: what the tests of the SSL build share.
