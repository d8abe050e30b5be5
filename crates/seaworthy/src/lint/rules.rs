//! The list of rules. To learn what is looked for, read [`RULES`]; to change one, open its file.

use super::step::Step;
use super::{Server, Severity};
use crate::sql::Parsed;

mod access_changed;
mod bulk_dml;
mod cannot_alter_in_place;
mod column_removed;
mod column_renamed;
mod constraint_scan;
mod data_loss;
mod default_cannot_be_added;
mod dependent_object;
mod enum_changed;
mod explicit_lock;
mod fk_scan;
mod forbidden_type;
mod heavy_maintenance;
mod identifier_truncated;
mod index_blocking;
mod index_drop_blocking;
mod json_column;
mod lock_held_long;
mod multi_lock;
mod not_allowed_in_tx;
mod not_null_scan;
mod null_exposed;
pub(in crate::lint) mod opaque_sql;
pub(in crate::lint) mod override_unmatched;
mod partition_blocking;
mod rebuild_blocks_writers;
mod required_column;
mod required_constraint_name;
mod required_name;
mod required_primary_key;
mod rewrite;
mod table_removed;
mod table_renamed;
mod table_rewrite;
mod timeout_disabled;
mod tx_control;
mod type_changed;
mod unique_build;
mod uniqueness_removed;
mod validate_with_lock;

/// One kind of hazard.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as hazards carry it.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, in a line.
    pub summary: &'static str,
    /// What to do instead.
    pub help: &'static str,
    /// The page about it, as Markdown: a statement that is unsafe, why, and the safe one.
    pub page: &'static str,
    check: fn(&Step<'_>) -> Vec<Finding>,
}

/// What a rule has found in a statement.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) table: Option<String>,
    pub(super) message: String,
    /// How bad it is, where it is not as bad as its rule says.
    pub(super) severity: Option<Severity>,
}

/// Every rule there is.
pub const RULES: [Rule; 40] = [
    index_blocking::RULE,
    index_drop_blocking::RULE,
    not_allowed_in_tx::RULE,
    heavy_maintenance::RULE,
    table_rewrite::RULE,
    constraint_scan::RULE,
    fk_scan::RULE,
    unique_build::RULE,
    not_null_scan::RULE,
    validate_with_lock::RULE,
    required_column::RULE,
    null_exposed::RULE,
    column_removed::RULE,
    column_renamed::RULE,
    table_removed::RULE,
    table_renamed::RULE,
    type_changed::RULE,
    enum_changed::RULE,
    bulk_dml::RULE,
    multi_lock::RULE,
    explicit_lock::RULE,
    timeout_disabled::RULE,
    tx_control::RULE,
    data_loss::RULE,
    partition_blocking::RULE,
    json_column::RULE,
    identifier_truncated::RULE,
    uniqueness_removed::RULE,
    dependent_object::RULE,
    access_changed::RULE,
    opaque_sql::RULE,
    override_unmatched::RULE,
    cannot_alter_in_place::RULE,
    rebuild_blocks_writers::RULE,
    default_cannot_be_added::RULE,
    required_name::RULE,
    required_constraint_name::RULE,
    required_primary_key::RULE,
    forbidden_type::RULE,
    // Needs to know what the others have found.
    lock_held_long::RULE,
];

static LIST: [Rule; 40] = RULES;

/// The rules about what running code relies on, whatever the size of the table: the database cannot tell, but the running
/// applications can.
const ABOUT_RUNNING_CODE: [&str; 9] = [
    "null-exposed",
    "column-removed",
    "column-renamed",
    "table-removed",
    "table-renamed",
    "type-changed",
    "enum-changed",
    "uniqueness-removed",
    "access-changed",
];

/// The rules about SQLite alone.
const OF_SQLITE: [&str; 3] = [
    "cannot-alter-in-place",
    "rebuild-blocks-writers",
    "default-cannot-be-added",
];

/// The rules about PostgreSQL that hold on SQLite, too.
const PORTABLE: [&str; 10] = [
    "required-column",
    "column-removed",
    "column-renamed",
    "table-removed",
    "table-renamed",
    "bulk-dml",
    "data-loss",
    "uniqueness-removed",
    "tx-control",
    "opaque-sql",
];

/// The rules that find nothing unless the settings of a project ask for something.
const ASKED_BY_PROJECTS: [&str; 4] = [
    "required-name",
    "required-constraint-name",
    "required-primary-key",
    "forbidden-type",
];

impl Rule {
    /// Returns whether it says something about what this server would do.
    #[must_use]
    pub fn holds_on(&self, server: Server) -> bool {
        match server {
            Server::Postgres(_) => !OF_SQLITE.contains(&self.code),
            Server::Sqlite => {
                OF_SQLITE.contains(&self.code) || PORTABLE.contains(&self.code) || self.is_asked_by_project()
            }
        }
    }

    /// Returns whether it finds nothing unless the settings of a project ask for something.
    #[must_use]
    pub fn is_asked_by_project(&self) -> bool {
        ASKED_BY_PROJECTS.contains(&self.code)
    }

    /// Returns whether it is about what running code relies on, and not about a lock or the rows.
    #[must_use]
    pub fn is_about_running_code(&self) -> bool {
        ABOUT_RUNNING_CODE.contains(&self.code)
    }
}

impl Finding {
    fn new(message: String) -> Self {
        Self {
            table: None,
            message,
            severity: None,
        }
    }

    fn on(table: &str, message: String) -> Self {
        Self {
            table: Some(table.to_owned()),
            ..Self::new(message)
        }
    }

    /// Says that it only may be so.
    fn warned(self) -> Self {
        Self {
            severity: Some(Severity::Warn),
            ..self
        }
    }
}

/// Returns the rule of this name.
#[must_use]
pub fn rule(code: &str) -> Option<&'static Rule> {
    LIST.iter().find(|rule| rule.code == code)
}

/// Asks every rule about a statement.
pub(super) fn check(step: &mut Step<'_>) -> Vec<(&'static Rule, Finding)> {
    let mut found = Vec::new();
    for rule in LIST.iter().filter(|rule| rule.holds_on(step.server)) {
        let mut findings = (rule.check)(step);
        if step.server == Server::Sqlite && is_part_of_a_rebuild(step, rule) {
            findings.clear();
        }
        if !findings.is_empty() {
            step.found.push(rule.code);
        }
        found.extend(findings.into_iter().map(|finding| (rule, finding)));
    }
    found
}

/// Returns whether a rule takes the copy of a table on SQLite for something else.
fn is_part_of_a_rebuild(step: &Step<'_>, rule: &Rule) -> bool {
    match step.statement {
        Parsed::Drop(drop) => {
            let is_rebuilt = |name: &String| rebuild_blocks_writers::is_rebuilt(step, name);
            ["table-removed", "data-loss"].contains(&rule.code) && drop.names.iter().all(is_rebuilt)
        }
        Parsed::Data(changes) => {
            rule.code == "bulk-dml" && changes.iter().all(|change| change.verb.starts_with("INSERT"))
        }
        _ => false,
    }
}
