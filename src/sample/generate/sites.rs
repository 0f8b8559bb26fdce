//! The sites of the study, with what is local at each.

use super::shape::Dice;

/// A site.
pub(super) struct Site {
    /// The prefix of its codes.
    pub(super) prefix: &'static str,
    /// How many interviews it has in a study of 163.
    pub(super) weight: u32,
    /// Places: as the manifest has them, and as people name them.
    pub(super) places: &'static [(&'static str, &'static str)],
    /// First and last day of the interviews: within the fieldwork period of every approval.
    pub(super) fieldwork: ((u16, u8), (u16, u8)),
    /// How a phone number begins; no operator has such numbers.
    phone: &'static str,
    /// Sizes of the groups that follow, in digits.
    groups: &'static [usize],
    /// Landladies.
    landladies: &'static [&'static str],
    /// Interviewers.
    pub(super) interviewers: &'static [&'static str],
}

/// All sites of a generated study, in the order of their prefixes.
pub(super) const SITES: [Site; 9] = [
    Site {
        prefix: "AM",
        weight: 25,
        places: &[("Yerevan", "Ереван"), ("Gyumri", "Гюмри")],
        fieldwork: ((2022, 10), (2023, 11)),
        phone: "+374 00",
        groups: &[3, 3],
        landladies: &["Гоар", "Анаит", "Сирануш", "Шогик"],
        interviewers: &["Ольга Ветлицкая-Лунд", "Ashkhen Petikyan-Roos"],
    },
    Site {
        prefix: "EE",
        weight: 9,
        places: &[("Tallinn", "Таллин")],
        fieldwork: ((2022, 9), (2024, 5)),
        phone: "+372 00",
        groups: &[3, 3],
        landladies: &["Хельве", "Урве", "Маарика"],
        interviewers: &["Maarja Tammiste-Roos"],
    },
    Site {
        prefix: "FI",
        weight: 19,
        places: &[("Helsinki", "Хельсинки")],
        fieldwork: ((2022, 11), (2024, 6)),
        phone: "+358 00",
        groups: &[3, 4],
        landladies: &["Пиркко", "Туула", "Маркетта"],
        interviewers: &["Aino Lehtoranta-Kivi", "Олег Раудсепп-Мороз"],
    },
    Site {
        prefix: "GE",
        weight: 19,
        places: &[("Tbilisi", "Тбилиси")],
        fieldwork: ((2022, 4), (2023, 9)),
        phone: "+995 000",
        groups: &[3, 3],
        landladies: &["Нателла", "Манана", "Цисана", "Лейла"],
        interviewers: &["Nestan Gelovanidze-Orb", "Maarja Tammiste-Roos"],
    },
    Site {
        prefix: "KZ",
        weight: 24,
        places: &[("Almaty", "Алматы")],
        fieldwork: ((2023, 2), (2024, 4)),
        phone: "+7 000",
        groups: &[3, 4],
        landladies: &["Айгуль", "Жанар", "Сауле", "Куляш"],
        interviewers: &["Асель Тлеубергенова-Вик", "Ольга Ветлицкая-Лунд"],
    },
    Site {
        prefix: "MN",
        weight: 19,
        places: &[("Ulaanbaatar", "Улан-Батор")],
        fieldwork: ((2023, 3), (2024, 9)),
        phone: "+976 00",
        groups: &[2, 4],
        landladies: &["Оюун", "Сарантуяа", "Цэцэг"],
        interviewers: &["Энхжаргал Доржийн-Сухэ"],
    },
    Site {
        prefix: "PL",
        weight: 10,
        places: &[("Warsaw", "Варшава"), ("Białystok", "Белосток")],
        fieldwork: ((2023, 1), (2024, 8)),
        phone: "+48 000",
        groups: &[3, 3],
        landladies: &["Божена", "Гражина", "Ядвига"],
        interviewers: &["Zbigniew Wilkoszewski"],
    },
    Site {
        prefix: "SR",
        weight: 15,
        places: &[("Belgrade", "Белград"), ("Novi Sad", "Нови-Сад")],
        fieldwork: ((2022, 8), (2024, 3)),
        phone: "+381 00",
        groups: &[3, 4],
        landladies: &["Радойка", "Весна", "Слободанка"],
        interviewers: &["Jelena Obradinović"],
    },
    Site {
        prefix: "TR",
        weight: 23,
        places: &[("Istanbul", "Стамбул")],
        fieldwork: ((2022, 7), (2024, 10)),
        phone: "+90 000",
        groups: &[3, 4],
        landladies: &["Нурджан", "Сехер", "Айше", "Фатма"],
        interviewers: &["Defne Aksungur-Lind", "Elif Karataşlı-Noor"],
    },
];

impl Site {
    /// The phone number of a person counted from 0: another for each below 1,000,000.
    pub(super) fn phone(&self, number: u32) -> String {
        let digits: usize = self.groups.iter().sum();
        let all = format!("{number:0digits$}");
        let mut rest = all.as_str();
        let mut out = self.phone.to_owned();
        for group in self.groups {
            let (one, after) = rest.split_at(*group.min(&rest.len()));
            out.push(' ');
            out.push_str(one);
            rest = after;
        }
        out
    }

    /// A landlady's name.
    pub(super) fn landlady(&self, dice: &mut Dice) -> &'static str {
        dice.pick(self.landladies).copied().unwrap_or("Гоар")
    }
}
