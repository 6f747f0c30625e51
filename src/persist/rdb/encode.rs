//! Pure: writes the elements of the format: lengths, strings, numbers.

use std::io;

use base::{
    lzf::Compressor,
    number::{INTEGER_CHARS_MAX as DIGITS_MAX, parse_i64},
};

use super::format::{
    COMPRESSION_BYTES_MIN, INTEGER_CHARS_MAX, LENGTH_14_BIT, LENGTH_32_BIT, LENGTH_64_BIT,
    LENGTH_ENCODED, STRING_INT8, STRING_INT16, STRING_INT32, STRING_LZF, UNCOMPRESSED_BYTES_MAX,
};
use crate::persist::rio::Writer;

/// The most that a length takes.
const LENGTH_BYTES_MAX: usize = 9;
const _: () = assert!(INTEGER_CHARS_MAX < DIGITS_MAX);

/// Writes the elements of a snapshot or a payload.
pub struct Encoder<'a> {
    /// Where they go.
    pub writer: Writer<'a>,
    /// The version of the format: what it cannot hold must fail.
    pub version: u8,
    compresses: bool,
    compressor: Compressor,
}

impl<'a> Encoder<'a> {
    /// Makes an encoder for a version of the format.
    pub fn new(writer: Writer<'a>, version: u8, compresses: bool) -> Self {
        Self { writer, version, compresses, compressor: Compressor::default() }
    }

    /// Writes a byte: an opcode, a type, a small number.
    #[inline]
    pub fn byte(&mut self, byte: u8) -> io::Result<()> {
        self.writer.put(&[byte])
    }

    /// Writes bytes as they are.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.put(bytes)
    }

    /// Writes a length, or any number that is small most often.
    #[inline]
    pub fn length(&mut self, length: u64) -> io::Result<()> {
        let mut bytes = [0; LENGTH_BYTES_MAX];
        let count = write_length(&mut bytes, length);
        self.writer.put(&bytes[..count])
    }

    /// Writes a time in milliseconds.
    #[inline]
    pub fn time_ms(&mut self, ms: i64) -> io::Result<()> {
        self.writer.put(&ms.to_le_bytes())
    }

    /// Writes a string, as an integer or compressed if that is shorter.
    #[inline]
    pub fn string(&mut self, text: &[u8]) -> io::Result<()> {
        if text.len() <= INTEGER_CHARS_MAX {
            // Most texts are told from integers by one byte.
            let is_likely = text.last().is_some_and(u8::is_ascii_digit);
            if is_likely
                && let Some(number) = parse_i64(text)
                && let Some((bytes, count)) = integer(number)
            {
                return self.writer.put(&bytes[..count]);
            }
        } else if UNCOMPRESSED_BYTES_MAX < text.len() && self.compresses && self.compressed(text)? {
            return Ok(());
        }
        self.plain_string(text)
    }

    /// Writes a string as it is.
    #[inline]
    pub fn plain_string(&mut self, text: &[u8]) -> io::Result<()> {
        self.length(text.len() as u64)?;
        self.writer.put(text)
    }

    /// Writes a string that is compressed already, and has so many bytes when it is not.
    pub fn packed_string(&mut self, packed: &[u8], bytes: usize) -> io::Result<()> {
        write_packed(&mut self.writer, packed, bytes)
    }

    /// Writes a string compressed, if that is worth it.
    fn compressed(&mut self, text: &[u8]) -> io::Result<bool> {
        let bytes_max = text.len() - COMPRESSION_BYTES_MIN;
        let Some(packed) = self.compressor.compress(text, bytes_max) else { return Ok(false) };
        write_packed(&mut self.writer, packed, text.len())?;
        Ok(true)
    }
}

fn write_packed(writer: &mut Writer<'_>, packed: &[u8], bytes: usize) -> io::Result<()> {
    let mut head = [0; 1 + 2 * LENGTH_BYTES_MAX];
    head[0] = LENGTH_ENCODED << 6 | STRING_LZF;
    let mut count = 1 + write_length(&mut head[1..], packed.len() as u64);
    count += write_length(&mut head[count..], bytes as u64);
    writer.put(&head[..count])?;
    writer.put(packed)
}

/// Writes a length to the start of `bytes`; returns how many it took.
#[inline]
fn write_length(bytes: &mut [u8], length: u64) -> usize {
    let big_endian = length.to_be_bytes();
    let [.., high, low] = big_endian;
    match length {
        0..0x40 => {
            bytes[0] = low;
            1
        }
        0x40..0x4000 => {
            bytes[..2].copy_from_slice(&[LENGTH_14_BIT << 6 | high, low]);
            2
        }
        0x4000..=0xFFFF_FFFF => {
            bytes[0] = LENGTH_32_BIT;
            bytes[1..5].copy_from_slice(&big_endian[4..]);
            5
        }
        _ => {
            bytes[0] = LENGTH_64_BIT;
            bytes[1..9].copy_from_slice(&big_endian);
            9
        }
    }
}

/// Returns the form of a string that is an integer, and its bytes, if the integer is small.
#[inline]
fn integer(number: i64) -> Option<([u8; 5], usize)> {
    let number = i32::try_from(number).ok()?;
    let [a, b, c, d] = number.to_le_bytes();
    let (form, count) = match number {
        -0x80..=0x7F => (STRING_INT8, 2),
        -0x8000..=0x7FFF => (STRING_INT16, 3),
        _ => (STRING_INT32, 5),
    };
    Some(([LENGTH_ENCODED << 6 | form, a, b, c, d], count))
}
