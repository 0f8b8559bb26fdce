//! Recordings and documents of an entry against the vault: what is new, what is there already, what stands in the delivery twice.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use super::delivery::FileFacts;
use super::resolve::One;
use super::work::{NewObject, Ref};
use crate::base::Result;
use crate::base::id::{InterviewId, ObjectId};
use crate::domain::interview::{Object, ObjectKind};
use crate::session::View;
use crate::store::catalogue::TagKind;

/// The text whose blind tag says that a file is in the vault: recordings and transcripts are known across interviews, documents and
/// evidence within theirs (one information sheet may belong to many).
pub(super) fn file_tag(hash: &blake3::Hash, within: Option<InterviewId>) -> String {
    match within {
        None => hash.to_hex().to_string(),
        Some(interview) => format!("{}\n{interview}", hash.to_hex()),
    }
}

/// Files of the delivery against each other and against the vault.
pub(super) struct Files<'a> {
    pub(super) view: &'a View<'a>,
    /// Recordings and transcripts by their hash, with the name that had it first.
    pub(super) hashes: HashMap<blake3::Hash, String>,
    pub(super) known_files: u64,
}

impl Files<'_> {
    /// What a file's tag points to in the vault.
    pub(super) fn known(&self, facts: &FileFacts, within: Option<InterviewId>) -> Result<Option<[u8; 16]>> {
        let tag = self.view.tag(TagKind::File, &file_tag(&facts.hash, within))?;
        self.view.tagged(TagKind::File, &tag)
    }

    /// Whether no other file of the delivery has the same bytes.
    pub(super) fn is_first(&mut self, facts: &FileFacts) -> bool {
        let key = facts.path.key();
        *self.hashes.entry(facts.hash).or_insert_with(|| key.clone()) == key
    }
}

/// The objects of an entry: those to be made, and those of the vault.
pub(super) struct Objects {
    pub(super) new: Vec<NewObject>,
    /// By the file's key.
    pub(super) by_file: BTreeMap<String, Ref<ObjectId>>,
    /// By the file's hash, for files that stand in the folder twice.
    pub(super) by_hash: HashMap<blake3::Hash, Ref<ObjectId>>,
    pub(super) known: BTreeMap<ObjectId, Object>,
}

impl Objects {
    pub(super) fn add(&mut self, facts: &FileFacts, kind: ObjectKind, form: &str) -> Ref<ObjectId> {
        let duration_ms = facts.media.as_ref().and_then(|m| m.duration_ms);
        self.new.push(NewObject { file: facts.path.key(), kind, form: form.to_owned(), duration_ms });
        let object = Ref::New(self.new.len() - 1);
        self.found(facts, object);
        object
    }

    pub(super) fn found(&mut self, facts: &FileFacts, object: Ref<ObjectId>) {
        self.by_file.insert(facts.path.key(), object);
        self.by_hash.insert(facts.hash, object);
    }
}

impl One<'_, '_> {
    /// Recordings and documents.
    pub(super) fn objects(&mut self, files: &mut Files<'_>) -> Result<Objects> {
        let said = &self.entry.said;
        let mut known = BTreeMap::new();
        if let Some(old) = self.known {
            for row in files.view.objects(old.row.id)? {
                let object: Object = row.body.open(&old.key)?;
                known.insert(row.id, object);
            }
        }
        let mut objects = Objects { new: Vec::new(), by_file: BTreeMap::new(), by_hash: HashMap::new(), known };
        for recording in &said.recordings {
            let Some(facts) = self.delivery.files.get(&recording.file.key()) else { continue };
            if !files.is_first(facts) {
                self.twice(recording.line, "recording");
            } else if let Some(target) = files.known(facts, None)? {
                let id = ObjectId::from_bytes(target);
                if objects.known.contains_key(&id) {
                    files.known_files += 1;
                    objects.found(facts, Ref::Known(id));
                } else {
                    self.elsewhere(recording.line, "recording");
                }
            } else {
                let form = facts.media.as_ref().map_or("sound", |m| m.container.as_str());
                objects.add(facts, ObjectKind::Recording, form);
            }
        }
        for document in &said.documents {
            let Some(facts) = self.delivery.files.get(&document.file.key()) else { continue };
            if objects.by_hash.contains_key(&facts.hash) || files.hashes.contains_key(&facts.hash) {
                self.twice(document.line, "document");
                continue;
            }
            match self.known_object(files, facts, &objects)? {
                Some(id) => {
                    files.known_files += 1;
                    objects.found(facts, Ref::Known(id));
                }
                None => {
                    objects.add(facts, ObjectKind::Document, document.kind.as_str());
                }
            }
        }
        Ok(objects)
    }

    /// The document or evidence of this interview with the same bytes.
    pub(super) fn known_object(
        &self,
        files: &Files<'_>,
        facts: &FileFacts,
        objects: &Objects,
    ) -> Result<Option<ObjectId>> {
        let Some(interview) = self.id() else { return Ok(None) };
        let target = files.known(facts, Some(interview))?.map(ObjectId::from_bytes);
        Ok(target.filter(|id| objects.known.contains_key(id)))
    }

    pub(super) fn twice(&mut self, line: u64, column: &str) {
        self.fault(
            line,
            column,
            "the delivery has the same file twice under different names",
            "Keep one of them, at the interview that it belongs to.",
        );
    }

    pub(super) fn elsewhere(&mut self, line: u64, column: &str) {
        self.fault(
            line,
            column,
            "the vault has this very file already, at another interview",
            "Check which interview it belongs to.",
        );
    }
}

/// A reader that hashes what goes through it.
pub(super) struct Watched<R> {
    inner: R,
    hasher: blake3::Hasher,
}

impl<R: Read> Watched<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hasher: blake3::Hasher::new() }
    }

    /// BLAKE3 of what went through.
    pub(super) fn hash(&self) -> blake3::Hash {
        self.hasher.finalize()
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hasher.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}
