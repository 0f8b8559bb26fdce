//! What an extract says of itself, in words.

use crate::domain::conditions::Conditions;
use crate::ledger::event::DecisionFacts;
use crate::ops::plan::Facts;

/// The text of `README.txt`. `rows`: how many the table of participants does not show.
pub(super) fn readme(known: &Facts, facts: &DecisionFacts, rows: usize) -> String {
    let level = match facts.level {
        1 => "what names somebody directly is replaced",
        2 => "what names somebody directly or nearly so is replaced",
        _ => "what names somebody is replaced, and what points to somebody is generalised",
    };
    let conditions = Conditions::of(&facts.conditions).map(|c| c.text).unwrap_or_default();
    format!(
        "An extract of interviews, given in confidence\n\
         \n\
         Project: {title}\n\
         Level {number}: {level}.\n\
         Keep and use it until {until}; destroy all copies by then.\n\
         \n\
         transcripts/       One file an interview and language, named by the citation code; a translation has its language in the name.\n\
         \x20                  Each line is a turn. Voices go by pseudonyms, I asks, T interprets, ? is not known.\n\
         \x20                  A line [left out] stands where something may not go. In brackets stands what was replaced.\n\
         participants.csv   Voices with site, gender and age band. * stands for what too few have in common; {rows} rows are left out for that.\n\
         manifest.json      What is in this extract, how each voice may be named in print, and how much was left out.\n\
         decision.json      Who decided on it, signed. release.json and release.tlog-proof show that it was recorded.\n\
         \n\
         If you recognise somebody, or find anything that says who somebody is: {contact}\n\
         \n\
         {conditions}",
        title = known.project.title,
        number = facts.level,
        until = facts.until,
        contact = known.study.contact,
    )
}
