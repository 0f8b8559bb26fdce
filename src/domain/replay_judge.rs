//! One release decided again, from what the ledger said before it.

use std::collections::BTreeSet;

use super::decide::covers;
use super::policy::{Action, Party, Policies, Question, Reason, ReleaseTerms, Terms, VoiceFacts, decide_voice};
use super::replay_state::{Decided, Released, State};
use crate::base::id::{PersonId, SiteId};
use crate::base::time::Moment;
use crate::ledger::event::{DecisionFacts, ModuleState, ReleasedItem, Role};

/// Decides one release again.
pub(super) struct Judge<'a> {
    pub(super) state: &'a State,
    pub(super) now: Moment,
    pub(super) actor: PersonId,
    pub(super) released: &'a Released,
}

impl Judge<'_> {
    /// What should not have been, in words; nothing if the release holds.
    pub(super) fn words(&self) -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        if !self.state.holds_role(self.actor, Role::Archivist) {
            words.insert("an extract was built by somebody who is not an archivist".to_owned());
        }
        let decisions = self.state.decisions.get(&self.released.request).map(Vec::as_slice).unwrap_or_default();
        let Some(first) = decisions.first() else {
            words.insert("nobody had decided on this release".to_owned());
            return words;
        };
        if decisions.len() < self.state.stewards_needed {
            words.insert("fewer stewards had decided than the study demands".to_owned());
        }
        if decisions.iter().any(|decided| {
            DecisionFacts { steward: first.facts.steward, time: first.facts.time, ..decided.facts.clone() }
                != first.facts
        }) {
            words.insert("the stewards' decisions on this release differ".to_owned());
        }
        let Some(policies) = &self.state.policies else {
            words.insert("no policies were in force".to_owned());
            return words;
        };
        for decided in decisions {
            self.against(decided, &mut words);
            let items: Vec<&ReleasedItem> = self.released.items.iter().collect();
            for item in items {
                self.item(policies, decided, item, &mut words);
            }
        }
        if self.released.items.is_empty() {
            words.insert("the release names no item".to_owned());
        }
        words
    }

    fn against(&self, decided: &Decided, words: &mut BTreeSet<String>) {
        let facts = &decided.facts;
        if !facts.granted {
            words.insert("a steward had said no to this release".to_owned());
        }
        if !decided.requested {
            words.insert("the request of this release was never recorded, or was another".to_owned());
        }
        if [facts.recipient, facts.requester, self.released.recipient].contains(&self.actor) {
            words.insert("somebody built an extract for their own request".to_owned());
        }
        if facts.recipient != self.released.recipient {
            words.insert("the release went to somebody else than was decided".to_owned());
        }
        if self.released.until > facts.until {
            words.insert("the release ends later than was decided".to_owned());
        }
        if facts.country != self.party(facts.recipient, true).country {
            words.insert("the recipient's country is not the one that was decided on".to_owned());
        }
    }

    fn party(&self, id: PersonId, steward: bool) -> Party {
        let known = self.state.people.get(&id);
        let present = known.is_some_and(|known| !known.roles.is_empty());
        Party {
            id,
            enrolled: present,
            removed: known.is_some() && !present,
            // The conditions accepted stand in the signed decision, by their digest.
            conditions_accepted: true,
            steward,
            country: known.map(|known| known.country.clone()).unwrap_or_default(),
        }
    }

    fn terms(&self, decided: &Decided, site: SiteId) -> Terms {
        let facts = &decided.facts;
        let project = self.state.projects.get(&facts.project);
        let today = self.now.date();
        let steward = decided.steward_at.as_ref().is_none_or(|sites| sites.contains(&site));
        let party = |id: PersonId| self.party(id, id == facts.steward && steward);
        Terms {
            action: Action::Release(ReleaseTerms {
                level: facts.level,
                project_active: project.is_some_and(|p| p.from <= today && today <= p.until),
                in_project: project.is_some_and(|p| p.people.contains(&facts.recipient)),
                // The purpose stands with the project; the decision names the project.
                purpose_covered: project.is_some(),
            }),
            recipient: party(facts.recipient),
            requester: party(facts.requester),
            decider: party(facts.steward),
            decision_signed: decided.signed,
            needs: facts.needs.iter().copied().collect(),
            now: self.now,
            until: self.released.until,
        }
    }

    fn item(&self, policies: &Policies, decided: &Decided, item: &ReleasedItem, words: &mut BTreeSet<String>) {
        let facts = &decided.facts;
        let mut note = |what: &str| {
            words.insert(format!("{what} (item {})", item.item));
        };
        let Some(known) = self.state.items.get(&item.item) else {
            return note("an item that is not known went out");
        };
        if known.site != item.site {
            note("an item went out under another site than its own");
        }
        let site = known.site;
        if !covers(facts, decided.list.as_ref(), site, item.item) {
            note("an item went out that was not decided on");
        }
        if item.passages.iter().any(|passage| self.state.passages.get(passage) != Some(&item.item)) {
            note("a passage went out that is not one of the item's");
        }
        if item.voices.is_empty() {
            note("an item went out in which nobody is heard");
        }
        let transcript = self.state.transcripts.get(&item.transcript);
        if transcript.is_none_or(|transcript| transcript.item != item.item) {
            note("a transcript version went out that is not one of the item's");
        }
        let purpose = self.state.projects.get(&facts.project).map(|project| project.purpose.clone());
        let today = self.now.date();
        let shared = VoiceFacts {
            withdrawn: false,
            granted: BTreeSet::new(),
            unmapped_condition: false,
            embargo: None,
            expiry: None,
            bystander: false,
            hold: self.state.on_hold(item.item, site),
            // A review by whoever asks or gets it does not count.
            reviewed: transcript.filter(|transcript| transcript.item == item.item).is_some_and(|transcript| {
                transcript.reviewed.is_some_and(|by| by != facts.recipient && by != facts.requester)
            }),
            fieldwork_covered: self.state.boards_hold(site, &item.fieldwork, |_| true),
            use_covered: self.state.boards_hold(site, &facts.approvals, |approval| {
                let purposes = &approval.purposes;
                let covered = purposes.is_empty() || purpose.as_ref().is_some_and(|p| purposes.contains(p));
                approval.usage.0 <= today && today <= approval.usage.1 && covered
            }),
            country: self.state.sites.get(&site).map(|(country, _)| country.clone()).unwrap_or_default(),
        };
        let terms = self.terms(decided, site);
        for voice in &item.voices {
            if !known.voices.contains(voice) {
                note("somebody went out who does not speak in the item");
            }
            let effective = self.state.consent_at(*voice, item.item, &item.passages, self.now);
            let granted = effective.modules.iter().filter(|(_, state)| **state == ModuleState::Granted);
            let question = Question {
                terms: terms.clone(),
                voice: VoiceFacts {
                    withdrawn: effective.withdrawn,
                    granted: granted.map(|(module, _)| *module).collect(),
                    unmapped_condition: effective.unmapped,
                    embargo: effective.embargo,
                    expiry: effective.expiry,
                    ..shared.clone()
                },
            };
            for Reason { words, .. } in decide_voice(policies, &question).reasons {
                note(&words);
            }
        }
    }
}
