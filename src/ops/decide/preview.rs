//! A preview: what policy would leave out of what a request asks for, and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Terms, terms_of};
use crate::base::Result;
use crate::base::id::{PersonId, Token};
use crate::base::time::Date;
use crate::domain::consent_turns::{LeftOut, TurnVerdict};
use crate::domain::decide::{Decided, ItemPlan, VoicePlan};
use crate::domain::interview::SpeakerRole;
use crate::domain::policy::Party;
use crate::domain::request::Filed;
use crate::domain::transcript::TranscriptKind;
use crate::ledger::event::{DecisionFacts, Event};
use crate::ops::plan::{self, Facts, Planned};
use crate::ops::policy;
use crate::ops::register;
use crate::ops::request::{self, count};
use crate::session::{Unlocked, Vault, View};

/// What policy would let go on a decision with these terms, and why not the rest.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// `REQ-7`.
    pub request: String,
    /// Who gets it.
    pub recipient: String,
    /// The title of the project.
    pub project: String,
    /// The level.
    pub level: u8,
    /// The last day of use.
    pub until: Date,
    /// Per transcript version, of sites that the reader keeps.
    pub items: Vec<ItemPreview>,
    /// Interviews of other sites, which count below but are not shown.
    pub interviews_elsewhere: usize,
    /// Interviews of which something goes.
    pub interviews_going: usize,
    /// Interviews that stay altogether.
    pub interviews_left_out: usize,
    /// Turns that go.
    pub turns_going: usize,
    /// Turns that stay.
    pub turns_left_out: usize,
}

/// What would go of one transcript version.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ItemPreview {
    /// The archive code.
    pub code: String,
    /// The prefix of its site.
    pub site: String,
    /// The transcript version; 0 if there is none.
    pub version: u32,
    /// Its language.
    pub language: String,
    /// It is a translation.
    pub translation: bool,
    /// Something of it goes.
    pub goes: bool,
    /// Turns that go.
    pub turns_going: usize,
    /// Turns that stay, by why.
    pub left_out: Vec<Why>,
    /// Per participant.
    pub voices: Vec<VoicePreview>,
}

/// What would go of one voice.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct VoicePreview {
    /// The label in the transcript.
    pub label: String,
    /// Turns that go in which it is, or may be, heard.
    pub turns_going: usize,
    /// Those that stay.
    pub turns_left_out: usize,
    /// Why it may not be heard, and in how many turns that came up.
    pub reasons: Vec<Why>,
}

crate::base::text::hidden!(Preview, ItemPreview, VoicePreview);

/// A reason and how often it came up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Why {
    /// The rule's id.
    pub rule: String,
    /// In words.
    pub words: String,
    /// In how many turns.
    pub turns: usize,
}

/// What policy would leave out of what a request asks for, on these terms; without terms, on those of a decision that stands.
pub fn preview(vault: &mut Vault<Unlocked>, number: u32, terms: &Terms) -> Result<Preview> {
    vault.commit("request preview", |act| {
        request::require_desk(act)?;
        let policies = policy::in_force(act)?;
        let filed = request::find(act, number)?;
        let nobody = PersonId::from_bytes([0; 16]);
        let (mut facts, list) = terms_of(act, &filed, terms, nobody, act.now())?;
        let mut known = plan::gather(act, &filed, act.now(), None)?;
        facts.approvals.clone_from(&known.approvals);
        // Judged as if some other steward, and as many as it takes, had decided so.
        known.setting.stewards_needed = 1;
        let decider = Party {
            id: nobody,
            enrolled: true,
            removed: false,
            conditions_accepted: false,
            steward: true,
            country: String::new(),
        };
        let planned = known.plan(act, &policies, &[Decided::proposed(facts.clone(), list, decider, None)])?;
        let mut preview = previewed(&filed, &known, &planned, &facts);
        let tokens = show_own(act, &planned, &mut preview);
        request::opened(act, "request preview", tokens);
        act.event(Event::Listed { what: "request preview".into(), filters: vec![], count: count(preview.items.len()) });
        Ok(preview)
    })
}

/// Keeps the items of sites that the reader keeps and counts the interviews of others; gives the tokens of what is kept.
fn show_own(view: &View<'_>, planned: &Planned, preview: &mut Preview) -> Vec<Token> {
    let with_words = planned.items.iter().map(|item| (&item.interview, item.site));
    let without = planned.wordless.iter().map(|(site, interview)| (interview, *site));
    let all: BTreeMap<&str, (Token, bool)> = with_words
        .chain(without)
        .map(|(interview, site)| (interview.code.as_str(), (interview.token, register::keeps(view, site))))
        .collect();
    preview.items.retain(|item| all.get(item.code.as_str()).is_some_and(|(_, keeps)| *keeps));
    let own: BTreeSet<Token> = all.values().filter(|(_, keeps)| *keeps).map(|(token, _)| *token).collect();
    preview.interviews_elsewhere = all.len() - own.len();
    own.into_iter().collect()
}

fn previewed(filed: &Filed, known: &Facts, planned: &Planned, facts: &DecisionFacts) -> Preview {
    let plans = planned.plan.items();
    let mut items: Vec<ItemPreview> =
        planned.items.iter().zip(plans).map(|(item, plan)| item_preview(item, plan)).collect();
    items.extend(planned.wordless.iter().map(|(_, interview)| ItemPreview {
        code: interview.code.clone(),
        site: interview.code.chars().take_while(char::is_ascii_uppercase).collect(),
        version: 0,
        language: interview.language.clone(),
        translation: false,
        goes: false,
        turns_going: 0,
        left_out: vec![why("no-transcript", "there is no transcript yet", 0)],
        voices: Vec::new(),
    }));
    items.sort_by(|a, b| (&a.code, a.version).cmp(&(&b.code, b.version)));
    let going: BTreeSet<&str> = items.iter().filter(|item| item.goes).map(|item| item.code.as_str()).collect();
    let all: BTreeSet<&str> = items.iter().map(|item| item.code.as_str()).collect();
    Preview {
        request: filed.name(),
        recipient: known.recipient.card.name().to_owned(),
        project: known.project.title.clone(),
        level: facts.level,
        until: facts.until,
        interviews_going: going.len(),
        interviews_left_out: all.len() - going.len(),
        turns_going: items.iter().map(|item| item.turns_going).sum(),
        turns_left_out: items.iter().flat_map(|item| &item.left_out).map(|why| why.turns).sum(),
        items,
        interviews_elsewhere: 0,
    }
}

fn item_preview(item: &plan::Item, plan: &ItemPlan) -> ItemPreview {
    let mut left_out: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    if !plan.in_decision {
        left_out.insert(("not-granted", "it is not among what is granted"), plan.turns.len());
    } else {
        for verdict in &plan.turns {
            if let TurnVerdict::LeftOut(because) = verdict {
                *left_out.entry(left_out_words(*because)).or_default() += 1;
            }
        }
    }
    let label = |id| {
        let speaker =
            item.interview.speakers.iter().find(|s| s.participant == Some(id) && s.role == SpeakerRole::Participant);
        speaker.map_or_else(|| "?".to_owned(), |s| s.label.clone())
    };
    let voice = |(id, voice): (_, &VoicePlan)| VoicePreview {
        label: label(id),
        turns_going: voice.turns_going,
        turns_left_out: voice.turns_left_out,
        reasons: voice.reasons.iter().map(|(reason, turns)| why(&reason.rule, &reason.words, *turns)).collect(),
    };
    ItemPreview {
        code: item.interview.code.clone(),
        site: item.prefix.clone(),
        version: item.version,
        language: item.language.clone(),
        translation: item.kind == TranscriptKind::Translation,
        goes: plan.goes(),
        turns_going: plan.turns.iter().filter(|turn| turn.goes()).count(),
        left_out: left_out.into_iter().map(|((rule, words), turns)| why(rule, words, turns)).collect(),
        voices: plan.voices.iter().map(|(id, plan)| voice((*id, plan))).collect(),
    }
}

fn why(rule: &str, words: &str, turns: usize) -> Why {
    Why { rule: rule.to_owned(), words: words.to_owned(), turns }
}

fn left_out_words(because: LeftOut) -> (&'static str, &'static str) {
    match because {
        LeftOut::Voice => ("voice", "a voice in it may not be heard here"),
        LeftOut::Unattributed => {
            ("unattributed", "nobody knows whose words these are, and not every voice may be heard")
        }
        LeftOut::Bystander => ("bystander", "a bystander speaks"),
        LeftOut::Beside => ("beside", "it belongs to talk that may not go"),
        LeftOut::Neighbour => ("neighbour", "it stands next to what may not go, and nobody has checked it"),
    }
}
