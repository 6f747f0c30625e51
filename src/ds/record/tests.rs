//! Pure: records against a plain model: contents, sizes, moves, drops.

use std::sync::Arc;

use super::{Content, Expiry, Record};

type Value = (u64, Option<Arc<()>>);
type Record16 = Record<Value>;

#[test]
fn a_key_of_16_and_a_string_of_32_are_one_cache_line() {
    assert_eq!((size_of::<Record16>(), size_of::<Option<Record16>>()), (8, 8));
    assert_eq!(Record16::with_string(&[0; 16], &[0; 32], None).allocation_bytes(), 64);
    assert_eq!(Record16::with_string(&[0; 16], &[0; 39], None).allocation_bytes(), 64);
    assert_eq!(Record16::with_string(&[0; 16], &[0; 31], Some(1)).allocation_bytes(), 64);
    assert_eq!(Record16::with_value(&[0; 16], (1, None), None).allocation_bytes(), 40);
}

#[test]
fn embeds_up_to_a_block_of_128_bytes() {
    assert!(Record16::embeds(&[0; 16], 103, false));
    assert!(!Record16::embeds(&[0; 16], 104, false));
    assert!(!Record16::embeds(&[0; 16], 103, true));
    assert!(Record16::embeds(&[0; 5_000], 16, true));
    assert!(!Record16::embeds(&[0; 5_000], 17, false));
}

#[test]
fn a_string_of_the_same_size_class_is_written_in_place() {
    let mut record = Record16::with_string(b"key", b"0123456789", Some(9));
    record.set_lru(77);
    let address = record.address();
    for string in [&b"0123456789ab"[..], b"01234567", b"0123456"] {
        assert!(record.set_string(string, Expiry::Keep).is_none());
        assert_eq!(record.content(), Content::Embedded(string));
    }
    record.set_string(b"abcdefg", Expiry::Never);
    assert_eq!((record.address(), record.expiry(), record.lru()), (address, None, 77));
    record.set_string(b"hijklmn", Expiry::At(5));
    assert_eq!((record.address(), record.expiry()), (address, Some(5)));
    record.embedded_mut().unwrap()[0] = b'H';
    assert_eq!(record.content(), Content::Embedded(b"Hijklmn"));
    record.set_string(&[b'x'; 100], Expiry::Keep);
    assert_eq!(record.content(), Content::Embedded(&[b'x'; 100]));
    assert_eq!((record.key(), record.expiry(), record.lru()), (&b"key"[..], Some(5), 77));
}

#[test]
fn an_expiry_finds_room() {
    for is_embedded in [true, false] {
        let token = Arc::new(());
        let mut record = match is_embedded {
            true => Record16::with_string(b"key", b"string", None),
            false => Record16::with_value(b"key", (3, Some(Arc::clone(&token))), None),
        };
        record.set_lru(u32::MAX);
        assert_eq!(record.expiry(), None);
        record.set_expiry(Some(i64::MIN));
        assert_eq!(record.expiry(), Some(i64::MIN));
        let address = record.address();
        record.set_expiry(None);
        assert_eq!((record.expiry(), record.address()), (None, address));
        record.set_expiry(Some(7));
        assert_eq!((record.expiry(), record.address()), (Some(7), address));
        assert_eq!((record.key(), record.lru()), (&b"key"[..], 0xff_ffff));
        let renamed = record.with_key(b"a longer name than before");
        assert_eq!(renamed.key(), b"a longer name than before");
        assert_eq!((renamed.expiry(), renamed.lru()), (Some(7), 0xff_ffff));
        match renamed.content() {
            Content::Embedded(string) => assert_eq!(string, b"string"),
            Content::Value(value) => assert_eq!(value.0, 3),
        }
        drop(renamed);
        assert_eq!(Arc::strong_count(&token), 1);
    }
}

#[test]
fn agrees_with_a_model() {
    let mut state = 88_172_645_463_325_252_u64;
    println!("seed {state}");
    let mut draw = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % bound
    };
    let token = Arc::new(());
    let mut values = 0;
    let mut record = Record16::with_string(b"", b"", None);
    let mut model: (Vec<u8>, Result<Vec<u8>, u64>, Option<i64>) = (vec![], Ok(vec![]), None);
    for step in 0..20_000 {
        let expiry_ms = draw(1_000) as i64;
        let (expiry, after) = match draw(3) {
            0 => (Expiry::Keep, model.2),
            1 => (Expiry::Never, None),
            _ => (Expiry::At(expiry_ms), Some(expiry_ms)),
        };
        match draw(5) {
            0 => {
                let string = vec![step as u8; draw(256) as usize];
                values -= usize::from(record.set_string(&string, expiry).is_some());
                (model.1, model.2) = (Ok(string), after);
            }
            1 => {
                let old = record.set_value((step, Some(Arc::clone(&token))), expiry);
                values += usize::from(old.is_none());
                assert_eq!(old.map(|old| old.0), model.1.clone().err());
                (model.1, model.2) = (Err(step), after);
            }
            2 => {
                let key = vec![step as u8; draw(300) as usize];
                record = record.with_key(&key);
                model.0 = key;
            }
            3 => {
                record.set_expiry(Some(expiry_ms));
                model.2 = Some(expiry_ms);
            }
            _ => {
                record.set_expiry(None);
                model.2 = None;
            }
        }
        assert_eq!((record.key(), record.expiry()), (&*model.0, model.2));
        match (record.content(), &model.1) {
            (Content::Embedded(string), Ok(other)) => assert_eq!(string, other),
            (Content::Value(value), Err(number)) => assert_eq!(value.0, *number),
            _ => panic!("content of another kind"),
        }
        assert_eq!(Arc::strong_count(&token), 1 + values);
        assert_eq!(record.allocation_bytes() % 8, 0);
    }
    drop(record);
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn a_value_leaves_whole() {
    let token = Arc::new(());
    let record = Record16::with_value(b"key", (1, Some(Arc::clone(&token))), Some(2));
    let value = record.into_value().unwrap();
    assert_eq!((value.0, Arc::strong_count(&token)), (1, 2));
    drop(value);
    assert_eq!(Arc::strong_count(&token), 1);
    assert!(Record16::with_string(b"key", b"string", None).into_value().is_none());
}

#[test]
fn values_of_any_alignment_are_aligned() {
    #[repr(align(64))]
    struct Wide(u8);
    let record = Record::with_value(b"k", Wide(7), Some(1));
    let Content::Value(value) = record.content() else { panic!("a value") };
    assert_eq!((value.0, std::ptr::from_ref(value) as usize % 64), (7, 0));
    assert_eq!((record.key(), record.expiry()), (&b"k"[..], Some(1)));
    let record = Record::with_value(b"k", (), None);
    assert_eq!((record.key(), record.allocation_bytes()), (&b"k"[..], 16));
}

#[test]
fn a_mark_goes_with_the_content() {
    let mut record = Record16::with_string(b"key", b"12", None);
    assert!(!record.is_marked());
    record.mark();
    record.set_expiry(Some(5));
    record.set_lru(7);
    let mut record = record.with_key(b"another");
    assert!(record.is_marked() && (record.expiry(), record.lru()) == (Some(5), 7));
    record.set_string(b"13", Expiry::Keep);
    assert!(!record.is_marked());
    record.mark();
    record.set_string(&[b'x'; 100], Expiry::Keep);
    assert!(!record.is_marked());
    record.mark();
    record.set_value((1, None), Expiry::Keep);
    assert!(!record.is_marked());
    record.mark();
    record.set_value((2, None), Expiry::Keep);
    assert!(!record.is_marked() && record.expiry() == Some(5));
}

#[test]
fn goes_to_other_threads() {
    fn is_send<T: Send + Sync>() {}
    is_send::<Record16>();
}
