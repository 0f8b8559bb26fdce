//! Studies of any size, out of sentences of our own: `subrosa demo --interviews N`. Everybody in them is invented.
//!
//! A study of 163 has the shape of the real one: its sites, people, ages, lengths and kinds of consent. Others keep the proportions. The same
//! number and seed give the same study, byte by byte; one interview is made at a time and nothing else is held.

mod form;
mod names;
mod recording;
mod shape;
mod sites;
mod talk;
mod template;
mod words;
mod world;
mod write;

use shape::{Order, parts, share};
use sites::SITES;

pub use words::{Planted, Search, tokens};

/// The most interviews of a generated study.
pub const MOST: u32 = 20_000;

/// The interviews of the real study, to which all proportions refer.
const REAL: u32 = 163;
/// Its participants.
const PEOPLE: u32 = 168;
/// The most interviews in one delivery: what a field team hands over in some months, and what an archivist can look through before agreeing.
const DELIVERED: u32 = 250;

/// A study to be made.
pub struct Study {
    interviews: u32,
    seed: u64,
    characters: u32,
    /// For each site, the number of its first interview, and how many it has.
    sites: Vec<(u32, u32)>,
    pairs: u32,
    orders: Orders,
}

/// An order for each thing that only some have.
struct Orders {
    pairs: Order,
    length: Order,
    english: Order,
    interpreter: Order,
    bystander: Order,
    women: Order,
    degree: Order,
    age: Order,
    consent: Order,
    form: Order,
    written: Order,
}

/// What a field team hands over at once: interviews of one site.
#[derive(Clone, Copy)]
pub struct Delivery {
    /// The number of the first interview in the study.
    pub first: u32,
    /// How many there are.
    pub count: u32,
}

/// A file of a delivery.
pub struct MadeFile {
    /// Where it lies inside the delivery's folder.
    pub path: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// An interview, ready to be delivered.
pub struct Made {
    /// The archive code.
    pub code: String,
    /// Recordings, transcript, documents.
    pub files: Vec<MadeFile>,
    /// Its rows of the manifest.
    pub rows: String,
    /// What was planted in it.
    pub planted: Planted,
    /// The labels of its participants.
    pub voices: Vec<String>,
}

/// An approval that the study stands on: board, sites (none: all), first and last day of fieldwork.
pub type Approval = (&'static str, &'static [&'static str], &'static str, &'static str);

/// The approvals that the dates of all interviews lie within.
pub const APPROVALS: [Approval; 3] = [
    ("university", &[], "2022-03-01", "2024-12-31"),
    ("host", &["AM"], "2022-09-01", "2023-12-31"),
    ("host", &["KZ"], "2023-01-15", "2024-05-31"),
];

/// `study.toml` of every generated study: the sample's, with more sites and places.
pub fn study_toml() -> String {
    format!("{}{}", super::STUDY, include_str!("more.toml"))
}

impl Study {
    /// A study of so many interviews, with transcripts of so many characters on average. None if it is no number of interviews, or more than [`MOST`].
    pub fn new(interviews: u32, seed: u64, characters: u32) -> Option<Self> {
        if !(1..=MOST).contains(&interviews) {
            return None;
        }
        let mut first = 0;
        let weights = SITES.map(|s| s.weight);
        let sites = parts(interviews, &weights).into_iter().map(|count| {
            first += count;
            (first - count, count)
        });
        let pairs = share(interviews, PEOPLE - REAL, REAL);
        let people = interviews + pairs;
        let of = |total, purpose| Order::new(total, seed, purpose);
        Some(Self {
            interviews,
            seed,
            characters,
            sites: sites.collect(),
            pairs,
            orders: Orders {
                pairs: of(interviews, 1),
                length: of(interviews, 2),
                english: of(interviews, 3),
                interpreter: of(interviews, 4),
                bystander: of(interviews, 5),
                women: of(people, 6),
                degree: of(people, 7),
                age: of(people, 8),
                consent: of(people, 9),
                form: of(interviews, 10),
                written: of(people, 11),
            },
        })
    }

    /// How many interviews there are.
    pub fn interviews(&self) -> u32 {
        self.interviews
    }

    /// How many participants are heard in them.
    pub fn participants(&self) -> u32 {
        self.interviews + self.pairs
    }

    /// The deliveries in which the study comes: each of one site, of at most 250 interviews.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let mut all = Vec::new();
        for &(first, count) in &self.sites {
            // Parts of nearly the same size.
            let even = vec![1; count.div_ceil(DELIVERED) as usize];
            let mut from = first;
            for part in parts(count, &even) {
                all.push(Delivery { first: from, count: part });
                from += part;
            }
        }
        all
    }

    /// Interview `number`, counted from 0.
    pub fn interview(&self, number: u32) -> Made {
        write::interview(self, number)
    }

    /// The first row of every manifest.
    pub fn manifest_head(&self) -> &'static str {
        write::HEAD
    }

    /// The interview whose participant takes everything back: one of two voices where there is such a one. None in a study of one.
    pub fn withdrawn(&self) -> Option<u32> {
        let pair = (0..self.interviews).find(|&n| self.orders.pairs.among(n, self.pairs));
        (self.interviews > 1).then(|| pair.unwrap_or(self.interviews - 1))
    }

    /// So many interviews, spread evenly over the study.
    pub fn sample(&self, count: u32) -> impl Iterator<Item = u32> {
        let (all, count) = (u64::from(self.interviews), u64::from(count.min(self.interviews)));
        (0..count).map(move |i| u32::try_from(i * all / count).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
