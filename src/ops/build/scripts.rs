//! The transcripts of an extract, from rows to text: marks applied, and what may not go left out.
//!
//! Each is written twice: once inside the commit, for its digest and the check at the exit, and once more when it is sealed. So however much goes, only
//! a few transcripts are in memory at a time, and none is ever on the disk.

use std::collections::BTreeMap;

use rayon::prelude::*;
use zeroize::Zeroizing;

use super::guard::{Findings, Guard, Own, Spoken};
use super::manifest::FileFacts;
use super::render::Known;
use crate::base::id::{InterviewId, ParticipantId};
use crate::base::secret::Key;
use crate::base::{Error, Result};
use crate::domain::consent_turns::{Speaker, TurnVerdict};
use crate::domain::interview::{Interview, SpeakerRole};
use crate::domain::participant::ParticipantContent;
use crate::domain::transcript::{Outline, TranscriptContent};
use crate::ops::plan::{Item, speaker};
use crate::ops::redact::review_stands;
use crate::redact::mark::{Mark, Marks, State};
use crate::redact::{Replacement, Strength, apply};
use crate::session::View;
use crate::store::catalogue::TranscriptRow;
use crate::store::keyfile::Class;

/// How many transcripts are written in one go, on all cores.
const AT_ONCE: usize = 8;

/// What it takes to write the transcripts of an extract.
pub(super) struct Scripts {
    /// In the order of the names of their files.
    pub(super) all: Vec<Script>,
    /// Everybody of the interviews that go.
    pub(super) register: BTreeMap<ParticipantId, Known>,
    pub(super) strength: Strength,
}

/// One transcript that goes.
pub(super) struct Script {
    pub(super) interview: InterviewId,
    pub(super) path: String,
    pub(super) citation: String,
    pub(super) item: Item,
    /// Whether each turn goes.
    pub(super) verdicts: Vec<TurnVerdict>,
}

/// A transcript as it lies in the vault, with the keys that open it.
struct Sealed {
    row: TranscriptRow,
    /// The interview's, for the outline.
    outline_key: Key,
    key: Key,
}

/// A transcript, opened.
struct Opened {
    outline: Outline,
    content: TranscriptContent,
    marks: Marks,
}

/// A transcript as it leaves.
struct Text {
    /// The first line of the file.
    title: String,
    turns: Vec<Spoken>,
    file: Zeroizing<String>,
}

impl Scripts {
    /// Writes every transcript for its digest and the check at the exit, and hands over in order what comes of it. Refused where the words or marks are
    /// not those that were reviewed. `others`: who else is heard in each interview.
    pub(super) fn look(
        &self,
        view: &View<'_>,
        guard: &Guard<'_>,
        others: &BTreeMap<InterviewId, Vec<ParticipantContent>>,
        mut take: impl FnMut(&Script, FileFacts, Findings) -> Result<()>,
    ) -> Result<()> {
        let own = |script: &Script| {
            let speakers = script.item.interview.speakers.iter().filter_map(|speaker| speaker.participant);
            let participants = speakers.filter_map(|id| self.register.get(&id)).map(|known| &known.content);
            Own::new(participants.chain(others.get(&script.interview).into_iter().flatten()))
        };
        self.each(
            view,
            |script, opened| {
                opened.require_review()?;
                let text = self.text(script, &opened)?;
                let found = guard.in_transcript(&text.title, &text.turns, &own(script));
                Ok((FileFacts::of(&script.path, text.file.as_bytes()), found))
            },
            |script, (facts, found)| take(script, facts, found),
        )
    }

    /// Writes the transcripts once more, in the order of the names of their files, and hands over name and bytes of each. `files` is what was recorded
    /// of them: if marks or words have changed meanwhile, nothing more is handed over.
    pub(super) fn write(
        &self,
        view: &View<'_>,
        files: &[FileFacts],
        mut take: impl FnMut(&str, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut recorded = files.iter();
        self.each(
            view,
            |script, opened| {
                let text = self.text(script, &opened)?;
                Ok((FileFacts::of(&script.path, text.file.as_bytes()), text.file))
            },
            |script, (facts, file)| match recorded.next() {
                Some(known) if *known == facts => take(&script.path, file.as_bytes()),
                _ => Err(Error::user(
                    "a transcript was changed by another command while the extract was being written",
                    "There is no extract, although its release is recorded. Build it again.",
                )),
            },
        )
    }

    /// Opens the transcripts, some at a time on all cores, and hands over in order what `make` makes of each.
    fn each<T: Send>(
        &self,
        view: &View<'_>,
        make: impl Fn(&Script, Opened) -> Result<T> + Sync,
        mut take: impl FnMut(&Script, T) -> Result<()>,
    ) -> Result<()> {
        for scripts in self.all.chunks(AT_ONCE) {
            let sealed = scripts.iter().map(|script| script.fetch(view)).collect::<Result<Vec<_>>>()?;
            let made: Vec<Result<T>> =
                scripts.par_iter().zip(sealed).map(|(script, sealed)| make(script, sealed.open()?)).collect();
            for (script, made) in scripts.iter().zip(made) {
                take(script, made?)?;
            }
        }
        Ok(())
    }

    fn text(&self, script: &Script, opened: &Opened) -> Result<Text> {
        let Opened { outline, content, marks } = opened;
        if content.texts.len() != script.verdicts.len() || outline.turns.len() != script.verdicts.len() {
            return Err(Error::damage("the words of a transcript do not fit its outline", "Run `subrosa check`."));
        }
        let mut by_turn: BTreeMap<usize, Vec<&Mark>> = BTreeMap::new();
        for mark in &marks.marks {
            by_turn.entry(usize::try_from(mark.turn).unwrap_or(usize::MAX)).or_default().push(mark);
        }
        let title = format!("# {} {}", script.citation, script.item.language);
        // With room for what replacements add, so that no copy of it is left behind by growing.
        let long: usize = content.texts.iter().map(|words| words.len() + 32).sum();
        let mut file = Zeroizing::new(String::with_capacity(long + long / 4));
        file.push_str(&title);
        file.push_str("\n\n");
        let mut gap = 0;
        let mut turns = Vec::new();
        for (at, ((verdict, words), facts)) in
            script.verdicts.iter().zip(&content.texts).zip(&outline.turns).enumerate()
        {
            if !verdict.goes() {
                gap += 1;
                continue;
            }
            close(&mut file, &mut gap);
            let marks = by_turn.get(&at).map(Vec::as_slice).unwrap_or_default();
            let spoken = Spoken {
                number: at + 1,
                label: self.label(&script.item.interview, facts.label.as_deref()),
                words: one_line(&apply(words, &merged(marks, self.strength))?),
                kept: kept(words, marks),
            };
            file.push_str(&spoken.label);
            file.push_str(": ");
            file.push_str(&spoken.words);
            file.push('\n');
            turns.push(spoken);
        }
        close(&mut file, &mut gap);
        Ok(Text { title, turns, file })
    }

    /// Who speaks, as the extract calls them.
    fn label(&self, interview: &Interview, label: Option<&str>) -> String {
        match speaker(interview, label) {
            Speaker::Participant(id) => {
                self.register.get(&id).map_or_else(|| "?".to_owned(), |known| known.pseudonym.clone())
            }
            Speaker::Aside => label.map_or_else(|| "I".to_owned(), |label| aside(interview, label)),
            Speaker::Bystander | Speaker::Unknown => "?".to_owned(),
        }
    }
}

impl Script {
    fn fetch(&self, view: &View<'_>) -> Result<Sealed> {
        let row = view.load_transcript(self.item.transcript)?;
        let key = view.key(row.slot, Class::Content(self.item.site))?;
        Ok(Sealed { row, outline_key: view.key(self.item.slot, Class::Meta)?, key })
    }
}

impl Sealed {
    fn open(self) -> Result<Opened> {
        Ok(Opened {
            outline: self.row.outline.open(&self.outline_key)?,
            content: self.row.turns.open(&self.key)?,
            marks: self.row.marks.open(&self.key)?,
        })
    }
}

impl Opened {
    fn require_review(&self) -> Result<()> {
        if review_stands(&self.outline, &self.content.texts, &self.marks)? {
            return Ok(());
        }
        Err(Error::damage(
            "the words or marks of a transcript are not those that were reviewed",
            "Nothing is built from it. Run `subrosa check`, and review the transcript again.",
        ))
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
