//! Floor 3: class sizes and suppression in tables. Pure.
//!
//! A record is its quasi-identifiers in fixed order; a *class* is all records that show the same. A table is safe at
//! `k` when every class in what is shown has at least `k` records, a suppressed cell counting as a value of its own
//! (the strict reading: `*` is not assumed to match anything else). Distinctness of all other columns is the caller's.

use std::collections::{BTreeMap, HashMap};

use crate::base::{Error, Result};

/// What stands in a suppressed cell.
pub const SUPPRESSED: &str = "*";

/// The most quasi-identifiers that [`guard`] takes; it weighs all 2ⁿ sets of columns to suppress.
pub const MOST_COLUMNS: usize = 10;

/// How many records share each combination of quasi-identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassSizes {
    /// For each record, in order, how many records (itself included) show the same.
    pub sizes: Vec<usize>,
    /// The number of different combinations.
    pub classes: usize,
}

/// A table in which every class has at least k records.
#[derive(Clone, PartialEq, Eq)]
pub struct Guarded {
    /// The rows in the order given; suppressed cells are [`SUPPRESSED`].
    pub rows: Vec<Vec<String>>,
    /// How many cells of each column were suppressed, among rows that are shown at least in part.
    pub suppressed_cells: Vec<usize>,
    /// How many rows could not be saved and are suppressed in every cell.
    pub suppressed_rows: usize,
    /// Whether the table may be shown. `false` only if the fully suppressed rows are fewer than k: then their number itself
    /// tells of a class smaller than k, and the caller leaves those rows out.
    pub starred_class_is_safe: bool,
}

impl ClassSizes {
    /// How many records are in classes smaller than `k`.
    pub fn below(&self, k: usize) -> usize {
        self.sizes.iter().filter(|&&size| size < k).count()
    }

    /// The size of the smallest class; 0 for an empty table.
    pub fn smallest(&self) -> usize {
        self.sizes.iter().copied().min().unwrap_or(0)
    }
}

/// Counts the classes of a table. A record of another width than the rest is simply a class apart.
pub fn class_sizes<S: AsRef<str>>(records: &[Vec<S>]) -> ClassSizes {
    let rows: Vec<Vec<&str>> = records.iter().map(|r| r.iter().map(AsRef::as_ref).collect()).collect();
    let mut counts: HashMap<&[&str], usize> = HashMap::new();
    for row in &rows {
        *counts.entry(row).or_default() += 1;
    }
    let sizes = rows.iter().map(|row| counts.get(row.as_slice()).copied().unwrap_or(0)).collect();
    ClassSizes { sizes, classes: counts.len() }
}

/// Suppresses cells until every combination shown occurs at least `k` times. Always the same result for the same table,
/// and for any order of its rows. Cells are suppressed in as few columns a row as will do: sets of columns are tried
/// from small to large (then later columns first, so put the most important first), each time over all rows still in
/// small classes; whole classes go together. What nothing saves is suppressed in every cell; if those rows would be
/// fewer than k by themselves, the smallest shown classes join them until they are k or nothing is left.
///
/// Refused: `k` of 0, rows of unequal width, more than [`MOST_COLUMNS`] columns, and a value that is [`SUPPRESSED`] itself.
pub fn guard<S: AsRef<str>>(records: &[Vec<S>], k: usize) -> Result<Guarded> {
    let width = records.first().map_or(0, Vec::len);
    check(records, width, k)?;
    let mut rows: Vec<Vec<&str>> = records.iter().map(|r| r.iter().map(AsRef::as_ref).collect()).collect();
    let mut open = small(&rows, k);
    for set in column_sets(width) {
        if open.is_empty() {
            break;
        }
        // Among the open rows, those that fall together once these columns are gone are saved together.
        let mut together: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
        for &at in &open {
            together.entry(starred(&rows[at], set)).or_default().push(at);
        }
        let mut shown: HashMap<Vec<&str>, usize> = HashMap::new();
        for row in rows.iter().filter(|row| together.contains_key(*row)) {
            *shown.entry(row.clone()).or_default() += 1;
        }
        for (row, members) in together {
            if members.len() + shown.get(&row).copied().unwrap_or(0) >= k {
                members.iter().for_each(|&at| rows[at].clone_from(&row));
            }
        }
        open = small(&rows, k);
    }
    let all = vec![SUPPRESSED; width];
    for &at in &open {
        rows[at].clone_from(&all);
    }
    while let Some(smallest) = joiners(&rows, &all, k) {
        smallest.iter().for_each(|&at| rows[at].clone_from(&all));
    }
    Ok(report(&rows, &all, k))
}

/// The band of an age, given the ages at which bands begin, ascending: with 18, 30, 65 `under 18`, `18-29`, `30-64`,
/// `65 and over`. Refused if the bounds do not ascend or there are none.
pub fn age_band(age: u32, bounds: &[u32]) -> Result<String> {
    let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else {
        return Err(Error::user("no age bands are given", "List the ages at which bands begin in study.toml."));
    };
    if bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Error::user("the age bands do not ascend", "List the ages at which bands begin from low to high."));
    }
    let upper = bounds.iter().find(|&&bound| age < bound);
    let lower = bounds.iter().rev().find(|&&bound| age >= bound);
    Ok(match (lower, upper) {
        (None, _) => format!("under {first}"),
        (_, None) => format!("{last} and over"),
        (Some(low), Some(high)) if low + 1 == *high => format!("{low}"),
        (Some(low), Some(high)) => format!("{low}-{}", high - 1),
    })
}

fn check<S: AsRef<str>>(records: &[Vec<S>], width: usize, k: usize) -> Result<()> {
    if k == 0 {
        return Err(Error::user("the smallest class size k is 0", "Set thresholds.k in study.toml to 2 or more."));
    }
    if width > MOST_COLUMNS {
        return Err(Error::user(
            format!("a table with more than {MOST_COLUMNS} identifying columns cannot be guarded"),
            "Leave columns out.",
        ));
    }
    if records.iter().any(|r| r.len() != width) {
        return Err(Error::bug("the rows of a table differ in width"));
    }
    if records.iter().flatten().any(|cell| cell.as_ref() == SUPPRESSED) {
        return Err(Error::user("a value of the table is the sign for suppressed cells", "Write the value in words."));
    }
    Ok(())
}

/// All non-empty sets of columns but the full one, as bits, small sets first, then those with later columns.
fn column_sets(width: usize) -> Vec<u32> {
    let mut sets: Vec<u32> = (1..(1u32 << width).saturating_sub(1)).collect();
    sets.sort_by_key(|set| (set.count_ones(), std::cmp::Reverse(*set)));
    sets
}

fn starred<'r>(row: &[&'r str], set: u32) -> Vec<&'r str> {
    row.iter().enumerate().map(|(at, &cell)| if set >> at & 1 == 1 { SUPPRESSED } else { cell }).collect()
}

/// The rows in classes smaller than `k`, in order.
fn small(rows: &[Vec<&str>], k: usize) -> Vec<usize> {
    let sizes = class_sizes(rows).sizes;
    (0..rows.len()).filter(|&at| sizes.get(at).is_some_and(|&size| size < k)).collect()
}

fn count(rows: &[Vec<&str>], shown: &[&str]) -> usize {
    rows.iter().filter(|row| row.as_slice() == shown).count()
}

/// The members of the smallest class that is shown, if the fully suppressed rows need company.
fn joiners(rows: &[Vec<&str>], all: &[&str], k: usize) -> Option<Vec<usize>> {
    let starred = count(rows, all);
    if starred == 0 || starred >= k {
        return None;
    }
    let mut classes: BTreeMap<&[&str], Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.as_slice() != all) {
        classes.entry(row).or_default().push(at);
    }
    classes.into_values().min_by_key(Vec::len)
}

fn report(rows: &[Vec<&str>], all: &[&str], k: usize) -> Guarded {
    let gone = count(rows, all);
    let suppressed_cells = (0..all.len())
        .map(|column| rows.iter().filter(|r| r.as_slice() != all && r.get(column) == Some(&SUPPRESSED)).count())
        .collect();
    Guarded {
        rows: rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect(),
        suppressed_cells,
        suppressed_rows: gone,
        starred_class_is_safe: gone == 0 || gone >= k,
    }
}

#[cfg(test)]
mod tests;
