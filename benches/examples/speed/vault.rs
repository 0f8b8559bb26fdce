//! Whole commands on a vault on the disk, syncs and ledger entries included; the derivation of the passphrase is not.

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use subrosa::ops::interview::{self, Filter};
use subrosa_benches::house::{House, Who, take};
use subrosa_benches::material;
use tempfile::TempDir;

const RECORDING: u64 = 256 << 20;
const CHARACTERS: usize = 60_000;

fn house() -> (TempDir, House) {
    let dir = tempfile::tempdir().expect("a folder");
    let house = House::found(dir.path());
    (dir, house)
}

/// From a person's keys to the answer: unlock and read.
pub(crate) fn reading(c: &mut Criterion) {
    for size in [1_000, 10_000] {
        let (dir, house) = house();
        let delivery = dir.path().join("delivery");
        material::deliver(&delivery, size, 2_000);
        assert_eq!(house.ingest(&delivery).interviews, size as u64);
        let mut group = c.benchmark_group(format!("{size} interviews"));
        group.sample_size(20).measurement_time(Duration::from_secs(5));
        group.bench_function("unlock", |b| {
            b.iter_batched(|| house.identity(Who::Ben), |id| house.unlock_with(Who::Ben, id), BatchSize::PerIteration);
        });
        group.bench_function("unlock and list", |b| {
            let list = |id| {
                let mut vault = house.unlock_with(Who::Ben, id);
                let rows = interview::list(&mut vault, &Filter::default()).expect("a list");
                assert_eq!(rows.len(), size);
                (vault, rows)
            };
            b.iter_batched(|| house.identity(Who::Ben), list, BatchSize::PerIteration);
        });
        let code = material::code(size / 2);
        group.bench_function("unlock and show", |b| {
            let show = |id| {
                let mut vault = house.unlock_with(Who::Ben, id);
                let shown = interview::show(&mut vault, &code, false).expect("an interview");
                (vault, shown)
            };
            b.iter_batched(|| house.identity(Who::Ben), show, BatchSize::PerIteration);
        });
        group.finish();
    }
}

pub(crate) fn ingest(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let (small, large) = (folder.path().join("small"), folder.path().join("large"));
    material::deliver(&small, 1_000, 20_000);
    material::deliver_recording(&large, RECORDING);
    let mut group = c.benchmark_group("ingest");
    group.sample_size(10);
    let fresh = || {
        let (dir, house) = house();
        let vault = house.unlock(Who::Ben);
        (dir, vault)
    };
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1,000 interviews of 20,000 characters", |b| {
        b.iter_batched(fresh, |(dir, mut vault)| (take(&mut vault, &small), dir, vault), BatchSize::PerIteration);
    });
    group.throughput(Throughput::Bytes(RECORDING));
    group.bench_function("a recording of 256 MiB", |b| {
        b.iter_batched(fresh, |(dir, mut vault)| (take(&mut vault, &large), dir, vault), BatchSize::PerIteration);
    });
    group.finish();
}

pub(crate) fn extract(c: &mut Criterion) {
    let (dir, house) = house();
    let delivery = dir.path().join("delivery");
    material::deliver(&delivery, 163, CHARACTERS);
    house.ingest(&delivery);
    house.review(163);
    let request = house.agree();
    let mut vault = house.unlock(Who::Ben);
    // The first build makes the release, the measured ones find it: everything else is the same work.
    assert_eq!(house.build(&mut vault, request, "extract.age").interviews, 163);
    let mut group = c.benchmark_group("extract");
    group.sample_size(10);
    group.bench_function("163 interviews of 60,000 characters", |b| {
        b.iter(|| house.build(&mut vault, request, "extract.age"));
    });
    group.finish();
}
