//! The study definition: sites, codes, consent forms, labels, places, variables, thresholds (DESIGN, section 3).
//!
//! `study.toml` is written by people, signed by a steward and recorded whole in the ledger. [`Study::parse`] is the only way to
//! a [`Study`]: what it returns is complete and consistent, or every fault is named at once. A study knows its sites by their
//! prefix; the random ids of sites live in the catalogue.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::code::CodePattern;
use super::consent::LegalBasis;
use super::interview::SpeakerRole;
use super::{study_check, study_forms};
use crate::base::{Error, Result};
use crate::crypto::sign::{self, PublicKey, Signature, SigningSeed};
use crate::ledger::event::{Digest, Module, ModuleState, Tier};

/// The context of a steward's signature over the text of a study definition.
pub const STUDY_CONTEXT: &str = "subrosa/study/1";

/// The longest `study.toml` that is read, in bytes: room for some thousand places and a hundred forms.
pub const MAX_BYTES: usize = 4 << 20;

/// A study, as `study.toml` defines it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Study {
    /// What the study is called.
    pub title: String,
    /// What it is about, in a few sentences; may be empty.
    pub summary: String,
    /// How to reach those who answer for the data.
    pub contact: String,
    /// How a participant withdraws, in words.
    pub withdrawal: String,
    /// How archive codes are written.
    pub code_pattern: CodePattern,
    /// The numbers that rules stand on.
    pub thresholds: Thresholds,
    /// The sites; at least one, their prefixes distinct.
    pub sites: Vec<Site>,
    /// The consent forms; at least one, distinct by version and language.
    pub forms: Vec<Form>,
    /// How transcripts name speakers.
    pub speakers: Speakers,
    /// Places and what they become when generalised.
    pub places: Vec<Place>,
    /// Variables about participants.
    pub variables: Vec<Variable>,
}

/// The numbers that rules stand on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Thresholds {
    /// The smallest class of participants in a table of records, 2 to 1000.
    pub k: u32,
    /// The smallest count in a published table, 2 to 1000.
    pub cell: u32,
    /// Signatures of stewards that a decision needs, 1 or 2.
    pub stewards: u8,
    /// For so many days a withdrawal may be undone, 0 to 30.
    pub grace_days: u8,
}

/// A site: where interviews were made, under which prefix.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Site {
    /// What archive codes of this site begin with: 1 to 8 letters A to Z.
    pub prefix: String,
    /// Its name for people.
    pub name: String,
    /// ISO 3166-1 alpha-2; need not be the prefix.
    pub country: String,
    /// The kinds of board that must each have approved; at least one.
    pub boards: Vec<String>,
}

/// A version of the consent form in one language, and what agreeing to it grants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Form {
    /// The version, as records name it.
    pub version: String,
    /// BCP 47.
    pub language: String,
    /// The legal basis.
    pub basis: LegalBasis,
    /// The words agreed to.
    pub text: String,
    /// What agreeing grants; a module that is not named was not asked.
    pub grants: BTreeMap<Module, ModuleState>,
    /// How participants may be named in print unless they say otherwise.
    pub tier: Tier,
    /// The archive looks at a consent again after so many years, 1 to 50.
    pub review_years: Option<u8>,
    /// A consent ends after so many years, 1 to 100.
    pub expiry_years: Option<u8>,
    /// Proof that consent was given is kept for so many years after a withdrawal, 1 to 50; none: it is destroyed with the rest.
    pub proof_of_consent_years: Option<u8>,
}

/// The labels by which transcripts name speakers where a manifest says nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Speakers {
    /// Of participants.
    pub participant: Vec<String>,
    /// Of interviewers.
    pub interviewer: Vec<String>,
    /// Of interpreters.
    pub interpreter: Vec<String>,
    /// Of bystanders.
    pub bystander: Vec<String>,
}

/// A place: how people say it, and what it becomes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// The forms in which it is said, its name among them or not.
    pub forms: Vec<String>,
    /// The region that it becomes at level 3.
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// How much a variable says about who somebody is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableClass {
    /// Says it alone.
    Direct,
    /// Says it nearly alone.
    StrongIndirect,
    /// Says it together with others.
    Indirect,
    /// Says nothing of it.
    Other,
}

/// A variable about participants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Variable {
    /// Its name: small letters, digits and `_`.
    pub name: String,
    /// How much it says about who somebody is.
    pub class: VariableClass,
    /// The values that it may have; empty: any.
    pub values: Vec<String>,
    /// The lower bounds of its bands, ascending; empty: not a number in bands.
    pub bands: Vec<u32>,
}

/// One fault of a `study.toml`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The key, as `site.country`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Study {
    /// Reads a study definition, or names every fault in the order of the file.
    pub fn parse(text: &str) -> std::result::Result<Self, Vec<Fault>> {
        study_check::parse(text)
    }

    /// As [`Self::parse`], the faults as one error that tells the first and how many there are.
    pub fn read(text: &str) -> Result<Self> {
        Self::parse(text).map_err(|faults| as_error(&faults))
    }

    /// The site of a prefix, exactly as the study writes it.
    pub fn site(&self, prefix: &str) -> Option<&Site> {
        self.sites.iter().find(|s| s.prefix == prefix)
    }

    /// The form of a version: in `language` if there is one, else the first of that version. All languages of a version grant the same.
    pub fn form(&self, version: &str, language: Option<&str>) -> Option<&Form> {
        let of_version = || self.forms.iter().filter(|f| f.version == version);
        of_version().find(|f| language == Some(f.language.as_str())).or_else(|| of_version().next())
    }

    /// The form whose text has this digest.
    pub fn form_of_digest(&self, digest: &Digest) -> Option<&Form> {
        self.forms.iter().find(|f| f.digest() == *digest)
    }

    /// The variable of a name.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| v.name == name)
    }

    /// Whether a decision needs two stewards.
    pub fn two_stewards(&self) -> bool {
        self.thresholds.stewards >= 2
    }

    /// Faults of `self` as an amendment of `before`: what agreements, codes and sites stand on may be added to, never changed.
    ///
    /// A form version keeps its text and what it grants, a site its prefix and country, and the code pattern stays. All faults have line 1.
    pub fn amendment_faults(&self, before: &Study) -> Vec<Fault> {
        study_forms::amendment_faults(before, self)
    }
}

impl Form {
    /// The digest by which consents name the text ([`form_digest`]).
    pub fn digest(&self) -> Digest {
        form_digest(&self.text)
    }

    /// The state that agreeing to the form gives a module.
    pub fn grant(&self, module: Module) -> ModuleState {
        self.grants.get(&module).copied().unwrap_or(ModuleState::NotAsked)
    }
}

impl Speakers {
    /// The role of a label, case and Unicode form aside; none if the study does not know the label.
    pub fn role(&self, label: &str) -> Option<SpeakerRole> {
        let wanted = fold_label(label);
        self.all().into_iter().find(|(_, labels)| labels.iter().any(|l| fold_label(l) == wanted)).map(|(role, _)| role)
    }

    /// The labels of each role.
    pub fn all(&self) -> [(SpeakerRole, &[String]); 4] {
        [
            (SpeakerRole::Participant, &self.participant),
            (SpeakerRole::Interviewer, &self.interviewer),
            (SpeakerRole::Interpreter, &self.interpreter),
            (SpeakerRole::Bystander, &self.bystander),
        ]
    }
}

impl Variable {
    /// The band of a number, in words: "under 18", "18-29", "65 and over"; none if the variable has no bands.
    pub fn band(&self, value: u32) -> Option<String> {
        let above = self.bands.iter().position(|&bound| value < bound);
        match (above, self.bands.last()) {
            (_, None) => None,
            (None, Some(last)) => Some(format!("{last} and over")),
            (Some(0), _) => self.bands.first().map(|first| format!("under {first}")),
            (Some(i), _) => {
                let (from, next) = (self.bands.get(i - 1)?, self.bands.get(i)?);
                let to = next - 1;
                Some(if *from == to { from.to_string() } else { format!("{from}-{to}") })
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.key.is_empty() {
            write!(f, ", {}", self.key)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// The digest of a consent form: SHA-256 of its text in UTF-8, after every line end (CR LF, CR) has become LF, the text has been brought to
/// Unicode NFC, and white space (Unicode `White_Space`) at both ends has been cut (docs/format.md, section 7).
///
/// So the same words give the same digest whoever saved the file.
pub fn form_digest(text: &str) -> Digest {
    let text: String = text.replace("\r\n", "\n").replace('\r', "\n").nfc().collect();
    Digest(Sha256::digest(text.trim().as_bytes()).into())
}

/// The digest of a study definition: SHA-256 of the bytes of `study.toml`, as they are.
pub fn study_digest(text: &str) -> Digest {
    Digest(Sha256::digest(text.as_bytes()).into())
}

/// A steward's signature over the text of a study definition, as it is.
pub fn sign_study(text: &str, steward: &SigningSeed) -> Signature {
    steward.sign(STUDY_CONTEXT, text.as_bytes())
}

/// Refuses a study definition that `steward` did not sign.
pub fn verify_study(text: &str, steward: &PublicKey, signature: &Signature) -> Result<()> {
    sign::require(steward, STUDY_CONTEXT, text.as_bytes(), signature, "the study definition")
}

/// Faults as one error: the first, and how many more there are.
pub fn as_error(faults: &[Fault]) -> Error {
    let Some(first) = faults.first() else {
        return Error::bug("a study definition was refused without a fault");
    };
    let more = match faults.len() - 1 {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    let remedy = format!("{} `subrosa study check` lists all faults.", first.remedy);
    Error::user(format!("study.toml, {first}{more}"), remedy)
}

pub(super) fn fold_label(label: &str) -> String {
    label.trim().nfc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::study_fixture::STUDY;
    use super::*;
    use crate::base::secret::Key;

    #[test]
    fn reads_a_study() {
        let study = Study::parse(STUDY).unwrap();
        assert_eq!(study.sites.len(), 4);
        assert_eq!(study.site("SR").unwrap().country, "RS");
        assert_eq!(study.thresholds, Thresholds { k: 3, cell: 10, stewards: 1, grace_days: 7 });
        assert!(!study.two_stewards());
        let form = study.form("v2", Some("hy")).unwrap();
        assert_eq!((form.language.as_str(), form.expiry_years, form.proof_of_consent_years), ("en", Some(20), None));
        assert_eq!(form.grant(Module::Reuse), ModuleState::Granted);
        assert_eq!(form.grant(Module::Teaching), ModuleState::NotAsked);
        assert_eq!(study.form_of_digest(&form.digest()), Some(form));
        assert!(study.form("v3", None).is_none());
        assert_eq!(study.speakers.role(" респондент"), Some(SpeakerRole::Participant));
        assert_eq!(study.speakers.role("Q"), None);
        assert_eq!(study.places[0].region.as_deref(), Some("Shirak"));
    }

    #[test]
    fn numbers_fall_into_bands() {
        let study = Study::parse(STUDY).unwrap();
        let age = study.variable("age").unwrap();
        for (value, band) in [
            (0, "under 18"),
            (17, "under 18"),
            (18, "18-29"),
            (29, "18-29"),
            (30, "30-39"),
            (64, "50-64"),
            (65, "65 and over"),
            (120, "65 and over"),
        ] {
            assert_eq!(age.band(value).as_deref(), Some(band));
        }
        assert_eq!(study.variable("gender").unwrap().band(3), None);
    }

    #[test]
    fn a_form_has_one_digest_however_it_was_saved() {
        let digest = form_digest("I agree.\nCafe\u{301}");
        assert_eq!(digest, form_digest("\u{2003}\r\nI agree.\r\nCaf\u{e9} \n\n"));
        assert_eq!(digest, form_digest("I agree.\rCaf\u{e9}"));
        assert_ne!(digest, form_digest("I agree. Caf\u{e9}"));
    }

    #[test]
    fn a_steward_signs_the_text_to_the_letter() {
        let steward = SigningSeed::from_key(&Key::random().unwrap());
        let sig = sign_study(STUDY, &steward);
        verify_study(STUDY, &steward.public(), &sig).unwrap();
        assert!(verify_study(&STUDY.replace("k = 3", "k = 2"), &steward.public(), &sig).is_err());
        assert_ne!(study_digest(STUDY), study_digest(&format!("{STUDY}\n")));
    }

    #[test]
    fn an_amendment_adds_and_never_rewrites() {
        let before = Study::parse(STUDY).unwrap();
        assert!(before.amendment_faults(&before).is_empty());
        let faults = |from: &str, to: &str| {
            assert!(STUDY.contains(from));
            Study::parse(&STUDY.replace(from, to))
                .unwrap()
                .amendment_faults(&before)
                .into_iter()
                .map(|f| f.key)
                .collect::<Vec<_>>()
        };
        assert_eq!(faults("and used by the researchers of this study.", "and used by researchers."), ["form.text"]);
        assert_eq!(faults("reuse = \"granted\"", "reuse = \"granted\"\nteaching = \"granted\""), ["form.grants"]);
        assert_eq!(faults("prefix = \"SR\"", "prefix = \"RS\""), ["site"]);
        assert_eq!(faults("country = \"RS\"", "country = \"ME\""), ["site.country"]);
        assert_eq!(faults("{number:02}", "{number:03}"), ["code_pattern"]);
        assert_eq!(faults("version = \"v1\"", "version = \"v0\""), ["form"]);
        assert!(faults("k = 3", "k = 5").is_empty());
    }

    #[test]
    fn a_refusal_tells_the_first_fault_and_how_many() {
        let error = Study::read(&STUDY.replace("k = 3", "k = 1").replace("cell = 10", "cell = 0")).unwrap_err();
        assert!(error.what().starts_with("study.toml, line 10, thresholds.k: "), "{}", error.what());
        assert!(error.what().ends_with("(and 1 more)"), "{}", error.what());
    }
}
