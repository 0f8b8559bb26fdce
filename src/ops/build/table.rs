//! The table of participants: classes that are too small are guarded.

use std::collections::BTreeMap;

use super::render::Known;
use crate::base::Result;
use crate::base::id::ParticipantId;
use crate::base::time::Date;
use crate::disclosure::{SUPPRESSED, guard};
use crate::domain::study::Study;
use crate::formats::csv_out::{Cell, CsvOut};
use crate::session::View;

/// The table: pseudonym, site, gender, age band; and how many rows it does not show. The site of a voice can be read off the manifest, so the class
/// sizes are those within a site.
pub(super) fn table(
    view: &View<'_>,
    study: &Study,
    register: &BTreeMap<ParticipantId, Known>,
    heard: &BTreeMap<ParticipantId, Date>,
) -> Result<(Vec<u8>, usize)> {
    let sites = view.sites()?;
    let mut by_site: BTreeMap<&str, Vec<(&str, Vec<String>)>> = BTreeMap::new();
    for (id, date) in heard {
        let Some(known) = register.get(id) else { continue };
        let site = sites.get(&known.site).map_or("", |site| site.prefix.as_str());
        let age = known.content.birth_year.and_then(|born| u32::try_from(i32::from(date.year()) - born).ok());
        let band = age.and_then(|age| study.variable("age")?.band(age)).unwrap_or_default();
        let values = [known.content.gender.clone().unwrap_or_default(), band];
        let values = values.map(|value| if value == SUPPRESSED { String::new() } else { value });
        by_site.entry(site).or_default().push((&known.pseudonym, values.to_vec()));
    }
    let k = usize::try_from(study.thresholds.k).unwrap_or(usize::MAX);
    let mut rows: Vec<(String, String, Vec<String>)> = Vec::new();
    let mut left_out = 0;
    for (site, people) in by_site {
        let records: Vec<Vec<String>> = people.iter().map(|(_, values)| values.clone()).collect();
        let guarded = guard(&records, k)?;
        for ((pseudonym, _), values) in people.into_iter().zip(guarded.rows) {
            if !guarded.starred_class_is_safe && values.iter().all(|value| value == SUPPRESSED) {
                left_out += 1;
            } else {
                rows.push((pseudonym.to_owned(), site.to_owned(), values));
            }
        }
    }
    rows.sort();
    let mut out = CsvOut::new(&["pseudonym", "site", "gender", "age"])?;
    for (pseudonym, site, values) in &rows {
        let mut cells = vec![Cell::Text(pseudonym), Cell::Text(site)];
        cells.extend(values.iter().map(|value| Cell::Text(value)));
        out.row(&cells)?;
    }
    Ok((out.finish()?, left_out))
}
