//! Pure: reads the elements of the format: lengths, strings, numbers.

use std::borrow::Cow;

use base::lzf;

use super::{
    Fault,
    format::{
        LENGTH_6_BIT, LENGTH_14_BIT, LENGTH_32_BIT, LENGTH_64_BIT, LENGTH_ENCODED, STRING_INT8,
        STRING_INT16, STRING_INT32, STRING_LZF,
    },
};
use crate::{config::Encoding, persist::rio::Reader};

/// Compressed strings up to this size are decompressed into a buffer that is kept.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// Reads the elements of a snapshot or a payload.
pub struct Decoder<'a> {
    /// Where they come from.
    pub reader: Reader<'a>,
    /// Foreign values are looked through before they are believed.
    pub is_suspicious: bool,
    /// It is a file of Valkey, where a type means something else.
    pub is_valkey: bool,
    /// Up to which size values are compact.
    pub limits: Encoding,
    /// Packed values that were looked through.
    pub examined: u64,
    /// The text of the last integer.
    digits: itoa::Buffer,
    /// The last string that was decompressed.
    plain: Vec<u8>,
}

/// How a string stands in the stream.
pub enum StringForm {
    /// So many bytes follow, which are the string.
    Plain(usize),
    /// It is the text of this integer.
    Integer(i64),
    /// So many bytes follow, which make so many.
    Compressed {
        /// The bytes that follow.
        packed: usize,
        /// The bytes of the string.
        plain: usize,
    },
}

enum Length {
    Plain(u64),
    Encoded(u8),
}

impl<'a> Decoder<'a> {
    /// Makes a decoder.
    pub fn new(reader: Reader<'a>, is_suspicious: bool, limits: Encoding) -> Self {
        Self {
            reader,
            is_suspicious,
            is_valkey: false,
            limits,
            examined: 0,
            digits: itoa::Buffer::new(),
            plain: Vec::new(),
        }
    }

    /// Reads a byte: an opcode, a type, a small number.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.reader.byte()?)
    }

    /// Reads a length, or any number that is small most often.
    #[inline]
    pub fn length(&mut self) -> Result<u64, Fault> {
        match self.length_or_form()? {
            Length::Plain(length) => Ok(length),
            // Redis takes such a number as it is: a file may rely on it.
            Length::Encoded(form) => Ok(form.into()),
        }
    }

    /// Reads how many elements follow, each of which takes a byte at least.
    pub fn count(&mut self) -> Result<u64, Fault> {
        let count = self.length()?;
        match self.reader.left() {
            Some(left) if left < count => Err(Fault::Short),
            _ => Ok(count),
        }
    }

    /// Reads a time in milliseconds.
    #[inline]
    pub fn time_ms(&mut self) -> Result<i64, Fault> {
        Ok(i64::from_le_bytes(self.reader.array()?))
    }

    /// Reads a string. It is lent if it stands in a buffer.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'_, [u8]>, Fault> {
        match self.string_form()? {
            StringForm::Plain(bytes) => Ok(self.reader.take(bytes)?),
            StringForm::Integer(number) => Ok(Cow::Borrowed(self.digits.format(number).as_bytes())),
            StringForm::Compressed { packed, plain } => self.decompressed(packed, plain),
        }
    }

    /// Reads a string that is a packed value, or a node of one.
    pub fn packed(&mut self) -> Result<Cow<'_, [u8]>, Fault> {
        self.examined += u64::from(self.is_suspicious);
        self.string()
    }

    /// Reads past a string.
    pub fn skip_string(&mut self) -> Result<(), Fault> {
        match self.string_form()? {
            StringForm::Plain(bytes) => self.reader.pass(bytes as u64)?,
            StringForm::Integer(_) => {}
            StringForm::Compressed { packed, .. } => self.reader.pass(packed as u64)?,
        }
        Ok(())
    }

    /// Reads how the next string stands in the stream.
    #[inline]
    pub fn string_form(&mut self) -> Result<StringForm, Fault> {
        let form = match self.length_or_form()? {
            Length::Plain(length) => return Ok(StringForm::Plain(self.size(length)?)),
            Length::Encoded(form) => form,
        };
        let number = match form {
            STRING_INT8 => i8::from_le_bytes(self.reader.array()?).into(),
            STRING_INT16 => i16::from_le_bytes(self.reader.array()?).into(),
            STRING_INT32 => i32::from_le_bytes(self.reader.array()?).into(),
            STRING_LZF => {
                let packed = self.length()?;
                let plain = self.length()?;
                let packed = self.size(packed)?;
                // How large that can be is checked where it is decompressed.
                let plain = usize::try_from(plain).map_err(|_| Fault::Short)?;
                return Ok(StringForm::Compressed { packed, plain });
            }
            form => {
                let text = format!("Unknown RDB string encoding type {form}");
                return Err(Fault::Corrupt(text.into()));
            }
        };
        Ok(StringForm::Integer(number))
    }

    fn decompressed(&mut self, packed: usize, plain: usize) -> Result<Cow<'_, [u8]>, Fault> {
        let corrupt = |_| Fault::corrupt("Invalid LZF compressed string");
        let data = self.reader.take(packed)?;
        if KEPT_BYTES_MAX < plain {
            return Ok(Cow::Owned(lzf::decompress(&data, plain).map_err(corrupt)?));
        }
        lzf::decompress_into(&mut self.plain, &data, plain).map_err(corrupt)?;
        Ok(Cow::Borrowed(&self.plain))
    }

    #[inline]
    fn length_or_form(&mut self) -> Result<Length, Fault> {
        let first = self.reader.byte()?;
        let low = first & 0x3F;
        Ok(Length::Plain(match first >> 6 {
            LENGTH_6_BIT => low.into(),
            LENGTH_14_BIT => u16::from_be_bytes([low, self.reader.byte()?]).into(),
            LENGTH_ENCODED => return Ok(Length::Encoded(low)),
            _ if first == LENGTH_32_BIT => u32::from_be_bytes(self.reader.array()?).into(),
            _ if first == LENGTH_64_BIT => u64::from_be_bytes(self.reader.array()?),
            _ => {
                let text = format!("Unknown length encoding {first:#04x} in an RDB file");
                return Err(Fault::Corrupt(text.into()));
            }
        }))
    }

    /// Takes a size that was announced, if there can be so much.
    #[inline]
    fn size(&self, length: u64) -> Result<usize, Fault> {
        match self.reader.left() {
            Some(left) if left < length => Err(Fault::Short),
            _ => usize::try_from(length).map_err(|_| Fault::Short),
        }
    }
}
