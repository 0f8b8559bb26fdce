//! A speaker and what is theirs: names of those around them, places, firms, numbers, days.

use super::names::{
    BACKS, CALLED, FATHERS, FRONTS, LANES, MEN, MONTHS, SCHOOLS, STREETS, TOWNS, TRADES, WOMEN, declined, latin,
};
use super::shape::Dice;
use super::sites::Site;

/// What stands in a sentence for a word of the speaker's world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// The speaker's given name.
    Name,
    /// The whole name.
    Full,
    /// What friends call them.
    Nick,
    Mate,
    Mother,
    Sister,
    Child,
    Friend,
    Boss,
    Colleague,
    Landlady,
    /// Where they worked.
    Firm,
    /// Where they work now.
    Firm2,
    School,
    /// The town that they left.
    Home,
    /// The town where they are.
    Here,
    Phone,
    /// The number of somebody close.
    Phone2,
    Mail,
    Handle,
    Passport,
    Card,
    Address,
    /// The address before.
    OldAddress,
    /// The day of leaving.
    Left,
    Date,
    Date2,
}

/// Every slot with its name in the material.
const SLOTS: [(&str, Slot); 27] = [
    ("name", Slot::Name),
    ("full", Slot::Full),
    ("nick", Slot::Nick),
    ("mate", Slot::Mate),
    ("mother", Slot::Mother),
    ("sister", Slot::Sister),
    ("child", Slot::Child),
    ("friend", Slot::Friend),
    ("boss", Slot::Boss),
    ("colleague", Slot::Colleague),
    ("landlady", Slot::Landlady),
    ("firm", Slot::Firm),
    ("firm2", Slot::Firm2),
    ("school", Slot::School),
    ("home", Slot::Home),
    ("here", Slot::Here),
    ("phone", Slot::Phone),
    ("phone2", Slot::Phone2),
    ("mail", Slot::Mail),
    ("handle", Slot::Handle),
    ("passport", Slot::Passport),
    ("card", Slot::Card),
    ("address", Slot::Address),
    ("oldaddress", Slot::OldAddress),
    ("left", Slot::Left),
    ("date", Slot::Date),
    ("date2", Slot::Date2),
];

/// A grammatical case.
#[derive(Clone, Copy)]
pub(super) struct Case(usize);

impl Case {
    /// By its letter: n, g, d, a, i, p.
    pub(super) fn named(letter: &str) -> Option<Self> {
        ["n", "g", "d", "a", "i", "p"].iter().position(|l| *l == letter).map(Self)
    }
}

impl Slot {
    /// By its name in the material.
    pub(super) fn named(name: &str) -> Option<Self> {
        SLOTS.iter().find(|(n, _)| *n == name).map(|(_, slot)| *slot)
    }
}

/// A speaker's world.
pub(super) struct World {
    /// A woman says it.
    pub(super) woman: bool,
    /// Every slot's words, in the six cases.
    words: Vec<[String; 6]>,
}

impl World {
    /// The world of participant `number` (counted from 0 in the whole study) at a site, who left before the interview's first day.
    pub(super) fn new(
        dice: &mut Dice,
        number: u32,
        woman: bool,
        site: &Site,
        place: &str,
        english: bool,
        day: Day,
    ) -> Self {
        let one = |text: String| -> [String; 6] { std::array::from_fn(|_| text.clone()) };
        let own = |name: &str| if english { one(latin(name)) } else { declined(name) };
        let plain = |text: String| one(if english { latin(&text) } else { text });
        let given = |dice: &mut Dice, woman: bool| {
            let all: &[(&str, &str)] = if woman { &WOMEN } else { &MEN };
            dice.pick(all).copied().unwrap_or(all[0])
        };
        let second = |dice: &mut Dice, woman: bool| {
            dice.pick(&FATHERS).map_or("", |(son, daughter)| if woman { *daughter } else { *son })
        };
        let (name, nick) = given(dice, woman);
        let surname = format!(
            "{}{}{}",
            dice.pick(&FRONTS).copied().unwrap_or_default(),
            dice.pick(&BACKS).copied().unwrap_or_default(),
            if woman { "ая" } else { "ий" }
        );
        let full = format!("{name} {} {surname}", second(dice, woman));
        let mother = format!("{} {}", given(dice, true).0, second(dice, true));
        let boss = format!("{} {}", given(dice, false).0, second(dice, false));
        let firm = |dice: &mut Dice| {
            let name = [dice.pick(&FRONTS), dice.pick(&TRADES)].into_iter().flatten().copied().collect::<String>();
            one(if english { latin(&name) } else { format!("«{name}»") })
        };
        let (town, of, in_it, english_town) = dice.pick(&TOWNS).copied().unwrap_or(TOWNS[0]);
        let home = if english { one(english_town.into()) } else { [town, of, of, town, of, in_it].map(str::to_owned) };
        let school = format!(
            "{} «{}»",
            dice.pick(&SCHOOLS).copied().unwrap_or_default(),
            dice.pick(&CALLED).copied().unwrap_or_default()
        );
        let address = |dice: &mut Dice| {
            let (house, flat) = (dice.roll(89) + 1, dice.roll(119) + 1);
            if english {
                format!("{house} {} Street, apartment {flat}", dice.pick(&LANES).copied().unwrap_or_default())
            } else {
                format!("улица {}, дом {house}, квартира {flat}", dice.pick(&STREETS).copied().unwrap_or_default())
            }
        };
        let (plain_name, plain_nick) = (latin(name).to_lowercase(), latin(nick).to_lowercase());
        let mut words: Vec<[String; 6]> = SLOTS.iter().map(|_| one(String::new())).collect();
        for (slot, forms) in [
            (Slot::Name, own(name)),
            (Slot::Full, plain(full)),
            (Slot::Nick, plain(nick.to_owned())),
            (Slot::Mate, own(given(dice, !woman).0)),
            (Slot::Mother, plain(mother)),
            (Slot::Sister, own(given(dice, true).0)),
            (Slot::Child, own(given(dice, false).0)),
            (Slot::Friend, own(given(dice, false).0)),
            (Slot::Boss, plain(boss)),
            (Slot::Colleague, own(given(dice, true).0)),
            (Slot::Landlady, plain(site.landlady(dice).to_owned())),
            (Slot::Firm, firm(dice)),
            (Slot::Firm2, firm(dice)),
            (Slot::School, one(school)),
            (Slot::Home, home),
            (Slot::Here, one(place.to_owned())),
            (Slot::Phone, one(site.phone(2 * number))),
            (Slot::Phone2, one(site.phone(2 * number + 1))),
            (Slot::Mail, one(format!("{plain_name}.{}{number}@pochta.example", latin(&surname).to_lowercase()))),
            (Slot::Handle, one(format!("@{plain_nick}_{number}_primer"))),
            (Slot::Passport, one(format!("00 {:02} {:06}", dice.roll(20), number + 1))),
            (Slot::Card, one(card(number))),
            (Slot::Address, one(address(dice))),
            (Slot::OldAddress, one(address(dice))),
            (Slot::Left, one(day.before(dice, english))),
            (
                Slot::Date,
                one(Day { year: 2006 + u16::try_from(dice.roll(14)).unwrap_or(0), month: 6 }.within(dice, english)),
            ),
            (Slot::Date2, one(day.before(dice, english))),
        ] {
            if let Some(place) = words.get_mut(slot as usize) {
                *place = forms;
            }
        }
        Self { woman, words }
    }

    /// The words of a slot.
    pub(super) fn say(&self, slot: Slot, case: Case) -> &str {
        self.words.get(slot as usize).and_then(|forms| forms.get(case.0)).map_or("", String::as_str)
    }

    /// The words of a slot as such.
    pub(super) fn plain(&self, slot: Slot) -> &str {
        self.say(slot, Case(0))
    }
}

/// A month of a year.
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub(super) year: u16,
    pub(super) month: u8,
}

impl Day {
    /// A day some months before, in 2022 or later.
    fn before(self, dice: &mut Dice, english: bool) -> String {
        let first = 2022 * 12 + 2;
        let last = usize::from(self.year) * 12 + usize::from(self.month) - 2;
        let at = first + dice.roll(last.saturating_sub(first).clamp(1, 14));
        let (year, month) = (u16::try_from(at / 12).unwrap_or(2022), u8::try_from(at % 12 + 1).unwrap_or(3));
        Self { year, month }.within(dice, english)
    }

    /// A day of the month in words or figures. Not the two days that everybody knows: those identify nobody.
    fn within(self, dice: &mut Dice, english: bool) -> String {
        let day = match dice.roll(28) + 1 {
            21 | 24 => 22,
            day => day,
        };
        let month = MONTHS.get(usize::from(self.month).saturating_sub(1)).copied().unwrap_or(MONTHS[0]);
        match (english, dice.roll(4)) {
            (true, _) => format!("{day} {} {}", month.1, self.year),
            (false, 0) => format!("{day:02}.{:02}.{}", self.month, self.year),
            (false, _) => format!("{day} {} {} года", month.0, self.year),
        }
    }
}

/// The number of a payment card that no bank gives out; its check digit is right.
fn card(number: u32) -> String {
    let digits = format!("0000{:011}", u64::from(number) * 7_919 + 1_000_000_007);
    let sum: u32 = digits
        .bytes()
        .enumerate()
        .map(|(at, b)| {
            let digit = u32::from(b - b'0') * if at % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    let all = format!("{digits}{}", (10 - sum % 10) % 10);
    all.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_stand_where_their_names_say() {
        for (at, (name, slot)) in SLOTS.iter().enumerate() {
            assert!(*slot as usize == at && Slot::named(name) == Some(*slot), "{name}");
        }
    }
}
