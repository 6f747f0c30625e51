//! Tool: shows that the bench comes through, by the reference compared with itself.

use std::process::{Command, Stdio};

const REFERENCE: &str = "redis-server";

#[test]
fn the_bench_comes_through_and_prints_its_tables() {
    let probe = Command::new(REFERENCE).arg("--version").stdout(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        eprintln!("no {REFERENCE} is installed: nothing to compare with");
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--quick", "--server", REFERENCE, "--reference", REFERENCE])
        .output()
        .unwrap();
    let (table, words) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words}");
    for row in [
        "| GET, plain, pipeline 1 |",
        "| MSET of 10, TLS, pipeline 16 |",
        "| SET of 1 MiB, TLS |",
        "| connect and PING, resumed TLS session |",
        "| an idle TLS connection, resident |",
        "| a key of 16 bytes with a value of 32, resident |",
        "| MULTI, 4 commands, EXEC |",
        "| PUBLISH to 50 |",
        "| ZPOPMIN, one sorted set, pipeline 16 |",
        "| XADD, one stream, pipeline 16 |",
        "| SINTER of 2 sets of 100,000 |",
        "| a member of a large set, resident |",
    ] {
        assert!(table.contains(row), "{row} is not in\n{table}");
    }
}
