//! What is verified of an extract before anybody sees it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Found, Opened, Opening};
use crate::base::id::PersonId;
use crate::base::time::Date;
use crate::base::{Error, Result, canonical, format};
use crate::crypto::card::{self, VaultCard};
use crate::crypto::sign::{Signature, require};
use crate::domain::decide::decision_verifies;
use crate::ledger::checkpoint::SignedCheckpoint;
use crate::ledger::entry::{Entry, MAX_ENTRY};
use crate::ledger::event::{Digest, Event};
use crate::ledger::proof::{MAX_PROOF_FILE, Proof};
use crate::ops::build::manifest::{
    DECISION, DECISIONS_FORMAT, Decisions, FORMAT, MANIFEST, MANIFEST_CONTEXT, MANIFEST_SIG, Manifest, PARTICIPANTS,
    PROOF, README, RELEASE, VAULT_CARD,
};
use crate::store::files;
use crate::store::state::Seen;

/// The longest of the files that are read whole, in bytes.
const MOST: u64 = 64 << 20;

/// How it is known that an extract comes from the right vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pinned {
    /// By a vault card that was given.
    Card,
    /// By what this person saw of the vault before.
    Remembered,
    /// Not: it is the first extract from this vault, and from now on its ledger's key is remembered.
    FirstUse,
}

/// An extract in which everything holds.
pub(super) struct Verified {
    pub(super) opened: Opened,
    /// What to remember of the vault.
    pub(super) seen: Seen,
}

/// What the ledger's entry says of the release.
struct Receipt {
    recipient: PersonId,
    until: Date,
    manifest: Digest,
}

/// Whether a vault would put a file of that name into an extract.
pub(super) fn may_be_there(name: &str) -> bool {
    let fixed = [MANIFEST, MANIFEST_SIG, DECISION, RELEASE, PROOF, VAULT_CARD, README, PARTICIPANTS];
    let transcript = |rest: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        rest.starts_with("C-") && rest.ends_with(".txt") && rest.len() <= 80 && rest.chars().all(plain)
    };
    fixed.contains(&name) || name.strip_prefix("transcripts/").is_some_and(transcript)
}

/// Verifies the files of an extract that were unpacked into `folder`.
pub(super) fn verify(folder: &Path, found: &Found, opening: &Opening<'_>) -> Result<Verified> {
    let read = |name: &str, most: u64| {
        if found.contains_key(name) {
            files::read_bounded(&folder.join(name), most, "a file of the extract")
        } else {
            Err(missing(name))
        }
    };
    let bytes = read(MANIFEST, MOST)?;
    format::expect(&bytes, FORMAT, "the extract")?;
    let manifest: Manifest = parse(&bytes, MANIFEST)?;
    if manifest.format != FORMAT {
        return Err(Error::user(
            "the extract is in a format that this program does not read",
            "Install the version of Subrosa that built it.",
        ));
    }
    let leaf = read(RELEASE, MAX_ENTRY as u64)?;
    let entry = Entry::parse(&leaf).map_err(|_| altered(RELEASE))?;
    let receipt = receipt(&entry, &manifest)?;
    if receipt.manifest != Digest::of(&bytes) {
        return Err(altered(MANIFEST));
    }
    entry.verify_signature()?;
    let sig = read(MANIFEST_SIG, 1024)?;
    require(&entry.key, MANIFEST_CONTEXT, &bytes, &signature(&sig)?, "the manifest")?;

    let card = VaultCard::parse(&read(VAULT_CARD, card::MOST_BYTES as u64)?)?;
    if card.facts().vault != manifest.vault || card.origin() != manifest.origin {
        return Err(other_vault());
    }
    let before = opening.state.load(manifest.vault)?;
    let pinned = pin(&card, opening.card, before.as_ref())?;
    let proof = Proof::parse(&read(PROOF, MAX_PROOF_FILE as u64)?).map_err(|_| altered(PROOF))?;
    let head = proof.verify(&leaf, &card.origin(), &card.facts().log_key).map_err(|_| {
        Error::damage(
            "the proof that the ledger holds this release does not hold",
            "The extract was altered, or comes from another ledger. Do not use it; tell the steward or the ethics board.",
        )
    })?;
    if proof.index != entry.draft.seq {
        return Err(altered(PROOF));
    }

    let me = opening.identity.person_id();
    if receipt.recipient != me || manifest.recipient != me {
        return Err(Error::denied(
            "this extract was released to somebody else, and then sealed to you",
            "Extracts are not passed on. Do not use it; ask for your own with `subrosa request new`.",
        ));
    }
    let trusted = stewards(&card, opening.card, before.as_ref());
    let decided_by = decided(&parse(&read(DECISION, MOST)?, DECISION)?, &manifest, &receipt, &trusted)?;
    whole(found, &manifest)?;
    if opening.now.date() > manifest.until {
        return Err(Error::denied(
            format!("the time for this extract is over: all copies were to be destroyed by {}", manifest.until),
            "Destroy it. If you still need the material, write a new request.",
        ));
    }
    Ok(Verified {
        seen: remembered(&card, before, &head, &trusted)?,
        opened: Opened {
            folder: folder.to_owned(),
            release: manifest.release,
            project: manifest.project.title,
            level: manifest.level,
            until: manifest.until,
            transcripts: manifest.interviews.len(),
            participants: manifest.participants,
            withheld: manifest.withheld,
            decided_by,
            pinned,
            entry: proof.index,
            ledger_size: head.checkpoint().size,
            conditions: manifest.conditions.text,
        },
    })
}

fn receipt(entry: &Entry, manifest: &Manifest) -> Result<Receipt> {
    let found = entry.draft.events.iter().find_map(|event| match event {
        Event::Receipt { release, recipient, until, manifest: digest } if *release == manifest.release => {
            Some(Receipt { recipient: *recipient, until: *until, manifest: *digest })
        }
        _ => None,
    });
    found.filter(|_| entry.draft.vault == manifest.vault).ok_or_else(|| {
        Error::damage(
            "the ledger's entry in the extract is that of another release",
            "The extract was put together by somebody. Do not use it; tell the archivist.",
        )
    })
}

/// Each decision is its steward's, says yes, and says what the manifest says. Gives the stewards' names.
fn decided(decisions: &Decisions, manifest: &Manifest, receipt: &Receipt, trusted: &[String]) -> Result<Vec<String>> {
    let forged = || {
        Error::damage(
            "a steward's decision in the extract does not hold, or is about something else",
            "The extract was altered. Do not use it; tell the steward.",
        )
    };
    if decisions.format != DECISIONS_FORMAT || decisions.decisions.is_empty() {
        return Err(forged());
    }
    // The receipt names no request; the decisions stand in the manifest that it names.
    let request = decisions.decisions.first().map(|signed| signed.decision.request);
    let mut names = Vec::with_capacity(decisions.decisions.len());
    for signed in &decisions.decisions {
        let (facts, card) = (&signed.decision, &signed.card);
        let theirs = card.person_id() == facts.steward && decision_verifies(facts, &signed.sig, card.sign());
        let same = Some(facts.request) == request
            && facts.recipient == receipt.recipient
            && facts.project == manifest.project.id
            && facts.level == manifest.level
            && facts.until == manifest.until
            && receipt.until == manifest.until;
        if !theirs || !same || !facts.granted || facts.steward == facts.requester || facts.steward == facts.recipient {
            return Err(forged());
        }
        if !trusted.contains(&card.sign().to_base64()) {
            return Err(Error::damage(
                "the decision in the extract is by somebody whom the vault's card does not name as a steward",
                "Ask a steward whom you know for the vault's newest card, compare its fingerprint, and open the extract with --vault-card.",
            ));
        }
        names.push(card.name().to_owned());
    }
    Ok(names)
}

/// Every file of the manifest is there as it says, and no other but those that go with every extract.
fn whole(found: &Found, manifest: &Manifest) -> Result<()> {
    let mut listed: BTreeSet<&str> = [MANIFEST, MANIFEST_SIG, RELEASE, PROOF, VAULT_CARD].into();
    for facts in &manifest.files {
        match found.get(&facts.path) {
            Some(known) if known == facts => {}
            Some(_) => return Err(altered(&facts.path)),
            None => return Err(missing(&facts.path)),
        }
        listed.insert(&facts.path);
    }
    match found.keys().find(|name| !listed.contains(name.as_str())) {
        Some(_) => Err(Error::damage(
            "the extract holds a file that its manifest does not know",
            "It was put there by somebody. Do not use it; tell the archivist.",
        )),
        None if listed.contains(DECISION) => Ok(()),
        None => Err(missing(DECISION)),
    }
}

/// Holds the vault card of the extract against the one given and what was seen before.
fn pin(card: &VaultCard, given: Option<&VaultCard>, before: Option<&Seen>) -> Result<Pinned> {
    let facts = card.facts();
    if let Some(given) = given.map(VaultCard::facts)
        && (given.vault != facts.vault || given.log_key != facts.log_key || given.genesis != facts.genesis)
    {
        return Err(other_vault());
    }
    if let Some(seen) = before
        && (seen.log_key != facts.log_key.to_base64() || seen.genesis != genesis(card))
    {
        return Err(other_vault());
    }
    Ok(match (given, before) {
        (Some(_), _) => Pinned::Card,
        (None, Some(_)) => Pinned::Remembered,
        (None, None) => Pinned::FirstUse,
    })
}

/// Whose decisions count: those whom the card that was given names, or else those remembered; and those of the card in the extract, if one of
/// them signed it. At first use, without either, those of the card in the extract.
fn stewards(card: &VaultCard, given: Option<&VaultCard>, before: Option<&Seen>) -> Vec<String> {
    let names = |card: &VaultCard| card.facts().stewards.iter().map(|key| key.to_base64()).collect::<Vec<_>>();
    let known = match (given, before) {
        (Some(given), _) => names(given),
        (None, Some(seen)) if !seen.stewards.is_empty() => seen.stewards.clone(),
        _ => return names(card),
    };
    if known.contains(&card.steward().to_base64()) { [known, names(card)].concat() } else { known }
}

/// What to remember: the larger head. Two heads of one size that differ are a fork.
fn remembered(card: &VaultCard, before: Option<Seen>, head: &SignedCheckpoint, trusted: &[String]) -> Result<Seen> {
    let key = card.facts().log_key;
    let mut seen = before.unwrap_or_else(|| Seen::new(card.facts().vault, genesis(card), key.to_base64()));
    if !seen.checkpoint.is_empty() {
        let old = SignedCheckpoint::parse(seen.checkpoint.as_bytes(), &card.origin(), &key)?;
        let (old, new) = (old.checkpoint(), head.checkpoint());
        if old.size == new.size && old.root != new.root {
            return Err(Error::damage(
                "the ledger of this extract is not the one that you saw before: it was forked",
                "Do not use the extract. Keep your state folder, and tell the ethics board.",
            ));
        }
        if old.size < new.size {
            seen.checkpoint = head.to_string();
        }
    } else {
        seen.checkpoint = head.to_string();
    }
    seen.stewards = trusted.to_vec();
    seen.stewards.sort();
    seen.stewards.dedup();
    Ok(seen)
}

fn genesis(card: &VaultCard) -> String {
    data_encoding::BASE64.encode(&card.facts().genesis)
}

fn signature(bytes: &[u8]) -> Result<Signature> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let decoded = std::str::from_utf8(text).ok().and_then(crate::base::text::base64);
    decoded.and_then(|bytes| Signature::from_slice(&bytes)).ok_or_else(|| altered(MANIFEST_SIG))
}

fn parse<T: DeserializeOwned + Serialize>(bytes: &[u8], name: &str) -> Result<T> {
    canonical::from_slice(bytes).map_err(|_| altered(name))
}

fn altered(name: &str) -> Error {
    Error::damage(
        format!("{} of the extract is not as it was released", kind_of(name)),
        "It was altered, or copied badly. Do not use it; ask the archivist to build it again.",
    )
}

fn missing(name: &str) -> Error {
    let what = match name {
        PROOF | RELEASE => "the extract lacks the proof that its release is in the ledger".to_owned(),
        name => format!("{} of the extract is missing", kind_of(name)),
    };
    Error::damage(
        what,
        "It was not built by a vault, or was altered. Do not use it; ask the archivist to build it again.",
    )
}

/// The name of a file, without the citation code of a transcript.
fn kind_of(name: &str) -> &str {
    if name.starts_with("transcripts/") { "a transcript" } else { name }
}

fn other_vault() -> Error {
    Error::damage(
        "the extract comes from another vault than the one that you know",
        "Compare the fingerprint of the vault card with a steward before you use it.",
    )
}
