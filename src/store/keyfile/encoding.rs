//! How the key file is laid out in bytes, and the seals over its parts (docs/format.md, section 4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::KeyFile;
use crate::base::id::{SiteId, SlotId, VaultId};
use crate::base::secret::Key;
use crate::base::text::base64;
use crate::base::{Error, Result, canonical, format};
use crate::crypto::seal;

const MAGIC: &[u8; 8] = b"SBRKEYS1";
pub(super) const FORMAT: &str = "subrosa-keyfile/1";
pub(super) const RECORD: usize = 64;
pub(super) const MAC: usize = 32;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) epoch: u64,
    pub(super) format: String,
    pub(super) generation: u64,
    pub(super) records: u64,
    pub(super) sealed: String,
    pub(super) vault: VaultId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inner {
    pub(super) decoy_seed: String,
    pub(super) decoys: u64,
    pub(super) index: String,
    pub(super) meta: String,
    pub(super) sites: BTreeMap<SiteId, SiteText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteText {
    pub(super) generation: u32,
    pub(super) key: String,
}

/// The parts of a key file.
pub(super) struct Parts<'a> {
    pub(super) head: &'a [u8],
    pub(super) records: &'a [u8],
    pub(super) mac: [u8; MAC],
    /// All that the mac is over.
    pub(super) signed: &'a [u8],
}

impl KeyFile {
    /// The bytes of the file with these records, sealed and tagged under the catalogue key given.
    pub(super) fn encode(&self, records: &[[u8; RECORD]], catalogue: &Key) -> Result<Vec<u8>> {
        let sites = self
            .sites
            .iter()
            .map(|(id, s)| (*id, SiteText { generation: s.generation, key: data_encoding::BASE64.encode(&s.sealed) }));
        let inner = Inner {
            decoy_seed: data_encoding::BASE64.encode(self.decoy_seed.expose()),
            decoys: self.decoys,
            index: data_encoding::BASE64.encode(self.index.expose()),
            meta: data_encoding::BASE64.encode(self.meta.expose()),
            sites: sites.collect(),
        };
        let inner = Zeroizing::new(canonical::to_vec(&inner)?);
        let outer = seal::derive(catalogue, self.vault.as_bytes(), "subrosa/keyfile/outer/1")?;
        let header = Header {
            epoch: self.epoch,
            format: FORMAT.into(),
            generation: self.generation,
            records: records.len() as u64,
            sealed: data_encoding::BASE64.encode(&seal::seal(&outer, b"subrosa/keyfile/1", &inner)?),
            vault: self.vault,
        };
        let head = canonical::to_vec(&header)?;
        let mut bytes = Vec::with_capacity(12 + head.len() + records.len() * RECORD + MAC);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&u32::try_from(head.len()).map_err(|_| damaged())?.to_be_bytes());
        bytes.extend_from_slice(&head);
        records.iter().for_each(|r| bytes.extend_from_slice(r));
        let mac = tag(catalogue, self.vault, &bytes)?;
        bytes.extend_from_slice(&mac);
        Ok(bytes)
    }
}

pub(super) fn split(bytes: &[u8]) -> Result<Parts<'_>> {
    let stem = &MAGIC[..7];
    if bytes.strip_prefix(stem).and_then(|rest| rest.first()).is_some_and(|v| (b'2'..=b'9').contains(v)) {
        return Err(format::newer("the key file"));
    }
    let parse = || {
        let (signed, mac) = bytes.split_last_chunk::<MAC>()?;
        let rest = signed.strip_prefix(MAGIC)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (head, records) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        (records.len() % RECORD == 0).then_some(Parts { head, records, mac: *mac, signed })
    };
    parse().ok_or_else(damaged)
}

pub(super) fn tag(catalogue: &Key, vault: VaultId, bytes: &[u8]) -> Result<[u8; MAC]> {
    let key = seal::derive(catalogue, vault.as_bytes(), "subrosa/keyfile/mac/1")?;
    Ok(*blake3::keyed_hash(key.expose(), bytes).as_bytes())
}

pub(super) fn nonce(slot: SlotId) -> [u8; 24] {
    let mut nonce = [0u8; 24];
    nonce[..16].copy_from_slice(slot.as_bytes());
    nonce
}

fn site_aad(site: SiteId) -> Vec<u8> {
    format!("subrosa/keyfile/1/{site}").into_bytes()
}

pub(super) fn seal_site(content: &Key, vault: VaultId, site: SiteId, key: &Key) -> Result<Vec<u8>> {
    let inner = seal::derive(content, vault.as_bytes(), "subrosa/keyfile/inner/1")?;
    seal::seal(&inner, &site_aad(site), key.expose())
}

pub(super) fn open_site(content: &Key, vault: VaultId, site: SiteId, sealed: &[u8]) -> Result<Key> {
    let inner = seal::derive(content, vault.as_bytes(), "subrosa/keyfile/inner/1")?;
    Key::from_slice(&seal::open(&inner, &site_aad(site), sealed).map_err(|_| damaged())?).ok_or_else(damaged)
}

pub(super) fn decode_key(text: &str) -> Result<Key> {
    let bytes = Zeroizing::new(base64(text).ok_or_else(damaged)?);
    Key::from_slice(&bytes).ok_or_else(damaged)
}

pub(super) fn damaged() -> Error {
    Error::damage(
        "the key file is damaged, or older than the vault's keys",
        "Do not delete it. Put back the newest copy of the key file, or recover it from escrow.",
    )
}
