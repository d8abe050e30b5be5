//! What a script takes away from those who use the schema: tables, views and columns that are dropped or get another name.
//!
//! Rows are not its business (that is `loss`), nor what the script itself has made. What goes because something else goes
//! (`CASCADE`) is known to the database alone.

use std::collections::BTreeSet;

use super::Script;
use crate::sql::{Object, Statement, bare};

/// Returns the tables and views, and columns as `table.column`, that are not there any more after the script.
///
/// Names are bare, as applications write them. A table that is built anew under its old name is still there.
#[must_use]
pub fn removals(script: &Script) -> BTreeSet<String> {
    let mut found = Found::default();
    for statement in &script.statements {
        found.add(statement);
    }
    found.removed
}

#[derive(Default)]
struct Found {
    removed: BTreeSet<String>,
    made: BTreeSet<String>,
}

impl Found {
    fn add(&mut self, statement: &Statement) {
        let facts = statement.facts();
        for naming in facts.makes {
            // What may have been there before may be used.
            if let Some(name) =
                used(&naming.object).filter(|name| !naming.if_not_exists || self.removed.contains(name))
            {
                self.make(name);
            }
        }
        for removal in facts.removes {
            if let Some(name) = used(&removal.object) {
                self.remove(name);
            }
        }
        for rename in facts.renames {
            let Some(old) = used(&rename.object) else { continue };
            self.remove(old);
            match &rename.object {
                Object::Column { table, .. } => self.make(format!("{}.{}", bare(table), rename.to)),
                // Under its bare name a table that only changes its schema is still not where it was.
                _ if bare(&rename.to) != used(&rename.object).unwrap_or_default() => {
                    self.make(bare(&rename.to))
                }
                _ => {}
            }
        }
    }

    fn make(&mut self, what: String) {
        if !self.removed.remove(&what) {
            self.made.insert(what);
        }
    }

    fn remove(&mut self, what: String) {
        let table = what.split('.').next().unwrap_or(&what);
        if !self.made.contains(table) && !self.made.remove(&what) {
            self.removed.insert(what);
        }
    }
}

/// Returns what an application would name, if it is something that applications name.
fn used(object: &Object) -> Option<String> {
    match object {
        Object::Table { name } | Object::View { name } => Some(bare(name)),
        Object::Column { table, column } => Some(format!("{}.{column}", bare(table))),
        Object::Index { .. }
        | Object::Type { .. }
        | Object::Schema { .. }
        | Object::Sequence { .. }
        | Object::Function { .. }
        | Object::Extension { .. }
        | Object::Database { .. }
        | Object::Collation { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Dialect;

    fn removed(statements: &[&str], dialect: Dialect) -> Vec<String> {
        removals(&Script::of(statements, dialect)).into_iter().collect()
    }

    #[test]
    fn what_is_dropped_or_renamed_is_gone() {
        let found = removed(
            &[
                r#"ALTER TABLE "tasks" DROP COLUMN "is_recurring""#,
                "ALTER TABLE tasks RENAME COLUMN title TO heading",
                "ALTER TABLE public.tags RENAME TO labels",
                "DROP TABLE IF EXISTS notes CASCADE",
                "DELETE FROM users",
                "DROP VIEW overview",
                "ALTER TABLE plans SET SCHEMA attic",
            ],
            Dialect::Postgresql,
        );
        assert_eq!(
            found,
            [
                "notes",
                "overview",
                "plans",
                "tags",
                "tasks.is_recurring",
                "tasks.title"
            ]
        );
    }

    #[test]
    fn a_column_is_seen_to_go_whatever_else_its_statement_does() {
        for other in [
            "ALTER COLUMN title SET STATISTICS 500",
            "ALTER COLUMN title SET STORAGE EXTERNAL",
            "INHERIT parent",
            "ALTER COLUMN n DROP IDENTITY",
        ] {
            let sql = format!("DROP INDEX IF EXISTS nix; ALTER TABLE Notes DROP COLUMN Body, {other}");
            assert_eq!(removed(&[&sql], Dialect::Postgresql), ["notes.body"], "{other}");
        }
    }

    #[test]
    fn what_code_in_a_block_drops_is_gone() {
        let block = "DO $$ BEGIN IF true THEN EXECUTE 'ALTER TABLE notes DROP COLUMN body'; DROP TABLE tags; END IF; END $$";
        assert_eq!(removed(&[block], Dialect::Postgresql), ["notes.body", "tags"]);
    }

    #[test]
    fn a_table_that_is_built_anew_stays() {
        let found = removed(
            &[
                "CREATE TABLE tasks_new (id integer)",
                "DROP TABLE tasks",
                "ALTER TABLE tasks_new RENAME TO tasks",
            ],
            Dialect::Sqlite,
        );
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_the_script_has_made_is_missed_by_nobody() {
        let found = removed(
            &[
                "CREATE TABLE copy (id integer, note text)",
                "ALTER TABLE copy DROP COLUMN note",
                "DROP TABLE copy",
            ],
            Dialect::Sqlite,
        );
        assert_eq!(found, [""; 0]);
    }
}
