//! Postal addresses with a house number, first form: by the words for streets, houses and flats.

use super::{Finds, patterns};
use crate::redact::Class;

/// A number of a house or flat: `38/2`, `7b`, `3-1`.
const HOUSE: &str = r"\d{1,4}(?:\s?[а-яa-zА-ЯA-Z]\b)?(?:[/-]\d{1,4}[а-яa-z]?)?";

/// One to four words of a name, capitals first.
const NAME: &str =
    r"(?:\p{Lu}[\p{L}'’.-]*|\d{1,2}-[яйа-я]+)(?:\s+(?:\p{Lu}[\p{L}'’.-]*|\d{1,2}-[яйа-я]+|[a-zа-я]{1,3}\.?)){0,3}";

/// Words that come before the name of a street.
const KIND: &str = r"(?:улиц[аеуы]|ул\.|проспект[ае]?|пр-т|пр\.|просп\.|переул\w+|пер\.|шоссе|бульвар[ае]?|б-р|площад[ьи]|пл\.|набережн\w+|наб\.|проезд[ае]?|тупик[ае]?|микрорайон[ае]?|мкр\.?|квартал|ulica|ul\.|aleja|al\.|plac|pl\.|os\.|ulici|bulevar|trg|rruga|улица)";

/// Words that come after it.
const AFTER: &str = r"(?:Street|St\.?|Avenue|Ave\.?|Road|Rd\.?|Lane|Ln\.?|Boulevard|Blvd\.?|Square|Sq\.?|Drive|Dr\.?|Court|Ct\.?|Alley|Embankment|Highway|Prospekt|Prospect|Caddesi|Cad\.|Sokak|Sokağı|Sok\.|Bulvarı|Mahallesi|Mah\.|katu|tie|kuja|tänav|tn\.|mnt|puiestee|pst|сокак|сокағы|көшесі|даңғылы|gudamjä|ქუჩა|փողոց|улица|улице|улицы|проспект|проспекте|переулок|переулке|шоссе|бульвар|бульваре|набережная)";

/// What tells a flat, an entrance, a floor after the house.
const UNIT: &str = r"(?:(?:д\.|дом|домов\w+|корпус|корп\.|к\.|строение|стр\.|кв\.|квартир[аеыу]|подъезд|этаж|офис|комната|apt\.?|apartment|flat|unit|entrance|floor|room|suite|m\.|mieszkania|lok\.|lokal|klatka|piętro|stan|ulaz|sprat|улаз|стан|спрат|daire|kat|No:?|no:?|байр|тоот|хороо|орц|korter|krt|asunto|as\.|пәтер|үй|բն\.|ბინა)\s*№?\s*\d{1,4}[а-яa-z]?\b|\d{1,2}-[а-яӨөҮү]{1,3}\s+(?:хороо|этаж|подъезд|байр)|(?:перв|втор|трет|четв[её]рт|пят|шест)\w{1,3}\s+(?:этаж|подъезд)|(?:first|second|third|fourth|fifth|ground)\s+floor)";

patterns! {
    BEFORE = &format!(r"(?:\b\d{{6}},?\s+(?:{NAME},\s+)?|(?:\bг\.\s*)?)\b{KIND}\s+«?{NAME}»?,?\s+(?:д\.\s?|дом\s+|№\s?|br\.\s?|nr\s)?{HOUSE}(?:,?\s+{UNIT}){{0,4}}");
    BEHIND = &format!(r"{NAME}\s+{AFTER},?\s+(?:д\.\s?|дом\s+|№\s?|[Nn]o\.?:?\s?|nr\s)?{HOUSE}(?:,?\s+{UNIT}){{0,4}}");
    ENGLISH = &format!(r"\b\d{{1,4}}[a-zA-Z]?,?\s+{NAME}\s+(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Boulevard|Blvd|Square|Drive|Court|Alley|Embankment)\b(?:,?\s+{UNIT}){{0,4}}");
    UNITS = &format!(r"{NAME},?\s+(?:{HOUSE}(?:,?\s+{UNIT}){{1,4}}|(?:д\.|дом|No:|байр)\s?{HOUSE}(?:,?\s+{UNIT}){{0,4}}|{UNIT}(?:,?\s+{UNIT}){{1,4}})");
    JOINED = r"\p{Lu}\p{L}{3,}(?:\s+\p{Lu}\p{L}{3,})?,?\s+[1-9]\d{1,2}[а-яa-z]?-\d{1,3}[а-яa-z]?\b";
    GLUED = &format!(r"\b\p{{Lu}}\p{{L}}+(?:tie|katu|kuja|polku|raitti|gatan|vägen|strasse|straße)\s+{HOUSE}(?:,?\s+{UNIT}){{0,4}}");
    COUNTED = r"(?i)^(?:[-.,:]?\d|/|\s?(?:%|лет|год|раз|чел|км|people|years|km|times|minutes|минут|тысяч|лари|руб|сентября|января))";
}

pub(super) fn find(finds: &mut Finds<'_>) {
    for pattern in [&BEFORE, &BEHIND, &ENGLISH, &UNITS, &JOINED, &GLUED] {
        for found in pattern.find_iter(finds.text) {
            if !COUNTED.is_match(finds.after(found.end(), 12)) && !found.as_str().contains('\n') {
                finds.add((found.start(), found.end()), Class::Address, true, "[address]");
            }
        }
    }
}
