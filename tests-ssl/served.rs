//! Tool: a server of the SSL build, and what it costs.

use std::{
    env, fs, io, thread,
    time::{Duration, Instant},
};

use conversation::{Process, Program};

use crate::{Certificate, Client, client::PATIENCE};

/// A running server, and the certificate it was started with.
pub struct Served {
    /// Its process.
    pub process: Process,
    /// Its certificate; others may have taken its place.
    pub certificate: Certificate,
    is_tls: bool,
}

impl Served {
    /// Starts one where every port speaks TLS.
    pub fn over_ssl(name: &str, server: Program, directives: &[&str]) -> Self {
        let certificate = Certificate::new(name).expect("a certificate can be made");
        let program = certificate.over_ssl(server);
        Self { process: start(&program, directives), certificate, is_tls: true }
    }

    /// Starts one that speaks TLS on a port for it only, by Redis's directives.
    pub fn over_tls_port(name: &str, server: Program, directives: &[&str]) -> Self {
        let certificate = Certificate::new(name).expect("a certificate can be made");
        let program = certificate.over_tls_port(server);
        Self { process: start(&program, directives), certificate, is_tls: true }
    }

    /// Starts one that speaks no TLS.
    pub fn plain(name: &str, server: Program, directives: &[&str]) -> Self {
        let certificate = Certificate::new(name).expect("a certificate can be made");
        Self { process: start(&server, directives), certificate, is_tls: false }
    }

    /// Connects a client.
    pub fn client(&self) -> Client {
        self.connect().expect("the server is there")
    }

    /// Connects a client, or fails to.
    pub fn connect(&self) -> io::Result<Client> {
        if self.is_tls { Client::tls(self.port()) } else { Client::plain(self.port()) }
    }

    /// Where clients connect to.
    pub fn port(&self) -> u16 {
        self.process.port()
    }

    /// Returns a field of INFO as a number, as a client sees it that is gone again.
    pub fn number(&self, name: &str) -> u64 {
        let text = self.client().field(name).expect("INFO is answered");
        text.parse().unwrap_or_else(|_| panic!("{name} is \"{text}\""))
    }

    /// Counts the files that the server has open.
    pub fn descriptors(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.process.pid()));
        files.expect("the server runs").count()
    }

    /// Returns how much of the machine's memory it holds.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.pid()));
        let status = status.expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kilobytes.and_then(|text| text.parse::<u64>().ok()).expect("the kernel says") * 1024
    }

    /// Returns what it has computed so far, to 10 ms.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.pid()));
        let stat = stat.expect("the server runs");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let ticks = fields[11..13].iter().filter_map(|field| field.parse::<u64>().ok());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }
}

fn start(program: &Program, directives: &[&str]) -> Process {
    let directives: Vec<String> = directives.iter().map(ToString::to_string).collect();
    Process::start(program, &directives).expect("the server starts")
}

/// Waits for something that others bring about.
///
/// # Panics
/// If it does not come within `PATIENCE`.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "it never came that {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Chooses between a size that shows the point in seconds, and the whole, which `FULL=1` in the
/// environment asks for.
pub fn sized<T>(small: T, full: T) -> T {
    if env::var_os("FULL").is_some() { full } else { small }
}
