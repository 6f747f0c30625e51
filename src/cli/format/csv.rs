//! Pure: replies as comma-separated values; what is nested becomes flat.

use base::split::write_repr;
use resp::value::Value;

/// Appends a reply.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::Error(text) => {
            out.extend_from_slice(b"ERROR,");
            write_repr(out, text);
        }
        Value::Simple(text) | Value::Bulk(text) => write_repr(out, text),
        Value::Verbatim(_, text) => write_repr(out, text),
        Value::Integer(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Double(_, text) => out.extend_from_slice(text),
        Value::BigNumber(digits) => out.extend_from_slice(digits),
        Value::Boolean(is_true) => out.extend_from_slice(is_true.to_string().as_bytes()),
        Value::Array(elements) | Value::Set(elements) | Value::Push(elements) => {
            write_list(out, elements.iter());
        }
        Value::Map(pairs) => write_list(out, pairs.iter().flat_map(|(key, value)| [key, value])),
        Value::Attributed(pair) => write(out, &pair.1),
    }
}

fn write_list<'a>(out: &mut Vec<u8>, elements: impl Iterator<Item = &'a Value>) {
    for (index, element) in elements.enumerate() {
        if 0 < index {
            out.push(b',');
        }
        write(out, element);
    }
}
