//! What the fuzzer has kept, and what it once found, tried again: `fuzz/run` says how it came about.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics fails")]

#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::path::Path;

/// Every target has seeds, and every seed is taken or refused in an orderly way.
#[test]
fn seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (name, target) in targets::TARGETS {
        let seeds: Vec<_> = folder.join(name).read_dir().expect(name).map(|seed| seed.unwrap().path()).collect();
        assert!(!seeds.is_empty(), "{name} has no seed");
        for seed in seeds {
            let bytes = std::fs::read(&seed).unwrap();
            let taken = std::panic::catch_unwind(|| target(&bytes));
            assert!(taken.is_ok(), "{name}: {}", seed.file_name().unwrap().to_string_lossy());
        }
    }
}
