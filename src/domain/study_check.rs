//! From the text of `study.toml` to a [`Study`], or to all its faults.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::code::{CodePattern, latin_letters};
use super::country::is_country;
use super::study::{Fault, Form, MAX_BYTES, Place, Site, Speakers, Study, Thresholds, Variable};
use super::study_toml::{Faults, NEVER_OPEN, Node, Table, speaks_of_openness};
use crate::ledger::event::{Module, ModuleState};

const MODULES: &[&str] =
    &["archive", "analyse", "reuse", "teaching", "quote_text", "quote_audio", "recontact", "abroad"];
const GRANTS: &[&str] = &["granted", "refused", "not_asked"];
const TIERS: &[&str] =
    &["full_name", "first_name", "role_place", "role_country", "code_only", "paraphrase_only", "never"];
const CLASSES: &[&str] = &["direct", "strong_indirect", "indirect", "other"];
const BASES: &[&str] = &["consent", "public_interest"];

/// Most of each: far beyond any study, and small enough to compare quickly.
const MAX_SITES: usize = 300;
const MAX_FORMS: usize = 300;
const MAX_PLACES: usize = 20_000;
const MAX_VARIABLES: usize = 500;
const MAX_WORDS: usize = 500;

/// See [`Study::parse`].
pub(super) fn parse(text: &str) -> Result<Study, Vec<Fault>> {
    if text.len() > MAX_BYTES {
        let what = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        return Err(vec![Fault { line: 1, key: String::new(), what, remedy: "Check that it is a study definition.".into() }]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut faults = Faults::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        faults.broken(error.span().map_or(0, |s| s.start), error.message());
    }
    let study = study(&mut faults, &Table::root(document.get_ref()));
    match study {
        Some(study) if faults.none() => Ok(study),
        _ => Err(faults.into_list()),
    }
}

fn study(f: &mut Faults, root: &Table<'_, '_>) -> Option<Study> {
    f.only(
        root,
        &["format", "title", "summary", "contact", "code_pattern", "withdrawal", "thresholds", "site", "form", "speakers", "place", "variable"],
    );
    format(f, root);
    let title = f.need(root, "title").and_then(|n| f.line_of(&n));
    let summary = root.get("summary").map_or(Some(String::new()), |n| f.page_of(&n));
    let contact = f.need(root, "contact").and_then(|n| f.line_of(&n));
    let withdrawal = f.need(root, "withdrawal").and_then(|n| f.page_of(&n));
    let code_pattern = f.need(root, "code_pattern").and_then(|n| pattern(f, &n));
    let thresholds = f.need(root, "thresholds").and_then(|n| f.table(&n)).and_then(|t| thresholds(f, &t));
    let sites = sites(f, root);
    let forms = forms(f, root);
    let speakers = root.get("speakers").map_or(Some(Speakers::default()), |n| f.table(&n).map(|t| speakers(f, &t)));
    let places = places(f, root);
    let variables = variables(f, root);
    Some(Study {
        title: title?,
        summary: summary?,
        contact: contact?,
        withdrawal: withdrawal?,
        code_pattern: code_pattern?,
        thresholds: thresholds?,
        sites,
        forms,
        speakers: speakers?,
        places,
        variables,
    })
}

fn format(f: &mut Faults, root: &Table<'_, '_>) {
    let Some(node) = f.need(root, "format") else { return };
    if f.string(&node).is_some_and(|text| text != "subrosa-study/1") {
        f.add(node.at, "format", "format is not one that this program reads", "Write `format = \"subrosa-study/1\"`.");
    }
}

fn pattern(f: &mut Faults, node: &Node<'_, '_>) -> Option<CodePattern> {
    let text = f.string(node)?;
    text.parse().map_err(|e: crate::base::Error| f.add(node.at, &node.key, e.what(), e.remedy())).ok()
}

fn thresholds(f: &mut Faults, table: &Table<'_, '_>) -> Option<Thresholds> {
    f.only(table, &["k", "cell", "stewards", "grace_days"]);
    let k = f.need(table, "k").and_then(|n| f.integer(&n, 2, 1000));
    let cell = f.need(table, "cell").and_then(|n| f.integer(&n, 2, 1000));
    let mut small = |name, least, most, usual| {
        let number = table.get(name).map_or(Some(usual), |n| f.integer(&n, least, most));
        number.and_then(|n| u8::try_from(n).ok())
    };
    let (stewards, grace_days) = (small("stewards", 1, 2, 1), small("grace_days", 0, 30, 7));
    Some(Thresholds { k: k?, cell: cell?, stewards: stewards?, grace_days: grace_days? })
}

fn sites(f: &mut Faults, root: &Table<'_, '_>) -> Vec<Site> {
    let tables = some_tables(f, root, "site", MAX_SITES);
    let mut seen: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let mut sites = Vec::new();
    for table in &tables {
        f.only(table, &["prefix", "name", "country", "boards"]);
        let prefix = f.need(table, "prefix").and_then(|n| prefix(f, &n, &mut seen));
        let name = f.need(table, "name").and_then(|n| f.line_of(&n));
        let country = f.need(table, "country").and_then(|n| country(f, &n));
        let boards = f.need(table, "boards").map(|n| (words(f, &n, board), n));
        if let Some((list, node)) = &boards
            && list.as_ref().is_some_and(Vec::is_empty)
        {
            f.add(node.at, &node.key, "no board is named", "Name at least one kind of board that must approve this site.");
        }
        if let (Some(prefix), Some(name), Some(country), Some((Some(boards), _))) = (prefix, name, country, boards) {
            sites.push(Site { prefix, name, country, boards });
        }
    }
    sites
}

/// A prefix: 1 to 8 letters A to Z. Two that look alike, whatever alphabet they are written in, are a fault.
fn prefix(f: &mut Faults, node: &Node<'_, '_>, seen: &mut BTreeMap<String, (String, usize)>) -> Option<String> {
    let text = f.string(node)?;
    let looks = latin_letters(text);
    let mut clear = true;
    if !(1..=8).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_uppercase()) {
        let as_latin = !looks.is_empty() && looks.len() <= 8 && looks.bytes().all(|b| b.is_ascii_uppercase());
        let hint = if as_latin { format!("It looks like `{looks}`: type that in Latin capitals.") } else { String::new() };
        let hint = if hint.is_empty() { "Use letters only, such as `AM`.".to_owned() } else { hint };
        f.add(node.at, &node.key, "the prefix is not 1 to 8 capital letters A to Z", hint);
        clear = false;
    }
    if let Some((before, line)) = seen.get(&looks) {
        let what = if before == text {
            format!("the site of line {line} has the same prefix")
        } else {
            format!("the prefix looks like that of the site of line {line}")
        };
        f.add(node.at, &node.key, what, "Give each site a prefix that nobody can take for another.");
        clear = false;
    } else {
        seen.insert(looks, (text.to_owned(), f.line(node.at)));
    }
    clear.then(|| text.to_owned())
}

fn country(f: &mut Faults, node: &Node<'_, '_>) -> Option<String> {
    let text = f.string(node)?;
    if is_country(text) {
        return Some(text.to_owned());
    }
    let remedy = match text.to_uppercase().as_str() {
        "UK" => "The United Kingdom is `GB`.".to_owned(),
        "EL" => "Greece is `GR`.".to_owned(),
        upper if is_country(upper) => format!("Write it in capitals: `{upper}`."),
        _ => "Use the two letters of ISO 3166-1, such as `AM` for Armenia.".to_owned(),
    };
    f.add(node.at, &node.key, "this is not the code of a country", remedy);
    None
}

fn forms(f: &mut Faults, root: &Table<'_, '_>) -> Vec<Form> {
    let tables = some_tables(f, root, "form", MAX_FORMS);
    let mut forms: Vec<Form> = Vec::new();
    for table in &tables {
        let Some(form) = form(f, table) else { continue };
        let same = forms.iter().filter(|o| o.version == form.version).collect::<Vec<_>>();
        if same.iter().any(|o| o.language == form.language) {
            f.add(table.at, "form.version", "a form of this version and language stands above", "Give it another version or language.");
        } else if same.iter().any(|o| !grants_alike(o, &form)) {
            let what = "a form of this version in another language grants something else, or on other terms";
            f.add(table.at, "form.version", what, "Translations grant the same; what differs needs a version of its own.");
        }
        if forms.iter().any(|o| o.version != form.version && o.digest() == form.digest()) {
            let what = "another version has the very same text";
            f.add(table.at, "form.text", what, "Consents are told apart by the text agreed to; correct one of the texts.");
        }
        forms.push(form);
    }
    forms
}

fn grants_alike(a: &Form, b: &Form) -> bool {
    let terms = |f: &Form| (f.tier, f.basis, f.review_years, f.expiry_years, f.proof_of_consent_years);
    MODULES_ALL.iter().all(|m| a.grant(*m) == b.grant(*m)) && terms(a) == terms(b)
}

const MODULES_ALL: [Module; 8] = [
    Module::Archive,
    Module::Analyse,
    Module::Reuse,
    Module::Teaching,
    Module::QuoteText,
    Module::QuoteAudio,
    Module::Recontact,
    Module::Abroad,
];

fn form(f: &mut Faults, table: &Table<'_, '_>) -> Option<Form> {
    f.only(
        table,
        &["version", "language", "basis", "text", "tier", "review_years", "expiry_years", "proof_of_consent_years", "grants"],
    );
    let version = f.need(table, "version").and_then(|n| checked(f, &n, is_version, "Use letters, digits, `.`, `-` and `_`, such as `v2`."));
    let language = f.need(table, "language").and_then(|n| checked(f, &n, is_language, "Use BCP 47, such as `ru` or `sr-Latn`."));
    let basis = f.need(table, "basis").and_then(|n| f.word(&n, BASES));
    let text = f.need(table, "text").and_then(|n| f.page_of(&n));
    let tier = f.need(table, "tier").and_then(|n| f.word(&n, TIERS));
    let mut years = |name, most| match table.get(name) {
        None => Some(None),
        Some(n) => f.integer(&n, 1, most).and_then(|y| u8::try_from(y).ok()).map(Some),
    };
    let (review, expiry, proof) = (years("review_years", 50), years("expiry_years", 100), years("proof_of_consent_years", 50));
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
        let Some(module) = MODULES.iter().position(|m| *m == name).and_then(|i| MODULES_ALL.get(i)) else { continue };
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

fn speakers(f: &mut Faults, table: &Table<'_, '_>) -> Speakers {
    const ROLES: [&str; 4] = ["participant", "interviewer", "interpreter", "bystander"];
    f.only(table, &ROLES);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut labels = |name: &str| {
        let Some(node) = table.get(name) else { return Vec::new() };
        let mut labels = Vec::new();
        for member in f.list(&node, MAX_WORDS) {
            let Some(label) = f.line_of(&member) else { continue };
            if label.chars().count() > 60 || label.contains(':') {
                f.add(member.at, &member.key, "a label is longer than 60 characters or has a colon in it", "Shorten it.");
            } else if let Some(line) = seen.insert(super::study::fold_label(&label), f.line(member.at)) {
                let what = format!("this label stands already in line {line}, capitals aside");
                f.add(member.at, &member.key, what, "Leave it out where it does not belong.");
            } else {
                labels.push(label);
            }
        }
        labels
    };
    let [participant, interviewer, interpreter, bystander] = ROLES.map(&mut labels);
    Speakers { participant, interviewer, interpreter, bystander }
}

fn places(f: &mut Faults, root: &Table<'_, '_>) -> Vec<Place> {
    let tables = f.tables(root, "place", MAX_PLACES);
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut places = Vec::new();
    for table in &tables {
        f.only(table, &["name", "forms", "region", "country"]);
        let name = f.need(table, "name").and_then(|n| f.line_of(&n));
        let forms = table.get("forms").map_or(Some(Vec::new()), |n| words(f, &n, |f, n| f.line_of(n)));
        let region = table.get("region").map_or(Some(None), |n| f.line_of(&n).map(Some));
        let country = f.need(table, "country").and_then(|n| country(f, &n));
        let (Some(name), Some(forms), Some(region), Some(country)) = (name, forms, region, country) else { continue };
        if let Some(line) = seen.insert((name.to_lowercase(), country.clone()), f.line(table.at)) {
            let what = format!("the place of line {line} has the same name and country");
            f.add(table.at, "place.name", what, "Keep one of them, with the forms of both.");
        }
        places.push(Place { name, forms, region, country });
    }
    places
}

fn variables(f: &mut Faults, root: &Table<'_, '_>) -> Vec<Variable> {
    let tables = f.tables(root, "variable", MAX_VARIABLES);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut variables = Vec::new();
    for table in &tables {
        f.only(table, &["name", "class", "values", "bands"]);
        let name = f.need(table, "name").and_then(|n| checked(f, &n, is_word, "Use small letters, digits and `_`, such as `age`."));
        if let Some(name) = &name
            && let Some(line) = seen.insert(name.clone(), f.line(table.at))
        {
            let what = format!("the variable of line {line} has the same name");
            f.add(table.at, "variable.name", what, "Give it another name, or leave one out.");
        }
        let class = f.need(table, "class").and_then(|n| f.word(&n, CLASSES));
        let values = table.get("values").map_or(Some(Vec::new()), |n| words(f, &n, |f, n| f.line_of(n)));
        let bands = table.get("bands").map_or(Some(Vec::new()), |n| bands(f, &n));
        if table.get("values").is_some() && table.get("bands").is_some() {
            f.add(table.at, "variable", "a variable has either values or bands", "Leave one of them out.");
        }
        if let (Some(name), Some(class), Some(values), Some(bands)) = (name, class, values, bands) {
            variables.push(Variable { name, class, values, bands });
        }
    }
    variables
}

fn bands(f: &mut Faults, node: &Node<'_, '_>) -> Option<Vec<u32>> {
    let members = f.list(node, MAX_WORDS);
    let bounds: Option<Vec<u32>> = members.iter().map(|m| f.integer(m, 1, 1_000_000)).collect();
    let bounds = bounds?;
    if bounds.is_empty() || !bounds.is_sorted_by(|a, b| a < b) {
        let what = "the bounds of the bands do not ascend";
        f.add(node.at, &node.key, what, "Write each lower bound once, from the smallest up, such as [18, 30, 50].");
        return None;
    }
    Some(bounds)
}

/// The members of a list, each read by `read`; a member that stands twice is a fault.
fn words<'a, 't>(
    f: &mut Faults,
    node: &Node<'a, 't>,
    read: impl Fn(&mut Faults, &Node<'a, 't>) -> Option<String>,
) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut clear = true;
    for member in f.list(node, MAX_WORDS) {
        match read(f, &member) {
            Some(word) if found.contains(&word) => {
                f.add(member.at, &member.key, "this stands twice in the list", "Leave one out.");
            }
            Some(word) => found.push(word),
            None => clear = false,
        }
    }
    clear.then_some(found)
}

fn board(f: &mut Faults, node: &Node<'_, '_>) -> Option<String> {
    checked(f, node, is_word, "Use small letters, digits and `_`, such as `university`.")
}

fn checked(f: &mut Faults, node: &Node<'_, '_>, good: fn(&str) -> bool, remedy: &str) -> Option<String> {
    let text = f.string(node)?;
    if !good(text) {
        f.add(node.at, &node.key, format!("{} is not written as it must be", node.key), remedy);
    }
    good(text).then(|| text.to_owned())
}

/// The tables of `[[name]]`; none at all is a fault.
fn some_tables<'a, 't>(f: &mut Faults, root: &Table<'a, 't>, name: &str, most: usize) -> Vec<Table<'a, 't>> {
    let tables = f.tables(root, name, most);
    if tables.is_empty() && f.complete() {
        f.add(0, name, format!("the study has no {name}"), format!("Add one that begins with [[{name}]]."));
    }
    tables
}

/// 1 to 32 small letters, digits and `_`, a letter first.
pub(super) fn is_word(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_version(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Language, script and region of BCP 47, as usually written: `ru`, `sr-Latn`, `pt-BR`.
pub(super) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-').peekable();
    let all = |p: &str, good: fn(&u8) -> bool| p.bytes().all(|b| good(&b));
    if !parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && all(p, u8::is_ascii_lowercase)) {
        return false;
    }
    parts.next_if(|p| p.len() == 4 && all(&p[..1], u8::is_ascii_uppercase) && all(&p[1..], u8::is_ascii_lowercase));
    parts.next_if(|p| (p.len() == 2 && all(p, u8::is_ascii_uppercase)) || (p.len() == 3 && all(p, u8::is_ascii_digit)));
    parts.next().is_none()
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
            None => add("site", format!("the site {} is gone", site.prefix), "Put it back: interviews may stand on it."),
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
