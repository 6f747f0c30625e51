//! Pure: tests of libraries of functions in snapshots.

use super::*;
use crate::functions::Functions;

const FIRST: &[u8] = b"#!lua name=first\nredis.register_function('f', function() return 1 end)\n";
const SECOND: &[u8] = b"#!lua name=second\nredis.register_function('g', function() return 2 end)\n";

/// Puts the opcode and a length before code.
fn item(code: &[u8]) -> Vec<u8> {
    let [high, low] = (code.len() as u16).to_be_bytes();
    [&[format::FUNCTION, 0x40 | high, low], code].concat()
}

fn functions_of(file: &[u8], before: Functions, replaces: bool) -> Result<Functions, LoadError> {
    let mut loader = Loader::new(Box::new(file), LoadOptions { replaces, ..OPTIONS });
    loader.functions = before;
    let mut keyspace = keyspace(AccessPolicy::Lru);
    while loader.step(&mut keyspace, 1)? == Step::More {}
    Ok(loader.functions)
}

#[test]
fn libraries_are_kept_and_written_again_in_their_order() {
    for codes in [[FIRST, SECOND], [SECOND, FIRST]] {
        let file = file_of(&codes.map(item).concat());
        let functions = functions_of(&file, Functions::default(), false).unwrap();
        assert!(functions.codes().eq(codes));
        for version in format::VERSIONS_WRITTEN {
            let functions = functions.clone();
            let options = SaveOptions { version, functions, ..SaveOptions::default() };
            let file = saved(&keyspace(AccessPolicy::Lru), &options);
            let again = functions_of(&file, Functions::default(), false).unwrap();
            assert!(again.codes().eq(codes));
        }
    }
}

#[test]
fn a_library_may_be_there_once() {
    let fault = |file: &[u8], before| functions_of(file, before, false).unwrap_err().to_string();
    let text = "Failed loading library, Library 'first' already exists (offset ";
    let twice = file_of(&[FIRST, FIRST].map(item).concat());
    assert!(fault(&twice, Functions::default()).starts_with(text));
    let once = file_of(&item(FIRST));
    let mut before = Functions::default();
    before.add(b"#!lua name=first\nanother", false).unwrap();
    assert!(fault(&once, before.clone()).starts_with(text));
    let merged = functions_of(&once, before, true).unwrap();
    assert!(merged.codes().eq([FIRST]));
}

#[test]
fn what_is_no_library_stops_the_load() {
    let fault = |items: &[u8]| super::fault(&file_of(items), OPTIONS).to_string();
    assert_eq!(fault(&item(b"return 1")), "Failed loading library, Missing library metadata");
    let tcl = item(b"#!tcl name=x\n");
    assert_eq!(fault(&tcl), "Failed loading library, Engine 'tcl' not found");
    // What the candidates of Redis 7.0 have written is another form.
    let old = fault(&[format::FUNCTION_PRE_GA, 1, b'x']);
    assert_eq!(old, "Pre-release function format not supported.");
}
