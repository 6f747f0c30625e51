//! Tool: what the server does instead of serving: `--version`, `--help`, `--check-system`,
//! `--check-rdb`, `--test-memory`. Directives are Redis's grammar, not this one's.

use std::{ffi::OsString, io, path::PathBuf};

use clap::{Parser, error::ErrorKind};
use sys::{check, memory_test};

use crate::{check::rdb, version};

/// Redis tests memory so often.
const PASSES: u32 = 50;

#[derive(Parser)]
#[command(
    name = "redis-server",
    disable_version_flag = true,
    about = "A Redis that speaks TLS on every channel.",
    override_usage = "redis-server [FILE] [--DIRECTIVE VALUE ...] [-]\n       \
                      redis-server --version | --help | --check-system | --check-rdb FILE |\n       \
                      \x20            --test-memory MEGABYTES",
    after_help = "Examples:\n  \
        redis-server                                (with the default configuration)\n  \
        redis-server /etc/redis/6379.conf\n  \
        redis-server --port 7777 --loglevel verbose\n  \
        redis-server /etc/redis.conf --replicaof 127.0.0.1 8888\n  \
        echo 'maxclients 128' | redis-server -"
)]
struct Options {
    /// Say which version this is.
    #[arg(short, long)]
    version: bool,
    /// Look for settings of the system that slow Redis down.
    #[arg(long)]
    check_system: bool,
    /// Check whether a snapshot is whole.
    #[arg(long, value_name = "FILE")]
    check_rdb: Option<PathBuf>,
    /// Test so many megabytes of memory.
    #[arg(long, value_name = "MEGABYTES")]
    test_memory: Option<usize>,
}

/// Does what the first argument asks for and returns the exit code, or nothing if these
/// arguments are a server's.
pub fn run(arguments: &[OsString]) -> Option<i32> {
    let first = arguments.get(1)?.to_str()?;
    let is_ours =
        ["-v", "--version", "-h", "--help", "--check-system", "--check-rdb", "--test-memory"];
    if !is_ours.contains(&first) {
        return None;
    }
    Some(match Options::try_parse_from(arguments) {
        Ok(options) => act(&options),
        Err(error) => {
            // It cannot even be told where there is nobody to tell.
            let _ = error.print();
            i32::from(error.kind() != ErrorKind::DisplayHelp)
        }
    })
}

fn act(options: &Options) -> i32 {
    if options.check_system {
        let (report, is_well) = check::check_system();
        print!("{report}");
        return i32::from(!is_well);
    }
    if let Some(file) = &options.check_rdb {
        return i32::from(!rdb::check_and_tell(file));
    }
    if let Some(megabytes) = options.test_memory {
        return match memory_test::test_memory(megabytes, PASSES, &mut io::stdout()) {
            Ok(0) => 0,
            Ok(_) => 1,
            Err(error) => {
                eprintln!("{error}");
                1
            }
        };
    }
    println!(
        "Redis server v={} sha={}:{} malloc=jemalloc-5.3.0 bits={} build={}",
        version::VERSION,
        version::GIT_SHA1,
        version::GIT_DIRTY,
        usize::BITS,
        version::BUILD_ID
    );
    0
}
