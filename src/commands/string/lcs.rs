//! Command: LCS: the longest common subsequence of two strings.
//!
//! The classic table: `table[i][j]` is the length for the first `i` and `j` bytes. Walking
//! back from its far corner yields the subsequence and the ranges that match, the last
//! range first; where two ways are as good, the second string's end is given up, so that
//! the answer is the one Redis gives.

use base::number::parse_i64;
use resp::Argv;

use crate::{
    error::ReplyError,
    keyspace::Text,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

struct LcsArgs {
    length_only: bool,
    with_ranges: bool,
    with_lengths: bool,
    range_length_min: usize,
}

impl LcsArgs {
    fn parse(argv: Argv<'_>) -> Result<Self, ReplyError> {
        let mut args = Self {
            length_only: false,
            with_ranges: false,
            with_lengths: false,
            range_length_min: 0,
        };
        let mut words = argv.from(3);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("idx") {
                args.with_ranges = true;
            } else if is("len") {
                args.length_only = true;
            } else if is("withmatchlen") {
                args.with_lengths = true;
            } else if is("minmatchlen") {
                let number = words.next().ok_or(ReplyError::Syntax)?;
                let number = parse_i64(number).ok_or(ReplyError::NotInteger)?;
                args.range_length_min = usize::try_from(number).unwrap_or(0);
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        if args.with_ranges && args.length_only {
            return Err(ReplyError::text(
                "ERR If you want both the length and indexes, please just use IDX.",
            ));
        }
        Ok(args)
    }
}

/// A stretch that both strings share, by its first places.
struct Range {
    a: usize,
    b: usize,
    length: usize,
}

/// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]
pub(in crate::commands) fn lcs(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let db = call.db();
    let bytes_max = server.config.limits.proto_max_bulk_len;
    let keyspace = &mut server.keyspace;
    for key in [call.arg(1), call.arg(2)] {
        if keyspace.read_text(db, key).is_err() {
            return Err(ReplyError::text("ERR The specified keys must contain string values"));
        }
    }
    let args = LcsArgs::parse(call.argv)?;
    let a = keyspace.peek_text(db, call.arg(1))?;
    let b = keyspace.peek_text(db, call.arg(2))?;
    let [a, b] = [a, b].map(|text| text.map_or(&[][..], Text::bytes));
    let table = Table::new(a, b, bytes_max)?;
    if args.length_only {
        call.reply.count(table.length());
    } else if args.with_ranges {
        reply_ranges(call, &table, &args);
    } else {
        call.reply.bulk(&table.subsequence());
    }
    Ok(())
}

fn reply_ranges(call: &mut Call<'_>, table: &Table<'_>, args: &LcsArgs) {
    let mut ranges = table.ranges();
    ranges.retain(|range| args.range_length_min <= range.length);
    call.reply.map(2);
    call.reply.bulk(b"matches");
    call.reply.array(ranges.len());
    for range in ranges {
        call.reply.array(2 + usize::from(args.with_lengths));
        for start in [range.a, range.b] {
            call.reply.array(2);
            call.reply.count(start);
            call.reply.count(start + range.length - 1);
        }
        if args.with_lengths {
            call.reply.count(range.length);
        }
    }
    call.reply.bulk(b"len");
    call.reply.count(table.length());
}

struct Table<'a> {
    a: &'a [u8],
    b: &'a [u8],
    lengths: Vec<u32>,
}

impl<'a> Table<'a> {
    fn new(a: &'a [u8], b: &'a [u8], bytes_max: usize) -> Result<Self, ReplyError> {
        let cells = (a.len() + 1).checked_mul(b.len() + 1);
        let is_small = |cells: &usize| {
            cells.checked_mul(size_of::<u32>()).is_some_and(|bytes| bytes <= bytes_max)
        };
        let cells = cells.filter(is_small).ok_or(ReplyError::text(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ))?;
        let mut lengths = Vec::new();
        lengths.try_reserve_exact(cells).map_err(|_| {
            ReplyError::text("ERR Insufficient memory, failed allocating transient memory for LCS")
        })?;
        lengths.resize(cells, 0);
        let mut table = Self { a, b, lengths };
        table.fill();
        Ok(table)
    }

    fn fill(&mut self) {
        let width = self.b.len() + 1;
        for (i, of_a) in self.a.iter().enumerate() {
            let (above, row) = self.lengths[i * width..(i + 2) * width].split_at_mut(width);
            for (j, of_b) in self.b.iter().enumerate() {
                row[j + 1] = if of_a == of_b { above[j] + 1 } else { above[j + 1].max(row[j]) };
            }
        }
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.lengths[i * (self.b.len() + 1) + j]
    }

    fn length(&self) -> usize {
        self.at(self.a.len(), self.b.len()) as usize
    }

    fn subsequence(&self) -> Vec<u8> {
        let ranges = self.ranges();
        ranges
            .iter()
            .rev()
            .flat_map(|range| &self.a[range.a..range.a + range.length])
            .copied()
            .collect()
    }

    /// Walks back from the ends; the last range comes first.
    fn ranges(&self) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        let mut is_open = false;
        let (mut i, mut j) = (self.a.len(), self.b.len());
        while 0 < i && 0 < j {
            if self.a[i - 1] == self.b[j - 1] {
                (i, j) = (i - 1, j - 1);
                match ranges.last_mut() {
                    Some(range) if is_open => {
                        (range.a, range.b, range.length) = (i, j, range.length + 1);
                    }
                    _ => ranges.push(Range { a: i, b: j, length: 1 }),
                }
                is_open = true;
            } else {
                is_open = false;
                if self.at(i - 1, j) > self.at(i, j - 1) { i -= 1 } else { j -= 1 }
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn the_classic_example() {
        let table = Table::new(b"ohmytext", b"mynewtext", 1 << 20).ok().unwrap();
        assert_eq!((table.subsequence(), table.length()), (b"mytext".to_vec(), 6));
        let ranges = table.ranges();
        let places: Vec<_> = ranges.iter().map(|range| (range.a, range.b, range.length)).collect();
        assert_eq!(places, [(4, 5, 4), (2, 0, 2)]);
    }

    #[test]
    fn a_table_larger_than_a_request_may_be_is_refused() {
        assert!(Table::new(&[0; 1000], &[0; 1000], 1 << 20).is_err());
        assert_eq!(Table::new(b"", b"x", 1 << 20).ok().unwrap().length(), 0);
    }
}
