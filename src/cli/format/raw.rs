//! Pure: replies as they are, for pipes.

use resp::value::Value;

/// Appends a reply, `between` between its elements.
pub(super) fn write(out: &mut Vec<u8>, value: &Value, between: &[u8]) {
    match value {
        Value::Null => (),
        Value::Error(text) => {
            out.extend_from_slice(text);
            out.push(b'\n');
        }
        Value::Simple(text) | Value::Bulk(text) | Value::BigNumber(text) => {
            out.extend_from_slice(text);
        }
        Value::Verbatim(_, text) | Value::Double(_, text) => out.extend_from_slice(text),
        Value::Integer(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Boolean(true) => out.extend_from_slice(b"(true)"),
        Value::Boolean(false) => out.extend_from_slice(b"(false)"),
        Value::Array(elements) | Value::Set(elements) | Value::Push(elements) => {
            for (index, element) in elements.iter().enumerate() {
                if 0 < index {
                    out.extend_from_slice(between);
                }
                write(out, element, between);
            }
        }
        Value::Map(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                if 0 < index {
                    out.extend_from_slice(between);
                }
                write(out, key, between);
                out.push(b' ');
                write(out, value, between);
            }
        }
        Value::Attributed(pair) => write(out, &pair.1, between),
    }
}
