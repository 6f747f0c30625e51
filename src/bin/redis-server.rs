//! Tool: the server, and under other names its companions, as in Redis.

use std::{env, ffi::OsString, path::Path, process::exit};

use base::memory::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let arguments: Vec<OsString> = env::args_os().collect();
    let program = arguments.first().map(Path::new).and_then(Path::file_name);
    exit(match program.and_then(|name| name.to_str()) {
        Some("redis-check-rdb") => redis::check::rdb::run(&arguments),
        Some(name @ ("redis-sentinel" | "redis-check-aof")) => {
            eprintln!("{name} is not part of this version yet.");
            1
        }
        _ => {
            redis::options::run(&arguments).unwrap_or_else(|| redis::server::start::run(arguments))
        }
    });
}
