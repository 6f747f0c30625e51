//! Pure: replies whole, in pieces, cut short, broken and too big.

use super::{DecodeError, Decoder, Limits, Value};

fn bulk(text: &str) -> Value {
    Value::Bulk(text.into())
}

fn decode(data: &[u8]) -> Result<Option<Value>, DecodeError> {
    let mut decoder = Decoder::default();
    decoder.feed(data);
    decoder.advance()
}

fn every_type() -> (Vec<u8>, Vec<Value>) {
    let stream = b"+OK\r\n-ERR no\r\n:-7\r\n$2\r\n\r\n\r\n$0\r\n\r\n$-1\r\n*-1\r\n_\r\n*0\r\n\
        *2\r\n:1\r\n*1\r\n$1\r\na\r\n,3.25\r\n,-inf\r\n#t\r\n#f\r\n(-12345678901234567890\r\n\
        =7\r\ntxt:abc\r\n%1\r\n+k\r\n~1\r\n:2\r\n~2\r\n:1\r\n_\r\n>2\r\n+a\r\n+b\r\n\
        |1\r\n+ttl\r\n:3\r\n*1\r\n|1\r\n+x\r\n+y\r\n:9\r\n!7\r\nERR bad\r\n%0\r\n";
    let pair = (Value::Simple("ttl".into()), Value::Integer(3));
    let inner = (vec![(Value::Simple("x".into()), Value::Simple("y".into()))], Value::Integer(9));
    let attributed = Value::Array(vec![Value::Attributed(Box::new(inner))]);
    let values = vec![
        Value::Simple("OK".into()),
        Value::Error("ERR no".into()),
        Value::Integer(-7),
        bulk("\r\n"),
        bulk(""),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Array(vec![]),
        Value::Array(vec![Value::Integer(1), Value::Array(vec![bulk("a")])]),
        Value::Double(3.25, (*b"3.25").into()),
        Value::Double(f64::NEG_INFINITY, (*b"-inf").into()),
        Value::Boolean(true),
        Value::Boolean(false),
        Value::BigNumber("-12345678901234567890".into()),
        Value::Verbatim(*b"txt", (*b"abc").into()),
        Value::Map(vec![(Value::Simple("k".into()), Value::Set(vec![Value::Integer(2)]))]),
        Value::Set(vec![Value::Integer(1), Value::Null]),
        Value::Push(vec![Value::Simple("a".into()), Value::Simple("b".into())]),
        Value::Attributed(Box::new((vec![pair], attributed))),
        Value::Error("ERR bad".into()),
        Value::Map(vec![]),
    ];
    (stream.to_vec(), values)
}

#[test]
fn replies_come_in_pieces_of_any_size() {
    let (stream, expected) = every_type();
    for piece_bytes in 1..=stream.len() {
        let mut decoder = Decoder::default();
        let mut values = Vec::new();
        for piece in stream.chunks(piece_bytes) {
            decoder.feed(piece);
            while let Some(value) = decoder.advance().unwrap() {
                values.push(value);
            }
        }
        assert_eq!(values, expected, "pieces of {piece_bytes}");
        assert!(!decoder.is_within_reply());
    }
}

#[test]
fn a_reply_cut_short_is_no_reply() {
    let (stream, expected) = every_type();
    for cut in 0..stream.len() {
        let mut decoder = Decoder::default();
        decoder.feed(&stream[..cut]);
        let mut count = 0;
        while decoder.advance().unwrap().is_some() {
            count += 1;
        }
        assert!(count < expected.len(), "cut at {cut}");
    }
}

#[test]
fn bad_bytes_are_named() {
    let table: [(&[u8], DecodeError); 17] = [
        (b"HTTP", DecodeError::UnknownType(b'H')),
        (b"\r\n", DecodeError::UnknownType(b'\r')),
        (b":1x\r\n", DecodeError::Integer),
        (b":9223372036854775808\r\n", DecodeError::Integer),
        (b",1.2.3\r\n", DecodeError::Double),
        (b",infinity\r\n", DecodeError::Double),
        (b"#y\r\n", DecodeError::Boolean),
        (b"_x\r\n", DecodeError::Null),
        (b"(-\r\n", DecodeError::BigNumber),
        (b"+a\nb\r\n", DecodeError::Simple),
        (b"$x\r\n", DecodeError::BulkLength),
        (b"$-2\r\n", DecodeError::BulkRange),
        (b"$1\r\nabc", DecodeError::BulkEnd),
        (b"=3\r\ntxt\r\n", DecodeError::Verbatim),
        (b"*\r\n", DecodeError::AggregateLength),
        (b"%-2\r\n", DecodeError::AggregateRange),
        (b"|-1\r\n", DecodeError::AggregateRange),
    ];
    for (data, error) in table {
        assert_eq!(decode(data), Err(error), "{:?}", String::from_utf8_lossy(data));
    }
}

#[test]
fn an_error_stays() {
    let mut decoder = Decoder::default();
    decoder.feed(b"?\r\n");
    assert_eq!(decoder.advance(), Err(DecodeError::UnknownType(b'?')));
    decoder.feed(b"+OK\r\n");
    assert_eq!(decoder.advance(), Err(DecodeError::UnknownType(b'?')));
}

#[test]
fn announcements_allocate_nothing() {
    assert_eq!(decode(b"*300000000\r\n:1\r\n"), Ok(None));
    assert_eq!(decode(b"*9223372036854775807\r\n"), Err(DecodeError::TooBig));
    assert_eq!(decode(b"|9223372036854775807\r\n"), Err(DecodeError::TooBig));
    assert_eq!(decode(b"$9223372036854775807\r\n"), Err(DecodeError::TooBig));
}

#[test]
fn limits_hold() {
    let limits = Limits { depth_max: 3, bytes_max: 40 };
    let decode = |data: &[u8]| {
        let mut decoder = Decoder::new(limits);
        decoder.feed(data);
        decoder.advance().map(|value| value.is_some())
    };
    assert_eq!(decode(b"*1\r\n*1\r\n*1\r\n:1\r\n"), Ok(true));
    assert_eq!(decode(b"*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"), Err(DecodeError::TooDeep));
    assert_eq!(decode(&[b"+", vec![b'x'; 50].as_slice()].concat()), Err(DecodeError::TooBig));
    assert_eq!(decode(b"$41\r\n"), Err(DecodeError::TooBig));
    assert_eq!(decode(b"*20\r\n"), Err(DecodeError::TooBig));
    let many = [b"*8\r\n".as_slice(), &b"+xxxx\r\n".repeat(8)].concat();
    assert_eq!(decode(&many), Err(DecodeError::TooBig));
}

#[test]
fn any_bytes_decode_or_fail_without_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let alphabet = b"*%~>|$=!+-:,#_(012-9tf\r\n\r\n\r\nx";
    for _ in 0..20_000 {
        let mut decoder = Decoder::new(Limits { depth_max: 8, bytes_max: 4096 });
        for _ in 0..8 {
            let mut piece = Vec::new();
            for _ in 0..8 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let index = usize::try_from(state % alphabet.len() as u64).unwrap();
                piece.push(alphabet[index]);
            }
            decoder.feed(&piece);
            while let Ok(Some(_)) = decoder.advance() {}
        }
    }
}
