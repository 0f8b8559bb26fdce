//! Projects: the uses of the study, recorded, listed, closed.

use serde::Serialize;

use crate::base::id::{PersonId, ProjectId};
use crate::base::role::Role;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::domain::project::{Project, Purpose, Status};
use crate::ledger::event::Event;
use crate::session::{Act, PersonRecord, Unlocked, Vault, View};
use crate::store::catalogue::RecordKind;

/// What a steward says of a project.
pub struct Recorded {
    /// Title.
    pub title: String,
    /// DUO code or shorthand.
    pub duo: String,
    /// The purpose in words.
    pub words: String,
    /// Names or ids of the people.
    pub people: Vec<String>,
    /// First and last day.
    pub period: (Date, Date),
    /// Researchers from elsewhere use it.
    pub reuse: bool,
    /// It is shown in teaching.
    pub teaching: bool,
}

/// A project as a list shows it.
#[derive(Serialize)]
pub struct Listed {
    /// Id.
    pub id: ProjectId,
    /// Title.
    pub title: String,
    /// DUO code.
    pub duo: String,
    /// The purpose in words.
    pub purpose: String,
    /// Names of the people.
    pub people: Vec<String>,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// Researchers from elsewhere use it.
    pub reuse: bool,
    /// It is shown in teaching.
    pub teaching: bool,
    /// Whether it is going on.
    pub status: Status,
}

/// Records a project. For stewards.
pub fn add(vault: &mut Vault<Unlocked>, said: Recorded) -> Result<ProjectId> {
    vault.commit("project add", |act| {
        act.require(Role::Steward, None)?;
        let mut people = Vec::new();
        for name in &said.people {
            let person = act.find_person(name)?;
            if person.removed.is_some() {
                return Err(Error::user(
                    "somebody named was removed from the vault",
                    "Enrol them again, or leave them out.",
                ));
            }
            people.push(person.card.person_id());
        }
        let project = Project {
            id: ProjectId::random()?,
            title: said.title,
            purpose: Purpose { duo: said.duo, words: said.words },
            people,
            from: said.period.0,
            until: said.period.1,
            reuse: said.reuse,
            teaching: said.teaching,
            status: Status::Open,
        }
        .checked()?;
        record(act, &project)?;
        Ok(project.id)
    })
}

/// Closes a project: nothing is released to it any more. For stewards.
pub fn close(vault: &mut Vault<Unlocked>, name: &str) -> Result<ProjectId> {
    vault.commit("project close", |act| {
        act.require(Role::Steward, None)?;
        let mut project = find(act, name)?;
        let yesterday = act.now().plus_days(-1).date();
        project.status = Status::Closed;
        project.until = project.until.min(yesterday).max(project.from);
        record(act, &project)?;
        Ok(project.id)
    })
}

/// All projects.
pub fn list(vault: &mut Vault<Unlocked>) -> Result<Vec<Listed>> {
    vault.commit("project list", |act| {
        let all = act.records::<Project>(RecordKind::Project)?;
        act.event(Event::Listed { what: "projects".into(), filters: vec![], count: all.len() as i64 });
        let name = |id: &PersonId| -> Result<String> {
            let person: Option<PersonRecord> = View::person(act, *id)?;
            Ok(person.map_or_else(|| id.to_string(), |p| p.card.name().to_owned()))
        };
        all.iter()
            .map(|p| {
                Ok(Listed {
                    id: p.id,
                    title: p.title.clone(),
                    duo: p.purpose.duo.clone(),
                    purpose: p.purpose.words.clone(),
                    people: p.people.iter().map(name).collect::<Result<_>>()?,
                    from: p.from,
                    until: p.until,
                    reuse: p.reuse,
                    teaching: p.teaching,
                    status: p.status,
                })
            })
            .collect()
    })
}

/// A project by its id, the beginning of it, or its title.
pub fn find(view: &View<'_>, name: &str) -> Result<Project> {
    let wanted = name.trim().to_lowercase();
    let fits =
        |p: &Project| p.title.to_lowercase() == wanted || (wanted.len() >= 6 && p.id.to_string().starts_with(&wanted));
    let mut found = view.records::<Project>(RecordKind::Project)?.into_iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(project), None) => Ok(project),
        (Some(_), Some(_)) => Err(Error::user("several projects fit that name", "Give the whole id.")),
        _ => Err(Error::user("there is no such project", "See `subrosa project list`.")),
    }
}

fn record(act: &mut Act<'_>, project: &Project) -> Result<()> {
    act.tables().put_record(RecordKind::Project, project.id.as_bytes(), act.seq(), project)?;
    act.event(Event::Project {
        project: project.id,
        purpose: project.purpose.duo.clone(),
        people: project.people.clone(),
        from: project.from,
        until: project.until,
    });
    Ok(())
}
