//! Pure: replies for people.

use base::split::write_repr;
use resp::value::Value;

/// Appends a reply; lines after the first are indented.
pub(super) fn write(out: &mut Vec<u8>, value: &Value, indent: usize) {
    match value {
        Value::Null => out.extend_from_slice(b"(nil)\n"),
        Value::Simple(text) => line(out, "", text),
        Value::Error(text) => line(out, "(error) ", text),
        Value::Integer(n) => line(out, "(integer) ", n.to_string().as_bytes()),
        Value::Double(_, text) => line(out, "(double) ", text),
        Value::BigNumber(digits) => line(out, "(big number) ", digits),
        Value::Boolean(true) => out.extend_from_slice(b"(true)\n"),
        Value::Boolean(false) => out.extend_from_slice(b"(false)\n"),
        Value::Bulk(text) => {
            write_repr(out, text);
            out.push(b'\n');
        }
        // Meant to be read as it is.
        Value::Verbatim(_, text) => line(out, "", text),
        Value::Array(elements) if elements.is_empty() => out.extend_from_slice(b"(empty array)\n"),
        Value::Map(pairs) if pairs.is_empty() => out.extend_from_slice(b"(empty hash)\n"),
        Value::Set(elements) if elements.is_empty() => out.extend_from_slice(b"(empty set)\n"),
        Value::Push(elements) if elements.is_empty() => out.extend_from_slice(b"(empty push)\n"),
        Value::Array(elements) | Value::Push(elements) => write_list(out, elements, ')', indent),
        Value::Set(elements) => write_list(out, elements, '~', indent),
        Value::Map(pairs) => write_map(out, pairs, indent),
        Value::Attributed(pair) => write(out, &pair.1, indent),
    }
}

fn line(out: &mut Vec<u8>, type_name: &str, text: &[u8]) {
    out.extend_from_slice(type_name.as_bytes());
    out.extend_from_slice(text);
    out.push(b'\n');
}

fn write_list(out: &mut Vec<u8>, elements: &[Value], mark: char, indent: usize) {
    let width = digits(elements.len());
    for (index, element) in elements.iter().enumerate() {
        write_number(out, index, width, mark, indent);
        write(out, element, indent + width + 2);
    }
}

fn write_map(out: &mut Vec<u8>, pairs: &[(Value, Value)], indent: usize) {
    let width = digits(pairs.len());
    let inner = indent + width + 2;
    for (index, (key, value)) in pairs.iter().enumerate() {
        write_number(out, index, width, '#', indent);
        write(out, key, inner);
        out.pop();
        out.extend_from_slice(b" => ");
        if takes_lines(value) {
            // On a line of its own, its numbers stand below each other.
            out.push(b'\n');
            out.resize(out.len() + inner, b' ');
        }
        write(out, value, inner);
    }
}

/// Writes an element's number. The first stands where the outer element began.
fn write_number(out: &mut Vec<u8>, index: usize, width: usize, mark: char, indent: usize) {
    if 0 < index {
        out.resize(out.len() + indent, b' ');
    }
    out.extend_from_slice(format!("{:>width$}{mark} ", index + 1).as_bytes());
}

fn digits(count: usize) -> usize {
    count.to_string().len()
}

/// Whether a reply is written on more than one line.
fn takes_lines(value: &Value) -> bool {
    match value {
        Value::Array(elements) | Value::Set(elements) | Value::Push(elements) => {
            match elements.as_slice() {
                [] => false,
                [only] => takes_lines(only),
                _ => true,
            }
        }
        Value::Map(pairs) => match pairs.as_slice() {
            [] => false,
            [(_, only)] => takes_lines(only),
            _ => true,
        },
        Value::Attributed(pair) => takes_lines(&pair.1),
        _ => false,
    }
}
