//! Tool: fuzzes the grammar of configuration files, as it comes by standard input: whatever the
//! text, it is taken or refused, and what CONFIG GET shows afterwards can be set again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redis::config::{CommandLine, Config, Gate};

/// These read files and change folders, which is not what is looked at here.
const ELSEWHERE: [&[u8]; 2] = [b"include", b"dir"];
const GATE: Gate = Gate { is_local_client: true, is_loading: false };

fuzz_target!(|data: &[u8]| {
    let lower = data.to_ascii_lowercase();
    if ELSEWHERE.iter().any(|word| lower.windows(word.len()).any(|part| part == *word)) {
        return;
    }
    let mut config = Config::new(false);
    let command_line = CommandLine::parse(["-".into()]);
    if config.load(&command_line, &mut &data[..]).is_err() {
        return;
    }
    let shown = config.matching(&[b"*"]);
    for (name, value) in &shown {
        if name != b"dir" {
            // Some cannot be set at run time; none may panic.
            let _ = config.set(&[(name, value)], GATE);
        }
    }
    assert_eq!(config.matching(&[b"*"]).len(), shown.len());
});
