//! Roles: what somebody may do, and where.

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::SiteId;

/// What somebody may do (DESIGN, section 1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Hands interviews in.
    Depositor,
    /// Takes in, completes, reviews, builds.
    Archivist,
    /// Decides.
    Steward,
    /// Gets extracts.
    Analyst,
    /// Reads the ledger.
    Auditor,
    /// Does one piece of work on one item.
    Helper,
}

/// A role and where it holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// The sites, or all of them.
    pub sites: Option<Vec<SiteId>>,
}

impl RoleGrant {
    /// Whether it gives `role` at `site` (at any site, if none is asked for).
    pub fn gives(&self, role: Role, site: Option<SiteId>) -> bool {
        self.role == role
            && match (&self.sites, site) {
                (Some(sites), Some(site)) => sites.contains(&site),
                _ => true,
            }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Depositor => "depositor",
            Self::Archivist => "archivist",
            Self::Steward => "steward",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Helper => "helper",
        })
    }
}

impl std::str::FromStr for Role {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text.trim().to_lowercase().as_str() {
            "depositor" => Self::Depositor,
            "archivist" => Self::Archivist,
            "steward" => Self::Steward,
            "analyst" => Self::Analyst,
            "auditor" => Self::Auditor,
            "helper" => Self::Helper,
            _ => {
                return Err(Error::user(
                    "there is no such role",
                    "The roles are depositor, archivist, steward, analyst, auditor and helper.",
                ));
            }
        })
    }
}
