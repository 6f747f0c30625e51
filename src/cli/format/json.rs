//! Pure: replies as JSON.

use base::split::write_repr;
use resp::value::Value;

/// Appends a reply; its strings in ASCII if `is_quoted`.
pub(super) fn write(out: &mut Vec<u8>, value: &Value, is_quoted: bool) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Error(text) => {
            out.extend_from_slice(b"error:");
            write_string(out, text, is_quoted);
        }
        Value::Simple(text) | Value::Bulk(text) => write_string(out, text, is_quoted),
        Value::Verbatim(_, text) => write_string(out, text, is_quoted),
        Value::Integer(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Double(_, text) => out.extend_from_slice(text),
        Value::BigNumber(digits) => out.extend_from_slice(digits),
        Value::Boolean(is_true) => out.extend_from_slice(is_true.to_string().as_bytes()),
        Value::Array(elements) | Value::Set(elements) | Value::Push(elements) => {
            out.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                if 0 < index {
                    out.push(b',');
                }
                write(out, element, is_quoted);
            }
            out.push(b']');
        }
        Value::Map(pairs) => {
            out.push(b'{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                if 0 < index {
                    out.push(b',');
                }
                write_key(out, key, is_quoted);
                out.push(b':');
                write(out, value, is_quoted);
            }
            out.push(b'}');
        }
        Value::Attributed(pair) => write(out, &pair.1, is_quoted),
    }
}

/// JSON has only strings for keys, RESP3 anything.
fn write_key(out: &mut Vec<u8>, key: &Value, is_quoted: bool) {
    let start = out.len();
    write(out, key, is_quoted);
    let is_text = key.as_bytes().is_some() || out[start..].starts_with(b"\"");
    if !is_text {
        out.insert(start, b'"');
        out.push(b'"');
    }
}

fn write_string(out: &mut Vec<u8>, text: &[u8], is_quoted: bool) {
    if is_quoted {
        let mut quoted = Vec::with_capacity(text.len() + 2);
        write_repr(&mut quoted, text);
        for byte in quoted {
            // JSON knows no `\x`: the backslash itself is what it is told of.
            let count = if byte == b'\\' { 2 } else { 1 };
            out.resize(out.len() + count, byte);
        }
        return;
    }
    out.push(b'"');
    for byte in text {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}
