//! Transcripts, manifests and recordings of any number and size.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use subrosa::sample::{FIRST, LATER};

/// The prefixes of the sample's sites.
pub const SITES: [&str; 4] = ["AM", "GE", "SR", "PL"];

const GIVEN: [&str; 12] = [
    "Аделаида",
    "Бронислава",
    "Гликерия",
    "Евлампия",
    "Ираида",
    "Капитолина",
    "Леокадия",
    "Меланья",
    "Платонида",
    "Рогнеда",
    "Феврония",
    "Харитина",
];
const FRONTS: [&str; 12] =
    ["Берёзо", "Вязо", "Горе", "Дубо", "Жемчуго", "Клёно", "Ольхо", "Сосно", "Тополе", "Черемше", "Шиповнико", "Ясене"];
const BACKS: [&str; 10] = [
    "горская",
    "польская",
    "бродская",
    "лесская",
    "донская",
    "морская",
    "рецкая",
    "слободская",
    "дворская",
    "крайская",
];

/// Numbers that look random and are always the same.
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// The next one, from 0 to `below` − 1.
    pub fn roll(&mut self, below: usize) -> usize {
        (self.next() % below as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// The archive code of interview `n`, from 0: the sites take turns.
pub fn code(n: usize) -> String {
    format!("{}-{:02}", SITES[n % SITES.len()], n / SITES.len() + 1)
}

/// The invented name of the participant of interview `n`.
pub fn name(n: usize) -> String {
    let surname = (FRONTS[n % FRONTS.len()], BACKS[n / FRONTS.len() % BACKS.len()]);
    format!("{} {}{}", GIVEN[(n / 7) % GIVEN.len()], surname.0, surname.1)
}

/// The turns of the sample's Russian transcripts: label and words.
pub fn turns() -> Vec<(&'static str, &'static str)> {
    let wanted = ["transcripts/AM-01.txt", "transcripts/SR-03.txt", "transcripts/AM-04.txt"];
    let files = FIRST.iter().chain(LATER).filter(|f| wanted.contains(&f.path));
    let texts = files.map(|f| std::str::from_utf8(f.bytes).expect("these are in UTF-8"));
    let turn = |line: &'static str| {
        let line = line.split_once("] ").map_or(line, |(_, rest)| rest);
        line.split_once(": ").filter(|(label, _)| ["И", "О"].contains(label))
    };
    texts.flat_map(str::lines).filter_map(turn).collect()
}

/// A transcript of about so many characters, of the sample's turns in an order of its own; whoever speaks says their name now and then.
pub fn transcript(n: usize, characters: usize) -> String {
    let (turns, mut dice, name) = (turns(), Dice::new(n as u64 + 1), name(n));
    let (mut text, mut length) = (String::with_capacity(characters * 2 + 512), 0);
    let mut add = |label: &str, words: &str| {
        length += label.chars().count() + words.chars().count() + 3;
        let _ = writeln!(text, "{label}: {words}");
        length
    };
    let mut count = add("О", &format!("Меня зовут {name}, это разговор {n}."));
    while count < characters {
        let (label, words) = turns[dice.roll(turns.len())];
        count = add(label, words);
        if dice.roll(50) == 0 {
            count = add("О", &format!("Так и записали: {name}."));
        }
    }
    text
}

/// Writes a delivery of so many interviews, each with a participant who agreed to form v2 and, if `characters` is not 0, a transcript of that length.
pub fn deliver(to: &Path, interviews: usize, characters: usize) {
    let mut manifest = String::from(
        "code,date,place,language,label,role,name,contacts,gender,birth_year,education,occupation,consent_form,transcript,transcript_kind\n",
    );
    fs::create_dir_all(to.join("transcripts")).expect("a folder");
    for n in 0..interviews {
        let (code, name) = (code(n), name(n));
        let file = format!("transcripts/{code}.txt");
        let (file, kind) = if characters == 0 { (String::new(), "") } else { (file, "verbatim") };
        let (month, day, born) = (n % 12 + 1, n % 28 + 1, 1950 + n % 50);
        let _ = writeln!(
            manifest,
            "{code},2023-{month:02}-{day:02},Gyumri,ru,О,participant,{name},person{n}@pochta.example,woman,{born},university,teacher,v2,{file},{kind}"
        );
        if characters > 0 {
            fs::write(to.join(file), transcript(n, characters)).expect("a transcript");
        }
    }
    fs::write(to.join("manifest.csv"), manifest).expect("a manifest");
}

/// Writes a delivery of one interview with one recording of about so many bytes: noise as WAV.
pub fn deliver_recording(to: &Path, bytes: u64) {
    fs::create_dir_all(to).expect("a folder");
    let head = "code,date,place,language,label,role,name,gender,birth_year,consent_form,recording\n";
    let row = format!("AM-01,2023-05-17,Gyumri,ru,О,participant,{},woman,1980,v2,AM-01.wav\n", name(0));
    fs::write(to.join("manifest.csv"), format!("{head}{row}")).expect("a manifest");
    wav(&to.join("AM-01.wav"), bytes);
}

/// Writes a WAV file of noise, 16 bits, one channel, 48 kHz.
pub fn wav(path: &Path, bytes: u64) {
    let data = u32::try_from(bytes).expect("less than 4 GiB") / 4096 * 4096;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    let mut head = Vec::with_capacity(44);
    head.extend_from_slice(b"RIFF");
    head.extend_from_slice(&(data + 36).to_le_bytes());
    head.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    head.extend_from_slice(&48_000u32.to_le_bytes());
    head.extend_from_slice(&96_000u32.to_le_bytes());
    head.extend_from_slice(b"\x02\0\x10\0data");
    head.extend_from_slice(&data.to_le_bytes());
    out.write_all(&head).expect("room on the disk");
    let mut dice = Dice::new(bytes);
    for _ in 0..data / 8 {
        out.write_all(&dice.next().to_le_bytes()).expect("room on the disk");
    }
    out.into_inner().expect("room on the disk").sync_all().expect("a sync");
}
