//! One program for all targets: `FUZZ_TARGET` names the one to try, everything else is an argument of libFuzzer. Started by `fuzz/run`.

#![no_main]

mod targets;

use std::sync::LazyLock;

static TARGET: LazyLock<targets::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = targets::TARGETS.iter().find(|(known, _)| *known == name);
    let names: Vec<_> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    found.unwrap_or_else(|| panic!("FUZZ_TARGET is one of: {}", names.join(" "))).1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (*TARGET)(data));
