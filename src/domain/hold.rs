//! Holds: an emergency stop on sites and interviews; one steward sets it, two lift it (DESIGN, section 3).

use serde::{Deserialize, Serialize};

use crate::base::id::{HoldId, InterviewId, PersonId, SiteId};
use crate::base::time::Moment;

/// A hold, as the catalogue keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The sites that it stops.
    pub sites: Vec<SiteId>,
    /// The interviews that it stops.
    pub interviews: Vec<InterviewId>,
    /// Why, in words; stays in the catalogue.
    pub reason: String,
    /// Who set it.
    pub by: PersonId,
    /// When.
    pub set: Moment,
    /// The stewards who agreed to lift it.
    pub lifting: Vec<PersonId>,
}

impl Hold {
    /// Whether it still stands: fewer than two different stewards have agreed to lift it.
    pub fn stands(&self) -> bool {
        self.lifting.iter().all(|steward| Some(steward) == self.lifting.first())
    }

    /// Whether it stops this interview now.
    pub fn stops(&self, interview: InterviewId, site: SiteId) -> bool {
        self.stands() && (self.sites.contains(&site) || self.interviews.contains(&interview))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_stewards_lift_it() {
        let (ada, cid) = (PersonId::from_bytes([1; 16]), PersonId::from_bytes([2; 16]));
        let (site, interview) = (SiteId::from_bytes([3; 16]), InterviewId::from_bytes([4; 16]));
        let mut hold = Hold {
            id: HoldId::from_bytes([5; 16]),
            sites: vec![site],
            interviews: vec![],
            reason: "a complaint".into(),
            by: ada,
            set: "2026-01-01T00:00:00Z".parse().unwrap(),
            lifting: vec![],
        };
        for lifting in [vec![], vec![ada], vec![ada, ada]] {
            hold.lifting = lifting;
            assert!(hold.stops(interview, site) && !hold.stops(interview, SiteId::from_bytes([6; 16])));
        }
        hold.lifting = vec![ada, cid];
        assert!(!hold.stops(interview, site));
    }
}
