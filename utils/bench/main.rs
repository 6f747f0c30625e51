//! Tool: compares our server with an installed reference, side by side (`make bench`).
//!
//! Both servers run at once on the first CPU, idle but for the one that is measured; the
//! load comes from this one thread on the second CPU. Rounds alternate (ours, theirs, ours
//! …), so that whatever else the machine does hits both alike, and what is reported is the
//! median. What counts is the *server's* CPU time for a request, by its own account (INFO
//! cpu): it is what a machine with a slower or faster client would see too.
//!
//! Start with `plan`, which says what is measured; `load` makes the requests, `dial` the
//! connections, `server` starts and asks, `report` writes the tables.

mod certificate;
mod dial;
mod elements;
mod load;
mod plan;
mod replies;
mod report;
mod server;
mod store;
mod types;

use std::{error::Error, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use nix::{
    sched::{CpuSet, sched_setaffinity},
    sys::resource::{Resource, getrlimit, setrlimit},
    unistd::Pid,
};

/// What anything here can fail with; the text is for whoever runs the tool.
type Failure = Box<dyn Error + Send + Sync>;
type Outcome<T> = Result<T, Failure>;

const SERVER_CPU: usize = 0;
const CLIENT_CPU: usize = 1;

/// Compares the speed of two servers and writes Markdown tables.
#[derive(Parser, Debug)]
#[command(name = "bench")]
struct Options {
    /// Our server.
    #[arg(long, default_value = "src/redis-server")]
    server: PathBuf,
    /// The server that it is compared with.
    #[arg(long, default_value = "redis-server")]
    reference: PathBuf,
    /// Interleaved rounds, of which the median counts.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Milliseconds of load in a round.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    round_ms: u64,
    /// Measures only rows whose name contains this text, or one of several.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Measures only this section, or several.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    section: Vec<plan::Section>,
    /// Does everything once and briefly: shows that it works, not how fast.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Outcome<()> {
    let scale = if options.quick {
        plan::Scale::quick()
    } else {
        plan::Scale::full(options.rounds, Duration::from_millis(options.round_ms))
    };
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    pin(CLIENT_CPU)?;
    let choice = plan::Choice { sections: &options.section, names: &options.only };
    plan::run(&options.server, &options.reference, &scale, &choice)
}

/// Keeps this thread, and the processes that it starts from here on, on one CPU; on a
/// machine with a single one there is no choice.
fn pin(cpu: usize) -> Outcome<()> {
    if std::thread::available_parallelism()?.get() == 1 && cpu_count()? == 1 {
        return Ok(());
    }
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

fn cpu_count() -> Outcome<usize> {
    let text = std::fs::read_to_string("/proc/cpuinfo")?;
    Ok(text.lines().filter(|line| line.starts_with("processor")).count())
}
