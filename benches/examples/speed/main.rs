//! What people wait for: `cargo run --release --example speed -- --bench`, with a part of a name for part of it.

mod crypto;
mod rules;
mod vault;

use criterion::{criterion_group, criterion_main};

criterion_group!(of_rules, rules::detect, rules::consent, rules::policy);
criterion_group!(of_crypto, crypto::streams, crypto::ledger, crypto::key_file);
criterion_group!(of_vaults, vault::reading, vault::ingest, vault::extract);
criterion_main!(of_rules, of_crypto, of_vaults);
