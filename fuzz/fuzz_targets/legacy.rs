//! Tool: fuzzes what files before Redis 7 hold: ziplists and zipmaps, as they are or made whole.

#![no_main]

use ds::legacy::{Ziplist, Zipmap};
use libfuzzer_sys::fuzz_target;
use redis_fuzz::{Source, ziplist};

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let is_made = source.byte() % 2 == 0;
    let bytes = source.0;
    if let Ok(map) = Zipmap::check(bytes) {
        assert_eq!(map.iter().count(), map.count());
        let held: usize = map.iter().map(|(field, value)| field.len() + value.len()).sum();
        assert!(held < bytes.len(), "nothing is made of nothing");
    }
    let made = is_made.then(|| ziplist(&mut source));
    let bytes = made.as_deref().unwrap_or(bytes);
    match Ziplist::check(bytes) {
        Ok(list) => {
            assert_eq!(list.iter().count(), list.count());
            let held: usize = list.iter().map(|item| item.to_vec().len().min(8)).sum();
            assert!(held <= 8 * bytes.len(), "nothing is made of nothing");
        }
        Err(_) => assert!(!is_made, "what is made whole is taken"),
    }
});
