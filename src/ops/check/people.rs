//! Participants and their consent.

use std::collections::BTreeMap;

use super::ledger::Told;
use super::rows::Voices;
use super::{Findings, OTHERS, Seen};
use crate::base::id::{ParticipantId, Token};
use crate::base::progress::Progress;
use crate::base::secret::Key;
use crate::domain::consent::{ConsentEvent, ConsentScope};
use crate::domain::participant::{ParticipantContent, ParticipantMeta};
use crate::ledger::event::ConsentFacts;
use crate::session::View;
use crate::store::catalogue::ParticipantRow;
use crate::store::keyfile::Class;

pub(super) fn check(
    view: &View<'_>,
    told: &Told,
    voices: &Voices,
    seen: &mut Seen,
    found: &mut Findings,
    progress: &dyn Progress,
) {
    let rows = match view.participants() {
        Ok(rows) => rows,
        Err(error) => return found.error("the participants", &error),
    };
    found.part("participants", rows.len() as u64);
    let mut tokens = BTreeMap::new();
    progress.begin("Checking participants", rows.len() as u64);
    for row in &rows {
        progress.advance(1);
        let hurt = called(view, row.id, seen);
        seen.ids.insert(*row.id.as_bytes(), None);
        if let Some(token) = participant(view, told, row, &hurt, seen, found) {
            tokens.insert(row.id, token);
        }
    }
    progress.end();
    for (item, (_, heard)) in &told.items {
        let Some(rows) = voices.get(item) else { continue };
        let here: Option<std::collections::BTreeSet<Token>> = rows.iter().map(|id| tokens.get(id).copied()).collect();
        if here.is_some_and(|here| here != *heard) {
            let code = seen.ids.values().flatten().find(|(_, token)| token == item).map(|(code, _)| code.clone());
            found.fault(code.unwrap_or_default(), "the ledger tells of other voices in it", OTHERS);
        }
    }
    let lost = told.participants.iter().filter(|token| !tokens.values().any(|t| t == *token)).count();
    if lost > 0 && told.destroyed {
        found.notice(format!("{lost} participants that the ledger tells of are no longer in the catalogue: destroyed on purpose, or hurt as listed"));
    } else if lost > 0 {
        found.fault(
            "the participants",
            format!("{lost} that the ledger tells of cannot be found in the catalogue"),
            OTHERS,
        );
    }
}

/// "a voice of AM-05": a participant has no name here.
fn called(view: &View<'_>, id: ParticipantId, seen: &Seen) -> String {
    let heard = view.heard_in(id).unwrap_or_default();
    let code = heard.iter().find_map(|interview| seen.ids.get(interview.as_bytes()).cloned().flatten());
    code.map_or_else(|| "a participant".to_owned(), |(code, _)| format!("a voice of {code}"))
}

fn participant(
    view: &View<'_>,
    told: &Told,
    row: &ParticipantRow,
    hurt: &str,
    seen: &mut Seen,
    found: &mut Findings,
) -> Option<Token> {
    let content = Class::Content(row.site);
    let missing = "Put back the newest key file. Other participants are not hurt.";
    if !seen.slot(view, row.content_slot) {
        found.fault(hurt, "the key of who they are is missing", missing);
    } else if view.opens(row.site) {
        match view.key(row.content_slot, content) {
            Ok(key) => drop(found.open::<ParticipantContent>(&row.content, &key, hurt, "who they are")),
            Err(error) => found.error(hurt, &error),
        }
    } else {
        let site = view.sites().ok().and_then(|sites| sites.get(&row.site).map(|s| s.prefix.clone()));
        *seen.closed.entry(site.unwrap_or_default()).or_default() += 1;
    }
    if !seen.slot(view, row.meta_slot) {
        found.fault(hurt, "the key of their consent is missing: everything of theirs is withheld", missing);
        return None;
    }
    let key = view.key(row.meta_slot, Class::Meta).inspect_err(|error| found.error(hurt, error)).ok()?;
    let meta = found.open::<ParticipantMeta>(&row.meta, &key, hurt, "their row")?;
    if !told.participants.contains(&meta.token) {
        found.fault(hurt, "the ledger does not know them", OTHERS);
    }
    if view.heard_in(row.id).is_ok_and(|heard| heard.is_empty()) {
        found.notice("a participant is heard in no interview");
    }
    consent(view, told, row, &meta, &key, hurt, seen, found);
    Some(meta.token)
}

#[expect(clippy::too_many_arguments, reason = "one participant's row, key and name, and where findings go")]
fn consent(
    view: &View<'_>,
    told: &Told,
    row: &ParticipantRow,
    meta: &ParticipantMeta,
    key: &Key,
    hurt: &str,
    seen: &Seen,
    found: &mut Findings,
) {
    let rows = match view.consents(row.id) {
        Ok(rows) => rows,
        Err(error) => return found.error(hurt, &error),
    };
    let withheld = "Do not release anything of theirs before it is restored.";
    let gapless = (1..).zip(&rows).all(|(number, row)| row.number == number);
    if !gapless || rows.len() != meta.consents as usize {
        found.fault(hurt, format!("of {} consent events {} are there", meta.consents, rows.len()), withheld);
    }
    let mut here: Vec<ConsentFacts> = Vec::new();
    for consent in &rows {
        let what = format!("consent event {}", consent.number);
        let Some(event) = found.open::<ConsentEvent>(&consent.body, key, hurt, &what) else { return };
        let interview = match event.scope {
            ConsentScope::All => None,
            ConsentScope::Interview { interview } | ConsentScope::Passage { interview, .. } => {
                seen.interviews.get(&interview).copied()
            }
        };
        if event.participant != row.id {
            found.fault(hurt, format!("{what} is of somebody else"), withheld);
        }
        match event.facts(meta.token, interview) {
            Ok(facts) => here.push(facts),
            Err(error) => return found.fault(hurt, format!("{what}: {}", error.what()), withheld),
        }
    }
    let ledger = told.consent.get(&meta.token).map(Vec::as_slice).unwrap_or_default();
    if here != ledger {
        found.fault(hurt, "their consent is not what the ledger tells of", withheld);
    }
}
