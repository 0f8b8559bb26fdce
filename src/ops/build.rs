//! Building an extract: on stewards' signed decisions, by an archivist, for one person.
//!
//! The plan is made anew from what holds now, and the release is durable in the ledger before the file appears. The same grant on the same state gives
//! the same bytes before sealing: a second build finds the first one's release and says in the ledger that it was built again.
//!
//! The release names what went out by tokens that are the same in every project, so its entry stays in the vault. The extract carries the entry right
//! after it, a receipt that names no item. A program that was ended between the two leaves a release without a receipt; building again writes it.

mod exit;
mod guard;
pub mod manifest;
mod readme;
mod render;
mod scripts;
mod sink;
mod table;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::exit::refuse_what_may_not_leave;
use self::manifest::{
    Accepted, DECISION, DECISIONS_FORMAT, Decisions, FORMAT, FileFacts, MANIFEST, MANIFEST_CONTEXT, MANIFEST_SIG,
    Manifest, PARTICIPANTS, PROOF, ProjectName, README, RELEASE, SignedDecision, VAULT_CARD, Withheld,
};
use self::render::Rendered;
use self::scripts::Scripts;
use self::sink::Sink;
use super::decide::{self, DecisionRecord};
use super::plan::{self, Facts};
use super::policy;
use super::request::{self, count};
use crate::base::id::{InterviewId, ParticipantId, PersonId, ReleaseId, RequestId, VaultId};
use crate::base::progress::Progress;
use crate::base::role::Role;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result, canonical};
use crate::crypto::card::{self, VaultCard, origin};
use crate::crypto::sign::Signature;
use crate::crypto::stream::AgeRecipient;
use crate::domain::conditions::Conditions;
use crate::domain::decide::Decided;
use crate::domain::policy::Policies;
use crate::domain::request::Filed;
use crate::formats::package::PackageWriter;
use crate::ledger::event::{Digest, Event};
use crate::session::{Act, Unlocked, Vault, View};
use crate::store::catalogue::RecordKind;

/// A release, as the catalogue keeps it: whom to tell when somebody withdraws.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// Its id.
    pub id: ReleaseId,
    /// The request that it answers.
    pub request: RequestId,
    /// Who got it.
    pub recipient: PersonId,
    /// They may keep it until.
    pub until: Date,
    /// SHA-256 of its manifest.
    pub manifest: Digest,
    /// The builder's signature over the manifest.
    pub sig: Signature,
    /// The number of its ledger entry.
    pub seq: u64,
    /// The number of the entry with its receipt, which the extract carries; none where the program was ended in between.
    pub receipt: Option<u64>,
    /// Who built it first.
    pub by: PersonId,
    /// When.
    pub built: Moment,
    /// The vault's card as it was then: the extract carries it.
    pub card: VaultCard,
    /// Who is heard in it.
    pub participants: Vec<ParticipantId>,
    /// The interviews of which something went.
    pub interviews: Vec<InterviewId>,
}

/// What was built.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Built {
    /// `REQ-7`.
    pub request: String,
    /// The release.
    pub release: ReleaseId,
    /// Whom it is sealed to.
    pub recipient: String,
    /// The level.
    pub level: u8,
    /// They may keep it until.
    pub until: Date,
    /// Interviews of which something went.
    pub interviews: usize,
    /// Participants who are heard.
    pub participants: usize,
    /// Rows that the table of participants does not show.
    pub rows_left_out: usize,
    /// How much stayed.
    pub withheld: Withheld,
    /// It was built before; the same bytes again.
    pub again: bool,
    /// SHA-256 of the manifest.
    pub manifest: Digest,
    /// The number of the ledger entry with its receipt.
    pub entry: u64,
    /// Where the file lies.
    pub file: PathBuf,
    /// Its length.
    pub bytes: u64,
}

crate::base::text::hidden!(Built);

/// What goes into an extract, and what is known of it.
struct Composed {
    /// All files but the transcripts, by name.
    files: BTreeMap<String, Vec<u8>>,
    scripts: Scripts,
    /// Name, digest and length of the transcripts.
    transcripts: Vec<FileFacts>,
    recipient: AgeRecipient,
    released: Released,
    built: Built,
}

/// Builds the extract of a request and seals it to whoever asked, into `out`, which may not exist yet.
pub fn build(vault: &mut Vault<Unlocked>, number: u32, out: &Path, progress: &dyn Progress) -> Result<Built> {
    if out.symlink_metadata().is_ok() {
        return Err(Error::user(
            "there is a file of that name already",
            "Choose another name with --out; nothing was built.",
        ));
    }
    in_ledger(vault, number)?;
    let vault_card =
        vault.layout().read("vault.card", card::MOST_BYTES as u64).and_then(|bytes| VaultCard::parse(&bytes));
    let vault_card = vault_card.ok().filter(|card| card.facts().vault == vault.layout().vault());
    let vault_card = vault_card.ok_or_else(|| {
        Error::damage(
            "vault.card is missing, damaged or of another vault; an extract carries it",
            "Restore vault.card from a backup, or move it away: the next steward who unlocks the vault writes it anew.",
        )
    })?;
    let sink = Sink::create(out)?;
    let mut done = vault.commit("extract build", |act| {
        let policies = policy::in_force(act)?;
        compose(act, number, &policies, &vault_card)
    })?;
    done.files.insert(VAULT_CARD.to_owned(), done.released.card.to_bytes()?);
    let seq = match done.released.receipt {
        Some(seq) => seq,
        None => vault.commit("extract receipt", |act| receipt(act, done.released.id))?,
    };
    done.files.insert(PROOF.to_owned(), proof(vault, seq)?.into_bytes());
    done.files.insert(RELEASE.to_owned(), vault.log().db().leaf(seq)?);
    let small = done.files.values().map(|bytes| packed(bytes.len() as u64));
    let length = small.chain(done.transcripts.iter().map(|facts| packed(facts.bytes))).sum();
    let view = vault.view()?;
    let sealed = sink.seal(&done.recipient, length, progress, |package| done.write(&view, package))?;
    Ok(Built { file: out.to_owned(), bytes: sealed, entry: seq, ..done.built })
}

/// The bytes that a file of this length takes in a package.
fn packed(length: u64) -> u64 {
    512 + length.next_multiple_of(512)
}

impl Composed {
    /// Writes all files in the order of their names.
    fn write<W: Write>(&self, view: &View<'_>, package: &mut PackageWriter<W>) -> Result<()> {
        let mut files = self.files.iter().peekable();
        self.scripts.write(view, &self.transcripts, |name, bytes| {
            while let Some((before, bytes)) = files.next_if(|(other, _)| other.as_str() < name) {
                package.file(before, bytes)?;
            }
            package.file(name, bytes)
        })?;
        files.try_for_each(|(name, bytes)| package.file(name, bytes))
    }
}

/// Refuses decisions that the ledger does not hold as the catalogue has them.
fn in_ledger(vault: &Vault<Unlocked>, number: u32) -> Result<()> {
    let view = vault.view()?;
    request::require_desk(&view)?;
    let filed = request::find(&view, number)?;
    for record in decide::of(&view, &filed)? {
        let entry = vault.log().entry(record.seq)?;
        let (items, salt) = record.list.map(|list| (list.items, list.salt)).unzip();
        let wanted = Event::Decision { decision: record.facts.clone(), sig: record.sig, items, salt };
        if entry.draft.seq != record.seq || entry.actor != record.facts.steward || !entry.draft.events.contains(&wanted)
        {
            return Err(Error::damage(
                "a decision in the catalogue is not in the ledger",
                "Nothing is built on it. Run `subrosa check`, and ask the steward to decide again.",
            ));
        }
        entry.verify_signature()?;
    }
    Ok(())
}

/// Writes the receipt of a release: the part of it that may leave. Whoever comes second to it writes it again, and the first one stands.
fn receipt(act: &mut Act<'_>, id: ReleaseId) -> Result<u64> {
    let released: Option<Released> = act.record(RecordKind::Release, id.as_bytes())?;
    let mut released = released.ok_or_else(|| Error::bug("a release was lost before its receipt"))?;
    let seq = *released.receipt.get_or_insert(act.seq());
    act.tables().put_record_of(
        RecordKind::Release,
        id.as_bytes(),
        released.request.as_bytes(),
        act.seq(),
        &released,
    )?;
    let Released { recipient, until, manifest, .. } = released;
    act.event(Event::Receipt { release: id, recipient, until, manifest });
    Ok(seq)
}

/// The proof of the receipt's entry, under the head right after it: the same whenever it is asked for.
fn proof(vault: &Vault<Unlocked>, seq: u64) -> Result<String> {
    let head = vault.sign_head(seq + 1)?;
    Ok(vault.log().proof(seq, &head)?.to_string())
}

fn compose(act: &mut Act<'_>, number: u32, policies: &Policies, card: &VaultCard) -> Result<Composed> {
    act.require(Role::Archivist, None)?;
    let filed = request::find(act, number)?;
    refuse_own(act, &filed)?;
    let (records, decided): (Vec<DecisionRecord>, Vec<Decided>) = decide::verified(act, &filed)?.into_iter().unzip();
    let standing: Vec<_> = records.first().map(|record| record.facts.approvals.clone()).unwrap_or_default();
    let known = plan::gather(act, &filed, act.now(), Some(&standing))?;
    let planned = known.plan(act, policies, &decided)?;
    let rendered = render::render(act, &known, planned.plan.grant()?, planned.items, planned.wordless.len())?;
    let Some(first) = records.first() else { return Err(Error::bug("something was granted without a decision")) };
    let signed = signed(act, &records)?;
    let mut files = BTreeMap::from([(PARTICIPANTS.to_owned(), rendered.participants.clone())]);
    files.insert(DECISION.to_owned(), canonical::to_vec(&signed)?);
    files.insert(README.to_owned(), readme::readme(&known, &first.facts, rendered.rows_left_out).into_bytes());
    let vault = act.layout().vault();
    let mut manifest = manifest_of(vault, &known, &records, &rendered, &files)?;
    refuse_what_may_not_leave(act, &known, &rendered, &files, &manifest)?;

    let before: Vec<Released> = act.records_of(RecordKind::Release, filed.id.as_bytes())?;
    let earlier = earlier(&filed, before, &mut manifest)?;
    let again = earlier.is_some();
    let released = match earlier {
        Some(released) => {
            act.event(Event::ReleaseAgain { release: released.id, manifest: released.manifest });
            released
        }
        None => release(act, &filed, &rendered, &mut manifest, card)?,
    };
    files.insert(MANIFEST.to_owned(), canonical::to_vec(&manifest)?);
    let sig = data_encoding::BASE64.encode(&released.sig.to_bytes());
    files.insert(MANIFEST_SIG.to_owned(), format!("{sig}\n").into_bytes());
    Ok(Composed {
        files,
        transcripts: rendered.files,
        scripts: rendered.scripts,
        recipient: known.recipient.card.recipient().clone(),
        built: Built {
            request: filed.name(),
            release: released.id,
            recipient: known.recipient.card.name().to_owned(),
            level: manifest.level,
            until: manifest.until,
            interviews: rendered.going.len(),
            participants: rendered.heard.len(),
            rows_left_out: rendered.rows_left_out,
            withheld: manifest.withheld,
            again,
            manifest: released.manifest,
            entry: 0,
            file: PathBuf::new(),
            bytes: 0,
        },
        released,
    })
}

/// Refuses whoever asked, and so gets it: nobody builds what goes to themselves (DESIGN, section 1).
fn refuse_own(act: &Act<'_>, filed: &Filed) -> Result<()> {
    if filed.requester != act.person() {
        return Ok(());
    }
    Err(Error::denied("nobody builds an extract for their own request", "Ask another archivist to build it."))
}

fn signed(act: &Act<'_>, records: &[DecisionRecord]) -> Result<Decisions> {
    let one = |record: &DecisionRecord| {
        let card = plan::decider(act, &record.facts)?.person.card;
        Ok(SignedDecision { decision: record.facts.clone(), sig: record.sig, card })
    };
    let decisions = records.iter().map(one).collect::<Result<_>>()?;
    Ok(Decisions { format: DECISIONS_FORMAT.to_owned(), decisions })
}

/// The manifest, its release still to be named.
fn manifest_of(
    vault: VaultId,
    known: &Facts,
    records: &[DecisionRecord],
    rendered: &Rendered,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Manifest> {
    let Some(last) = records.last() else { return Err(Error::bug("a manifest stands on no decision")) };
    let facts = &last.facts;
    let conditions = Conditions::of(&facts.conditions)
        .ok_or_else(|| Error::denied("the conditions accepted are unknown", "Ask for a new request."))?;
    let small = files.iter().map(|(name, bytes)| FileFacts::of(name, bytes));
    let mut listed: Vec<FileFacts> = small.chain(rendered.files.iter().cloned()).collect();
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Manifest {
        format: FORMAT.to_owned(),
        vault,
        origin: origin(&vault),
        project: ProjectName { id: known.project.id, title: known.project.title.clone() },
        release: ReleaseId::from_bytes([0; 16]),
        recipient: facts.recipient,
        level: facts.level,
        engine: rendered.engines.iter().cloned().collect::<Vec<_>>().join(", "),
        until: facts.until,
        conditions: Accepted { version: conditions.version.to_owned(), text: conditions.text.to_owned() },
        built: facts.time,
        files: listed,
        interviews: rendered.interviews.clone(),
        participants: rendered.heard.len() as u64,
        withheld: rendered.withheld,
    })
}

/// The release of this request whose manifest is the same, if there was one; the manifest then names it.
fn earlier(filed: &Filed, releases: Vec<Released>, manifest: &mut Manifest) -> Result<Option<Released>> {
    for released in releases.into_iter().filter(|r| r.request == filed.id && r.recipient == filed.requester) {
        manifest.release = released.id;
        if Digest::of(&canonical::to_vec(manifest)?) == released.manifest {
            return Ok(Some(released));
        }
    }
    Ok(None)
}

fn release(
    act: &mut Act<'_>,
    filed: &Filed,
    rendered: &Rendered,
    manifest: &mut Manifest,
    card: &VaultCard,
) -> Result<Released> {
    manifest.release = ReleaseId::random()?;
    let bytes = canonical::to_vec(manifest)?;
    let released = Released {
        id: manifest.release,
        request: filed.id,
        recipient: filed.requester,
        until: manifest.until,
        manifest: Digest::of(&bytes),
        sig: act.signer().sign(MANIFEST_CONTEXT, &bytes),
        seq: act.seq(),
        receipt: None,
        by: act.person(),
        built: act.now(),
        card: card.clone(),
        participants: rendered.heard.iter().copied().collect(),
        interviews: rendered.going.iter().copied().collect(),
    };
    act.tables().put_record_of(
        RecordKind::Release,
        released.id.as_bytes(),
        filed.id.as_bytes(),
        act.seq(),
        &released,
    )?;
    act.event(Event::Release {
        release: released.id,
        request: filed.id,
        recipient: released.recipient,
        until: released.until,
        manifest: released.manifest,
        items: rendered.released.clone(),
        withheld: count(usize::try_from(manifest.withheld.interviews).unwrap_or(usize::MAX)),
    });
    Ok(released)
}
