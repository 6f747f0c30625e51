//! Tool: fuzzes requests and replies: what is understood does not depend on the pieces in which
//! the bytes come.

#![no_main]

use libfuzzer_sys::fuzz_target;
use resp::{Limits, Query};

type Request = Vec<Vec<u8>>;

const UNAUTHENTICATED: u8 = 1;

fuzz_target!(|data: &[u8]| {
    let [choice, size, data @ ..] = data else { return };
    let limits =
        Limits { bulk_bytes_max: 1 << 20, is_unauthenticated: choice & UNAUTHENTICATED != 0 };
    let whole = requests(data, data.len().max(1), limits);
    let pieces = requests(data, 1 + usize::from(*size), limits);
    assert_eq!(whole, pieces);
    assert_eq!(replies(data, data.len().max(1)), replies(data, 1 + usize::from(*size)));
});

/// Returns the requests, and how it ended.
fn requests(data: &[u8], piece_bytes: usize, limits: Limits) -> (Vec<Request>, bool) {
    let mut query = Query::default();
    let mut requests = Vec::new();
    for piece in data.chunks(piece_bytes) {
        query.feed(piece);
        loop {
            query.look_ahead(&limits);
            match query.advance(&limits) {
                Ok(true) => requests.push(query.argv().iter().map(<[u8]>::to_vec).collect()),
                Ok(false) => break,
                Err(_) => return (requests, true),
            }
        }
    }
    (requests, false)
}

/// The same of replies, as a client reads them.
fn replies(data: &[u8], piece_bytes: usize) -> (Vec<String>, bool) {
    let mut decoder = resp::value::Decoder::default();
    let mut replies = Vec::new();
    for piece in data.chunks(piece_bytes) {
        decoder.feed(piece);
        loop {
            match decoder.advance() {
                Ok(Some(value)) => replies.push(format!("{value:?}")),
                Ok(None) => break,
                Err(_) => return (replies, true),
            }
        }
    }
    (replies, false)
}
