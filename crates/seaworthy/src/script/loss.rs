//! What a script would destroy: the tables, columns and rows that its statements remove.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DbBackend;
use serde::Serialize;
use sqlparser::ast::{AlterTableOperation, FromTable, Ident, ObjectName, ObjectType, Statement, TableFactor};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::Script;
use copies::Copies;

mod copies;

/// One thing that a script removes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Loss {
    /// A table goes, or all its rows.
    Table {
        /// Its name as the statement has it.
        table: String,
    },
    /// A column goes.
    Column {
        /// The table's name as the statement has it.
        table: String,
        /// The column's name.
        column: String,
    },
}

/// Everything that a script removes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// What is known to go.
    pub known: BTreeSet<Loss>,
    /// Tables that are built again with all their rows, and the columns that they have then.
    pub rebuilt: BTreeMap<String, BTreeSet<String>>,
    /// Statements that may destroy something, which this tool does not understand.
    pub unclear: Vec<String>,
    /// Columns that an earlier statement adds: they hold nothing yet that could be lost.
    pub(crate) added: BTreeSet<Loss>,
}

impl Losses {
    /// Adds what a script removes.
    ///
    /// A column of a table that goes as a whole is not named apart.
    pub fn add(&mut self, script: &Script, backend: DbBackend) {
        let dialect: &dyn Dialect = match backend {
            DbBackend::Postgres => &PostgreSqlDialect {},
            _ => &SQLiteDialect {},
        };
        let mut copies = Copies::default();
        for statement in &script.statements {
            match Parser::parse_sql(dialect, statement) {
                Ok(parsed) => {
                    for parsed in &parsed {
                        self.add_statement(parsed);
                        self.rebuilt.extend(copies.follow(parsed));
                    }
                }
                // The parser does not know `DROP INDEX CONCURRENTLY`, and an index holds nothing that its table does not.
                Err(_) if drops_index(statement) || makes_trigger(statement) || is_setting(statement) => {}
                Err(_) => self.unclear.push(statement.clone()),
            }
        }
        if let Some(reason) = &script.incomplete {
            self.unclear.push(format!("not known beforehand: {reason}"));
        }
        let tables: BTreeSet<String> = self
            .known
            .iter()
            .filter_map(Loss::whole_table)
            .map(str::to_owned)
            .collect();
        self.known.retain(|loss| match loss {
            Loss::Column { table, .. } => !tables.contains(table),
            Loss::Table { table } => !self.rebuilt.contains_key(table),
        });
    }

    /// Returns whether nothing is removed for sure.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty() && self.rebuilt.is_empty() && self.unclear.is_empty()
    }

    fn add_statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Drop {
                object_type: ObjectType::Table,
                names,
                ..
            } => {
                names.iter().for_each(|name| self.add_table(name));
            }
            Statement::Drop {
                object_type: ObjectType::Schema | ObjectType::Database,
                ..
            } => {
                self.unclear.push(statement.to_string());
            }
            Statement::Truncate(truncate) => {
                truncate
                    .table_names
                    .iter()
                    .for_each(|target| self.add_table(&target.name));
            }
            Statement::Delete(delete) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
                for table in from {
                    if let TableFactor::Table { name, .. } = &table.relation {
                        self.add_table(name);
                    }
                }
            }
            Statement::AlterTable(alter) => {
                for operation in &alter.operations {
                    self.alter(&spelled(&alter.name), operation);
                }
            }
            _ => {}
        }
    }

    fn alter(&mut self, table: &str, operation: &AlterTableOperation) {
        let of_column = |column: &Ident| Loss::Column {
            table: table.to_owned(),
            column: column.value.clone(),
        };
        match operation {
            AlterTableOperation::AddColumn { column_def, .. } => {
                self.added.insert(of_column(&column_def.name));
            }
            AlterTableOperation::DropColumn { column_names, .. } => {
                let lost = column_names.iter().map(of_column);
                self.known.extend(lost.filter(|loss| !self.added.contains(loss)));
            }
            _ => {}
        }
    }

    fn add_table(&mut self, name: &ObjectName) {
        self.known.insert(Loss::Table { table: spelled(name) });
    }
}

impl Loss {
    fn whole_table(&self) -> Option<&str> {
        match self {
            Self::Table { table } => Some(table),
            Self::Column { .. } => None,
        }
    }
}

fn drops_index(statement: &str) -> bool {
    let mut words = statement.split_whitespace();
    let mut next_is = |word: &str| words.next().is_some_and(|found| found.eq_ignore_ascii_case(word));
    next_is("DROP") && next_is("INDEX") && !statement.contains(';')
}

/// What a setting of SQLite's allows is seen where it is done.
fn is_setting(statement: &str) -> bool {
    let first = statement.split_whitespace().next();
    first.is_some_and(|word| word.eq_ignore_ascii_case("PRAGMA")) && !statement.contains(';')
}

/// Whatever a trigger is going to do, making it does nothing to what is there.
fn makes_trigger(statement: &str) -> bool {
    let mut words = statement.split_whitespace();
    let mut next_is = |word: &str| words.next().is_some_and(|found| found.eq_ignore_ascii_case(word));
    next_is("CREATE") && next_is("TRIGGER")
}

/// Returns a name without its quotes, its schema kept.
fn spelled(name: &ObjectName) -> String {
    let parts: Vec<String> = name
        .0
        .iter()
        .map(|part| {
            part.as_ident()
                .map_or_else(|| part.to_string(), |ident| ident.value.clone())
        })
        .collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(statements: &[&str], backend: DbBackend) -> Losses {
        let script = Script {
            statements: statements.iter().map(|&statement| statement.to_owned()).collect(),
            reads: Vec::new(),
            depends_on_database: false,
            transaction: true,
            incomplete: None,
            portable: Vec::new(),
        };
        let mut losses = Losses::default();
        losses.add(&script, backend);
        losses
    }

    #[test]
    fn dropped_tables_and_columns_are_named_once() {
        let found = losses(
            &[
                r#"ALTER TABLE "tasks" DROP COLUMN "priority", DROP COLUMN "due_date""#,
                r#"ALTER TABLE "tags" DROP COLUMN "name""#,
                r#"DROP TABLE IF EXISTS "tags" CASCADE"#,
                r#"DROP INDEX "idx_tasks_priority""#,
                r#"DELETE FROM "notes" WHERE "id" = 1"#,
            ],
            DbBackend::Postgres,
        );
        let column = |column: &str| Loss::Column {
            table: "tasks".to_owned(),
            column: column.to_owned(),
        };
        let table = |table: &str| Loss::Table {
            table: table.to_owned(),
        };
        assert_eq!(
            found.known,
            BTreeSet::from([
                column("priority"),
                column("due_date"),
                table("tags"),
                table("notes")
            ])
        );
        assert!(found.unclear.is_empty());
    }

    #[test]
    fn an_index_is_no_loss_however_it_is_dropped() {
        let found = losses(
            &[
                r#"DROP INDEX "idx_notes_body""#,
                r#"DROP INDEX CONCURRENTLY "idx_notes_body""#,
            ],
            DbBackend::Postgres,
        );
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn what_cannot_be_read_is_called_unclear() {
        let found = losses(&["DROP EVERYTHING NOW"], DbBackend::Sqlite);
        assert!(found.known.is_empty());
        assert_eq!(found.unclear, ["DROP EVERYTHING NOW"]);
    }

    #[test]
    fn a_table_that_is_built_again_with_all_its_rows_is_not_lost() {
        let rebuild = |rows: &str| {
            let copy = format!("INSERT INTO tags_new (id) SELECT id FROM tags{rows}");
            let statements = [
                "CREATE TABLE tags_new (id integer)",
                &copy,
                "DROP TABLE tags",
                "ALTER TABLE tags_new RENAME TO tags",
            ];
            losses(&statements, DbBackend::Sqlite)
        };
        let found = rebuild("");
        assert!(found.known.is_empty());
        assert_eq!(
            found.rebuilt,
            BTreeMap::from([("tags".to_owned(), BTreeSet::from(["id".to_owned()]))])
        );
        for some in [" WHERE id > 1", " LIMIT 1", " JOIN tasks ON true", " GROUP BY id"] {
            let found = rebuild(some);
            assert!(found.rebuilt.is_empty(), "{some}");
            assert_eq!(found.known.len(), 1, "{some}");
        }
    }

    #[test]
    fn a_column_that_comes_back_first_has_nothing_to_lose() {
        let there_and_back = [
            "ALTER TABLE tasks ADD COLUMN is_recurring boolean",
            r#"ALTER TABLE "tasks" DROP COLUMN "is_recurring""#,
        ];
        assert!(losses(&there_and_back, DbBackend::Postgres).is_empty());
    }

    #[test]
    fn a_trigger_destroys_nothing_when_it_is_made() {
        let made = "CREATE TRIGGER t AFTER INSERT ON tasks WHEN NEW.id > 1 BEGIN DELETE FROM notes; END";
        assert!(losses(&[made], DbBackend::Sqlite).is_empty());
    }
}
