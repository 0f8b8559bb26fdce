//! Founding a vault: folders, keys, databases, key file, and the first entry.

use std::collections::BTreeMap;
use std::path::Path;

use super::log::Log;
use super::unlock::{KEYRING, KEYRING_DIGEST, derived};
use super::view::{PersonRecord, SiteRecord, StudyRecord};
use crate::base::id::{SiteId, VaultId};
use crate::base::role::{Role, RoleGrant};
use crate::base::secret::Key;
use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::crypto::card::{VaultCard, VaultFacts};
use crate::crypto::identity::Identity;
use crate::crypto::keyring::{self, Bundle, Compartment, CompartmentFacts, KeyringFile, Member, Roster};
use crate::crypto::sign::{PublicKey, SigningSeed};
use crate::crypto::stream::AgeIdentity;
use crate::domain::policy::Policies;
use crate::domain::study::Study;
use crate::ledger::checkpoint::origin;
use crate::ledger::entry::{Draft, Entry};
use crate::ledger::event::{Digest, Event};
use crate::ledger::tree;
use crate::store::catalogue::{Catalogue, RecordKind};
use crate::store::files::Layout;
use crate::store::keyfile::KeyFile;

/// What a vault is founded with.
pub struct Founding<'a> {
    /// The first steward.
    pub steward: &'a Identity,
    /// The study definition, as text and parsed.
    pub study: (&'a str, &'a Study),
    /// The keys of boards that may cosign checkpoints.
    pub boards: Vec<PublicKey>,
    /// The keys of trustees, and how many of them can replace a lost steward.
    pub trustees: (Vec<PublicKey>, u8),
    /// Now.
    pub now: Moment,
}

/// Founds a vault in two new folders. Returns its card. Whatever fails, and wherever it is interrupted, nothing that looks like a vault
/// stays behind, and the same founding can be begun again.
pub fn create(root: &Path, keys: &Path, founding: &Founding<'_>) -> Result<VaultCard> {
    let existed = (root.exists(), keys.exists());
    let layout = Layout::create(root, keys, VaultId::random()?)?;
    found(&layout, founding).inspect_err(|_| {
        for (folder, existed) in [(layout.root(), existed.0), (layout.keys(), existed.1)] {
            // The error that is told is the first one; what cannot be removed is no vault without a ledger.
            let _ = std::fs::remove_dir_all(folder);
            if existed {
                let _ = std::fs::create_dir(folder);
            }
        }
    })
}

fn found(layout: &Layout, founding: &Founding<'_>) -> Result<VaultCard> {
    let vault = layout.vault();
    let (text, study) = founding.study;
    let sites: Vec<_> = study
        .sites
        .iter()
        .map(|site| Ok((SiteRecord { id: SiteId::random()?, prefix: site.prefix.clone() }, site)))
        .collect::<Result<_>>()?;

    let mut compartments = BTreeMap::new();
    let mut bundle = Bundle::new();
    let (log_key, desk, inbox) = (Key::random()?, Key::random()?, Key::random()?);
    let log_public = SigningSeed::from_key(&log_key).public();
    let desk_public = AgeIdentity::from_key(&desk)?.recipient();
    let inbox_public = AgeIdentity::from_key(&inbox)?.recipient();
    for (name, key, public) in [
        (Compartment::Catalogue, Key::random()?, None),
        (Compartment::Ledger, Key::random()?, None),
        (Compartment::LogSign, log_key, Some(log_public.to_base64())),
        (Compartment::Desk, desk, Some(desk_public.to_string())),
        (Compartment::Inbox(1), inbox, Some(inbox_public.to_string())),
    ] {
        let facts =
            CompartmentFacts { generation: 1, commitment: keyring::commitment(name, &key), former: Vec::new(), public };
        compartments.insert(name, facts);
        // Nobody is an archivist yet: the first one's enrolment makes a new inbox generation that they do get.
        if !matches!(name, Compartment::Inbox(_)) {
            bundle.insert(name, 1, key);
        }
    }

    let card = founding.steward.card();
    let grant = RoleGrant { role: Role::Steward, sites: None };
    let roster = Roster {
        vault,
        version: 1,
        people: vec![Member {
            id: card.person_id(),
            age: card.recipient().clone(),
            sign: *card.sign(),
            roles: vec![grant.clone()],
            since: founding.now,
        }],
        compartments,
    };
    let key_of = |name| bundle.newest(name).map(|(_, k)| k).ok_or_else(|| Error::bug("a compartment has no key"));
    let signer = founding.steward.signer();
    let mut mine = BTreeMap::new();
    for name in [Compartment::Catalogue, Compartment::Ledger, Compartment::LogSign, Compartment::Desk] {
        let key = key_of(name)?;
        let label = keyring::label(&keyring::commitment(name, key));
        mine.insert(label, keyring::wrap(name, 1, key, card.recipient())?);
    }
    let wraps = BTreeMap::from([(card.person_id(), mine)]);
    let file = KeyringFile::build(&roster, wraps, key_of(Compartment::Ledger)?, card.person_id(), signer)?;
    let digest = Digest(keyring::digest(&roster)?);

    let catalogue_key = key_of(Compartment::Catalogue)?;
    let mut key_file = KeyFile::new(vault)?;
    key_file.write(&layout.key_file(), catalogue_key)?;
    let db_keys = derived(layout, &[catalogue_key], "catalogue")?;
    let [db_key] = db_keys.refs()[..] else { return Err(Error::bug("one key makes one database key")) };
    let catalogue = Catalogue::create(&layout.path("catalogue.db"), vault, db_key)?;

    let policies = Policies::load(&[]).map_err(|e| e.at("the policies"))?;
    let study_digest = Digest::of(text.as_bytes());
    let sig = crate::domain::study::sign_study(text, signer);
    let mut events = vec![
        Event::Genesis {
            origin: origin(&vault),
            steward: *card.sign(),
            steward_id: card.person_id(),
            log_key: log_public,
            boards: founding.boards.clone(),
            trustees: founding.trustees.0.clone(),
            threshold: founding.trustees.1,
        },
        Event::Person {
            person: card.person_id(),
            sign: *card.sign(),
            country: card.country().to_string(),
            roles: vec![grant.clone()],
        },
        Event::Keyring { version: 1, digest },
        Event::Study { version: 1, digest: study_digest, text: text.to_owned(), sig },
        Event::Policy { digest: policies.digest(), text: policies.text().to_owned() },
    ];
    let writer = catalogue.begin()?;
    for (record, site) in &sites {
        events.push(Event::Site { site: record.id, country: site.country.to_string(), boards: site.boards.clone() });
        writer.put_record(RecordKind::Site, record.id.as_bytes(), 0, record)?;
    }
    let person = PersonRecord { card: card.clone(), roles: vec![grant], added: founding.now, removed: None };
    writer.put_record(RecordKind::Person, card.person_id().as_bytes(), 0, &person)?;
    let record =
        StudyRecord { version: 1, text: text.to_owned(), steward: card.person_id(), sig, digest: study_digest };
    writer.put_record(RecordKind::Study, &version_id(1), 0, &record)?;
    writer.set_meta("keyfile_generation", &key_file.generation().to_be_bytes())?;
    let keyring = file.to_bytes()?;
    writer.set_meta(KEYRING_DIGEST, &Digest::of(&keyring).0)?;

    let draft = Draft { vault, seq: 0, time: founding.now, root: tree::empty_root(), command: "init".into(), events };
    let leaf = Entry::sign_to_bytes(draft, card.person_id(), signer)?;
    writer.post(0, &leaf)?;
    writer.commit()?;
    let db_keys = derived(layout, &[key_of(Compartment::Ledger)?], "ledger")?;
    let [db_key] = db_keys.refs()[..] else { return Err(Error::bug("one key makes one database key")) };
    let log = Log::create(&layout.path("ledger.db"), db_key)?;
    log.append(0, &leaf)?;
    layout.write(KEYRING, &keyring)?;
    let card = VaultCard::issue(
        VaultFacts {
            vault,
            deposit: inbox_public,
            desk: desk_public,
            log_key: log_public,
            genesis: tree::leaf_hash(&leaf).0,
            stewards: vec![*card.sign()],
            issued: founding.now,
        },
        signer,
    )?;
    layout.write("vault.card", &card.to_bytes()?)?;
    layout.founded()?;
    Ok(card)
}

/// The id of the record of a version, of the study or of the policies.
pub(crate) fn version_id(version: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[12..].copy_from_slice(&version.to_be_bytes());
    id
}
