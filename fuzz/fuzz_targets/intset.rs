//! Tool: fuzzes sets of integers: what is taken changes as an ordered set does.

#![no_main]

use std::collections::BTreeSet;

use ds::{Depth, Intset};
use libfuzzer_sys::fuzz_target;
use redis_fuzz::{Source, intset};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let choice = source.byte();
    let mut script = Source(source.piece());
    let made = match choice % 4 {
        0 => source.0.to_vec(),
        width => intset(1 << width, source.0),
    };
    // Where nobody looks at the order, some are not found, but nothing else happens.
    if let Ok(mut unsure) = Intset::from_bytes(&made, Depth::Header) {
        for n in unsure.iter().collect::<Vec<_>>() {
            unsure.contains(n);
            unsure.remove(n);
        }
        unsure.insert(i64::MAX);
    }
    let Ok(mut set) = Intset::from_bytes(&made, Depth::Deep) else { return };
    let mut model: BTreeSet<i64> = set.iter().collect();
    while !script.is_empty() {
        let what = script.byte();
        let n = match what % 4 {
            0 => script.byte().cast_signed().into(),
            1 => model.iter().nth(script.below(model.len().max(1))).copied().unwrap_or(0),
            _ => {
                let mut bytes = [0; 8];
                let taken = script.take(8);
                bytes[..taken.len()].copy_from_slice(taken);
                i64::from_le_bytes(bytes)
            }
        };
        match what & 16 {
            0 => assert_eq!(set.insert(n), model.insert(n)),
            _ => assert_eq!(set.remove(n), model.remove(&n)),
        }
        assert!(set.iter().eq(model.iter().copied()) && set.contains(n) == model.contains(&n));
        assert_eq!((set.first(), set.last()), (model.first().copied(), model.last().copied()));
    }
    let mut bytes = Vec::new();
    set.write(&mut bytes);
    let again = Intset::from_bytes(&bytes, Depth::Deep);
    assert!(set.is_empty() || again.is_ok_and(|again| again.iter().eq(set.iter())));
});
