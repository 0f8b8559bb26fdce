//! The consent forms of a study definition: reading them, and guarding them against later change.

use std::collections::BTreeMap;

use super::study::{Fault, Form, Study};
use super::study_toml::{Faults, NEVER_OPEN, Table, checked, some_tables, speaks_of_openness};
use crate::ledger::event::{Digest, Module, ModuleState};

const MODULES: &[&str] =
    &["archive", "analyse", "reuse", "teaching", "quote_text", "quote_audio", "recontact", "abroad"];
const GRANTS: &[&str] = &["granted", "refused", "not_asked"];
const TIERS: &[&str] =
    &["full_name", "first_name", "role_place", "role_country", "code_only", "paraphrase_only", "never"];
const BASES: &[&str] = &["consent", "public_interest"];

/// Far beyond any study, and small enough to compare quickly.
const MAX_FORMS: usize = 300;

/// The consent forms of a study: distinct, and translations of a version granting the same.
pub(super) fn forms(f: &mut Faults, root: &Table<'_, '_>) -> Vec<Form> {
    let tables = some_tables(f, root, "form", MAX_FORMS);
    let mut forms: Vec<Form> = Vec::new();
    let mut texts: BTreeMap<Digest, String> = BTreeMap::new();
    for table in &tables {
        let Some(form) = form(f, table) else { continue };
        let same = forms.iter().filter(|o| o.version == form.version).collect::<Vec<_>>();
        if same.iter().any(|o| o.language == form.language) {
            f.add(
                table.at,
                "form.version",
                "a form of this version and language stands above",
                "Give it another version or language.",
            );
        } else if same.iter().any(|o| !grants_alike(o, &form)) {
            let what = "a form of this version in another language grants something else, or on other terms";
            f.add(
                table.at,
                "form.version",
                what,
                "Translations grant the same; what differs needs a version of its own.",
            );
        }
        if texts.insert(form.digest(), form.version.clone()).is_some_and(|v| v != form.version) {
            let what = "another version has the very same text";
            f.add(
                table.at,
                "form.text",
                what,
                "Consents are told apart by the text agreed to; correct one of the texts.",
            );
        }
        forms.push(form);
    }
    forms
}

fn grants_alike(a: &Form, b: &Form) -> bool {
    let terms = |f: &Form| (f.tier, f.basis, f.review_years, f.expiry_years, f.proof_of_consent_years);
    Module::ALL.iter().all(|m| a.grant(*m) == b.grant(*m)) && terms(a) == terms(b)
}

fn form(f: &mut Faults, table: &Table<'_, '_>) -> Option<Form> {
    f.only(
        table,
        &[
            "version",
            "language",
            "basis",
            "text",
            "tier",
            "review_years",
            "expiry_years",
            "proof_of_consent_years",
            "grants",
        ],
    );
    let version = f
        .need(table, "version")
        .and_then(|n| checked(f, &n, is_version, "Use letters, digits, `.`, `-` and `_`, such as `v2`."));
    let language =
        f.need(table, "language").and_then(|n| checked(f, &n, is_language, "Use BCP 47, such as `ru` or `sr-Latn`."));
    let basis = f.need(table, "basis").and_then(|n| f.word(&n, BASES));
    let text = f.need(table, "text").and_then(|n| f.page_of(&n));
    let tier = f.need(table, "tier").and_then(|n| f.word(&n, TIERS));
    let mut years = |name, most| match table.get(name) {
        None => Some(None),
        Some(n) => f.integer(&n, 1, most).and_then(|y| u8::try_from(y).ok()).map(Some),
    };
    let (review, expiry, proof) =
        (years("review_years", 50), years("expiry_years", 100), years("proof_of_consent_years", 50));
    let grants = f.need(table, "grants").and_then(|n| f.table(&n)).map(|t| grants(f, &t));
    Some(Form {
        version: version?,
        language: language?,
        basis: basis?,
        text: text?,
        grants: grants?,
        tier: tier?,
        review_years: review?,
        expiry_years: expiry?,
        proof_of_consent_years: proof?,
    })
}

fn grants(f: &mut Faults, table: &Table<'_, '_>) -> BTreeMap<Module, ModuleState> {
    f.only(table, MODULES);
    let mut grants = BTreeMap::new();
    for (name, node) in table.entries() {
        let Some(module) = MODULES.iter().position(|m| *m == name).and_then(|i| Module::ALL.get(i)) else { continue };
        if f.string(&node).is_none() {
            continue;
        }
        if node.text().is_some_and(speaks_of_openness) {
            f.add(node.at, &node.key, "there is no open access", NEVER_OPEN);
        } else if let Some(state) = f.word(&node, GRANTS) {
            grants.insert(*module, state);
        }
    }
    if table.entries().is_empty() && f.complete() {
        f.add(table.at, "form.grants", "the form grants nothing", "Name at least `archive = \"granted\"`.");
    }
    grants
}

/// See [`Study::amendment_faults`].
pub(super) fn amendment_faults(before: &Study, after: &Study) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add = |key: &str, what: String, remedy: &str| {
        faults.push(Fault { line: 1, key: key.to_owned(), what, remedy: remedy.to_owned() });
    };
    if before.code_pattern != after.code_pattern {
        add("code_pattern", "the code pattern has changed".into(), "Archive codes are in use; put the pattern back.");
    }
    for site in &before.sites {
        match after.site(&site.prefix) {
            None => {
                add("site", format!("the site {} is gone", site.prefix), "Put it back: interviews may stand on it.")
            }
            Some(now) if now.country != site.country => {
                add("site.country", format!("the country of the site {} has changed", site.prefix), "Put it back.");
            }
            Some(_) => {}
        }
    }
    for form in &before.forms {
        let now = after.forms.iter().find(|f| f.version == form.version && f.language == form.language);
        let of = format!("form {} ({})", form.version, form.language);
        match now {
            None => add("form", format!("the {of} is gone"), "Put it back: consents may stand on it."),
            Some(now) if now.digest() != form.digest() => {
                add("form.text", format!("the text of the {of} has changed"), "Put it back, and add a new version.");
            }
            Some(now) if !grants_alike(now, form) => {
                add("form.grants", format!("what the {of} grants has changed"), "Put it back, and add a new version.");
            }
            Some(_) => {}
        }
    }
    faults
}

fn is_version(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Language, script and region of BCP 47, as usually written: `ru`, `sr-Latn`, `pt-BR`.
fn is_language(text: &str) -> bool {
    if !text.is_ascii() {
        return false;
    }
    let mut parts = text.split('-').peekable();
    let all = |p: &str, good: fn(&u8) -> bool| p.bytes().all(|b| good(&b));
    if !parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && all(p, u8::is_ascii_lowercase)) {
        return false;
    }
    parts.next_if(|p| p.len() == 4 && all(&p[..1], u8::is_ascii_uppercase) && all(&p[1..], u8::is_ascii_lowercase));
    parts.next_if(|p| (p.len() == 2 && all(p, u8::is_ascii_uppercase)) || (p.len() == 3 && all(p, u8::is_ascii_digit)));
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::super::study_check::parse;
    use super::super::study_fixture::{STUDY, faults};
    use super::*;

    #[test]
    fn a_form_needs_its_text_and_its_grants() {
        let (start, end) = (STUDY.find("text = \"\"\"").unwrap(), STUDY.find("tier =").unwrap());
        let without = format!("{}{}", &STUDY[..start], &STUDY[end..]);
        assert_eq!(parse(&without).unwrap_err()[0].key, "form.text");
        let empty = format!("{}text = \"\"\"\n  \"\"\"\n{}", &STUDY[..start], &STUDY[end..]);
        assert!(parse(&empty).unwrap_err()[0].what.contains("empty"));
        let found = faults("archive = \"granted\"\nanalyse = \"granted\"\nquote_text = \"granted\"\n", "");
        assert_eq!(found[0].key, "form.grants");
    }

    #[test]
    fn translations_grant_the_same_and_stand_once() {
        let second = STUDY.replacen("version = \"v2\"\nlanguage = \"en\"", "version = \"v1\"\nlanguage = \"ru\"", 1);
        let found = parse(&second).unwrap_err();
        assert!(found.iter().any(|f| f.what.contains("grants something else")), "{found:?}");
        let found = faults("version = \"v2\"", "version = \"v1\"");
        assert!(found.iter().any(|f| f.what.contains("stands above")), "{found:?}");
    }

    #[test]
    fn languages_are_tags() {
        for good in ["ru", "sr-Latn", "pt-BR", "es-419", "kmr", "zh-Hant-TW"] {
            assert!(is_language(good), "{good}");
        }
        for bad in ["", "r", "Russian", "RU", "ru_RU", "ru-", "sr-latn", "en-us", "ru-RU-x", "é", "ru-éé"] {
            assert!(!is_language(bad), "{bad}");
        }
    }
}
