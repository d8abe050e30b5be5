//! Phase IX, last step: every priority and every role is one that means something.
//!
//! PostgreSQL reads the rows while everybody goes on. SQLite would have to build the tables again for a check, with all that
//! refers to them; instead the rule is written into the text that it keeps of a table, as its manual describes for changes
//! that leave the rows as they are ("ALTER TABLE", "Making Other Kinds Of Table Schema Changes").

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::revision::{Header, Revision, Stage};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20241231_120000_check_all_words"
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        Some(
            Header::new("91e6c04b7da3")
                .revises("d4b81f3a6e90")
                .message("check priorities and roles of all rows")
                .created("2024-12-31 12:00:00")
                .phase("IX")
                .stage(Stage::Contract),
        )
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for check in &CHECKS {
            send(manager, &check.name_offenders(backend)).await?;
        }
        if backend == DbBackend::Postgres {
            for check in &CHECKS {
                send(manager, &check.validate()).await?;
            }
            return Ok(());
        }
        rewrite(manager, CHECKS.iter().map(Check::write)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return rewrite(manager, CHECKS.iter().map(Check::erase)).await;
        }
        // What is validated cannot be unsaid; a rule for new rows is a new one.
        for check in &CHECKS {
            send(manager, &check.renew()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

struct Check {
    table: &'static str,
    name: &'static str,
    column: &'static str,
    words: &'static str,
}

const CHECKS: [Check; 2] = [
    Check {
        table: "tasks",
        name: "tasks_priority_check",
        column: "priority",
        words: "'low', 'medium', 'high'",
    },
    Check {
        table: "messages",
        name: "messages_role_check",
        column: "role",
        words: "'user', 'assistant'",
    },
];

impl Check {
    /// Returns a statement that fails where rows are in the way, and names them in its error: no number can be made of that.
    fn name_offenders(&self, backend: DbBackend) -> String {
        let (joined, cast) = match backend {
            DbBackend::Postgres => ("string_agg", ["CAST(", " AS integer)"]),
            _ => ("group_concat", ["json_extract('null', ", ")"]),
        };
        let Self {
            table, column, words, ..
        } = self;
        format!(
            "SELECT {}'{column} means nothing in {table}: ' || (SELECT {joined}({column} || ' of id ' || id, ', ') \
             FROM (SELECT id, {column} FROM {table} WHERE {column} NOT IN ({words}) ORDER BY id LIMIT 10) AS offenders) \
             || '. Change them, then upgrade again'{}",
            cast[0], cast[1]
        )
    }

    fn validate(&self) -> String {
        format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", self.table, self.name)
    }

    fn renew(&self) -> String {
        let Self { table, name, .. } = self;
        format!(
            "ALTER TABLE {table} DROP CONSTRAINT {name}, ADD {} NOT VALID",
            self.rule()
        )
    }

    fn rule(&self) -> String {
        format!(
            "CONSTRAINT {} CHECK ({} IN ({}))",
            self.name, self.column, self.words
        )
    }

    /// Constraints of a table come last in its text, before the closing bracket.
    fn write(&self) -> String {
        let rule = self.rule().replace('\'', "''");
        format!(
            "UPDATE sqlite_schema SET sql = substr(sql, 1, length(sql) - 1) || ', {rule})' \
             WHERE type = 'table' AND name = '{}'",
            self.table
        )
    }

    fn erase(&self) -> String {
        let rule = self.rule().replace('\'', "''");
        format!(
            "UPDATE sqlite_schema SET sql = replace(sql, ', {rule}', '') WHERE type = 'table' AND name = '{}'",
            self.table
        )
    }
}

/// Changes what SQLite keeps of tables as text. That another table comes and goes tells every connection to read it again.
async fn rewrite(
    manager: &SchemaManager<'_>,
    changes: impl IntoIterator<Item = String>,
) -> Result<(), DbErr> {
    send(manager, "PRAGMA writable_schema = ON").await?;
    for change in changes {
        send(manager, &change).await?;
    }
    for sql in [
        "PRAGMA writable_schema = RESET",
        "CREATE TABLE words_are_checked (id integer)",
        "DROP TABLE words_are_checked",
    ] {
        send(manager, sql).await?;
    }
    Ok(())
}

async fn send(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(drop)
}
