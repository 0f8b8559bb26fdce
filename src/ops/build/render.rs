//! From a grant to words: transcripts with their marks applied and what may not go left out, and the table of participants.

use std::collections::{BTreeMap, BTreeSet};

use super::guard::Guard;
use super::manifest::{Attribution, InterviewFacts, Withheld, transcript_path};
use crate::base::id::{InterviewId, ParticipantId, ProjectId, SiteId};
use crate::base::role::Role;
use crate::base::secret::Key;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::crypto::pseudonym;
use crate::disclosure::{SUPPRESSED, guard};
use crate::domain::consent::{self, Place};
use crate::domain::consent_turns::Speaker;
use crate::domain::decide::{Grant, ItemCase, ItemPlan};
use crate::domain::interview::{Interview, SpeakerRole};
use crate::domain::participant::ParticipantContent;
use crate::domain::project::attribution;
use crate::domain::study::Study;
use crate::domain::transcript::TranscriptKind;
use crate::formats::csv_out::{Cell, CsvOut};
use crate::ledger::event::{Module, ReleasedItem, Tier};
use crate::ops::plan::{Facts, Item, speaker};
use crate::ops::redact::review_stands;
use crate::ops::request::citation_code;
use crate::redact::mark::{Mark, Marks, State};
use crate::redact::{Replacement, Strength, apply};
use crate::session::View;

/// The words that go, and what is said of them.
pub(super) struct Rendered {
    /// Transcripts by the name of their file.
    pub(super) transcripts: BTreeMap<String, String>,
    /// The table of participants.
    pub(super) participants: Vec<u8>,
    /// Rows that the table does not show, because too few are like them.
    pub(super) rows_left_out: usize,
    /// For the manifest.
    pub(super) interviews: Vec<InterviewFacts>,
    /// The engines whose suggestions the reviews decided.
    pub(super) engines: BTreeSet<String>,
    /// How much stays.
    pub(super) withheld: Withheld,
    /// For the ledger.
    pub(super) released: Vec<ReleasedItem>,
    /// Who is heard.
    pub(super) heard: BTreeSet<ParticipantId>,
    /// The interviews of which something goes.
    pub(super) going: BTreeSet<InterviewId>,
    /// Everybody whose names and contacts may not leave.
    pub(super) register: BTreeMap<ParticipantId, Known>,
    /// Interviewers, interpreters and bystanders, as far as the vault knows them.
    pub(super) others: Vec<ParticipantContent>,
    /// Where something was left in the words that may not leave.
    pub(super) found: Option<(String, usize)>,
}

/// A participant, opened.
pub(super) struct Known {
    site: SiteId,
    pub(super) pseudonym: String,
    pub(super) content: ParticipantContent,
}

/// Uses up a grant. Refused unless the reader is an archivist of every site of which something goes.
pub(super) fn render(view: &View<'_>, known: &Facts, grant: Grant) -> Result<Rendered> {
    let released = grant.released();
    let plan = grant.plan();
    let project = known.project.id;
    let going: Vec<(&Item, &ItemCase, &ItemPlan)> = known
        .items
        .iter()
        .zip(&known.cases)
        .zip(plan.items())
        .filter(|(_, plan)| plan.goes())
        .map(|((item, case), plan)| (item, case, plan))
        .collect();
    for (_, case, _) in &going {
        view.require(Role::Archivist, Some(case.site))?;
    }
    let register = register(view, &going, project)?;
    let others = others(view, &going)?;
    let guard = Guard::new(view, &known.study, people(&register, &others));
    let strength = strength(plan.decision().level)?;
    let mut out = Rendered {
        transcripts: BTreeMap::new(),
        participants: Vec::new(),
        rows_left_out: 0,
        interviews: Vec::with_capacity(going.len()),
        engines: BTreeSet::new(),
        withheld: withheld(known, plan.items()),
        released,
        heard: BTreeSet::new(),
        going: going.iter().map(|(_, case, _)| case.interview).collect(),
        register: BTreeMap::new(),
        others: Vec::new(),
        found: None,
    };
    let mut citations: BTreeMap<String, InterviewId> = BTreeMap::new();
    let mut youngest: BTreeMap<ParticipantId, Date> = BTreeMap::new();
    for (item, case, plan) in going {
        let citation = citation_code(&item.interview.seed, project)?;
        if citations.insert(citation.clone(), case.interview).is_some_and(|other| other != case.interview) {
            return Err(Error::bug("two interviews have the same citation code in this project"));
        }
        let transcript = Transcript { view, item, case, plan, register: &register, guard: &guard, strength };
        let translation = (item.outline.kind == TranscriptKind::Translation).then_some(item.outline.language.as_str());
        let (text, found) = transcript.text(&citation)?;
        out.found = out.found.or(found.map(|turn| (citation.clone(), turn)));
        out.transcripts.insert(transcript_path(&citation, translation), text);
        out.engines.extend(item.outline.review.iter().map(|review| review.engine.clone()));
        let heard = plan.voices.iter().filter(|(_, voice)| voice.turns_going > 0).map(|(id, _)| *id);
        for id in heard {
            out.heard.insert(id);
            let first = youngest.entry(id).or_insert(item.interview.date);
            *first = (*first).min(item.interview.date);
        }
        out.interviews.push(transcript.facts(citation, known)?);
    }
    out.interviews.sort();
    (out.participants, out.rows_left_out) = table(view, &known.study, &register, &youngest)?;
    (out.register, out.others) = (register, others);
    Ok(out)
}

/// Everybody of the interviews that go, whether they are heard or not.
fn register(
    view: &View<'_>,
    going: &[(&Item, &ItemCase, &ItemPlan)],
    project: ProjectId,
) -> Result<BTreeMap<ParticipantId, Known>> {
    let ids: BTreeSet<ParticipantId> =
        going.iter().flat_map(|(_, case, _)| case.participants.keys().copied()).collect();
    let mut register = BTreeMap::new();
    let mut pseudonyms = BTreeSet::new();
    for id in ids {
        let row = view.participant(id)?;
        let row =
            row.ok_or_else(|| Error::damage("a participant is missing from the catalogue", "Run `subrosa check`."))?;
        let (key, content): (Key, ParticipantContent) = view.participant_content(&row)?;
        let pseudonym = pseudonym::participant(&key, &project)?;
        if !pseudonyms.insert(pseudonym.clone()) {
            return Err(Error::bug("two participants have the same pseudonym in this project"));
        }
        register.insert(id, Known { site: row.site, pseudonym, content });
    }
    Ok(register)
}

/// Whoever else is heard in the interviews that go, with names that the vault knows.
fn others(view: &View<'_>, going: &[(&Item, &ItemCase, &ItemPlan)]) -> Result<Vec<ParticipantContent>> {
    let ids: BTreeSet<InterviewId> = going.iter().map(|(_, case, _)| case.interview).collect();
    let mut others = Vec::new();
    for id in ids {
        let (_, content) = view.interview_content(&view.load_interview(id)?.row)?;
        others.extend(content.others.into_values());
    }
    Ok(others)
}

/// Everybody whose names and contacts may not leave, each with a key of their own.
pub(super) fn people<'r>(
    register: &'r BTreeMap<ParticipantId, Known>,
    others: &'r [ParticipantContent],
) -> impl Iterator<Item = (String, &'r ParticipantContent)> {
    let participants = register.iter().map(|(id, known)| (id.to_string(), &known.content));
    participants.chain(others.iter().enumerate().map(|(n, other)| (format!("other {n}"), other)))
}

/// How far marks are replaced at a level.
fn strength(level: u8) -> Result<Strength> {
    match level {
        1 => Ok(Strength::Direct),
        2 => Ok(Strength::StrongIndirect),
        3 => Ok(Strength::Indirect),
        _ => Err(Error::bug("an extract has a level that does not exist")),
    }
}

fn withheld(known: &Facts, plans: &[ItemPlan]) -> Withheld {
    let all: BTreeSet<InterviewId> = plans.iter().map(|plan| plan.interview).collect();
    let going: BTreeSet<InterviewId> = plans.iter().filter(|plan| plan.goes()).map(|plan| plan.interview).collect();
    let turns = plans.iter().flat_map(|plan| &plan.turns).filter(|turn| !turn.goes()).count();
    Withheld { interviews: (all.len() - going.len() + known.wordless.len()) as u64, turns: turns as u64 }
}

/// One transcript on its way out.
struct Transcript<'r, 'v> {
    view: &'r View<'v>,
    item: &'r Item,
    case: &'r ItemCase,
    plan: &'r ItemPlan,
    register: &'r BTreeMap<ParticipantId, Known>,
    guard: &'r Guard<'r, 'v>,
    strength: Strength,
}

impl Transcript<'_, '_> {
    /// The text of the file; and the first turn, counted from 1, in which something was left that may not leave.
    fn text(&self, citation: &str) -> Result<(String, Option<usize>)> {
        let (key, content) = self.view.transcript_content(&self.item.transcript, self.case.site)?;
        let marks: Marks = self.item.transcript.marks.open(&key)?;
        if !review_stands(&self.item.outline, &content.texts, &marks)? {
            return Err(Error::damage(
                "the words or marks of a transcript are not those that were reviewed",
                "Nothing is built from it. Run `subrosa check`, and review the transcript again.",
            ));
        }
        let verdicts = &self.plan.turns;
        if content.texts.len() != verdicts.len() || self.item.outline.turns.len() != verdicts.len() {
            return Err(Error::damage("the words of a transcript do not fit its outline", "Run `subrosa check`."));
        }
        let mut by_turn: BTreeMap<usize, Vec<&Mark>> = BTreeMap::new();
        for mark in &marks.marks {
            by_turn.entry(usize::try_from(mark.turn).unwrap_or(usize::MAX)).or_default().push(mark);
        }
        let mut out = format!("# {citation} {}\n\n", self.item.outline.language);
        let mut gap = 0;
        let (mut turns, mut numbers) = (Vec::new(), Vec::new());
        for (at, ((verdict, words), facts)) in
            verdicts.iter().zip(&content.texts).zip(&self.item.outline.turns).enumerate()
        {
            if !verdict.goes() {
                gap += 1;
                continue;
            }
            close(&mut out, &mut gap);
            let marks = by_turn.get(&at).map(Vec::as_slice).unwrap_or_default();
            let spoken = one_line(&apply(words, &merged(marks, self.strength))?);
            out.push_str(&self.label(facts.label.as_deref()));
            out.push_str(": ");
            out.push_str(&spoken);
            out.push('\n');
            turns.push((spoken, kept(words, marks)));
            numbers.push(at + 1);
        }
        close(&mut out, &mut gap);
        let found = self.guard.first_in_speech(&turns)?.and_then(|first| numbers.get(first).copied());
        Ok((out, found))
    }

    /// Who speaks, as the extract calls them.
    fn label(&self, label: Option<&str>) -> String {
        match speaker(&self.item.interview, label) {
            Speaker::Participant(id) => {
                self.register.get(&id).map_or_else(|| "?".to_owned(), |known| known.pseudonym.clone())
            }
            Speaker::Aside => label.map_or_else(|| "I".to_owned(), |label| aside(&self.item.interview, label)),
            Speaker::Bystander | Speaker::Unknown => "?".to_owned(),
        }
    }

    fn facts(&self, citation: String, known: &Facts) -> Result<InterviewFacts> {
        let heard = self.plan.voices.iter().filter(|(_, voice)| voice.turns_going > 0);
        let mut tiers = Vec::new();
        for (id, voice) in heard {
            let known_as = self.register.get(id).ok_or_else(|| Error::bug("a voice that goes was not opened"))?;
            let at_large = attribution(voice.consent.tier, voice.consent.module(Module::QuoteText));
            let tier = at_large.max(self.strictest(*id, known));
            tiers.push(Attribution { participant: known_as.pseudonym.clone(), tier });
        }
        tiers.sort();
        let left_out = self.plan.turns.iter().filter(|turn| !turn.goes()).count();
        Ok(InterviewFacts {
            citation,
            site: self.item.prefix.clone(),
            language: self.item.outline.language.clone(),
            turns: self.plan.turns.len() as u64,
            turns_left_out: left_out as u64,
            attribution: tiers,
        })
    }

    /// The strictest attribution of a voice over the turns that go; passages can have one of their own.
    fn strictest(&self, id: ParticipantId, known: &Facts) -> Tier {
        let Some((_, events)) = self.case.participants.get(&id) else { return Tier::Never };
        if !consent::has_passages(events, self.case.interview) {
            return Tier::FullName;
        }
        let going = self.plan.turns.iter().enumerate().filter(|(_, turn)| turn.goes());
        let of_turn = going.map(|(at, _)| {
            let place = Place::Turn {
                interview: self.case.interview,
                transcript: self.case.transcript,
                turn: u32::try_from(at).unwrap_or(u32::MAX),
                time: self.case.turns.get(at).and_then(|turn| turn.time),
            };
            let state = consent::state_at(events, known.setting.now, &place);
            attribution(state.tier, state.module(Module::QuoteText))
        });
        of_turn.max().unwrap_or(Tier::Never)
    }
}

/// The line for turns that were left out, neighbours together.
fn close(out: &mut String, gap: &mut usize) {
    match *gap {
        0 => {}
        1 => out.push_str("[left out]\n"),
        n => out.push_str(&format!("[left out: {n} turns]\n")),
    }
    *gap = 0;
}

/// `I` for the interviewer, `T` for the interpreter; numbered where there are several.
fn aside(interview: &Interview, label: &str) -> String {
    let role = interview.speaker(label).map_or(SpeakerRole::Interviewer, |known| known.role);
    let letter = if role == SpeakerRole::Interpreter { "T" } else { "I" };
    let same: Vec<&str> = interview.speakers.iter().filter(|s| s.role == role).map(|s| s.label.as_str()).collect();
    match same.iter().position(|known| *known == label) {
        Some(at) if same.len() > 1 => format!("{letter}{}", at + 1),
        _ => letter.to_owned(),
    }
}

/// The replacements of a turn: marks that overlap become one, with the words of the longest.
fn merged(marks: &[&Mark], strength: Strength) -> Vec<Replacement> {
    let mut spans: Vec<(usize, usize, &Mark)> = marks
        .iter()
        .filter(|mark| mark.replaces(strength))
        .map(|mark| (mark.start as usize, mark.end as usize, *mark))
        .collect();
    spans.sort_by_key(|(start, end, mark)| (*start, std::cmp::Reverse(*end), mark.id));
    let mut out: Vec<(Replacement, usize)> = Vec::with_capacity(spans.len());
    for (start, end, mark) in spans {
        match out.last_mut() {
            Some((last, longest)) if start < last.end => {
                last.end = last.end.max(end);
                if end - start > *longest {
                    *longest = end - start;
                    last.text.clone_from(&mark.replacement);
                }
            }
            _ => out.push((Replacement { start, end, text: mark.replacement.clone() }, end.saturating_sub(start))),
        }
    }
    out.into_iter().map(|(replacement, _)| replacement).collect()
}

/// What a person decided may stay, as it stands in the original.
fn kept(words: &str, marks: &[&Mark]) -> Vec<String> {
    let kept = marks.iter().filter(|mark| matches!(mark.state, State::Kept(_)));
    kept.map(|mark| {
        words.chars().skip(mark.start as usize).take(mark.end.saturating_sub(mark.start) as usize).collect()
    })
    .collect()
}

/// On one line, so that no line of somebody's words passes for another's turn.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The table: pseudonym, site, gender, age band; and how many rows it does not show. The site of a voice can be read off the manifest, so the class
/// sizes are those within a site.
fn table(
    view: &View<'_>,
    study: &Study,
    register: &BTreeMap<ParticipantId, Known>,
    heard: &BTreeMap<ParticipantId, Date>,
) -> Result<(Vec<u8>, usize)> {
    let sites = view.sites()?;
    let mut by_site: BTreeMap<&str, Vec<(&str, Vec<String>)>> = BTreeMap::new();
    for (id, date) in heard {
        let Some(known) = register.get(id) else { continue };
        let site = sites.get(&known.site).map_or("", |site| site.prefix.as_str());
        let age = known.content.birth_year.and_then(|born| u32::try_from(i32::from(date.year()) - born).ok());
        let band = age.and_then(|age| study.variable("age")?.band(age)).unwrap_or_default();
        let values = [known.content.gender.clone().unwrap_or_default(), band];
        let values = values.map(|value| if value == SUPPRESSED { String::new() } else { value });
        by_site.entry(site).or_default().push((&known.pseudonym, values.to_vec()));
    }
    let k = usize::try_from(study.thresholds.k).unwrap_or(usize::MAX);
    let mut rows: Vec<(String, String, Vec<String>)> = Vec::new();
    let mut left_out = 0;
    for (site, people) in by_site {
        let records: Vec<Vec<String>> = people.iter().map(|(_, values)| values.clone()).collect();
        let guarded = guard(&records, k)?;
        for ((pseudonym, _), values) in people.into_iter().zip(guarded.rows) {
            if !guarded.starred_class_is_safe && values.iter().all(|value| value == SUPPRESSED) {
                left_out += 1;
            } else {
                rows.push((pseudonym.to_owned(), site.to_owned(), values));
            }
        }
    }
    rows.sort();
    let mut out = CsvOut::new(&["pseudonym", "site", "gender", "age"])?;
    for (pseudonym, site, values) in &rows {
        let mut cells = vec![Cell::Text(pseudonym), Cell::Text(site)];
        cells.extend(values.iter().map(|value| Cell::Text(value)));
        out.row(&cells)?;
    }
    Ok((out.finish()?, left_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Class;

    fn mark(start: u32, end: u32, strength: Strength, state: State) -> Mark {
        Mark {
            id: start,
            turn: 0,
            start,
            end,
            class: Class::Person,
            strength,
            layer: "manual".into(),
            replacement: format!("[{start}-{end}]"),
            state,
            by: None,
            at: None,
        }
    }

    #[test]
    fn overlapping_marks_become_one_and_levels_reach_as_far_as_they_say() {
        let marks = [
            mark(0, 4, Strength::Direct, State::Accepted),
            mark(2, 9, Strength::StrongIndirect, State::Suggested),
            mark(11, 14, Strength::Indirect, State::Accepted),
            mark(15, 20, Strength::Direct, State::Kept("a street".into())),
        ];
        let marks: Vec<&Mark> = marks.iter().collect();
        let at = |strength| apply("0123456789abcdefghijkl", &merged(&marks, strength)).unwrap();
        assert_eq!(at(Strength::Direct), "[0-4]456789abcdefghijkl");
        assert_eq!(at(Strength::StrongIndirect), "[2-9]9abcdefghijkl");
        assert_eq!(at(Strength::Indirect), "[2-9]9a[11-14]efghijkl");
        assert_eq!(kept("0123456789abcdefghijkl", &marks), ["fghij"]);
    }

    #[test]
    fn words_stay_on_one_line() {
        assert_eq!(one_line(" a\r\nR2: b\u{2028}c\u{0}"), "a R2: b c");
    }

    #[test]
    fn gaps_are_counted_together() {
        let mut out = String::new();
        for mut gap in [0, 1, 3] {
            close(&mut out, &mut gap);
        }
        assert_eq!(out, "[left out]\n[left out: 3 turns]\n");
    }
}
