//! Tool: supervisors: systemd, told over its notification socket, and upstart.

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

use nix::sys::signal::{Signal, raise};

use crate::{notice, process::describe, verbose, warning};

const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";
const UPSTART_JOB: &str = "UPSTART_JOB";

/// What `supervised` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Supervision {
    /// Nobody is told anything.
    No,
    /// Whoever the environment shows.
    Auto,
    /// systemd.
    Systemd,
    /// upstart.
    Upstart,
}

/// Who supervises indeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Supervisor {
    /// systemd, which wants to be told what goes on: see `notify`.
    Systemd,
    /// upstart, which has been told all it wants.
    Upstart,
}

/// Finds the supervisor and tells it that the server is loading. A supervised server
/// must not go to the background. Called before any thread is started.
pub fn supervise(wanted: Supervision) -> Option<Supervisor> {
    match wanted {
        Supervision::No => None,
        Supervision::Systemd => systemd(),
        Supervision::Upstart => upstart(),
        Supervision::Auto if env::var_os(UPSTART_JOB).is_some() => {
            verbose!("Upstart supervision detected.");
            upstart()
        }
        Supervision::Auto if env::var_os(NOTIFY_SOCKET).is_some() => {
            verbose!("Systemd supervision detected.");
            systemd()
        }
        Supervision::Auto => None,
    }
}

/// Tells systemd something: lines such as `READY=1`, `STATUS=…`, `STOPPING=1`,
/// `RELOADING=1`, `MAINPID=…`. Logs and returns a failure.
pub fn notify(lines: &str) -> io::Result<()> {
    let Some(socket) = env::var_os(NOTIFY_SOCKET) else {
        warning!("systemd supervision error: NOTIFY_SOCKET not found!");
        return Err(io::Error::new(io::ErrorKind::NotFound, "NOTIFY_SOCKET not found"));
    };
    send(socket.as_bytes(), lines).inspect_err(|error| {
        warning!("systemd supervision error: sd_notify: {}", describe(error));
    })
}

/// Tells systemd that the process it started has handed over to this one.
pub fn notify_main_pid() -> io::Result<()> {
    notify(&format!("MAINPID={}\n", std::process::id()))
}

fn send(socket: &[u8], lines: &str) -> io::Result<()> {
    let address = match socket {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        [b'/', ..] => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(socket))?,
        _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "unknown kind of socket")),
    };
    let sent = UnixDatagram::unbound()?.send_to_addr(lines.as_bytes(), &address)?;
    assert!(sent == lines.len(), "a datagram is sent whole or not at all");
    Ok(())
}

fn systemd() -> Option<Supervisor> {
    notify("STATUS=Redis is loading...\n").ok()?;
    notice!(
        "Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec \
         and TimeoutStopSec in your service unit."
    );
    Some(Supervisor::Systemd)
}

#[expect(unsafe_code, reason = "the environment belongs to all threads")]
fn upstart() -> Option<Supervisor> {
    if env::var_os(UPSTART_JOB).is_none() {
        warning!("upstart supervision requested, but UPSTART_JOB not found!");
        return None;
    }
    notice!("supervised by upstart, will stop to signal readiness.");
    // upstart sees the stop and lets the process go on.
    if let Err(errno) = raise(Signal::SIGSTOP) {
        warning!("Unable to stop for upstart: {}", errno.desc());
    }
    // SAFETY: no other thread is running yet, as the caller of `supervise` sees to.
    unsafe { env::remove_var(UPSTART_JOB) };
    Some(Supervisor::Upstart)
}

#[cfg(test)]
mod tests {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    };

    use super::send;

    fn receive(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 64];
        let count = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    #[test]
    fn systemd_is_told_over_paths_and_abstract_names() {
        let name = format!("sys-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        send(format!("@{name}").as_bytes(), "READY=1\n").unwrap();
        assert_eq!(receive(&socket), "READY=1\n");

        let path = std::env::temp_dir().join(&name);
        let socket = UnixDatagram::bind(&path).unwrap();
        send(path.to_str().unwrap().as_bytes(), "STATUS=Loading\n").unwrap();
        assert_eq!(receive(&socket), "STATUS=Loading\n");
        std::fs::remove_file(&path).unwrap();
        assert!(send(path.to_str().unwrap().as_bytes(), "READY=1\n").is_err());
        assert!(send(b"vsock:2:9", "READY=1\n").is_err());
    }
}
