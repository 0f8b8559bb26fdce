//! Countries, as they stand on cards.

use crate::base::text::as_text;
use crate::base::{Error, Result};

/// A country: an assigned ISO 3166-1 alpha-2 code, or `XK` (Kosovo, in wide use from the user-assigned range).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Country([u8; 2]);

const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT \
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ \
    UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

impl Country {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::str::FromStr for Country {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let known = COUNTRIES.split_ascii_whitespace().find(|code| *code == text);
        known.and_then(|code| code.as_bytes().try_into().ok()).map(Self).ok_or_else(|| {
            Error::user("a country is not an ISO 3166 code", "Write two capital letters, such as EE or GE.")
        })
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

as_text!(Country);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_the_assigned_codes() {
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 249 + 1);
        assert!(COUNTRIES.split_ascii_whitespace().is_sorted());
        for bad in ["", "E", "ee", "EST", "AA", "ZZ", "É"] {
            assert!(bad.parse::<Country>().is_err(), "{bad}");
        }
    }
}
