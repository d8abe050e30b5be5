//! Statements of single tasks that are sent all the time: written once for each snapshot of the schema, and sent with other
//! values each time. Putting one together anew costs as much as sending it.

use std::sync::OnceLock;

use sea_orm::sea_query::{Value, Values};
use sea_orm::{DbBackend, Statement, StatementBuilder};

use super::Scope;
use crate::domain::Instant;

/// What is written already, as SQL.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What is read of a task.
    pub(super) task_columns: OnceLock<String>,
    task: OnceLock<String>,
    completion: OnceLock<String>,
    toggle: OnceLock<String>,
}

/// A statement that is written already, with its values.
pub(super) struct Ready<'a> {
    sql: &'a str,
    values: Vec<Value>,
}

impl Scope {
    /// Returns the statement that reads one task.
    pub(super) fn reading(&self, id: i32) -> Ready<'_> {
        let sql = self.shape.written.task.get_or_init(|| {
            let columns = self.written_columns();
            format!("SELECT {columns} FROM \"tasks\" WHERE \"id\" = $1 AND \"user_id\" = $2")
        });
        Ready {
            sql,
            values: vec![id.into(), self.owner.as_str().into()],
        }
    }

    /// Returns the statement that completes or reopens one task; what is that way already was not changed.
    pub(super) fn completing(&self, id: i32, completed: bool, now: Instant) -> Ready<'_> {
        let sql = self.shape.written.completion.get_or_init(|| {
            let columns = self.written_columns();
            format!(
                "UPDATE \"tasks\" SET \"completed\" = $1, \
                 \"updated_at\" = CASE WHEN \"completed\" = $1 THEN \"updated_at\" ELSE $2 END \
                 WHERE \"id\" = $3 AND \"user_id\" = $4 RETURNING {columns}"
            )
        });
        Ready {
            sql,
            values: vec![
                completed.into(),
                now.to_utc().into(),
                id.into(),
                self.owner.as_str().into(),
            ],
        }
    }

    /// Returns the statement that completes one task or reopens it, whichever it is not.
    pub(super) fn toggling(&self, id: i32, now: Instant) -> Ready<'_> {
        let sql = self.shape.written.toggle.get_or_init(|| {
            let columns = self.written_columns();
            format!(
                "UPDATE \"tasks\" SET \"completed\" = NOT \"completed\", \"updated_at\" = $1 \
                 WHERE \"id\" = $2 AND \"user_id\" = $3 RETURNING {columns}"
            )
        });
        Ready {
            sql,
            values: vec![now.to_utc().into(), id.into(), self.owner.as_str().into()],
        }
    }
}

impl StatementBuilder for Ready<'_> {
    fn build(&self, backend: &DbBackend) -> Statement {
        Statement {
            sql: self.sql.to_owned(),
            values: Some(Values(self.values.clone())),
            db_backend: *backend,
        }
    }
}
