//! Pure: how replies look on the outside.

mod csv;
mod json;
mod raw;
mod tty;

use resp::value::Value;

/// A kind of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people at a terminal: types are told, strings quoted, nesting indented.
    Tty,
    /// The bytes themselves, for pipes.
    Raw,
    /// Comma-separated values, one reply a line.
    Csv,
    /// JSON, one reply a line, strings as they are.
    Json,
    /// JSON in ASCII.
    QuotedJson,
}

/// A kind of output with what it is given.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Which kind.
    pub form: Form,
    /// What stands between the elements of a raw reply.
    pub between: Vec<u8>,
    /// What ends a raw reply.
    pub after: Vec<u8>,
}

impl Layout {
    /// Writes a reply down.
    pub fn render(&self, value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        match self.form {
            Form::Tty => tty::write(&mut out, value, 0),
            Form::Raw => {
                raw::write(&mut out, value, &self.between);
                out.extend_from_slice(&self.after);
            }
            Form::Csv => {
                csv::write(&mut out, value);
                out.push(b'\n');
            }
            Form::Json | Form::QuotedJson => {
                json::write(&mut out, value, self.form == Form::QuotedJson);
                out.push(b'\n');
            }
        }
        out
    }

    /// Writes the reply of a command whose text is laid out by the server.
    pub fn render_verbatim(&self, value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        raw::write(&mut out, value, &self.between);
        out
    }

    /// Writes a message that answers nothing.
    pub fn render_push(&self, value: &Value) -> Vec<u8> {
        match invalidated(value) {
            Some(keys) if self.form == Form::Tty => {
                let mut out = b"-> invalidate: ".to_vec();
                for (index, key) in keys.iter().enumerate() {
                    let comma: &[u8] = if index == 0 { b"'" } else { b", '" };
                    out.extend_from_slice(comma);
                    out.extend_from_slice(key.as_bytes().unwrap_or_default());
                    out.push(b'\'');
                }
                out.push(b'\n');
                out
            }
            _ => self.render(value),
        }
    }
}

/// Returns the keys that a message of client-side caching names.
fn invalidated(value: &Value) -> Option<&[Value]> {
    let Value::Push(elements) = value else { return None };
    match elements.as_slice() {
        [Value::Bulk(kind), Value::Array(keys)] if kind.starts_with(b"invalidate") => Some(keys),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
