//! Tool: holds every conversation at the reference, so that what is expected is what it says.

use std::{path::Path, time::Instant};

use conversation::{hold_all, reference};

#[test]
fn the_reference_says_what_is_expected() {
    let Some(reference) = reference() else { return };
    let start = Instant::now();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let count = hold_all(&folder, &reference);
    println!("{count} conversations in {} ms", start.elapsed().as_millis());
}
