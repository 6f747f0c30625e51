//! Tool: pipes between a process and its child.
//!
//! The end that is read from never blocks, so that the loop can watch it; the other does, so
//! that a child waits for its parent.

use std::io::{self, PipeReader, PipeWriter};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Makes a pipe whose reading end does not block.
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    let flags = OFlag::from_bits_truncate(fcntl(&reader, FcntlArg::F_GETFL)?);
    fcntl(&reader, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok((reader, writer))
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};

    use super::pipe;

    #[test]
    fn a_reader_does_not_wait() {
        let (mut reader, mut writer) = pipe().unwrap();
        let mut bytes = [0; 8];
        assert_eq!(reader.read(&mut bytes).unwrap_err().kind(), ErrorKind::WouldBlock);
        writer.write_all(b"abc").unwrap();
        assert_eq!(reader.read(&mut bytes).unwrap(), 3);
        drop(writer);
        assert_eq!(reader.read(&mut bytes).unwrap(), 0);
    }
}
