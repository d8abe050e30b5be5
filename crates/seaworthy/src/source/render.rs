//! The text of a new revision: the frame around its statements.

use chrono::NaiveDateTime;

use super::{Body, Draft};
use crate::revision::{Header, Stage};
use crate::sql::Dialect;

/// The longest line, at rustfmt's default settings.
const IMPORT: usize = 100;

/// The longest slug; Alembic cuts at the same length.
const SLUG: usize = 40;

/// Returns SeaORM's name for a revision: `m20241225_100000_create_initial_tables`.
pub(super) fn name(message: &str, created: NaiveDateTime) -> String {
    let words: String = message
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let mut slug = words
        .split('_')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("_");
    slug.truncate(SLUG);
    let slug = if slug.is_empty() {
        "revision"
    } else {
        slug.trim_end_matches('_')
    };
    format!("m{}_{slug}", created.format("%Y%m%d_%H%M%S"))
}

/// Returns the file of a revision that says where it belongs.
pub(super) fn with_header(draft: &Draft, name: &str, created: NaiveDateTime) -> String {
    let header = &draft.header;
    let body = draft.body.as_ref();
    format!(
        "{}{}\nuse sea_orm_migration::prelude::*;\n{}{}use seaworthy::revision::{{Header, Revision, Stage}};\n\n{}{}\n\
         impl Revision for Migration {{\n{}{}}}\n\n{}",
        first_line(&header.message),
        body.map(advice).unwrap_or_default(),
        imports(body),
        body.map(|body| uses(body, |_| true)).unwrap_or_default(),
        body.map_or("", |body| body.functions.as_str()),
        name_impl(name),
        header_method(header, created),
        body.map(backfills_method).unwrap_or_default(),
        migration_impl(body),
    )
}

/// Returns the method that says where a revision belongs.
pub(super) fn header_method(header: &Header, created: NaiveDateTime) -> String {
    let mut calls = String::new();
    let mut call = |method: &str, argument: String| {
        calls.push_str(&format!("\n                .{method}({argument})"));
    };
    header
        .revises
        .iter()
        .for_each(|parent| call("revises", quoted(parent.as_str())));
    if !header.message.is_empty() {
        call("message", quoted(&header.message));
    }
    call(
        "created",
        quoted(&created.format("%Y-%m-%d %H:%M:%S").to_string()),
    );
    header
        .labels
        .iter()
        .for_each(|label| call("label", quoted(label)));
    header
        .depends_on
        .iter()
        .for_each(|dependency| call("depends_on", quoted(dependency)));
    call(
        "stage",
        match header.stage {
            Stage::Expand => "Stage::Expand",
            Stage::Migrate => "Stage::Migrate",
            Stage::Contract => "Stage::Contract",
        }
        .to_owned(),
    );
    header
        .removes
        .iter()
        .for_each(|what| calls.push_str(&format!("\n                .removes({})", quoted(what))));
    header
        .changes
        .iter()
        .for_each(|what| calls.push_str(&format!("\n                .changes({})", quoted(what))));
    header
        .requires_backfills
        .iter()
        .for_each(|name| calls.push_str(&format!("\n                .requires_backfill({})", quoted(name))));
    if let Some(reason) = &header.irreversible {
        calls.push_str(&format!("\n                .irreversible({})", quoted(reason)));
    }
    format!(
        "    fn header(&self) -> Option<Header> {{\n        Some(\n            Header::new({}){calls},\n        )\n    }}\n",
        quoted(header.id.as_str())
    )
}

/// Returns the file of a plain SeaORM migration.
pub(super) fn without_header(draft: &Draft, name: &str) -> String {
    let body = draft.body.as_ref();
    format!(
        "{}{}\nuse sea_orm_migration::prelude::*;\n{}{}\n{}{}\n{}",
        first_line(&draft.header.message),
        body.map(advice).unwrap_or_default(),
        imports(body),
        // Without a header a backfill is only called; its type is named nowhere.
        body.map(|body| uses(body, |path| path != "backfill::Backfill"))
            .unwrap_or_default(),
        body.map_or("", |body| body.functions.as_str()),
        name_impl(name),
        migration_impl(body)
    )
}

fn advice(body: &Body) -> String {
    match body.advice {
        "" => String::new(),
        advice => format!("//!\n//! {advice}\n"),
    }
}

fn uses(body: &Body, is_wanted: impl Fn(&str) -> bool) -> String {
    let wanted = body.uses.iter().filter(|path| is_wanted(path));
    wanted.map(|path| format!("use seaworthy::{path};\n")).collect()
}

fn backfills_method(body: &Body) -> String {
    match body.backfills.as_str() {
        "" => String::new(),
        backfills => {
            format!("\n    fn backfills(&self) -> Vec<Backfill> {{\n        {backfills}\n    }}\n")
        }
    }
}

/// Returns the import of the schema helpers.
fn imports(body: Option<&Body>) -> String {
    let Some(body) = body.filter(|body| !body.helpers.is_empty()) else {
        return String::new();
    };
    if let [only] = body.helpers.as_slice() {
        return format!("use sea_orm_migration::schema::{only};\n");
    }
    let one_line = format!(
        "use sea_orm_migration::schema::{{{}}};\n",
        body.helpers.join(", ")
    );
    if one_line.len() <= IMPORT {
        return one_line;
    }
    let mut lines = vec![String::from("   ")];
    for helper in &body.helpers {
        let last = lines.last_mut().expect("there is one to begin with");
        if last.len() + helper.len() + 2 > IMPORT {
            lines.push(format!("    {helper},"));
        } else {
            last.push_str(&format!(" {helper},"));
        }
    }
    format!("use sea_orm_migration::schema::{{\n{}\n}};\n", lines.join("\n"))
}

pub(super) fn first_line(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => format!(
            "//! {}{}.\n",
            first.to_uppercase(),
            letters.as_str().trim_end_matches('.')
        ),
        None => "//! Says here what this revision does, and why.\n".to_owned(),
    }
}

pub(super) fn name_impl(name: &str) -> String {
    format!(
        "pub struct Migration;\n\nimpl MigrationName for Migration {{\n    fn name(&self) -> &str {{\n        \
         \"{name}\"\n    }}\n}}\n"
    )
}

fn migration_impl(body: Option<&Body>) -> String {
    let (manager, up, down) = match body {
        Some(body) => ("manager", body.up.as_str(), body.down.as_str()),
        None => ("_manager", "", ""),
    };
    // A direction that does nothing uses nothing.
    let of = |statements: &str| match statements.contains("manager") {
        true => manager,
        false => "_manager",
    };
    let sql = body.and_then(|body| body.sql_of).map(execute).unwrap_or_default();
    format!(
        "#[async_trait::async_trait]\nimpl MigrationTrait for Migration {{\n    \
         async fn up(&self, {}: &SchemaManager) -> Result<(), DbErr> {{\n{up}        Ok(())\n    }}\n\n    \
         async fn down(&self, {}: &SchemaManager) -> Result<(), DbErr> {{\n{down}        Ok(())\n    }}\n\n    \
         {}\n}}\n{sql}",
        of(up),
        of(down),
        transaction(body.is_some_and(|body| body.is_split)),
    )
}

/// Returns the method that says whether all of it is one transaction.
fn transaction(is_split: bool) -> &'static str {
    if is_split {
        "// Each statement is a transaction of its own, so that none keeps its locks while the next works; after a\n    \
         // failure the next run goes on where this one stopped.\n    \
         fn use_transaction(&self) -> Option<bool> {\n        Some(false)\n    }"
    } else {
        "// SeaORM's own runner opens no transaction on SQLite unless it is told to.\n    \
         fn use_transaction(&self) -> Option<bool> {\n        Some(true)\n    }"
    }
}

/// Returns the function that sends SQL, and refuses to where it would mean nothing.
fn execute(dialect: Dialect) -> String {
    let backend = match dialect {
        Dialect::Postgresql => "Postgres",
        Dialect::Sqlite => "Sqlite",
    };
    format!(
        "\n/// Sends SQL of {dialect}.\n\
         async fn execute(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {{\n    \
         if manager.get_database_backend() != sea_orm::DbBackend::{backend} {{\n        \
         let what = \"this revision was generated on {dialect} and says nothing for other databases\";\n        \
         return Err(DbErr::Migration(what.to_owned()));\n    }}\n    \
         manager.get_connection().execute_unprepared(sql).await?;\n    Ok(())\n}}\n"
    )
}

/// Returns a text as a Rust literal.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}
