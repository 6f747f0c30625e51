//! Tool: tests of the SSL build: the conversations over TLS, and what only TLS can do.
