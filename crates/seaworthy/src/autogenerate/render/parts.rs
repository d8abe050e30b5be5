//! Operations as several revisions, where a column begins to demand a value on a table of many rows.
//!
//! One statement would fill all of them, and whoever writes one waits for its end. So the column is filled in batches, by
//! revisions of `online` and `backfill`, and what else there is to do stays in revisions as ever: before, and what needs the
//! column after it is filled.

use std::collections::BTreeSet;

use super::column::{custom, helper_of_nullable, nullable};
use super::layout::{Code, call, literal, word};
use super::{Fill, RenderError, Rendered, refuse_unfit, render, statement};
use crate::autogenerate::Operation;
use crate::autogenerate::sql::{Step, sql, steps};
use crate::catalog::ddl::column_comment;
use crate::catalog::expression::mentions;
use crate::catalog::{Catalog, Column, Dialect};

/// What one of several revisions is for, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything that has nothing to do with a column that is filled; all of it where there is none.
    Change,
    /// Adds the columns, and what fills them in rows that are written from then on.
    Begin,
    /// Fills the rows that were there.
    Fill,
    /// What needs the columns filled.
    Follow,
    /// Forbids NULL.
    Demand,
    /// Removes what the values were made of, which the trigger reads until the demand, and what goes after it.
    Remove,
}

/// One of several revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedPart {
    /// What it is for.
    pub part: Part,
    /// What goes into it.
    pub rendered: Rendered,
    /// The columns that the revisions are about, by table and name.
    pub columns: Vec<(String, String)>,
    /// Those of them that are filled.
    pub filled: Vec<(String, String)>,
    /// The same as SQL, where it does not take several steps.
    pub at_once: Vec<String>,
}

/// A column on its way to `NOT NULL`, on a table of many rows.
struct Demand<'a> {
    table: &'a str,
    column: &'a str,
    /// The column where it is new.
    added: Option<&'a Column>,
    /// What rows get that have no value; nothing where none is said to be without.
    value: Option<&'a str>,
}

/// Returns the Rust source of operations as [`render`] does, in as many revisions as it takes to fill the tables that are
/// said to have many rows, by the names that they have now.
///
/// On SQLite, which builds a table again for the demand, and for tables without a primary key that stays as it is, along
/// which they could be filled, it is one.
///
/// # Errors
///
/// As for [`render`].
pub fn render_in_parts(
    before: &Catalog,
    operations: &[Operation],
    fills: &[Fill],
    large: &BTreeSet<String>,
) -> Result<Vec<RenderedPart>, RenderError> {
    refuse_unfit(operations, fills)?;
    let demands: Vec<Option<Demand<'_>>> = operations
        .iter()
        .map(|operation| Demand::of(before, operation, (operations, fills), large))
        .collect();
    let all: Vec<&Demand<'_>> = demands.iter().flatten().collect();
    if all.is_empty() {
        return Ok(vec![RenderedPart::plain(
            Part::Change,
            before,
            operations,
            fills,
        )?]);
    }
    let sent: Vec<Vec<String>> = steps(before, operations)?
        .into_iter()
        .map(Step::into_statements)
        .collect();
    let end = operations.len();
    let is_read = |place: &usize| all.iter().any(|demand| demand.is_made_of(&operations[*place]));
    let is_late = |place: &usize| {
        let (operation, sent) = (&operations[*place], &sent[*place]);
        demands[*place].is_none() && all.iter().any(|demand| demand.is_before(operation, sent))
    };
    // In the order of operations each builds on those before it; so whatever comes behind one that waits, waits as well.
    let removed = (0..end).find(is_read).unwrap_or(end);
    let late = (0..removed).find(is_late).unwrap_or(removed);
    let mut catalog = before.clone();
    let mut plain = |part: Part,
                     places: std::ops::Range<usize>|
     -> Result<Option<RenderedPart>, RenderError> {
        let others = places.filter(|place| demands[*place].is_none());
        let others: Vec<Operation> = others.map(|place| operations[place].clone()).collect();
        let suiting = fills
            .iter()
            .filter(|fill| others.iter().any(|operation| fill.suits(operation)));
        let rendered = RenderedPart::plain(part, &catalog, &others, &suiting.cloned().collect::<Vec<_>>())?;
        others.iter().for_each(|operation| operation.apply(&mut catalog));
        if part == Part::Change {
            let begun = all.iter().filter_map(|demand| demand.begun());
            begun.for_each(|operation| operation.apply(&mut catalog));
        }
        Ok((!others.is_empty()).then_some(rendered))
    };
    let change = plain(Part::Change, 0..late)?;
    let follow = plain(Part::Follow, late..removed)?;
    let remove = plain(Part::Remove, removed..end)?;

    let filled: Vec<&Demand<'_>> = all
        .iter()
        .copied()
        .filter(|demand| demand.value.is_some())
        .collect();
    let gradual = |part: Part, rendered: Rendered| RenderedPart {
        part,
        rendered,
        columns: Vec::new(),
        filled: filled.iter().map(|demand| demand.named()).collect(),
        at_once: Vec::new(),
    };
    let mut parts: Vec<RenderedPart> = change.into_iter().collect();
    if !filled.is_empty() {
        parts.push(gradual(Part::Begin, begin(&filled)));
        parts.push(gradual(Part::Fill, fill(&filled)));
    }
    parts.extend(follow);
    parts.push(gradual(Part::Demand, demand(&all)));
    parts.extend(remove);
    for part in &mut parts {
        part.columns = all.iter().map(|demand| demand.named()).collect();
    }
    Ok(parts)
}

impl RenderedPart {
    fn plain(
        part: Part,
        before: &Catalog,
        operations: &[Operation],
        fills: &[Fill],
    ) -> Result<Self, RenderError> {
        Ok(Self {
            part,
            rendered: render(before, operations, fills)?,
            columns: Vec::new(),
            filled: Vec::new(),
            at_once: sql(before, operations)?,
        })
    }
}

impl<'a> Demand<'a> {
    fn of(
        before: &Catalog,
        operation: &'a Operation,
        (operations, fills): (&'a [Operation], &'a [Fill]),
        large: &BTreeSet<String>,
    ) -> Option<Self> {
        let fill = fills.iter().find(|fill| fill.suits(operation));
        let (table, column, added) = match operation {
            Operation::AddColumn { table, column } if column.auto.is_none() && column.generated.is_none() => {
                fill?;
                (table, &column.name, Some(column))
            }
            Operation::AlterNullable {
                table,
                column,
                to: false,
                ..
            } => (table, column, None),
            _ => return None,
        };
        let is_another_key = operations
            .iter()
            .any(|other| matches!(other, Operation::AlterPrimaryKey { table: of, .. } if of == table));
        let name_now = operations.iter().find_map(|other| match other {
            Operation::RenameTable { from, to } if to == table => Some(from),
            _ => None,
        });
        let name_now = name_now.unwrap_or(table);
        let has_key = before.table(name_now)?.primary_key.is_some();
        let is_gradual = before.dialect == Some(Dialect::Postgresql)
            && large.contains(name_now)
            && has_key
            && !is_another_key;
        is_gradual.then_some(Self {
            table,
            column,
            added,
            value: fill.map(|fill| fill.value.as_str()),
        })
    }

    /// Returns whether an operation removes what the values are made of.
    fn is_made_of(&self, operation: &Operation) -> bool {
        let is_read = |name: &str| self.value.is_some_and(|value| mentions(value, name));
        match operation {
            Operation::DropColumn { column, .. } => is_read(&column.name),
            Operation::DropTable { table } => is_read(&table.name),
            Operation::DropSequence { sequence } => is_read(&sequence.name),
            Operation::DropEnum { r#enum, .. } => is_read(r#enum),
            _ => false,
        }
    }

    /// Returns whether an operation has to wait until the column is filled.
    fn is_before(&self, operation: &Operation, sent: &[String]) -> bool {
        match operation {
            // Rows without a value may break it.
            Operation::AddCheck { table, check } => table == self.table && mentions(&check.expr, self.column),
            _ => {
                self.added.is_some()
                    && sent
                        .iter()
                        .any(|sql| mentions(sql, self.table) && mentions(sql, self.column))
            }
        }
    }

    /// Returns what has changed about the column by the time that rows are filled.
    fn begun(&self) -> Option<Operation> {
        Some(Operation::AddColumn {
            table: self.table.to_owned(),
            column: Column {
                nullable: true,
                ..self.added?.clone()
            },
        })
    }

    /// Returns the name of the function that makes the value of `online`.
    fn function(&self) -> String {
        let plain = |name: &str| -> String {
            let letters = name.chars().map(|letter| match letter.is_ascii_alphanumeric() {
                true => letter.to_ascii_lowercase(),
                false => '_',
            });
            letters.collect()
        };
        let name = format!("{}_of_{}", plain(self.column), plain(self.table));
        match name.starts_with(|letter: char| letter.is_ascii_digit()) {
            true => format!("the_{name}"),
            false => name,
        }
    }

    fn named(&self) -> (String, String) {
        (self.table.to_owned(), self.column.to_owned())
    }

    fn value_of_online(&self, verb: &'static str) -> Code {
        call(self.function(), []).then(verb, [word("manager")])
    }

    fn backfill(&self) -> Code {
        call(self.function(), []).then("backfill", [])
    }

    /// Returns the function that makes the value of `online`; the revisions of the change have it each.
    fn definition(&self) -> String {
        let value = custom(self.value.unwrap_or_default());
        let made = call(
            "FilledColumn::new",
            [literal(self.table), literal(self.column), value],
        );
        format!(
            "fn {}() -> FilledColumn {{\n    {}\n}}\n\n",
            self.function(),
            made.expression(4)
        )
    }
}

/// Returns a part whose statements are calls of `online`, one or more for each column: those of `up`, and those of `down`.
fn online(
    demands: &[&Demand<'_>],
    uses: &[&'static str],
    up: impl Fn(&Demand<'_>) -> String,
    down: impl Fn(&Demand<'_>) -> String,
) -> Rendered {
    let filled = || demands.iter().filter(|demand| demand.value.is_some());
    Rendered {
        up: demands.iter().map(|demand| up(demand)).collect(),
        down: demands.iter().rev().map(|demand| down(demand)).collect(),
        uses: uses.to_vec(),
        functions: filled().map(|demand| demand.definition()).collect(),
        is_split: true,
        ..Rendered::default()
    }
}

fn begin(filled: &[&Demand<'_>]) -> Rendered {
    let dialect = Dialect::Postgresql;
    let is_any_added = filled.iter().any(|demand| demand.added.is_some());
    let uses: &[&str] = match is_any_added {
        true => &["online::{self, FilledColumn}"],
        false => &["online::FilledColumn"],
    };
    let mut rendered = online(
        filled,
        uses,
        |demand| {
            let added = demand.added.map(|column| {
                let default = column.default.as_deref();
                let default = default.map(|sql| statement::set_default(demand.table, column, sql).awaited());
                let arguments = [word("manager"), literal(demand.table), nullable(dialect, column)];
                call("online::add_column", arguments).awaited() + &default.unwrap_or_default()
            });
            added.unwrap_or_default() + &demand.value_of_online("expand").awaited()
        },
        |demand| {
            let (table, column) = (demand.table, demand.column);
            let dropped = demand.added.map(|_| {
                let arguments = [word("manager"), literal(table), literal(column)];
                let lost = format!("what {table}.{column} holds is lost.").replace(['\n', '\r'], " ");
                format!("        // Destructive: {lost}\n")
                    + &call("online::drop_column", arguments).awaited()
            });
            demand.value_of_online("collapse").awaited() + &dropped.unwrap_or_default()
        },
    );
    let added = filled.iter().filter_map(|demand| demand.added);
    rendered.helpers = added.map(|column| helper_of_nullable(dialect, column)).collect();
    rendered.advice = BEGIN;
    let comments = filled.iter().filter_map(|demand| {
        let comment = demand.added?.comment.as_deref()?;
        Some(column_comment(demand.table, demand.column, Some(comment)))
    });
    for comment in comments {
        let said = rendered.sql(&[comment]);
        rendered.up.push_str(&said);
    }
    rendered
}

fn fill(filled: &[&Demand<'_>]) -> Rendered {
    let manager = || [word("manager")];
    let mut rendered = online(
        filled,
        &["backfill::Backfill", "online::FilledColumn"],
        |demand| demand.backfill().then("run", manager()).awaited(),
        |demand| demand.backfill().then("forget", manager()).awaited(),
    );
    let backfills = filled.iter().map(|demand| demand.backfill()).collect();
    rendered.backfills = format!("vec!{}", Code::Group('[', backfills).expression(8));
    rendered.advice = FILL;
    rendered
}

fn demand(all: &[&Demand<'_>]) -> Rendered {
    let uses: &[&str] = match (
        all.iter().any(|demand| demand.value.is_some()),
        all.iter().any(|demand| demand.value.is_none()),
    ) {
        (true, true) => &["online::{self, FilledColumn}"],
        (true, false) => &["online::FilledColumn"],
        _ => &["online"],
    };
    let plainly = |verb: &str, demand: &Demand<'_>| {
        call(
            verb,
            [word("manager"), literal(demand.table), literal(demand.column)],
        )
        .awaited()
    };
    let mut rendered = online(
        all,
        uses,
        |demand| match demand.value {
            Some(_) => demand.value_of_online("contract").awaited(),
            None => plainly("online::set_not_null", demand),
        },
        |demand| match demand.value {
            Some(_) => demand.value_of_online("restore").awaited(),
            None => plainly("online::drop_not_null", demand),
        },
    );
    rendered.advice = DEMAND;
    rendered
}

const BEGIN: &str = "Code that does not know of it goes on as before: what is written without a value gets one, from a trigger.";
const FILL: &str =
    "The rows that were there before the trigger get their value in batches, while others read and write.";
const DEMAND: &str = "No code that leaves the value out may run any more. What there is, is checked while others read and write.";
