//! The keyring: who is enrolled, which compartments there are, and every holder's sealed bundle of their keys
//! (docs/format.md, section 3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::sign::{self, PublicKey, Signature, SigningSeed};
use super::stream::{self, AgeRecipient};
use super::{identity::Identity, seal};
use crate::base::id::{PersonId, SiteId, VaultId};
use crate::base::role::{Role, RoleGrant};
use crate::base::secret::Key;
use crate::base::text::{as_text, base64};
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical, format};

const FORMAT: &str = "subrosa-keyring/1";
const ROSTER: &str = "subrosa/roster/1";
/// The largest keyring file read: some 10,000 people.
pub const MAX_BYTES: usize = 64 << 20;

/// The name of a compartment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Compartment {
    /// The catalogue database.
    Catalogue,
    /// The ledger database and the roster.
    Ledger,
    /// The key that signs checkpoints.
    LogSign,
    /// The identity that opens requests.
    Desk,
    /// The content of a site.
    Content(SiteId),
    /// An identity that opens deposits, by serial number.
    Inbox(u32),
}

/// What the roster says of a compartment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompartmentFacts {
    /// Counted from 1.
    pub generation: u32,
    /// SHA-256 over name and key.
    pub commitment: String,
    /// The commitments of the generations before that holders keep, newest first.
    pub former: Vec<String>,
    /// The public half, where there is one: base64 Ed25519 of `log-sign`, age recipient of `desk` and `inbox`.
    pub public: Option<String>,
}

impl CompartmentFacts {
    /// The commitment of a generation, if its holders keep it.
    pub fn commitment_of(&self, generation: u32) -> Option<&str> {
        let back = self.generation.checked_sub(generation)? as usize;
        match back.checked_sub(1) {
            None => Some(&self.commitment),
            Some(i) => self.former.get(i).map(String::as_str),
        }
    }

    /// The commitments of all generations that holders keep, newest first.
    pub fn kept(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.commitment).chain(&self.former).map(String::as_str)
    }
}

/// Somebody enrolled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Person id.
    pub id: PersonId,
    /// The age recipient that bundles are sealed to.
    pub age: AgeRecipient,
    /// The key that their entries are signed by.
    pub sign: PublicKey,
    /// What they may do, and where.
    pub roles: Vec<RoleGrant>,
    /// Enrolled at.
    pub since: Moment,
}

impl Member {
    /// Whether they have `role` at `site` (at any site, if none is asked for).
    pub fn has(&self, role: Role, site: Option<SiteId>) -> bool {
        self.roles.iter().any(|grant| grant.gives(role, site))
    }
}

/// Who is enrolled and which compartments there are; signed by a steward.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// The vault.
    pub vault: VaultId,
    /// Counted from 1.
    pub version: u32,
    /// Everybody enrolled.
    pub people: Vec<Member>,
    /// Every compartment.
    pub compartments: BTreeMap<Compartment, CompartmentFacts>,
}

/// The keyring file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyringFile {
    format: String,
    /// The vault.
    pub vault: VaultId,
    /// The roster's version.
    pub version: u32,
    roster: String,
    sig: Signature,
    /// Who signed.
    pub signer: PersonId,
    wraps: Wraps,
}

/// Everybody's sealed keys: person, label of the key, base64 of an age file. A label is the beginning of the key's commitment and
/// says nothing to somebody without the roster.
pub type Wraps = BTreeMap<PersonId, BTreeMap<String, String>>;

/// The compartment keys that one person holds: the present generation and the one before.
pub struct Bundle(BTreeMap<(Compartment, u32), Key>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrappedKey {
    generation: u32,
    key: String,
    name: Compartment,
}

impl Drop for WrappedKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Bundle {
    /// A bundle with nothing in it.
    pub fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Puts a key in.
    pub fn insert(&mut self, name: Compartment, generation: u32, key: Key) {
        self.0.insert((name, generation), key);
    }

    /// The key of a compartment in a generation.
    pub fn get(&self, name: Compartment, generation: u32) -> Option<&Key> {
        self.0.get(&(name, generation))
    }

    /// Which keys are held.
    pub fn held(&self) -> impl Iterator<Item = (Compartment, u32)> {
        self.0.keys().copied()
    }

    /// The newest key of a compartment.
    pub fn newest(&self, name: Compartment) -> Option<(u32, &Key)> {
        self.0.range((name, 0)..=(name, u32::MAX)).next_back().map(|((_, generation), key)| (*generation, key))
    }

    /// All generations of a compartment that are held, newest first.
    pub fn generations(&self, name: Compartment) -> impl Iterator<Item = (u32, &Key)> {
        self.0.range((name, 0)..=(name, u32::MAX)).rev().map(|((_, generation), key)| (*generation, key))
    }

    /// A second copy.
    pub fn duplicate(&self) -> Self {
        Self(self.0.iter().map(|(name, key)| (*name, key.duplicate())).collect())
    }
}

impl Default for Bundle {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-256 over the name and the key of a compartment: tells the right key from a planted one.
pub fn commitment(name: Compartment, key: &Key) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("subrosa/compartment/1\n{name}\n"));
    hash.update(key.expose());
    data_encoding::BASE64.encode(&hash.finalize())
}

/// What the ledger pins: SHA-256 of the canonical roster.
pub fn digest(roster: &Roster) -> Result<[u8; 32]> {
    Ok(Sha256::digest(canonical::to_vec(roster)?).into())
}

/// The label under which a key of this commitment is wrapped.
pub fn label(commitment: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(commitment)[..8])
}

/// Seals a compartment key to somebody.
pub fn wrap(name: Compartment, generation: u32, key: &Key, recipient: &AgeRecipient) -> Result<String> {
    let text = WrappedKey { generation, key: data_encoding::BASE64.encode(key.expose()), name };
    let plain = Zeroizing::new(canonical::to_vec(&text)?);
    Ok(data_encoding::BASE64.encode(&stream::seal_bytes(&[recipient.as_age()], &plain)?))
}

impl KeyringFile {
    /// Writes a keyring; `ledger` is the ledger key of the newest generation.
    pub fn build(roster: &Roster, wraps: Wraps, ledger: &Key, signer: PersonId, seed: &SigningSeed) -> Result<Self> {
        let text = canonical::to_vec(roster)?;
        let key = seal::derive(ledger, roster.vault.as_bytes(), ROSTER)?;
        Ok(Self {
            format: FORMAT.into(),
            vault: roster.vault,
            version: roster.version,
            roster: data_encoding::BASE64.encode(&seal::seal(&key, ROSTER.as_bytes(), &text)?),
            sig: seed.sign(ROSTER, &text),
            signer,
            wraps,
        })
    }

    /// Everybody's sealed keys.
    pub fn wraps(&self) -> &Wraps {
        &self.wraps
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        canonical::to_vec(self)
    }

    /// Reads the file; nothing is verified yet.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        format::expect(bytes, FORMAT, "the keyring")?;
        let file: Self = canonical::from_slice(bytes).map_err(|_| damaged())?;
        if file.format == FORMAT { Ok(file) } else { Err(damaged()) }
    }

    /// Opens `identity`'s keys. Fails with a refusal if they have none.
    pub fn unwrap(&self, identity: &Identity) -> Result<Bundle> {
        let Some(wraps) = self.wraps.get(&identity.person_id()) else {
            return Err(Error::denied(
                "this identity has no keys of this vault: it is not enrolled, or its roles do not open it",
                "Analysts, depositors and helpers work with sealed files and need no vault. Otherwise ask a steward to enrol your card with `subrosa person add`, or use --identity with another file. If you could open the vault before, let somebody else run `subrosa check`: keyring.json may be damaged.",
            ));
        };
        let mut bundle = Bundle::new();
        for wrap in wraps.values() {
            let sealed = base64(wrap).ok_or_else(damaged)?;
            let text = stream::open_bytes(identity.as_age(), &sealed, 4096).map_err(|_| damaged())?;
            let item: WrappedKey = canonical::from_slice(&text).map_err(|_| damaged())?;
            let bytes = Zeroizing::new(base64(&item.key).ok_or_else(damaged)?);
            bundle.insert(item.name, item.generation, Key::from_slice(&bytes).ok_or_else(damaged)?);
        }
        Ok(bundle)
    }

    /// Opens the roster with a bundle and verifies everything: the seal, that a steward of the roster signed
    /// it, and that each key held matches a commitment in it.
    pub fn open(&self, bundle: &Bundle) -> Result<Roster> {
        let sealed = base64(&self.roster).ok_or_else(damaged)?;
        let (_, ledger) = bundle.newest(Compartment::Ledger).ok_or_else(damaged)?;
        let key = seal::derive(ledger, self.vault.as_bytes(), ROSTER)?;
        let text = seal::open(&key, ROSTER.as_bytes(), &sealed).map_err(|e| e.at("the keyring"))?;
        let roster: Roster = canonical::from_slice(&text).map_err(|e| e.at("the keyring"))?;
        let signer =
            roster.people.iter().find(|m| m.id == self.signer && m.has(Role::Steward, None)).ok_or_else(damaged)?;
        sign::require(&signer.sign, ROSTER, &text, &self.sig, "the keyring")?;
        if roster.vault != self.vault || roster.version != self.version {
            return Err(damaged());
        }
        for ((name, generation), key) in &bundle.0 {
            let facts = roster.compartments.get(name).ok_or_else(damaged)?;
            if facts.commitment_of(*generation) != Some(commitment(*name, key).as_str()) {
                return Err(Error::damage(
                    "a key in the keyring is not the one that the steward signed for",
                    "Somebody altered keyring.json. Restore it from a backup and tell the stewards.",
                ));
            }
        }
        Ok(roster)
    }
}

fn damaged() -> Error {
    Error::damage("the keyring is damaged or was altered", "Restore keyring.json from a backup and tell the stewards.")
}

impl std::fmt::Display for Compartment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Catalogue => f.write_str("catalogue"),
            Self::Ledger => f.write_str("ledger"),
            Self::LogSign => f.write_str("log-sign"),
            Self::Desk => f.write_str("desk"),
            Self::Content(site) => write!(f, "content/{site}"),
            Self::Inbox(serial) => write!(f, "inbox/{serial}"),
        }
    }
}

impl std::str::FromStr for Compartment {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('/') {
            Some(("content", site)) => Ok(Self::Content(site.parse()?)),
            Some(("inbox", serial)) => serial.parse().map(Self::Inbox).map_err(|_| damaged()),
            _ => match text {
                "catalogue" => Ok(Self::Catalogue),
                "ledger" => Ok(Self::Ledger),
                "log-sign" => Ok(Self::LogSign),
                "desk" => Ok(Self::Desk),
                _ => Err(damaged()),
            },
        }
    }
}

as_text!(Compartment);
