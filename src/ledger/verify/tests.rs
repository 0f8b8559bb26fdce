//! A small ledger, and everything that can be done to it.

use super::super::checkpoint::{Checkpoint, SignedCheckpoint};
use super::super::entry::Draft;
use super::super::event::{Role, RoleGrant};
use super::super::fault::Verdict;
use super::*;
use crate::base::id::PersonId;
use crate::base::secret::Key;
use crate::crypto::sign::SigningSeed;
use proptest::prelude::*;

fn seed(n: u8) -> SigningSeed {
    SigningSeed::from_key(&Key::from_slice(&[n; 32]).unwrap())
}

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

const LOG: u8 = 9;
const STEWARD: u8 = 1;
const ARCHIVIST: u8 = 2;
const STRANGER: u8 = 66;

fn vault() -> VaultId {
    VaultId::from_bytes([7; 16])
}

fn enrol(who: u8, roles: &[Role]) -> Event {
    let roles = roles.iter().map(|role| RoleGrant { role: *role, sites: None }).collect();
    Event::Person { person: person(who), sign: seed(who).public(), country: "EE".into(), roles }
}

fn genesis() -> Event {
    Event::Genesis {
        origin: checkpoint::origin(&vault()),
        steward: seed(STEWARD).public(),
        steward_id: person(STEWARD),
        log_key: seed(LOG).public(),
        boards: vec![],
        trustees: vec![],
        threshold: 1,
    }
}

fn listed(n: i64) -> Event {
    Event::Listed { what: "interviews".into(), filters: vec![], count: n }
}

/// A ledger as it is written: each entry over the root before it.
#[derive(Clone, Default)]
struct Ledger {
    bytes: Vec<Vec<u8>>,
    frontier: Frontier,
    time: i64,
}

impl Ledger {
    fn push_at(&mut self, time: i64, who: u8, key: u8, events: Vec<Event>) {
        let draft = Draft {
            vault: vault(),
            seq: self.frontier.size(),
            time: Moment::from_seconds(time).unwrap(),
            root: self.frontier.root(),
            command: "list".into(),
            events,
        };
        let bytes = Entry::sign_to_bytes(draft, person(who), &seed(key)).unwrap();
        self.frontier.push(tree::leaf_hash(&bytes));
        self.bytes.push(bytes);
        self.time = time;
    }

    fn push(&mut self, who: u8, events: Vec<Event>) {
        self.push_at(self.time + 60, who, who, events);
    }

    fn head(&self) -> SignedCheckpoint {
        let (size, root) = (self.frontier.size(), self.frontier.root());
        Checkpoint { origin: checkpoint::origin(&vault()), size, root }.sign(&seed(LOG)).unwrap()
    }

    /// `n` entries: genesis, the archivist enrolled, then reading.
    fn of(n: usize) -> Self {
        let mut ledger = Self { time: 1_700_000_000, ..Self::default() };
        ledger.push(STEWARD, vec![genesis(), enrol(STEWARD, &[Role::Steward])]);
        ledger.push(STEWARD, vec![enrol(ARCHIVIST, &[Role::Archivist])]);
        for i in 2..n {
            ledger.push(if i % 3 == 0 { STEWARD } else { ARCHIVIST }, vec![listed(i as i64)]);
        }
        ledger
    }

    fn verify(&self, options: &Options<'_>) -> Report {
        verify_chain(self.bytes.iter().cloned().map(Ok), options).unwrap()
    }

    fn faults(&self) -> Vec<(Option<u64>, FaultKind)> {
        self.verify(&Options::default()).faults.into_iter().map(|f| (f.seq, f.kind)).collect()
    }
}

fn at(seq: u64, kind: FaultKind) -> (Option<u64>, FaultKind) {
    (Some(seq), kind)
}

#[test]
fn a_sound_ledger_is_sound() {
    let ledger = Ledger::of(20);
    let (early, late) = (Ledger::of(12).head().to_string(), ledger.head().to_string());
    let earlier: Vec<&[u8]> = vec![early.as_bytes(), late.as_bytes()];
    let report = ledger.verify(&Options {
        vault: Some(vault()),
        genesis: Some(tree::leaf_hash(&ledger.bytes[0])),
        log_key: Some(seed(LOG).public()),
        checkpoint: Some(late.as_bytes()),
        earlier: &earlier,
        ..Options::default()
    });
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    report.require_sound().unwrap();
    assert_eq!((report.entries, report.signatures, report.earlier), (20, 20, 2));
    assert_eq!(report.root, ledger.frontier.root());
    assert_eq!(report.checkpoint.unwrap().size, 20);
    assert_eq!(report.last_time.unwrap().seconds(), ledger.time);
}

#[test]
fn many_batches_and_chunks_agree() {
    let ledger = Ledger::of(BATCH_ENTRIES + 700);
    let inside = Ledger::of(BATCH_ENTRIES + 300).head().to_string();
    let report =
        ledger.verify(&Options { signatures: Signatures::None, earlier: &[inside.as_bytes()], ..Options::default() });
    assert_eq!((report.verdict(), report.root), (Verdict::Sound, ledger.frontier.root()));
    assert_eq!((report.signatures, report.earlier), (0, 1));
    let report =
        ledger.verify(&Options { signatures: Signatures::From(BATCH_ENTRIES as u64 + 600), ..Options::default() });
    assert_eq!((report.verdict(), report.signatures), (Verdict::Sound, 100));
}

#[test]
fn nothing_is_no_ledger() {
    assert_eq!(Ledger::default().faults(), [(None, FaultKind::NoGenesis)]);
}

#[test]
fn cut_at_the_head() {
    let mut ledger = Ledger::of(20);
    ledger.bytes.drain(..5);
    assert_eq!(ledger.faults(), [at(5, FaultKind::Missing { from: 0, to: 4 }), at(5, FaultKind::NoGenesis)]);
}

#[test]
fn cut_in_the_middle() {
    let mut ledger = Ledger::of(20);
    ledger.bytes.drain(8..10);
    assert_eq!(ledger.faults(), [at(10, FaultKind::Missing { from: 8, to: 9 })]);
}

#[test]
fn cut_at_the_tail_or_rolled_back() {
    let ledger = Ledger::of(20);
    let head = ledger.head().to_string();
    let mut cut = ledger.clone();
    cut.bytes.truncate(15);
    assert!(cut.faults().is_empty(), "nothing inside shows it");
    let report = cut.verify(&Options { checkpoint: Some(head.as_bytes()), ..Options::default() });
    assert_eq!(report.faults[0].kind, FaultKind::Cut { held: Held::Own, size: 20 });
    let own = Ledger::of(15).head().to_string();
    let report = cut.verify(&Options {
        checkpoint: Some(own.as_bytes()),
        earlier: &[own.as_bytes(), head.as_bytes()],
        ..Options::default()
    });
    assert_eq!(report.checkpoint.as_ref().map(|c| c.size), Some(15));
    assert_eq!(report.faults.len(), 1);
    assert_eq!(report.faults[0].kind, FaultKind::Cut { held: Held::Earlier(1), size: 20 });
    assert!(report.require_sound().unwrap_err().what().contains("cut or rolled back"));
}

#[test]
fn altered() {
    let ledger = Ledger::of(20);
    // A count that is still an entry: the signature and the roots after it show it.
    let mut altered = ledger.clone();
    let text = String::from_utf8(altered.bytes[7].clone()).unwrap();
    altered.bytes[7] = text.replace("\"count\":7", "\"count\":8").into_bytes();
    assert_ne!(altered.bytes[7], ledger.bytes[7]);
    assert_eq!(altered.faults(), [at(7, FaultKind::Signature), at(8, FaultKind::Root)]);
    // The last one: no root comes after it.
    let mut altered = ledger.clone();
    let last = String::from_utf8(altered.bytes[19].clone()).unwrap();
    altered.bytes[19] = last.replace("\"count\":19", "\"count\":18").into_bytes();
    assert_eq!(altered.faults(), [at(19, FaultKind::Signature)]);
    // No entry any more.
    let mut altered = ledger.clone();
    altered.bytes[7].push(b' ');
    assert_eq!(altered.faults(), [at(7, FaultKind::Unreadable), at(8, FaultKind::Root)]);
    let mut altered = ledger;
    altered.bytes[0].clear();
    assert_eq!(
        altered.faults()[..3],
        [at(0, FaultKind::Unreadable), at(0, FaultKind::NoGenesis), at(1, FaultKind::Root)]
    );
}

#[test]
fn swapped() {
    let mut ledger = Ledger::of(20);
    ledger.bytes.swap(7, 8);
    let faults = ledger.faults();
    assert_eq!(faults[0], at(8, FaultKind::Missing { from: 7, to: 7 }));
    assert_eq!(faults[1..], [at(9, FaultKind::OutOfPlace { found: 7 }), at(9, FaultKind::ClockBack)]);
}

#[test]
fn duplicated() {
    let mut ledger = Ledger::of(20);
    let copy = ledger.bytes[7].clone();
    ledger.bytes.insert(8, copy);
    assert_eq!(ledger.faults(), [at(8, FaultKind::OutOfPlace { found: 7 })]);
}

#[test]
fn inserted() {
    let ledger = Ledger::of(20);
    // By somebody enrolled, with the right number and root for its place: the next one shows it.
    let mut fork = Ledger::of(8);
    fork.push(ARCHIVIST, vec![listed(1_000)]);
    let mut inserted = ledger.clone();
    inserted.bytes.insert(8, fork.bytes[8].clone());
    assert_eq!(inserted.faults(), [at(9, FaultKind::OutOfPlace { found: 8 })]);
    // In the place of the honest one: the root in the next one shows it.
    let mut replaced = ledger;
    replaced.bytes[8] = fork.bytes[8].clone();
    assert_eq!(replaced.faults(), [at(9, FaultKind::Root)]);
}

#[test]
fn forked() {
    let honest = Ledger::of(20);
    let mut fork = Ledger::of(12);
    for i in 12..25 {
        fork.push(STEWARD, vec![listed(500 + i)]);
    }
    let (early, held) = (Ledger::of(12).head().to_string(), honest.head().to_string());
    let own = fork.head().to_string();
    let report = fork.verify(&Options {
        checkpoint: Some(own.as_bytes()),
        earlier: &[early.as_bytes(), held.as_bytes()],
        ..Options::default()
    });
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    assert_eq!(report.faults[0].kind, FaultKind::Forked { held: Held::Earlier(1), size: 20 });
    assert_eq!(report.earlier, 1);
}

#[test]
fn signed_by_the_wrong_people() {
    let mut ledger = Ledger::of(5);
    ledger.push_at(ledger.time, STRANGER, STRANGER, vec![listed(0)]);
    ledger.push_at(ledger.time, ARCHIVIST, STRANGER, vec![listed(0)]);
    ledger.push_at(ledger.time, STRANGER, ARCHIVIST, vec![listed(0)]);
    assert_eq!(ledger.faults(), [at(5, FaultKind::Stranger), at(6, FaultKind::OtherKey), at(7, FaultKind::Stranger)]);
    // A stranger's enrolment of themselves does not count.
    let mut ledger = Ledger::of(5);
    ledger.push(STRANGER, vec![enrol(STRANGER, &[Role::Steward])]);
    ledger.push(STRANGER, vec![listed(0)]);
    assert_eq!(ledger.faults(), [at(5, FaultKind::Stranger), at(6, FaultKind::Stranger)]);
}

#[test]
fn who_was_removed_signs_no_more() {
    let mut ledger = Ledger::of(5);
    ledger.push(STEWARD, vec![enrol(ARCHIVIST, &[])]);
    ledger.push(ARCHIVIST, vec![listed(0)]);
    ledger.push(STEWARD, vec![enrol(ARCHIVIST, &[Role::Auditor])]);
    ledger.push(ARCHIVIST, vec![listed(0)]);
    assert_eq!(ledger.faults(), [at(6, FaultKind::Removed)]);
}

#[test]
fn enrolment_is_for_stewards_and_one_key_a_person() {
    let mut ledger = Ledger::of(5);
    ledger.push(ARCHIVIST, vec![enrol(3, &[Role::Analyst])]);
    let other = |who: u8, key: u8| match enrol(who, &[Role::Archivist]) {
        Event::Person { person, country, roles, .. } => {
            Event::Person { person, sign: seed(key).public(), country, roles }
        }
        event => event,
    };
    ledger.push(STEWARD, vec![other(ARCHIVIST, 4)]);
    ledger.push(STEWARD, vec![other(5, ARCHIVIST)]);
    ledger.push(ARCHIVIST, vec![listed(0)]);
    assert_eq!(
        ledger.faults(),
        [at(5, FaultKind::NoSteward), at(6, FaultKind::KeyReused), at(7, FaultKind::KeyReused)]
    );
}

#[test]
fn the_clock_goes_back() {
    let mut ledger = Ledger::of(5);
    ledger.push_at(ledger.time - 1, STEWARD, STEWARD, vec![listed(0)]);
    ledger.push_at(ledger.time, STEWARD, STEWARD, vec![listed(0)]);
    assert_eq!(ledger.faults(), [at(5, FaultKind::ClockBack)]);
}

#[test]
fn genesis_first_and_only_there() {
    let mut ledger = Ledger::of(5);
    ledger.push(STEWARD, vec![genesis()]);
    assert_eq!(ledger.faults(), [at(5, FaultKind::GenesisAgain)]);
    let mut twice = Ledger::default();
    twice.push(STEWARD, vec![genesis(), genesis()]);
    assert_eq!(twice.faults(), [at(0, FaultKind::GenesisAgain)]);
    let mut other = Ledger::default();
    other.push(ARCHIVIST, vec![genesis()]);
    assert_eq!(other.faults(), [at(0, FaultKind::Stranger)]);
    let mut late = Ledger::default();
    late.push(STEWARD, vec![listed(0), genesis()]);
    assert_eq!(late.faults(), [at(0, FaultKind::NoGenesis), at(0, FaultKind::GenesisAgain)]);
}

#[test]
fn another_vault_or_another_beginning() {
    let ledger = Ledger::of(5);
    let kinds = |options: &Options<'_>| ledger.verify(options).faults.into_iter().map(|f| f.kind).collect::<Vec<_>>();
    let other = Some(VaultId::from_bytes([8; 16]));
    assert_eq!(kinds(&Options { vault: other, ..Options::default() }), [const { FaultKind::OtherVault }; 5]);
    assert_eq!(kinds(&Options { genesis: Some(Digest([1; 32])), ..Options::default() }), [FaultKind::OtherGenesis]);
    let key = Some(seed(STRANGER).public());
    assert_eq!(kinds(&Options { log_key: key, ..Options::default() }), [FaultKind::OtherGenesis]);
}

#[test]
fn a_checkpoint_by_a_stranger_or_no_checkpoint() {
    let ledger = Ledger::of(5);
    let head = ledger.head().checkpoint().clone().sign(&seed(STRANGER)).unwrap().to_string();
    for note in [head.as_bytes(), b"nonsense"] {
        let report = ledger.verify(&Options { checkpoint: Some(note), ..Options::default() });
        assert_eq!(report.faults[0].kind, FaultKind::CheckpointForged(Held::Own));
        assert!(report.checkpoint.is_none());
    }
}

#[test]
fn many_faults_are_counted_not_kept() {
    let mut ledger = Ledger::of(2);
    ledger.bytes.extend(std::iter::repeat_n(b"{}".to_vec(), 1_500));
    let report = ledger.verify(&Options::default());
    assert_eq!((report.faults.len(), report.more), (1_000, 500));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_change_to_what_a_checkpoint_covers_stays_unseen(i in 0usize..20, j in 0usize..20, how in 0u8..5, bit in 0usize..5_000) {
        let ledger = Ledger::of(20);
        let head = ledger.head().to_string();
        let mut changed = ledger.clone();
        match how {
            0 => { changed.bytes.remove(i); }
            1 => changed.bytes.swap(i, j),
            2 => { let copy = changed.bytes[i].clone(); changed.bytes.insert(j, copy); }
            3 => changed.bytes[i] = changed.bytes[j].clone(),
            _ => { let at = bit % (changed.bytes[i].len() * 8); changed.bytes[i][at / 8] ^= 1 << (at % 8); }
        }
        let report = changed.verify(&Options { checkpoint: Some(head.as_bytes()), ..Options::default() });
        prop_assert_eq!(report.verdict() == Verdict::Sound, changed.bytes == ledger.bytes);
        // The structure alone, with the checkpoint, sees as much.
        let report = changed.verify(&Options { checkpoint: Some(head.as_bytes()), signatures: Signatures::None, ..Options::default() });
        prop_assert_eq!(report.verdict() == Verdict::Sound, changed.bytes == ledger.bytes);
    }
}
