//! Approvals of ethics boards: what they cover, and which boards are still missing.

use serde::{Deserialize, Serialize};

use super::project::purpose_term;
use super::study::Study;
use crate::base::id::{ApprovalId, SiteId};
use crate::base::time::Date;
use crate::base::{Error, Result, text};
use crate::ledger::event::{ApprovalFacts, Digest};

/// The board's letter, kept in the vault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// SHA-256 of the document.
    pub digest: Digest,
    /// Its length in bytes.
    pub length: u64,
}

/// An ethics board's decision. Periods include both their ends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The kind of board, as the study demands it for a site ("host", "university").
    pub board: String,
    /// The board's own reference.
    pub reference: String,
    /// What was approved, in words.
    pub title: String,
    /// The sites it covers, or all.
    pub sites: Option<Vec<SiteId>>,
    /// Interviews may have been made from, to; holds against the interview's date.
    pub fieldwork: (Date, Date),
    /// Material may be released from, to; holds on the day of the release.
    pub usage: (Date, Date),
    /// The ids of the DUO terms that it covers; empty for all.
    pub purposes: Vec<String>,
    /// The board's letter, if deposited.
    pub document: Option<Document>,
}

crate::base::text::hidden!(Approval);

impl Approval {
    /// The same approval with its texts trimmed and its purposes as DUO ids, if everything in it holds: the study knows the kind of board,
    /// texts are within bounds, the periods not upside down, at least one site named unless it covers all.
    pub fn checked(mut self, study: &Study) -> Result<Self> {
        if !study.sites.iter().any(|s| s.boards.contains(&self.board)) {
            let mut kinds: Vec<&str> = study.sites.iter().flat_map(|s| &s.boards).map(String::as_str).collect();
            kinds.sort_unstable();
            kinds.dedup();
            let remedy = format!("The study demands these kinds: {}.", kinds.join(", "));
            return Err(Error::user("no site of the study demands this kind of board", remedy));
        }
        self.reference = text::line("the reference", &self.reference)?;
        self.title = text::line("the title", &self.title)?;
        for (name, (from, to)) in [("fieldwork", self.fieldwork), ("use", self.usage)] {
            if to < from {
                let what = format!("the {name} period ends before it begins");
                return Err(Error::user(what, "Give the first day, then the last."));
            }
        }
        if let Some(sites) = &mut self.sites {
            sites.sort_unstable();
            sites.dedup();
            if sites.is_empty() {
                return Err(Error::user("the approval covers no site", "Name its sites, or all."));
            }
        }
        let ids: Result<Vec<String>> = self.purposes.iter().map(|p| Ok(purpose_term(p)?.id.to_owned())).collect();
        self.purposes = ids?;
        self.purposes.sort_unstable();
        self.purposes.dedup();
        Ok(self)
    }

    /// What the ledger keeps of it.
    pub fn facts(&self) -> ApprovalFacts {
        ApprovalFacts {
            approval: self.id,
            board: self.board.clone(),
            sites: self.sites.clone(),
            fieldwork: self.fieldwork,
            usage: self.usage,
            purposes: self.purposes.clone(),
            document: self.document.as_ref().map(|d| d.digest),
        }
    }

    /// Whether it covers a site.
    pub fn covers_site(&self, site: SiteId) -> bool {
        self.sites.as_ref().is_none_or(|sites| sites.contains(&site))
    }

    /// Whether it covers an interview made at a site on a day.
    pub fn covers_fieldwork(&self, site: SiteId, made: Date) -> bool {
        self.covers_site(site) && within(self.fieldwork, made)
    }

    /// Whether it covers a release of a site's material on a day for a purpose (a DUO id).
    ///
    /// A purpose is covered if it is named, to the letter: a board that approved general research use has not said yes to disease-specific
    /// research by itself, although DUO ranks the one under the other.
    pub fn covers_use(&self, site: SiteId, day: Date, purpose: &str) -> bool {
        let named = self.purposes.is_empty() || self.purposes.iter().any(|p| p == purpose);
        self.covers_site(site) && within(self.usage, day) && named
    }
}

/// The kinds of board that a site demands (`boards`) and of which no approval covers a release on this day for this purpose.
pub fn missing_boards(
    boards: &[String],
    site: SiteId,
    approvals: &[Approval],
    day: Date,
    purpose: &str,
) -> Vec<String> {
    lacking(boards, approvals, |a| a.covers_use(site, day, purpose))
}

/// The kinds of board that a site demands (`boards`) and of which no approval covers an interview made on this day.
pub fn missing_fieldwork_boards(boards: &[String], site: SiteId, approvals: &[Approval], made: Date) -> Vec<String> {
    lacking(boards, approvals, |a| a.covers_fieldwork(site, made))
}

fn lacking(boards: &[String], approvals: &[Approval], covers: impl Fn(&Approval) -> bool) -> Vec<String> {
    boards.iter().filter(|board| !approvals.iter().any(|a| a.board == **board && covers(a))).cloned().collect()
}

fn within((from, to): (Date, Date), day: Date) -> bool {
    (from..=to).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::super::study_fixture::STUDY;
    use super::*;

    const AM: SiteId = SiteId::from_bytes([1; 16]);
    const GE: SiteId = SiteId::from_bytes([2; 16]);

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn approval(board: &str) -> Approval {
        Approval {
            id: ApprovalId::from_bytes([9; 16]),
            board: board.into(),
            reference: "2023/17".into(),
            title: "Oral histories".into(),
            sites: Some(vec![AM]),
            fieldwork: (date("2023-01-01"), date("2023-12-31")),
            usage: (date("2023-01-01"), date("2030-12-31")),
            purposes: vec!["DUO:0000042".into()],
            document: None,
        }
    }

    #[test]
    fn covers_its_sites_periods_and_purposes_only() {
        let a = approval("host");
        assert!(a.covers_fieldwork(AM, date("2023-12-31")) && a.covers_fieldwork(AM, date("2023-01-01")));
        assert!(!a.covers_fieldwork(AM, date("2024-01-01")) && !a.covers_fieldwork(AM, date("2022-12-31")));
        assert!(!a.covers_fieldwork(GE, date("2023-06-01")));
        assert!(a.covers_use(AM, date("2030-12-31"), "DUO:0000042"));
        assert!(!a.covers_use(AM, date("2031-01-01"), "DUO:0000042"));
        assert!(!a.covers_use(AM, date("2026-01-01"), "DUO:0000006"));
        assert!(!a.covers_use(GE, date("2026-01-01"), "DUO:0000042"));
        let all = Approval { sites: None, purposes: vec![], ..a };
        assert!(all.covers_use(GE, date("2026-01-01"), "DUO:0000006"));
    }

    #[test]
    fn every_kind_of_board_that_is_demanded_must_be_held() {
        let boards = ["host".to_owned(), "university".to_owned()];
        let day = date("2026-01-01");
        let missing = |held: &[Approval]| missing_boards(&boards, AM, held, day, "DUO:0000042");
        assert_eq!(missing(&[]), boards);
        assert_eq!(missing(&[approval("host"), approval("host")]), ["university"]);
        assert!(missing(&[approval("university"), approval("host")]).is_empty());
        assert_eq!(missing_fieldwork_boards(&boards, AM, &[approval("host")], date("2023-05-01")), ["university"]);
        assert_eq!(missing_fieldwork_boards(&boards, AM, &[approval("host")], day), boards);
    }

    #[test]
    fn refuses_what_does_not_hold_together() {
        let study = Study::parse(STUDY).unwrap();
        let good = Approval { purposes: vec!["GRU".into(), "gru".into()], ..approval("host") }.checked(&study).unwrap();
        assert_eq!(good.purposes, ["DUO:0000042"]);
        assert_eq!(good.facts().purposes, good.purposes);
        let bad = [
            approval("hospital"),
            Approval { sites: Some(vec![]), ..approval("host") },
            Approval { reference: "\n".into(), ..approval("host") },
            Approval { purposes: vec!["NRES".into()], ..approval("host") },
            Approval { usage: (date("2030-01-01"), date("2029-01-01")), ..approval("host") },
            Approval { fieldwork: (date("2030-01-01"), date("2029-01-01")), ..approval("host") },
        ];
        for a in bad {
            assert!(a.checked(&study).is_err());
        }
    }
}
