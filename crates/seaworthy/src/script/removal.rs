//! What a script takes away from those who use the schema: tables and columns that are dropped or get another name.
//!
//! Rows are not its business (that is `loss`), nor what the script itself has made.

use std::collections::BTreeSet;

use sea_orm::DbBackend;
use sqlparser::ast::{AlterTableOperation, ObjectName, ObjectType, RenameTableNameKind, Statement};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::Script;

/// Returns the tables, and columns as `table.column`, that are not there any more after the script.
///
/// A table that is built anew under its old name is still there.
#[must_use]
pub fn removals(script: &Script, backend: DbBackend) -> BTreeSet<String> {
    let dialect: &dyn Dialect = match backend {
        DbBackend::Postgres => &PostgreSqlDialect {},
        _ => &SQLiteDialect {},
    };
    let mut found = Found::default();
    for statement in &script.statements {
        // What cannot be read drops no table and no column: the parser knows these statements.
        for parsed in Parser::parse_sql(dialect, statement).unwrap_or_default() {
            found.add(&parsed);
        }
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
        match statement {
            Statement::CreateTable(create) => self.make(bare(&create.name)),
            Statement::Drop {
                object_type: ObjectType::Table,
                names,
                ..
            } => names.iter().for_each(|name| self.remove(bare(name))),
            Statement::AlterTable(alter) => {
                let table = bare(&alter.name);
                for operation in &alter.operations {
                    self.alter(&table, operation);
                }
            }
            _ => {}
        }
    }

    fn alter(&mut self, table: &str, operation: &AlterTableOperation) {
        match operation {
            AlterTableOperation::DropColumn { column_names, .. } => {
                for column in column_names {
                    self.remove(format!("{table}.{}", column.value));
                }
            }
            AlterTableOperation::RenameColumn {
                old_column_name,
                new_column_name,
            } => {
                self.remove(format!("{table}.{}", old_column_name.value));
                self.make(format!("{table}.{}", new_column_name.value));
            }
            AlterTableOperation::RenameTable {
                table_name: RenameTableNameKind::To(name) | RenameTableNameKind::As(name),
            } => {
                self.remove(table.to_owned());
                self.make(bare(name));
            }
            _ => {}
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

/// Returns the name without its schema, as applications write it.
fn bare(name: &ObjectName) -> String {
    name.0
        .last()
        .and_then(|part| part.as_ident())
        .map_or_else(|| name.to_string(), |ident| ident.value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(statements: &[&str], backend: DbBackend) -> Vec<String> {
        let script = Script {
            statements: statements.iter().map(|&statement| statement.to_owned()).collect(),
            reads: Vec::new(),
            depends_on_database: false,
            transaction: true,
            incomplete: None,
            portable: Vec::new(),
        };
        removals(&script, backend).into_iter().collect()
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
            ],
            DbBackend::Postgres,
        );
        assert_eq!(found, ["notes", "tags", "tasks.is_recurring", "tasks.title"]);
    }

    #[test]
    fn a_table_that_is_built_anew_stays() {
        let found = removed(
            &[
                "CREATE TABLE tasks_new (id integer)",
                "DROP TABLE tasks",
                "ALTER TABLE tasks_new RENAME TO tasks",
            ],
            DbBackend::Sqlite,
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
            DbBackend::Sqlite,
        );
        assert_eq!(found, [""; 0]);
    }
}
