//! Approvals of ethics boards: recorded, listed, their letters kept.

use serde::Serialize;

use crate::base::id::{ApprovalId, SiteId};
use crate::base::role::Role;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::domain::approval::{Approval, Document};
use crate::ledger::event::{Digest, Event};
use crate::session::{Unlocked, Vault, View};
use crate::store::catalogue::RecordKind;

/// The largest letter that is kept, in bytes.
pub const MAX_DOCUMENT: u64 = 16 << 20;

/// What a steward says of an approval.
pub struct Recorded {
    /// The kind of board.
    pub board: String,
    /// The board's reference.
    pub reference: String,
    /// What was approved.
    pub title: String,
    /// Prefixes of sites; none for all.
    pub sites: Vec<String>,
    /// Interviews may have been made from, to.
    pub fieldwork: (Date, Date),
    /// Material may be released from, to.
    pub usage: (Date, Date),
    /// DUO codes; none for all.
    pub purposes: Vec<String>,
    /// The letter.
    pub document: Option<Vec<u8>>,
}

/// An approval as a list shows it.
#[derive(Serialize)]
pub struct Listed {
    /// Id.
    pub id: ApprovalId,
    /// Kind of board.
    pub board: String,
    /// The board's reference.
    pub reference: String,
    /// What was approved.
    pub title: String,
    /// Prefixes of sites; none for all.
    pub sites: Option<Vec<String>>,
    /// From, to.
    pub fieldwork: (Date, Date),
    /// From, to.
    pub usage: (Date, Date),
    /// DUO codes; none for all.
    pub purposes: Vec<String>,
    /// Whether the letter is kept.
    pub document: bool,
}

/// Records an approval. For stewards.
pub fn add(vault: &mut Vault<Unlocked>, said: Recorded) -> Result<ApprovalId> {
    vault.commit("approval add", |act| {
        act.require(Role::Steward, None)?;
        let (_, study) = act.study()?;
        let document =
            said.document.as_ref().map(|bytes| Document { digest: Digest::of(bytes), length: bytes.len() as u64 });
        let approval = Approval {
            id: ApprovalId::random()?,
            board: said.board,
            reference: said.reference,
            title: said.title,
            sites: site_ids(act, &said.sites)?,
            fieldwork: said.fieldwork,
            usage: said.usage,
            purposes: said.purposes,
            document,
        }
        .checked(&study)?;
        if let Some(bytes) = &said.document {
            act.tables().set_meta(&document_name(approval.id), bytes)?;
        }
        act.tables().put_record(RecordKind::Approval, approval.id.as_bytes(), act.seq(), &approval)?;
        act.event(Event::Approval(approval.facts()));
        Ok(approval.id)
    })
}

/// All approvals.
pub fn list(vault: &mut Vault<Unlocked>) -> Result<Vec<Listed>> {
    vault.commit("approval list", |act| {
        let sites = act.sites()?;
        let prefix = |id: &SiteId| sites.get(id).map(|s| s.prefix.clone());
        let all = act.records::<Approval>(RecordKind::Approval)?;
        act.event(Event::Listed { what: "approvals".into(), filters: vec![], count: all.len() as i64 });
        Ok(all
            .into_iter()
            .map(|a| Listed {
                id: a.id,
                board: a.board,
                reference: a.reference,
                title: a.title,
                sites: a.sites.map(|ids| ids.iter().filter_map(prefix).collect()),
                fieldwork: a.fieldwork,
                usage: a.usage,
                purposes: a.purposes,
                document: a.document.is_some(),
            })
            .collect())
    })
}

/// The board's letter, as it was deposited.
pub fn document(vault: &mut Vault<Unlocked>, id: ApprovalId) -> Result<Vec<u8>> {
    vault.commit("approval document", |act| {
        let none = || Error::user("there is no such approval, or it has no letter", "See `subrosa approval list`.");
        let approval: Approval = act.record(RecordKind::Approval, id.as_bytes())?.ok_or_else(none)?;
        let expected = approval.document.ok_or_else(none)?;
        let bytes = act.meta(&document_name(id))?.ok_or_else(none)?;
        if Digest::of(&bytes) != expected.digest {
            return Err(Error::damage("the board's letter is not the one that was deposited", "Run `subrosa check`."));
        }
        act.event(Event::Listed { what: "approval document".into(), filters: vec![], count: 1 });
        Ok(bytes)
    })
}

/// Site prefixes of the command line as ids; `None` if there are none.
pub fn site_ids(view: &View<'_>, prefixes: &[String]) -> Result<Option<Vec<SiteId>>> {
    let mut ids = Vec::new();
    for prefix in prefixes {
        let site = view.site_by_prefix(prefix)?;
        let none = || Error::user("there is no such site in the study", "Use the prefixes of the study's sites.");
        ids.push(site.ok_or_else(none)?.id);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok((!ids.is_empty()).then_some(ids))
}

/// The name of the small value that holds the letter of an approval.
pub(super) fn document_name(id: ApprovalId) -> String {
    format!("approval-document/{id}")
}
