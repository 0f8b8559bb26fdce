//! Deciding a release: consent of each voice at each turn, the policies, and a steward's signature, into a plan and then a grant.
//!
//! [`release_each`], and [`release`] over it, is the only way to a [`Plan`], [`Plan::grant`] the only way to a [`Grant`], and whoever builds an extract consumes a grant. A preview
//! is the same call with a decision that is only proposed; such a plan gives no grant.

use std::collections::{BTreeMap, BTreeSet};

use super::consent::{self, ConsentEvent, Effective, Place, TimeRange};
use super::consent_turns::{LeftOut, Speaker, TurnVerdict, select_turns, voices};
use super::policy::{Action, Decider, Party, Policies, Reason, ReleaseTerms, Terms, VoiceFacts};
use crate::base::id::{ApprovalId, InterviewId, ParticipantId, SiteId, Token, TranscriptId};
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical};
use crate::crypto::sign::{self, PublicKey, Signature, SigningSeed};
use crate::ledger::event::{DecisionFacts, ItemList, ModuleState, ReleasedItem};

/// The context line of a steward's signature over a decision's canonical JSON.
pub const DECISION_CONTEXT: &str = "subrosa/decision/1";

/// A steward's decision that granted something, verified, or proposed for a preview.
pub struct Decided {
    facts: DecisionFacts,
    list: Option<ItemList>,
    decider: Party,
    steward_sites: Option<Vec<SiteId>>,
    signed: bool,
}

/// What holds now about the people and the project of a decision.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The moment of deciding: the later of the clock and the last entry.
    pub now: Moment,
    /// Who is to get it.
    pub recipient: Party,
    /// Who asked.
    pub requester: Party,
    /// Today lies in the project's period.
    pub project_active: bool,
    /// The recipient is one of the project's people.
    pub in_project: bool,
    /// The use asked for is the project's purpose.
    pub purpose_covered: bool,
    /// How many stewards must have signed (the study's threshold; at least one).
    pub stewards_needed: u8,
}

/// One turn of a transcript, as far as deciding goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TurnCase {
    /// Whose words it is.
    pub speakers: Vec<Speaker<ParticipantId>>,
    /// Its time in the recording, where known.
    pub time: Option<TimeRange>,
}

/// One transcript version of one interview that somebody asks for.
pub struct ItemCase {
    /// The interview.
    pub interview: InterviewId,
    /// What the ledger calls it.
    pub item: Token,
    /// Its site.
    pub site: SiteId,
    /// The country of the site, ISO 3166-1 alpha-2.
    pub country: String,
    /// The version.
    pub transcript: TranscriptId,
    /// What the ledger calls the version.
    pub transcript_token: Token,
    /// Its turns, in order.
    pub turns: Vec<TurnCase>,
    /// The turns next to silenced ones that a person has checked, counted from 0.
    pub checked: BTreeSet<usize>,
    /// Every participant of the interview: what the ledger calls them, and all their consent events.
    pub participants: BTreeMap<ParticipantId, (Token, Vec<ConsentEvent>)>,
    /// The site, class or interview is on hold.
    pub hold: bool,
    /// The version has a recorded review.
    pub reviewed: bool,
    /// Every board demanded approved the day of the interview.
    pub fieldwork_covered: bool,
    /// Every board demanded approves this use today.
    pub use_covered: bool,
    /// The approvals whose fieldwork period covers the interview, as attested in the ledger.
    pub fieldwork: Vec<ApprovalId>,
}

/// What may go, per item and voice, and why the rest may not.
pub struct Plan {
    decision: DecisionFacts,
    signed: bool,
    items: Vec<ItemPlan>,
}

/// What may go of one item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemPlan {
    /// The interview.
    pub interview: InterviewId,
    /// What the ledger calls it.
    pub item: Token,
    /// Its site.
    pub site: SiteId,
    /// The transcript version.
    pub transcript: TranscriptId,
    /// What the ledger calls the version.
    pub transcript_token: Token,
    /// Whether the decision covers the item at all; if not, nothing of it goes.
    pub in_decision: bool,
    /// One verdict for each turn.
    pub turns: Vec<TurnVerdict>,
    /// One for each participant of the interview.
    pub voices: BTreeMap<ParticipantId, VoicePlan>,
    /// The passages of which turns go, by token.
    pub passages: Vec<Token>,
    /// The approvals whose fieldwork period covers the interview.
    pub fieldwork: Vec<ApprovalId>,
}

/// What may go of one voice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoicePlan {
    /// What the ledger calls the participant.
    pub token: Token,
    /// The consent state for the interview at large, for the record.
    pub consent: Effective,
    /// How many turns in which this voice is, or may be, heard go.
    pub turns_going: usize,
    /// How many of them stay.
    pub turns_left_out: usize,
    /// Why the voice may not be heard, and in how many turns that came up. Empty if nothing spoke against it.
    pub reasons: BTreeMap<Reason, usize>,
}

/// Leave to build one extract. Made by [`Plan::grant`] only; whoever builds the extract takes it.
pub struct Grant {
    plan: Plan,
}

/// Signs a decision.
pub fn sign_decision(facts: &DecisionFacts, seed: &SigningSeed) -> Result<Signature> {
    Ok(seed.sign(DECISION_CONTEXT, &canonical::to_vec(facts)?))
}

/// Whether `signature` is `key`'s over the decision.
pub fn decision_verifies(facts: &DecisionFacts, signature: &Signature, key: &PublicKey) -> bool {
    canonical::to_vec(facts).is_ok_and(|bytes| key.verifies(DECISION_CONTEXT, &bytes, signature))
}

/// Whether `list` is the one that the decision signed the digest of; none where it signed none.
pub fn list_holds(facts: &DecisionFacts, list: Option<&ItemList>) -> bool {
    match (&facts.items, list) {
        (Some(digest), Some(list)) => list.is_of(digest),
        (None, None) => true,
        _ => false,
    }
}

/// Whether a decision with this list covers an item.
pub(super) fn covers(facts: &DecisionFacts, list: Option<&ItemList>, site: SiteId, item: Token) -> bool {
    let by_name = || list.is_some_and(|list| list.items.contains(&item));
    facts.sites.as_ref().is_none_or(|sites| sites.contains(&site)) && (facts.items.is_none() || by_name())
}

impl Decided {
    /// A decision whose signature holds, with the list of items whose digest it signed, if it did. `key` is what the roster says of `decider` at the time of the decision, and `decider.steward` whether they were a steward
    /// then, and for which sites (`None`: all). Items of other sites are not part of the decision.
    pub fn verify(
        facts: DecisionFacts,
        list: Option<ItemList>,
        signature: &Signature,
        key: &PublicKey,
        decider: Party,
        steward_sites: Option<Vec<SiteId>>,
    ) -> Result<Self> {
        if decider.id != facts.steward || !decision_verifies(&facts, signature, key) {
            return Err(sign::forged("the decision"));
        }
        if !list_holds(&facts, list.as_ref()) {
            return Err(Error::damage(
                "the interviews that a decision names are not those that were signed",
                "Nothing is built on it. Run `subrosa check`, and ask the steward to decide again.",
            ));
        }
        Ok(Self { facts, list, decider, steward_sites, signed: true })
    }

    /// A decision as it might be, for a preview: `decider` is the steward who would sign.
    pub fn proposed(
        facts: DecisionFacts,
        list: Option<ItemList>,
        decider: Party,
        steward_sites: Option<Vec<SiteId>>,
    ) -> Self {
        Self { facts, list, decider, steward_sites, signed: false }
    }

    /// What was decided.
    pub fn facts(&self) -> &DecisionFacts {
        &self.facts
    }
}

/// What of `items` may go on these decisions. There is one decision, or several stewards' on the same request that say the same but for who signed and when;
/// each of them must allow what goes.
///
/// Refuses (nothing may go at all): no decision, a no, decisions that differ, too few stewards, a decision about other people than `setting` or dated
/// in the future. What may not go for reasons of an item or voice is in the plan instead.
pub fn release(policies: &Policies, decisions: &[Decided], setting: &Setting, items: &[ItemCase]) -> Result<Plan> {
    release_each(policies, decisions, setting, |judge| {
        for case in items {
            judge.take(case);
        }
        Ok(())
    })
}

/// As [`release`], for items that come one by one, so that not all of them need to be in memory: `each` hands every item to the judge.
pub fn release_each(
    policies: &Policies,
    decisions: &[Decided],
    setting: &Setting,
    each: impl FnOnce(&mut Judge<'_>) -> Result<()>,
) -> Result<Plan> {
    let first = agreed(decisions, setting)?;
    let terms: Vec<Terms> = decisions.iter().map(|decided| terms_of(decided, setting)).collect();
    let deciders = terms.iter().map(|terms| Decider::new(policies, terms)).collect();
    let plan = Plan {
        decision: first.facts.clone(),
        signed: decisions.iter().all(|decided| decided.signed),
        items: Vec::new(),
    };
    let mut judge = Judge { first, decisions, setting, deciders, plan };
    each(&mut judge)?;
    Ok(judge.plan)
}

/// Decides on one item after the other; see [`release_each`].
pub struct Judge<'j> {
    first: &'j Decided,
    decisions: &'j [Decided],
    setting: &'j Setting,
    deciders: Vec<Decider<'j>>,
    plan: Plan,
}

impl Judge<'_> {
    /// Decides on an item. What comes of it is part of the plan, and returned.
    pub fn take(&mut self, case: &ItemCase) -> &ItemPlan {
        let in_sites =
            self.decisions.iter().all(|d| d.steward_sites.as_ref().is_none_or(|sites| sites.contains(&case.site)));
        let judge = ItemJudge { case, setting: self.setting, deciders: &mut self.deciders };
        self.plan.items.push(judge.judge(self.first, in_sites));
        &self.plan.items[self.plan.items.len() - 1]
    }
}

fn agreed<'a>(decisions: &'a [Decided], setting: &Setting) -> Result<&'a Decided> {
    let ask = "Show the request, and ask the steward to decide again.";
    let Some(first) = decisions.first() else {
        return Err(Error::denied(
            "no steward has decided on this request",
            "A steward decides with `subrosa request approve`.",
        ));
    };
    let mut stewards = BTreeSet::new();
    for decided in decisions {
        let facts = &decided.facts;
        let same = DecisionFacts { steward: first.facts.steward, time: first.facts.time, ..facts.clone() };
        if same != first.facts {
            return Err(Error::denied("the stewards' decisions on this request differ", ask));
        }
        if !facts.granted {
            return Err(Error::denied("the request was denied", "The decision gives no leave to build anything."));
        }
        let people = facts.recipient == setting.recipient.id && facts.requester == setting.requester.id;
        if !people || facts.country != setting.recipient.country || decided.decider.id != facts.steward {
            return Err(Error::denied(
                "the decision is about other people than the request, or their country changed",
                ask,
            ));
        }
        if facts.time > setting.now {
            return Err(Error::denied("the decision is dated in the future", "Check the clock of this machine."));
        }
        stewards.insert(facts.steward);
    }
    if stewards.len() < usize::from(setting.stewards_needed.max(1)) {
        let what = format!("{} of {} stewards have signed", stewards.len(), setting.stewards_needed);
        return Err(Error::denied(what, "Ask another steward to decide on the request."));
    }
    Ok(first)
}

fn terms_of(decided: &Decided, setting: &Setting) -> Terms {
    let facts = &decided.facts;
    Terms {
        action: Action::Release(ReleaseTerms {
            level: facts.level,
            project_active: setting.project_active,
            in_project: setting.in_project,
            purpose_covered: setting.purpose_covered,
        }),
        recipient: setting.recipient.clone(),
        requester: setting.requester.clone(),
        decider: decided.decider.clone(),
        // A proposed decision is judged as if it were signed; its plan gives no grant.
        decision_signed: true,
        needs: facts.needs.iter().copied().collect(),
        now: setting.now,
        until: facts.until,
    }
}

struct ItemJudge<'j, 'd> {
    case: &'j ItemCase,
    setting: &'j Setting,
    deciders: &'j mut [Decider<'d>],
}

impl ItemJudge<'_, '_> {
    fn judge(mut self, first: &Decided, in_sites: bool) -> ItemPlan {
        let case = self.case;
        let participants: BTreeSet<ParticipantId> = case.participants.keys().copied().collect();
        let in_decision = in_sites && covers(&first.facts, first.list.as_ref(), case.site, case.item);
        let mut plans = self.voice_plans();
        let mut at_large: BTreeMap<ParticipantId, Vec<Reason>> = BTreeMap::new();
        let speakers: Vec<Vec<Speaker<ParticipantId>>> = case.turns.iter().map(|turn| turn.speakers.clone()).collect();
        let mut turns = select_turns(&speakers, &participants, &case.checked, |turn, participant| {
            let reasons = self.reasons_at(turn, participant, &mut at_large);
            if let Some(plan) = plans.get_mut(&participant) {
                for reason in &reasons {
                    *plan.reasons.entry(reason.clone()).or_insert(0) += 1;
                }
            }
            in_decision && reasons.is_empty()
        });
        let mut passages = BTreeSet::new();
        for (i, verdict) in turns.iter().enumerate() {
            let heard = speakers.get(i).filter(|s| s.iter().any(|s| *s != Speaker::Aside) || s.is_empty());
            for participant in heard.map(|s| voices(s, &participants)).unwrap_or_default() {
                let Some(plan) = plans.get_mut(&participant) else { continue };
                if verdict.goes() {
                    plan.turns_going += 1;
                    passages.extend(self.passages(i, participant));
                } else {
                    plan.turns_left_out += 1;
                }
            }
        }
        if plans.values().all(|plan| plan.turns_going == 0) {
            // Questions alone, with no answer that may go, go nowhere.
            for verdict in turns.iter_mut().filter(|verdict| verdict.goes()) {
                *verdict = TurnVerdict::LeftOut(LeftOut::Beside);
            }
        }
        ItemPlan {
            interview: case.interview,
            item: case.item,
            site: case.site,
            transcript: case.transcript,
            transcript_token: case.transcript_token,
            in_decision,
            turns,
            voices: plans,
            passages: passages.into_iter().collect(),
            fieldwork: case.fieldwork.clone(),
        }
    }

    fn voice_plans(&self) -> BTreeMap<ParticipantId, VoicePlan> {
        let place = Place::Interview(self.case.interview);
        let plan = |(token, events): &(Token, Vec<ConsentEvent>)| VoicePlan {
            token: *token,
            consent: consent::state_at(events, self.setting.now, &place),
            turns_going: 0,
            turns_left_out: 0,
            reasons: BTreeMap::new(),
        };
        self.case.participants.iter().map(|(id, known)| (*id, plan(known))).collect()
    }

    /// Why `participant` may not be heard at `turn`; empty if nothing speaks against it.
    fn reasons_at(
        &mut self,
        turn: usize,
        participant: ParticipantId,
        at_large: &mut BTreeMap<ParticipantId, Vec<Reason>>,
    ) -> Vec<Reason> {
        let case = self.case;
        let Some((_, events)) = case.participants.get(&participant) else {
            let words = "a speaker is not a participant of this interview".to_owned();
            return vec![Reason { rule: "unknown-voice".to_owned(), words }];
        };
        // Without passages every turn of the interview stands alike.
        let by_turn = consent::has_passages(events, case.interview);
        if !by_turn && let Some(known) = at_large.get(&participant) {
            return known.clone();
        }
        let place = if by_turn { self.place(turn) } else { Place::Interview(case.interview) };
        let effective = consent::state_at(events, self.setting.now, &place);
        let reasons = self.decide(&effective);
        if !by_turn {
            at_large.insert(participant, reasons.clone());
        }
        reasons
    }

    fn decide(&mut self, effective: &Effective) -> Vec<Reason> {
        let case = self.case;
        let granted = effective.modules.iter().filter(|(_, state)| **state == ModuleState::Granted);
        let voice = VoiceFacts {
            withdrawn: effective.withdrawn,
            granted: granted.map(|(module, _)| *module).collect(),
            unmapped_condition: effective.unmapped,
            embargo: effective.embargo,
            expiry: effective.expiry,
            bystander: false,
            hold: case.hold,
            reviewed: case.reviewed,
            fieldwork_covered: case.fieldwork_covered,
            use_covered: case.use_covered,
            country: case.country.clone(),
        };
        let mut reasons = BTreeSet::new();
        for decider in self.deciders.iter_mut() {
            let verdict = decider.decide(&voice);
            reasons.extend(verdict.reasons.iter().cloned());
            if !verdict.permit && verdict.reasons.is_empty() {
                reasons.insert(Reason { rule: "no-permit".to_owned(), words: "no rule allows it".to_owned() });
            }
        }
        reasons.into_iter().collect()
    }

    fn place(&self, turn: usize) -> Place {
        Place::Turn {
            interview: self.case.interview,
            transcript: self.case.transcript,
            turn: u32::try_from(turn).unwrap_or(u32::MAX),
            time: self.case.turns.get(turn).and_then(|case| case.time),
        }
    }

    fn passages(&self, turn: usize, participant: ParticipantId) -> Vec<Token> {
        let Some((_, events)) = self.case.participants.get(&participant) else { return Vec::new() };
        if !consent::has_passages(events, self.case.interview) {
            return Vec::new();
        }
        consent::passages_at(events, self.setting.now, &self.place(turn))
    }
}

impl ItemPlan {
    /// Whether anything of the item goes: a turn in which a participant is heard.
    pub fn goes(&self) -> bool {
        self.voices.values().any(|voice| voice.turns_going > 0)
    }
}

impl Plan {
    /// What may go, per item, in the order in which they were asked for.
    pub fn items(&self) -> &[ItemPlan] {
        &self.items
    }

    /// The decision that it follows.
    pub fn decision(&self) -> &DecisionFacts {
        &self.decision
    }

    /// How many items stay altogether.
    pub fn withheld(&self) -> usize {
        self.items.iter().filter(|item| !item.goes()).count()
    }

    /// The leave to build. Refused for a preview, and where nothing may go.
    pub fn grant(self) -> Result<Grant> {
        if !self.signed {
            return Err(Error::denied(
                "the decision is not signed",
                "A steward decides with `subrosa request approve`.",
            ));
        }
        if !self.items.iter().any(ItemPlan::goes) {
            return Err(Error::denied(
                "nothing of what was asked for may go",
                "`subrosa request preview` says why, item by item.",
            ));
        }
        Ok(Grant { plan: self })
    }
}

impl Grant {
    /// What goes and what stays. Of items that do not go at all nothing may be built.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the ledger says of the items that go, in the order of their tokens, which says nothing.
    pub fn released(&self) -> Vec<ReleasedItem> {
        let going = self.plan.items.iter().filter(|item| item.goes());
        let mut released: Vec<ReleasedItem> = going
            .map(|item| ReleasedItem {
                item: item.item,
                site: item.site,
                transcript: item.transcript_token,
                voices: item.voices.values().filter(|v| v.turns_going > 0).map(|v| v.token).collect(),
                passages: item.passages.clone(),
                fieldwork: item.fieldwork.clone(),
            })
            .collect();
        released.sort_unstable_by_key(|item| (item.item, item.transcript));
        released
    }
}
