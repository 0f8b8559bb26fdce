//! Streams, the ledger, the key file.

use std::io;

use criterion::{Criterion, Throughput};
use ed25519_dalek::{Signer, SigningKey, Verifier};
use subrosa::base::id::{SiteId, VaultId};
use subrosa::base::progress::Silent;
use subrosa::base::secret::Key;
use subrosa::crypto::padding::Padding;
use subrosa::crypto::stream::{self, AgeIdentity};
use subrosa::ledger::verify::{Options, Signatures, verify_chain};
use subrosa::store::keyfile::{Class, KeyFile};
use subrosa_benches::chain::Chain;

const STREAM: usize = 256 << 20;
const ENTRIES: usize = 100_000;
const KEYS: usize = 100_000;

/// In memory, so that no disk is measured.
pub(crate) fn streams(c: &mut Criterion) {
    let identity = AgeIdentity::generate().expect("a key");
    let recipient = identity.recipient();
    let plain = vec![0x5a; STREAM];
    let seal = |sink: &mut (dyn io::Write + Send)| {
        stream::seal(&[recipient.as_age()], &plain[..], sink, Padding::None, &Silent).expect("sealed")
    };
    let mut group = c.benchmark_group("stream of 256 MiB");
    group.sample_size(10).throughput(Throughput::Bytes(STREAM as u64));
    group.bench_function("seal and hash", |b| b.iter(|| seal(&mut io::sink())));
    let mut sealed = Vec::with_capacity(STREAM + STREAM / 1024);
    seal(&mut sealed);
    group.bench_function("open", |b| {
        b.iter(|| stream::open(identity.as_age(), &sealed[..], io::sink(), None, &Silent).expect("opened"));
    });
    group.finish();
}

pub(crate) fn ledger(c: &mut Criterion) {
    let leaves: Vec<Vec<u8>> = Chain::new().take(ENTRIES).collect();
    let verify = |signatures| {
        let options = Options { signatures, ..Options::default() };
        let report = verify_chain(leaves.iter().cloned().map(Ok), &options).expect("a ledger");
        report.require_sound().expect("a sound ledger");
        report
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let mut group = c.benchmark_group("ledger of 100,000 entries");
    group.sample_size(10).throughput(Throughput::Elements(ENTRIES as u64));
    group.bench_function("structure, all cores", |b| b.iter(|| verify(Signatures::None)));
    group.bench_function("structure, one core", |b| b.iter(|| one.install(|| verify(Signatures::None))));
    group.bench_function("structure and signatures, all cores", |b| b.iter(|| verify(Signatures::All)));
    group.bench_function("structure and signatures, one core", |b| b.iter(|| one.install(|| verify(Signatures::All))));
    group.finish();

    // What the crate itself needs for a message as long as an entry.
    let key = SigningKey::from_bytes(&[7; 32]);
    let message = &leaves[ENTRIES / 2];
    let (signature, public) = (key.sign(message), key.verifying_key());
    let mut group = c.benchmark_group("ed25519-dalek, an entry");
    group.throughput(Throughput::Elements(1));
    group.bench_function("verify", |b| b.iter(|| public.verify(message, &signature)));
    group.bench_function("verify_strict", |b| b.iter(|| public.verify_strict(message, &signature)));
    group.finish();
}

pub(crate) fn key_file(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("keyfile");
    let (vault, site) = (VaultId::random().expect("an id"), SiteId::random().expect("an id"));
    let (catalogue, content) = (Key::random().expect("a key"), Key::random().expect("a key"));
    let mut file = KeyFile::new(vault).expect("a key file");
    file.add_site(site, 1, &content).expect("a site");
    let slots: Vec<_> = (0..KEYS).map(|_| file.add(Class::Content(site)).expect("a key").0).collect();
    file.write(&path, &catalogue).expect("written");
    let mut group = c.benchmark_group("key file of 100,000 keys");
    group.sample_size(20);
    group.bench_function("write", |b| b.iter(|| file.write(&path, &catalogue).expect("written")));
    let read = || KeyFile::read(&path, vault, &[&catalogue], |_, _| Some(&content)).expect("read").0;
    group.bench_function("read", |b| b.iter(read));
    let open = read();
    let mut next = (0..slots.len()).cycle();
    group.bench_function("get one key", |b| {
        b.iter(|| open.get(slots[next.next().unwrap_or_default()], Class::Content(site)).expect("a key"));
    });
    group.finish();
}
