//! A study whose every personal field is a planted word, and people who run the built program on it.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use subrosa::base::secret::Passphrase;
use subrosa::crypto::identity::Identity;
use subrosa::crypto::kdf::KdfParams;

/// What a planted word stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Sort {
    Code,
    Label,
    Name,
    Contact,
    Social,
    Place,
    Note,
    Meta,
    Condition,
    File,
    Maker,
    /// Words of a turn that may go out.
    Word,
    /// Words of a turn that may go nowhere: of a voice that withdrew, of a bystander, marked by hand.
    Silenced,
    Document,
    Project,
    Purpose,
    Request,
    Approval,
    Letter,
    Remark,
    StudyTitle,
    Passphrase,
    /// Typed on the command line where it does not belong.
    Typed,
    /// In a file that is not what it should be.
    Malformed,
    Key,
}

use Sort::*;

pub(crate) const CODE: &str = "QZVXA-4711";
pub(crate) const TWO: &str = "QZVXA-4712";
pub(crate) const PASSPHRASE: &str = "zqkartoffel lampe brunnen siebzehn";
pub(crate) const WRONG: &str = "zqfalsches wort am falschen ort 42";
pub(crate) const TYPED: &str = "Zqgetippt-Ёжўкин";
pub(crate) const MALFORMED: &str = "Zqverdorben-Щўйкин";
pub(crate) const PATH: &str = "zqpfadname";

/// Every planted word. No two share a beginning, so that one found is not taken for another.
pub(crate) const WORDS: &[(Sort, &str)] = &[
    (Code, CODE),
    (Code, TWO),
    (Label, "Zqetikett"),
    (Label, "Zqnebenlabel"),
    (Name, "Вўйцэжа Ёлкинжо"),
    (Name, "Zqdravkowyna"),
    (Name, "Ольжўна Ветлицкайжа"),
    (Name, "Zqmitbewohner"),
    (Contact, "qzxlarv@pochta.example"),
    (Contact, "+374 91 004 71 13"),
    (Contact, "@zqx_marvilo"),
    (Social, "Zqedukalia"),
    (Social, "Zqokupatria"),
    (Place, "Zqplatzburg"),
    (Note, "Zqnotizwort"),
    (Meta, "Zqmetaname"),
    (Meta, "Zqmetawert"),
    (Condition, "Zqbedingung"),
    (Condition, "Zqnachtragwunsch"),
    (File, "Zqaufnahme"),
    (File, "Zqniederschrift"),
    (File, "Zqfeldblatt"),
    (Maker, "Zqmacherin"),
    (Word, "zqerzaehlt"),
    (Word, "жўвалкинэ"),
    (Silenced, "zqverweigert"),
    (Silenced, "zqpassantin"),
    (Silenced, "Zqonkelchen"),
    (Document, "zqdokumenttext"),
    (Project, "Zqprojektname"),
    (Purpose, "Zqzweckwort"),
    (Request, "Zqanliegen"),
    (Approval, "Zqaktenzeichen"),
    (Approval, "Zqgenehmigt"),
    (Letter, "zqbriefinhalt"),
    (Remark, "Zqbemerkung"),
    (Remark, "Zqablehnung"),
    (Remark, "Zqbehalten"),
    (Remark, "Zqgelesen"),
    (Remark, "Zqnachgesehen"),
    (StudyTitle, "Zqstudientitel"),
    (Passphrase, PASSPHRASE),
    (Passphrase, WRONG),
    (Typed, TYPED),
    (Typed, PATH),
    (Malformed, MALFORMED),
];

/// The study of the sample under a planted title and with a planted prefix.
pub(crate) fn study() -> String {
    include_str!("../../src/sample/study.toml")
        .replace("Leaving and Staying: oral histories of departure", "Zqstudientitel")
        .replace("prefix = \"AM\"", "prefix = \"QZVXA\"")
        .replace("boards = [\"host\", \"university\"]", "boards = [\"university\"]")
}

const HEADER: &str = "code,date,place,language,label,role,name,also_known_as,contacts,gender,birth_year,education,occupation,\
    consent_form,consent_except,consent_condition,evidence,evidence_from,evidence_to,recording,transcript,transcript_kind,transcript_maker,\
    document,document_kind,notes,meta:Zqmetaname";

/// Writes the delivery.
pub(crate) fn deliver(to: &Path) {
    let put = |name: &str, bytes: &[u8]| {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let rows = [
        "QZVXA-4711,2023-04-12,Zqplatzburg,ru,,,,,,,,,,,,,,,,r/Zqaufnahme.wav,,,,,,Zqnotizwort,Zqmetawert",
        "QZVXA-4711,,,,Zqetikett,participant,Вўйцэжа Ёлкинжо,Zqdravkowyna,qzxlarv@pochta.example; +374 91 004 71 13; @zqx_marvilo,woman,1987,\
         Zqedukalia,Zqokupatria,v2,,,r/Zqaufnahme.wav,0:00:00,0:00:01,,,,,,,,",
        "QZVXA-4711,,,,И,interviewer,Ольжўна Ветлицкайжа,,,,,,,,,,,,,,,,,,,,",
        "QZVXA-4711,,,,X,bystander,,,,,,,,,,,,,,,,,,,,,",
        "QZVXA-4711,,,,,,,,,,,,,,,,,,,,t/Zqniederschrift.txt,verbatim,Zqmacherin,,,,",
        "QZVXA-4711,,,,,,,,,,,,,,,,,,,,,,,d/Zqfeldblatt.txt,field_notes,,",
        "QZVXA-4712,2023-05-02,Zqplatzburg,ru,Zqnebenlabel,participant,Zqmitbewohner,,,man,1980,,,v2,,Zqbedingung,,,,,t/two.txt,verbatim,,,,,",
        "QZVXA-4712,,,,И,interviewer,,,,,,,,,,,,,,,,,,,,,",
    ];
    put("manifest.csv", format!("{HEADER}\n{}\n", rows.join("\n")).as_bytes());
    put("r/Zqaufnahme.wav", &wav());
    put("d/Zqfeldblatt.txt", b"zqdokumenttext");
    put(
        "t/Zqniederschrift.txt",
        "[00:00:00] И: Как вас зовут?\n[00:00:01] Zqetikett: Меня зовут Вўйцэжа Ёлкинжо, дома Zqdravkowyna, дядю звали Zqonkelchen.\n\
         [00:00:02] И: А дальше?\n[00:00:03] Zqetikett: Я zqerzaehlt вам про жўвалкинэ, пишите на qzxlarv@pochta.example или @zqx_marvilo, +374 91 004 71 13.\n\
         [00:00:04] И: Да.\n[00:00:05] И: Дальше.\n[00:00:06] X: zqpassantin\n[00:00:07] И: Спасибо.\n[00:00:08] Zqetikett: Не за что, zqerzaehlt ещё раз.\n"
            .as_bytes(),
    );
    put("t/two.txt", "И: Ну?\nZqnebenlabel: zqverweigert\nИ: Да.\n".as_bytes());
}

/// Two seconds of silence.
fn wav() -> Vec<u8> {
    let samples = vec![0u8; 32_000];
    let mut out = Vec::from(*b"RIFF");
    out.extend(36u32.wrapping_add(samples.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(8_000u32.to_le_bytes());
    out.extend(16_000u32.to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((samples.len() as u32).to_le_bytes());
    out.extend(samples);
    out
}

/// Folders and people.
pub(crate) struct World {
    temp: tempfile::TempDir,
}

/// What a command came to.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
}

pub(crate) const PEOPLE: &[(&str, &str)] =
    &[("ada", "steward"), ("ben", "archivist"), ("cid", "analyst"), ("eve", "auditor"), ("fay", "steward")];

impl World {
    /// Folders, identities that unlock fast, passphrases, a delivery; no vault yet.
    pub(crate) fn new() -> Self {
        let world = Self { temp: tempfile::tempdir().unwrap() };
        for folder in ["home", "tmp", "people", "given", "out", "elsewhere"] {
            std::fs::create_dir(world.at(folder)).unwrap();
        }
        for (name, _) in PEOPLE {
            let identity =
                Identity::generate(name, "EE".parse().unwrap(), "2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
            let passphrase = Passphrase::new(PASSPHRASE.into());
            std::fs::write(
                world.at(&format!("people/{name}.id")),
                identity.seal(&passphrase, KdfParams::LEAST).unwrap(),
            )
            .unwrap();
            std::fs::write(world.at(&format!("people/{name}.card")), identity.card().to_bytes().unwrap()).unwrap();
        }
        world.give("pass", PASSPHRASE.as_bytes());
        world.give("wrong", WRONG.as_bytes());
        world.give("study.toml", study().as_bytes());
        world.give("letter.pdf", b"zqbriefinhalt");
        deliver(&world.at("given/delivery"));
        world
    }

    /// A path in the world.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// The whole world.
    pub(crate) fn root(&self) -> &Path {
        self.temp.path()
    }

    /// A file in `given/`, which is not searched.
    pub(crate) fn give(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.at("given").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        format!("given/{name}")
    }

    /// The program with these arguments and nothing on standard input.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_subrosa"));
        command.args(args).current_dir(self.root()).stdin(Stdio::null());
        command.env_clear().env("HOME", self.at("home")).env("TMPDIR", self.at("tmp"));
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        Done { code: status.code(), out: stdout, err: stderr }
    }

    /// The options by which somebody works on the vault.
    pub(crate) fn options(who: &str) -> Vec<String> {
        let id = format!("people/{who}.id");
        ["--vault", "vault", "--identity", &id, "--passphrase-file", "given/pass", "--yes"].map(String::from).to_vec()
    }

    /// Runs the program for somebody on the vault.
    pub(crate) fn run_as(&self, who: &str, args: &[&str]) -> Done {
        let options = Self::options(who);
        let all: Vec<&str> = options.iter().map(String::as_str).chain(args.iter().copied()).collect();
        self.run(&all)
    }
}
