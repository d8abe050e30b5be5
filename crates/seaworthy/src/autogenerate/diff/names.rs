//! Which names somebody chose, and which nobody did.

use std::collections::HashSet;

use crate::catalog::Table;

/// Returns the names of everything in a table that has one.
pub(super) fn used(table: &Table) -> HashSet<&str> {
    let uniques = table.uniques.iter().map(|unique| &unique.name);
    let checks = table.checks.iter().map(|check| &check.name);
    let keys = table.foreign_keys.iter().map(|key| &key.name);
    let indexes = table.indexes.iter().map(|index| &index.name);
    let exclusions = table.exclusions.iter().map(|exclusion| &exclusion.name);
    let names = uniques.chain(checks).chain(keys).chain(indexes).chain(exclusions);
    names.filter_map(Option::as_deref).collect()
}

/// What kind of thing has the name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    PrimaryKey,
    Unique,
    Check,
    ForeignKey,
    Index,
    Exclusion,
}

/// Returns the name that a declaration insists on: none when it leaves the name open, or has the one that SeaORM or the
/// engine thinks of.
pub(super) fn chosen<'a>(
    named: Named,
    table: &str,
    columns: &[String],
    declared: Option<&'a str>,
) -> Option<&'a str> {
    let name = declared?;
    let columns = columns.join("_");
    let is_made_up = match named {
        Named::PrimaryKey => name == format!("pk-{table}") || name == format!("{table}_pkey"),
        Named::Unique => {
            name.starts_with(&format!("idx-{table}-")) || name == format!("{table}_{columns}_key")
        }
        Named::Index => {
            name.starts_with(&format!("idx-{table}-"))
                || name.starts_with(&format!("{table}_")) && name.ends_with("_idx")
        }
        Named::ForeignKey => {
            name.starts_with(&format!("fk-{table}-")) || name == format!("{table}_{columns}_fkey")
        }
        Named::Check => name.starts_with(&format!("{table}_")) && name.ends_with("_check"),
        Named::Exclusion => name.starts_with(&format!("{table}_")) && name.ends_with("_excl"),
    };
    (!is_made_up).then_some(name)
}
