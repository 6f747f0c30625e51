//! Tool: the command-line client (`redis-cli`).
