//! What a script takes away from those who use the schema: tables, views, types and columns that are dropped or get another name.
//!
//! Rows are not its business (that is `loss`), nor what the script itself has made. What goes because something else goes
//! (`CASCADE`) is known to the database alone.

use std::collections::{BTreeMap, BTreeSet};

use super::Script;
use crate::sql::{Naming, Object, Removal, Rename, Statement, TransactionControl, bare};

/// What is not there any more after a script. Names are bare, as applications write them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removals {
    /// Tables, views and types, and columns as `table.column`.
    pub gone: BTreeSet<String>,
    /// The tables that the script has built anew under their old names, with their columns as far as it lists them: whether one is
    /// left out, the database knows.
    pub rebuilt: BTreeMap<String, BTreeSet<String>>,
}

/// Returns what a script takes away.
#[must_use]
pub fn removals(script: &Script) -> Removals {
    let mut found = Found {
        in_transaction: script.transaction,
        ..Found::default()
    };
    for statement in &script.statements {
        found.add(statement);
        found.in_transaction = match statement.facts().transaction {
            Some(TransactionControl::Begin) => true,
            Some(TransactionControl::End) => script.transaction,
            Some(TransactionControl::Savepoint) | None => found.in_transaction,
        };
    }
    found.into_removals()
}

#[derive(Default)]
struct Found {
    gone: BTreeSet<String>,
    gone_columns: BTreeSet<(String, String)>,
    /// What the script has made and not dropped, by its name now.
    made: BTreeSet<String>,
    made_columns: BTreeSet<(String, String)>,
    /// The columns of the tables that it has made, as far as it lists them.
    columns: BTreeMap<String, BTreeSet<String>>,
    /// The columns that it has taken off tables which it has made as others are.
    left_out: BTreeMap<String, BTreeSet<String>>,
    /// What the database has under another name, by that it has now.
    origins: BTreeMap<String, String>,
    /// What others saw without its name: nothing made later comes in time.
    missed: BTreeSet<String>,
    in_transaction: bool,
}

impl Found {
    fn add(&mut self, statement: &Statement) {
        let facts = statement.facts();
        // What goes and comes in one statement goes first.
        for removal in &facts.removes {
            self.remove(removal);
        }
        for rename in &facts.renames {
            self.rename(rename);
        }
        for naming in &facts.makes {
            self.make(naming, statement);
        }
    }

    fn make(&mut self, naming: &Naming, statement: &Statement) {
        match &naming.object {
            Object::Column { table, column } => {
                let table = bare(table);
                match self.made.contains(&table) {
                    true => drop(
                        self.columns
                            .get_mut(&table)
                            .map(|listed| listed.insert(column.clone())),
                    ),
                    // What may have been there before may be used.
                    false if naming.if_not_exists => {}
                    false => drop(self.made_columns.insert((self.origin(&table), column.clone()))),
                }
            }
            object => {
                let Some(name) = used(object) else { return };
                if naming.if_not_exists && !self.gone.contains(&name) {
                    return;
                }
                self.left_out.remove(&name);
                if let Some(listed) = listed(statement) {
                    self.columns.insert(name.clone(), listed);
                }
                self.made.insert(name);
            }
        }
    }

    fn remove(&mut self, removal: &Removal) {
        match &removal.object {
            Object::Column { table, column } => self.remove_column(&bare(table), column),
            object => {
                let Some(name) = used(object) else { return };
                self.columns.remove(&name);
                if !self.made.remove(&name) {
                    let origin = self.origin(&name);
                    if !self.in_transaction {
                        self.missed.insert(origin.clone());
                    }
                    self.gone.insert(origin);
                }
            }
        }
    }

    fn remove_column(&mut self, table: &str, column: &str) {
        let key = (self.origin(table), column.to_owned());
        match self.columns.get_mut(table) {
            Some(listed) => drop(listed.remove(column)),
            None if self.made.contains(table) => {
                let left_out = self.left_out.entry(table.to_owned()).or_default();
                left_out.insert(column.to_owned());
            }
            None => {}
        }
        if !self.made.contains(table) && !self.made_columns.remove(&key) {
            self.gone_columns.insert(key);
        }
    }

    fn rename(&mut self, rename: &Rename) {
        if let Object::Column { table, column } = &rename.object {
            let (table, to) = (bare(table), rename.to.clone());
            self.remove_column(&table, column);
            if let Some(listed) = self.columns.get_mut(&table) {
                listed.insert(to.clone());
            }
            if let Some(left_out) = self.left_out.get_mut(&table) {
                left_out.remove(&to);
            }
            // One that takes over the name of another is found in its place.
            let key = (self.origin(&table), to);
            if !self.gone_columns.remove(&key) && !self.made.contains(&table) {
                self.made_columns.insert(key);
            }
            return;
        }
        let (Some(old), to) = (used(&rename.object), bare(&rename.to)) else {
            return;
        };
        if self.made.remove(&old) {
            let listed = self.columns.remove(&old);
            self.columns.extend(listed.map(|listed| (to.clone(), listed)));
            let left_out = self.left_out.remove(&old);
            self.left_out
                .extend(left_out.map(|left_out| (to.clone(), left_out)));
            self.made.insert(to);
            return;
        }
        let origin = self.origin(&old);
        self.origins.remove(&old);
        if !self.in_transaction {
            self.missed.insert(origin.clone());
        }
        // Under its bare name a table that only changes its schema is still not where it was.
        if origin == to && old != to {
            self.gone.remove(&origin);
        } else {
            self.gone.insert(origin.clone());
            self.origins.insert(to, origin);
        }
    }

    fn origin(&self, name: &str) -> String {
        self.origins.get(name).map_or(name, String::as_str).to_owned()
    }

    fn into_removals(self) -> Removals {
        let is_replaced = |name: &String| self.made.contains(name) && !self.missed.contains(name);
        let (replaced, mut gone): (BTreeSet<String>, BTreeSet<String>) =
            self.gone.into_iter().partition(is_replaced);
        let columns = self.gone_columns.into_iter();
        gone.extend(columns.map(|(table, column)| format!("{table}.{column}")));
        for (table, columns) in self
            .left_out
            .into_iter()
            .filter(|(table, _)| replaced.contains(table))
        {
            gone.extend(columns.into_iter().map(|column| format!("{table}.{column}")));
        }
        let rebuilt = self.columns.into_iter();
        Removals {
            gone,
            rebuilt: rebuilt.filter(|(table, _)| replaced.contains(table)).collect(),
        }
    }
}

/// Returns the columns of a table that a statement makes, if it lists them: in its own words or in those of a query.
fn listed(statement: &Statement) -> Option<BTreeSet<String>> {
    let made = statement.made_columns();
    if !made.is_empty() {
        return Some(made.into_iter().map(|(name, _)| name).collect());
    }
    let rows = statement.facts().rows;
    let mut copies = rows.into_iter().filter_map(|rows| rows.copy_of);
    let values = copies.find_map(|copy| copy.values)?;
    values.into_iter().map(|value| value.name).collect()
}

/// Returns what an application would name, if it is something that applications name.
fn used(object: &Object) -> Option<String> {
    match object {
        Object::Table { name } | Object::View { name } | Object::Type { name } => Some(bare(name)),
        Object::Column { .. }
        | Object::Index { .. }
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
        let script = Script::of(statements, dialect);
        removals(&script).gone.into_iter().collect()
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
    fn the_columns_of_a_table_that_is_built_anew_are_known() {
        let statements = [
            "CREATE TABLE tasks_new (id integer, size integer, heading text)",
            "ALTER TABLE tasks_new DROP COLUMN size",
            "DROP TABLE tasks",
            "ALTER TABLE tasks_new RENAME TO tasks",
            "ALTER TABLE tasks ADD COLUMN note text",
            "ALTER TABLE tasks RENAME COLUMN heading TO title",
        ];
        let found = removals(&Script::of(&statements, Dialect::Sqlite));
        let columns = ["id", "note", "title"].map(str::to_owned).into();
        assert_eq!(found.rebuilt, [("tasks".to_owned(), columns)].into());
        assert_eq!(found.gone, BTreeSet::new());
    }

    #[test]
    fn a_table_that_is_built_anew_like_another_lacks_what_is_taken_off() {
        let rebuilt = |statements: &[&str]| removals(&Script::of(statements, Dialect::Postgresql));
        let end = ["DROP TABLE tasks", "ALTER TABLE tasks_new RENAME TO tasks"];
        let found = rebuilt(&[
            "CREATE TABLE tasks_new AS SELECT id, title AS heading FROM tasks",
            end[0],
            end[1],
        ]);
        let columns = ["heading", "id"].map(str::to_owned).into();
        assert_eq!(found.rebuilt, [("tasks".to_owned(), columns)].into());

        let like = "CREATE TABLE tasks_new (LIKE tasks INCLUDING ALL)";
        assert_eq!(rebuilt(&[like, end[0], end[1]]), Removals::default());
        for off in ["DROP COLUMN note", "RENAME COLUMN note TO remark"] {
            let off = format!("ALTER TABLE tasks_new {off}");
            assert_eq!(
                rebuilt(&[like, &off, end[0], end[1]]).gone,
                ["tasks.note".to_owned()].into()
            );
        }
        let all = "CREATE TABLE tasks_new AS SELECT * FROM tasks";
        let found = rebuilt(&[all, end[0], end[1], "ALTER TABLE tasks DROP COLUMN note"]);
        assert_eq!(found.gone, ["tasks.note".to_owned()].into());
    }

    #[test]
    fn a_column_that_is_renamed_there_and_back_is_missed_by_nobody() {
        let there = "ALTER TABLE tasks RENAME COLUMN title TO heading";
        let back = "ALTER TABLE tasks RENAME COLUMN heading TO title";
        assert_eq!(removed(&[there, back], Dialect::Sqlite), [""; 0]);
        let gone = [there, "ALTER TABLE tasks DROP COLUMN heading"];
        assert_eq!(removed(&gone, Dialect::Sqlite), ["tasks.title"]);
        // A table that has another name by then has the same columns.
        let moved = [
            "ALTER TABLE tasks RENAME TO plans",
            "ALTER TABLE plans ADD COLUMN note text",
            "ALTER TABLE plans DROP COLUMN note",
        ];
        assert_eq!(removed(&moved, Dialect::Sqlite), ["tasks"]);
    }

    #[test]
    fn a_column_that_is_added_again_is_another_one() {
        for statements in [
            &["ALTER TABLE tasks DROP COLUMN size, ADD COLUMN size text"][..],
            &[
                "ALTER TABLE tasks DROP COLUMN size",
                "ALTER TABLE tasks ADD COLUMN size text",
            ],
        ] {
            assert_eq!(removed(statements, Dialect::Postgresql), ["tasks.size"]);
        }
    }

    #[test]
    fn a_name_that_goes_to_another_table_is_gone() {
        let found = removed(
            &[
                "ALTER TABLE boats RENAME TO boats_before",
                "ALTER TABLE boats_next RENAME TO boats",
                "DROP TABLE boats_before",
            ],
            Dialect::Postgresql,
        );
        assert_eq!(found, ["boats", "boats_next"]);
        let back = [
            "ALTER TABLE boats RENAME TO ships",
            "ALTER TABLE ships DROP COLUMN crew",
            "ALTER TABLE ships RENAME TO boats",
        ];
        assert_eq!(removed(&back, Dialect::Postgresql), ["boats.crew"]);
    }

    #[test]
    fn a_view_of_the_old_name_comes_too_late_without_a_transaction() {
        let statements = [
            "ALTER TABLE tags RENAME TO labels",
            "CREATE VIEW tags AS SELECT * FROM labels",
        ];
        let mut script = Script::of(&statements, Dialect::Postgresql);
        assert_eq!(removals(&script).gone, BTreeSet::new());
        script.transaction = false;
        assert_eq!(removals(&script).gone, ["tags".to_owned()].into());
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
