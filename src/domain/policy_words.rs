//! What each rule of the floor, and each permit of the program, says in words for a person.

/// The sentence of a floor rule, by its id.
pub(crate) fn sentence(id: &str) -> Option<&'static str> {
    FLOOR_WORDS.iter().find(|(known, _)| *known == id).map(|(_, words)| *words)
}

/// What one of the program's own permits lets through, by its id.
pub(crate) fn allowance(id: &str) -> Option<&'static str> {
    PERMIT_WORDS.iter().find(|(known, _)| *known == id).map(|(_, words)| *words)
}

/// Every permit of the program and what it lets through.
pub(crate) const PERMIT_WORDS: &[(&str, &str)] = &[
    ("release-on-decision", "an extract, on a signed decision of a steward"),
    ("work-order-on-decision", "a piece of work, on a signed decision of a steward"),
];

/// Every rule of the floor and its sentence.
pub(crate) const FLOOR_WORDS: &[(&str, &str)] = &[
    ("floor-consent", "the participant has not agreed to everything that this use needs"),
    ("floor-withdrawn", "consent was withdrawn"),
    ("floor-condition", "the participant set a condition that no steward has mapped yet"),
    ("floor-embargo", "it is under embargo"),
    ("floor-expired", "consent has expired"),
    ("floor-bystander", "a bystander, who was never asked, is heard"),
    ("floor-hold", "it is on hold"),
    ("floor-review", "no person has recorded a review of this transcript version"),
    ("floor-fieldwork", "no approval of every board demanded covers the day of the interview"),
    ("floor-use", "no approval of every board demanded covers this use today"),
    ("floor-enrolled", "the recipient is not enrolled"),
    ("floor-removed", "the recipient was removed"),
    ("floor-conditions", "the recipient has not accepted the conditions"),
    ("floor-country", "the recipient is in another country, and the participant has not agreed to that"),
    ("floor-project", "the project is not running today"),
    ("floor-project-people", "the recipient is not one of the project's people"),
    ("floor-purpose", "the use is not the project's purpose"),
    ("floor-helper", "the recipient is not a helper for this site"),
    ("floor-signature", "the decision is not signed"),
    ("floor-steward", "whoever decided is not a steward"),
    ("floor-own-request", "whoever decided had asked for it"),
    ("floor-own-gift", "whoever decided is the recipient"),
    ("floor-end", "the decision has no end, has ended, or ends more than ten years from now"),
    ("floor-never-public", "there is no such level; nothing is ever public"),
];
