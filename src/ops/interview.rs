//! Reading interviews: the list, and all about one. What is returned is in the ledger already.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::base::id::{ObjectId, ParticipantId, SiteId, Token};
use crate::base::role::Role;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result};
use crate::crypto::keyring::Member;
use crate::domain::consent::{Place, state_at};
use crate::domain::interview::{Glance, Interview, InterviewContent, Object, ObjectKind, SpeakerRole};
use crate::domain::participant::ParticipantContent;
use crate::domain::transcript::TranscriptKind;
use crate::ledger::event::{Event, Module, ModuleState, Tier};
use crate::ops::listing::Listing;
use crate::redact::mark::Marks;
use crate::session::{Act, Loaded, Unlocked, Vault, View};
use crate::store::catalogue::InterviewRow;

/// Which interviews are wanted; all of them where nothing is said.
#[derive(Clone, Default)]
pub struct Filter {
    /// Of these sites, by prefix.
    pub sites: Vec<String>,
    /// Made on this day or later.
    pub from: Option<Date>,
    /// Made on this day or earlier.
    pub to: Option<Date>,
    /// In this state: `recorded`, `transcribed`, `reviewed`, `withdrawn` or `empty`.
    pub state: Option<String>,
}

/// The words for the state of an interview.
pub const STATES: [&str; 5] = ["recorded", "transcribed", "reviewed", "withdrawn", "empty"];

/// An interview as a list shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Archive code.
    pub code: String,
    /// When it was made.
    pub date: Date,
    /// The prefix of its site.
    pub site: String,
    /// BCP 47.
    pub language: String,
    /// How many participants are heard.
    pub participants: u64,
    /// How many recordings there are.
    pub recordings: u32,
    /// How many transcript versions there are.
    pub transcripts: u32,
    /// How many documents there are.
    pub documents: u32,
    /// `recorded`, `transcribed`, `reviewed`, `withdrawn` or `empty`.
    pub state: String,
}

/// All about one interview, names aside.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Archive code.
    pub code: String,
    /// What the ledger calls it.
    pub token: Token,
    /// When it was made.
    pub date: Date,
    /// Where.
    pub place: String,
    /// The prefix of its site.
    pub site: String,
    /// BCP 47.
    pub language: String,
    /// When it was taken in.
    pub ingested: Moment,
    /// `recorded`, `transcribed`, `reviewed`, `withdrawn` or `empty`.
    pub state: String,
    /// Who is heard.
    pub speakers: Vec<ShownSpeaker>,
    /// Recordings, documents, evidence.
    pub objects: Vec<ShownObject>,
    /// Transcript versions, oldest first.
    pub transcripts: Vec<ShownTranscript>,
    /// What participants agreed to, as it stands now.
    pub consent: Vec<ShownConsent>,
    /// Names, notes and the like, if they were asked for.
    pub names: Option<Names>,
}

/// A speaker.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ShownSpeaker {
    /// Label in the transcripts.
    pub label: String,
    /// What they are there.
    pub role: SpeakerRole,
    /// What the ledger calls them, if they are a participant.
    pub token: Option<Token>,
    /// In how many interviews they are heard.
    pub heard_in: Option<u64>,
}

/// A recording, document or piece of evidence.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ShownObject {
    /// What the ledger calls it.
    pub token: Token,
    /// What it is.
    pub kind: ObjectKind,
    /// Container, or kind of document.
    pub form: String,
    /// Bytes.
    pub length: u64,
    /// How long it plays.
    pub duration_ms: Option<u64>,
}

/// A transcript version.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ShownTranscript {
    /// Its number.
    pub version: u32,
    /// What the ledger calls it.
    pub token: Token,
    /// What sort.
    pub kind: TranscriptKind,
    /// BCP 47.
    pub language: String,
    /// The version that it was made from.
    pub made_from: Option<u32>,
    /// How many turns.
    pub turns: u64,
    /// How many marks; only for archivists of the site.
    pub marks: Option<u64>,
    /// When a review was recorded that still stands.
    pub reviewed: Option<Moment>,
}

/// What a participant's consent comes to for this interview, today.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ShownConsent {
    /// Whose, by label.
    pub label: String,
    /// How many events there are on their consent.
    pub events: u32,
    /// The state of every module.
    pub modules: BTreeMap<Module, ModuleState>,
    /// How they may be named in print.
    pub tier: Tier,
    /// Nothing leaves before this day.
    pub embargo: Option<Date>,
    /// Nothing leaves after this day.
    pub expiry: Option<Date>,
    /// A condition in free words waits for a steward.
    pub unmapped_condition: bool,
    /// Withdrawn altogether.
    pub withdrawn: bool,
    /// Passages of this interview are spoken of separately.
    pub passages: bool,
}

/// Who the speakers are, and what was noted: content.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Names {
    /// Who the speakers are, by label.
    pub speakers: BTreeMap<String, ParticipantContent>,
    /// Notes.
    pub notes: Vec<String>,
    /// Anything else that the manifest said.
    pub metadata: BTreeMap<String, String>,
    /// The files' names as delivered, by the object's token.
    pub files: BTreeMap<String, String>,
    /// Conditions in free words, by label.
    pub conditions: BTreeMap<String, String>,
    /// When participants agreed, by label.
    pub agreed: BTreeMap<String, Date>,
}

/// The interviews that fit, in the order of their codes; those that are damaged are left out and counted. Archivists see their sites, stewards all.
pub fn list(vault: &mut Vault<Unlocked>, filter: &Filter) -> Result<Listing<Listed>> {
    if filter.state.as_ref().is_some_and(|s| !STATES.contains(&s.as_str())) {
        return Err(Error::user("there is no such state", format!("The states are {}.", STATES.join(", "))));
    }
    vault.commit("interview list", |act| {
        may_list(act)?;
        let prefixes: HashMap<SiteId, String> = act.sites()?.into_values().map(|s| (s.id, s.prefix)).collect();
        let mut wanted = Vec::new();
        for prefix in &filter.sites {
            let site = act.site_by_prefix(prefix)?;
            let site = site.ok_or_else(|| {
                Error::user("there is no such site in the study", "Use the prefixes of the study's sites.")
            })?;
            if !sees(act.me(), site.id) {
                act.require(Role::Archivist, Some(site.id))?;
            }
            wanted.push(site.id);
        }
        let me = act.me();
        let (listed, mut hurt) = act.each_interview(|head, body: Glance| {
            let of_site = wanted.is_empty() || wanted.contains(&head.site);
            let wanted = of_site && sees(me, head.site) && fits(filter, &body);
            wanted.then(|| Ok(listed(body, prefixes.get(&head.site).ok_or_else(homeless)?)))
        })?;
        let mut listed = listed.into_iter().collect::<Result<Vec<_>>>()?;
        listed.sort_by(|(a, row_a), (b, row_b)| (&row_a.site, a, &row_a.code).cmp(&(&row_b.site, b, &row_b.code)));
        hurt.retain(|site| (wanted.is_empty() || wanted.contains(site)) && sees(me, *site));
        let filters = [
            ("site", !filter.sites.is_empty()),
            ("from", filter.from.is_some()),
            ("to", filter.to.is_some()),
            ("state", filter.state.is_some()),
        ];
        let filters = filters.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect();
        let count = i64::try_from(listed.len()).unwrap_or(i64::MAX);
        act.event(Event::Listed { what: "interviews".into(), filters, count });
        let rows = listed.into_iter().map(|(_, row)| row).collect();
        Ok(Listing { rows, hurt: hurt.len() as u64 })
    })
}

/// All about the interview with a code; with `names` also who the speakers are and what was noted, for archivists of its site.
pub fn show(vault: &mut Vault<Unlocked>, code: &str, names: bool) -> Result<Shown> {
    vault.commit("interview show", |act| {
        may_list(act)?;
        let interview = act.find_interview(code)?;
        let site = interview.row.site;
        if names || !act.has(Role::Steward, None) {
            act.require(Role::Archivist, Some(site))?;
        }
        let content = act.has(Role::Archivist, Some(site)) && act.opens(site);
        let (mut shown, mut tokens) = facts(act, &interview, content)?;
        if names {
            shown.names = Some(of_speakers(act, &interview)?);
        }
        tokens.sort_unstable();
        tokens.dedup();
        let what = if names { "interview and names" } else { "interview" };
        act.event(Event::Opened { what: what.into(), tokens });
        Ok(shown)
    })
}

fn homeless() -> Error {
    Error::damage(
        "an interview belongs to no site of the vault",
        "Run `subrosa check`, and restore catalogue.db from a backup.",
    )
}

/// Stewards and archivists may read of interviews.
fn may_list(view: &View<'_>) -> Result<()> {
    if view.has(Role::Steward, None) { Ok(()) } else { view.require(Role::Archivist, None) }
}

fn sees(me: &Member, site: SiteId) -> bool {
    me.has(Role::Steward, None) || me.has(Role::Archivist, Some(site))
}

fn fits(filter: &Filter, interview: &Glance) -> bool {
    filter.from.is_none_or(|from| interview.date >= from)
        && filter.to.is_none_or(|to| interview.date <= to)
        && filter.state.as_ref().is_none_or(|s| s == interview.state.word())
}

/// A row with the number that it is sorted by within its site, so that 10 comes after 9.
fn listed(interview: Glance, site: &str) -> (u64, Listed) {
    let number = interview.code.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or_default();
    let row = Listed {
        date: interview.date,
        site: site.to_owned(),
        participants: interview.participants() as u64,
        recordings: interview.state.recordings,
        transcripts: interview.state.transcripts,
        documents: interview.state.documents,
        state: interview.state.word().to_owned(),
        code: interview.code,
        language: interview.language,
    };
    (number, row)
}

/// Everything but content, and the tokens of what it speaks of.
fn facts(act: &Act<'_>, interview: &Loaded<InterviewRow, Interview>, content: bool) -> Result<(Shown, Vec<Token>)> {
    let (id, site, body) = (interview.row.id, interview.row.site, &interview.body);
    let now = act.now();
    let mut tokens = vec![body.token];
    let (mut speakers, mut consent) = (Vec::new(), Vec::new());
    let mut known: HashMap<ParticipantId, Token> = HashMap::new();
    for speaker in &body.speakers {
        let mut shown = ShownSpeaker { label: speaker.label.clone(), role: speaker.role, token: None, heard_in: None };
        if let Some(participant) = speaker.participant {
            let loaded = act.load_participant(participant)?;
            shown.token = Some(loaded.body.token);
            shown.heard_in = Some(act.heard_in(participant)?.len() as u64);
            if known.insert(participant, loaded.body.token).is_none() {
                tokens.push(loaded.body.token);
                let events = act.consent_events(&loaded)?;
                let state = state_at(&events, now, &Place::Interview(id));
                consent.push(ShownConsent {
                    label: speaker.label.clone(),
                    events: loaded.body.consents,
                    modules: state.modules,
                    tier: state.tier,
                    embargo: state.embargo,
                    expiry: state.expiry,
                    unmapped_condition: state.unmapped,
                    withdrawn: state.withdrawn,
                    passages: crate::domain::consent::has_passages(&events, id),
                });
            }
        }
        speakers.push(shown);
    }
    let mut objects = Vec::new();
    for row in act.objects(id)? {
        let object: Object = row.body.open(&interview.key)?;
        tokens.push(object.token);
        let Object { token, kind, form, length, duration_ms, .. } = object;
        objects.push(ShownObject { token, kind, form, length, duration_ms });
    }
    objects.sort_by(|a, b| (a.kind, &a.form, a.length, a.token).cmp(&(b.kind, &b.form, b.length, b.token)));
    let rows = act.transcripts(id)?;
    let mut transcripts = Vec::with_capacity(rows.len());
    for row in &rows {
        let outline = act.outline(row, &interview.key)?;
        let marks = if content {
            let (key, _) = act.transcript_content(row, site)?;
            Some(row.marks.open::<Marks>(&key)?.marks.len() as u64)
        } else {
            None
        };
        tokens.push(outline.token);
        transcripts.push(ShownTranscript {
            version: row.version,
            token: outline.token,
            kind: outline.kind,
            language: outline.language,
            made_from: outline.parent.and_then(|p| rows.iter().find(|r| r.id == p)).map(|r| r.version),
            turns: outline.turns.len() as u64,
            marks,
            reviewed: outline.review.map(|r| r.at),
        });
    }
    let prefix = act.sites()?.remove(&site).map(|s| s.prefix).ok_or_else(homeless)?;
    let shown = Shown {
        code: body.code.clone(),
        token: body.token,
        date: body.date,
        place: body.place.clone(),
        site: prefix,
        language: body.language.clone(),
        ingested: body.ingested,
        state: body.state.word().to_owned(),
        speakers,
        objects,
        transcripts,
        consent,
        names: None,
    };
    Ok((shown, tokens))
}

fn of_speakers(act: &Act<'_>, interview: &Loaded<InterviewRow, Interview>) -> Result<Names> {
    let (_, content) = act.interview_content(&interview.row)?;
    let InterviewContent { notes, metadata, files, conditions, agreed, others } = content;
    let mut speakers = others;
    for speaker in &interview.body.speakers {
        let Some(id) = speaker.participant else { continue };
        let row = act.load_participant(id)?.row;
        // A participant first heard at another site: their name belongs to that site's archivists.
        if act.has(Role::Archivist, Some(row.site)) && act.opens(row.site) {
            speakers.insert(speaker.label.clone(), act.participant_content(&row)?.1);
        }
    }
    let mut tokens: HashMap<ObjectId, Token> = HashMap::new();
    for row in act.objects(interview.row.id)? {
        let object: Object = row.body.open(&interview.key)?;
        tokens.insert(row.id, object.token);
    }
    let files = files.into_iter().filter_map(|(id, name)| tokens.get(&id).map(|t| (t.to_string(), name))).collect();
    Ok(Names { speakers, notes, metadata, files, conditions, agreed })
}
