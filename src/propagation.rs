//! Room: what others must repeat: the writes of one execution unit, then the stream of them
//! all.
//!
//! A command that has changed something is encoded here as it ran, or as its handler says it
//! is to be repeated. When its unit ends, the unit's commands go into the stream: with SELECT
//! where the database changes, and between MULTI and EXEC if there is more than one, so that
//! who repeats them sees all of a unit or nothing. Without anybody who listens nothing is
//! encoded and nothing allocated.

use base::number::write_i64;

/// An empty stream keeps no more memory than this.
const STREAM_BYTES_KEPT: usize = 256 * 1024;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Propagation {
    /// Somebody reads the stream.
    pub has_replicas: bool,
    /// The commands of the unit that runs, one after the other.
    unit: Vec<u8>,
    /// The database of each, and where it ends in `unit`.
    commands: Vec<(usize, usize)>,
    stream: Vec<u8>,
    /// The database that is selected where the stream ends; `None` where that is not known.
    selected: Option<usize>,
}

impl Propagation {
    /// Whether anybody is to repeat what happens.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.has_replicas
    }

    /// Adds a command to the unit that runs.
    pub fn command<'a>(&mut self, db: usize, argv: impl ExactSizeIterator<Item = &'a [u8]>) {
        encode(&mut self.unit, argv);
        self.commands.push((db, self.unit.len()));
    }

    /// Ends a unit: its commands go into the stream, as one transaction if there are several.
    #[inline]
    pub fn end_unit(&mut self) {
        if !self.commands.is_empty() {
            self.flush(1 < self.commands.len());
        }
    }

    /// Ends a unit whose commands have nothing to do with each other, as those of a cycle of
    /// the active expiry.
    pub fn end_loose_unit(&mut self) {
        if !self.commands.is_empty() {
            self.flush(false);
        }
    }

    /// Adds to the stream what belongs to no unit, as PING.
    pub fn out_of_unit(&mut self, argv: &[&[u8]]) {
        encode(&mut self.stream, argv.iter().copied());
    }

    /// Makes the stream select its database anew: who begins to read it knows of none.
    pub fn forget_selected(&mut self) {
        self.selected = None;
    }

    /// Returns the database that is selected where the stream ends, if that is known.
    pub fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// Returns what has come into the stream since the last call.
    pub fn stream(&self) -> &[u8] {
        &self.stream
    }

    /// Empties the stream, all of which was passed on.
    pub fn clear_stream(&mut self) {
        self.stream.clear();
        self.stream.shrink_to(STREAM_BYTES_KEPT);
    }

    /// Counts the bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.unit.capacity() + self.stream.capacity()
    }

    #[cold]
    fn flush(&mut self, is_transaction: bool) {
        if is_transaction {
            encode(&mut self.stream, [&b"MULTI"[..]].into_iter());
        }
        let mut start = 0;
        for (db, end) in self.commands.drain(..) {
            if self.selected != Some(db) {
                let mut digits = Vec::new();
                write_i64(&mut digits, i64::try_from(db).expect("databases are few"));
                encode(&mut self.stream, [&b"SELECT"[..], &digits].into_iter());
                self.selected = Some(db);
            }
            self.stream.extend_from_slice(&self.unit[start..end]);
            start = end;
        }
        if is_transaction {
            encode(&mut self.stream, [&b"EXEC"[..]].into_iter());
        }
        self.unit.clear();
    }
}

/// Writes a command as a client would send it.
fn encode<'a>(out: &mut Vec<u8>, argv: impl ExactSizeIterator<Item = &'a [u8]>) {
    let length = |out: &mut Vec<u8>, sign: u8, count: usize| {
        out.push(sign);
        write_i64(out, i64::try_from(count).expect("lengths fit in 63 bits"));
        out.extend_from_slice(b"\r\n");
    };
    length(out, b'*', argv.len());
    for arg in argv {
        length(out, b'$', arg.len());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::Propagation;

    fn words(propagation: &mut Propagation) -> String {
        let text = String::from_utf8(propagation.stream().to_vec()).unwrap();
        propagation.clear_stream();
        let words = text.split("\r\n").filter(|line| !line.starts_with(['*', '$']));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_unit_of_several_commands_is_a_transaction() {
        let mut propagation = Propagation::default();
        let argv = [&b"DEL"[..], b"k"];
        propagation.command(3, argv.into_iter());
        propagation.end_unit();
        assert_eq!(
            propagation.stream(),
            b"*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n"
        );
        propagation.clear_stream();
        propagation.command(3, argv.into_iter());
        propagation.command(0, argv.into_iter());
        propagation.end_unit();
        assert_eq!(words(&mut propagation), "MULTI DEL k SELECT 0 DEL k EXEC ");
        propagation.command(0, argv.into_iter());
        propagation.command(0, argv.into_iter());
        propagation.end_loose_unit();
        assert_eq!(words(&mut propagation), "DEL k DEL k ");
        propagation.end_unit();
        assert!(propagation.stream().is_empty());
    }
}
