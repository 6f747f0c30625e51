//! Tool: conversations.
