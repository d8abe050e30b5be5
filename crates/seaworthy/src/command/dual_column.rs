//! `revision --online`: the revisions that give a column another name or type while the application runs.

use std::path::Path;

use sea_orm::sea_query::ColumnDef;

use super::revision::new_id;
use super::{CommandError, NewRevision, Project, RevisionRequest, snapshot};
use crate::catalog::Column;
use crate::environment::Environment;
use crate::graph::{Placed, Placement};
use crate::online::DualColumn;
use crate::revision::{Header, RevisionId, Stage};
use crate::source::{DualColumnPart, DualColumnText, write_dual_column};

/// A change of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnChange {
    /// The table.
    pub table: String,
    /// The column as it is called now.
    pub from: String,
    /// What it will be called.
    pub to: String,
    /// Its new type as SQL; the old one stays when absent.
    pub data_type: Option<String>,
}

/// Writes the revisions of a change into the migration crate in `folder`: add, fill, contract, drop.
///
/// What the column is now is read from the database.
///
/// # Errors
///
/// Fails, with nothing written, when the database has no such column or has the new one already, when the first revision's
/// place in the graph is not clear or not free; and when a file cannot be written.
pub async fn online_change(
    environment: &Environment,
    request: &RevisionRequest,
    change: &ColumnChange,
    folder: &Path,
) -> Result<Vec<NewRevision>, CommandError> {
    let project = Project::of(environment)?;
    let id = request.id.clone().unwrap_or_else(new_id);
    let placed = project.graph.place(&Placement {
        id: id.clone(),
        head: request.head.clone(),
        splice: request.splice,
        branch_label: request.branch_label.clone(),
        depends_on: request.depends_on.clone(),
    })?;
    let catalog = snapshot(environment).await?;
    let table = catalog.table(&change.table);
    let column = table.and_then(|table| table.column(&change.from));
    let column = column.ok_or_else(|| CommandError::NoSuchColumn {
        table: change.table.clone(),
        column: change.from.clone(),
    })?;
    if table.is_some_and(|table| table.column(&change.to).is_some()) {
        return Err(CommandError::ColumnTaken {
            table: change.table.clone(),
            column: change.to.clone(),
        });
    }
    project.write_change(change, column, (id, placed), &request.message, folder)
}

impl Project<'_> {
    fn write_change(
        &self,
        change: &ColumnChange,
        column: &Column,
        first: (RevisionId, Placed),
        message: &str,
        folder: &Path,
    ) -> Result<Vec<NewRevision>, CommandError> {
        let about = about(change, column);
        let headers = PARTS.map(|(part, stage, what)| {
            let header = Header::new("").stage(stage).message(match message {
                "" => format!("{what} {}.{} for {}", change.table, change.from, change.to),
                message => format!("{message}: {what} the column"),
            });
            match part {
                DualColumnPart::Contract => header
                    .removes(format!("{}.{}", change.table, change.from))
                    .requires_backfill(backfill_name(change)),
                _ => header,
            }
        });
        self.write_all(first, headers.into(), |place, draft, known| {
            write_dual_column(folder, draft, known, PARTS[place].0, &about)
        })
    }
}

const PARTS: [(DualColumnPart, Stage, &str); 4] = [
    (DualColumnPart::Expand, Stage::Expand, "double"),
    (DualColumnPart::Fill, Stage::Migrate, "fill"),
    (DualColumnPart::Contract, Stage::Contract, "leave"),
    (DualColumnPart::Drop, Stage::Contract, "drop"),
];

fn about(change: &ColumnChange, column: &Column) -> DualColumnText {
    let old_type = column.data_type.clone();
    DualColumnText {
        table: change.table.clone(),
        from: (change.from.clone(), old_type.clone()),
        to: (
            change.to.clone(),
            change.data_type.clone().unwrap_or_else(|| old_type.clone()),
        ),
        is_not_null: !column.nullable,
        conversion: change.data_type.as_ref().map(|new_type| {
            (
                format!("CAST({} AS {new_type})", change.from),
                format!("CAST({} AS {old_type})", change.to),
            )
        }),
    }
}

fn backfill_name(change: &ColumnChange) -> String {
    let new = ColumnDef::new(change.to.clone());
    let column = DualColumn::new(change.table.clone(), change.from.clone(), new);
    column.backfill().name().to_owned()
}
