//! What this build names in the schema: what it cannot do without, and what it uses where it is there.

use std::collections::HashSet;

use sea_orm::{EntityTrait, IdenStatic, Iterable};
use seaworthy::heartbeat::Build;

use super::shape::{FORMER_RULE, KnownRevision, newest};

/// What no request can do without: the columns of revision 001.
const NEEDED: [(&str, &[&str]); 2] = [
    ("users", &["id", "email", "name", "created_at"]),
    (
        "tasks",
        &[
            "id",
            "user_id",
            "title",
            "description",
            "completed",
            "created_at",
            "updated_at",
        ],
    ),
];

/// Returns what the service cannot do without and these columns lack: tables as a whole, or `table.column`.
pub(super) fn lacking(columns: &HashSet<(String, String)>) -> Vec<String> {
    let mut lacking = Vec::new();
    for (table, names) in NEEDED {
        if !columns.iter().any(|(there, _)| there == table) {
            lacking.push(table.to_owned());
            continue;
        }
        let is_there = |name: &&str| columns.contains(&(table.to_owned(), (*name).to_owned()));
        let missing = names.iter().filter(|name| !is_there(name));
        lacking.extend(missing.map(|name| format!("{table}.{name}")));
    }
    lacking
}

/// Returns this build as its signs of life describe it.
pub(super) fn build(revisions: &[KnownRevision]) -> Build {
    let mut build = Build::new("todo-api", env!("CARGO_PKG_VERSION"));
    build.needs = NEEDED
        .iter()
        .flat_map(|(table, names)| names.iter().map(move |name| format!("{table}.{name}")))
        .collect();
    let mut uses = Vec::new();
    uses.extend(columns::<entity::user::Entity>());
    uses.extend(columns::<entity::task::Entity>());
    uses.push(format!("tasks.{FORMER_RULE}"));
    uses.extend(columns::<entity::tag::Entity>());
    uses.extend(columns::<entity::task_tag::Entity>());
    uses.extend(columns::<entity::conversation::Entity>());
    uses.extend(columns::<entity::message::Entity>());
    uses.extend(columns::<entity::password_credential::Entity>());
    uses.extend(columns::<entity::session::Entity>());
    uses.extend(columns::<entity::api_token::Entity>());
    uses.extend(columns::<entity::idempotency_key::Entity>());
    uses.extend(columns::<entity::task_event::Entity>());
    uses.retain(|column| !build.needs.contains(column));
    build.uses = uses;
    build.knows = newest(&revisions.iter().collect::<Vec<_>>());
    build
}

/// Returns the columns of a table as `table.column`.
fn columns<E: EntityTrait + Default>() -> impl Iterator<Item = String> {
    let table = E::default().table_name().to_owned();
    E::Column::iter().map(move |column| format!("{table}.{}", column.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_first_revision_is_needed_and_every_later_one_used() {
        let build = build(&[]);
        assert!(build.needs.contains(&"tasks.title".to_owned()));
        assert!(build.uses.contains(&"tasks.recurrence_pattern".to_owned()));
        assert!(build.uses.contains(&"tasks.recurrence_rule".to_owned()));
        assert!(build.uses.contains(&"messages.content".to_owned()));
        assert!(!build.uses.iter().any(|column| build.needs.contains(column)));
    }

    #[test]
    fn a_table_that_is_missing_is_named_once() {
        let mut columns: HashSet<(String, String)> = NEEDED[0]
            .1
            .iter()
            .map(|name| ("users".to_owned(), (*name).to_owned()))
            .collect();
        assert_eq!(lacking(&columns), ["tasks"]);
        columns.remove(&("users".to_owned(), "email".to_owned()));
        assert_eq!(lacking(&columns), ["users.email", "tasks"]);
    }
}
