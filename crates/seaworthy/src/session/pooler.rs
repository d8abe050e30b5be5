//! Whether a pooler stands in between that gives each transaction another server connection, as `PgBouncer` does in transaction mode.
//!
//! Session locks and settings mean nothing behind one: what a session sets stays with a server connection that others go on with.

use sea_orm::{DbBackend, DbErr};

use super::{Access, Session, SessionError};

/// Which of two connections is asked, in this order.
///
/// One after the other, because a pooler that is idle gives the server connection that was free last to whoever asks next; the
/// same one twice in a row, because one that takes turns would keep two apart that are asked alternately. On a busy pool each
/// question is another chance to be given another connection.
const QUESTIONS: [Asked; 12] = {
    use Asked::{First, Second};
    [
        First, Second, Second, First, First, Second, First, First, Second, Second, First, Second,
    ]
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    First,
    Second,
}

/// A server process, and whether it still knows what its session has set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    pid: i32,
    mark: String,
}

impl Session {
    /// Returns whether a pooler gives the server connection of this session to others between two statements; on PostgreSQL.
    ///
    /// # Errors
    ///
    /// Fails when a second connection cannot be made.
    pub async fn is_pooled(&self) -> Result<bool, SessionError> {
        if self.backend() != DbBackend::Postgres {
            return Ok(false);
        }
        let other = Self::open(self.url(), self.settings(), Access::Read).await?;
        let shared = self.shared_process(&other).await;
        other.close().await;
        shared
            .map(|shared| shared.is_some())
            .map_err(|source| SessionError::connection(self.url(), source))
    }

    /// Returns the server process that a pooler gave to one of two sessions although it is not, or not only, its own.
    pub(super) async fn shared_process(&self, other: &Self) -> Result<Option<i32>, DbErr> {
        let first = self.mark().await?;
        let second = other.mark().await?;
        if first.pid == second.pid {
            return Ok(Some(first.pid));
        }
        for asked in QUESTIONS {
            let (answer, expected) = match asked {
                Asked::First => (self.ask_mark().await?, &first),
                Asked::Second => (other.ask_mark().await?, &second),
            };
            if answer != *expected {
                return Ok(Some(answer.pid));
            }
        }
        Ok(None)
    }

    /// Leaves a mark in the session: any role may set a name with a dot (manual, "Customized Options").
    async fn mark(&self) -> Result<Answer, DbErr> {
        let mark = format!("{:016x}", fastrand::u64(..));
        self.answer(&format!("set_config('seaworthy.session', '{mark}', false)"))
            .await
    }

    async fn ask_mark(&self) -> Result<Answer, DbErr> {
        self.answer("coalesce(current_setting('seaworthy.session', true), '')")
            .await
    }

    async fn answer(&self, mark: &str) -> Result<Answer, DbErr> {
        let rows = self
            .rows(&format!("SELECT pg_backend_pid() AS pid, {mark} AS mark"))
            .await?;
        let row = rows
            .first()
            .ok_or_else(|| DbErr::RecordNotFound("the process of this session".to_owned()))?;
        Ok(Answer {
            pid: row.try_get("", "pid")?,
            mark: row.try_get("", "mark")?,
        })
    }
}
