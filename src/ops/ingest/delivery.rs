//! What a delivery says and holds, as far as that can be told without looking into the vault.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::path::Path;

use rayon::prelude::*;

use super::folder::Folder;
use super::plan::Faults;
use crate::base::progress::Progress;
use crate::base::{Error, Result};
use crate::domain::code::{self, Code};
use crate::domain::study::Study;
use crate::formats::manifest::InterviewEntry;
use crate::formats::media::{self, EXTENSIONS, MediaInfo};
use crate::formats::{DeliveryPath, Fault, Manifest, Table};

/// How much of a long file is hashed at once, in bytes.
const STRETCH: usize = 4 << 20;

/// A delivery, read: its manifest, and facts of every file that the manifest names.
pub(super) struct Delivery {
    pub(super) folder: Folder,
    /// The name of its manifest.
    pub(super) name: &'static str,
    /// Its interviews, those left out aside.
    pub(super) entries: Vec<Entry>,
    /// The files, by [`DeliveryPath::key`]; those that could not be read are missing here and stand among the faults.
    pub(super) files: BTreeMap<String, FileFacts>,
    /// Interviews whose rows are at fault: they are looked at no further.
    pub(super) at_fault: BTreeSet<Code>,
}

/// What the manifest says of one interview.
pub(super) struct Entry {
    /// Its code, in the study's form.
    pub(super) code: Code,
    pub(super) said: InterviewEntry,
}

/// A file of the delivery.
pub(super) struct FileFacts {
    pub(super) path: DeliveryPath,
    pub(super) length: u64,
    /// BLAKE3 of the file.
    pub(super) hash: blake3::Hash,
    /// What it is, if it is a recording.
    pub(super) media: Option<MediaInfo>,
}

/// What a file is named as; that decides how it is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Recording,
    Transcript,
    Document,
    Evidence,
}

impl Delivery {
    /// The place of a cell, for faults.
    pub(super) fn place(&self, line: u64, column: &str) -> String {
        place(self.name, line, column)
    }
}

fn place(name: &str, line: u64, column: &str) -> String {
    format!("{name} line {line}, column {column}")
}

/// Reads the delivery in `dir`, without the interviews `without`. What is wrong in it goes to `faults`; an error says that there is no delivery to speak of.
pub(super) fn read(
    dir: &Path,
    study: &Study,
    without: &[String],
    faults: &mut Faults,
    progress: &dyn Progress,
) -> Result<Delivery> {
    let folder = Folder::open(dir)?;
    let (name, bytes) = folder.manifest()?;
    let table = if name.ends_with(".csv") { Table::from_csv(&bytes) } else { Table::from_xlsx(&bytes) };
    let mut table = table.map_err(|e| e.at(name))?;
    leave_out(&mut table, study, without)?;
    let same =
        |raw: &str| code::normalise(raw, study).map_or_else(|_| raw.trim().to_owned(), |(code, _)| code.to_string());
    let (manifest, found) = Manifest::read_with_faults(&table, name, &same);
    let at_fault: BTreeSet<u64> = found.iter().filter_map(|f| line_of(&f.place, name)).collect();
    faults.extend(found);
    for notice in manifest.notices {
        faults.notice(notice);
    }
    let mut entries = Vec::with_capacity(manifest.interviews.len());
    for said in manifest.interviews {
        entries.extend(entry(name, said, study, faults));
    }
    let mut delivery = Delivery { folder, name, entries, files: BTreeMap::new(), at_fault: BTreeSet::new() };
    delivery.files = files(&delivery, faults, progress);
    // What else could be said of an interview whose rows are at fault would follow from those faults only.
    let (wrong, right): (Vec<Entry>, Vec<Entry>) =
        delivery.entries.into_iter().partition(|e| e.said.lines.iter().any(|line| at_fault.contains(line)));
    delivery.entries = right;
    delivery.at_fault = wrong.into_iter().map(|e| e.code).collect();
    Ok(delivery)
}

/// The line of a place such as `manifest.csv line 7, column date`.
pub(super) fn line_of(place: &str, name: &str) -> Option<u64> {
    let rest = place.strip_prefix(name)?.strip_prefix(" line ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Takes the rows of some codes out of the table, before anything in them can be at fault.
fn leave_out(table: &mut Table, study: &Study, without: &[String]) -> Result<()> {
    if without.is_empty() {
        return Ok(());
    }
    let mut missing: BTreeSet<Code> = BTreeSet::new();
    for typed in without {
        missing.insert(code::normalise(typed, study)?.0);
    }
    let wanted = missing.clone();
    let is_code = |name: &String| name.trim().eq_ignore_ascii_case("code");
    let Some(column) = table.header.iter().position(is_code) else { return Ok(()) };
    let mut lines = BTreeSet::new();
    table.rows.retain(|row| {
        let code = row.cells.get(column).and_then(|raw| code::normalise(raw, study).ok());
        let Some((code, _)) = code.filter(|(code, _)| wanted.contains(code)) else { return true };
        missing.remove(&code);
        lines.insert(row.line);
        false
    });
    table.broken.retain(|(line, _)| !lines.contains(line));
    if !missing.is_empty() {
        return Err(Error::user("a code to be left out is not in the delivery", "Check what you gave with --without."));
    }
    if table.rows.is_empty() {
        return Err(Error::user("everything in the delivery is left out", "Give fewer codes with --without."));
    }
    Ok(())
}

/// The entry under its normalised code; a code that is none is a fault, one that is written otherwise a notice.
fn entry(name: &str, said: InterviewEntry, study: &Study, faults: &mut Faults) -> Option<Entry> {
    let first = said.lines.first().copied().unwrap_or_default();
    let code = match code::normalise(&said.code_raw, study) {
        Ok((code, notice)) => {
            if let Some(notice) = notice {
                faults.notice(format!("{}: {notice}.", place(name, first, "code")));
            }
            code
        }
        Err(error) => {
            faults.push(Fault::new(place(name, first, "code"), error.what(), error.remedy()));
            return None;
        }
    };
    for (line, variant) in &said.code_variants {
        if let Ok((_, Some(notice))) = code::normalise(variant, study) {
            faults.notice(format!("{}: {notice}.", place(name, *line, "code")));
        }
    }
    Some(Entry { code, said })
}

/// A file to be looked at, and the first place that names it.
struct Named {
    path: DeliveryPath,
    used: Use,
    line: u64,
    column: &'static str,
}

/// Looks at every file once: there, regular, not empty, its hash, and what it is.
fn files(delivery: &Delivery, faults: &mut Faults, progress: &dyn Progress) -> BTreeMap<String, FileFacts> {
    let mut named: BTreeMap<String, Named> = BTreeMap::new();
    for entry in &delivery.entries {
        let said = &entry.said;
        let recordings = said.recordings.iter().map(|r| (&r.file, Use::Recording, r.line, "recording"));
        let transcripts = said.transcripts.iter().map(|t| (&t.file, Use::Transcript, t.line, "transcript"));
        let documents = said.documents.iter().map(|d| (&d.file, Use::Document, d.line, "document"));
        let evidence = said
            .speakers
            .iter()
            .filter_map(|s| s.consent.as_ref())
            .filter_map(|c| c.evidence.as_ref().map(|e| (&e.file, Use::Evidence, c.line, "evidence")));
        for (path, used, line, column) in recordings.chain(transcripts).chain(documents).chain(evidence) {
            let known = named.entry(path.key()).or_insert_with(|| Named { path: path.clone(), used, line, column });
            if used == Use::Recording {
                known.used = used;
            }
        }
    }
    let total = named.par_iter().map(|(_, n)| delivery.folder.file(&n.path).map_or(0, |(_, length)| length)).sum();
    progress.begin("Reading the delivery", total);
    let looked: Vec<(String, Named, Result<FileFacts>)> = named
        .into_par_iter()
        .map(|(key, named)| {
            let facts = look(&delivery.folder, &named, progress);
            (key, named, facts)
        })
        .collect();
    progress.end();
    let mut files = BTreeMap::new();
    let mut wrong = Vec::new();
    for (key, named, facts) in looked {
        match facts {
            Ok(facts) => {
                files.insert(key, facts);
            }
            Err(error) => {
                let place = delivery.place(named.line, named.column);
                wrong.push((named.line, Fault::new(place, error.what(), error.remedy())));
            }
        }
    }
    wrong.sort_by_key(|(line, _)| *line);
    faults.extend(wrong.into_iter().map(|(_, fault)| fault));
    files
}

fn look(folder: &Folder, named: &Named, progress: &dyn Progress) -> Result<FileFacts> {
    let (mut file, length) = folder.file(&named.path)?;
    if length == 0 {
        return Err(Error::user("the file is empty", "Copy it again from where it came from."));
    }
    let io = |e: std::io::Error| Error::io("read the file", &e);
    let hash = hash(Counted { inner: &mut file, progress }, length).map_err(io)?;
    let extension = named.path.extension();
    let sound = extension.as_deref().is_some_and(|e| EXTENSIONS.contains(&e));
    let media = match named.used {
        Use::Recording => true,
        Use::Evidence => sound,
        Use::Transcript | Use::Document => false,
    };
    let media = if media {
        file.rewind().map_err(io)?;
        Some(media::probe(file, extension.as_deref(), length)?)
    } else {
        None
    };
    Ok(FileFacts { path: named.path.clone(), length, hash, media })
}

/// BLAKE3 of a file; of a long one on all cores, since it may be the only one.
fn hash(mut file: impl Read, length: u64) -> std::io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    if length < 4 * STRETCH as u64 {
        return Ok(hasher.update_reader(file)?.finalize());
    }
    let mut stretch = Vec::with_capacity(STRETCH);
    while file.by_ref().take(STRETCH as u64).read_to_end(&mut stretch)? > 0 {
        hasher.update_rayon(&stretch);
        stretch.clear();
    }
    Ok(hasher.finalize())
}

/// A reader that tells how far it has come.
struct Counted<'a, R> {
    inner: R,
    progress: &'a dyn Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.progress.advance(n as u64);
        Ok(n)
    }
}
