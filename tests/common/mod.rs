//! What tests of whole vaults share: people, a vault founded in a folder, and vaults unlocked.

#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

use std::path::Path;

use subrosa::base::Result;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::base::secret::Passphrase;
use subrosa::base::time::Moment;
use subrosa::crypto::identity::{Identity, LockedIdentity};
use subrosa::crypto::kdf::KdfParams;
use subrosa::crypto::sign::PublicKey;
use subrosa::domain::study::Study;
use subrosa::session::{Change, Founding, Unlocked, Vault, change_membership, create};
use subrosa::store::state::StateFolder;

/// The study of the sample.
pub(crate) const STUDY: &str = include_str!("../../src/sample/study.toml");

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new("correct horse battery staple 9".into())
}

pub(crate) fn person(name: &str) -> Identity {
    Identity::generate(name, "EE".parse().unwrap(), moment("2026-01-01T00:00:00Z")).unwrap()
}

/// The same keys once more: an identity can only be used by value.
pub(crate) fn again(identity: &Identity) -> Identity {
    let bytes = identity.seal(&passphrase(), KdfParams::LEAST).unwrap();
    LockedIdentity::parse(&bytes).unwrap().unlock(&passphrase()).unwrap()
}

/// Founds `dir/vault` with its keys in `dir/vault.keys`.
pub(crate) fn found(dir: &Path, steward: &Identity, boards: Vec<PublicKey>) {
    let study = Study::read(STUDY).unwrap();
    let now = moment("2026-01-01T00:00:00Z");
    let founding = Founding { steward, study: (STUDY, &study), boards, trustees: (vec![], 0), now };
    create(&dir.join("vault"), &dir.join("vault.keys"), &founding).unwrap();
}

/// Unlocks `dir/vault` at a time; the person's state lies in `dir`.
pub(crate) fn unlock(dir: &Path, who: &Identity, now: &str) -> Result<Vault<Unlocked>> {
    let state = StateFolder::beside(&dir.join(format!("{}.id", who.card().name())));
    Vault::open(&dir.join("vault"), None)?.unlock(again(who), state, Box::new(moment(now)))
}

/// Enrols somebody for all sites.
pub(crate) fn enrol(vault: &mut Vault<Unlocked>, who: &Identity, role: Role) {
    let grants = vec![RoleGrant { role, sites: None }];
    change_membership(vault, Change::Enrol(who.card().clone(), grants)).unwrap();
}

/// Records approvals of every kind of board, for all sites and for fieldwork and use from 2020 to 2040.
pub fn approve(vault: &mut Vault<Unlocked>) {
    use subrosa::base::id::ApprovalId;
    use subrosa::domain::approval::Approval;
    use subrosa::ledger::event::Event;
    use subrosa::store::catalogue::RecordKind;
    let period = || ("2020-01-01".parse().unwrap(), "2040-12-31".parse().unwrap());
    vault
        .commit("approval add", |act| {
            for board in ["host", "university"] {
                let approval = Approval {
                    id: ApprovalId::random()?,
                    board: board.into(),
                    reference: "2022/7".into(),
                    title: "Leaving and Staying".into(),
                    sites: None,
                    fieldwork: period(),
                    usage: period(),
                    purposes: vec![],
                    document: None,
                };
                act.tables().put_record(RecordKind::Approval, approval.id.as_bytes(), act.seq(), &approval)?;
                act.event(Event::Approval(approval.facts()));
            }
            Ok(())
        })
        .unwrap();
}

/// Writes files of the sample into a folder.
pub fn deliver(to: &Path, files: &[subrosa::sample::SampleFile]) {
    for file in files {
        let path = to.join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
}
