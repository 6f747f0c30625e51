//! Flow: data that this server cannot load yet: append-only files.
//!
//! Nobody must lose data without being told. Files with data stop the start, so that they
//! are never taken for absent.

use std::{fs, io, path::Path};

use sys::process;

use crate::config::Config;

/// Fails if files in `dir` hold somebody's data: the server must not start beside them as
/// if there were none.
pub fn refuse_to_lose_data(config: &Config) -> Result<(), String> {
    let persistence = &config.persistence;
    let dir = path_of(&persistence.dir);
    let names = [&persistence.appendfilename, &persistence.appenddirname];
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        let file = dir.join(path_of(name));
        match holds_data(&file) {
            Ok(false) => {}
            Ok(true) => {
                return Err(format!(
                    "{} holds data that this server cannot load yet. It is left as it is: move it \
                     away, or choose another dir, to start without it.",
                    file.display()
                ));
            }
            Err(error) => {
                let (file, error) = (file.display(), process::describe(&error));
                return Err(format!("Cannot tell whether {file} holds data: {error}"));
            }
        }
    }
    Ok(())
}

fn holds_data(path: &Path) -> io::Result<bool> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        metadata => metadata?,
    };
    if metadata.is_dir() {
        return Ok(fs::read_dir(path)?.next().is_some());
    }
    Ok(0 < metadata.len())
}

fn path_of(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
