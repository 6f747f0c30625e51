//! Tool: finding the server that we imitate.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Program, script::parse_version};

/// The oldest server whose answers are ours.
const OLDEST: (u32, u32) = (7, 0);

/// Finds the reference: what `REDIS_REFERENCE` names, or the `redis-server` of the path, if it
/// is one of Redis's, 7.0 or newer. Prints why there is none.
///
/// # Panics
/// If `REDIS_REFERENCE` names something else: who names it wants it used.
pub fn reference() -> Option<Program> {
    if let Some(named) = env::var_os("REDIS_REFERENCE") {
        let path = PathBuf::from(named);
        let version = version(&path);
        let version = version.unwrap_or_else(|| panic!("{} is no Redis 7", path.display()));
        return Some(program(path, version));
    }
    let folders = env::var_os("PATH")?;
    let found = env::split_paths(&folders).map(|folder| folder.join("redis-server"));
    let found = found.filter(|path| path.is_file()).find_map(|path| {
        let version = version(&path)?;
        Some(program(path, version))
    });
    if found.is_none() {
        println!("skipped: no redis-server of Redis 7 in PATH, none in REDIS_REFERENCE");
    }
    found
}

fn program(path: PathBuf, version: (u32, u32)) -> Program {
    let name = format!("the reference {} ({}.{})", path.display(), version.0, version.1);
    Program::new(&name, path).into_reference(version)
}

/// Asks a binary who it is. Ours says so too, and is no reference.
fn version(path: &Path) -> Option<(u32, u32)> {
    let output = Command::new(path).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_redis = text.starts_with("Redis server v=") && !text.to_lowercase().contains("ssl");
    let version = text.split("v=").nth(1).and_then(parse_version)?;
    (is_redis && OLDEST <= version).then_some(version)
}
