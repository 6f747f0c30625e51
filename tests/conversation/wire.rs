//! Tool: replies as a file shows them: one line, a space for each line end.

use crate::script::Order;

/// Runs of one byte from this length on are shown as `{x*1000}`.
const RUN: usize = 32;

/// One reply, or what stands within one.
#[derive(Debug)]
enum Node {
    /// A line that is complete in itself.
    Line(Vec<u8>),
    /// A header with a length, and as many bytes.
    Bulk(Vec<u8>, Vec<u8>),
    /// A header with a count, and the elements; how many make one entry (two in a map).
    Aggregate(Vec<u8>, Vec<Self>, usize),
}

/// Replies in the form of a file: a text for each, and whether the last of them was cut off.
pub(crate) struct Rendered {
    pub(crate) replies: Vec<String>,
    pub(crate) is_partial: bool,
}

/// Shows what was heard. What is not RESP is shown as it came.
pub(crate) fn render(bytes: &[u8], order: Order) -> Rendered {
    let mut rest = bytes;
    let mut replies = Vec::new();
    while !rest.is_empty() {
        let Some((node, tail)) = parse(rest) else {
            replies.push(escape(rest));
            return Rendered { replies, is_partial: true };
        };
        replies.push(show(&node, order));
        rest = tail;
    }
    Rendered { replies, is_partial: false }
}

fn parse(bytes: &[u8]) -> Option<(Node, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, rest) = (&bytes[..end], &bytes[end + 2..]);
    let number = || std::str::from_utf8(line.get(1..)?).ok()?.parse::<usize>().ok();
    let kind = line.first().copied().unwrap_or(b'+');
    let Some(number) = number().filter(|_| b"$=!*~>%|".contains(&kind)) else {
        return Some((Node::Line(line.to_vec()), rest));
    };
    let unit = if b"%|".contains(&kind) { 2 } else { 1 };
    if b"$=!".contains(&kind) {
        let payload = rest.get(..number)?;
        let rest = rest.get(number + 2..)?;
        return Some((Node::Bulk(line.to_vec(), payload.to_vec()), rest));
    }
    let mut children = Vec::new();
    let mut rest = rest;
    while children.len() < number.checked_mul(unit)? {
        let (child, tail) = parse(rest)?;
        children.push(child);
        rest = tail;
    }
    Some((Node::Aggregate(line.to_vec(), children, unit), rest))
}

fn show(node: &Node, order: Order) -> String {
    match node {
        Node::Line(line) => escape(line),
        Node::Bulk(head, payload) if payload.is_empty() => escape(head),
        Node::Bulk(head, payload) => format!("{} {}", escape(head), escape(payload)),
        Node::Aggregate(head, children, unit) => {
            // Of pairs one half is a name: what is in the other has an order of its own.
            let inner = if order == Order::Any { order } else { Order::Given };
            let children: Vec<String> = children.iter().map(|child| show(child, inner)).collect();
            let unit = if order == Order::AnyOfPairs { 2 } else { *unit };
            let mut entries: Vec<String> =
                children.chunks(unit).map(|pair| pair.join(" ")).collect();
            if order != Order::Given {
                entries.sort();
            }
            entries.insert(0, escape(head));
            entries.join(" ")
        }
    }
}

/// Shows bytes unmistakably: also spaces, where a reader would not see them.
fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let run = bytes[at..].iter().take_while(|&&other| other == byte).count();
        if run >= RUN && byte.is_ascii_alphanumeric() {
            text += &format!("{{{}*{run}}}", char::from(byte));
            at += run;
            continue;
        }
        let is_edge = at == 0 || at + 1 == bytes.len() || bytes[at - 1] == b' ';
        match byte {
            b'\r' => text += "\\r",
            b'\n' => text += "\\n",
            b'\\' => text += "\\\\",
            b'<' => text += "\\<",
            b' ' if is_edge => text += "\\x20",
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text += &format!("\\x{byte:02x}"),
        }
        at += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], order: Order) -> String {
        render(bytes, order).replies.join(" ")
    }

    #[test]
    fn replies_become_one_line() {
        assert_eq!(text(b"+OK\r\n$-1\r\n$3\r\na\r\n\r\n", Order::Given), "+OK $-1 $3 a\\r\\n");
        assert_eq!(text(b"*2\r\n$0\r\n\r\n$2\r\n<\xff\r\n", Order::Given), "*2 $0 $2 \\<\\xff");
        assert_eq!(text(b"$3\r\n a \r\n", Order::Given), "$3 \\x20a\\x20");
        assert_eq!(
            text(b"$40\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", Order::Given),
            "$40 {x*40}"
        );
    }

    #[test]
    fn elements_and_pairs_are_sorted_on_demand() {
        assert_eq!(text(b"*2\r\n+b\r\n+a\r\n", Order::Any), "*2 +a +b");
        let scan = b"*2\r\n$1\r\n0\r\n*2\r\n+b\r\n+a\r\n";
        assert_eq!(text(scan, Order::Any), "*2 $1 0 *2 +a +b");
        assert_eq!(text(b"%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n", Order::Any), "%2 +a :2 +b :1");
        assert_eq!(text(b"*4\r\n+b\r\n:1\r\n+a\r\n:2\r\n", Order::AnyOfPairs), "*4 +a :2 +b :1");
    }

    #[test]
    fn a_cut_reply_is_seen_to_be_one() {
        for cut in ["*2\r\n+a\r\n", "$5\r\nabc", "+O"] {
            assert!(render(cut.as_bytes(), Order::Given).is_partial, "{cut:?}");
        }
    }
}
