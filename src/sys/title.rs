//! Tool: the title of the process, as `ps` and `/proc/PID/cmdline` show it.
//!
//! The kernel shows the memory where the arguments lie; a title is written over them.
//! Behind them lies the environment, which makes room for a long title once its
//! variables live elsewhere. The kernel says where both are, in `/proc/self/stat`.
//! The last byte stays 0 for ever, so that whoever still holds a pointer into that
//! memory (std's `args`, libc's program name) reads a string that ends.

use std::{env, io, os::unix::ffi::OsStrExt, ptr, sync::OnceLock};

use crate::process::stat_field;

/// Fields of `/proc/self/stat`.
const ARGS_START: usize = 48;
const ARGS_END: usize = 49;
const ENVIRONMENT_START: usize = 50;
const ENVIRONMENT_END: usize = 51;

/// Whether somebody has taken the memory already.
static IS_TAKEN: OnceLock<()> = OnceLock::new();

/// The memory where the title is.
#[derive(Debug)]
pub struct Title {
    start: usize,
    bytes: usize,
}

impl Title {
    /// Finds the memory of arguments and environment, and moves the environment away.
    /// Called at the start, before any thread, and once.
    pub fn take() -> io::Result<Self> {
        let field = |number| {
            let value = stat_field(number).and_then(|value| usize::try_from(value).ok());
            value.filter(|&address| address != 0).ok_or_else(|| {
                io::Error::new(io::ErrorKind::Unsupported, "where arguments lie is not known")
            })
        };
        let (start, end) = (field(ARGS_START)?, field(ARGS_END)?);
        let (next, last) = (field(ENVIRONMENT_START)?, field(ENVIRONMENT_END)?);
        let end = if next == end { last } else { end };
        if end <= start {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "no room for a title"));
        }
        IS_TAKEN
            .set(())
            .map_err(|()| io::Error::new(io::ErrorKind::AlreadyExists, "the title is taken"))?;
        move_environment();
        Ok(Self { start, bytes: end - start })
    }

    /// Shows a title, cut to the room that there is.
    #[expect(unsafe_code, reason = "the memory is the kernel's gift, not Rust's")]
    pub fn set(&mut self, title: &str) {
        let count = title.len().min(self.bytes - 1);
        let start: *mut u8 = ptr::with_exposed_provenance_mut(self.start);
        // SAFETY: the kernel laid these bytes out as writable stack memory that lives as
        // long as the process. `take` gives them to one owner, and nobody has a
        // reference: the environment was moved, std copies arguments when it is asked.
        unsafe { ptr::copy_nonoverlapping(title.as_ptr(), start, count) };
        // SAFETY: as above; `count` is less than the size, so what follows lies inside.
        unsafe { ptr::write_bytes(start.add(count), 0, self.bytes - count) };
    }
}

/// Gives each variable memory of its own: libc copies what it is told to set.
#[expect(unsafe_code, reason = "the environment belongs to all threads")]
fn move_environment() {
    for (name, value) in env::vars_os() {
        let bytes = name.as_bytes();
        // What is no variable cannot be set, and goes with the old memory.
        if !bytes.is_empty() && !bytes.contains(&b'=') {
            // SAFETY: no other thread is running yet, as the caller of `take` sees to.
            unsafe { env::set_var(&name, &value) };
        }
    }
}

/// What a `proc-title-template` may show.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a> {
    /// How the server was called, or what a child does.
    pub title: &'a str,
    /// The first address of `bind`, `None` for all.
    pub bind: Option<&'a str>,
    /// The TCP port, 0 for none.
    pub port: u16,
    /// The TLS port, 0 for none.
    pub tls_port: u16,
    /// The Unix socket's path.
    pub unixsocket: &'a str,
    /// `[cluster]`, `[sentinel]` or nothing.
    pub server_mode: &'a str,
    /// The configuration file's absolute path.
    pub config_file: Option<&'a str>,
}

impl Variables<'_> {
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "title" => self.title.into(),
            "listen-addr" => self.listen_address(),
            "server-mode" => self.server_mode.into(),
            "config-file" => self.config_file.unwrap_or("-").into(),
            "port" => self.port.to_string(),
            "tls-port" => self.tls_port.to_string(),
            "unixsocket" => self.unixsocket.into(),
            _ => return None,
        })
    }

    fn listen_address(&self) -> String {
        let port = if self.port == 0 { self.tls_port } else { self.port };
        if port == 0 {
            return format!("unixsocket:{}", self.unixsocket);
        }
        format!("{}:{port}", self.bind.unwrap_or("*"))
    }
}

/// Expands a template; nothing for a malformed one: an unknown variable, a `{` without
/// its end (`{{` is a brace), or no text at all.
pub fn expand(template: &str, variables: &Variables<'_>) -> Option<String> {
    let mut title = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        title.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            title.push('{');
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}')?;
        title.push_str(&variables.value(name)?);
        rest = after;
    }
    title.push_str(rest);
    let title = title.trim_matches(' ');
    (!title.is_empty()).then(|| title.into())
}

/// Whether a template would do for a server that is called anything.
pub fn is_valid(template: &str) -> bool {
    let nothing = Variables {
        title: "",
        bind: None,
        port: 0,
        tls_port: 0,
        unixsocket: "",
        server_mode: "",
        config_file: None,
    };
    expand(template, &nothing).is_some()
}

/// Names the calling thread, in at most 15 bytes: what `top -H` shows.
pub fn name_thread(name: &std::ffi::CStr) -> io::Result<()> {
    Ok(nix::sys::prctl::set_name(name)?)
}

#[cfg(test)]
mod tests {
    use super::{Variables, expand, is_valid};

    const USUAL: Variables<'_> = Variables {
        title: "/usr/bin/redis-server",
        bind: None,
        port: 6379,
        tls_port: 0,
        unixsocket: "/s",
        server_mode: "",
        config_file: None,
    };

    #[test]
    fn templates_show_what_they_name() {
        let usual = "{title} {listen-addr} {server-mode}";
        assert_eq!(expand(usual, &USUAL).unwrap(), "/usr/bin/redis-server *:6379");
        let tls = Variables { port: 0, tls_port: 7, bind: Some("::1"), ..USUAL };
        assert_eq!(expand("{listen-addr} {port}/{tls-port}", &tls).unwrap(), "::1:7 0/7");
        let socket = Variables { port: 0, config_file: Some("/c"), ..USUAL };
        let all = "{{x} {listen-addr} {unixsocket} {config-file}";
        assert_eq!(expand(all, &socket).unwrap(), "{x} unixsocket:/s /s /c");
    }

    #[test]
    fn malformed_templates_are_refused() {
        for bad in ["", "  ", "{invalid-var}", "x {title", "x {", "{server-mode}"] {
            assert!(!is_valid(bad), "{bad:?}");
        }
        assert!(is_valid("x {title} {port}") && is_valid("{listen-addr}"));
    }
}
