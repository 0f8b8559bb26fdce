//! One interview after the other made into what is decided on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Item, heard};
use crate::base::id::{ApprovalId, InterviewId, ParticipantId, PersonId, SiteId, TranscriptId};
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result};
use crate::domain::approval::{Approval, missing_boards, missing_fieldwork_boards};
use crate::domain::consent::{self, Place, TimeRange};
use crate::domain::consent_turns::Speaker;
use crate::domain::decide::{ItemCase, ItemPlan, TurnCase};
use crate::domain::hold::Hold;
use crate::domain::interview::{Interview, SpeakerRole};
use crate::domain::project::attribution;
use crate::domain::study::Site;
use crate::domain::transcript::{Outline, TranscriptKind};
use crate::ledger::event::{Module, Tier};
use crate::session::{Loaded, View};
use crate::store::catalogue::{InterviewRow, OutlineRow};

/// Everything that the cases of all interviews stand on.
pub(super) struct Ground {
    pub(super) sites: BTreeMap<SiteId, Site>,
    pub(super) holds: Vec<Hold>,
    pub(super) fieldwork: Vec<Approval>,
    pub(super) of_use: Vec<Approval>,
    pub(super) purpose: String,
    /// Who asks, and gets it: what they reviewed or checked themselves does not count.
    pub(super) asker: PersonId,
    pub(super) now: Moment,
    pub(super) today: Date,
}

/// An interview with its transcript versions, their outlines still sealed.
pub(super) struct Fetched {
    interview: Loaded<InterviewRow, Interview>,
    outlines: Vec<OutlineRow>,
    voices: Voices,
}

/// An interview with its site and what is to be decided on of it: nothing, where it has no transcript.
pub(super) type Opened = (SiteId, Interview, Vec<(Item, ItemCase)>);

impl Fetched {
    pub(super) fn new(view: &View<'_>, id: InterviewId) -> Result<Self> {
        let interview = view.load_interview(id)?;
        let voice = |id| {
            let participant = view.load_participant(id)?;
            let events = view.consent_events(&participant)?;
            Ok((id, (participant.body.token, events)))
        };
        let voices = heard(view, &interview)?.into_iter().map(voice).collect::<Result<_>>()?;
        Ok(Self { outlines: view.outlines(id)?, voices, interview })
    }
}

impl Ground {
    fn site(&self, site: SiteId) -> Result<&Site> {
        self.sites
            .get(&site)
            .ok_or_else(|| Error::damage("an interview belongs to no site of the vault", "Run `subrosa check`."))
    }

    /// The approvals that cover the use today at a site.
    pub(super) fn covering(&self, site: SiteId) -> Result<impl Iterator<Item = ApprovalId>> {
        let boards = &self.site(site)?.boards;
        let covering = self.of_use.iter().filter(move |a| a.covers_use(site, self.today, &self.purpose));
        Ok(covering.filter(|a| boards.contains(&a.board)).map(|a| a.id))
    }

    pub(super) fn open(&self, fetched: Fetched) -> Result<Opened> {
        let Fetched { interview, outlines, voices } = fetched;
        let mut opened = Vec::with_capacity(outlines.len());
        for row in outlines {
            let outline: Outline = row.outline.open(&interview.key)?;
            opened.push((row, outline));
        }
        let chosen = chosen(&opened, self.asker);
        let site = interview.row.site;
        let mut cases = Vec::with_capacity(chosen.len());
        for (row, outline) in opened.into_iter().filter(|(row, _)| chosen.contains(&row.id)) {
            let known = self.site(site)?;
            let case = self.case(&interview, known, &row, &outline, voices.clone());
            let item = Item {
                interview: interview.body.clone(),
                site,
                prefix: known.prefix.clone(),
                slot: interview.row.slot,
                transcript: row.id,
                version: row.version,
                kind: outline.kind,
                language: outline.language,
                engine: outline.review.map(|review| review.engine),
                tiers: BTreeMap::new(),
            };
            cases.push((item, case));
        }
        Ok((site, interview.body, cases))
    }

    fn case(
        &self,
        interview: &Loaded<InterviewRow, Interview>,
        site: &Site,
        row: &OutlineRow,
        outline: &Outline,
        participants: Voices,
    ) -> ItemCase {
        let (id, body) = (interview.row.site, &interview.body);
        let fieldwork =
            self.fieldwork.iter().filter(|a| site.boards.contains(&a.board) && a.covers_fieldwork(id, body.date));
        let events = participants.values().flat_map(|(_, events)| events);
        let mut checked = outline.standing_checks(events, self.now);
        checked.retain(|turn| outline.checked.get(turn).is_some_and(|check| check.by != self.asker));
        let turns = outline.turns.iter().map(|turn| TurnCase {
            speakers: vec![speaker(body, turn.label.as_deref())],
            time: match (turn.start_ms, turn.end_ms) {
                (Some(from), Some(to)) => Some(TimeRange { from, to }),
                _ => None,
            },
        });
        ItemCase {
            interview: interview.row.id,
            item: body.token,
            site: id,
            country: site.country.clone(),
            transcript: row.id,
            transcript_token: outline.token,
            turns: turns.collect(),
            checked: checked.into_iter().filter_map(|turn| usize::try_from(turn).ok()).collect(),
            participants,
            hold: self.holds.iter().any(|hold| hold.stops(interview.row.id, id)),
            reviewed: reviewed(outline, self.asker),
            fieldwork_covered: missing_fieldwork_boards(&site.boards, id, &self.fieldwork, body.date).is_empty(),
            use_covered: missing_boards(&site.boards, id, &self.of_use, self.today, &self.purpose).is_empty(),
            fieldwork: fieldwork.map(|a| a.id).collect(),
        }
    }
}

type Voices = BTreeMap<ParticipantId, (crate::base::id::Token, Vec<crate::domain::consent::ConsentEvent>)>;

/// Whose words a turn with this label is. A label that nobody knows, and none, count as every voice's.
pub fn speaker(interview: &Interview, label: Option<&str>) -> Speaker<ParticipantId> {
    let Some(known) = label.and_then(|label| interview.speaker(label)) else { return Speaker::Unknown };
    match (known.role, known.participant) {
        (SpeakerRole::Participant, Some(id)) => Speaker::Participant(id),
        (SpeakerRole::Participant, None) => Speaker::Unknown,
        (SpeakerRole::Interviewer | SpeakerRole::Interpreter, _) => Speaker::Aside,
        (SpeakerRole::Bystander, _) => Speaker::Bystander,
    }
}

/// Whether a review stands that holds for a request of `asker`: nobody reviews what goes to themselves (DESIGN, section 1).
fn reviewed(outline: &Outline, asker: PersonId) -> bool {
    outline.review.as_ref().is_some_and(|review| review.by != asker)
}

/// Which versions are decided on: the newest in the original language with a standing review, and the newest reviewed translation into each
/// language. If none is reviewed, the newest of all, to be refused for that.
fn chosen(versions: &[(OutlineRow, Outline)], asker: PersonId) -> BTreeSet<TranscriptId> {
    let mut newest: BTreeMap<Option<&str>, (u32, TranscriptId)> = BTreeMap::new();
    for (row, outline) in versions.iter().filter(|(_, outline)| reviewed(outline, asker)) {
        let language = (outline.kind == TranscriptKind::Translation).then_some(outline.language.as_str());
        let kept = newest.entry(language).or_insert((row.version, row.id));
        if kept.0 < row.version {
            *kept = (row.version, row.id);
        }
    }
    if newest.is_empty() {
        return versions.iter().max_by_key(|(row, _)| row.version).map(|(row, _)| row.id).into_iter().collect();
    }
    newest.into_values().map(|(_, id)| id).collect()
}

/// How each voice of an item that is heard in what goes may be named in print.
pub(super) fn tiers(case: &ItemCase, plan: &ItemPlan, now: Moment) -> BTreeMap<ParticipantId, Tier> {
    let heard = plan.voices.iter().filter(|(_, voice)| voice.turns_going > 0);
    heard
        .map(|(id, voice)| {
            let at_large = attribution(voice.consent.tier, voice.consent.module(Module::QuoteText));
            (*id, at_large.max(strictest(case, plan, *id, now)))
        })
        .collect()
}

/// The strictest attribution of a voice over the turns that go; passages can have one of their own.
fn strictest(case: &ItemCase, plan: &ItemPlan, id: ParticipantId, now: Moment) -> Tier {
    let Some((_, events)) = case.participants.get(&id) else { return Tier::Never };
    if !consent::has_passages(events, case.interview) {
        return Tier::FullName;
    }
    let going = plan.turns.iter().enumerate().filter(|(_, turn)| turn.goes());
    let of_turn = going.map(|(at, _)| {
        let place = Place::Turn {
            interview: case.interview,
            transcript: case.transcript,
            turn: u32::try_from(at).unwrap_or(u32::MAX),
            time: case.turns.get(at).and_then(|turn| turn.time),
        };
        let state = consent::state_at(events, now, &place);
        attribution(state.tier, state.module(Module::QuoteText))
    });
    of_turn.max().unwrap_or(Tier::Never)
}
