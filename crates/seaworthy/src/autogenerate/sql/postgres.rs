//! PostgreSQL.

use super::names;
use crate::autogenerate::Operation;
use crate::catalog::ddl::{self, text};
use crate::catalog::expression::{is_text, mentions, quoted};
use crate::catalog::{Catalog, Column, Dialect, Numbering, Table};
use aside::{Aside, Guards};

mod aside;
mod retype;

const DIALECT: Dialect = Dialect::Postgresql;

pub(super) fn steps(before: &Catalog, operations: &[Operation]) -> Vec<super::Step> {
    let mut catalog = before.clone();
    let mut written = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        let step = Step {
            operation,
            earlier: &operations[..place],
            later: &operations[place + 1..],
            before: &catalog,
        };
        written.push(super::Step::Alone(step.statements()));
        operation.apply(&mut catalog);
    }
    written
}

/// One operation where it stands.
struct Step<'a> {
    operation: &'a Operation,
    earlier: &'a [Operation],
    later: &'a [Operation],
    before: &'a Catalog,
}

impl Step<'_> {
    fn statements(&self) -> Vec<String> {
        match self.operation {
            Operation::RenameTable { from, to } => one(format!("{} RENAME TO {}", alter(from), quoted(to))),
            Operation::RenameColumn { table, from, to } => one(format!(
                "{} RENAME COLUMN {} TO {}",
                alter(table),
                quoted(from),
                quoted(to)
            )),
            Operation::RenameIndex { from, to, .. } => {
                one(format!("ALTER INDEX {} RENAME TO {}", quoted(from), quoted(to)))
            }
            Operation::RenameConstraint { table, from, to } => one(format!(
                "{} RENAME CONSTRAINT {} TO {}",
                alter(table),
                quoted(from),
                quoted(to)
            )),
            Operation::AddEnum { r#enum, values } => one(ddl::create_enum(r#enum, values)),
            Operation::DropEnum { r#enum, .. } => one(format!("DROP TYPE {}", quoted(r#enum))),
            Operation::AddEnumValue {
                r#enum,
                value,
                before,
            } => {
                let place = before
                    .as_ref()
                    .map_or_else(String::new, |label| format!(" BEFORE {}", text(label)));
                one(format!(
                    "ALTER TYPE {} ADD VALUE {}{place}",
                    quoted(r#enum),
                    text(value)
                ))
            }
            Operation::DropEnumValue { r#enum, .. } | Operation::ReorderEnum { r#enum, .. } => {
                self.swap_enum(r#enum)
            }
            Operation::AddSequence { sequence } => one(ddl::create_sequence(sequence)),
            Operation::DropSequence { sequence } => one(format!("DROP SEQUENCE {}", quoted(&sequence.name))),
            Operation::AlterSequence { to, .. } => one(ddl::alter_sequence(to)),
            Operation::AddTable { table } => {
                let mut statements = one(ddl::create_table(DIALECT, &names::named(table)));
                statements.extend(ddl::comments(DIALECT, table));
                statements
            }
            Operation::DropTable { table } => one(format!("DROP TABLE {}", quoted(&table.name))),
            Operation::AlterTableComment { table, to, .. } => one(ddl::table_comment(table, to.as_deref())),
            Operation::AddColumn { table, column } => add_column(table, column),
            Operation::DropColumn { table, column } => {
                one(format!("{} DROP COLUMN {}", alter(table), quoted(&column.name)))
            }
            Operation::AddIndex { table, index } => {
                let mut index = index.clone();
                index.name = Some(names::index(table, &index));
                one(ddl::create_index(DIALECT, table, &index))
            }
            Operation::DropIndex { table, index } => {
                one(format!("DROP INDEX {}", quoted(&names::index(table, index))))
            }
            Operation::RebuildInvalidIndex { name: Some(name), .. } => {
                one(format!("REINDEX INDEX CONCURRENTLY {}", quoted(name)))
            }
            Operation::ValidateForeignKey {
                table,
                name: Some(name),
            }
            | Operation::ValidateCheck {
                table,
                name: Some(name),
            } => one(format!("{} VALIDATE CONSTRAINT {}", alter(table), quoted(name))),
            _ => constraint(self.operation).unwrap_or_else(|| self.column()),
        }
    }

    fn column(&self) -> Vec<String> {
        match self.operation {
            Operation::AlterType {
                table,
                column,
                from,
                to,
            } => self.alter_type(table, column, from, to),
            Operation::AlterNullable {
                table, column, to, ..
            } => {
                let verb = if *to { "DROP" } else { "SET" };
                one(format!("{} {verb} NOT NULL", alter_column(table, column)))
            }
            Operation::AlterDefault {
                table, column, to, ..
            } => {
                // A default that does not fit the type yet is set with the type.
                let is_too_early = self.later.iter().any(|later| {
                    matches!(later, Operation::AlterType { table: other, column: name, .. } if other == table && name == column)
                });
                one(set_default(
                    table,
                    column,
                    to.as_deref().filter(|_| !is_too_early),
                ))
            }
            Operation::AlterIdentity {
                table,
                column,
                from,
                to,
            } => alter_identity(table, column, *from, *to),
            Operation::AlterGenerated {
                table, column, to, ..
            } => self.alter_generated(table, column, to.is_none()),
            Operation::AlterCollation {
                table, column, to, ..
            } => {
                let data_type = self
                    .find(table, column)
                    .map_or("text", |column| column.data_type.as_str());
                // The type changes too, and brings the collation along when its turn comes.
                if !is_text(data_type) {
                    return Vec::new();
                }
                let collation = quoted(to.as_deref().unwrap_or("default"));
                one(format!(
                    "{} TYPE {data_type} COLLATE {collation}",
                    alter_column(table, column)
                ))
            }
            Operation::AlterComment {
                table, column, to, ..
            } => one(ddl::column_comment(table, column, to.as_deref())),
            _ => Vec::new(),
        }
    }

    fn find(&self, table: &str, column: &str) -> Option<&Column> {
        self.before.table(table)?.column(column)
    }

    /// Makes a new type and brings the columns over: a label cannot be taken out of a type.
    fn swap_enum(&self, name: &str) -> Vec<String> {
        let mut after = self.before.clone();
        self.operation.apply(&mut after);
        let labels = after.enums.get(name).cloned().unwrap_or_default();
        let old = format!("{name}_old");
        let users = users(&after, name);
        let columns: Vec<(&str, &str)> = users
            .iter()
            .map(|(table, column)| (table.name.as_str(), column.name.as_str()))
            .collect();
        let aside = Aside::of(&after, &columns, Guards::StepAside);
        let mut statements = aside.before;
        statements.push(format!("ALTER TYPE {} RENAME TO {}", quoted(name), quoted(&old)));
        statements.push(ddl::create_enum(name, &labels));
        for (table, column) in users {
            let as_text = if column.data_type.ends_with("[]") {
                "text[]"
            } else {
                "text"
            };
            if column.default.is_some() {
                statements.push(set_default(&table.name, &column.name, None));
            }
            statements.push(format!(
                "{} TYPE {data_type} USING {}::{as_text}::{data_type}",
                alter_column(&table.name, &column.name),
                quoted(&column.name),
                data_type = column.data_type
            ));
            if column.default.is_some() {
                statements.push(set_default(&table.name, &column.name, column.default.as_deref()));
            }
        }
        statements.push(format!("DROP TYPE {}", quoted(&old)));
        statements.extend(aside.after);
        statements
    }
}

/// Returns the columns of an enum type, or of arrays of it. Those that are computed follow what they are computed from.
fn users<'a>(catalog: &'a Catalog, name: &str) -> Vec<(&'a Table, &'a Column)> {
    let all = catalog
        .tables
        .iter()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    all.filter(|(_, column)| mentions(&column.data_type, name) && column.generated.is_none())
        .collect()
}

/// Returns the indexes and constraints that go with a column.
fn lost_with(table: &Table, column: &str) -> Vec<String> {
    let named = names::named(table);
    let has = |columns: &[String]| columns.iter().any(|name| name == column);
    let mut statements = Vec::new();
    for unique in named.uniques.iter().filter(|unique| has(&unique.columns)) {
        statements.push(format!(
            "{} ADD {}",
            alter(&table.name),
            ddl::unique_clause(unique)
        ));
    }
    for check in named.checks.iter().filter(|check| mentions(&check.expr, column)) {
        statements.push(format!(
            "{} ADD {}",
            alter(&table.name),
            ddl::check_clause(DIALECT, check)
        ));
    }
    for index in &named.indexes {
        let sql = ddl::create_index(DIALECT, &table.name, index);
        if mentions(&sql, column) {
            statements.push(sql);
        }
    }
    statements
}

fn constraint(operation: &Operation) -> Option<Vec<String>> {
    let add = |table: &str, clause: String| one(format!("{} ADD {clause}", alter(table)));
    let drop = |table: &str, name: &str| one(format!("{} DROP CONSTRAINT {}", alter(table), quoted(name)));
    let statements = match operation {
        Operation::AlterPrimaryKey { table, from, to } => {
            let mut statements = Vec::new();
            if let Some(from) = from {
                statements.extend(drop(table, &names::primary_key(table, from)));
            }
            if let Some(to) = to {
                let mut key = to.clone();
                key.name = Some(names::primary_key(table, to));
                statements.extend(add(table, ddl::primary_key_clause(&key)));
            }
            statements
        }
        Operation::AddUnique { table, unique } => {
            let mut named = unique.clone();
            named.name = Some(names::unique(table, unique));
            add(table, ddl::unique_clause(&named))
        }
        Operation::DropUnique { table, unique } => drop(table, &names::unique(table, unique)),
        Operation::AddCheck { table, check } => {
            let mut named = check.clone();
            named.name = Some(names::check(table, check));
            add(table, ddl::check_clause(DIALECT, &named) + not_valid(check.valid))
        }
        Operation::DropCheck { table, check } => drop(table, &names::check(table, check)),
        Operation::AddExclude { table, exclusion } => {
            let mut named = exclusion.clone();
            named.name = Some(names::exclusion(table, exclusion));
            add(table, ddl::exclusion_clause(&named))
        }
        Operation::DropExclude { table, exclusion } => drop(table, &names::exclusion(table, exclusion)),
        Operation::AddForeignKey { table, foreign_key } => {
            let mut named = foreign_key.clone();
            named.name = Some(names::foreign_key(table, foreign_key));
            add(
                table,
                ddl::foreign_key_clause(DIALECT, &named) + not_valid(foreign_key.valid),
            )
        }
        Operation::DropForeignKey { table, foreign_key } => {
            drop(table, &names::foreign_key(table, foreign_key))
        }
        _ => return None,
    };
    Some(statements)
}

fn alter_identity(table: &str, column: &str, from: Option<Numbering>, to: Option<Numbering>) -> Vec<String> {
    let this = alter_column(table, column);
    let (table_text, column_text) = (text(&quoted(table)), text(column));
    let sequence = format!("pg_get_serial_sequence({table_text}, {column_text})");
    let mut statements = Vec::new();
    let is_identity = |numbering| {
        matches!(
            numbering,
            Some(Numbering::Any | Numbering::IdentityByDefault | Numbering::IdentityAlways)
        )
    };
    let kind = match to {
        Some(Numbering::IdentityAlways) => "ALWAYS",
        _ => "BY DEFAULT",
    };
    if is_identity(from) && is_identity(to) {
        return one(format!("{this} SET GENERATED {kind}"));
    }
    if from == Some(Numbering::Serial) {
        // Only the database knows for sure what the sequence is called.
        statements.push(format!(
            "DO $$ DECLARE own text := {sequence}; BEGIN {this} DROP DEFAULT; EXECUTE 'DROP SEQUENCE ' || own; END $$"
        ));
    } else if is_identity(from) {
        statements.push(format!("{this} DROP IDENTITY"));
    }
    let name = quoted(&format!("{table}_{column}_seq"));
    match to {
        Some(Numbering::Serial) => {
            statements.push(format!(
                "CREATE SEQUENCE {name} OWNED BY {}.{}",
                quoted(table),
                quoted(column)
            ));
            statements.push(format!("{this} SET DEFAULT nextval({}::regclass)", text(&name)));
        }
        _ if is_identity(to) => statements.push(format!("{this} ADD GENERATED {kind} AS IDENTITY")),
        _ => return statements,
    }
    statements.push(format!(
        "SELECT setval({sequence}, coalesce(max({}), 0) + 1, false) FROM {}",
        quoted(column),
        quoted(table)
    ));
    statements
}

fn add_column(table: &str, column: &Column) -> Vec<String> {
    let mut statements = one(format!(
        "{} ADD COLUMN {}",
        alter(table),
        ddl::column_clause(DIALECT, column)
    ));
    let comment = column.comment.as_deref();
    statements.extend(comment.map(|comment| ddl::column_comment(table, &column.name, Some(comment))));
    statements
}

fn set_default(table: &str, column: &str, default: Option<&str>) -> String {
    let this = alter_column(table, column);
    default.map_or_else(
        || format!("{this} DROP DEFAULT"),
        |sql| format!("{this} SET DEFAULT {sql}"),
    )
}

fn not_valid(valid: bool) -> &'static str {
    if valid { "" } else { " NOT VALID" }
}

fn alter(table: &str) -> String {
    format!("ALTER TABLE {}", quoted(table))
}

fn alter_column(table: &str, column: &str) -> String {
    format!("{} ALTER COLUMN {}", alter(table), quoted(column))
}

fn one(statement: String) -> Vec<String> {
    vec![statement]
}
