//! The key file: one random key a participant and an object, in sorted 64-byte records under epoch keys
//! (docs/format.md, section 4). Found by binary search; rewritten whole, in one rename.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::files;
use crate::base::id::{SiteId, SlotId, VaultId};
use crate::base::secret::Key;
use crate::base::{Error, Result, canonical, random};
use crate::crypto::seal;

const MAGIC: &[u8; 8] = b"SBRKEYS1";
const FORMAT: &str = "subrosa-keyfile/1";
const RECORD: usize = 64;
const MAC: usize = 32;
/// 16 million keys.
const MAX_BYTES: u64 = 1 << 30;

/// What sort of key a slot holds, and so who can open it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Archivists and stewards.
    Meta,
    /// Archivists of the site.
    Content(SiteId),
}

/// A key file, open as far as the reader's compartments go.
pub struct KeyFile {
    vault: VaultId,
    epoch: u64,
    generation: u64,
    meta: Key,
    index: Key,
    decoy_seed: Key,
    decoys: u64,
    sites: BTreeMap<SiteId, Site>,
    records: Vec<u8>,
    fresh: BTreeMap<SlotId, [u8; RECORD]>,
    touched: bool,
}

/// The content epoch key of a site: sealed as in the file, and open if the reader may.
struct Site {
    generation: u32,
    sealed: Vec<u8>,
    key: Option<Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    epoch: u64,
    format: String,
    generation: u64,
    records: u64,
    sealed: String,
    vault: VaultId,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    decoy_seed: String,
    decoys: u64,
    index: String,
    meta: String,
    sites: BTreeMap<SiteId, SiteText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteText {
    generation: u32,
    key: String,
}

impl KeyFile {
    /// A new key file with no keys in it.
    pub fn new(vault: VaultId) -> Result<Self> {
        Ok(Self {
            vault,
            epoch: 1,
            generation: 0,
            meta: Key::random()?,
            index: Key::random()?,
            decoy_seed: Key::random()?,
            decoys: 0,
            sites: BTreeMap::new(),
            records: Vec::new(),
            fresh: BTreeMap::new(),
            touched: false,
        })
    }

    /// Reads the file with the first of the `catalogue` keys that fits and says which; opens the sites for which `content` has
    /// the key of the generation in force.
    pub fn read<'k>(
        path: &Path,
        vault: VaultId,
        catalogue: &[&Key],
        content: impl Fn(SiteId, u32) -> Option<&'k Key>,
    ) -> Result<(Self, usize)> {
        if !path.is_file() {
            return Err(Error::damage(
                "the key file is not where the vault expects it",
                "Mount the disk that it lies on, or give its folder with --keys. Without it no recording, transcript or name can be read.",
            ));
        }
        let bytes = files::read_bounded(path, MAX_BYTES, "the key file")?;
        let Parts { head, records, mac, signed } = split(&bytes)?;
        let header: Header = canonical::from_slice(head).map_err(|_| damaged())?;
        if header.format != FORMAT {
            return Err(damaged());
        }
        if header.vault != vault {
            return Err(Error::damage(
                "this key file belongs to another vault",
                "Give the folder of the right key file with --keys.",
            ));
        }
        let sealed = data_encoding::BASE64.decode(header.sealed.as_bytes()).map_err(|_| damaged())?;
        let mut found = None;
        for (i, key) in catalogue.iter().enumerate() {
            let outer = seal::derive(key, vault.as_bytes(), "subrosa/keyfile/outer/1")?;
            if let Ok(inner) = seal::open(&outer, b"subrosa/keyfile/1", &sealed) {
                found = Some((inner, i));
                break;
            }
        }
        let Some((inner, which)) = found else { return Err(damaged()) };
        let expected = tag(catalogue.get(which).ok_or_else(damaged)?, vault, signed)?;
        if blake3::Hash::from(expected) != blake3::Hash::from(mac)
            || records.len() as u64 != header.records * RECORD as u64
        {
            return Err(damaged());
        }
        let inner: Inner = canonical::from_slice(&inner).map_err(|_| damaged())?;
        let mut sites = BTreeMap::new();
        for (id, site) in &inner.sites {
            let sealed = data_encoding::BASE64.decode(site.key.as_bytes()).map_err(|_| damaged())?;
            let key = match content(*id, site.generation) {
                Some(outer) => Some(open_site(outer, vault, *id, &sealed)?),
                None => None,
            };
            sites.insert(*id, Site { generation: site.generation, sealed, key });
        }
        let file = Self {
            vault,
            epoch: header.epoch,
            generation: header.generation,
            meta: decode_key(&inner.meta)?,
            index: decode_key(&inner.index)?,
            decoy_seed: decode_key(&inner.decoy_seed)?,
            decoys: inner.decoys,
            sites,
            records: records.to_vec(),
            fresh: BTreeMap::new(),
            touched: false,
        };
        Ok((file, which))
    }

    /// Destructions so far, counted from 1.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Writings so far.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The key of blind index tags in this epoch.
    pub fn index_key(&self) -> &Key {
        &self.index
    }

    /// Whether the keys of a site's content can be opened.
    pub fn opens(&self, site: SiteId) -> bool {
        self.sites.get(&site).is_some_and(|s| s.key.is_some())
    }

    /// The generation of the content compartment that seals a site's keys; `None` if the site has none yet.
    pub fn site_generation(&self, site: SiteId) -> Option<u32> {
        self.sites.get(&site).map(|s| s.generation)
    }

    /// The sites that have keys here.
    pub fn sites(&self) -> Vec<SiteId> {
        self.sites.keys().copied().collect()
    }

    /// Gives a site its first epoch key, sealed under the compartment key `content` of `generation`.
    pub fn add_site(&mut self, site: SiteId, generation: u32, content: &Key) -> Result<()> {
        let key = Key::random()?;
        let sealed = seal_site(content, self.vault, site, &key)?;
        self.sites.insert(site, Site { generation, sealed, key: Some(key) });
        self.touched = true;
        Ok(())
    }

    /// Moves a site's epoch key under the compartment key of a later generation. The site must be open.
    pub fn reseal_site(&mut self, site: SiteId, generation: u32, content: &Key) -> Result<()> {
        let vault = self.vault;
        let entry = self.sites.get_mut(&site).ok_or_else(damaged)?;
        let key = entry.key.as_ref().ok_or_else(closed)?;
        entry.sealed = seal_site(content, vault, site, key)?;
        entry.generation = generation;
        self.touched = true;
        Ok(())
    }

    /// Makes a new random key in a new slot. It counts once the file is written.
    pub fn add(&mut self, class: Class) -> Result<(SlotId, Key)> {
        let (slot, key) = (SlotId::random()?, Key::random()?);
        let sealed = seal::encrypt(self.epoch_key(class)?, &nonce(slot), self.vault.as_bytes(), key.expose())?;
        let mut record = [0u8; RECORD];
        record[..16].copy_from_slice(slot.as_bytes());
        record[16..].copy_from_slice(&sealed);
        self.fresh.insert(slot, record);
        Ok((slot, key))
    }

    /// The key in a slot. A missing slot means that the key was destroyed, or that the file is older than the catalogue.
    pub fn get(&self, slot: SlotId, class: Class) -> Result<Key> {
        let record = self.find(slot).ok_or_else(|| {
            Error::damage(
                "a key is missing from the key file",
                "Run `subrosa check`: either the material was destroyed, or this key file is older than the vault.",
            )
        })?;
        let plain = seal::decrypt(self.epoch_key(class)?, &nonce(slot), self.vault.as_bytes(), &record[16..])?;
        Key::from_slice(&plain).ok_or_else(damaged)
    }

    /// Whether a slot is there.
    pub fn has(&self, slot: SlotId) -> bool {
        self.find(slot).is_some()
    }

    /// How many real keys there are.
    pub fn len(&self) -> u64 {
        (self.records.len() / RECORD) as u64 - self.decoys + self.fresh.len() as u64
    }

    /// Whether there is no key in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether something changed that [`Self::write`] has not written yet.
    pub fn is_dirty(&self) -> bool {
        self.touched || !self.fresh.is_empty()
    }

    /// Forgets keys that were added and never written.
    pub fn forget_fresh(&mut self) {
        self.fresh.clear();
    }

    /// The ids of all real slots, in order.
    pub fn slots(&self) -> impl Iterator<Item = SlotId> {
        let decoys = self.decoy_ids();
        self.records
            .chunks_exact(RECORD)
            .filter_map(|r| r.first_chunk::<16>())
            .map(|id| SlotId::from_bytes(*id))
            .filter(move |id| !decoys.contains(id))
    }

    /// Writes the file whole, under the catalogue key given, one generation on.
    pub fn write(&mut self, path: &Path, catalogue: &Key) -> Result<()> {
        let decoys = self.decoy_ids();
        let mut records: Vec<[u8; RECORD]> = Vec::with_capacity(self.records.len() / RECORD + self.fresh.len());
        for chunk in self.records.chunks_exact(RECORD) {
            let record: [u8; RECORD] = chunk.try_into().map_err(|_| damaged())?;
            let id = record.first_chunk::<16>().ok_or_else(damaged)?;
            if !decoys.contains(&SlotId::from_bytes(*id)) {
                records.push(record);
            }
        }
        records.extend(self.fresh.values());
        let wanted = rounded(records.len() as u64);
        self.decoys = wanted - records.len() as u64;
        for id in self.decoy_ids() {
            let mut record: [u8; RECORD] = random::bytes()?;
            record[..16].copy_from_slice(id.as_bytes());
            records.push(record);
        }
        records.sort_unstable();
        self.generation += 1;
        let bytes = self.encode(&records, catalogue)?;
        files::write_whole(path, &bytes, "the key file")?;
        self.records = records.concat();
        self.fresh.clear();
        self.touched = false;
        Ok(())
    }

    fn encode(&self, records: &[[u8; RECORD]], catalogue: &Key) -> Result<Vec<u8>> {
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

    fn find(&self, slot: SlotId) -> Option<&[u8]> {
        if let Some(record) = self.fresh.get(&slot) {
            return Some(record);
        }
        let count = self.records.len() / RECORD;
        let id = |i: usize| &self.records[i * RECORD..i * RECORD + 16];
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = usize::midpoint(low, high);
            match id(middle).cmp(slot.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.records.get(middle * RECORD..(middle + 1) * RECORD),
            }
        }
        None
    }

    fn epoch_key(&self, class: Class) -> Result<&Key> {
        match class {
            Class::Meta => Ok(&self.meta),
            Class::Content(site) => self.sites.get(&site).and_then(|s| s.key.as_ref()).ok_or_else(closed),
        }
    }

    fn decoy_ids(&self) -> BTreeSet<SlotId> {
        let id = |i: u64| {
            let hash = blake3::keyed_hash(self.decoy_seed.expose(), &i.to_be_bytes());
            let mut id = [0u8; 16];
            id.copy_from_slice(&hash.as_bytes()[..16]);
            SlotId::from_bytes(id)
        };
        (0..self.decoys).map(id).collect()
    }
}

/// The next number with at most four significant bits, at least 256.
fn rounded(count: u64) -> u64 {
    let count = count.max(256);
    let step = 1u64 << count.ilog2().saturating_sub(3);
    count.div_ceil(step) * step
}

/// The parts of a key file.
struct Parts<'a> {
    head: &'a [u8],
    records: &'a [u8],
    mac: [u8; MAC],
    /// All that the mac is over.
    signed: &'a [u8],
}

fn split(bytes: &[u8]) -> Result<Parts<'_>> {
    let parse = || {
        let (signed, mac) = bytes.split_last_chunk::<MAC>()?;
        let rest = signed.strip_prefix(MAGIC)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (head, records) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        (records.len() % RECORD == 0).then_some(Parts { head, records, mac: *mac, signed })
    };
    parse().ok_or_else(damaged)
}

fn tag(catalogue: &Key, vault: VaultId, bytes: &[u8]) -> Result<[u8; MAC]> {
    let key = seal::derive(catalogue, vault.as_bytes(), "subrosa/keyfile/mac/1")?;
    Ok(*blake3::keyed_hash(key.expose(), bytes).as_bytes())
}

fn nonce(slot: SlotId) -> [u8; 24] {
    let mut nonce = [0u8; 24];
    nonce[..16].copy_from_slice(slot.as_bytes());
    nonce
}

fn site_aad(site: SiteId) -> Vec<u8> {
    format!("subrosa/keyfile/1/{site}").into_bytes()
}

fn seal_site(content: &Key, vault: VaultId, site: SiteId, key: &Key) -> Result<Vec<u8>> {
    let inner = seal::derive(content, vault.as_bytes(), "subrosa/keyfile/inner/1")?;
    seal::seal(&inner, &site_aad(site), key.expose())
}

fn open_site(content: &Key, vault: VaultId, site: SiteId, sealed: &[u8]) -> Result<Key> {
    let inner = seal::derive(content, vault.as_bytes(), "subrosa/keyfile/inner/1")?;
    Key::from_slice(&seal::open(&inner, &site_aad(site), sealed).map_err(|_| damaged())?).ok_or_else(damaged)
}

fn decode_key(text: &str) -> Result<Key> {
    let bytes = Zeroizing::new(data_encoding::BASE64.decode(text.as_bytes()).map_err(|_| damaged())?);
    Key::from_slice(&bytes).ok_or_else(damaged)
}

fn closed() -> Error {
    Error::denied(
        "your roles do not give you the content of this site",
        "Ask a steward for the archivist's role there. If you were enrolled just now, another archivist of the site must unlock the vault once.",
    )
}

fn damaged() -> Error {
    Error::damage(
        "the key file is damaged, or older than the vault's keys",
        "Do not delete it. Put back the newest copy of the key file, or recover it from escrow.",
    )
}

#[cfg(test)]
mod tests;
