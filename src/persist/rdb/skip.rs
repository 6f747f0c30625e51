//! Pure: reads past what is nothing to this server: values of modules, slots on their way.

use super::{Decoder, Fault};

const DOUBLE_BYTES: u64 = 8;
const FLOAT_BYTES: u64 = 4;

// What a module's value is made of.
const MODULE_END: u64 = 0;
const MODULE_SIGNED: u64 = 1;
const MODULE_UNSIGNED: u64 = 2;
const MODULE_FLOAT: u64 = 3;
const MODULE_DOUBLE: u64 = 4;
const MODULE_STRING: u64 = 5;

/// Reads past a slot that is on its way: who sends it, and from where to where it and others go.
pub fn skip_slot_import(decoder: &mut Decoder<'_>) -> Result<(), Fault> {
    decoder.skip_string()?;
    for _ in 0..decoder.count()? {
        decoder.length()?;
        decoder.length()?;
    }
    Ok(())
}

/// Reads past what a module has written, its end included.
pub fn skip_module_value(decoder: &mut Decoder<'_>) -> Result<(), Fault> {
    loop {
        match decoder.length()? {
            MODULE_END => return Ok(()),
            MODULE_SIGNED | MODULE_UNSIGNED => {
                decoder.length()?;
            }
            MODULE_FLOAT => decoder.reader.pass(FLOAT_BYTES)?,
            MODULE_DOUBLE => decoder.reader.pass(DOUBLE_BYTES)?,
            MODULE_STRING => decoder.skip_string()?,
            opcode => {
                let text = format!("Unknown opcode {opcode} in a value of a module");
                return Err(Fault::Corrupt(text.into()));
            }
        }
    }
}
