//! The key file: one random key a participant and an object, in sorted 64-byte records under epoch keys
//! (docs/format.md, section 4). Found by binary search; rewritten whole, in one rename.

mod encoding;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files;
use crate::base::id::{SiteId, SlotId, VaultId};
use crate::base::secret::Key;
use crate::base::text::base64;
use crate::base::{Error, Result, canonical, format, random};
use crate::crypto::seal;

use encoding::{FORMAT, Header, Inner, Parts, RECORD, damaged, decode_key, nonce, open_site, seal_site, split, tag};

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
        format::expect(head, FORMAT, "the key file")?;
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
        let sealed = base64(&header.sealed).ok_or_else(damaged)?;
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
            let sealed = base64(&site.key).ok_or_else(damaged)?;
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

    /// The vault that a key file says it belongs to. Nothing of it is verified.
    pub fn vault_of(path: &Path) -> Result<VaultId> {
        let bytes = files::read_bounded(path, MAX_BYTES, "the key file")?;
        let header: Header = canonical::from_slice(split(&bytes)?.head).map_err(|_| damaged())?;
        Ok(header.vault)
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

    /// Gives a site a new epoch key under the compartment key of a later generation, and seals its keys anew. The site must be open.
    /// Whoever kept an older key file cannot open keys that are made from now on.
    pub fn reseal_site(&mut self, site: SiteId, generation: u32, content: &Key) -> Result<()> {
        let fresh = Key::random()?;
        let old = self.sites.get(&site).and_then(|s| s.key.as_ref()).ok_or_else(closed)?.duplicate();
        self.reseal_records(&old, &fresh)?;
        let sealed = seal_site(content, self.vault, site, &fresh)?;
        self.sites.insert(site, Site { generation, sealed, key: Some(fresh) });
        self.touched = true;
        Ok(())
    }

    /// Gives the meta class a new epoch key and seals its keys anew.
    pub fn reseal_meta(&mut self) -> Result<()> {
        let fresh = Key::random()?;
        let old = std::mem::replace(&mut self.meta, fresh.duplicate());
        self.reseal_records(&old, &fresh)?;
        self.touched = true;
        Ok(())
    }

    /// Seals every record that opens under `old` under `fresh` instead: which class a record has is written nowhere.
    fn reseal_records(&mut self, old: &Key, fresh: &Key) -> Result<()> {
        let vault = self.vault;
        let reseal = |record: &mut [u8]| -> Result<()> {
            let Some((id, sealed)) = record.split_first_chunk_mut::<16>() else { return Err(damaged()) };
            let nonce = nonce(SlotId::from_bytes(*id));
            if let Ok(plain) = seal::decrypt(old, &nonce, vault.as_bytes(), sealed) {
                sealed.copy_from_slice(&seal::encrypt(fresh, &nonce, vault.as_bytes(), &plain)?);
            }
            Ok(())
        };
        self.records.chunks_exact_mut(RECORD).try_for_each(reseal)?;
        self.fresh.values_mut().try_for_each(|record| reseal(record))
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

fn closed() -> Error {
    Error::denied(
        "your roles do not give you the content of this site",
        "Ask a steward for the archivist's role there. If you were enrolled just now, another archivist of the site must unlock the vault once.",
    )
}

#[cfg(test)]
mod tests;
