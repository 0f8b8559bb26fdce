//! Manifests, as deliveries bring them: whole ones, and every kind of fault.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use subrosa::formats::manifest::{DocumentKind, Gender, Manifest, SpeakerRole, TranscriptKind, TranscriptParent};
use subrosa::formats::{Fault, Table};

fn same(code: &str) -> String {
    code.to_uppercase().replace('_', "-")
}

fn read(csv: &str) -> Result<Manifest, Vec<Fault>> {
    Manifest::read(&Table::from_csv(csv.as_bytes()).unwrap(), "manifest.csv", &same)
}

/// The faults of a manifest; none of them may repeat any of its values.
fn faults(csv: &str) -> Vec<(String, String, String)> {
    let faults = read(csv).unwrap_err();
    let told = format!("{faults:?}");
    for value in csv.split([';', '\n', ',']).skip_while(|v| *v != "VALUES").filter(|v| v.len() > 3) {
        assert!(!told.contains(value), "{value} in {told}");
    }
    faults.into_iter().map(|f| (f.place, f.what, f.remedy)).collect()
}

fn places(csv: &str) -> Vec<String> {
    faults(csv).into_iter().map(|(place, _, _)| place).collect()
}

#[test]
fn the_long_form_is_put_together() {
    let csv = "\
Code;Date;Place;Language;Label;Role;Participant;Name;Also known as;Contacts;Gender;Birth year;Consent form;Consent except;Evidence;Evidence from;Evidence to;Recording;Transcript;Transcript kind;Transcript language;Transcript of;Document;Document kind;Notes;meta:team
AM-05;2023-05-17;Gyumri;RU;R1;participant;;Anna Petrova;Аня; anna@example.org; @anya ;woman;1987;v1;quote_audio=refused;audio/am05.wav;0:01:05;90;audio/am05.wav;am05.txt;;;;notes.pdf;field notes;first;north
am_05;;;;I;Interviewer;;;;;;;;;;;;;am05en.docx;translation;en;am05.txt;;;;
AM-05;2023-05-17;;;R2;participant;GE-02:R;;;;;;;;;;;audio/am05.wav;;;;;notes.pdf;;second;
GE-01;2023-06-01;;;;;;;;;;;;;;;;;ge01.srt;corrected;;2;;;;
"
    .replace("Аня; anna@example.org; @anya ;woman", "Аня;\"anna@example.org; @anya \";woman");
    let manifest = read(&csv).unwrap();
    assert_eq!(manifest.interviews.len(), 2);
    let am = &manifest.interviews[0];
    assert_eq!((am.code_raw.as_str(), am.lines.as_slice()), ("AM-05", &[2, 3, 4][..]));
    assert_eq!(am.code_variants, [(3, "am_05".to_owned())]);
    assert_eq!(am.date.unwrap().to_string(), "2023-05-17");
    assert_eq!(am.language.as_deref(), Some("ru"));
    assert_eq!(am.notes.as_deref(), Some("first\nsecond"));
    assert_eq!(am.meta.get("team").map(String::as_str), Some("north"));
    assert_eq!(am.recordings.len(), 1);
    assert_eq!((am.documents.len(), am.documents[0].kind), (1, DocumentKind::FieldNotes));
    let labels: Vec<_> = am.speakers.iter().map(|s| (s.label.as_str(), s.role)).collect();
    assert_eq!(
        labels,
        [("R1", SpeakerRole::Participant), ("I", SpeakerRole::Interviewer), ("R2", SpeakerRole::Participant)]
    );
    let r1 = &am.speakers[0];
    assert_eq!((r1.gender, r1.birth_year), (Some(Gender::Woman), Some(1987)));
    assert_eq!(r1.contacts, ["anna@example.org", "@anya"]);
    let consent = r1.consent.as_ref().unwrap();
    assert_eq!((consent.form.as_str(), consent.line), ("v1", 2));
    assert_eq!(consent.exceptions, [("quote_audio".to_owned(), "refused".to_owned())]);
    let evidence = consent.evidence.as_ref().unwrap();
    assert_eq!((evidence.from_ms, evidence.to_ms), (Some(65_000), Some(90_000)));
    let other = am.speakers[2].same_as.as_ref().unwrap();
    assert_eq!((other.code_raw.as_str(), other.label.as_str()), ("GE-02", "R"));
    assert_eq!(am.transcripts[0].kind, TranscriptKind::Raw);
    assert_eq!(
        (am.transcripts[1].kind, am.transcripts[1].language.as_deref()),
        (TranscriptKind::Translation, Some("en"))
    );
    assert!(matches!(&am.transcripts[1].made_from, Some(TranscriptParent::File(f)) if f.as_str() == "am05.txt"));
    assert!(matches!(manifest.interviews[1].transcripts[0].made_from, Some(TranscriptParent::Version(2))));
    assert_eq!(manifest.notices.len(), 1);
    let debug = format!("{manifest:?} {am:?} {r1:?} {consent:?} {evidence:?} {other:?} {:?}", am.transcripts[1]);
    for secret in ["AM", "Anna", "Gyumri", "am05", "1987", "refused"] {
        assert!(!debug.contains(secret), "{debug}");
    }
}

#[test]
fn all_faults_come_at_once_with_their_places() {
    let csv = "\
code,date,label,role,name,gender,birth_year,language,consent_form,consent_except,evidence,evidence_from,evidence_to,recording,transcript,transcript_kind,transcript_of,participant
VALUES-1,17.05.2023,R,boss,Maria,dame,87,Russian,v1,teaching,../scan.pdf,soon,0:10,C:\\a.wav,/etc/x.txt,final,minus,somebody
";
    let columns: Vec<String> = places(csv).into_iter().map(|p| p.rsplit(' ').next().unwrap().to_owned()).collect();
    for column in [
        "date",
        "role",
        "gender",
        "birth_year",
        "language",
        "consent_except",
        "evidence",
        "evidence_from",
        "recording",
        "transcript",
        "participant",
    ] {
        assert!(columns.iter().any(|c| c == column), "{column} in {columns:?}");
    }
    assert!(places(csv).iter().all(|p| p.starts_with("manifest.csv line 2, column ")));
    let wanted = faults(csv).into_iter().find(|f| f.0.ends_with("column date")).unwrap();
    assert!(wanted.2.contains("2023-05-17"));
}

#[test]
fn rows_that_contradict_each_other() {
    let csv = "code,date,place,label,role,name,meta:x\nVALUES,2023-05-17,Gyumri,R,participant,Anna,one\nvalues,2023-05-18,Ijevan,R,interviewer,Olga,two\nVALUES,2023-05-17,Gyumri,R,,Anna,one\n";
    let told = faults(csv);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told.iter().all(|(place, what, _)| place.contains("line 3") && what.contains("line 2")));
}

#[test]
fn what_does_not_go_together() {
    for (csv, column) in [
        ("code,label,role,name\nAM-01,,,Anna\n", "name"),
        ("code,label,name\nAM-01,R,Anna\n", "role"),
        ("code,label,role,gender\nAM-01,I,interviewer,man\n", "gender"),
        ("code,label,role,consent_form\nAM-01,T,interpreter,v1\n", "consent_form"),
        ("code,label,role,consent_except\nAM-01,R,participant,a=b\n", "consent_except"),
        ("code,label,role,evidence\nAM-01,R,participant,a.wav\n", "evidence"),
        ("code,label,role,consent_form,evidence,evidence_from\nAM-01,R,participant,v1,,10\n", "evidence_from"),
        (
            "code,label,role,consent_form,evidence,evidence_from,evidence_to\nAM-01,R,participant,v1,a.wav,0:20,10\n",
            "evidence_to",
        ),
        ("code,transcript,transcript_kind\nAM-01,,raw\n", "transcript_kind"),
        ("code,transcript,transcript_kind\nAM-01,a.txt,translation\n", "transcript_language"),
        ("code,transcript,transcript_of\nAM-01,a.txt,b.txt\n", "transcript_kind"),
        ("code,transcript,transcript_kind,transcript_of\nAM-01,a.txt,corrected,a.txt\n", "transcript_of"),
        ("code,document,document_kind\nAM-01,,photo\n", "document_kind"),
        ("code,recording\nAM-01,a.wav\nAM-02,a.wav\n", "recording"),
        ("code,recording,transcript\nAM-01,a.txt,\nAM-01,,a.txt\n", "transcript"),
        ("code,recording\n,a.wav\n", "code"),
    ] {
        let told = faults(csv);
        assert_eq!(told.len(), 1, "{csv}: {told:?}");
        assert!(told[0].0.ends_with(&format!("column {column}")), "{csv}: {told:?}");
    }
    assert_eq!(faults("code,date\nAM-01,2023-05-17,x\n").len(), 1);
    assert_eq!(faults("code,date\n").len(), 1);
    assert_eq!(faults("date\n2023-05-17\n").len(), 1);
}

#[test]
fn a_flood_of_faults_is_cut() {
    let csv = format!("code,date\n{}", "AM-01,x\n".repeat(5_000));
    let told = faults(&csv);
    assert_eq!(told.len(), 501);
    let long =
        format!("code,label,role\n{}", (0..2_500).map(|n| format!("AM-01,R{n},participant\n")).collect::<String>());
    assert!(faults(&long)[0].1.contains("2000 rows"));
    assert!(told[500].1.contains("more faults"));
}

#[test]
fn encodings_are_told() {
    let csv = "code;place;notes\nAM-05;Гюмри;беседа была долгая и спокойная\n";
    let bytes = encoding_rs::WINDOWS_1251.encode(csv).0.into_owned();
    let manifest = Manifest::read(&Table::from_csv(&bytes).unwrap(), "manifest.csv", &same).unwrap();
    assert_eq!(manifest.interviews[0].place.as_deref(), Some("Гюмри"));
    assert!(manifest.notices[0].contains("Windows-1251"));
}
