//! One interview as a field team delivers it: files, and rows of the manifest.

use super::form::{self, Form};
use super::shape::{Dice, share};
use super::sites::SITES;
use super::talk::{Room, Turn, Who, talk};
use super::world::{Day, Slot, World};
use super::{Made, MadeFile, PEOPLE, Planted, REAL, Study, names, recording};

/// The first row of a manifest.
pub(super) const HEAD: &str = "code,date,place,language,label,role,name,also_known_as,contacts,gender,birth_year,education,occupation,consent_form,consent_except,consent_condition,evidence,evidence_from,evidence_to,recording,transcript,transcript_kind,transcript_maker,document,document_kind,meta:minutes\n";
const COLUMNS: [&str; 26] = [
    "code",
    "date",
    "place",
    "language",
    "label",
    "role",
    "name",
    "also_known_as",
    "contacts",
    "gender",
    "birth_year",
    "education",
    "occupation",
    "consent_form",
    "consent_except",
    "consent_condition",
    "evidence",
    "evidence_from",
    "evidence_to",
    "recording",
    "transcript",
    "transcript_kind",
    "transcript_maker",
    "document",
    "document_kind",
    "meta:minutes",
];

/// Ages of participants, youngest to oldest, each for a twentieth of them: 32 on average.
const AGES: [u32; 20] = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 35, 37, 40, 45, 50, 62];
/// Minutes of interviews in the same way: 74 on average.
const MINUTES: [u32; 20] = [35, 42, 47, 51, 55, 58, 61, 64, 67, 70, 73, 76, 79, 82, 86, 90, 95, 102, 112, 135];
/// The mean of [`MINUTES`].
const MEAN: u32 = 74;
/// What participants except from what the form grants, and how many of 168 do; all others agree to it as it stands.
const EXCEPTIONS: [(&str, u32); 11] = [
    ("?", 1),
    ("embargo=2035-01-01", 5),
    ("tier=paraphrase_only", 6),
    ("tier=code_only", 10),
    ("quote_text=refused", 15),
    ("abroad=refused", 12),
    ("reuse=refused", 13),
    ("quote_text=refused; abroad=refused", 5),
    ("analyse=refused; reuse=refused; quote_text=refused; abroad=refused", 3),
    ("recontact=refused", 14),
    ("teaching=granted", 20),
];
/// The condition in free words of those with `?`.
const CONDITION: &str = "Прежде чем печатать что-либо о моей семье, спросите меня ещё раз.";

/// One row, cell by cell; an empty cell says nothing.
struct Row<'a>(Vec<(&'a str, String)>);

pub(super) fn interview(study: &Study, number: u32) -> Made {
    let orders = &study.orders;
    let mut dice = Dice::new(study.seed, 100, u64::from(number));
    let (site, within) = study
        .sites
        .iter()
        .zip(&SITES)
        .find_map(|(&(first, count), site)| {
            (number >= first && number < first + count).then_some((site, number - first))
        })
        .unwrap_or((&SITES[0], number));
    let code = format!("{}-{:02}", site.prefix, within + 1);
    let english = orders.english.among(number, share(study.interviews, 9, REAL));
    let pair = orders.pairs.among(number, study.pairs);
    let (place, place_said) = dice.pick(site.places).copied().unwrap_or(("", ""));
    let ((from_year, from_month), (to_year, to_month)) = site.fieldwork;
    let first_month = usize::from(from_year) * 12 + usize::from(from_month) - 1;
    let months = usize::from(to_year) * 12 + usize::from(to_month) - first_month;
    let month = first_month + dice.roll(months);
    let day =
        Day { year: u16::try_from(month / 12).unwrap_or(from_year), month: u8::try_from(month % 12 + 1).unwrap_or(1) };
    let date = format!("{}-{:02}-{:02}", day.year, day.month, dice.roll(28) + 1);

    let mut people = vec![number];
    if pair {
        people.push(study.interviews + orders.pairs.place(number));
    }
    let women = share(study.participants(), 40, PEOPLE);
    // The same dice for both: the same people.
    let world = |p: u32, dice: &mut Dice, place: &str, english: bool| {
        World::new(dice, p, orders.women.among(p, women), site, place, english, day)
    };
    let mut again = dice.clone();
    let worlds: Vec<World> = people.iter().map(|&p| world(p, &mut dice, place_said, false)).collect();
    let abroad: Option<Vec<World>> =
        english.then(|| people.iter().map(|&p| world(p, &mut again, place, true)).collect());

    let minutes = orders.length.spread(number, &MINUTES);
    let seconds = minutes * 60 + u32::try_from(dice.roll(60)).unwrap_or(0) - 30;
    let characters =
        u64::from(study.characters) * u64::from(minutes) * (92 + dice.roll(17) as u64) / (u64::from(MEAN) * 100);
    let room = Room {
        worlds: &worlds,
        english: abroad.as_deref(),
        site: site.prefix,
        interpreter: orders.interpreter.among(number, share(study.interviews, 12, REAL)),
        bystander: orders.bystander.among(number, share(study.interviews, 9, REAL)),
        characters: usize::try_from(characters).unwrap_or(usize::MAX),
    };
    let (turns, said) = talk(&room, &mut dice);
    let voices = labels(pair, within);
    let label = |turn: &Turn| -> String {
        match turn.who {
            Who::Voice(at) => voices.get(at).cloned().unwrap_or_default(),
            Who::Interviewer => "И".to_owned(),
            Who::Interpreter => "П".to_owned(),
            Who::Bystander => "X".to_owned(),
        }
    };
    let form = [
        Form::Plain,
        Form::Timed,
        Form::Timed,
        Form::Plain,
        Form::Timed,
        Form::Cues,
        Form::Word,
        Form::Timed,
        Form::Cues,
        Form::Word,
    ][dice.roll(10)];
    let transcript = format!("transcripts/{code}.{}", form.ending());
    let tape = format!("recordings/{code}.flac");
    let mut files = vec![
        MadeFile { path: tape.clone(), bytes: recording::flac(seconds, &mut dice) },
        MadeFile { path: transcript.clone(), bytes: form::write(form, &turns, label, seconds) },
    ];

    let mut rows = String::new();
    let mut row = |cells: Vec<(&str, String)>| Row(cells).write(&code, &mut rows);
    row(vec![
        ("date", date),
        ("place", place.into()),
        ("language", "ru".into()),
        ("recording", tape.clone()),
        ("meta:minutes", minutes.to_string()),
    ]);
    let first_form = orders.form.among(number, share(study.interviews, 13, REAL));
    for ((&person, world), label) in people.iter().zip(&worlds).zip(&voices) {
        let mut cells = describe(study, person, world, label, day.year, &mut dice);
        cells.push(("consent_form", if first_form { "v1" } else { "v2" }.into()));
        cells.extend(exceptions(study, person));
        if orders.written.among(person, share(study.participants(), 25, PEOPLE)) {
            let path = format!("documents/{code}-{}.png", files.len());
            cells.push(("evidence", path.clone()));
            files.push(MadeFile { path, bytes: scan() });
        } else {
            let from = 4 + dice.roll(20);
            cells.push(("evidence", tape.clone()));
            cells.push(("evidence_from", format!("0:00:{from:02}")));
            cells.push(("evidence_to", format!("0:00:{:02}", from + 6 + dice.roll(25))));
        }
        row(cells);
    }
    let interviewer = dice.pick(site.interviewers).copied().unwrap_or_default();
    let mut others = vec![(Who::Interviewer, "interviewer", interviewer)];
    for who in [(Who::Interpreter, "interpreter", ""), (Who::Bystander, "bystander", "")] {
        others.extend(turns.iter().any(|t| t.who == who.0).then_some(who));
    }
    for (who, role, name) in others {
        let label = label(&Turn { who, text: String::new() });
        row(vec![("label", label), ("role", role.into()), ("name", name.into())]);
    }
    let maker = ["field team", "hired transcriber", "speech recogniser, read over once"][dice.roll(3)];
    let kind = if maker.starts_with('s') { "raw" } else { "verbatim" };
    row(vec![("transcript", transcript), ("transcript_kind", kind.into()), ("transcript_maker", maker.into())]);
    if dice.chance(5) {
        let path = format!("recordings/{code}-trial.wav");
        row(vec![("recording", path.clone())]);
        files.push(MadeFile { path, bytes: recording::wav(&mut dice) });
    }

    let mut planted = Planted::new(&code);
    for (world, said) in worlds.iter().chain(abroad.iter().flatten()).zip(said.iter().chain(&said)) {
        planted.take(world, said);
    }
    planted.names.insert(interviewer.to_owned());
    Made { code, files, rows, planted, voices }
}

/// The labels of the participants in the transcript: whoever wrote it down had a habit.
fn labels(pair: bool, within: u32) -> Vec<String> {
    let alone = [&["О"][..], &["Р"], &["Респондент"]][(within % 3) as usize];
    let all = if pair { &["Р1", "Р2"] } else { alone };
    all.iter().map(|l| (*l).to_owned()).collect()
}

fn describe<'a>(
    study: &Study,
    person: u32,
    world: &World,
    label: &str,
    year: u16,
    dice: &mut Dice,
) -> Vec<(&'a str, String)> {
    let people = study.participants();
    let age = study.orders.age.spread(person, &AGES);
    let degree = study.orders.degree.among(person, share(people, 126, PEOPLE));
    let education = if degree { "university" } else { ["school", "vocational", "unfinished university"][dice.roll(3)] };
    let contacts = [Slot::Phone, Slot::Mail, Slot::Handle].map(|slot| world.plain(slot)).join("; ");
    vec![
        ("label", label.to_owned()),
        ("role", "participant".into()),
        ("name", world.plain(Slot::Full).to_owned()),
        ("also_known_as", format!("{}; {}", world.plain(Slot::Nick), names::latin(world.plain(Slot::Full)))),
        ("contacts", contacts),
        ("gender", if world.woman { "woman" } else { "man" }.into()),
        ("birth_year", (u32::from(year) - age).to_string()),
        ("education", education.into()),
        ("occupation", dice.pick(&names::WORK).copied().unwrap_or_default().into()),
    ]
}

fn exceptions(study: &Study, person: u32) -> Option<(&'static str, String)> {
    let place = study.orders.consent.place(person);
    let mut sum = 0;
    for (except, of_168) in EXCEPTIONS {
        sum += of_168;
        if place < share(study.participants(), sum, PEOPLE) {
            return Some(match except {
                "?" => ("consent_condition", CONDITION.to_owned()),
                _ => ("consent_except", except.to_owned()),
            });
        }
    }
    None
}

/// A scan of a signed form: the sample's.
fn scan() -> Vec<u8> {
    super::super::FIRST.iter().find(|f| f.path.ends_with("consent.png")).map(|f| f.bytes.to_vec()).unwrap_or_default()
}

impl Row<'_> {
    fn write(self, code: &str, out: &mut String) {
        for (at, column) in COLUMNS.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            let cell = if at == 0 {
                Some(code)
            } else {
                self.0.iter().find(|(name, _)| name == column).map(|(_, c)| c.as_str())
            };
            let cell = cell.unwrap_or_default();
            if cell.contains([',', '"', '\n']) {
                out.push('"');
                out.push_str(&cell.replace('"', "\"\""));
                out.push('"');
            } else {
                out.push_str(cell);
            }
        }
        out.push('\n');
    }
}
