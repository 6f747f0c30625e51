//! Pure: which Redis this is.

/// The Redis whose commands, files and protocol this server speaks.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What this server is called where it says who it really is.
pub const SERVER_NAME: &str = "redis-ssl";
/// The commit it was built from, 8 digits.
pub const GIT_SHA1: &str = env!("REDIS_GIT_SHA1");
/// `1` if the work tree had changes that are in no commit.
pub const GIT_DIRTY: &str = env!("REDIS_GIT_DIRTY");
/// Names the build by what went into it.
pub const BUILD_ID: &str = env!("REDIS_BUILD_ID");
/// The version of this project's own.
pub const SSL_VERSION: &str = "0.1.0";
