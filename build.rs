//! Tool: makes what the crate includes: the table of commands, and what this build is called.
//!
//! `src/commands/*.toml` become two arrays in one order: specs (data, for the rooms) and
//! handlers (code, for `server/execute.rs` alone). A room stores a `CommandId` and may read
//! specs; a handler that is missing fails to compile by its name. How the data is read and
//! checked stands in `src/command/table`, which with the bit sets and the hash is shared with
//! the crate, so that build and server cannot disagree.
//!
//! The build is named by version and git commit, as INFO and `--version` report it. Git is
//! asked only if this folder is the top of a work tree: a copy inside another project must
//! not pass that one's commit off as its own.

#[path = "src/command/flags.rs"]
#[expect(dead_code, unreachable_pub, reason = "the crate uses the rest")]
mod flags;
#[path = "src/command/hash.rs"]
#[expect(dead_code, reason = "the crate uses the rest")]
mod hash;
#[path = "src/command/table/mod.rs"]
mod table;

use std::{env, error::Error, fs, path::Path, process::Command};

const FAMILIES: &str = "src/commands";
const TABLE: &str = "src/command/table";
const SHA1_DIGITS: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    for input in ["build.rs", FAMILIES, "src/command/flags.rs", "src/command/hash.rs", TABLE] {
        println!("cargo:rerun-if-changed={input}");
    }
    let out = env::var("OUT_DIR")?;
    let table::Emitted { specs, handlers } = table::emit(&table::read(Path::new(FAMILIES))?)?;
    fs::write(Path::new(&out).join("specs.rs"), specs)?;
    fs::write(Path::new(&out).join("handlers.rs"), handlers)?;
    name_build();
    Ok(())
}

/// Sets `REDIS_GIT_SHA1`, `REDIS_GIT_DIRTY` and `REDIS_BUILD_ID` for `env!`.
fn name_build() {
    // An empty prefix says that this folder is the top.
    let is_ours = git(&["rev-parse", "--show-prefix"]).is_some_and(|prefix| prefix.is_empty());
    let sha1 = git(&["rev-parse", "HEAD"]).filter(|_| is_ours);
    let sha1 = sha1.and_then(|digits| digits.get(..SHA1_DIGITS).map(str::to_owned));
    let changes = git(&["status", "--porcelain", "--untracked-files=no"]).filter(|_| is_ours);
    let dirty = if changes.is_some_and(|changes| !changes.is_empty()) { "1" } else { "0" };
    if is_ours {
        watch_head();
    }
    let sha1 = sha1.unwrap_or_else(|| "0".repeat(SHA1_DIGITS));
    let mut id = Fnv::default();
    for name in ["CARGO_PKG_VERSION", "TARGET", "PROFILE", "CARGO_CFG_FEATURE", "RUSTC"] {
        id.add(&env::var(name).unwrap_or_default());
    }
    id.add(&sha1);
    id.add(dirty);
    println!("cargo:rustc-env=REDIS_GIT_SHA1={sha1}");
    println!("cargo:rustc-env=REDIS_GIT_DIRTY={dirty}");
    println!("cargo:rustc-env=REDIS_BUILD_ID={:016x}", id.0);
}

/// Has the build run again when HEAD moves: on a checkout, and on a commit.
fn watch_head() {
    let branch = git(&["rev-parse", "--symbolic-full-name", "HEAD"]).unwrap_or_default();
    for name in ["HEAD", &branch, "packed-refs"] {
        // A file that is not there would have the build run every time.
        match git(&["rev-parse", "--git-path", name]) {
            Some(path) if Path::new(&path).is_file() => println!("cargo:rerun-if-changed={path}"),
            _ => {}
        }
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// FNV-1a: names a build by what went into it, so that a build can be repeated.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, text: &str) {
        // The zero keeps "ab", "c" from being "a", "bc".
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
}
