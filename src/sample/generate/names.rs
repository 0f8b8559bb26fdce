//! Names, streets and firms to make people of. All are invented, or so common that they name nobody.

/// Given names of men, each with a short form. Some are, in some form, everyday words of the material (Женя: «жена»), as in life.
pub(super) const MEN: [(&str, &str); 26] = [
    ("Андрей", "Андрюша"),
    ("Дмитрий", "Митя"),
    ("Сергей", "Серёжа"),
    ("Максим", "Макс"),
    ("Денис", "Дениска"),
    ("Антон", "Антоша"),
    ("Кирилл", "Кирюша"),
    ("Глеб", "Глебушка"),
    ("Матвей", "Мотя"),
    ("Руслан", "Русик"),
    ("Марат", "Маратик"),
    ("Ильдар", "Ильдарчик"),
    ("Фёдор", "Федя"),
    ("Степан", "Стёпа"),
    ("Виктор", "Витя"),
    ("Виталий", "Виталик"),
    ("Вадим", "Вадик"),
    ("Эдуард", "Эдик"),
    ("Захар", "Захарка"),
    ("Евгений", "Женя"),
    ("Родион", "Родя"),
    ("Платон", "Платоша"),
    ("Ростислав", "Ростик"),
    ("Всеволод", "Сева"),
    ("Григорий", "Гриша"),
    ("Аркадий", "Аркаша"),
];

/// Given names of women, each with a short form.
pub(super) const WOMEN: [(&str, &str); 18] = [
    ("Екатерина", "Катя"),
    ("Ксения", "Ксюша"),
    ("Юлия", "Юлечка"),
    ("Ольга", "Олечка"),
    ("Ирина", "Иришка"),
    ("Алина", "Алинка"),
    ("Регина", "Регинка"),
    ("Диана", "Дианка"),
    ("Камила", "Камилка"),
    ("Эльвира", "Эля"),
    ("Гульнара", "Гуля"),
    ("Зарина", "Заринка"),
    ("Лариса", "Лариска"),
    ("Раиса", "Рая"),
    ("Зинаида", "Зина"),
    ("Антонина", "Тоня"),
    ("Кристина", "Кристя"),
    ("Мария", "Маша"),
];

/// Names of fathers, as the second name of a son and of a daughter.
pub(super) const FATHERS: [(&str, &str); 14] = [
    ("Андреевич", "Андреевна"),
    ("Алексеевич", "Алексеевна"),
    ("Дмитриевич", "Дмитриевна"),
    ("Сергеевич", "Сергеевна"),
    ("Викторович", "Викторовна"),
    ("Борисович", "Борисовна"),
    ("Евгеньевич", "Евгеньевна"),
    ("Фёдорович", "Фёдоровна"),
    ("Маратович", "Маратовна"),
    ("Игоревич", "Игоревна"),
    ("Олегович", "Олеговна"),
    ("Юрьевич", "Юрьевна"),
    ("Степанович", "Степановна"),
    ("Тимурович", "Тимуровна"),
];

/// Beginnings of surnames and of firms.
pub(super) const FRONTS: [&str; 18] = [
    "Берёзо",
    "Вязо",
    "Дубо",
    "Жемчуго",
    "Клёно",
    "Ольхо",
    "Сосно",
    "Черемше",
    "Шиповнико",
    "Ясене",
    "Рябино",
    "Осино",
    "Калино",
    "Орехо",
    "Тополе",
    "Ежевико",
    "Крушино",
    "Бузино",
];
/// Endings of surnames, before that of gender.
pub(super) const BACKS: [&str; 14] = [
    "горск",
    "польск",
    "бродск",
    "лесск",
    "донск",
    "морск",
    "рецк",
    "слободск",
    "дворск",
    "крайск",
    "мостовск",
    "озёрск",
    "луговск",
    "камск",
];
/// Endings of firms.
pub(super) const TRADES: [&str; 12] =
    ["софт", "тех", "проект", "монтаж", "логистика", "фарм", "медиа", "лаб", "снаб", "прибор", "ткань", "печать"];
/// Sorts of schools, as they stand after «в».
pub(super) const SCHOOLS: [&str; 4] = ["гимназию", "школу", "лицей", "вечернюю школу"];
/// Names of schools.
pub(super) const CALLED: [&str; 12] = [
    "Меридиан",
    "Ясеневый двор",
    "Третья речка",
    "Над оврагом",
    "Подсолнух",
    "Белый мост",
    "Орбита",
    "Старая мельница",
    "Четыре ветра",
    "Лесной кордон",
    "Дальний берег",
    "Медный звонок",
];
/// Streets, as they stand after «улица».
pub(super) const STREETS: [&str; 24] = [
    "Ольховой Рощи",
    "Тихих Мастеров",
    "Медных Дворов",
    "Двух Колодцев",
    "Старой Мельницы",
    "Ткачей",
    "Переписчиков",
    "Горных Трав",
    "Солёного Ветра",
    "Садовых Часов",
    "Лодочников",
    "Каменных Птиц",
    "Длинной Тени",
    "Верхних Садов",
    "Гончаров",
    "Синих Ставен",
    "Ореховой Балки",
    "Бумажных Фонарей",
    "Звонарей",
    "Белых Ступеней",
    "Лесных Пчёл",
    "Забытых Ворот",
    "Утренних Рыбаков",
    "Семи Лестниц",
];
/// The same in English.
pub(super) const LANES: [&str; 12] = [
    "Alder Grove",
    "Quiet Masters",
    "Copper Yard",
    "Two Wells",
    "Old Mill",
    "Weavers",
    "Salt Wind",
    "Boatmen",
    "Stone Birds",
    "Long Shadow",
    "Potters",
    "Seven Stairs",
];
/// Towns that people left: as such, in the genitive, and after «в».
pub(super) const TOWNS: [(&str, &str, &str, &str); 7] = [
    ("Саратов", "Саратова", "Саратове", "Saratov"),
    ("Самара", "Самары", "Самаре", "Samara"),
    ("Томск", "Томска", "Томске", "Tomsk"),
    ("Пермь", "Перми", "Перми", "Perm"),
    ("Вологда", "Вологды", "Вологде", "Vologda"),
    ("Пенза", "Пензы", "Пензе", "Penza"),
    ("Курган", "Кургана", "Кургане", "Kurgan"),
];
/// What people did for a living, in the words of a manifest.
pub(super) const WORK: [&str; 16] = [
    "engineer",
    "programmer",
    "teacher",
    "journalist",
    "designer",
    "physician",
    "driver",
    "student",
    "accountant",
    "musician",
    "lawyer",
    "builder",
    "translator",
    "mechanic",
    "researcher",
    "cook",
];
/// Months in the genitive, and in English.
pub(super) const MONTHS: [(&str, &str); 12] = [
    ("января", "January"),
    ("февраля", "February"),
    ("марта", "March"),
    ("апреля", "April"),
    ("мая", "May"),
    ("июня", "June"),
    ("июля", "July"),
    ("августа", "August"),
    ("сентября", "September"),
    ("октября", "October"),
    ("ноября", "November"),
    ("декабря", "December"),
];

/// A given name in the six cases: nominative, genitive, dative, accusative, instrumental, prepositional.
pub(super) fn declined(name: &str) -> [String; 6] {
    let cut = |ending: &str| name.strip_suffix(ending);
    let with = |stem: &str, endings: [&str; 5]| {
        let mut all: [String; 6] = std::array::from_fn(|_| name.to_owned());
        for (case, ending) in all.iter_mut().skip(1).zip(endings) {
            *case = format!("{stem}{ending}");
        }
        all
    };
    if let Some(stem) = cut("ия") {
        with(stem, ["ии", "ии", "ию", "ией", "ии"])
    } else if let Some(stem) = cut("ий") {
        with(stem, ["ия", "ию", "ия", "ием", "ии"])
    } else if let Some(stem) = cut("я") {
        with(stem, ["и", "е", "ю", "ей", "е"])
    } else if let Some(stem) = cut("а") {
        let soft = stem.ends_with(['г', 'к', 'х', 'ж', 'ш', 'ч', 'щ']);
        let hissing = stem.ends_with(['ж', 'ш', 'ч', 'щ', 'ц']);
        with(stem, [if soft { "и" } else { "ы" }, "е", "у", if hissing { "ей" } else { "ой" }, "е"])
    } else if let Some(stem) = cut("й") {
        with(stem, ["я", "ю", "я", "ем", "е"])
    } else if let Some(stem) = cut("ь") {
        with(stem, ["я", "ю", "я", "ем", "е"])
    } else {
        with(name, ["а", "у", "а", "ом", "е"])
    }
}

/// In Latin letters, as in a passport.
pub(super) fn latin(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let small = c.to_lowercase().next().unwrap_or(c);
        let letters = match small {
            'а' => "a",
            'б' => "b",
            'в' => "v",
            'г' => "g",
            'д' => "d",
            'е' | 'э' => "e",
            'ё' => "yo",
            'ж' => "zh",
            'з' => "z",
            'и' => "i",
            'й' | 'ы' => "y",
            'к' => "k",
            'л' => "l",
            'м' => "m",
            'н' => "n",
            'о' => "o",
            'п' => "p",
            'р' => "r",
            'с' => "s",
            'т' => "t",
            'у' => "u",
            'ф' => "f",
            'х' => "kh",
            'ц' => "ts",
            'ч' => "ch",
            'ш' => "sh",
            'щ' => "shch",
            'ю' => "yu",
            'я' => "ya",
            'ь' | 'ъ' => "",
            other => {
                out.push(other);
                continue;
            }
        };
        if small == c {
            out.push_str(letters);
        } else {
            let mut letters = letters.chars();
            out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            out.push_str(letters.as_str());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_declined_and_written_in_latin() {
        assert_eq!(declined("Мария"), ["Мария", "Марии", "Марии", "Марию", "Марией", "Марии"]);
        assert_eq!(declined("Ольга"), ["Ольга", "Ольги", "Ольге", "Ольгу", "Ольгой", "Ольге"]);
        assert_eq!(declined("Григорий"), ["Григорий", "Григория", "Григорию", "Григория", "Григорием", "Григории"]);
        assert_eq!(declined("Глеб")[4], "Глебом");
        assert_eq!(latin("Щукин Юрий Объёмов"), "Shchukin Yuriy Obyomov");
    }
}
