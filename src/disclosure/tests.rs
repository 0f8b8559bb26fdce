use proptest::prelude::*;

use super::*;

/// The small test table of the ARX anonymization tool (Apache-2.0): age, gender, postcode.
const ARX: &str =
    "34;male;81667 45;female;81675 66;male;81925 70;female;81931 34;female;81931 70;male;81931 45;male;81931";

fn table(text: &str) -> Vec<Vec<&str>> {
    text.split(' ').map(|row| row.split(';').collect()).collect()
}

fn shown(guarded: &Guarded) -> Vec<String> {
    guarded.rows.iter().map(|row| row.join(";")).collect()
}

#[test]
fn counts_classes() {
    let sizes = class_sizes(&table(ARX));
    assert_eq!((sizes.classes, sizes.smallest(), sizes.below(2)), (7, 1, 7));
    let by_age: Vec<Vec<&str>> = table(ARX).into_iter().map(|r| vec![r[0]]).collect();
    assert_eq!(class_sizes(&by_age).sizes, [2, 2, 1, 2, 2, 2, 2]);
    assert_eq!(class_sizes::<&str>(&[]).smallest(), 0);
}

#[test]
fn the_small_table_with_bands_has_the_known_answer() {
    // ARX's own hierarchy: age under 50 or not, postcode suppressed: classes of 2, 2, 1, 2 by (age, gender).
    let rows: Vec<Vec<String>> = table(ARX)
        .into_iter()
        .map(|r| vec![age_band(r[0].parse().unwrap(), &[50]).unwrap(), r[1].to_owned()])
        .collect();
    assert_eq!(class_sizes(&rows).sizes, [2, 2, 2, 1, 2, 2, 2]);
    let guarded = guard(&rows, 2).unwrap();
    // The one woman of 50 and over cannot be saved in part alone, so she is suppressed, and a class joins her.
    assert_eq!(class_sizes(&guarded.rows).below(2), 0);
    assert_eq!(guarded.suppressed_rows, 3);
    assert!(guarded.starred_class_is_safe);
}

#[test]
fn suppresses_as_little_as_will_do() {
    let rows = table("A;f;1 A;f;2 A;m;3 A;m;3 B;f;4 C;m;5");
    let guarded = guard(&rows, 2).unwrap();
    assert_eq!(shown(&guarded), ["A;f;*", "A;f;*", "A;m;3", "A;m;3", "*;*;*", "*;*;*"]);
    assert_eq!(guarded.suppressed_cells, [0, 0, 2]);
    assert_eq!(guarded.suppressed_rows, 2);
    let safe = table("A;f A;f B;m B;m");
    assert_eq!(guard(&safe, 2).unwrap().suppressed_cells, [0, 0]);
}

#[test]
fn a_table_smaller_than_k_is_not_safe() {
    let guarded = guard(&table("A;f B;m"), 3).unwrap();
    assert_eq!(shown(&guarded), ["*;*", "*;*"]);
    assert!(!guarded.starred_class_is_safe);
    assert!(guard::<&str>(&[], 3).unwrap().starred_class_is_safe);
}

#[test]
fn refuses_what_it_cannot_guard() {
    assert!(guard(&table("A;f"), 0).is_err());
    assert!(guard(&table("A;* A;f"), 2).is_err());
    assert!(guard(&table("A;f A"), 2).is_err());
    assert!(guard(&[vec!["x"; MOST_COLUMNS + 1]], 2).is_err());
}

#[test]
fn ages_fall_into_bands() {
    let bounds = [18, 30, 40, 41, 65];
    for (age, band) in [
        (0, "under 18"),
        (17, "under 18"),
        (18, "18-29"),
        (29, "18-29"),
        (40, "40"),
        (64, "41-64"),
        (99, "65 and over"),
    ] {
        assert_eq!(age_band(age, &bounds).unwrap(), band);
    }
    assert!(age_band(1, &[]).is_err());
    assert!(age_band(1, &[30, 18]).is_err());
}

proptest! {
    #[test]
    fn what_is_shown_is_safe_and_true(
        cells in prop::collection::vec(prop::collection::vec(0u8..4, 3), 0..60),
        k in 1usize..6,
    ) {
        let rows: Vec<Vec<String>> = cells.iter().map(|r| r.iter().map(u8::to_string).collect()).collect();
        let guarded = guard(&rows, k).unwrap();
        if guarded.starred_class_is_safe {
            prop_assert_eq!(class_sizes(&guarded.rows).below(k), 0);
        } else {
            prop_assert!(rows.len() < k);
        }
        for (before, after) in rows.iter().zip(&guarded.rows) {
            for (old, new) in before.iter().zip(after) {
                prop_assert!(old == new || new == SUPPRESSED);
            }
        }
        // The order of the rows does not matter to what is shown.
        let mut turned = rows.clone();
        turned.reverse();
        let mut other = shown(&guard(&turned, k).unwrap());
        let mut one = shown(&guarded);
        other.sort();
        one.sort();
        prop_assert_eq!(one, other);
    }
}
