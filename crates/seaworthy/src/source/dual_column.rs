//! The revisions of a column that has two names for a while: four files that share one value.

use std::path::Path;

use chrono::NaiveDateTime;

use super::render::{first_line, header_method, name_impl, quoted};
use super::{Draft, SourceError, Written, write_as};

/// What the revisions are about, as the files say it.
#[derive(Clone, Debug)]
pub struct DualColumnText {
    /// The table.
    pub table: String,
    /// The column that goes, with its type in SQL.
    pub from: (String, String),
    /// The column that comes, with its type in SQL.
    pub to: (String, String),
    /// Whether neither may be NULL.
    pub is_not_null: bool,
    /// What each holds, by the other: SQL for the new one, and for the old one. Nothing when both hold the same.
    pub conversion: Option<(String, String)>,
}

/// One of the revisions, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DualColumnPart {
    /// Adds the new column, and what keeps both the same.
    Expand,
    /// Fills the rows that were there.
    Fill,
    /// Takes away what keeps both the same.
    Contract,
    /// Drops the old column.
    Drop,
}

/// Writes one of the revisions into the migration crate in `folder` and registers it.
///
/// # Errors
///
/// As for [`write`](super::write), and when the migrator keeps no headers: without stages nothing would keep them apart.
pub fn write_dual_column(
    folder: &Path,
    draft: &Draft,
    known: &[&str],
    part: DualColumnPart,
    about: &DualColumnText,
) -> Result<Written, SourceError> {
    let migrator = super::list::MigratorSource::read(folder)?;
    if !migrator.has_headers() {
        return Err(SourceError::NoHeaders {
            path: migrator.shown(),
            what: "the stages of an online change",
        });
    }
    write_as(folder, draft, known, |name, created, _| {
        text(draft, name, created, part, about)
    })
}

fn text(
    draft: &Draft,
    name: &str,
    created: NaiveDateTime,
    part: DualColumnPart,
    about: &DualColumnText,
) -> String {
    let (table, old) = (quoted(&about.table), quoted(&about.from.0));
    let [up, down] = match part {
        DualColumnPart::Expand => [
            "column().expand(manager).await",
            "column().collapse(manager).await",
        ]
        .map(str::to_owned),
        DualColumnPart::Fill => [
            "column().backfill().run(manager).await",
            "column().backfill().forget(manager).await",
        ]
        .map(str::to_owned),
        DualColumnPart::Contract => [
            "column().contract(manager).await",
            "column().restore(manager).await",
        ]
        .map(str::to_owned),
        DualColumnPart::Drop => [
            format!("online::drop_column(manager, {table}, {old}).await"),
            format!(
                "let old = ColumnDef::new({old}).custom({}).to_owned();\n        online::add_column(manager, {table}, old).await",
                quoted(&about.from.1)
            ),
        ],
    };
    let imports = match part {
        DualColumnPart::Expand | DualColumnPart::Contract => "use seaworthy::online::DualColumn;\n",
        DualColumnPart::Fill => "use seaworthy::backfill::Backfill;\nuse seaworthy::online::DualColumn;\n",
        DualColumnPart::Drop => "use seaworthy::online;\n",
    };
    let backfills = match part {
        DualColumnPart::Fill => {
            "\n    fn backfills(&self) -> Vec<Backfill> {\n        vec![column().backfill()]\n    }\n"
        }
        _ => "",
    };
    let column = match part {
        DualColumnPart::Drop => String::new(),
        _ => about.function(),
    };
    format!(
        "{}//!\n//! {}\n\nuse sea_orm_migration::prelude::*;\n{imports}use seaworthy::revision::{{Header, Revision, Stage}};\n\n\
         {column}{}\nimpl Revision for Migration {{\n{}{backfills}}}\n\n\
         #[async_trait::async_trait]\nimpl MigrationTrait for Migration {{\n    \
         async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {{\n        {up}\n    }}\n\n    \
         async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {{\n        {down}\n    }}\n\n    \
         // Each step commits by itself, so that nobody waits for more than one of them.\n    \
         fn use_transaction(&self) -> Option<bool> {{\n        Some(false)\n    }}\n}}\n",
        first_line(&draft.header.message),
        part.advice(),
        name_impl(name),
        header_method(&draft.header, created),
    )
}

impl DualColumnPart {
    fn advice(self) -> &'static str {
        match self {
            Self::Expand => {
                "What hangs on the old column wants a counterpart on the new one: indexes, keys, a default. Code that does\n\
                 //! not know the new one goes on as before."
            }
            Self::Fill => "Code that reads the new column comes after it.",
            Self::Contract => "No code that writes the old column may run any more.",
            Self::Drop => "There is no way back to what the old column held but a backup.",
        }
    }
}

impl DualColumnText {
    /// Returns the function that makes the value.
    fn function(&self) -> String {
        let not_null = if self.is_not_null { ".not_null()" } else { "" };
        let conversion = self.conversion.as_ref().map_or_else(String::new, |(up, down)| {
            format!(
                "\n        .up(Expr::cust({}))\n        .down(Expr::cust({}))",
                quoted(up),
                quoted(down)
            )
        });
        format!(
            "fn column() -> DualColumn {{\n    let new = ColumnDef::new({}).custom({}){not_null}.to_owned();\n    \
             DualColumn::new({}, {}, new){conversion}\n}}\n\n",
            quoted(&self.to.0),
            quoted(&self.to.1),
            quoted(&self.table),
            quoted(&self.from.0)
        )
    }
}
