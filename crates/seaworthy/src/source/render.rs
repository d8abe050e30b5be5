//! The text of a new, empty revision.

use chrono::NaiveDateTime;

use crate::revision::{Header, Stage};

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
pub(super) fn with_header(header: &Header, name: &str, created: NaiveDateTime) -> String {
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
    format!(
        "{}\nuse sea_orm_migration::prelude::*;\nuse seaworthy::revision::{{Header, Revision, Stage}};\n\n{}\n\
         impl Revision for Migration {{\n    fn header(&self) -> Option<Header> {{\n        Some(\n            \
         Header::new({}){calls},\n        )\n    }}\n}}\n\n{}",
        first_line(&header.message),
        name_impl(name),
        quoted(header.id.as_str()),
        migration_impl(),
    )
}

/// Returns the file of a plain SeaORM migration.
pub(super) fn without_header(header: &Header, name: &str) -> String {
    format!(
        "{}\nuse sea_orm_migration::prelude::*;\n\n{}\n{}",
        first_line(&header.message),
        name_impl(name),
        migration_impl()
    )
}

fn first_line(message: &str) -> String {
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

fn name_impl(name: &str) -> String {
    format!(
        "pub struct Migration;\n\nimpl MigrationName for Migration {{\n    fn name(&self) -> &str {{\n        \
         \"{name}\"\n    }}\n}}\n"
    )
}

fn migration_impl() -> &'static str {
    "#[async_trait::async_trait]\nimpl MigrationTrait for Migration {\n    \
     async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {\n        Ok(())\n    }\n\n    \
     async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {\n        Ok(())\n    }\n\n    \
     // SeaORM's own runner opens no transaction on SQLite unless it is told to.\n    \
     fn use_transaction(&self) -> Option<bool> {\n        Some(true)\n    }\n}\n"
}

/// Returns a text as a Rust literal.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}
