//! From the text of `study.toml` to a [`Study`], or to all its faults.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::code::{CodePattern, latin_letters};
use super::study::{Fault, MAX_BYTES, Place, Site, Speakers, Study, Thresholds, Variable};
use super::study_forms::forms;
use super::study_toml::{Faults, MAX_WORDS, Node, Table, checked, is_word, some_tables, words};
use crate::crypto::card::Country;

const CLASSES: &[&str] = &["direct", "strong_indirect", "indirect", "other"];

/// Most of each: far beyond any study, and small enough to compare quickly.
const MAX_SITES: usize = 300;
const MAX_PLACES: usize = 20_000;
const MAX_VARIABLES: usize = 500;

/// How many faults of the TOML itself are told.
const MOST_BROKEN: usize = 5;

/// See [`Study::parse`].
pub(super) fn parse(text: &str) -> Result<Study, Vec<Fault>> {
    if text.len() > MAX_BYTES {
        let what = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        return Err(vec![Fault {
            line: 1,
            key: String::new(),
            what,
            remedy: "Check that it is a study definition.".into(),
        }]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut faults = Faults::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    // What follows the first few mostly follows from them.
    for error in errors.iter().take(MOST_BROKEN) {
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
        &[
            "format",
            "title",
            "summary",
            "contact",
            "code_pattern",
            "withdrawal",
            "thresholds",
            "site",
            "form",
            "speakers",
            "place",
            "variable",
        ],
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
            f.add(
                node.at,
                &node.key,
                "no board is named",
                "Name at least one kind of board that must approve this site.",
            );
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
        let hint =
            if as_latin { format!("It looks like `{looks}`: type that in Latin capitals.") } else { String::new() };
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
    let known = |code: &str| code.parse::<Country>().is_ok();
    if known(text) {
        return Some(text.to_owned());
    }
    let remedy = match text.to_uppercase().as_str() {
        "UK" => "The United Kingdom is `GB`.".to_owned(),
        "EL" => "Greece is `GR`.".to_owned(),
        upper if known(upper) => format!("Write it in capitals: `{upper}`."),
        _ => "Use the two letters of ISO 3166-1, such as `AM` for Armenia.".to_owned(),
    };
    f.add(node.at, &node.key, "this is not the code of a country", remedy);
    None
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
                f.add(
                    member.at,
                    &member.key,
                    "a label is longer than 60 characters or has a colon in it",
                    "Shorten it.",
                );
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
        let name = f
            .need(table, "name")
            .and_then(|n| checked(f, &n, is_word, "Use small letters, digits and `_`, such as `age`."));
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

fn board(f: &mut Faults, node: &Node<'_, '_>) -> Option<String> {
    checked(f, node, is_word, "Use small letters, digits and `_`, such as `university`.")
}

#[cfg(test)]
mod tests {
    use super::super::study_fixture::{STUDY, faults};
    use super::*;

    fn line_of(needle: &str) -> usize {
        STUDY.lines().position(|l| l.contains(needle)).unwrap() + 1
    }

    #[test]
    fn each_fault_has_its_place_and_a_way_out() {
        for (from, to, line, key, says) in [
            ("country = \"RS\"", "contry = \"RS\"", "\"RS\"", "site.contry", "Did you mean `country`?"),
            ("country = \"RS\"", "country = \"rs\"", "\"RS\"", "site.country", "`RS`"),
            ("country = \"RS\"", "country = \"UK\"", "\"RS\"", "site.country", "`GB`"),
            ("prefix = \"GE\"", "prefix = \"АМ\"", "prefix = \"GE\"", "site.prefix", "It looks like `AM`"),
            ("prefix = \"GE\"", "prefix = \"AM\"", "prefix = \"GE\"", "site.prefix", "nobody can take for another"),
            ("k = 3 ", "k = 1 ", "k = 3", "thresholds.k", "from 2 to 1000"),
            ("grace_days = 7", "grace_days = 31", "grace_days", "thresholds.grace_days", "from 0 to 30"),
            ("stewards = 1", "stewards = \"1\"", "stewards = 1", "thresholds.stewards", "a whole number"),
            ("reuse = \"granted\"", "reus = \"granted\"", "reuse", "form.grants.reus", "Did you mean `reuse`?"),
            ("reuse = \"granted\"", "reuse = \"grnted\"", "reuse", "form.grants.reuse", "Did you mean `granted`?"),
            (
                "reuse = \"granted\"",
                "reuse = \"withdrawn\"",
                "reuse",
                "form.grants.reuse",
                "granted, refused, not_asked",
            ),
            ("reuse = \"granted\"", "open_access = \"granted\"", "reuse", "form.grants.open_access", "ever open"),
            ("reuse = \"granted\"", "reuse = \"open\"", "reuse", "form.grants.reuse", "ever open"),
            ("[18, 30, 40, 50, 65]", "[18, 40, 30]", "bands", "variable.bands", "from the smallest up"),
            ("[18, 30, 40, 50, 65]", "[18, 18]", "bands", "variable.bands", "from the smallest up"),
            ("[18, 30, 40, 50, 65]", "[]", "bands", "variable.bands", "from the smallest up"),
            ("boards = [\"host\", \"university\"]", "boards = []", "\"host\"", "site.boards", "at least one"),
            ("basis = \"consent\"", "basis = \"contract\"", "basis", "form.basis", "consent, public_interest"),
            (
                "interpreter = [\"T\"",
                "interpreter = [\"r1\"",
                "interpreter = ",
                "speakers.interpreter",
                "does not belong",
            ),
            (
                "class = \"strong_indirect\"",
                "class = \"strong\"",
                "class = \"strong_indirect\"",
                "variable.class",
                "direct, strong_indirect",
            ),
            ("format = \"subrosa-study/1\"", "format = \"subrosa-study/2\"", "format", "format", "subrosa-study/1"),
            (
                "code_pattern = \"{site}-{number:02}\"",
                "code_pattern = \"{site}\"",
                "code_pattern",
                "code_pattern",
                "{site}-{number:02}",
            ),
        ] {
            let found = faults(from, to);
            let hit = found.iter().find(|f| f.key == key && f.line == line_of(line));
            let hit = hit.unwrap_or_else(|| panic!("{to}: {found:?}"));
            assert!(hit.remedy.contains(says), "{to}: {}", hit.remedy);
        }
    }

    #[test]
    fn missing_things_are_named() {
        for (from, key) in [
            ("title = \"Leaving and Staying: oral histories of departure\"", "title"),
            ("language = \"en\"\n", "form.language"),
            ("tier = \"role_country\"\n", "form.tier"),
            ("k = 3 ", "thresholds.k"),
            ("name = \"Armenia\"\n", "site.name"),
        ] {
            let found = faults(from, if from.starts_with('k') { "# " } else { "" });
            assert!(found.iter().any(|f| f.key == key && f.what.contains("missing")), "{key}: {found:?}");
        }
        let found = parse("").unwrap_err();
        let keys: Vec<&str> = found.iter().map(|f| f.key.as_str()).collect();
        assert_eq!(keys, ["code_pattern", "contact", "form", "format", "site", "thresholds", "title", "withdrawal"]);
    }

    #[test]
    fn all_faults_are_told_at_once_in_order() {
        let text = STUDY
            .replace("k = 3 ", "k = 0 ")
            .replace("country = \"GE\"", "country = \"Georgia\"")
            .replace("bands", "band");
        let found = parse(&text).unwrap_err();
        let keys: Vec<&str> = found.iter().map(|f| f.key.as_str()).collect();
        assert_eq!(keys, ["thresholds.k", "site.country", "variable.band"]);
        assert!(found.is_sorted_by_key(|f| f.line) && found.iter().all(|f| !f.remedy.is_empty()));
    }

    #[test]
    fn broken_toml_is_told_with_its_line_and_hides_nothing_else() {
        let found = faults("title = \"Leaving", "title = Leaving");
        assert!(found.iter().any(|f| f.line == line_of("title =") && f.what.contains("TOML")), "{found:?}");
        assert!(!found.iter().any(|f| f.what.contains("is missing")), "{found:?}");
        let found = faults("k = 3 ", "k = 3\nk = 4 ");
        assert!(found.iter().any(|f| f.line == line_of("k = 3") + 1), "{found:?}");
    }

    #[test]
    fn hostile_input_is_bounded() {
        assert_eq!(parse(&"#".repeat(MAX_BYTES + 1)).unwrap_err().len(), 1);
        let many = "[[site]]\nx = 1\n".repeat(50_000);
        assert!(parse(&many).unwrap_err().len() <= 200);
        assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
        assert!(parse(&"a.".repeat(100_000)).is_err());
        assert!(parse("\u{0}\u{1}= \u{feff}").is_err());
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
        let text = format!("\u{feff}{}", STUDY.replace('\n', "\r\n"));
        let (a, b) = (parse(&text).unwrap(), parse(STUDY).unwrap());
        assert_eq!(a.forms[0].digest(), b.forms[0].digest());
    }
}
