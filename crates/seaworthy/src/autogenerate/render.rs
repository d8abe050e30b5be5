//! Operations as the Rust source of a revision, in SeaORM's migration DSL.
//!
//! Only what the DSL cannot say is SQL, and that of one kind of database. The frame around it, a file with a name and a
//! header, is the business of `source`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::sql::{SqlError, Step, names, steps};
use super::{Operation, Risk};
use crate::catalog::ddl::text;
use crate::catalog::expression::quoted;
use crate::catalog::{Catalog, Dialect};

use layout::{call, literal, word};

pub use parts::{Part, RenderedPart, render_in_parts};

mod column;
mod layout;
mod parts;
mod statement;

/// A value for rows that have none when a column begins to demand one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The value, as SQL.
    pub value: String,
}

/// What goes into the two functions of a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The statements of `up`, indented for a method.
    pub up: String,
    /// The statements of `down`.
    pub down: String,
    /// The helpers of the migration crate's `schema` that they call.
    pub helpers: BTreeSet<&'static str>,
    /// Whether they call `execute(manager, sql)`, for SQL that only the catalog's kind of database understands.
    pub has_sql: bool,
    /// Whether the statements shall not be one transaction: none may keep its locks while the next works.
    pub is_split: bool,
    /// What the file says about itself beside its message.
    pub advice: &'static str,
    /// What they use of this crate.
    pub uses: Vec<&'static str>,
    /// Functions that they call.
    pub functions: String,
    /// The backfills of the revision, as an expression.
    pub backfills: String,
}

/// Says what a reviewer has to know about the guard of a column.
fn guarded(catalog: &Catalog, table: &str) -> String {
    let has_key = catalog
        .table(table)
        .is_some_and(|table| table.primary_key.is_some());
    let many = match has_key {
        true => {
            let table = table.replace(['\n', '\r'], " ");
            format!("For a table of many rows generate this with --large {table}, which fills it in batches.")
        }
        false => {
            "There is no primary key for batches to go along: for many rows choose a quiet hour.".to_owned()
        }
    };
    format!(
        "        // Rows are filled and checked while others read and write; the demand itself then finds the check and looks\n        \
         // at no row. {many}\n"
    )
}

/// A check by which a column demands a value: new rows keep it at once, and the others are looked at without a lock that
/// stops anybody. PostgreSQL takes it for proof that no row is NULL (manual, "ALTER TABLE", `SET NOT NULL`).
struct Guard {
    add: String,
    validate: String,
    drop: String,
}

impl Guard {
    fn of(table: &str, column: &str) -> Self {
        let name = quoted(&names::fitting(table, &[column.to_owned()], "not_null"));
        let alter = format!("ALTER TABLE {}", quoted(table));
        Self {
            add: format!(
                "{alter} ADD CONSTRAINT {name} CHECK ({} IS NOT NULL) NOT VALID",
                quoted(column)
            ),
            validate: format!("{alter} VALIDATE CONSTRAINT {name}"),
            drop: format!("{alter} DROP CONSTRAINT {name}"),
        }
    }
}

/// Operations cannot be written as a revision.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// Not even SQL says them.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A value is given for a column that needs none.
    #[error("{table}.{column} needs no value: it is neither added nor forbidden to be NULL")]
    NothingToFill {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
}

/// Returns the Rust source of operations on a database whose schema is `before`, and of what undoes them.
///
/// # Errors
///
/// Fails when an operation cannot be carried out on this kind of database, or when a value fills nothing.
pub fn render(before: &Catalog, operations: &[Operation], fills: &[Fill]) -> Result<Rendered, RenderError> {
    refuse_unfit(operations, fills)?;
    let upwards = in_safe_steps(operations, fills);
    let downwards: Vec<Operation> = operations.iter().rev().filter_map(Operation::inverse).collect();
    let mut after = before.clone();
    upwards.iter().for_each(|operation| operation.apply(&mut after));

    let mut rendered = Rendered::default();
    rendered.up = rendered.body(before, &upwards, fills, Direction::Up)?;
    rendered.down = rendered.body(&after, &downwards, &[], Direction::Down)?;
    Ok(rendered)
}

fn refuse_unfit(operations: &[Operation], fills: &[Fill]) -> Result<(), RenderError> {
    let unfit = fills
        .iter()
        .find(|fill| !operations.iter().any(|operation| fill.suits(operation)));
    match unfit {
        Some(Fill { table, column, .. }) => Err(RenderError::NothingToFill {
            table: table.clone(),
            column: column.clone(),
        }),
        None => Ok(()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Fill {
    fn suits(&self, operation: &Operation) -> bool {
        match operation {
            Operation::AddColumn { table, column } => {
                *table == self.table && column.name == self.column && !column.nullable
            }
            Operation::AlterNullable {
                table,
                column,
                to: false,
                ..
            } => *table == self.table && *column == self.column,
            _ => false,
        }
    }
}

/// Has a column that is to be filled begin without the demand, and before its table may be built again.
fn in_safe_steps(operations: &[Operation], fills: &[Fill]) -> Vec<Operation> {
    let mut steps = Vec::with_capacity(operations.len());
    for operation in operations {
        match operation {
            Operation::AddColumn { table, column } if fills.iter().any(|fill| fill.suits(operation)) => {
                let mut relaxed = column.clone();
                relaxed.nullable = true;
                let is_rename = |step: &Operation| {
                    matches!(
                        step,
                        Operation::RenameTable { .. } | Operation::RenameColumn { .. }
                    )
                };
                let first = steps
                    .iter()
                    .position(|step: &Operation| step.table() == Some(table) && !is_rename(step));
                steps.insert(
                    first.unwrap_or(steps.len()),
                    Operation::AddColumn {
                        table: table.clone(),
                        column: relaxed,
                    },
                );
                steps.push(Operation::AlterNullable {
                    table: table.clone(),
                    column: column.name.clone(),
                    from: true,
                    to: false,
                });
            }
            _ => steps.push(operation.clone()),
        }
    }
    steps
}

impl Rendered {
    fn body(
        &mut self,
        before: &Catalog,
        operations: &[Operation],
        fills: &[Fill],
        direction: Direction,
    ) -> Result<String, SqlError> {
        let dialect = before.dialect.ok_or(SqlError::NoDialect)?;
        let steps = steps(before, operations)?;
        self.is_split |= uses_new_label(operations, &steps);
        let mut text = String::new();
        if steps.iter().any(|step| matches!(step, Step::Rebuild(_))) {
            text.push_str(&self.foreign_keys_off());
        }
        let mut catalog = before.clone();
        let mut filled: Vec<&Fill> = Vec::new();
        let comments = comments(operations, &steps, direction);
        for ((operation, step), comments) in operations.iter().zip(steps).zip(comments) {
            // It works beside reads and writes, and in no transaction.
            self.is_split |= matches!(operation, Operation::RebuildInvalidIndex { .. });
            for comment in comments {
                text.push_str(&format!("        // {comment}\n"));
            }
            // A table that is built again takes along whatever is to change about it later: its rows are filled before.
            let is_rebuild = matches!(step, Step::Rebuild(_));
            for fill in fills
                .iter()
                .filter(|fill| is_rebuild && operation.table() == Some(&fill.table))
            {
                if !filled.contains(&fill) {
                    text.push_str(&statement::fill(&fill.table, &fill.column, &fill.value).awaited());
                    filled.push(fill);
                }
            }
            let fill = fills
                .iter()
                .find(|fill| fill.suits(operation) && !filled.contains(fill));
            let guard = fill
                .filter(|_| dialect == Dialect::Postgresql)
                .map(|fill| Guard::of(&fill.table, &fill.column));
            if let Some(guard) = &guard {
                self.is_split = true;
                text.push_str(&guarded(&catalog, operation.table().unwrap_or_default()));
                text.push_str(&self.sql(std::slice::from_ref(&guard.add)));
            }
            if let Some(fill) = fill {
                text.push_str(&statement::fill(&fill.table, &fill.column, &fill.value).awaited());
            }
            if let Some(guard) = &guard {
                text.push_str(&self.sql(std::slice::from_ref(&guard.validate)));
            }
            match step {
                Step::Along => {}
                Step::Alone(statements) => {
                    text.push_str(&self.step(dialect, &catalog, operation, &statements));
                }
                Step::Rebuild(statements) => text.push_str(&self.sql(&statements)),
            }
            if let Some(guard) = guard {
                text.push_str(&self.sql(&[guard.drop]));
            }
            operation.apply(&mut catalog);
        }
        if text.is_empty() {
            text.push_str("        // Nothing to undo.\n");
        }
        Ok(text)
    }

    fn step(
        &mut self,
        dialect: Dialect,
        catalog: &Catalog,
        operation: &Operation,
        statements: &[String],
    ) -> String {
        if statements.is_empty() {
            return String::new();
        }
        let code = match operation {
            // Only where the engine takes it as it is: a default that does not fit the type yet has to wait.
            Operation::AlterDefault {
                table,
                column,
                to: Some(sql),
                ..
            } if dialect == Dialect::Postgresql && statements[0].ends_with(&format!("SET DEFAULT {sql}")) => {
                let column = catalog.table(table).and_then(|table| table.column(column));
                column.map(|column| statement::set_default(table, column, sql))
            }
            // Only where nothing but the type is said: neither how values are converted nor a collation.
            Operation::AlterType {
                table, column, to, ..
            } if dialect == Dialect::Postgresql
                && statements.len() == 1
                && statements[0].ends_with(&format!(" TYPE {to}")) =>
            {
                let column = catalog.table(table).and_then(|table| table.column(column));
                column.map(|column| {
                    let mut typed = column.clone();
                    typed.data_type.clone_from(to);
                    statement::set_type(dialect, table, &typed)
                })
            }
            _ => statement::statement(dialect, operation),
        };
        let Some(code) = code else {
            return self.sql(statements);
        };
        let columns = match operation {
            Operation::AddTable { table } => table.columns.as_slice(),
            Operation::AddColumn { column, .. } => std::slice::from_ref(column),
            _ => &[],
        };
        for added in columns {
            self.helpers.insert(column::helper(
                column::Kind::of(dialect, added).helper,
                added.nullable,
            ));
        }
        code.awaited()
    }

    fn sql(&mut self, statements: &[String]) -> String {
        self.has_sql = true;
        statements
            .iter()
            .map(|sql| call("execute", [word("manager"), literal(sql)]).awaited())
            .collect()
    }

    /// The drop of a table would take the rows with it that refer to its rows.
    fn foreign_keys_off(&mut self) -> String {
        let guard = "SELECT json_extract('{}', 'foreign keys are still on: run this revision with seaworthy') \
                     FROM pragma_foreign_keys WHERE foreign_keys = 1";
        format!(
            "        // A table is built again below. Dropping the old one would delete what refers to it, so foreign\n        \
             // keys have to be off, and they cannot be switched inside a transaction: seaworthy does it before,\n        \
             // and checks them before it commits. The second statement fails where nobody did.\n{}",
            self.sql(&["PRAGMA foreign_keys = OFF".to_owned(), guard.to_owned()])
        )
    }
}

/// Returns whether a label that is added to an enum type is used afterwards, which PostgreSQL allows after a commit only (manual,
/// "ALTER TYPE"). Those of a type that is made anew are not added.
fn uses_new_label(operations: &[Operation], steps: &[Step]) -> bool {
    operations
        .iter()
        .zip(steps)
        .enumerate()
        .any(|(place, (operation, step))| {
            let (Operation::AddEnumValue { value, .. }, Step::Alone(statements)) = (operation, step) else {
                return false;
            };
            let later = steps[place + 1..].iter().flat_map(Step::statements);
            let literal = text(value);
            let mut uses =
                later.filter(|sql| sql.contains(&literal) || sql.contains("[]") && sql.contains(value));
            // Another label may be put before it; that is no use.
            !statements.is_empty() && uses.any(|sql| !sql.starts_with("ALTER TYPE "))
        })
}

/// Says what a reviewer has to know about an operation.
/// Returns what a reviewer has to know, before each of the steps: what happens along with a rebuild is said before the rebuild.
fn comments(operations: &[Operation], steps: &[Step], direction: Direction) -> Vec<Vec<String>> {
    let mut comments = vec![Vec::new(); steps.len()];
    for (index, operation) in operations.iter().enumerate() {
        let rebuild = steps[..index].iter().zip(operations).rposition(|(step, other)| {
            matches!(step, Step::Rebuild(_)) && other.table() == operation.table()
        });
        let place = rebuild.filter(|_| steps[index] == Step::Along).unwrap_or(index);
        comments[place].extend(comment(operation, direction));
    }
    comments
}

fn comment(operation: &Operation, direction: Direction) -> Option<String> {
    let thing = match operation {
        Operation::DropTable { table } => format!("every row of {}", table.name),
        Operation::DropPartition { partition, .. } => format!("every row of {}", partition.name),
        Operation::DropColumn { table, column } => format!("what {table}.{} holds", column.name),
        Operation::DropSequence { sequence } => format!("how far {} has counted", sequence.name),
        Operation::DropEnumValue {
            r#enum: name, value, ..
        } => format!("the rows that are {value} in {name}"),
        Operation::AlterGenerated { table, column, .. } => format!("what {table}.{column} holds"),
        _ => String::new(),
    };
    let line = |text: String| text.replace(['\n', '\r'], " ");
    match (operation.risk(), direction, operation) {
        (_, _, Operation::RebuildInvalidIndex { .. }) => Some(
            "A build of this index has failed, so no query uses it. Fails again where two rows agree."
                .to_owned(),
        ),
        (Risk::Loses, Direction::Up, Operation::DropEnumValue { .. }) => {
            Some(line(format!("Destructive: fails while there are {thing}.")))
        }
        (
            Risk::Loses,
            _,
            Operation::AlterType {
                table,
                column,
                from,
                to,
            },
        ) => Some(line(format!(
            "Destructive: {table}.{column} becomes narrower, {to} instead of {from}: rounds, or fails where a value does not fit."
        ))),
        (Risk::Loses, _, _) => Some(line(format!("Destructive: {thing} is lost."))),
        (_, Direction::Down, Operation::AddTable { table }) => {
            Some(line(format!("Brings {} back without its rows.", table.name)))
        }
        (risk, Direction::Down, Operation::AddColumn { table, column }) => {
            let back = format!("Brings {table}.{} back without what it held", column.name);
            Some(line(match risk {
                Risk::Fails => format!("{back}; fails where there are rows, as it needs a value."),
                _ => format!("{back}."),
            }))
        }
        (Risk::Fails, Direction::Up, Operation::AddUnique { .. } | Operation::AddIndex { .. }) => {
            Some("Fails where two rows agree.".to_owned())
        }
        (
            Risk::Fails,
            Direction::Up,
            Operation::AlterType {
                table,
                column,
                from,
                to,
            },
        ) => Some(line(format!(
            "{table}.{column}: {from} becomes {to}; fails where a value does not fit."
        ))),
        _ => None,
    }
}
