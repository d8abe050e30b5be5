//! PostgreSQL.

use super::names;
use crate::autogenerate::{Operation, object};
use crate::catalog::ddl::{self, text};
use crate::catalog::expression::{is_text, mentions, quoted};
use crate::catalog::{Catalog, Column, Dialect, NeedKind, Object, Table, TablePart};
use aside::{Aside, Guards};

mod aside;
mod numbering;
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
                // A type that is made anew is made with it.
                if self.earlier.iter().any(|earlier| makes_anew(earlier, r#enum)) {
                    return Vec::new();
                }
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
            Operation::AlterSequence { from, to } => numbering::alter_sequence(from, to),
            Operation::AddObject { object } => self.create(object),
            Operation::DropObject { object } => object::removal(object),
            Operation::AlterObject { from, to } => object::alteration(from, to)
                .unwrap_or_else(|| [object::removal(from), self.create(to)].concat()),
            Operation::AddTable { table } => {
                let mut statements = ddl::make_table(DIALECT, &names::named(table));
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
            _ => constraint(self.operation)
                .or_else(|| division(self.operation, self.before))
                .unwrap_or_else(|| self.column()),
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
            Operation::AlterIdentity { table, column, .. } => self.alter_identity(table, column),
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
            Operation::AlterColumnStorage {
                table, column, to, ..
            } => self
                .find(table, column)
                .map_or_else(Vec::new, |column| ddl::alter_column_storage(table, column, to)),
            Operation::AlterComment {
                table, column, to, ..
            } => one(ddl::column_comment(table, column, to.as_deref())),
            _ => Vec::new(),
        }
    }

    /// Makes an object, with the owner and the grants that one of its name had.
    fn create(&self, object: &Object) -> Vec<String> {
        let mut statements = object::creation(object);
        statements.extend(self.roles_of(NeedKind::Object(object.kind), &object.name));
        statements
    }

    fn roles_of(&self, kind: NeedKind, name: &str) -> Vec<String> {
        let roles = self.before.roles.as_ref();
        roles.map_or_else(Vec::new, |roles| roles.of(kind, name))
    }

    fn find(&self, table: &str, column: &str) -> Option<&Column> {
        self.before.table(table)?.column(column)
    }

    /// Makes a new type with all the labels that are wanted in the end and brings the columns over: a label cannot be taken out
    /// of a type.
    fn swap_enum(&self, name: &str) -> Vec<String> {
        if self.earlier.iter().any(|earlier| makes_anew(earlier, name)) {
            return Vec::new();
        }
        let mut after = self.before.clone();
        self.operation.apply(&mut after);
        let is_of_type = |later: &&Operation| {
            matches!(later, Operation::AddEnumValue { r#enum, .. } if r#enum == name)
                || makes_anew(later, name)
        };
        self.later
            .iter()
            .filter(is_of_type)
            .for_each(|later| later.apply(&mut after));
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
        statements.extend(self.roles_of(NeedKind::Enum, name));
        statements.extend(aside.after);
        statements
    }
}

/// Returns what changes how rows are divided among tables, and how they are kept.
fn division(operation: &Operation, before: &Catalog) -> Option<Vec<String>> {
    Some(match operation {
        Operation::AlterInherits { table, from, to } => alter_inherits(table, from, to),
        Operation::AddPartition { table, partition } => one(ddl::create_part(table, partition)),
        Operation::DropPartition { table, partition } => {
            let mut statements = one(format!("DROP TABLE {}", quoted(&partition.name)));
            if is_referred_to(before, table) {
                // Foreign keys depend on each part. It is taken out only when no row refers to it.
                statements.insert(0, detach(table, partition));
            }
            statements
        }
        Operation::AttachPartition { table, partition } => one(attach(table, partition)),
        Operation::DetachPartition { table, partition } => one(detach(table, partition)),
        Operation::AlterPartition { table, from, to } => vec![detach(table, from), attach(table, to)],
        Operation::AlterTableStorage { table, from, to } => ddl::alter_table_storage(table, from, to),
        _ => return None,
    })
}

fn is_referred_to(catalog: &Catalog, table: &str) -> bool {
    let mut keys = catalog.tables.iter().flat_map(|table| &table.foreign_keys);
    keys.any(|key| key.ref_table == table)
}

fn alter_inherits(table: &str, from: &[String], to: &[String]) -> Vec<String> {
    let gone = from.iter().filter(|parent| !to.contains(parent));
    let new = to.iter().filter(|parent| !from.contains(parent));
    gone.map(|parent| format!("{} NO INHERIT {}", alter(table), ddl::table_name(parent)))
        .chain(new.map(|parent| format!("{} INHERIT {}", alter(table), ddl::table_name(parent))))
        .collect()
}

/// Takes a part out; its rows stay in it.
fn detach(table: &str, part: &TablePart) -> String {
    let above = alter(part.of.as_deref().unwrap_or(table));
    format!("{above} DETACH PARTITION {}", quoted(&part.name))
}

/// Puts a table in as a part; its rows are looked at.
fn attach(table: &str, part: &TablePart) -> String {
    let above = alter(part.of.as_deref().unwrap_or(table));
    format!("{above} ATTACH PARTITION {} {}", quoted(&part.name), part.bound)
}

/// Returns whether an operation has an enum type made anew.
fn makes_anew(operation: &Operation, name: &str) -> bool {
    matches!(
        operation,
        Operation::DropEnumValue { r#enum, .. } | Operation::ReorderEnum { r#enum, .. } if r#enum == name
    )
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

fn add_column(table: &str, column: &Column) -> Vec<String> {
    let mut statements = ddl::make_column(DIALECT, table, column);
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
