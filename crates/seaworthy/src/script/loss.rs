//! What scripts may destroy: tables, columns, rows and values that are there before the first of them runs.
//!
//! Decided from the statements alone. They are followed in their order, so that what a script itself has made is no loss, a
//! table that is renamed first is counted under the name that the database knows, and a table that is built again with all
//! its rows loses the columns that it was not given. Whether something is there, and how much of it, is counted by others.

use std::collections::BTreeSet;

use super::Script;
use crate::sql::{Object, Removal, RowVerb, Rows, Statement, Which, bare};
use trace::{Origin, Trace};

mod trace;

/// One thing that scripts may destroy, by the names that the database knows before they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PossibleLoss {
    /// Something goes, and what depends on it where `cascade` says so.
    Removed {
        /// What, and how.
        removal: Removal,
        /// The columns that live on in a table that takes its place; absent where none does.
        kept: Option<Kept>,
    },
    /// Rows are deleted, or values in them overwritten.
    Rows {
        /// What is done to them.
        verb: RowVerb,
        /// The table.
        table: String,
        /// The columns that an update overwrites.
        columns: Vec<String>,
        /// Which rows; absent where that cannot be told.
        which: Option<Which>,
        /// Whether rows of tables that refer to it go as well.
        cascade: bool,
    },
    /// A column gets a type that may not hold its values.
    Retyped {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The new type as the statement spells it.
        to: String,
        /// The expression after `USING`.
        using: Option<String>,
    },
    /// A function or procedure is called that the scripts do not make.
    Called {
        /// Its name.
        name: String,
        /// The statement that calls it.
        sql: String,
    },
}

/// The columns of a table that takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All that it had.
    All,
    /// These.
    Columns(BTreeSet<String>),
}

/// Everything that scripts may destroy.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    /// What is known, in the order of the statements.
    pub possible: Vec<PossibleLoss>,
    /// What may destroy something and is not understood.
    pub unclear: Vec<String>,
    trace: Trace,
}

/// How deep functions that call functions are followed.
const DEEPEST: usize = 8;

impl Losses {
    /// Returns the removal of whole tables, by what deletes them all.
    #[must_use]
    pub fn of_tables(names: impl IntoIterator<Item = String>) -> Self {
        let possible = names.into_iter().map(|name| PossibleLoss::Removed {
            removal: Removal {
                object: Object::Table { name },
                if_exists: true,
                cascade: true,
            },
            kept: None,
        });
        Self {
            possible: possible.collect(),
            ..Self::default()
        }
    }

    /// Adds what the next script may destroy.
    pub fn add(&mut self, script: &Script) {
        self.add_unless(script, |_| false);
        if let Some(reason) = &script.incomplete {
            self.unclear.push(format!("not known beforehand: {reason}"));
        }
    }

    /// Adds what the next script may destroy, without the statements that somebody has taken knowingly; that not all of them are
    /// known is left to others.
    pub fn add_unless(&mut self, script: &Script, is_accepted: impl Fn(&Statement) -> bool) {
        for fill in &script.fills {
            for rows in fill.facts().rows {
                self.trace.copy_columns(&rows.table, &rows.column_copies);
            }
        }
        self.follow_all(&script.statements, is_accepted);
    }

    /// Adds what further statements may destroy.
    pub fn add_statements(&mut self, statements: &[Statement]) {
        self.follow_all(statements, |_| false);
    }

    fn follow_all(&mut self, statements: &[Statement], is_accepted: impl Fn(&Statement) -> bool) {
        // What takes the place of a table is known only at the end.
        let mut dropped: Vec<(String, Removal, Option<Kept>)> = Vec::new();
        for statement in statements {
            let before = (self.possible.len(), self.unclear.len(), dropped.len());
            self.follow(statement, &mut dropped, 0);
            if is_accepted(statement) {
                self.possible.truncate(before.0);
                self.unclear.truncate(before.1);
                dropped.truncate(before.2);
            }
        }
        for (live, removal, kept) in dropped {
            let columns = self.trace.kept_of(&live);
            self.trace.succeed(&live);
            self.possible.push(PossibleLoss::Removed {
                removal,
                kept: columns.or(kept),
            });
        }
    }

    /// Returns whether nothing may be lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.possible.is_empty() && self.unclear.is_empty()
    }

    fn follow(
        &mut self,
        statement: &Statement,
        dropped: &mut Vec<(String, Removal, Option<Kept>)>,
        depth: usize,
    ) {
        let facts = statement.facts();
        for what in &facts.not_understood {
            self.unclear.push(format!("{what}: {}", shown(statement.text())));
        }
        // A column that goes and comes again in one statement goes first.
        for removal in facts.removes {
            self.removed(removal, statement, dropped);
        }
        for rename in &facts.renames {
            self.trace.rename(rename);
        }
        for naming in &facts.makes {
            self.trace.make(naming, statement);
        }
        for retype in facts.retypes {
            if let Some((table, column)) = self.trace.live_column(&retype.table, &retype.column) {
                self.possible.push(PossibleLoss::Retyped {
                    table,
                    column,
                    to: retype.to,
                    using: retype.using,
                });
            }
        }
        for rows in facts.rows {
            self.rows(rows);
        }
        for name in facts.calls {
            match self.trace.function(&name) {
                Some(body) if depth < DEEPEST => {
                    for inner in &body {
                        self.follow(inner, dropped, depth + 1);
                    }
                }
                Some(_) => self
                    .unclear
                    .push(format!("{name} calls itself: {}", shown(statement.text()))),
                None => self.possible.push(PossibleLoss::Called {
                    name,
                    sql: shown(statement.text()),
                }),
            }
        }
    }

    fn removed(
        &mut self,
        mut removal: Removal,
        statement: &Statement,
        dropped: &mut Vec<(String, Removal, Option<Kept>)>,
    ) {
        match removal.object.clone() {
            Object::Table { name } => match self.trace.remove_table(&name) {
                Origin::Live { name, is_certain } => {
                    removal.if_exists |= !is_certain;
                    removal.object = Object::Table { name: name.clone() };
                    dropped.push((name, removal, None));
                }
                Origin::Made => {}
            },
            Object::Column { table, column } => {
                let is_certain = self.trace.is_certain_column(&table, &column);
                let live = self.trace.remove_column(&table, &column);
                if let Some((table, column)) = live.filter(|live| !self.trace.is_copied(live)) {
                    removal.if_exists |= !is_certain;
                    removal.object = Object::Column { table, column };
                    self.possible.push(PossibleLoss::Removed { removal, kept: None });
                }
            }
            Object::Schema { .. } | Object::Extension { .. } | Object::Database { .. } => {
                self.possible.push(PossibleLoss::Removed { removal, kept: None });
            }
            Object::Type { .. }
            | Object::View { .. }
            | Object::Sequence { .. }
            | Object::Function { .. }
            | Object::Collation { .. }
                if removal.cascade =>
            {
                // What depends on something that the script has made is not in the catalog yet.
                if self.trace.has_made(&removal.object) {
                    self.unclear.push(shown(statement.text()));
                } else {
                    self.possible.push(PossibleLoss::Removed { removal, kept: None });
                }
            }
            Object::Type { .. }
            | Object::View { .. }
            | Object::Sequence { .. }
            | Object::Function { .. }
            | Object::Collation { .. }
            | Object::Index { .. } => {}
        }
    }

    fn rows(&mut self, rows: Rows) {
        self.trace.copy_columns(&rows.table, &rows.column_copies);
        if let Some(copy) = &rows.copy_of {
            self.trace.copy(&rows.table, copy, &rows.columns);
        }
        if !matches!(rows.verb, RowVerb::Insert | RowVerb::Update) {
            self.trace.spoil(&rows.table);
        }
        let Origin::Live { name, .. } = self.trace.table(&rows.table) else {
            return;
        };
        let columns = match rows.verb {
            RowVerb::Insert => return,
            // To change how a table is declared is no loss of rows.
            RowVerb::Update if is_schema_table(&name) && rows.columns == ["sql"] => return,
            RowVerb::Update => {
                let columns = rows.columns.iter();
                let live = columns.filter_map(|column| self.trace.live_column(&rows.table, column));
                let live: Vec<String> = live.map(|(_, column)| column).collect();
                if live.is_empty() && !rows.columns.is_empty() {
                    return;
                }
                live
            }
            RowVerb::Upsert | RowVerb::Replace | RowVerb::Delete | RowVerb::Truncate | RowVerb::Merge => {
                Vec::new()
            }
        };
        self.possible.push(PossibleLoss::Rows {
            verb: rows.verb,
            table: name,
            columns,
            which: rows.which,
            cascade: rows.cascade,
        });
    }
}

/// Returns whether a name is that of SQLite's own table of declarations.
fn is_schema_table(name: &str) -> bool {
    ["sqlite_schema", "sqlite_master"].contains(&bare(name).as_str())
}

/// Returns a statement cut to a line.
fn shown(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Dialect;

    fn losses(statements: &[&str], dialect: Dialect) -> Losses {
        let mut losses = Losses::default();
        losses.add(&Script::of(statements, dialect));
        losses
    }

    fn removed(statements: &[&str], dialect: Dialect) -> Vec<String> {
        let found = losses(statements, dialect);
        assert_eq!(found.unclear, [""; 0]);
        let objects = found.possible.into_iter().filter_map(|loss| match loss {
            PossibleLoss::Removed { removal, kept: None } => Some(removal.object.to_string()),
            PossibleLoss::Rows { verb, table, .. } => Some(format!("{verb:?} {table}")),
            _ => None,
        });
        objects.collect()
    }

    #[test]
    fn what_goes_is_named_however_it_is_spelled() {
        for (sql, lost) in [
            ("DROP TABLE Notes", "table notes"),
            ("drop table if exists \"Notes\" cascade", "table Notes"),
            ("/* x */ DROP /* y */ TABLE app . notes", "table app.notes"),
            ("ALTER TABLE Notes DROP Body", "column notes.body"),
            (
                "ALTER TABLE notes DROP COLUMN body, ALTER COLUMN title SET STATISTICS 5",
                "column notes.body",
            ),
            ("TRUNCATE Notes", "Truncate notes"),
            (
                "WITH gone AS (DELETE FROM notes RETURNING 1) SELECT count(*) FROM gone",
                "Delete notes",
            ),
            ("DO $x$BEGIN DELETE FROM notes; END$x$", "Delete notes"),
            (
                "DO $$ DECLARE r record; n int := 1; BEGIN FOR r IN DELETE FROM notes RETURNING * LOOP NULL; END LOOP; END $$",
                "Delete notes",
            ),
            ("EXPLAIN (ANALYZE) DELETE FROM notes", "Delete notes"),
            ("SELECT 1; DROP TABLE notes", "table notes"),
            ("DROP SCHEMA app CASCADE", "schema app"),
        ] {
            let found = removed(&[sql], Dialect::Postgresql);
            assert!(found.contains(&lost.to_owned()), "{sql}: {found:?}");
        }
    }

    #[test]
    fn what_the_script_has_made_is_no_loss() {
        for statements in [
            &["CREATE TABLE copy (id integer)", "DROP TABLE copy"][..],
            &[
                "ALTER TABLE tasks ADD COLUMN kind text",
                "ALTER TABLE tasks DROP COLUMN kind",
            ],
            &[
                "ALTER TABLE tasks ADD COLUMN kind text",
                "UPDATE tasks SET kind = 'x'",
            ],
            &[
                "CREATE TABLE a (id integer)",
                "ALTER TABLE a RENAME TO b",
                "DELETE FROM b",
                "DROP TABLE b",
            ],
            &["DROP INDEX CONCURRENTLY idx", "DROP VIEW overview"],
        ] {
            assert!(
                losses(statements, Dialect::Postgresql).is_empty(),
                "{statements:?}"
            );
        }
    }

    #[test]
    fn a_column_that_goes_and_comes_again_in_one_statement_is_lost() {
        let sql = "ALTER TABLE tasks DROP COLUMN kind, ADD COLUMN kind integer";
        assert_eq!(removed(&[sql], Dialect::Postgresql), ["column tasks.kind"]);
    }

    #[test]
    fn a_table_that_may_have_been_there_is_lost() {
        let found = removed(
            &[
                "CREATE TABLE IF NOT EXISTS notes (id integer)",
                "DROP TABLE notes",
            ],
            Dialect::Sqlite,
        );
        assert_eq!(found, ["table notes"]);
    }

    #[test]
    fn what_is_renamed_first_is_lost_under_its_old_name() {
        let found = removed(
            &[
                "ALTER TABLE tasks RENAME TO jobs",
                "ALTER TABLE jobs RENAME COLUMN title TO heading",
                "ALTER TABLE jobs DROP COLUMN heading",
                "DROP TABLE jobs",
            ],
            Dialect::Postgresql,
        );
        assert_eq!(found, ["column tasks.title", "table tasks"]);
    }

    #[test]
    fn a_table_that_is_built_again_loses_the_columns_that_it_was_not_given() {
        let rebuild = |rows: &str| {
            let statements = [
                "CREATE TABLE tags_new (id integer, name text)",
                rows,
                "DROP TABLE tags",
                "ALTER TABLE tags_new RENAME TO tags",
            ];
            let found = losses(&statements, Dialect::Sqlite);
            found.possible.into_iter().find_map(|loss| match loss {
                PossibleLoss::Removed { kept, .. } => Some(kept),
                _ => None,
            })
        };
        let columns = |names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned());
            Some(Some(Kept::Columns(names.collect())))
        };
        assert_eq!(
            rebuild("INSERT INTO tags_new SELECT * FROM tags"),
            columns(&["id", "name"])
        );
        assert_eq!(
            rebuild("INSERT INTO tags_new (id) SELECT id FROM Tags"),
            columns(&["id"])
        );
        assert_eq!(
            rebuild("INSERT INTO tags_new (id, name) SELECT id, NULL FROM \"tags\""),
            columns(&["id"])
        );
        for some in [
            "WHERE id > 1",
            "LIMIT 1",
            "JOIN tasks ON true",
            "GROUP BY id",
            "UNION SELECT 1",
        ] {
            let rows = format!("INSERT INTO tags_new (id) SELECT id FROM tags {some}");
            assert_eq!(rebuild(&rows), Some(None), "{some}");
        }
        assert_eq!(
            rebuild("INSERT OR IGNORE INTO tags_new SELECT * FROM tags"),
            Some(None)
        );
    }

    #[test]
    fn a_table_that_was_built_again_is_lost_by_a_later_script() {
        let rebuild = [
            "CREATE TABLE tags_new (id integer, name text, kind text)",
            "INSERT INTO tags_new (id, name) SELECT id, name FROM tags",
            "DROP TABLE tags",
            "ALTER TABLE tags_new RENAME TO tags",
        ];
        for (later, lost) in [
            ("DROP TABLE tags", "table tags"),
            ("DELETE FROM tags", "Delete tags"),
            ("ALTER TABLE tags DROP COLUMN name", "column tags.name"),
            // It is new.
            ("ALTER TABLE tags DROP COLUMN kind", ""),
        ] {
            let mut losses = Losses::default();
            for script in [&rebuild[..], &rebuild[..], &[later]] {
                losses.add(&Script::of(script, Dialect::Sqlite));
            }
            let named = losses.possible.into_iter().filter_map(|loss| match loss {
                PossibleLoss::Removed { removal, kept: None } => Some(removal.object.to_string()),
                PossibleLoss::Rows { verb, table, .. } => Some(format!("{verb:?} {table}")),
                _ => None,
            });
            assert_eq!(named.collect::<Vec<_>>().join(", "), lost, "{later}");
        }
    }

    #[test]
    fn what_is_not_understood_is_unclear() {
        for sql in [
            "DROP EVERYTHING NOW; FROBNICATE tasks",
            "DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; END $$",
            "DO LANGUAGE plpython3u $$ plpy.execute('DROP TABLE notes') $$",
            "EXECUTE plan",
            "DELETE FROM notes WHERE (id = 1",
            "DROP OWNED BY app",
        ] {
            let found = losses(&[sql], Dialect::Postgresql);
            assert!(!found.unclear.is_empty(), "{sql}: {found:?}");
        }
    }

    #[test]
    fn a_column_whose_values_were_copied_first_is_not_lost() {
        let copied = |fill: &str| {
            losses(
                &[
                    "ALTER TABLE tasks ADD COLUMN due_utc timestamp",
                    fill,
                    "ALTER TABLE tasks RENAME COLUMN due TO due_tz",
                    "ALTER TABLE tasks RENAME COLUMN due_utc TO due",
                    "ALTER TABLE tasks DROP COLUMN due_tz",
                ],
                Dialect::Postgresql,
            )
        };
        for fill in [
            "UPDATE tasks SET due_utc = due AT TIME ZONE 'UTC'",
            "UPDATE tasks SET due_utc = due AT TIME ZONE 'UTC' WHERE due_utc IS NULL",
        ] {
            assert!(copied(fill).is_empty(), "{fill}");
        }
        for fill in [
            "SELECT 1",
            "UPDATE tasks SET due_utc = now()",
            "UPDATE tasks SET due_utc = due WHERE id < 9",
        ] {
            assert!(!copied(fill).is_empty(), "{fill}");
        }
    }

    #[test]
    fn a_function_of_the_script_is_read_when_it_is_called() {
        let made =
            "CREATE FUNCTION clear() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM notes; END $$";
        assert_eq!(
            removed(&[made, "SELECT clear()"], Dialect::Postgresql),
            ["Delete notes"]
        );
        assert_eq!(removed(&[made], Dialect::Postgresql), [""; 0]);
    }

    #[test]
    fn a_trigger_destroys_nothing_when_it_is_made() {
        let made = "CREATE TRIGGER t AFTER INSERT ON tasks WHEN NEW.id > 1 BEGIN DELETE FROM notes; END";
        assert!(losses(&[made], Dialect::Sqlite).is_empty());
    }
}
