//! Flow: the start.
use crate::server::Server;
pub fn raise_file_limit(_: &mut Server) -> Result<(), Option<String>> { Ok(()) }
pub fn set_title(_: &mut Server) {}
pub fn set_oom_score(_: &mut Server) -> Result<(), ()> { Ok(()) }
pub fn set_crash_log(_: &mut Server) {}
pub fn set_watchdog(_: &mut Server) {}
