//! Tool: what the SSL layer promises, shown with OpenSSL as the peer.
